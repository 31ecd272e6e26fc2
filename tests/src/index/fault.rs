//! What can go wrong with an answer.

use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use super::http::Answer;

/// A fault of one path.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Always this status.
    Status(u16),
    /// This status so many times, then all is well.
    StatusTimes(u16, u32),
    /// This body of this content type instead.
    Garbage(&'static str, Vec<u8>),
    /// The connection ends after so many bytes of the body.
    CutAfter(usize),
    /// The right length and other bytes.
    Altered,
    /// One byte of the body, and the rest when the gate opens.
    Held(Gate),
    /// Elsewhere.
    Redirect(String),
}

/// A gate that a test opens; on drop of the test's last copy it stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    open: Arc<(Mutex<bool>, Condvar)>,
}

impl Gate {
    /// Lets everything through from now on.
    ///
    /// # Panics
    /// Never: nobody panics while holding the gate.
    pub fn open(&self) {
        *self
            .open
            .0
            .lock()
            .expect("nobody panics while holding the gate") = true;
        self.open.1.notify_all();
    }

    fn pass(&self) {
        let open = self
            .open
            .0
            .lock()
            .expect("nobody panics while holding the gate");
        drop(self.open.1.wait_while(open, |open| !*open));
    }
}

/// Returns the fault that is due for a path, and forgets one that is used up.
pub(super) fn take(faults: &mut BTreeMap<String, Fault>, path: &str) -> Option<Fault> {
    let fault = faults.get_mut(path)?;
    if let Fault::StatusTimes(status, times) = fault {
        let due = Fault::Status(*status);
        *times -= 1;
        if *times == 0 {
            faults.remove(path);
        }
        return Some(due);
    }
    Some(fault.clone())
}

impl Fault {
    /// Sends the answer with the fault in it.
    pub(super) fn act(self, stream: &TcpStream, mut answer: Answer) {
        match self {
            Self::Status(status) | Self::StatusTimes(status, _) => {
                Answer::status(status).send(stream)
            }
            Self::Garbage(kind, body) => Answer::ok(kind, body).send(stream),
            Self::CutAfter(bytes) => {
                answer.send_part(stream, bytes);
                let _ = stream.shutdown(Shutdown::Both);
            }
            Self::Altered => {
                if let Some(last) = answer.body.last_mut() {
                    *last ^= 1;
                }
                answer.send(stream);
            }
            Self::Held(gate) => {
                answer.send_part(stream, 1);
                gate.pass();
                answer.send_rest(stream, 1);
            }
            Self::Redirect(target) => Answer::status(302).header("Location", &target).send(stream),
        }
    }
}
