//! The link to the supervisor: blocking frames over the socket that was descriptor 0.
//!
//! The far end closing is the lifeline: whoever reads `None` here ends the build.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use protocol::{Event, FrameError, Order, PushDecoder, encode};

/// The worker's end of the link.
pub(crate) struct Link {
    socket: UnixStream,
    decoder: PushDecoder,
}

/// Why the link is of no use any more.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The supervisor is gone.
    Closed,
    /// What arrived is no order.
    Garbage(FrameError),
}

impl Link {
    /// Takes the link over from descriptor 0, which becomes `/dev/null`'s place.
    pub(crate) fn inherited() -> std::io::Result<Self> {
        let own: OwnedFd = std::io::stdin().as_fd().try_clone_to_owned()?;
        Ok(Self {
            socket: UnixStream::from(own),
            decoder: PushDecoder::default(),
        })
    }

    /// Waits for the next order.
    pub(crate) fn receive(&mut self) -> Result<Order, Broken> {
        loop {
            if let Some(order) = self.decoder.take().map_err(Broken::Garbage)? {
                return Ok(order);
            }
            let mut buffer = [0; 16 * 1024];
            match self.socket.read(&mut buffer) {
                Ok(0) => return Err(Broken::Closed),
                Ok(got) => self.decoder.push(&buffer[..got]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Broken::Closed),
            }
        }
    }

    /// Says something. A supervisor that is gone is noticed at the next read.
    pub(crate) fn say(&mut self, event: &Event) {
        match encode(event) {
            Ok(frame) => drop(self.socket.write_all(&frame)),
            Err(error) => {
                let fault = crate::error::fault(protocol::Step::Reaper, error.to_string());
                if let Ok(frame) = encode(&Event::Faulted(fault)) {
                    drop(self.socket.write_all(&frame));
                }
            }
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
