//! Words: pure values of the supervisor, no I/O.

mod code;
mod config_settings;
mod digest;
mod python;
mod source;

pub use code::{Code, Exit};
pub use config_settings::ConfigSettings;
pub use digest::{Digest, NotADigest, Sha256};
pub use pep440_rs::{Version, VersionSpecifiers};
pub use pep508_rs::{ExtraName, MarkerEnvironment, PackageName, Requirement};
pub use python::PythonFacts;
pub use source::{SourceId, SourceKind};
