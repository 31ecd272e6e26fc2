//! Bytecode: made elsewhere by the base interpreter, taken over by name.
//!
//! The environment's own Python would run `.pth` files of the wheels, so the *base* interpreter
//! compiles (with `-I -S`), in a worker that reads the staged tree and writes to another folder.
//! From there only regular files with the names that follow from the sources are copied.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use model::PythonFacts;
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::InstallError;
use super::record::below;
use super::spread::joined;
use super::tree::{Manner, OWNER, Tree};

/// The Python text to run as `BASE -I -S -c COMPILE TREE OUT WORKERS [MODE]`; the mode is `timestamp` for what
/// users may edit.
pub const COMPILE: &str = include_str!("compile.py");

/// The largest bytecode file that is taken over, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;
/// The most bytes of bytecode of an environment.
const MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// PEP 552: hash-based, unchecked.
const UNCHECKED_HASH: [u8; 4] = [1, 0, 0, 0];
/// PEP 552: by the source's time and size, so that a source that is edited counts.
const TIMESTAMP: [u8; 4] = [0; 4];

/// Returns the bytecode files that the sources in `site-packages` may have, sorted.
pub(crate) fn expected(tree: &Tree, facts: &PythonFacts, site_packages: &str) -> Vec<String> {
    let Some(tag) = &facts.cache_tag else {
        return Vec::new();
    };
    let mut expected: Vec<_> = tree
        .files()
        .filter(|path| below(path, site_packages).is_some())
        .filter_map(|path| {
            let (folder, name) = split(path.strip_suffix(".py")?);
            Some(joined(folder, &format!("__pycache__/{name}.{tag}.pyc")))
        })
        .filter(|path| !tree.has(path) && super::tree::check_path(path).is_ok())
        .collect();
    expected.sort();
    expected
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Copies the expected files that exist below `compiled` into the tree; returns how many.
pub(crate) fn adopt(
    tree: &mut Tree,
    compiled: &Path,
    expected: &[String],
) -> Result<u64, InstallError> {
    let root = rustix::fs::open(compiled, folder_flags(), Mode::empty())
        .map_err(|errno| InstallError::io("open", compiled)(errno.into()))?;
    let (mut count, mut total) = (0, 0);
    for path in expected {
        let full = compiled.join(path);
        let Some(file) = open_beneath(&root, path).map_err(|errno| match errno {
            Errno::LOOP | Errno::NOTDIR | Errno::MLINK => {
                refused(path, "it is or lies behind a link")
            }
            errno => InstallError::io("open", &full)(errno.into()),
        })?
        else {
            continue;
        };
        let bytes = read(file, path, &full, tree.manner())?;
        total += bytes.len() as u64;
        if total > MAX_BYTES {
            return Err(refused(path, "there is too much of it"));
        }
        tree.put(path, &bytes, false, OWNER)?;
        count += 1;
    }
    Ok(count)
}

fn read(file: File, path: &str, full: &Path, manner: Manner) -> Result<Vec<u8>, InstallError> {
    let about = file.metadata().map_err(InstallError::io("look at", full))?;
    if !about.is_file() || about.nlink() != 1 {
        return Err(refused(path, "it is not a file of one name"));
    }
    if about.len() > MAX_FILE {
        return Err(refused(path, "it is too large"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0));
    file.take(MAX_FILE)
        .read_to_end(&mut bytes)
        .map_err(InstallError::io("read", full))?;
    let (mode, otherwise) = match manner {
        Manner::Immutable => (UNCHECKED_HASH, "it is not hash-based, unchecked bytecode"),
        Manner::Usual => (TIMESTAMP, "it is not bytecode with its source's time"),
    };
    if bytes.get(4..8) != Some(&mode) {
        return Err(refused(path, otherwise));
    }
    Ok(bytes)
}

/// Opens a file below `root` without following a link anywhere; none if it does not exist.
fn open_beneath(root: &OwnedFd, path: &str) -> Result<Option<File>, Errno> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut folder: Option<OwnedFd> = None;
    for component in folders.split('/').filter(|it| !it.is_empty()) {
        let at = folder.as_ref().unwrap_or(root);
        match openat(at, component, folder_flags(), Mode::empty()) {
            Ok(next) => folder = Some(next),
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(errno),
        }
    }
    let at = folder.as_ref().unwrap_or(root);
    // Without NONBLOCK a fifo would hold the open for ever.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match openat(at, name, flags, Mode::empty()) {
        Ok(file) => Ok(Some(file.into())),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

fn refused(path: &str, reason: &'static str) -> InstallError {
    InstallError::Bytecode {
        path: path.to_owned(),
        reason,
    }
}
