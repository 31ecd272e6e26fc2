//! The broker: answers the calls that the filter hands over, and counts what it refuses.
//!
//! A call is decided on a copy of its arguments and carried out by the broker itself on objects
//! that it has pinned; the build's own call is never let through where a pointer decides safety.

mod address;
mod caller;
mod change;
mod connect;
mod metadata;
mod pin;
mod tracer;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use filter::{Call, Listener, Request};
use nix::errno::Errno;
use protocol::{Denial, Fault, Step, Trace};

use self::address::Address;
use self::connect::Connector;
use crate::confine::Boundary;
use crate::error::At;

pub(crate) use self::tracer::{Reach, Tracer};

/// Kinds of refused act that are kept; more are counted under the last name.
const MOST_DENIALS: usize = 100;

/// The socket of a name-service cache.
const NAME_SERVICE: &[u8] = b"/var/run/nscd/socket";

/// How soon a connect that found a full backlog is tried again.
const AGAIN: Duration = Duration::from_millis(10);

/// Serves one listener.
pub(crate) struct Broker {
    listener: Listener,
    changeable: Vec<PathBuf>,
    connector: Connector,
    boundary: Boundary,
    denials: BTreeMap<(String, String), u64>,
    counting: bool,
    tracer: Option<Tracer>,
}

impl Broker {
    /// Takes the listener. `rooms` are the build's own folders, `given` those of the host that it
    /// may change besides; `boundary` is what sets its processes apart from others.
    pub(crate) fn new(
        listener: Listener,
        rooms: &[PathBuf],
        given: &[PathBuf],
        boundary: Boundary,
    ) -> Result<Self, Fault> {
        Ok(Self {
            listener,
            changeable: [rooms, given].concat(),
            connector: Connector::new(rooms, boundary).at(Step::Reaper, "open the rooms")?,
            boundary,
            denials: BTreeMap::new(),
            counting: false,
            tracer: None,
        })
    }

    /// Begins anew for another build, with rooms that are there only now.
    pub(crate) fn begin(&mut self, rooms: &[PathBuf]) -> Result<(), Fault> {
        self.connector = Connector::new(rooms, self.boundary).at(Step::Reaper, "open the rooms")?;
        self.changeable = rooms.to_vec();
        Ok(())
    }

    /// Lets go of the rooms of a build that is over, and returns what was refused to it.
    pub(crate) fn end(&mut self) -> Result<Vec<Denial>, Fault> {
        let denials = self.denials().collect();
        self.denials.clear();
        self.begin(&[])?;
        Ok(denials)
    }

    /// Has it record what is opened and started.
    pub(crate) fn trace(&mut self, tracer: Tracer) {
        self.tracer = Some(tracer);
    }

    /// Begins to count: what came before was the self-test.
    pub(crate) fn count_from_now(&mut self) {
        self.counting = true;
    }

    /// Returns the listener, for polling.
    pub(crate) fn listener(&self) -> &Listener {
        &self.listener
    }

    /// Returns what was refused so far.
    pub(crate) fn denials(&self) -> impl Iterator<Item = Denial> + '_ {
        self.denials.iter().map(|((what, target), count)| Denial {
            what: what.clone(),
            target: target.clone(),
            count: *count,
        })
    }

    /// Returns what was opened and started so far.
    pub(crate) fn traces(&self) -> impl Iterator<Item = Trace> + '_ {
        self.tracer.iter().flat_map(Tracer::traces)
    }

    /// Answers one call.
    pub(crate) fn serve(&mut self) -> Result<(), Fault> {
        let Some(request) = self
            .listener
            .receive()
            .at(Step::Reaper, "receive a notification")?
        else {
            return Ok(());
        };
        let answer = match request.call {
            Call::Socket | Call::SocketPair => Some(Answer::Refuse {
                errno: Errno::EACCES,
                target: address::family(request.arguments[0], request.arguments[1]),
            }),
            Call::Connect => self.connect(&request),
            Call::Open | Call::Openat | Call::Creat | Call::Execve | Call::Execveat => {
                self.record(&request)
            }
            _ => Some(metadata::answer(&request, &self.listener, &self.changeable)),
        };
        answer.map_or(Ok(()), |answer| self.give(&request, answer))
    }

    /// Records a call and lets it go on; without a record nothing of the kind is handed over.
    fn record(&mut self, request: &Request) -> Option<Answer> {
        let Some(tracer) = &mut self.tracer else {
            return Some(Answer::Fail(Errno::EPERM));
        };
        if self.counting {
            tracer.observe(request, &self.listener);
        }
        Some(Answer::Proceed)
    }

    fn connect(&mut self, request: &Request) -> Option<Answer> {
        let address = Address::of_connect(request);
        if address == Address::Path(NAME_SERVICE.to_vec()) {
            // The C library asks this one before it reads /etc/passwd; nobody meant anything.
            return Some(Answer::Fail(Errno::ENOENT));
        }
        self.connector.answer(request, address, &self.listener)
    }

    /// Returns how soon [`Broker::retry`] shall be called, if anybody waits for it.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.connector.is_waiting().then_some(AGAIN)
    }

    /// Tries again what found no room before.
    pub(crate) fn retry(&mut self) -> Result<(), Fault> {
        for (request, answer) in self.connector.retry(&self.listener) {
            self.give(&request, answer)?;
        }
        Ok(())
    }

    fn give(&mut self, request: &Request, answer: Answer) -> Result<(), Fault> {
        let sent = match answer {
            Answer::Done => self.listener.answer(request.id, 0),
            Answer::Proceed => self.listener.proceed(request.id),
            Answer::Fail(errno) => self.listener.refuse(request.id, errno as i32),
            Answer::Refuse { errno, target } => {
                self.note(request.call.name(), &target);
                self.listener.refuse(request.id, errno as i32)
            }
        };
        match sent {
            // The caller was killed in the meantime.
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
            other => other.at(Step::Reaper, "answer a notification"),
        }
    }

    fn note(&mut self, what: &str, target: &str) {
        if !self.counting {
            return;
        }
        let mut key = (what.to_owned(), printable(target));
        if self.denials.len() >= MOST_DENIALS && !self.denials.contains_key(&key) {
            key = ("more".to_owned(), "other refused calls".to_owned());
        }
        *self.denials.entry(key).or_default() += 1;
    }
}

/// What becomes of a call.
enum Answer {
    /// The broker did it.
    Done,
    /// The kernel shall: nothing hangs on what the call's pointers lead to.
    Proceed,
    /// The broker tried, and this is what the kernel said.
    Fail(Errno),
    /// The broker would not, and reports it.
    Refuse { errno: Errno, target: String },
}

/// Makes foreign text fit for a report: at most 256 characters, nothing that moves a cursor.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if is_harmless(c) { c } else { '\u{fffd}' })
        .take(256)
        .collect()
}

/// Nothing that moves a cursor, reorders text or hides it.
fn is_harmless(c: char) -> bool {
    let is_format = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    !c.is_control() && !is_format
}
