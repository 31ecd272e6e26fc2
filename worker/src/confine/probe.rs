//! The probe of domain A: a sentinel beside the domain that could be signalled before and can not
//! be afterwards. Without it `kill(-1)` would be a bet.

use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::kill;
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getppid, pipe2, read};
use protocol::{Fault, Step};

use crate::error::{At, fault};
use crate::sys::{self, Fork};

/// A process of the same uid, outside the domain, that ends when its pipe closes.
pub(crate) struct Sentinel {
    pid: Pid,
    lifeline: OwnedFd,
}

impl Sentinel {
    /// Forks the sentinel and shows that it can be signalled.
    pub(crate) fn post() -> Result<Self, Fault> {
        let (reading, writing) =
            pipe2(OFlag::O_CLOEXEC).at(Step::Probe, "make the sentinel's pipe")?;
        match sys::fork().at(Step::Probe, "fork the sentinel")? {
            Fork::Child => {
                drop(writing);
                // Ends at end of file: when the reaper lets go or is gone.
                while matches!(read(&reading, &mut [0; 1]), Ok(1..) | Err(Errno::EINTR)) {}
                sys::exit_now(0)
            }
            Fork::Parent(pid) => {
                kill(pid, None).at(Step::Probe, "signal the sentinel before the domain stands")?;
                Ok(Self {
                    pid,
                    lifeline: writing,
                })
            }
        }
    }

    /// Lets the sentinel go without a question: the kernel can not scope signals.
    pub(crate) fn dismiss(self) -> Result<(), Fault> {
        drop(self.lifeline);
        waitpid(self.pid, None)
            .at(Step::Probe, "wait for the sentinel")
            .map(drop)
    }

    /// Shows that neither the sentinel nor the parent can be signalled any more, and dismisses the
    /// sentinel.
    pub(crate) fn prove(self) -> Result<(), Fault> {
        let held = kill(self.pid, None);
        let parent = kill(getppid(), None);
        drop(self.lifeline);
        waitpid(self.pid, None).at(Step::Probe, "wait for the sentinel")?;
        if held != Err(Errno::EPERM) {
            return Err(fault(
                Step::Probe,
                format!("a signal left the domain: {held:?}"),
            ));
        }
        // In a pid namespace the parent has no number (0 would mean our own group) or is unknown.
        if getppid().as_raw() != 0 && !matches!(parent, Err(Errno::EPERM | Errno::ESRCH)) {
            return Err(fault(
                Step::Probe,
                format!("the parent could be signalled: {parent:?}"),
            ));
        }
        Ok(())
    }
}
