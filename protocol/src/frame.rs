//! Frames: four bytes of length, little-endian, then one value. The only file that names bincode.

use bincode::config::{Configuration, Fixint, Limit as Cap, LittleEndian};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest payload of a frame, in bytes.
pub const MAX_FRAME: usize = 1 << 20;

const CONFIG: Configuration<LittleEndian, Fixint, Cap<MAX_FRAME>> = bincode::config::standard()
    .with_little_endian()
    .with_fixed_int_encoding()
    .with_limit::<MAX_FRAME>();

/// Why bytes are not a frame, or a value does not fit one.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The announced length is zero or above the cap.
    #[error("a frame of {announced} bytes; at most {MAX_FRAME} are taken")]
    Length {
        /// What the four bytes said.
        announced: usize,
    },
    /// The payload is not a value of the wanted type.
    #[error("a frame that holds no message: {0}")]
    Garbage(#[source] bincode::error::DecodeError),
    /// The payload holds a value and then more.
    #[error("a frame with {0} bytes behind its message")]
    Trailing(usize),
    /// The value can not be written.
    #[error("a message that can not be framed: {0}")]
    Encode(#[source] bincode::error::EncodeError),
}

/// Writes `message` as one frame, its length included.
///
/// # Errors
/// If the message is larger than [`MAX_FRAME`].
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let payload = bincode::serde::encode_to_vec(message, CONFIG).map_err(FrameError::Encode)?;
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    if payload.is_empty() || payload.len() > MAX_FRAME {
        return Err(FrameError::Length {
            announced: payload.len(),
        });
    }
    let mut frame = length.to_le_bytes().to_vec();
    frame.extend(payload);
    Ok(frame)
}

/// Reads one payload, without its length. Trailing bytes are an error.
///
/// # Errors
/// If the payload is not exactly one `T`.
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, FrameError> {
    if payload.is_empty() || payload.len() > MAX_FRAME {
        return Err(FrameError::Length {
            announced: payload.len(),
        });
    }
    let (message, used) =
        bincode::serde::decode_from_slice(payload, CONFIG).map_err(FrameError::Garbage)?;
    match payload.len() - used {
        0 => Ok(message),
        rest => Err(FrameError::Trailing(rest)),
    }
}

/// Cuts a stream of bytes into payloads, however the bytes arrive.
#[derive(Debug, Default)]
pub struct PushDecoder {
    held: Vec<u8>,
}

impl PushDecoder {
    /// Takes bytes in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Returns the next message if it has arrived whole.
    ///
    /// # Errors
    /// If the length or the payload is wrong; the stream is of no use afterwards.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let Some((head, _)) = self.held.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let announced = u32::from_le_bytes(*head) as usize;
        if announced == 0 || announced > MAX_FRAME {
            return Err(FrameError::Length { announced });
        }
        if self.held.len() < 4 + announced {
            return Ok(None);
        }
        let message = decode(&self.held[4..4 + announced])?;
        self.held.drain(..4 + announced);
        Ok(Some(message))
    }

    /// Whether bytes of an unfinished frame are held.
    #[must_use]
    pub fn holds_part(&self) -> bool {
        !self.held.is_empty()
    }
}
