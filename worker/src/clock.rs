//! When a worker has passed which step, for the bench that tells what each of them costs.
//!
//! Without the feature `clock`, which no shipped program has, there is nothing to switch on, and [`passed`] is
//! empty. Steps are told on standard error, the worker's log, one line each: a name and nanoseconds of
//! `CLOCK_MONOTONIC`, which all processes of a host share.

/// What was just done, by the names of the bench's table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    /// The program runs: fork, exec, linking, the runtime.
    #[cfg(feature = "clock")]
    Start,
    /// Session, descriptors, the order, the rooms opened.
    Order,
    /// `unshare` and the fork of the namespace's init.
    Namespaces,
    /// The rooms given to the build's uid.
    Rooms,
    /// Mounts, the new root.
    Mounts,
    /// Uid, capabilities, `no_new_privs`.
    Privileges,
    /// The reaper's domain: its rules, and entering it.
    ReapersDomain,
    /// The sentinel: forked, signalled, refused, gone.
    Probe,
    /// Hidden from others of its uid; the end of children watched.
    Watch,
    /// The rules of the program's domain.
    Rules,
    /// Pipes, and the fork of the child that becomes the program.
    Fork,
    /// Entering the program's domain.
    ProgramsDomain,
    /// The filter compiled and loaded, its listener handed over.
    Filter,
    /// Limits, niceness.
    Limits,
    /// Acts that must fail.
    SelfTest,
}

#[cfg(not(feature = "clock"))]
pub(crate) const fn passed(_: Mark) {}

#[cfg(feature = "clock")]
mod ticking {
    use std::io::Write;
    use std::sync::OnceLock;

    use nix::time::{ClockId, clock_gettime};

    use super::Mark;

    static TICKS: OnceLock<()> = OnceLock::new();

    /// Tells of a step, if this worker was started to.
    pub(crate) fn passed(mark: Mark) {
        if TICKS.get().is_none() {
            return;
        }
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every kernel has it");
        let line = format!("{mark:?} {}{:09}\n", now.tv_sec(), now.tv_nsec());
        std::io::stderr()
            .write_all(line.as_bytes())
            .expect("the log takes it");
    }

    /// Has this process tell on standard error when it has passed each step, if it becomes a worker.
    ///
    /// # Panics
    /// When it was called before.
    pub fn tell_steps() {
        TICKS.set(()).expect("steps are told once");
        passed(Mark::Start);
    }
}

#[cfg(feature = "clock")]
pub(crate) use ticking::passed;
#[cfg(feature = "clock")]
pub use ticking::tell_steps;
