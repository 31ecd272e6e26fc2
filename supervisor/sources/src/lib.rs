//! Get: source distributions from wherever they are, named by their bytes.
//!
//! Unpacking them is the worker's business; talking to indexes is that of `index`.

mod acquire;
mod agreement;
mod error;
mod git_url;
mod metadata;
mod names;
mod pointers;
mod project_table;
mod pyproject;
mod revisions;
mod shown;
mod snapshot;
mod spec;
mod wanted;
mod wheel_metadata;

pub use acquire::{Located, Means, OnBytes, Source, acquire, acquire_file, locate, locate_file};
pub use agreement::Difference;
pub use error::SourceError;
pub use git_url::{BadGitUrl, BadReference, GitUrl, Reference, Transport};
pub use metadata::{CoreMetadata, MetadataError};
pub use pointers::{PointerRecord, Pointers, former};
pub use project_table::{Dependencies, ProjectTable};
pub use pyproject::{BuildSystem, PyprojectError};
pub use revisions::{Fixed, Project, Revisions, Said};
pub use spec::{Spec, SpecError, WheelFile};
pub use wanted::Wanted;
pub use wheel_metadata::WheelMetadata;
