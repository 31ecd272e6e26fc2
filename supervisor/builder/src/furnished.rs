//! A scratch with its rooms, as every worker of a build expects it.

use cache::{Cache, Scratch};

use crate::assignment::ROOMS;
use crate::error::BuildError;

/// What ends the search of a tool that climbs for a repository, or for the ignore files of one: it
/// must not come to the cache's own, nor to those of a repository that the cache lies in.
pub(crate) const BOUNDARIES: [&str; 2] = [".git", ".hg"];
/// Bytes below which a file system counts as full.
const FULL: u64 = 64 * 1024;
/// Inodes below which it does: what a run has just given back says nothing of what its build found.
const FEW: u64 = 16;

/// Makes a scratch, every room in it and the boundary above them.
pub(crate) fn furnished(cache: &Cache) -> Result<Scratch, BuildError> {
    let scratch = cache.scratch()?;
    for room in ROOMS {
        scratch.room(room)?;
    }
    for name in BOUNDARIES {
        scratch.write(name, b"")?;
    }
    Ok(scratch)
}

/// Lays the boundary into a folder that rooms are moved into.
pub(crate) fn bound(folder: &std::path::Path) -> Result<(), BuildError> {
    for name in BOUNDARIES {
        let path = folder.join(name);
        std::fs::write(&path, b"").map_err(|source| BuildError::Io {
            doing: "write",
            path,
            source,
        })?;
    }
    Ok(())
}

/// Whether a file of this name is part of the boundary.
pub(crate) fn is_boundary(name: &[u8]) -> bool {
    BOUNDARIES.iter().any(|one| one.as_bytes() == name)
}

/// Whether the file system of a scratch has nothing left for a build's uid.
pub(crate) fn is_full(scratch: &Scratch) -> bool {
    rustix::fs::fstatvfs(scratch.dir()).is_ok_and(|found| {
        found.f_bavail.saturating_mul(found.f_frsize) < FULL
            || (found.f_files > 0 && found.f_favail < FEW)
    })
}
