//! PAX records (POSIX `pax`, "extended header"), read by their lengths.
//!
//! The `tar` crate splits at line breaks, which a value may hold; that is one more way for two
//! readers to see two names.

use crate::Refusal;

/// The records that matter here.
#[derive(Debug, Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) linkpath: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) mtime: Option<i64>,
    pub(super) sparse: bool,
}

impl Pax {
    /// Tells whether it would change what members are called or how long they are.
    pub(super) fn changes_members(&self) -> bool {
        self.path.is_some() || self.linkpath.is_some() || self.size.is_some() || self.sparse
    }
}

/// Reads a block of records.
pub(super) fn parse(mut bytes: &[u8]) -> Result<Pax, Refusal> {
    let mut pax = Pax::default();
    // Some writers pad the block with zeros instead of ending it.
    while bytes.first().is_some_and(|byte| *byte != 0) {
        let (key, value, rest) = record(bytes)
            .ok_or_else(|| Refusal::damaged("a PAX header with a record that is none"))?;
        bytes = rest;
        let twice = match key {
            b"path" => pax.path.replace(value.to_vec()).is_some(),
            b"linkpath" => pax.linkpath.replace(value.to_vec()).is_some(),
            b"size" => {
                let size = number(value)
                    .ok_or_else(|| Refusal::damaged("a PAX size that is no number"))?;
                pax.size.replace(size).is_some()
            }
            b"mtime" => {
                pax.mtime = whole_seconds(value);
                false
            }
            key => {
                pax.sparse |= key.starts_with(b"GNU.sparse.") || key == b"SCHILY.realsize";
                false
            }
        };
        if twice {
            return Err(Refusal::SizeConfusion {
                member: crate::guard::shown(key),
                why: "is said twice in one PAX header",
            });
        }
    }
    Ok(pax)
}

/// Splits `LENGTH KEY=VALUE\n` off; the length counts all of it.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(&bytes[..space])?).ok()?;
    let line = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = line.iter().position(|byte| *byte == b'=')?;
    Some((&line[..equals], &line[equals + 1..], &bytes[length..]))
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Times are decimal fractions; what is not a number is no reason to refuse a source.
fn whole_seconds(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    text.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_hold_line_breaks_and_equals_signs() {
        let pax = parse(b"27 comment=a\n12 path=x\nz=1\n10 path=y\n").unwrap();
        assert_eq!(pax.path.as_deref(), Some(&b"y"[..]));
    }

    #[test]
    fn fractions_and_negative_times_are_times() {
        assert_eq!(parse(b"20 mtime=1.50000000\n").unwrap().mtime, Some(1));
        assert_eq!(parse(b"13 mtime=-12\n").unwrap().mtime, Some(-12));
    }

    #[test]
    fn records_that_lie_about_their_length_are_damage() {
        for bytes in [
            &b"99 path=x\n"[..],
            b"8 path=x\n",
            b"path=x\n",
            b"+10 path=x\n",
            b"0 path=x\n",
            b"10 path=x",
        ] {
            assert_eq!(parse(bytes).unwrap_err().rule(), "compression");
        }
    }

    #[test]
    fn a_second_path_in_one_header_is_refused() {
        assert_eq!(
            parse(b"10 path=x\n10 path=y\n").unwrap_err().rule(),
            "size-confusion"
        );
    }
}
