//! The rooms of a build, moved into the folder of a slot and out of it again.
//!
//! What a slot may reach hangs on its folder, by Landlock's rules and by the mounts: what was moved out
//! is out of its reach, wherever its descriptors once led; and they lead nowhere, for it has none.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, RenameFlags, Stat, Uid, fchmod, fchown, fstat,
    openat, renameat_with, statat,
};

use crate::assignment::ROOMS;

/// The folder of a slot while nobody moves anything: a build finds no place beside its rooms.
const SHUT: Mode = Mode::from_raw_mode(0o555);
/// The same while rooms are moved.
const OPEN: Mode = Mode::from_raw_mode(0o755);

/// The rooms of one build, held.
pub(super) struct Moving {
    rooms: Vec<(String, OwnedFd, Stat)>,
    is_in: bool,
}

impl Moving {
    /// Holds the rooms of `scratch` before anything of the build runs.
    pub(super) fn hold(scratch: BorrowedFd<'_>) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let hold = |letter: char| {
            let name = letter.to_string();
            let room = openat(scratch, name.as_str(), flags, Mode::empty())?;
            let found = fstat(&room)?;
            Ok((name, room, found))
        };
        let rooms = ROOMS.into_iter().map(hold).collect::<io::Result<_>>()?;
        Ok(Self {
            rooms,
            is_in: false,
        })
    }

    /// Moves the rooms from `scratch` into `folder`, as rooms of `uid` if the slot has one of its own.
    pub(super) fn enter(
        &mut self,
        scratch: BorrowedFd<'_>,
        folder: BorrowedFd<'_>,
        uid: Option<u32>,
    ) -> io::Result<()> {
        self.is_in = true;
        fchmod(folder, OPEN)?;
        for (name, room, _) in &self.rooms {
            if let Some(uid) = uid {
                fchown(room, Some(Uid::from_raw(uid)), Some(Gid::from_raw(uid)))?;
            }
            renameat_with(scratch, name, folder, name, RenameFlags::NOREPLACE)?;
        }
        fchmod(folder, SHUT)?;
        Ok(())
    }

    /// Moves the rooms back, once nothing of the build is alive. Says whether nothing else lies in `folder`.
    ///
    /// # Errors
    /// If one of them is not there, or another than was moved in.
    pub(super) fn leave(
        &mut self,
        folder: BorrowedFd<'_>,
        scratch: BorrowedFd<'_>,
    ) -> io::Result<bool> {
        if !self.is_in {
            return Ok(true);
        }
        fchmod(folder, OPEN)?;
        for (name, room, was) in &self.rooms {
            let found = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
            if (found.st_dev, found.st_ino) != (was.st_dev, was.st_ino) {
                return Err(io::Error::other(format!("room `{name}` is another one")));
            }
            // A folder changes its place only for who may write it.
            fchmod(room, Mode::from_raw_mode(found.st_mode) | Mode::RWXU)?;
            renameat_with(folder, name, scratch, name, RenameFlags::NOREPLACE)?;
        }
        self.is_in = false;
        is_vacant(folder)
    }
}

/// Whether nothing lies in the folder of a slot but the plain empty files that were put there.
fn is_vacant(folder: BorrowedFd<'_>) -> io::Result<bool> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(folder, ".", flags, Mode::empty())?;
    for entry in Dir::read_from(&folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let is_ours = crate::furnished::is_boundary(name.to_bytes());
        let found = statat(folder.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW)?;
        let is_file = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
        if !(is_ours && is_file && found.st_size == 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn dir(path: &Path) -> OwnedFd {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty()).expect("it is a folder")
    }

    fn laid() -> (tempfile::TempDir, OwnedFd, OwnedFd) {
        let place = tempfile::tempdir().expect("a temporary folder can be made");
        for folder in ["y", "b"] {
            fs::create_dir(place.path().join(folder)).expect("it can be made");
        }
        for room in ROOMS {
            fs::create_dir(place.path().join(format!("y/{room}"))).expect("it can be made");
        }
        let (scratch, folder) = (dir(&place.path().join("y")), dir(&place.path().join("b")));
        (place, scratch, folder)
    }

    fn moved_in() -> (tempfile::TempDir, [OwnedFd; 2], Moving) {
        let (place, scratch, folder) = laid();
        let mut moving = Moving::hold(scratch.as_fd()).expect("the rooms are there");
        moving
            .enter(scratch.as_fd(), folder.as_fd(), None)
            .expect("they can be moved");
        (place, [scratch, folder], moving)
    }

    #[test]
    fn rooms_go_in_and_come_out_with_what_is_in_them_whatever_their_mode() {
        let (place, [scratch, folder], mut moving) = moved_in();
        assert!(!place.path().join("y/o").exists());
        fs::write(place.path().join("b/o/file"), "x").expect("it can be written");
        fchmod(dir(&place.path().join("b/s")), Mode::empty()).expect("it is ours");
        let vacant = moving.leave(folder.as_fd(), scratch.as_fd());
        assert!(vacant.expect("they can be moved back"));
        assert!(place.path().join("y/o/file").exists() && place.path().join("y/s").exists());
    }

    #[test]
    fn what_is_left_beside_the_rooms_is_seen() {
        let (place, [scratch, folder], mut moving) = moved_in();
        fchmod(&folder, OPEN).expect("it is ours");
        fs::write(place.path().join("b/note"), "x").expect("it can be written");
        assert!(
            !moving
                .leave(folder.as_fd(), scratch.as_fd())
                .expect("the rooms come back")
        );
    }

    #[test]
    fn a_room_that_is_another_one_is_refused() {
        let (place, [scratch, folder], mut moving) = moved_in();
        fchmod(&folder, OPEN).expect("it is ours");
        fs::remove_dir(place.path().join("b/o")).expect("it is empty");
        std::os::unix::fs::symlink("/etc", place.path().join("b/o")).expect("a link can be made");
        let error = moving.leave(folder.as_fd(), scratch.as_fd());
        assert!(error.is_err_and(|error| error.to_string().contains("another one")));
    }
}
