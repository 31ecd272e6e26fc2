//! Where sources come from, and how the bytes of one are named.

use serde::{Deserialize, Serialize};

use crate::Digest;

/// The kinds of source, as reports and records call them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// An sdist that a package index lists.
    Index,
    /// An archive behind a URL.
    Url,
    /// A local archive.
    Archive,
    /// A local directory, packed into the normal form.
    Directory,
    /// A commit of a git repository, packed into the normal form.
    Git,
}

/// One immutable source: what it is and the bytes that it consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceId {
    /// Where it came from.
    pub kind: SourceKind,
    /// The archive's bytes.
    pub digest: Digest,
    /// The folder inside the archive that holds the project (`#subdirectory=`), relative, plain.
    pub subdirectory: Option<String>,
}
