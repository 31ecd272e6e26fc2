//! Words: pure values of the supervisor, no I/O.

mod code;
mod config_settings;
mod digest;
mod hashes;
pub mod lenient;
mod place;
mod python;
mod sdist;
mod source;
mod tag;
mod wheel;

pub use code::{Code, Exit};
pub use config_settings::ConfigSettings;
pub use digest::{Digest, NotADigest, Sha256};
pub use hashes::{HashAlgorithm, Hashes};
pub use lenient::{NotARequirement, NotAVersion, NotSpecifiers};
pub use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};
pub use pep508_rs::{
    ExtraName, MarkerEnvironment, MarkerTree, PackageName, Requirement, VersionOrUrl,
};
pub use place::LinePlace;
pub use python::PythonFacts;
pub use sdist::{SdistExtension, SdistFilename};
pub use source::{SourceId, SourceKind};
pub use tag::TagSet;
pub use wheel::{BadFilename, WheelFilename};
