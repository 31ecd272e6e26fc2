//! What is known of a source by its bytes, so that a later answer reads no archive.
//!
//! `revisions-v1/<2 hex>/<64 hex>.json`, one a source blob; kept when the blob is not. What is read
//! back is held to the same rules as what an archive says; a record that breaks one is none. What hooks
//! and wheels answered stands there as well, by the key of the build; what such an answer is, is the
//! business of the crate that writes it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use cache::{Bucket, Cache};
use model::{ExtraName, PackageName, Sha256, SourceId, Version, lenient};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::names::printable;
use crate::{BuildSystem, CoreMetadata, ProjectTable};

/// What the record's form is called; a reader leaves others alone.
const SCHEMA: &str = "fumehood/revision/2";
/// Projects in the folders of one source.
const MOST_PROJECTS: usize = 1_000;
/// Answers about one source; the number of settings that one source is built with.
const MOST_ANSWERS: usize = 500;
/// How long the record of another process is waited for, before something is not kept.
const PATIENCE: Duration = Duration::from_secs(10);

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
    /// Answers that depend on how it is built, by the key of that.
    #[serde(default)]
    answers: BTreeMap<String, Value>,
    /// What a later release added; a change leaves it as it is.
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
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
    /// What the `[project]` table of its `pyproject.toml` fixes, if it has one.
    #[serde(default)]
    pub table: Option<ProjectTable>,
}

/// Metadata that no build can change, and the file that fixes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The metadata.
    pub metadata: CoreMetadata,
    /// `PKG-INFO` or `pyproject.toml`
    pub file: &'static str,
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
    /// `Provides-Extra`
    pub provides_extra: Vec<ExtraName>,
    /// `Dynamic`, in small letters.
    pub dynamic: Vec<String>,
}

impl From<&CoreMetadata> for Said {
    fn from(said: &CoreMetadata) -> Self {
        Self {
            metadata_version: said.metadata_version.clone(),
            name: said.name.clone(),
            version: said.version.clone(),
            requires_python: said.requires_python.as_ref().map(ToString::to_string),
            requires_dist: said.requires_dist.iter().map(ToString::to_string).collect(),
            provides_extra: said.provides_extra.clone(),
            dynamic: said.dynamic.clone(),
        }
    }
}

impl Said {
    /// Returns what was kept, if it still can be read.
    #[must_use]
    pub fn metadata(&self) -> Option<CoreMetadata> {
        let requires_python = self.requires_python.as_deref().map(lenient::specifiers);
        let requires_dist = self.requires_dist.iter();
        Some(CoreMetadata {
            metadata_version: self.metadata_version.clone(),
            name: self.name.clone(),
            version: self.version.clone(),
            requires_python: requires_python.transpose().ok()?,
            requires_dist: requires_dist
                .map(|text| lenient::requirement(text).ok())
                .collect::<Option<_>>()?,
            provides_extra: self.provides_extra.clone(),
            dynamic: self.dynamic.clone(),
        })
    }

    /// Whether it is of an sdist all of whose wheels say the same of name, version and dependencies
    /// (PEP 643). A list that is dynamic is "at least this" from version 2.6 on (PEP 808), so fixes nothing.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        const FIELDS: [&str; 5] = [
            "name",
            "version",
            "requires-dist",
            "requires-python",
            "provides-extra",
        ];
        let minor = self.metadata_version.strip_prefix("2.");
        let minor = minor.and_then(|text| text.parse::<u32>().ok());
        minor.is_some_and(|minor| minor >= 2)
            && !self
                .dynamic
                .iter()
                .any(|one| FIELDS.contains(&one.as_str()))
    }
}

impl Project {
    /// Puts together what a look into a source showed.
    #[must_use]
    pub fn new(
        system: &BuildSystem,
        pkg_info: Option<&CoreMetadata>,
        table: Option<ProjectTable>,
    ) -> Self {
        Self {
            requires: system.requires.clone(),
            backend: system.backend.clone(),
            backend_path: system.backend_path.clone(),
            said: pkg_info.map(Said::from),
            table,
        }
    }

    /// Returns the name that its `pyproject.toml` gives it.
    #[must_use]
    pub fn name(&self) -> Option<&PackageName> {
        self.table.as_ref().map(|table| &table.name)
    }

    /// Returns the metadata that every build must come to, if the source fixes it. `is_sdist` says that
    /// its PKG-INFO counts: one in a folder of somebody's work may be of any age. `version` is the one
    /// that the sdist's place names.
    #[must_use]
    pub fn fixed(&self, is_sdist: bool, version: Option<&Version>) -> Option<Fixed> {
        let of_sdist = || {
            let said = self
                .said
                .as_ref()
                .filter(|said| is_sdist && said.is_fixed())?;
            Some(Fixed {
                metadata: said.metadata()?,
                file: "PKG-INFO",
            })
        };
        let of_table = || {
            let version = version.filter(|_| is_sdist);
            Some(Fixed {
                metadata: self.table.as_ref()?.metadata(version)?,
                file: "pyproject.toml",
            })
        };
        of_sdist().or_else(of_table)
    }

    /// Whether hook and wheel may say different things of dependencies by design: hatchling lets build
    /// hooks add some to the wheel alone.
    #[must_use]
    pub fn hook_may_differ(&self) -> bool {
        let backend = self.backend.as_deref().unwrap_or_default();
        let dynamic = self.table.iter().flat_map(|table| &table.dynamic);
        backend.split(['.', ':']).next() == Some("hatchling")
            && dynamic.into_iter().any(|field| field == "dependencies")
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
                record.projects.insert(folder.clone(), project.clone());
            }
        });
    }

    /// Returns what was answered about a source when it was built under `key`.
    #[must_use]
    pub fn answer<T: DeserializeOwned>(&self, source: &SourceId, key: &Sha256) -> Option<T> {
        let mut record = self.read(&source.digest.sha256)?;
        let answer = record.answers.remove(&key.to_string())?;
        serde_json::from_value(answer)
            .inspect_err(|error| tracing::debug!(%error, "an answer can not be decoded"))
            .ok()
    }

    /// Keeps what was answered about a source under `key`, in place of what was before.
    pub fn keep_answer<T: Serialize>(&self, source: &SourceId, key: &Sha256, answer: &T) {
        let Ok(answer) = serde_json::to_value(answer) else {
            return;
        };
        self.change(&source.digest.sha256, |record| {
            let key = key.to_string();
            if record.answers.len() >= MOST_ANSWERS && !record.answers.contains_key(&key) {
                record.answers.pop_first();
            }
            record.answers.insert(key, answer.clone());
        });
    }

    /// Returns the digests by other algorithms that the blob was found to have.
    pub(crate) fn hashes(&self, source: &Sha256) -> BTreeMap<String, String> {
        self.read(source).map_or_else(BTreeMap::new, |it| it.hashes)
    }

    /// Adds digests that the blob was found to have.
    pub(crate) fn add_hashes(&self, source: &Sha256, more: BTreeMap<String, String>) {
        self.change(source, |record| record.hashes.extend(more.clone()));
    }

    /// Looks whether everything that is known of a source could be used.
    ///
    /// # Errors
    /// If not: what is wrong first.
    pub fn check(&self, source: &Sha256) -> Result<(), String> {
        let record = self.read(source).ok_or("it is not what is written here")?;
        for (folder, project) in &record.projects {
            let about = if folder.is_empty() { "." } else { folder };
            let about = printable(about);
            if project.build_system().is_none() {
                return Err(format!("the build system of `{about}` breaks the rules"));
            }
            if project
                .said
                .as_ref()
                .is_some_and(|said| said.metadata().is_none())
            {
                return Err(format!("the metadata of `{about}` can not be read"));
            }
        }
        let is_key = |key: &String| key.parse::<Sha256>().is_ok();
        match record.answers.keys().all(is_key) {
            true => Ok(()),
            false => Err("an answer is named by something else than a key".to_owned()),
        }
    }

    fn read(&self, source: &Sha256) -> Option<Record> {
        self.0
            .read_record::<Record>(&self.path(source))
            .filter(|record| record.schema == SCHEMA)
    }

    fn change(&self, source: &Sha256, change: impl Fn(&mut Record)) {
        let changed = |known: Option<Record>| {
            let mut record = known.clone().unwrap_or_else(|| Record {
                schema: SCHEMA.to_owned(),
                hashes: BTreeMap::new(),
                projects: BTreeMap::new(),
                answers: BTreeMap::new(),
                others: BTreeMap::new(),
            });
            change(&mut record);
            (known.as_ref() != Some(&record)).then_some(record)
        };
        if changed(self.read(source)).is_none() {
            return;
        }
        // Two that change at once must not lose what the other adds.
        let name = format!("revision {source}");
        let _lock = match self.0.lock(&name, &name, PATIENCE, &mut || {}) {
            Ok(lock) => lock,
            Err(error) => {
                tracing::debug!(%error, "what is known of a source is not kept");
                return;
            }
        };
        let Some(record) = changed(self.read(source)) else {
            return;
        };
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
        let project = Project::new(&system, Some(&said.unwrap()), None);
        revisions.keep(&id, project.clone());
        let mut hashes = BTreeMap::new();
        hashes.insert("sha512".to_owned(), "ab".to_owned());
        revisions.add_hashes(&id.digest.sha256, hashes.clone());
        assert_eq!(revisions.project(&id), Some(project.clone()));
        assert_eq!(project.build_system(), Some(system));
        assert_eq!(project.said.unwrap().name.as_ref(), "foo-bar");
        assert_eq!(revisions.hashes(&id.digest.sha256), hashes);
        let key = Sha256::of("key");
        assert_eq!(revisions.answer::<String>(&id, &key), None);
        revisions.keep_answer(&id, &key, &"an answer");
        assert_eq!(revisions.answer(&id, &key), Some("an answer".to_owned()));
        assert_eq!(revisions.answer::<u64>(&id, &key), None);

        let path = revisions.path(&id.digest.sha256);
        let text = cache.read_record::<Value>(&path).unwrap().to_string();
        revisions.check(&id.digest.sha256).unwrap();
        for damage in [
            text.replace("hatchling>=1", "not a requirement!"),
            text.replace("hatchling.build", "os;system"),
            text.replace("[\".\"]", "[\"../..\"]"),
            text.replace("revision/2", "revision/9"),
            text.replace("\"projects\":{", "\"projects\":{\"a\":1,"),
        ] {
            assert_ne!(damage, text);
            let damage: Value = serde_json::from_str(&damage).unwrap();
            cache.write_record(&path, &damage).unwrap();
            assert_eq!(revisions.project(&id), None);
            revisions.check(&id.digest.sha256).unwrap_err();
        }
        for damage in ["", "{", &text] {
            std::fs::write(&path, damage).unwrap();
            assert_eq!(revisions.project(&id), None);
            revisions.check(&id.digest.sha256).unwrap_err();
        }
    }
    fn said(text: &str) -> Said {
        let text = format!("Name: foo\nVersion: 1.0\nRequires-Dist: baz>1\n{text}");
        Said::from(&CoreMetadata::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn only_an_sdist_that_says_so_fixes_its_metadata() {
        for (text, fixed) in [
            ("Metadata-Version: 2.2\n", true),
            ("Metadata-Version: 2.4\nDynamic: License\n", true),
            ("Metadata-Version: 2.10\n", true),
            ("Metadata-Version: 2.1\n", false),
            ("Metadata-Version: 1.2\n", false),
            ("Metadata-Version: 2.2\nDynamic: Requires-Dist\n", false),
            ("Metadata-Version: 2.6\nDynamic: requires-dist\n", false),
            ("Metadata-Version: 2.2\nDynamic: Requires-Python\n", false),
            ("Metadata-Version: 2.2\nDynamic: Provides-Extra\n", false),
            ("Metadata-Version: 2.2\nDynamic: Version\n", false),
        ] {
            assert_eq!(said(text).is_fixed(), fixed, "{text}");
        }
        let said = said("Metadata-Version: 2.2\n");
        let metadata = said.metadata();
        let project = Project {
            said: Some(said),
            ..Project::new(&BuildSystem::legacy(), None, None)
        };
        let fixed = project.fixed(true, None);
        assert_eq!(fixed.map(|fixed| fixed.metadata), metadata);
        assert_eq!(project.fixed(false, None), None, "a folder's may be old");
    }
}
