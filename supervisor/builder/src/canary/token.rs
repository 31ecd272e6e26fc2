//! What marks the decoys of one build, and nothing else in the world.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Random bytes of a token.
const BYTES: usize = 16;

/// 32 hexadecimal digits, new for each build. They fit into a key in base64 and into a password alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Makes one.
    pub(crate) fn new() -> io::Result<Self> {
        let mut random = [0; BYTES];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        Ok(Self(hex::encode(random)))
    }

    /// Returns the digits.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Returns the forms in which it is looked for: as it is, in capitals, in UTF-16, in
    /// hexadecimal digits, and in base64 wherever it begins.
    pub(crate) fn forms(&self) -> Vec<Vec<u8>> {
        let wide: Vec<u8> = self.0.bytes().flat_map(|byte| [byte, 0]).collect();
        let digits = hex::encode(&self.0);
        let mut forms = vec![
            self.0.clone().into_bytes(),
            self.0.to_ascii_uppercase().into_bytes(),
            wide,
            digits.to_ascii_uppercase().into_bytes(),
            digits.into_bytes(),
        ];
        forms.extend((0..3).map(|before| self.in_base64(before)));
        forms
    }

    /// Returns the letters of base64 that the token alone decides, `before` bytes behind a boundary.
    fn in_base64(&self, before: usize) -> Vec<u8> {
        let mut bytes = vec![0; before];
        bytes.extend(self.0.bytes());
        let letters = STANDARD.encode(&bytes).into_bytes();
        letters[(before * 8).div_ceil(6)..bytes.len() * 8 / 6].to_vec()
    }
}
