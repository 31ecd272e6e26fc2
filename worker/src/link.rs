//! The link to the supervisor: blocking frames over the socket that was descriptor 0.
//!
//! The far end closing is the lifeline: whoever reads `None` here ends the build.

use std::collections::VecDeque;
use std::io::{IoSliceMut, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use protocol::{Event, FrameError, Order, PushDecoder, encode};

use crate::sys;

/// Descriptors that are held for orders that have not been read yet: there is one at most.
const MOST_HELD: usize = 1;

/// The worker's end of the link.
pub(crate) struct Link {
    socket: UnixStream,
    decoder: PushDecoder,
    /// What came with orders.
    descriptors: VecDeque<OwnedFd>,
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
            descriptors: VecDeque::new(),
        })
    }

    /// Waits for the next order.
    pub(crate) fn receive(&mut self) -> Result<Order, Broken> {
        loop {
            if let Some(order) = self.decoder.take().map_err(Broken::Garbage)? {
                return Ok(order);
            }
            let mut buffer = [0; 16 * 1024];
            match self.read(&mut buffer) {
                Ok(0) => return Err(Broken::Closed),
                Ok(got) => self.decoder.push(&buffer[..got]),
                Err(Errno::EINTR) => {}
                Err(_) => return Err(Broken::Closed),
            }
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> nix::Result<usize> {
        let mut space = cmsg_space!([i32; MOST_HELD]);
        let mut parts = [IoSliceMut::new(buffer)];
        let descriptor = self.socket.as_raw_fd();
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message = recvmsg::<()>(descriptor, &mut parts, Some(&mut space), flags)?;
        for control in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(came) = control {
                self.descriptors.extend(came.into_iter().map(sys::adopt));
            }
        }
        // Whoever sends more than is asked for has them closed.
        self.descriptors.truncate(MOST_HELD);
        Ok(message.bytes)
    }

    /// Takes the descriptor that came with an order.
    pub(crate) fn take_descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
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
