//! The frames of the link: what decodes is what was meant, and bytes arrive in any pieces.

use protocol::{Event, FrameError, Order, PushDecoder, decode, encode};

/// Decodes the bytes as either half would, whole and in two pieces.
pub(crate) fn frame(bytes: &[u8]) {
    if let Ok(event) = decode::<Event>(bytes) {
        assert_eq!(
            decode::<Event>(&encode(&event).expect("it came in a frame")[4..]).ok(),
            Some(event)
        );
    }
    if let Ok(order) = decode::<Order>(bytes) {
        assert_eq!(
            decode::<Order>(&encode(&order).expect("it came in a frame")[4..]).ok(),
            Some(order)
        );
    }
    let whole = taken([bytes]);
    let (left, right) = bytes.split_at(bytes.len() / 2);
    assert_eq!(whole, taken([left, right]));
}

/// Returns how many events a stream holds, and whether it ended in an error.
fn taken<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> (usize, bool) {
    let mut decoder = PushDecoder::default();
    let mut count = 0;
    for piece in pieces {
        decoder.push(piece);
        loop {
            let event: Result<Option<Event>, FrameError> = decoder.take();
            match event {
                Ok(Some(_)) => count += 1,
                Ok(None) => break,
                Err(_) => return (count, true),
            }
        }
    }
    (count, false)
}
