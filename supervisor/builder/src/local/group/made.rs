//! One build's group: made and locked, asked, removed.
//!
//! The lock on its folder is the lease: a group of ours that nobody locks and that is empty has lost
//! its maker. The kernel refuses to remove a group that holds a process, whatever its name is.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::{Enforcement, Guarantee, Guarantees, Limits};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

use super::parents::{Parent, Parents, Version};

/// What every group's name begins with.
const PREFIX: &str = "fumehood-";
/// Tasks in a group that are not the build's: worker, init, unpacker, sentinel.
const OURS: u64 = 4;
/// Tasks that a limit of a process allows at least more than a group.
const SPARE: u64 = 64;
/// How often a group is tried to be removed whose last processes are still on their way out, and to be
/// made while another process sweeps.
const TRIES: u32 = 20;

/// The name of a group of this process.
pub(super) fn name(of: &str) -> String {
    format!("{PREFIX}{}-{of}", std::process::id())
}

/// The groups of one run, one for each hierarchy. What was not removed is tried once more on drop.
#[derive(Debug, Default)]
pub(in crate::local) struct Group {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    parent: Parent,
    folder: PathBuf,
    _lease: OwnedFd,
}

/// What the kernel refused to a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::local) struct Refused {
    /// It ended a process for want of memory; the most bytes that were in use.
    pub(in crate::local) memory: Option<u64>,
    /// It refused new tasks.
    pub(in crate::local) tasks: bool,
}

impl Group {
    /// Makes the groups of the run `of` and puts `worker` into them. What can not be made is left out.
    pub(in crate::local) fn around(
        worker: u32,
        parents: &Parents,
        of: &str,
        limits: &Limits,
    ) -> Self {
        let parts = parents.all.iter().filter_map(|parent| {
            Part::new(parent, of, limits, worker)
                .inspect_err(|error| {
                    let folder = parent.folder.display();
                    tracing::debug!(%error, %folder, "no control group");
                })
                .ok()
        });
        Self {
            parts: parts.collect(),
        }
    }

    /// Writes into a vector what the groups and the counting from outside add to it.
    pub(in crate::local) fn complete(&self, guarantees: &mut Guarantees) {
        let mut raise = |guarantee, to| {
            let held = guarantees.entry(guarantee).or_insert(Enforcement::Absent);
            *held = (*held).max(to);
        };
        // Counted from outside, whatever the kernel does.
        raise(Guarantee::Memory, Enforcement::Partial);
        raise(Guarantee::Pids, Enforcement::Partial);
        for part in &self.parts {
            if part.parent.memory {
                raise(Guarantee::Memory, Enforcement::Enforced);
            }
            if part.parent.pids {
                raise(Guarantee::Pids, Enforcement::Enforced);
            }
        }
    }

    /// Has the limits of single processes come after what a group counts: the group says afterwards that it refused,
    /// they do not.
    pub(in crate::local) fn refuses_before(&self, limits: &mut Limits) {
        if self.parts.iter().any(|part| part.parent.pids) {
            limits.processes = limits.processes.saturating_mul(2).saturating_add(SPARE);
        }
    }

    /// Returns every process of the run that lives, if there is a group that counts them: it is shorter than all
    /// of the machine's, and nothing leaves a group. Zombies are left out.
    pub(in crate::local) fn processes(&self) -> Option<Vec<u32>> {
        let part = self.parts.iter().find(|part| part.parent.pids)?;
        let text = fs::read_to_string(part.folder.join("cgroup.procs")).ok()?;
        text.lines().map(|line| line.parse().ok()).collect()
    }

    /// Asks the kernel what it refused.
    pub(in crate::local) fn refused(&self) -> Refused {
        let mut refused = Refused::default();
        for part in &self.parts {
            if part.parent.memory {
                refused.memory = refused.memory.or(part.out_of_memory());
            }
            refused.tasks |= part.parent.pids && part.out_of_tasks();
        }
        refused
    }

    /// Removes the groups. What is on its way out may still be in them for a moment.
    pub(in crate::local) async fn remove(&self) {
        for part in &self.parts {
            for _ in 0..TRIES {
                if part.remove() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

impl Part {
    fn new(parent: &Parent, of: &str, limits: &Limits, worker: u32) -> io::Result<Self> {
        let folder = parent.folder.join(name(of));
        let part = Self {
            parent: parent.clone(),
            _lease: leased(&folder)?,
            folder,
        };
        part.bound(limits)?;
        part.write("cgroup.procs", &worker.to_string())?;
        Ok(part)
    }

    fn bound(&self, limits: &Limits) -> io::Result<()> {
        if self.parent.memory {
            let most = limits.memory_bytes.to_string();
            match self.parent.version {
                Version::One => {
                    self.write("memory.limit_in_bytes", &most)?;
                    // Without accounting of swap there is no such file, and swap is not bounded.
                    self.write_if_there("memory.memsw.limit_in_bytes", &most)?;
                }
                Version::Two => {
                    self.write("memory.max", &most)?;
                    self.write_if_there("memory.swap.max", "0")?;
                    // One process is ended, never the whole group: the reaper must outlive it.
                    self.write_if_there("memory.oom.group", "0")?;
                }
            }
        }
        if self.parent.pids {
            let most = limits.processes.saturating_add(OURS).min(1 << 22);
            self.write("pids.max", &most.to_string())?;
        }
        Ok(())
    }

    fn write(&self, file: &str, text: &str) -> io::Result<()> {
        fs::write(self.folder.join(file), text)
    }

    fn write_if_there(&self, file: &str, text: &str) -> io::Result<()> {
        match self.write(file, text) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            // The kernel does not let a file be made here, which is what writing a missing one is.
            Err(error) if !self.folder.join(file).exists() => {
                tracing::debug!(%error, file, "a control group lacks a file");
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Reads the number after a word in a file of lines `word number`.
    fn number(&self, file: &str, word: &str) -> u64 {
        let text = fs::read_to_string(self.folder.join(file)).unwrap_or_default();
        text.lines()
            .find_map(|line| line.strip_prefix(word)?.strip_prefix(' ')?.parse().ok())
            .unwrap_or(0)
    }

    fn single(&self, file: &str) -> Option<u64> {
        let text = fs::read_to_string(self.folder.join(file)).ok()?;
        text.trim().parse().ok()
    }

    /// The most that was in use, if a process was ended *and* the limit was what stood in the way: a
    /// process may be ended for want of memory on the whole machine as well.
    fn out_of_memory(&self) -> Option<u64> {
        match self.parent.version {
            Version::One => {
                let peak = self.single("memory.max_usage_in_bytes")?;
                let limit = self.single("memory.limit_in_bytes")?;
                // Memory is charged in pieces, and the last piece was refused.
                let stood = peak >= limit - limit / 16;
                (stood && self.number("memory.oom_control", "oom_kill") > 0).then_some(peak)
            }
            Version::Two => {
                let stood = self.number("memory.events", "oom") > 0;
                (stood && self.number("memory.events", "oom_kill") > 0).then(|| {
                    // Kernels before 5.19 do not remember the most.
                    let used = self.single("memory.peak");
                    used.or_else(|| self.single("memory.max")).unwrap_or(0)
                })
            }
        }
    }

    /// Whether a task was refused *and* the group was full: kernels before 6.11, and all in the first version,
    /// count what a group further up refused as well.
    fn out_of_tasks(&self) -> bool {
        let most = self.single("pids.max");
        // Kernels before 6.1 do not remember the most.
        let peak = self.single("pids.peak");
        let stood = peak.or_else(|| self.single("pids.current")) >= most;
        most.is_some() && stood && self.number("pids.events", "max") > 0
    }

    fn remove(&self) -> bool {
        match fs::remove_dir(&self.folder) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.remove() {
            let folder = self.folder.display();
            tracing::warn!(%folder, "a control group stays behind until the next run");
        }
    }
}

/// Makes the folder of a group and locks it. Until it is locked, a sweep takes it for forgotten.
fn leased(folder: &Path) -> io::Result<OwnedFd> {
    let mut tries = 0;
    loop {
        fs::create_dir(folder)?;
        match lease(folder) {
            Ok(lease) => return Ok(lease),
            Err(error) => {
                drop(fs::remove_dir(folder));
                tries += 1;
                if tries == TRIES {
                    return Err(error);
                }
            }
        }
    }
}

/// Locks the folder of a group.
fn lease(folder: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = open(folder, flags, Mode::empty())?;
    flock(&held, FlockOperation::NonBlockingLockExclusive)?;
    Ok(held)
}

/// Removes groups of ours below `above` that nobody leases any more.
pub(super) fn sweep(above: &Path) {
    let own = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(above).into_iter().flatten().flatten() {
        let is_named = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX));
        let path = entry.path();
        let is_ours = || fs::symlink_metadata(&path).is_ok_and(|found| found.uid() == own);
        if is_named && is_ours() && lease(&path).is_ok() {
            // One that was made this moment and is not locked yet may go as well: its maker makes it
            // anew.
            drop(fs::remove_dir(&path));
        }
    }
}

#[cfg(test)]
mod tests;
