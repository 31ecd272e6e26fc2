//! Get: source distributions from wherever they are, named by their bytes.
//!
//! Unpacking them is the worker's business; fetching from an index is that of `index`.

mod metadata;
mod names;
mod pyproject;

pub use metadata::{CoreMetadata, MetadataError};
pub use pyproject::{BuildSystem, PyprojectError};
