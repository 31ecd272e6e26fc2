//! Files as indexes list them, and the page that they stand on.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{PackageName, SdistFilename, Sha256, Version, VersionSpecifiers, WheelFilename};
use url::Url;

use crate::IndexUrl;

/// What a file is, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A built distribution.
    Wheel(WheelFilename),
    /// A source distribution.
    Sdist(SdistFilename),
}

/// Metadata that lies beside a file (PEP 658, PEP 714): its URL with `.metadata` behind the path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MetadataFile {
    /// Its digest, where the index tells.
    pub sha256: Option<Sha256>,
}

/// One file that an index offers.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// The name, one plain component.
    pub filename: String,
    /// Where it is; without credentials and fragment.
    pub url: Url,
    /// The digest that the index promises.
    pub sha256: Option<Sha256>,
    /// Digests by other algorithms, which are not checked.
    pub other_hashes: BTreeMap<String, String>,
    /// Bytes (PEP 700).
    pub size: Option<u64>,
    /// Which Pythons it is for.
    pub requires_python: Option<VersionSpecifiers>,
    /// The reason, perhaps empty, if it was yanked (PEP 592).
    pub yanked: Option<String>,
    /// Present if its metadata lies beside it.
    pub metadata: Option<MetadataFile>,
    /// When it was uploaded (PEP 700).
    pub uploaded: Option<Timestamp>,
    /// Whose page it stands on.
    pub index: IndexUrl,
    /// Wheel or sdist.
    pub kind: FileKind,
}

impl File {
    /// Returns the project.
    #[must_use]
    pub fn name(&self) -> &PackageName {
        match &self.kind {
            FileKind::Wheel(wheel) => &wheel.name,
            FileKind::Sdist(sdist) => &sdist.name,
        }
    }

    /// Returns the version.
    #[must_use]
    pub fn version(&self) -> &Version {
        match &self.kind {
            FileKind::Wheel(wheel) => &wheel.version,
            FileKind::Sdist(sdist) => &sdist.version,
        }
    }
}

impl std::fmt::Debug for File {
    /// A query may hold a signature, so the URL is shown without it.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("File")
            .field("filename", &self.filename)
            .field("url", &crate::error::shown(&self.url))
            .field("sha256", &self.sha256)
            .field("yanked", &self.yanked)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

/// A project page, or a page or folder of links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Every wheel and sdist, in the order of the page, which means nothing.
    pub files: Vec<File>,
    /// What was left out and why, in words; bounded.
    pub notes: Vec<String>,
}
