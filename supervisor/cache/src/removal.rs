//! Removing trees that a stranger's code has filled.
//!
//! By folder descriptors and single names only: links are removed, never followed, and another
//! mount is never entered. One descriptor at a time is open and nothing recurses, so neither the
//! depth nor the breadth of a tree matters. What can not be removed is counted, not fatal.

use std::ffi::{CStr, CString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat, fchmod, fstat, openat, openat2,
    unlinkat,
};
use rustix::io::Errno;

use crate::CacheError;
use crate::staging::dir_flags;

/// How many names of folders are remembered at once; a folder with more is read again.
const PENDING: usize = 4096;

/// What a removal did.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    /// Entries of any kind that are gone.
    pub(crate) entries: u64,
    /// Entries that could not be removed.
    left: u64,
    first: Option<(String, io::Error)>,
}

impl Removed {
    /// Whether nothing is left.
    pub(crate) fn is_complete(&self) -> bool {
        self.left == 0
    }

    fn leave(&mut self, what: impl FnOnce() -> String, error: Errno) {
        self.left += 1;
        if self.first.is_none() {
            self.first = Some((what(), error.into()));
        }
    }

    /// Removes the lease of an emptied folder, and the folder itself.
    pub(crate) fn unlink_lease(&mut self, dir: BorrowedFd<'_>, path: &Path) {
        for result in [
            unlinkat(dir, crate::lease::NAME, AtFlags::empty()),
            rustix::fs::rmdir(path),
        ] {
            match result {
                Ok(()) => self.entries += 1,
                Err(Errno::NOENT) => {}
                Err(error) => self.leave(String::new, error),
            }
        }
    }

    /// Returns how many entries are gone, or an error if some are not.
    pub(crate) fn into_result(self, path: &Path) -> Result<u64, CacheError> {
        match self.first {
            None => Ok(self.entries),
            Some((first, source)) => Err(CacheError::Left {
                path: path.to_owned(),
                count: self.left,
                first,
                source,
            }),
        }
    }
}

/// Removes everything in the folder `top` but the entry `spare`.
pub(crate) fn empty(top: BorrowedFd<'_>, spare: Option<&CStr>) -> Removed {
    let mut removed = Removed::default();
    match Walk::start(top) {
        Ok(mut walk) => walk.run(spare, &mut removed),
        Err(error) => removed.leave(|| ".".to_owned(), error),
    }
    removed
}

/// What tells one folder from another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Id {
    device: u64,
    inode: u64,
}

impl Id {
    fn of(found: &Stat) -> Self {
        Self {
            device: found.st_dev,
            inode: found.st_ino,
        }
    }
}

/// A folder on the way from the top to where the walk is.
struct Level {
    name: CString,
    id: Id,
    /// Folders in it that are still to be emptied.
    pending: Vec<CString>,
    scanned: bool,
    /// There are more folders than `pending` may hold.
    more: bool,
    /// Something was removed since the last look.
    progress: bool,
}

impl Level {
    fn new(name: CString, id: Id) -> Self {
        Self {
            name,
            id,
            pending: Vec::new(),
            scanned: false,
            more: false,
            progress: false,
        }
    }
}

struct Walk<'a> {
    top: BorrowedFd<'a>,
    /// The folder of the last level.
    here: OwnedFd,
    levels: Vec<Level>,
}

impl<'a> Walk<'a> {
    fn start(top: BorrowedFd<'a>) -> rustix::io::Result<Self> {
        let (here, id) = admit(openat(top, c".", dir_flags(), Mode::empty())?)?;
        let levels = vec![Level::new(CString::default(), id)];
        Ok(Self { top, here, levels })
    }

    fn run(&mut self, spare: Option<&CStr>, removed: &mut Removed) {
        while let Some(level) = self.levels.last_mut() {
            if !level.scanned {
                let spare = spare.filter(|_| self.levels.len() == 1);
                self.scan(spare, removed);
            } else if let Some(name) = level.pending.pop() {
                self.descend(name, removed);
            } else if level.more && level.progress {
                level.scanned = false;
            } else if let Err(error) = self.ascend(removed) {
                removed.leave(|| self.place(c".."), error);
                return;
            }
        }
    }

    /// Unlinks what is no folder in here, and notes the folders.
    fn scan(&mut self, spare: Option<&CStr>, removed: &mut Removed) {
        let Some(mut level) = self.levels.pop() else {
            return;
        };
        (level.scanned, level.more, level.progress) = (true, false, false);
        let mut refused: Vec<(CString, Errno)> = Vec::new();
        let mut count = 0;
        let read = rustix::fs::seek(&self.here, rustix::fs::SeekFrom::Start(0)).and_then(|_| {
            let mut buffer = [const { MaybeUninit::<u8>::uninit() }; 16 * 1024];
            let mut entries = RawDir::new(self.here.as_fd(), &mut buffer);
            while let Some(entry) = entries.next() {
                let entry = entry?;
                let name = entry.file_name();
                if name == c"." || name == c".." || Some(name) == spare {
                    continue;
                }
                let kind = entry.file_type();
                let outcome = match kind {
                    FileType::Directory => Err(Errno::ISDIR),
                    _ => unlinkat(&self.here, name, AtFlags::empty()),
                };
                match outcome {
                    Ok(()) => {
                        removed.entries += 1;
                        level.progress = true;
                    }
                    Err(Errno::NOENT) => {}
                    Err(Errno::ISDIR) if level.pending.len() < PENDING => {
                        level.pending.push(name.to_owned());
                    }
                    Err(Errno::ISDIR) => level.more = true,
                    Err(error) => {
                        count += 1;
                        if refused.is_empty() {
                            refused.push((name.to_owned(), error));
                        }
                    }
                }
            }
            Ok(())
        });
        self.levels.push(level);
        if let Some((name, error)) = refused.pop() {
            removed.leave(|| self.place(&name), error);
            removed.left += count - 1;
        }
        if let Err(error) = read {
            removed.leave(|| self.place(c"."), error);
        }
    }

    fn descend(&mut self, name: CString, removed: &mut Removed) {
        match enter(self.here.as_fd(), &name, self.levels[0].id.device) {
            Ok((here, id)) => {
                self.here = here;
                self.levels.push(Level::new(name, id));
            }
            // An empty folder may be removed without looking into it.
            Err(error) => match unlinkat(&self.here, &name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => removed.entries += 1,
                Err(_) => removed.leave(|| self.place(&name), error),
            },
        }
    }

    /// Goes back to the folder above and removes the one it came from.
    fn ascend(&mut self, removed: &mut Removed) -> rustix::io::Result<()> {
        let Some(done) = self.levels.pop() else {
            return Ok(());
        };
        let Some(above) = self.levels.last() else {
            return Ok(());
        };
        self.here = match open_above(self.here.as_fd(), above.id) {
            Ok(here) => here,
            Err(_) => self.walk_again()?,
        };
        match unlinkat(&self.here, &done.name, AtFlags::REMOVEDIR) {
            Ok(()) => {
                removed.entries += 1;
                if let Some(above) = self.levels.last_mut() {
                    above.progress = true;
                }
            }
            Err(Errno::NOENT) => {}
            // What is left in it was counted already.
            Err(Errno::NOTEMPTY) if !removed.is_complete() => {}
            Err(error) => removed.leave(|| self.place(&done.name), error),
        }
        Ok(())
    }

    /// Finds the last level by its names, where `..` can not be opened or leads elsewhere.
    fn walk_again(&self) -> rustix::io::Result<OwnedFd> {
        let mut here = openat(self.top, c".", dir_flags(), Mode::empty())?;
        for level in &self.levels[1..] {
            let (next, id) = enter(here.as_fd(), &level.name, level.id.device)?;
            if id != level.id {
                return Err(Errno::STALE);
            }
            here = next;
        }
        Ok(here)
    }

    /// Returns the path of `name` in here for people: relative, neutralised, not too long.
    fn place(&self, name: &CStr) -> String {
        let mut path = String::new();
        for level in self.levels.iter().skip(1).take(16) {
            path.push_str(&level.name.to_string_lossy());
            path.push('/');
        }
        if self.levels.len() > 17 {
            path.push_str(".../");
        }
        path.push_str(&name.to_string_lossy());
        path.escape_debug().to_string()
    }
}

/// Opens the folder `name`, also if its mode forbids that and it is ours to change.
fn enter(above: BorrowedFd<'_>, name: &CStr, device: u64) -> rustix::io::Result<(OwnedFd, Id)> {
    let opened = match open_beneath(above, name) {
        Err(Errno::ACCESS) => {
            unlock(above, name)?;
            open_beneath(above, name)?
        }
        other => other?,
    };
    let (here, id) = admit(opened)?;
    if id.device != device {
        return Err(Errno::XDEV);
    }
    Ok((here, id))
}

fn open_beneath(above: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let opened =
        rustix::io::retry_on_intr(|| openat2(above, name, dir_flags(), Mode::empty(), resolve));
    match opened {
        // Old kernels do not have the call, and filters of old engines refuse it; there the
        // comparison of devices is what stops at another mount.
        Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => {
            openat(above, name, dir_flags(), Mode::empty())
        }
        other => other,
    }
}

fn open_above(here: BorrowedFd<'_>, expected: Id) -> rustix::io::Result<OwnedFd> {
    let above = openat(here, c"..", dir_flags(), Mode::empty())?;
    if Id::of(&fstat(&above)?) == expected {
        Ok(above)
    } else {
        Err(Errno::STALE)
    }
}

/// Makes an open folder listable and changeable if it is ours and is not.
fn admit(dir: OwnedFd) -> rustix::io::Result<(OwnedFd, Id)> {
    let found = fstat(&dir)?;
    let may = Mode::from_raw_mode(found.st_mode).contains(Mode::RWXU);
    if !may && is_ours(&found) {
        fchmod(&dir, Mode::RWXU)?;
    }
    Ok((dir, Id::of(&found)))
}

/// Opens the mode of a folder that can not be opened: pinned first, so that the change meets
/// what was looked at and never a link's target.
pub(crate) fn unlock(
    above: BorrowedFd<'_>,
    name: impl rustix::path::Arg,
) -> rustix::io::Result<()> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let pinned = openat(above, name, flags, Mode::empty())?;
    if !is_ours(&fstat(&pinned)?) {
        return Err(Errno::ACCESS);
    }
    // A descriptor of this kind takes no fchmod; its name in /proc does.
    rustix::fs::chmod(format!("/proc/self/fd/{}", pinned.as_raw_fd()), Mode::RWXU)
}

fn is_ours(found: &Stat) -> bool {
    let caller = rustix::process::geteuid();
    found.st_uid == caller.as_raw() || caller.is_root()
}
