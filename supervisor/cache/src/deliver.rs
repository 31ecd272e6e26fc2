//! Delivering finished files to the output directory, which may be on another file system.
//!
//! The bytes get their name after they are all there and synced. Where the file system can, they
//! have no name at all until then, so that even a kill leaves nothing behind.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, OFlags, linkat};
use rustix::io::Errno;

use crate::{CacheError, names, publish, root};

/// Copies `file` to `out_dir/name`, in place of what is there, and returns the path.
///
/// # Errors
/// If the directory can not be made or written, the disk is full, or `file` can not be read. Then
/// nothing of it is in the directory.
pub fn deliver(file: &Path, out_dir: &Path, name: &str) -> Result<PathBuf, CacheError> {
    if !names::is_plain(name) {
        return Err(CacheError::Name {
            name: name.escape_debug().to_string(),
        });
    }
    let from = File::open(file).map_err(|source| CacheError::io("open", file, source))?;
    let refused = |source: io::Error| CacheError::out_dir(out_dir, source);
    fs::create_dir_all(out_dir).map_err(refused)?;
    let target = out_dir.join(name);
    let hidden = names::staging().map_err(refused)?;
    let mut part = Part::create(out_dir, &hidden).map_err(refused)?;
    io::copy(&mut &from, &mut part.file).map_err(refused)?;
    part.file.sync_all().map_err(refused)?;
    part.give_name(&target).map_err(refused)?;
    File::open(out_dir)
        .and_then(|dir| dir.sync_all())
        .map_err(refused)?;
    Ok(target)
}

/// Finds out whether `out_dir` can be written, or made, and has room, without changing anything.
///
/// # Errors
/// If not.
pub fn check_out_dir(out_dir: &Path) -> Result<(), CacheError> {
    let refused = |source: io::Error| CacheError::out_dir(out_dir, source);
    let absolute = std::path::absolute(out_dir).map_err(refused)?;
    for place in absolute.ancestors() {
        match fs::metadata(place) {
            Ok(found) if !found.is_dir() => {
                return Err(refused(io::ErrorKind::NotADirectory.into()));
            }
            Ok(_) => {
                let wanted = Access::WRITE_OK | Access::EXEC_OK;
                rustix::fs::accessat(CWD, place, wanted, AtFlags::EACCESS)
                    .map_err(|errno| refused(errno.into()))?;
                return root::check_space(place);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(refused(source)),
        }
    }
    Err(refused(io::ErrorKind::NotFound.into()))
}

/// A file in the output directory before it has its name.
struct Part {
    file: File,
    /// The hidden name it has, or gets for a moment; removed on drop.
    hidden: PathBuf,
    named: bool,
}

impl Part {
    fn create(out_dir: &Path, hidden: &str) -> io::Result<Self> {
        let hidden = out_dir.join(format!(".fumehood-{hidden}"));
        let nameless = File::options()
            .write(true)
            .mode(0o666)
            .custom_flags(OFlags::TMPFILE.bits() as i32)
            .open(out_dir);
        // Giving it a name later takes /proc.
        if let Ok(file) = nameless
            && Path::new("/proc/self/fd").exists()
        {
            return Ok(Self {
                file,
                hidden,
                named: false,
            });
        }
        // Not every file system has files without a name; if the folder can not be written, this
        // fails as well and says why.
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o666)
            .open(&hidden)?;
        Ok(Self {
            file,
            hidden,
            named: true,
        })
    }

    fn give_name(&mut self, target: &Path) -> io::Result<()> {
        if !self.named {
            match self.link(target) {
                Ok(()) => return Ok(()),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            self.link(&self.hidden)?;
            self.named = true;
        }
        publish::move_over(&self.hidden, target)?;
        self.named = false;
        Ok(())
    }

    fn link(&self, to: &Path) -> rustix::io::Result<()> {
        let from = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        linkat(CWD, from, CWD, to, AtFlags::SYMLINK_FOLLOW)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.named {
            let _ = fs::remove_file(&self.hidden);
        }
    }
}
