//! The record of what a traced build opens and starts, and what the policy makes of it.
//!
//! After the record the call goes on (`CONTINUE`), and the kernel reads the path anew: a caller with a
//! second thread can show the broker one path and the kernel another. That makes the record a thing
//! the build can lie to, and no more: the path was never what the filter decided by; Landlock and, at
//! `ns`, the new root decide in the kernel exactly as they do without a trace. So nothing that is
//! enforced may ever hang on a record, and whoever grants by one proves the grant first.
//!
//! The verdict is told from names, not by trying: an open has effects (a pipe waits, a file is cut).

use std::collections::BTreeMap;
use std::fs::read_link;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use filter::{Call, Listener, Request};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use protocol::{AbsPath, Access, Touch, Trace, Verdict};

use super::pin::{Reference, own_link};

/// Paths of one verdict that are kept: the latest.
const MOST_PATHS: usize = 500;

/// What the build may reach: a path as the build sees it.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    /// The path.
    pub(crate) path: PathBuf,
    /// What is allowed below it.
    pub(crate) access: Access,
}

/// How often something was touched, and when last.
#[derive(Clone, Copy, Default)]
struct Seen {
    count: u64,
    last: u64,
}

/// Records touches.
pub(crate) struct Tracer {
    /// By the kernel's own names.
    reach: Vec<Reach>,
    /// Whether what is refused looks as if it were not there.
    hides: bool,
    seen: BTreeMap<(Verdict, Touch, PathBuf), Seen>,
    calls: u64,
}

/// What a call wants.
struct Wish {
    reference: Reference,
    touch: Touch,
    makes: bool,
}

impl Tracer {
    /// Begins a record. `reach` is what the build was granted, its rooms included; `hides` tells
    /// whether the rest is not there for it.
    pub(crate) fn new(reach: &[Reach], hides: bool) -> Self {
        // Compared are the kernel's names, so a grant that is a link is known by its target.
        let reach = reach.iter().filter_map(|one| {
            let pinned = open(&one.path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).ok()?;
            let path = read_link(own_link(&pinned)).ok()?;
            Some(Reach {
                path,
                access: one.access,
            })
        });
        Self {
            reach: reach.collect(),
            hides,
            seen: BTreeMap::new(),
            calls: 0,
        }
    }

    /// Records one call. What can not be read, or belongs to nobody any more, is not recorded.
    pub(super) fn observe(&mut self, request: &Request, listener: &Listener) {
        self.calls += 1;
        let Some(found) = wish(request).and_then(|wish| self.judge(request.pid, &wish)) else {
            return;
        };
        if listener.is_valid(request.id) {
            self.keep(found);
        }
    }

    /// Returns what was recorded.
    pub(super) fn traces(&self) -> impl Iterator<Item = Trace> + '_ {
        self.seen
            .iter()
            .filter_map(|((verdict, touch, path), seen)| {
                Some(Trace {
                    touch: *touch,
                    verdict: *verdict,
                    path: AbsPath::new(path).ok()?,
                    count: seen.count,
                    last: seen.last,
                })
            })
    }

    fn keep(&mut self, (verdict, touch, path): (Verdict, Touch, PathBuf)) {
        let key = (verdict, touch, path);
        if !self.seen.contains_key(&key) {
            let kept = self.seen.iter().filter(|((kept, ..), _)| *kept == verdict);
            if kept.clone().count() >= MOST_PATHS {
                // What failed a build is among the last things that it did.
                let oldest = kept.min_by_key(|(_, seen)| seen.last);
                if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                    self.seen.remove(&oldest);
                }
            }
        }
        let seen = self.seen.entry(key).or_default();
        seen.count += 1;
        seen.last = self.calls;
    }

    fn judge(&self, pid: i32, wish: &Wish) -> Option<(Verdict, Touch, PathBuf)> {
        let touch = wish.touch;
        match wish.reference.pin(pid) {
            Ok(pinned) => {
                let name = read_link(own_link(&pinned)).ok()?;
                // A pipe or socket without a name, or what was deleted.
                if !name.is_absolute() || name.as_os_str().as_bytes().ends_with(b" (deleted)") {
                    return None;
                }
                let spelled = wish.reference.spelled(pid);
                // What /proc/self leads to differs from process to process.
                let shown = spelled
                    .filter(|path| path.starts_with("/proc") && name.starts_with("/proc"))
                    .unwrap_or_else(|| name.clone());
                Some(self.verdict(touch, &name, shown))
            }
            Err(Errno::ENOENT) if wish.makes => {
                let spelled = wish.reference.spelled(pid)?;
                let (folder, file) = (spelled.parent()?, spelled.file_name()?);
                let pinned = open(folder, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).ok()?;
                let name = read_link(own_link(&pinned)).ok()?.join(file);
                Some(self.verdict(Touch::Write, &name, name.clone()))
            }
            Err(Errno::ENOENT | Errno::ENOTDIR) if !self.hides => None,
            Err(Errno::ENOENT) => {
                let spelled = wish.reference.spelled(pid)?;
                let there = self.reach.iter().any(|one| spelled.starts_with(&one.path));
                (!there).then_some((Verdict::Hidden, touch, spelled))
            }
            Err(Errno::EACCES | Errno::EPERM) => {
                let spelled = wish.reference.spelled(pid)?;
                Some(self.verdict(touch, &spelled, spelled.clone()))
            }
            Err(_) => None,
        }
    }

    /// Compares a name with the grants. What is granted is recorded under the grant.
    fn verdict(&self, touch: Touch, name: &Path, shown: PathBuf) -> (Verdict, Touch, PathBuf) {
        let suffices = |one: &&Reach| {
            name.starts_with(&one.path) && allows(one.access, touch, name == one.path)
        };
        let deepest = self
            .reach
            .iter()
            .filter(suffices)
            .max_by_key(|one| one.path.components().count());
        match deepest {
            Some(grant) => (Verdict::Granted, touch, grant.path.clone()),
            None => (Verdict::Refused, touch, shown),
        }
    }
}

/// Whether an access covers a touch, of the granted path itself or of something below it.
fn allows(access: Access, touch: Touch, itself: bool) -> bool {
    match (access, touch) {
        (Access::ReadWrite, _)
        | (Access::Read | Access::ReadExecute | Access::ReadWriteFile, Touch::Read)
        | (Access::ReadExecute, Touch::Execute) => true,
        (Access::ReadWriteFile, Touch::Write) => itself,
        _ => false,
    }
}

/// Reads what a call wants out of its registers and memory.
fn wish(request: &Request) -> Option<Wish> {
    let a = &request.arguments;
    let at = libc::AT_FDCWD;
    let (start, pointer, flags) = match request.call {
        Call::Open => (at, a[0], int(a[1])),
        Call::Openat => (int(a[0]), a[1], int(a[2])),
        Call::Creat => (at, a[0], libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC),
        Call::Execve => (at, a[0], 0),
        Call::Execveat => (int(a[0]), a[1], 0),
        _ => return None,
    };
    let follow = match request.call {
        Call::Execveat => int(a[4]) & libc::AT_SYMLINK_NOFOLLOW == 0,
        _ => flags & libc::O_NOFOLLOW == 0,
    };
    let touch = match request.call {
        Call::Execve | Call::Execveat => Touch::Execute,
        // Landlock does not cover it: nothing is opened.
        _ if flags & libc::O_PATH != 0 => return None,
        _ if flags & libc::O_ACCMODE != libc::O_RDONLY || flags & libc::O_TRUNC != 0 => {
            Touch::Write
        }
        _ => Touch::Read,
    };
    // A program that is started by its descriptor was opened before.
    let reference = Reference::read(request.pid, start, pointer, follow).ok()?;
    Some(Wish {
        reference,
        touch,
        makes: touch != Touch::Execute && flags & libc::O_CREAT != 0,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the kernel reads these registers as int"
)]
fn int(register: u64) -> i32 {
    register as i32
}

/// Takes `.` and `..` out of an absolute path by its words alone.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => plain.push(name),
            Component::ParentDir => {
                plain.pop();
            }
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracer() -> Tracer {
        Tracer {
            reach: [
                ("/usr", Access::Read),
                ("/usr/bin", Access::ReadExecute),
                ("/b/s", Access::ReadWrite),
                ("/dev/null", Access::ReadWriteFile),
            ]
            .map(|(path, access)| Reach {
                path: path.into(),
                access,
            })
            .to_vec(),
            hides: false,
            seen: BTreeMap::new(),
            calls: 0,
        }
    }

    #[test]
    fn a_touch_is_granted_by_the_deepest_grant_that_covers_it() {
        let judged = |touch, path: &str| tracer().verdict(touch, path.as_ref(), path.into());
        for (touch, path, verdict, shown) in [
            (Touch::Read, "/usr/share/x", Verdict::Granted, "/usr"),
            (Touch::Read, "/usr/bin/cc", Verdict::Granted, "/usr/bin"),
            (Touch::Execute, "/usr/bin/cc", Verdict::Granted, "/usr/bin"),
            (Touch::Execute, "/usr/lib/x", Verdict::Refused, "/usr/lib/x"),
            (Touch::Write, "/usr/bin/cc", Verdict::Refused, "/usr/bin/cc"),
            (Touch::Write, "/b/s/a/b", Verdict::Granted, "/b/s"),
            (Touch::Write, "/dev/null", Verdict::Granted, "/dev/null"),
            (Touch::Write, "/dev/null/x", Verdict::Refused, "/dev/null/x"),
            (Touch::Read, "/usrx", Verdict::Refused, "/usrx"),
        ] {
            assert_eq!(judged(touch, path), (verdict, touch, shown.into()));
        }
    }

    #[test]
    fn a_build_that_touches_many_paths_fills_no_memory_and_the_latest_are_kept() {
        let mut tracer = tracer();
        let touched = |number: usize| {
            let path = PathBuf::from(format!("/x/{number}"));
            (Verdict::Refused, Touch::Read, path)
        };
        tracer.keep((Verdict::Granted, Touch::Read, "/usr".into()));
        for number in 0..3 * MOST_PATHS {
            tracer.calls += 1;
            tracer.keep(touched(number));
            tracer.keep(touched(0));
        }
        assert_eq!(
            tracer.seen.len(),
            MOST_PATHS + 1,
            "one verdict takes no other's place"
        );
        let find = |path: &str| tracer.traces().find(|trace| trace.path.to_string() == path);
        let first = find("/x/0").expect("it is touched again and again");
        assert_eq!((first.count, first.last), (1501, 1500));
        assert!(find("/x/1499").is_some() && find("/x/700").is_none());
    }

    #[test]
    fn a_path_is_made_plain_by_its_words() {
        for (written, plainly) in [("/a/./b/../c", "/a/c"), ("/../x", "/x"), ("/", "/")] {
            assert_eq!(plain(written.as_ref()), Path::new(plainly));
        }
    }
}
