//! The meter of one run: looks from outside, again and again, whether a limit is reached.
//!
//! What a worker says of limits is not needed here: everything is counted by the kernel or from
//! `/proc` and the rooms themselves. Processes, memory and processor time are looked at often;
//! descriptors and rooms, which take longer, about once a second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use protocol::{Assignment, Limit, Limits, Namespaces};
use tokio::time::sleep;

use super::group::Group;
use super::heard::{Heard, milliseconds};
use super::usage::{Amount, Held, Rooms, Tree};
use crate::limit::{Known, RESERVE, Reached};

/// How long to wait between two looks at what changes fast: at least, and at most.
const OFTEN: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];
/// The same for what takes long to look at.
const SELDOM: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(20)];
/// Between the two, the part of the time that goes into looking is at most one of this many.
const SHARE: u32 = 20;

/// Watches one run.
pub(super) struct Meter {
    limits: Limits,
    worker: u32,
    init: bool,
    rooms: Rooms,
    pub(super) group: Arc<Group>,
    /// Tasks below the worker that are none of the build's: the threads of an interpreter that stays.
    company: u64,
    heard: Heard,
    /// Bytes of memory in files, as last looked at.
    in_files: Mutex<u64>,
}

impl Meter {
    /// Makes the meter of the run of `worker`, which is in `group`.
    pub(super) fn new(
        assignment: &Assignment,
        rooms: Rooms,
        worker: u32,
        group: Arc<Group>,
        heard: Heard,
    ) -> Self {
        let company = assignment.slot.as_ref().map_or(0, protocol::Slot::tasks);
        Self {
            limits: assignment.limits.clone(),
            worker,
            init: assignment.confinement.namespaces != Namespaces::None,
            rooms,
            group,
            company,
            heard,
            in_files: Mutex::default(),
        }
    }

    /// Returns how long the run goes on, in milliseconds.
    pub(super) fn age_ms(&self) -> u64 {
        milliseconds(self.heard.age())
    }

    /// Resolves when a limit is reached; never if none is.
    pub(super) async fn reached(self: Arc<Self>) -> Reached {
        let mut seldom_at = Instant::now() + SELDOM[0];
        loop {
            let (mut pause, mut found) = (OFTEN[0], self.silence());
            if found.is_none() {
                (found, pause) = self.look(Self::often, OFTEN).await;
            }
            if found.is_none() && Instant::now() >= seldom_at {
                let rest;
                (found, rest) = self.look(Self::seldom, SELDOM).await;
                seldom_at = Instant::now() + rest;
            }
            if let Some(reached) = found {
                return reached;
            }
            sleep(pause).await;
        }
    }

    /// Looks once, off the runtime's threads; says how long to wait until the next look.
    async fn look(
        self: &Arc<Self>,
        at: fn(&Self) -> Option<Reached>,
        [least, most]: [Duration; 2],
    ) -> (Option<Reached>, Duration) {
        let meter = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || {
            let since = Instant::now();
            (at(&meter), since.elapsed())
        });
        let (found, took) = looked.await.unwrap_or((None, most));
        (found, (took * SHARE).clamp(least, most))
    }

    /// Looks whether a hook that has just returned was refused a process. Its own process is over by now,
    /// and was one more.
    pub(super) async fn returned(self: &Arc<Self>) -> Option<Reached> {
        let at = |meter: &Self| {
            let tasks = || meter.tree().tasks + 1;
            meter
                .refused()
                .or_else(|| meter.over(Limit::Processes, tasks(), Known::Counted))
        };
        self.look(at, OFTEN).await.0
    }

    /// Judges by what a worker ended together with its program, which no build can touch: as many processes
    /// were there at once.
    pub(super) fn crowded(&self, killed: u32) -> Option<Reached> {
        self.over(Limit::Processes, u64::from(killed) + 1, Known::Counted)
    }

    /// Looks at what is left when nothing of the run is alive any more: what the kernel refused to it,
    /// and what lies in its rooms. What can not be counted there does not grow any more.
    pub(super) async fn last(self: &Arc<Self>) -> Option<Reached> {
        let at = |meter: &Self| {
            let room = || meter.room(&Held::default(), false);
            let is_counted = |reached: &Reached| reached.used != u64::MAX;
            meter.refused().or_else(|| room().filter(is_counted))
        };
        self.look(at, OFTEN).await.0
    }

    /// The processes of the build as they are now.
    fn tree(&self) -> Tree {
        let tree = Tree::below(self.worker, self.init, self.group.processes());
        Tree {
            tasks: tree.tasks.saturating_sub(self.company),
            ..tree
        }
    }

    fn silence(&self) -> Option<Reached> {
        self.over(Limit::Silence, self.heard.silence_ms(), Known::Clock)
    }

    /// What the kernel refused to the control group.
    pub(super) fn refused(&self) -> Option<Reached> {
        let refused = self.group.refused();
        let reached = |limit: Limit, used| {
            let allowed = limit.of(&self.limits);
            Reached {
                limit,
                allowed,
                used,
                known: Known::Group,
            }
        };
        let memory = refused.memory.map(|used| reached(Limit::Memory, used));
        let tasks = refused
            .tasks
            .then(|| reached(Limit::Processes, self.limits.processes));
        memory.or(tasks)
    }

    fn often(&self) -> Option<Reached> {
        let tree = self.tree();
        let in_files = *self.in_files();
        let memory = tree.memory(self.limits.memory_bytes.saturating_sub(in_files));
        self.refused()
            .or_else(|| self.over(Limit::Processes, tree.tasks, Known::Counted))
            .or_else(|| self.over(Limit::Memory, memory + in_files, Known::Counted))
            .or_else(|| self.over(Limit::Cpu, tree.busiest_seconds, Known::Counted))
    }

    fn seldom(&self) -> Option<Reached> {
        let tree = self.tree();
        let held = Held::by(&tree.pids, self.rooms.device);
        *self.in_files() = held.memory_bytes;
        self.over(Limit::OpenFiles, held.most_open, Known::Counted)
            .or_else(|| self.room(&held, true))
    }

    /// What lies in the rooms, together with what is held without a name; and, while it grows, whether
    /// the file system still has room for others.
    fn room(&self, held: &Held, grows: bool) -> Option<Reached> {
        // Counting may stop where the limits are.
        let most = Amount {
            bytes: self
                .limits
                .scratch_bytes
                .saturating_sub(held.unlinked_bytes),
            inodes: self
                .limits
                .scratch_inodes
                .saturating_sub(held.unlinked_files),
            largest_file: 0,
        };
        let used = self.rooms.used(&most);
        let bytes = used.bytes.saturating_add(held.unlinked_bytes);
        let inodes = used.inodes.saturating_add(held.unlinked_files);
        let file = used.largest_file.max(held.largest_file);
        let counted = |limit, used| self.over(limit, used, Known::Counted);
        counted(Limit::FileBytes, file)
            .or_else(|| counted(Limit::ScratchBytes, bytes))
            .or_else(|| counted(Limit::ScratchInodes, inodes))
            .or_else(|| {
                // Whoever has taken little is not ended for what others took.
                let is_short = grows && bytes >= RESERVE && self.rooms.left() < RESERVE;
                is_short.then_some(Reached {
                    limit: Limit::ScratchBytes,
                    allowed: RESERVE,
                    used: bytes,
                    known: Known::Room,
                })
            })
    }

    /// Whether `used` is more than `limit` allows. Where the kernel refuses more, so that more is never
    /// seen, as much is enough.
    fn over(&self, limit: Limit, used: u64, known: Known) -> Option<Reached> {
        let allowed = limit.of(&self.limits);
        let is_over = match limit {
            Limit::Memory | Limit::ScratchBytes | Limit::ScratchInodes => used > allowed,
            _ => used >= allowed,
        };
        is_over.then_some(Reached {
            limit,
            allowed,
            used,
            known,
        })
    }

    fn in_files(&self) -> std::sync::MutexGuard<'_, u64> {
        self.in_files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
