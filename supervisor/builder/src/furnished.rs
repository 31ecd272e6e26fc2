//! A scratch with its rooms, as every worker of a build expects it.

use cache::{Cache, Scratch};

use crate::assignment::ROOMS;
use crate::error::BuildError;

/// What ends the search of a tool that climbs for a repository, or for the ignore files of one: it
/// must not come to the cache's own, nor to those of a repository that the cache lies in.
const BOUNDARIES: [&str; 2] = [".git", ".hg"];

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
