//! One way to go through an archive, whatever its kind.

use std::fs::File;

use crate::member::Visitor;
use crate::{Budget, Kind, Refusal, decoder, tar, zip};

/// Tells `visitor` of every member in order.
pub(crate) fn walk(
    archive: &File,
    kind: Kind,
    budget: &Budget,
    visitor: &mut dyn Visitor,
) -> Result<(), Refusal> {
    match kind {
        Kind::Zip => zip::walk(archive, budget, visitor),
        kind => tar::walk(decoder::open(archive, kind, budget)?, budget, visitor),
    }
}
