//! Who opens a decoy is seen from outside, by inotify: it watches the file itself, so another mount
//! namespace, another uid and another name of the file change nothing (inotify(7)).

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// Bytes of events that are taken at once.
const BUFFER: usize = 4096;

/// A watch over some files.
#[derive(Debug)]
pub(super) struct Watch {
    queue: OwnedFd,
    /// The number that the kernel gave to each file, in their order.
    numbers: Vec<i32>,
}

impl Watch {
    /// Watches files from now on.
    pub(super) fn over<P: AsRef<Path>>(files: impl IntoIterator<Item = P>) -> Result<Self, Errno> {
        let queue = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // Two equal events in a row become one, so that without the closings openings would.
        let events = WatchFlags::OPEN | WatchFlags::CLOSE;
        let numbers = files
            .into_iter()
            .map(|file| inotify::add_watch(&queue, file.as_ref(), events))
            .collect::<Result<_, _>>()?;
        Ok(Self { queue, numbers })
    }

    /// Returns how often each file was opened since the last call, at least, and whether the kernel
    /// had to drop events.
    pub(super) fn opened(&self) -> (Vec<u64>, bool) {
        let mut counts = vec![0; self.numbers.len()];
        let mut dropped = false;
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(&self.queue, &mut buffer);
        loop {
            match reader.next() {
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => dropped = true,
                Ok(event) if event.events().contains(ReadFlags::OPEN) => {
                    let file = self.numbers.iter().position(|one| *one == event.wd());
                    if let Some(count) = file.and_then(|at| counts.get_mut(at)) {
                        *count += 1;
                    }
                }
                Ok(_) | Err(Errno::INTR) => {}
                // Nothing is left in the queue.
                Err(_) => return (counts, dropped),
            }
        }
    }
}
