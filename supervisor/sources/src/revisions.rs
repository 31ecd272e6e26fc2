//! What is known of a source by its bytes, so that a later answer reads no archive.
//!
//! `revisions-v1/<2 hex>/<64 hex>.json`, one a source blob; kept when the blob is not. What is read
//! back is held to the same rules as what an archive says; a record that breaks one is none.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cache::{Bucket, Cache};
use model::{PackageName, Sha256, SourceId, Version};
use serde::{Deserialize, Serialize};

use crate::{BuildSystem, CoreMetadata};

/// What the record's form is called; a reader leaves others alone.
const SCHEMA: &str = "fumehood/revision/1";
/// Projects in the folders of one source.
const MOST_PROJECTS: usize = 1_000;

/// What is known of one source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    schema: String,
    /// Digests by other algorithms that were checked, in small letters.
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    /// By folder; the top is empty.
    #[serde(default)]
    projects: BTreeMap<String, Project>,
}

/// A project in a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    requires: Vec<String>,
    backend: Option<String>,
    backend_path: Vec<String>,
    /// What its `PKG-INFO` says, if it has one that can be read.
    #[serde(default)]
    pub said: Option<Said>,
}

/// The essentials of a `PKG-INFO`: a claim, like everything in a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// `Metadata-Version`
    pub metadata_version: String,
    /// `Name`
    pub name: PackageName,
    /// `Version`
    pub version: Version,
    /// `Requires-Python`
    pub requires_python: Option<String>,
    /// `Requires-Dist`
    pub requires_dist: Vec<String>,
    /// `Dynamic`, in small letters.
    pub dynamic: Vec<String>,
}

impl Project {
    /// Puts together what a look into a source showed.
    #[must_use]
    pub fn new(system: &BuildSystem, pkg_info: Option<&CoreMetadata>) -> Self {
        Self {
            requires: system.requires.clone(),
            backend: system.backend.clone(),
            backend_path: system.backend_path.clone(),
            said: pkg_info.map(|said| Said {
                metadata_version: said.metadata_version.clone(),
                name: said.name.clone(),
                version: said.version.clone(),
                requires_python: said.requires_python.as_ref().map(ToString::to_string),
                requires_dist: said.requires_dist.iter().map(ToString::to_string).collect(),
                dynamic: said.dynamic.clone(),
            }),
        }
    }

    /// Returns the build system, if what was kept still keeps the rules.
    #[must_use]
    pub fn build_system(&self) -> Option<BuildSystem> {
        let system = BuildSystem {
            requires: self.requires.clone(),
            backend: self.backend.clone(),
            backend_path: self.backend_path.clone(),
        };
        system.is_valid().then_some(system)
    }
}

/// The records of a cache.
#[derive(Clone, Copy, Debug)]
pub struct Revisions<'a>(&'a Cache);

impl<'a> Revisions<'a> {
    /// Returns the records of `cache`.
    #[must_use]
    pub fn of(cache: &'a Cache) -> Self {
        Self(cache)
    }

    /// Returns what is known of the project of a source.
    #[must_use]
    pub fn project(&self, source: &SourceId) -> Option<Project> {
        let folder = source.subdirectory.as_deref().unwrap_or_default();
        let project = self.read(&source.digest.sha256)?.projects.remove(folder)?;
        project.build_system().map(|_| project)
    }

    /// Keeps what a look into a source showed. A failure costs time later, nothing else.
    pub fn keep(&self, source: &SourceId, project: Project) {
        let folder = source.subdirectory.clone().unwrap_or_default();
        self.change(&source.digest.sha256, |record| {
            if record.projects.len() < MOST_PROJECTS {
                record.projects.insert(folder, project);
            }
        });
    }

    /// Returns the digests by other algorithms that the blob was found to have.
    pub(crate) fn hashes(&self, source: &Sha256) -> BTreeMap<String, String> {
        self.read(source).map_or_else(BTreeMap::new, |it| it.hashes)
    }

    /// Adds digests that the blob was found to have.
    pub(crate) fn add_hashes(&self, source: &Sha256, more: BTreeMap<String, String>) {
        self.change(source, |record| record.hashes.extend(more));
    }

    fn read(&self, source: &Sha256) -> Option<Record> {
        self.0
            .read_record::<Record>(&self.path(source))
            .filter(|record| record.schema == SCHEMA)
    }

    fn change(&self, source: &Sha256, change: impl FnOnce(&mut Record)) {
        let known = self.read(source);
        let mut record = known.clone().unwrap_or_else(|| Record {
            schema: SCHEMA.to_owned(),
            hashes: BTreeMap::new(),
            projects: BTreeMap::new(),
        });
        change(&mut record);
        if known.as_ref() == Some(&record) {
            return;
        }
        if let Err(error) = self.0.write_record(&self.path(source), &record) {
            tracing::debug!(%error, "what is known of a source is not kept");
        }
    }

    fn path(&self, source: &Sha256) -> PathBuf {
        let name = source.to_string();
        self.0
            .bucket(Bucket::Revisions)
            .join(&name[..2])
            .join(format!("{name}.json"))
    }
}

#[cfg(test)]
mod tests {
    use model::{Digest, SourceKind};

    use super::*;

    #[test]
    fn what_is_kept_is_held_to_the_rules_again_and_damage_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("cache")).unwrap();
        let revisions = Revisions::of(&cache);
        let id = SourceId {
            kind: SourceKind::Url,
            digest: Digest {
                sha256: Sha256::of("x"),
                size: 1,
            },
            subdirectory: Some("src".to_owned()),
        };
        assert_eq!(revisions.project(&id), None);
        let system = BuildSystem {
            requires: vec!["hatchling>=1".to_owned()],
            backend: Some("hatchling.build".to_owned()),
            backend_path: vec![".".to_owned()],
        };
        let said = CoreMetadata::parse(
            b"Metadata-Version: 2.2\nName: Foo.Bar\nVersion: 1.0\nRequires-Dist: baz>1\n",
        );
        let project = Project::new(&system, Some(&said.unwrap()));
        revisions.keep(&id, project.clone());
        let mut hashes = BTreeMap::new();
        hashes.insert("sha512".to_owned(), "ab".to_owned());
        revisions.add_hashes(&id.digest.sha256, hashes.clone());
        assert_eq!(revisions.project(&id), Some(project.clone()));
        assert_eq!(project.build_system(), Some(system));
        assert_eq!(project.said.unwrap().name.as_ref(), "foo-bar");
        assert_eq!(revisions.hashes(&id.digest.sha256), hashes);

        let path = revisions.path(&id.digest.sha256);
        let text = std::fs::read_to_string(&path).unwrap();
        for damage in [
            text.replace("hatchling>=1", "not a requirement!"),
            text.replace("hatchling.build", "os;system"),
            text.replace("[\".\"]", "[\"../..\"]"),
            text.replace("revision/1", "revision/9"),
            String::new(),
            "{".to_owned(),
        ] {
            assert_ne!(damage, text);
            std::fs::write(&path, damage).unwrap();
            assert_eq!(revisions.project(&id), None);
        }
    }
}
