//! A scratch with its rooms, as every worker of a build expects it.

use cache::{Cache, Scratch};

use crate::assignment::ROOMS;
use crate::error::BuildError;

/// Makes a scratch and every room in it.
pub(crate) fn furnished(cache: &Cache) -> Result<Scratch, BuildError> {
    let scratch = cache.scratch()?;
    for room in ROOMS {
        scratch.room(room)?;
    }
    Ok(scratch)
}
