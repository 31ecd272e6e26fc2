//! What an inventory holds: one item an entry, with what its record says of it.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use model::{PackageName, Sha256, SourceId, Version};

use super::walk::measure;
use crate::entry_lease::used;
use crate::{Bucket, Size};

/// Everything that is in the cache.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// The entries, bucket by bucket.
    pub items: Vec<Item>,
    /// What lies beside the buckets and is none of ours, relative to the root.
    pub beside: Vec<PathBuf>,
    /// What could not be looked at, in words.
    pub unreadable: Vec<String>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Relative to the root.
    pub path: PathBuf,
    /// The bucket, or none for what lies beside the buckets.
    pub bucket: Option<Bucket>,
    /// What it is.
    pub what: What,
    /// Regular files.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// When it was used last, or made.
    pub used: SystemTime,
}

/// What an entry is; decided by what it holds and says, its place alone is not enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A source archive.
    Source(Sha256),
    /// A downloaded wheel.
    Download(Sha256),
    /// What a downloaded wheel says of itself; it goes with the wheel.
    WheelMetadata(Sha256),
    /// Which source a place stands for.
    Pointer(Pointer),
    /// What is known of a source by its bytes.
    Revision(Sha256),
    /// What an index said of a project, or the metadata of a file.
    Page(Page),
    /// What an interpreter answered about itself.
    Interpreter,
    /// A build environment.
    Environment(Installed),
    /// A built wheel.
    Wheel(Box<Built>),
    /// The way from a key to a built wheel that is not there.
    LostKey(Sha256),
    /// The log of a build.
    Log,
    /// A scratch that somebody wanted kept.
    KeptScratch,
    /// A lock; whether someone holds it is seen when it is removed.
    Lock,
    /// It stands where one of ours would, and can not be understood.
    Damaged(String),
    /// It is none of ours, and never touched.
    Stranger,
    /// A bare git repository, which sources are taken from, by the digest of its address.
    Repository(Sha256),
    /// What stands in for the repository of a folder, by the digest of all that is in it.
    StandIn(Sha256),
}

/// Which source a place stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointer {
    /// The sources that it stands for now.
    pub current: BTreeSet<Sha256>,
    /// The sources that it stood for before.
    pub former: BTreeSet<Sha256>,
    /// The sources that it knows of without standing for them: what a commit was packed to, which is asked for
    /// as long as a reference leads there.
    pub remembered: BTreeSet<Sha256>,
    /// The git repositories that they were taken from, by their names in the cache.
    pub repositories: BTreeSet<Sha256>,
    /// The project, if the place tells.
    pub project: Option<PackageName>,
    /// The file or the place, for people.
    pub label: String,
}

impl Pointer {
    /// Whether it says anything of sources; what stands in for a repository is none.
    pub(crate) fn names_sources(&self) -> bool {
        !self.current.is_empty() || !self.remembered.is_empty()
    }
}

/// What an index said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The project, if it is a project's page.
    pub project: Option<PackageName>,
    /// The files that the page lists.
    pub files: BTreeSet<Sha256>,
}

/// What a build environment holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its packages.
    pub packages: Vec<(PackageName, Version)>,
    /// The base interpreter is not there any more.
    pub is_orphan: bool,
}

/// What the record of a built wheel says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The key.
    pub key: Sha256,
    /// The project.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// The wheel's file name.
    pub filename: String,
    /// The interpreter it was built for.
    pub python: String,
    /// What it was built from.
    pub source: SourceId,
    /// Where that came from.
    pub source_label: String,
    /// The key leads here.
    pub is_reachable: bool,
}

impl Item {
    /// Returns what a kept scratch is in an inventory.
    pub(crate) fn kept_scratch(path: &Path, about: &Metadata, name: PathBuf) -> Self {
        let Size { files, bytes } = measure(path, about);
        Self {
            path: name,
            bucket: None,
            what: What::KeptScratch,
            files,
            bytes,
            used: used(about),
        }
    }

    /// Returns what people call it.
    #[must_use]
    pub fn label(&self) -> String {
        let short = |digest: &Sha256| digest.to_string()[..12].to_owned();
        match &self.what {
            What::Source(digest) => format!("source {}", short(digest)),
            What::Download(digest) => format!("downloaded wheel {}", short(digest)),
            What::WheelMetadata(digest) => {
                format!("metadata of downloaded wheel {}", short(digest))
            }
            What::Pointer(pointer) => format!("pointer of {}", pointer.label),
            What::Revision(digest) => format!("facts about source {}", short(digest)),
            What::Page(Page {
                project: Some(project),
                ..
            }) => format!("index page of {project}"),
            What::Page(_) => "metadata of a file".to_owned(),
            What::Interpreter => "facts about an interpreter".to_owned(),
            What::Environment(installed) => {
                let mut names = installed.packages.iter();
                let mut text = "environment".to_owned();
                for (name, version) in names.by_ref().take(3) {
                    text.push_str(&format!(" {name} {version}"));
                }
                if names.next().is_some() {
                    text.push_str(" ...");
                }
                text
            }
            What::Wheel(built) => format!("built wheel {}", built.filename),
            What::LostKey(key) => format!("key {}", short(key)),
            What::Log => format!("log {}", self.last()),
            What::KeptScratch => format!("kept scratch {}", self.last()),
            What::Lock => "lock".to_owned(),
            What::Repository(name) => format!("git repository {}", short(name)),
            What::StandIn(name) => format!("repository of a folder {}", short(name)),
            What::Damaged(_) | What::Stranger => self.path.display().to_string(),
        }
    }

    fn last(&self) -> String {
        let last = self.path.file_name().unwrap_or_default();
        last.to_string_lossy().into_owned()
    }
}
