//! Where groups of this process may be made: below its own, and nowhere else.

use std::fs;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::Errno;

use super::made;
use crate::local::unescaped;

/// The generation of an interface of control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// One hierarchy for each controller.
    One,
    /// One for all.
    Two,
}

/// One group below which others are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) folder: PathBuf,
    pub(super) version: Version,
    pub(super) memory: bool,
    pub(super) pids: bool,
}

/// The groups below which this process makes others.
#[derive(Debug, Default)]
pub(in crate::local) struct Parents {
    pub(super) all: Vec<Parent>,
    leaf: Option<Leaf>,
}

impl Parents {
    /// Finds them, and removes groups below them whose makers are gone.
    pub(in crate::local) fn find() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let own = read("/proc/self/cgroup");
        let mounts = read("/proc/self/mountinfo");
        let mut found = Self::default();
        for parent in candidates(&own, &mounts) {
            match parent.version {
                _ if access(&parent.folder, Access::WRITE_OK).is_err() => {}
                Version::One => found.all.push(parent),
                Version::Two => found.delegated(parent),
            }
        }
        for parent in &found.all {
            made::sweep(&parent.folder);
        }
        found
    }

    /// Takes one, found otherwise.
    #[cfg(test)]
    pub(super) fn below(parent: Parent) -> Self {
        Self {
            all: vec![parent],
            leaf: None,
        }
    }

    /// Names each with what it bounds: `/sys/fs/cgroup/memory/x (version 1: memory)`.
    pub(in crate::local) fn in_words(&self) -> Vec<String> {
        let words = self.all.iter().map(|parent| {
            let version = match parent.version {
                Version::One => 1,
                Version::Two => 2,
            };
            let bounds = [(parent.memory, "memory"), (parent.pids, "pids")];
            let bounds: Vec<_> = bounds
                .iter()
                .filter(|(is, _)| *is)
                .map(|(_, word)| *word)
                .collect();
            let folder = parent.folder.display();
            format!("{folder} (version {version}: {})", bounds.join(", "))
        });
        words.collect()
    }

    /// Takes a group of the second version, if it was given to us and its controllers can be handed on.
    fn delegated(&mut self, parent: Parent) {
        if !is_delegated(&parent.folder) {
            return;
        }
        let (leaf, handed_on) = match hand_on(&parent.folder) {
            Err(error) if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => {
                // A group with processes hands nothing on; ours is moved if it is the only one.
                let Some(leaf) = Leaf::enter(&parent.folder) else {
                    return;
                };
                (Some(leaf), hand_on(&parent.folder))
            }
            outcome => (None, outcome),
        };
        match handed_on {
            Ok(()) => {
                self.leaf = leaf;
                self.all.push(parent);
            }
            Err(error) => tracing::debug!(%error, "control groups are not handed on"),
        }
    }
}

/// What is wanted of the groups of a build.
const CONTROLLERS: &str = "+memory +pids";

/// Lets the groups below one count what it counts.
pub(super) fn hand_on(folder: &Path) -> std::io::Result<()> {
    fs::write(folder.join("cgroup.subtree_control"), CONTROLLERS)
}

/// Whether a group was given away by whoever manages groups: it belongs to a user that is not root, it
/// is the top of a namespace, or it is marked so.
fn is_delegated(folder: &Path) -> bool {
    let Ok(found) = fs::metadata(folder) else {
        return false;
    };
    let marked = |name: &str| {
        let mut value = [0; 8];
        let got = rustix::fs::getxattr(folder, name, &mut value);
        got.is_ok_and(|length| &value[..length] == b"1")
    };
    // The top of a hierarchy of the host has no type; the top of a namespace has one.
    let top = fs::read_to_string("/proc/self/cgroup").is_ok_and(|own| own.contains("0::/\n"));
    found.uid() != 0
        || marked("trusted.delegate")
        || marked("user.delegate")
        || (top && folder.join("cgroup.type").exists())
}

/// A group for this process itself, so that its own one has none and can hand controllers on.
#[derive(Debug)]
struct Leaf {
    above: PathBuf,
    folder: PathBuf,
}

impl Leaf {
    /// Moves this process, if it is alone. Never moves another.
    fn enter(above: &Path) -> Option<Self> {
        let own = std::process::id().to_string();
        let there = fs::read_to_string(above.join("cgroup.procs")).ok()?;
        if there.trim() != own {
            return None;
        }
        let folder = above.join(made::name("self"));
        fs::create_dir(&folder).ok()?;
        let leaf = Self {
            above: above.to_owned(),
            folder,
        };
        // On failure the drop removes what was made.
        fs::write(leaf.folder.join("cgroup.procs"), &own).ok()?;
        Some(leaf)
    }
}

impl Drop for Leaf {
    /// Puts everything back as it was.
    fn drop(&mut self) {
        let off = CONTROLLERS.replace('+', "-");
        drop(fs::write(self.above.join("cgroup.subtree_control"), off));
        let own = std::process::id().to_string();
        drop(fs::write(self.above.join("cgroup.procs"), own));
        match fs::remove_dir(&self.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => left(&self.folder, &error),
            Ok(()) | Err(_) => {}
        }
    }
}

fn left(folder: &Path, error: &Error) {
    tracing::debug!(%error, folder = %folder.display(), "a control group stays behind");
}

/// Reads which groups this process is in and where they are mounted (cgroups(7),
/// proc_pid_mountinfo(5)), and keeps what has a controller that is wanted. Pure but for the list of
/// controllers of the second version.
fn candidates(own: &str, mounts: &str) -> Vec<Parent> {
    let mut parents: Vec<Parent> = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let has = |name: &str| controllers.split(',').any(|one| one == name);
        let version = if controllers.is_empty() {
            Version::Two
        } else {
            Version::One
        };
        let Some(folder) = mounted(mounts, version, controllers, Path::new(path)) else {
            continue;
        };
        let (memory, pids) = match version {
            Version::One => (has("memory"), has("pids")),
            Version::Two => handed_down(&folder),
        };
        if memory || pids {
            parents.push(Parent {
                folder,
                version,
                memory,
                pids,
            });
        }
    }
    parents
}

/// The controllers that a group of the second version was given. Both or none: they are handed on
/// together.
fn handed_down(folder: &Path) -> (bool, bool) {
    let text = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
    let has = |name| text.split_ascii_whitespace().any(|one| one == name);
    let both = has("memory") && has("pids");
    (both, both)
}

/// The folder of the group `path` in the mount of its hierarchy.
fn mounted(mounts: &str, version: Version, controllers: &str, path: &Path) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let before: Vec<_> = before.split(' ').collect();
        let after: Vec<_> = after.split(' ').collect();
        let is_it = match (version, after.first()?) {
            (Version::Two, kind) => *kind == "cgroup2",
            (Version::One, kind) => {
                *kind == "cgroup"
                    && controllers.split(',').all(|one| {
                        after
                            .last()
                            .is_some_and(|all| all.split(',').any(|it| it == one))
                    })
            }
        };
        let (root, point) = (before.get(3)?, before.get(4)?);
        // Where only a part of the hierarchy is mounted, as in a container, the path begins with it.
        let below = path.strip_prefix(unescaped(root.as_bytes())).ok()?;
        is_it.then(|| unescaped(point.as_bytes()).join(below))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
35 31 0:32 /box/1 /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/the\\040pids rw,relatime - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
";

    #[test]
    fn own_groups_are_found_where_their_hierarchies_are_mounted() {
        let own = "9:name=systemd:/\n8:pids:/\n4:memory:/box/1/ours\n1:cpu:/\n0::/\n";
        let found = candidates(own, MOUNTS);
        let parent = |folder: &str, memory, pids| Parent {
            folder: folder.into(),
            version: Version::One,
            memory,
            pids,
        };
        assert_eq!(
            found,
            [
                parent("/sys/fs/cgroup/the pids/", false, true),
                parent("/sys/fs/cgroup/memory/ours", true, false),
            ]
        );
    }

    #[test]
    fn a_group_outside_of_what_is_mounted_is_none() {
        assert_eq!(candidates("4:memory:/elsewhere\n", MOUNTS), []);
        assert_eq!(candidates("nonsense\n", MOUNTS), []);
    }
}
