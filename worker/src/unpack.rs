//! The child that reads a stranger's archive: one writable room, no exec, no network, no metadata
//! call but the times of files it has just made.
//!
//! The rules of what an archive may hold are the crate `archive`'s.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::fcntl::OFlag;
use nix::unistd::{Pid, pipe2};
use protocol::{Access, Event, Fault, Limits, Listing, Network, Step, Top, Unpack, decode, encode};

use crate::confine::{Domain, Support, end_with_parent, restrict, set_limits};
use crate::error::{At, fault};
use crate::rooms::{Room, find};
use crate::sys::{self, Fork};

/// A running unpacker: its pid and the pipe on which its one event arrives.
pub(crate) struct Unpacker {
    pub(crate) pid: Pid,
    pipe: File,
    held: Vec<u8>,
}

/// Largest event that an unpacker may send, in bytes.
const LARGEST_EVENT: u64 = 256 * 1024;

/// Starts the unpacker. `archive` was opened before domain A, which does not grant it.
pub(crate) fn start(
    order: &Unpack,
    archive: File,
    rooms: &[Room],
    support: Support,
    limits: &Limits,
) -> Result<Unpacker, Fault> {
    let room = find(rooms, &order.room)?;
    let mut domain = Domain::new(support, Network::None);
    if support.abi > 0 {
        domain.grant(&room.seen_as, Access::ReadWrite, false)?;
    }
    let (reading, writing) =
        pipe2(OFlag::O_CLOEXEC).at(Step::Reaper, "make the unpacker's pipe")?;
    match sys::fork().at(Step::Reaper, "fork the unpacker")? {
        Fork::Child => {
            drop(reading);
            let mut writing = File::from(writing);
            let event = confine(
                domain,
                support,
                limits,
                &[&archive, &room.descriptor, &writing],
            )
            .map(|()| unpack(order, &archive, room))
            .unwrap_or_else(Event::Faulted);
            let sent = encode(&event).is_ok_and(|frame| writing.write_all(&frame).is_ok());
            sys::exit_now(i32::from(!sent))
        }
        Fork::Parent(pid) => Ok(Unpacker {
            pid,
            pipe: File::from(reading),
            held: Vec::new(),
        }),
    }
}

/// Leaves the unpacker what it needs and nothing else.
fn confine(
    domain: Domain,
    support: Support,
    limits: &Limits,
    keep: &[&dyn AsRawFd],
) -> Result<(), Fault> {
    end_with_parent()?;
    set_limits(limits, 0)?;
    if support.abi > 0 {
        restrict(domain)?;
    }
    let mut keep: Vec<_> = keep.iter().map(|one| one.as_raw_fd()).collect();
    sys::close_all_but(&mut keep).at(Step::Session, "leave the unpacker its own descriptors")?;
    let arch = filter::Arch::current();
    let spec = filter::Spec {
        stage: filter::Stage::Unpack,
        listener: false,
        local_sockets: false,
        broker_metadata: false,
        trace: false,
    };
    filter::install(&filter::compile(arch, &spec), false)
        .at(Step::Filter, "install the unpacker's filter")
        .map(drop)
}

fn unpack(order: &Unpack, archive: &File, room: &Room) -> Event {
    let top = match order.top {
        Top::OneFolder => archive::Top::OneFolder,
        Top::Any => archive::Top::Any,
        Top::Bare => archive::Top::Bare,
    };
    let budget = archive::Budget {
        members: order.max_members,
        bytes: order.max_bytes,
        ..archive::Budget::default()
    };
    match archive::unpack(archive, room.descriptor.as_fd(), top, &budget) {
        Ok(unpacked) => Event::Unpacked(Listing {
            members: unpacked.members,
            bytes: unpacked.bytes,
            top_folder: unpacked.top_folder,
            notes: unpacked.notes.into_iter().take(50).collect(),
        }),
        Err(refusal) => Event::Refused {
            rule: refusal.rule().to_owned(),
            detail: bounded(&refusal.to_string()),
        },
    }
}

/// Cuts a sentence that may quote a member's name.
fn bounded(text: &str) -> String {
    text.chars().take(1000).collect()
}

impl Unpacker {
    /// Takes in what has arrived; the event once the child is done.
    pub(crate) fn read(&mut self) -> Result<Option<Event>, Fault> {
        let mut buffer = [0; 16 * 1024];
        let got = self
            .pipe
            .read(&mut buffer)
            .at(Step::Reaper, "read from the unpacker")?;
        if got > 0 && self.held.len() as u64 <= LARGEST_EVENT {
            self.held.extend_from_slice(&buffer[..got]);
            return Ok(None);
        }
        let payload = self.held.get(4..).unwrap_or_default();
        match decode::<Event>(payload) {
            Ok(event @ (Event::Unpacked(_) | Event::Refused { .. } | Event::Faulted(_))) => {
                Ok(Some(event))
            }
            // A limit, a signal or the filter ended it: the archive is at fault.
            Ok(_) | Err(_) => Ok(Some(Event::Refused {
                rule: "decoder".to_owned(),
                detail: "the unpacker was ended while it read the archive".to_owned(),
            })),
        }
    }
}

impl AsFd for Unpacker {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

/// Opens the archive while the host's files are still in sight.
pub(crate) fn open_archive(order: Option<&Unpack>) -> Result<Option<File>, Fault> {
    let Some(order) = order else { return Ok(None) };
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let descriptor: OwnedFd = nix::fcntl::open(
        order.archive.as_path(),
        flags,
        nix::sys::stat::Mode::empty(),
    )
    .at(
        Step::Assignment,
        format!("open the archive `{}`", order.archive),
    )?;
    regular(descriptor).map(Some)
}

/// Takes an archive that is a regular file, and nothing else for one.
pub(crate) fn regular(descriptor: OwnedFd) -> Result<File, Fault> {
    let file = File::from(descriptor);
    let is_file = file
        .metadata()
        .at(Step::Assignment, "look at the archive")?
        .is_file();
    if is_file {
        Ok(file)
    } else {
        Err(fault(Step::Assignment, "the archive is not a regular file"))
    }
}
