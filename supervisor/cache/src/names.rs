//! Fresh names for scratches and unfinished things, and the check that a name is plain.

use std::io;

/// The letters of a scratch's name; lower case, so that it is one name on every file system.
const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// How many characters a scratch's name has.
pub(crate) const SCRATCH_LETTERS: usize = 6;

/// Returns a fresh name for a scratch: six characters of `[a-z0-9]`.
pub(crate) fn scratch() -> io::Result<String> {
    let mut name = String::with_capacity(SCRATCH_LETTERS);
    while name.len() < SCRATCH_LETTERS {
        for byte in random::<16>()? {
            // 252 is the largest multiple of 36 below 256: every letter is equally likely.
            if byte < 252 && name.len() < SCRATCH_LETTERS {
                name.push(char::from(ALPHABET[usize::from(byte % 36)]));
            }
        }
    }
    Ok(name)
}

/// Whether a root entry may be a scratch; only its lease says whether it is.
pub(crate) fn may_be_scratch(name: &str) -> bool {
    name.len() == SCRATCH_LETTERS && name.bytes().all(|letter| ALPHABET.contains(&letter))
}

/// Returns a fresh name for something unfinished: 16 hexadecimal digits.
pub(crate) fn staging() -> io::Result<String> {
    Ok(hex::encode(random::<8>()?))
}

/// Whether a text may be what [`staging`] returned.
pub(crate) fn may_be_staging(name: &str) -> bool {
    name.len() == 16
        && name
            .bytes()
            .all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit))
}

/// Whether `name` is one ordinary path component.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name != "."
        && name != ".."
        && !name.contains(['/', '\0'])
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fresh_names_are_what_the_sweep_looks_for_and_differ() {
        let names: std::collections::BTreeSet<_> = (0..2000).map(|_| scratch().unwrap()).collect();
        assert!(names.iter().all(|name| may_be_scratch(name)));
        assert!(names.len() > 1990, "names repeat: {}", names.len());
        assert!(may_be_staging(&staging().unwrap()));
    }

    proptest! {
        #[test]
        fn a_plain_name_joins_to_a_direct_child(name in "\\PC{0,12}|[./a\\x00]{0,4}") {
            let joined = std::path::Path::new("/cache").join(&name);
            let direct = joined.parent() == Some(std::path::Path::new("/cache"))
                && joined.file_name().and_then(|last| last.to_str()) == Some(&name);
            if is_plain(&name) {
                prop_assert!(direct);
            } else {
                prop_assert!(!direct || name.contains('\0') || name.len() > 255);
            }
        }

        #[test]
        fn only_six_small_letters_or_digits_may_be_a_scratch(name in "[a-zA-Z0-9._-]{0,8}") {
            let expected = name.len() == 6
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            prop_assert_eq!(may_be_scratch(&name), expected);
        }
    }
}
