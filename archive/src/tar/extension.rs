//! Headers that say something about the next member: PAX and GNU long names.

use std::io::Read;

use ::tar::Header;

use super::pax::{self, Pax};
use crate::Refusal;
use crate::guard::shown;

/// The largest extension header that is read, in bytes.
const MAX_EXTENSION: u64 = 1 << 20;

/// What the headers before a member said about it.
#[derive(Debug, Default)]
pub(super) struct About {
    pub(super) long_name: Option<Vec<u8>>,
    pub(super) long_link: Option<Vec<u8>>,
    pub(super) pax: Option<Pax>,
}

impl About {
    /// Tells whether nothing was said.
    pub(super) fn is_empty(&self) -> bool {
        self.long_name.is_none() && self.long_link.is_none() && self.pax.is_none()
    }

    /// Takes `header` in if it is not a member itself; tells whether it did.
    pub(super) fn take(
        &mut self,
        header: &Header,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<bool, Refusal> {
        let kind = header.entry_type().as_byte();
        if !matches!(kind, b'x' | b'g' | b'L' | b'K') {
            return Ok(false);
        }
        if header.as_ustar().is_none() && header.as_gnu().is_none() {
            return Err(confused(
                header,
                "is an extension of a format that has none",
            ));
        }
        let bytes = read_small(header, size, content)?;
        let twice = match kind {
            b'L' => self.long_name.replace(without_nuls(bytes)).is_some(),
            b'K' => self.long_link.replace(without_nuls(bytes)).is_some(),
            b'x' => self.pax.replace(pax::parse(&bytes)?).is_some(),
            _ => {
                if pax::parse(&bytes)?.changes_members() {
                    return Err(confused(
                        header,
                        "is a global header that names or sizes members",
                    ));
                }
                false
            }
        };
        if twice {
            return Err(confused(header, "describes the next member a second time"));
        }
        Ok(true)
    }
}

fn confused(header: &Header, why: &'static str) -> Refusal {
    Refusal::SizeConfusion {
        member: shown(&header.path_bytes()),
        why,
    }
}

fn read_small(header: &Header, size: u64, content: &mut dyn Read) -> Result<Vec<u8>, Refusal> {
    if size > MAX_EXTENSION {
        let what = format!("the header `{}`", shown(&header.path_bytes()));
        return Err(Refusal::TooHeavy {
            what,
            cap: MAX_EXTENSION,
        });
    }
    let mut bytes = Vec::new();
    crate::member::drain(content, size, |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(bytes)
}

/// GNU ends its long names with a NUL; one inside is left for the guard to refuse.
fn without_nuls(mut bytes: Vec<u8>) -> Vec<u8> {
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}
