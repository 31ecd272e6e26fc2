//! Control groups of version 2 that are given to a user, as a manager of groups does it.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{XattrFlags, setxattr};

use crate::command::Run;

/// Where the one hierarchy is mounted.
const TOP: &str = "/sys/fs/cgroup";
const CONTROLLERS: &str = "+memory +pids +cpu";
/// What a user needs of a group to make others below it (cgroups(7), delegation).
const GIVEN: [&str; 4] = [
    "",
    "cgroup.procs",
    "cgroup.subtree_control",
    "cgroup.threads",
];

/// A tree of groups of one user's.
#[derive(Debug)]
pub(super) struct Groups {
    uid: u32,
    tree: PathBuf,
    made: AtomicU32,
}

/// A group that is given to a run of the program, alone.
#[derive(Debug)]
pub(super) struct Given {
    folder: PathBuf,
}

impl Groups {
    /// Mounts the hierarchy and lets its top hand controllers on.
    ///
    /// # Panics
    /// When the kernel refuses: then there is nothing to try.
    pub(super) fn mount() -> String {
        let done = std::process::Command::new("mount")
            .args(["-t", "cgroup2", "none", TOP])
            .status();
        assert!(done.is_ok_and(|status| status.success()), "mount cgroup2");
        let top = Path::new(TOP);
        write(&top.join("cgroup.subtree_control"), CONTROLLERS);
        let text = fs::read_to_string(top.join("cgroup.controllers")).expect("it is mounted");
        text.trim().to_owned()
    }

    /// Makes a user's tree and moves this process into a group of it, so that what it starts may go to others.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub(super) fn of(uid: u32) -> Self {
        let groups = Self {
            uid,
            tree: Path::new(TOP).join(format!("user-{uid}")),
            made: AtomicU32::new(0),
        };
        if !groups.tree.exists() {
            groups.make(&groups.tree);
            write(&groups.tree.join("cgroup.subtree_control"), CONTROLLERS);
            groups.make(&groups.tree.join("suite"));
        }
        let own = std::process::id().to_string();
        write(&groups.tree.join("suite/cgroup.procs"), &own);
        groups
    }

    /// Makes a group and gives it away.
    pub(super) fn give(&self) -> Given {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let folder = self
            .tree
            .join(format!("run-{}-{number}", std::process::id()));
        self.make(&folder);
        Given { folder }
    }

    fn make(&self, folder: &Path) {
        fs::create_dir(folder).expect("a group can be made");
        for file in GIVEN {
            chown(folder.join(file), Some(self.uid), Some(self.uid)).expect("it can be given away");
        }
        if self.uid == 0 {
            // Nobody can see that root's was given to it unless it is marked.
            setxattr(folder, "trusted.delegate", b"1", XattrFlags::empty())
                .expect("it can be marked");
        }
    }
}

impl Given {
    /// Lets a run begin in the group.
    pub(super) fn around<'world, 'site>(&self, run: Run<'world, 'site>) -> Run<'world, 'site> {
        let procs = self.folder.join("cgroup.procs");
        run.holding(&format!("echo $$ >{} || exit 71", procs.display()))
    }

    /// Bounds the tasks of all that is in it.
    pub(super) fn bound_tasks(&self, most: u32) {
        write(&self.folder.join("pids.max"), &most.to_string());
    }

    /// The groups that were made below it.
    pub(super) fn below(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).expect("it is there").flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        folders.map(|entry| entry.path()).collect()
    }

    /// Takes back what its processes, which are gone, have let it hand on: it can hold processes again.
    pub(super) fn reset(&self) {
        let handed_on = fs::read_to_string(self.folder.join("cgroup.subtree_control"));
        for controller in handed_on.expect("it is there").split_whitespace() {
            write(
                &self.folder.join("cgroup.subtree_control"),
                &format!("-{controller}"),
            );
        }
    }

    /// Nothing was made below it that is still there, and nothing is handed on any more.
    ///
    /// # Panics
    /// When something is left.
    pub(super) fn ends_as_it_was(self) {
        assert_eq!(self.below(), Vec::<PathBuf>::new(), "groups are left");
        let handed_on = fs::read_to_string(self.folder.join("cgroup.subtree_control"));
        assert_eq!(handed_on.expect("it is there").trim(), "");
        fs::remove_dir(&self.folder).expect("nothing is in it");
    }
}

fn write(file: &Path, text: &str) {
    fs::write(file, text).unwrap_or_else(|error| panic!("{text} into {}: {error}", file.display()));
}
