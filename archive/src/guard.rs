//! The rules on what a member may be called and where a link may be said to point. Pure.
//!
//! Whether a link stays inside is decided with the whole tree in view, in `links`.

use std::fmt;

use crate::Refusal;

/// The longest name of one file, as Linux has it.
const MAX_COMPONENT: usize = 255;
/// The longest path, as Linux has it.
const MAX_PATH: usize = 4095;
/// How much of a hostile name is repeated in a message, in characters.
const MAX_SHOWN: usize = 160;

/// A member's name: relative, UTF-8, without `.`, `..` or empty components.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MemberPath(String);

impl MemberPath {
    /// Checks a name as it stands in an archive. `None` is the archive's root itself (`./`).
    pub(crate) fn parse(raw: &[u8], depth: u32) -> Result<Option<Self>, Refusal> {
        let text = text_of(raw)?;
        let member = || shown(raw);
        if text.starts_with(['/', '\\']) || has_drive(text) {
            return Err(Refusal::Absolute { member: member() });
        }
        // A backslash is an ordinary character here, but not where the tree may travel to.
        if text.split(['/', '\\']).any(|component| component == "..") {
            return Err(Refusal::Traversal { member: member() });
        }
        let mut path = String::with_capacity(text.len());
        let mut components = 0_u32;
        for component in text
            .split('/')
            .filter(|component| !matches!(*component, "" | "."))
        {
            if component.len() > MAX_COMPONENT {
                return Err(Refusal::Names {
                    member: member(),
                    why: "is too long",
                });
            }
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(component);
            components += 1;
            if components > depth {
                return Err(Refusal::TooDeep {
                    member: member(),
                    depth,
                });
            }
        }
        Ok((!path.is_empty()).then_some(Self(path)))
    }

    /// Returns the name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MemberPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&shown(self.0.as_bytes()))
    }
}

/// Checks what a symbolic link says, but not where it leads.
pub(crate) fn link_target(member: &MemberPath, raw: &[u8]) -> Result<String, Refusal> {
    let text = text_of(raw).map_err(|_| Refusal::Names {
        member: member.to_string(),
        why: "is a link to no name",
    })?;
    if text.starts_with(['/', '\\']) || has_drive(text) {
        return Err(Refusal::LinkOut {
            member: member.to_string(),
            target: shown(raw),
        });
    }
    Ok(text.to_owned())
}

/// Tells whether a mode from an archive makes a program; nothing else of it is taken over.
pub(crate) fn is_executable(mode: u32) -> bool {
    mode & 0o111 != 0
}

/// Makes bytes from an archive fit to be printed: short, no control characters, no tricks with
/// the direction of writing.
pub(crate) fn shown(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let mut printable = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == MAX_SHOWN {
            printable.push_str("...");
            break;
        }
        if character.is_control() || turns_text(character) {
            printable.extend(character.escape_unicode());
        } else {
            printable.push(character);
        }
    }
    printable
}

fn turns_text(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

fn text_of(raw: &[u8]) -> Result<&str, Refusal> {
    let wrong = |why| Refusal::Names {
        member: shown(raw),
        why,
    };
    if raw.is_empty() {
        return Err(wrong("is empty"));
    }
    if raw.len() > MAX_PATH {
        return Err(wrong("is too long"));
    }
    if raw.contains(&0) || raw.contains(&b'\n') {
        return Err(wrong("holds a NUL or a line break"));
    }
    std::str::from_utf8(raw).map_err(|_| wrong("is not UTF-8"))
}

/// `C:` alone, or with something behind it that starts at that drive.
fn has_drive(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':'] | [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(raw: &[u8]) -> Option<&'static str> {
        MemberPath::parse(raw, 8)
            .err()
            .map(|refusal| refusal.rule())
    }

    #[test]
    fn names_that_leave_or_confuse_are_refused_by_their_rule() {
        for (raw, wanted) in [
            (&b"../x"[..], "traversal"),
            (b"a/../../x", "traversal"),
            (b"a\\..\\x", "traversal"),
            (b"a/..", "traversal"),
            (b"/etc/x", "absolute"),
            (b"\\\\host\\x", "absolute"),
            (b"C:/x", "absolute"),
            (b"c:\\x", "absolute"),
            (b"", "names"),
            (b"a\0b", "names"),
            (b"a\nb", "names"),
            (b"a/\xff", "names"),
            (&[b'a'; 256], "names"),
            (&[b'/'; 1], "absolute"),
            (b"1/2/3/4/5/6/7/8/9", "bomb"),
        ] {
            assert_eq!(rule(raw), Some(wanted), "{}", shown(raw));
        }
    }

    #[test]
    fn odd_but_honest_names_pass() {
        for (raw, wanted) in [
            (&b"./a//b/./c/"[..], "a/b/c"),
            (b"a/...", "a/..."),
            (b"a/..b", "a/..b"),
            (b"units/by\\x2dlabel", "units/by\\x2dlabel"),
            (b"c:x/y", "c:x/y"),
            (b"Icon\r", "Icon\r"),
            ("na\u{ef}ve".as_bytes(), "na\u{ef}ve"),
        ] {
            let path = MemberPath::parse(raw, 8).unwrap().unwrap();
            assert_eq!(path.as_str(), wanted);
        }
        assert!(MemberPath::parse(b"./", 8).unwrap().is_none());
    }

    #[test]
    fn what_is_shown_can_not_move_the_cursor_or_turn_the_line() {
        assert_eq!(shown(b"a\x1b[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(shown("a\u{202e}b".as_bytes()), "a\\u{202e}b");
        assert!(shown(&[b'x'; 5000]).len() < 200);
    }

    proptest! {
        #[test]
        fn whatever_passes_is_relative_and_does_not_climb(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(Some(path)) = MemberPath::parse(&raw, 8) {
                prop_assert!(!path.as_str().starts_with('/'));
                prop_assert!(path.as_str().split('/').all(|part| !matches!(part, "" | "." | "..")));
                prop_assert!(!path.as_str().contains(['\0', '\n']));
            }
        }

        #[test]
        fn any_arrangement_of_dots_and_slashes_passes_only_without_climbing(raw in "[./\\\\a]{0,12}") {
            if let Ok(Some(path)) = MemberPath::parse(raw.as_bytes(), 8) {
                prop_assert!(!path.as_str().split(['/', '\\']).any(|part| part == ".."));
            }
        }
    }
}
