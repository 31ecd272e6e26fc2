//! The fifo of one build, in a room of it. The supervisor opens it before anything of the build runs and
//! goes by its descriptor alone: what the build makes of the name is its own affair.
//!
//! Its folder tells no names: a program that reads every file that it finds would wait in it for ever.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Uid, fchmod, fchown, mkdirat, mknodat, openat, unlinkat,
};
use rustix::io::{ioctl_fionread, read, retry_on_intr, write};

/// Its folder in room `t`.
const FOLDER: &str = ".jobs";
/// Its name there.
const NAME: &str = "fifo";
/// The same as one path.
pub(crate) const FIFO: &str = ".jobs/fifo";
/// What its folder allows: names in it are used, and not listed.
const UNLISTED: Mode = Mode::WUSR.union(Mode::XUSR);
/// Bytes that are read at once: more than a host has slots.
const CHUNK: usize = 4096;
/// What a token looks like; clients write back what they read.
const TOKEN: &[u8] = b"+";

/// The fifo, open at both ends: it has a reader and a writer as long as this lives.
#[derive(Debug)]
pub(crate) struct Fifo(OwnedFd);

impl Fifo {
    /// Lays it into an empty room `t` of a scratch, as a file of `uid` if the build has one of its own.
    pub(crate) fn lay(scratch: BorrowedFd<'_>, uid: Option<u32>) -> io::Result<Self> {
        let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let room = openat(scratch, "t", flags | OFlags::DIRECTORY, Mode::empty())?;
        mkdirat(&room, FOLDER, Mode::RWXU)?;
        let folder = openat(&room, FOLDER, flags | OFlags::DIRECTORY, Mode::empty())?;
        let mode = Mode::RUSR | Mode::WUSR;
        mknodat(&folder, NAME, FileType::Fifo, mode, 0)?;
        let flags = flags | OFlags::RDWR | OFlags::NONBLOCK;
        let fifo = openat(&folder, NAME, flags, Mode::empty())?;
        // The mask may have taken something.
        fchmod(&fifo, mode)?;
        fchmod(&folder, UNLISTED)?;
        if let Some(uid) = uid {
            let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
            fchown(&fifo, Some(user), Some(group))?;
            fchown(&folder, Some(user), Some(group))?;
        }
        Ok(Self(fifo))
    }

    /// Takes it out of a scratch that stays, once the build is over: nobody is behind it any more. What a
    /// build has put in its place stays.
    pub(crate) fn take_out(scratch: BorrowedFd<'_>) {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = |parent: BorrowedFd<'_>, name| openat(parent, name, flags, Mode::empty());
        let taken = open(scratch, "t").and_then(|room| {
            unlinkat(open(room.as_fd(), FOLDER)?, NAME, AtFlags::empty())?;
            unlinkat(&room, FOLDER, AtFlags::REMOVEDIR)
        });
        if let Err(errno) = taken {
            tracing::debug!(%errno, "the fifo of a kept scratch stays");
        }
    }

    /// Returns how many bytes lie unread.
    pub(super) fn unread(&self) -> usize {
        let unread = ioctl_fionread(&self.0).unwrap_or(0);
        usize::try_from(unread).unwrap_or(usize::MAX)
    }

    /// Puts one token in; a build may have filled it up.
    pub(super) fn put(&self) -> bool {
        retry_on_intr(|| write(&self.0, TOKEN)).is_ok()
    }

    /// Reads what lies unread, at most some thousand bytes, and returns how many they were.
    pub(super) fn take(&self) -> usize {
        let mut bytes = [0; CHUNK];
        retry_on_intr(|| read(&self.0, &mut bytes)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::CWD;

    use super::*;

    fn laid() -> (tempfile::TempDir, Fifo) {
        let place = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::create_dir(place.path().join("t")).expect("it can be made");
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let scratch = openat(CWD, place.path(), flags, Mode::empty()).expect("it is a folder");
        let fifo = Fifo::lay(scratch.as_fd(), None).expect("a fifo can be made");
        (place, fifo)
    }

    #[test]
    fn what_is_put_in_is_read_by_name_and_never_waited_for() {
        let (place, fifo) = laid();
        assert_eq!((fifo.unread(), fifo.take()), (0, 0));
        assert!(fifo.put() && fifo.put());
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let name = place.path().join("t").join(FIFO);
        let client = openat(CWD, name, flags, Mode::empty()).expect("it can be opened");
        assert_eq!(read(&client, &mut [0; 1]), Ok(1));
        assert_eq!((fifo.unread(), fifo.take(), fifo.unread()), (1, 1, 0));
    }

    #[test]
    fn it_is_taken_out_of_what_stays_and_nothing_else_is() {
        let (place, _fifo) = laid();
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let scratch = openat(CWD, place.path(), flags, Mode::empty()).expect("it is a folder");
        Fifo::take_out(scratch.as_fd());
        let room = place.path().join("t");
        let left = || room.read_dir().expect("it is a folder").count();
        assert_eq!(left(), 0);
        std::os::unix::fs::symlink(place.path(), room.join(FOLDER)).expect("it can be made");
        std::fs::write(place.path().join(NAME), "").expect("it can be written");
        Fifo::take_out(scratch.as_fd());
        assert!(left() == 1 && place.path().join(NAME).exists());
    }

    #[test]
    fn one_that_is_full_takes_no_token_and_is_no_wait() {
        let (_place, fifo) = laid();
        while fifo.put() {}
        assert!(!fifo.put());
        assert_eq!(fifo.take(), CHUNK);
        assert!(fifo.put());
    }
}
