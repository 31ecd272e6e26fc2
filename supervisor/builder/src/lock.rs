//! What builds used, pinned: from their records, and those of what was built for them first.

use std::collections::{BTreeMap, BTreeSet};

use cache::{Bucket, Cache};
use model::{PackageName, Sha256, Version, WheelFilename};

use crate::record::BuildRecord;
use crate::shelf;

/// The packages of build environments: versions, and the hashes of the files that they came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildLock(BTreeMap<PackageName, (Version, BTreeSet<Sha256>)>);

/// Why no lock can be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Two environments need different versions.
    #[error("the builds used {name} {one} and {other}, and one file pins one version")]
    Versions {
        /// The project.
        name: PackageName,
        /// A version.
        one: Version,
        /// Another one.
        other: Version,
    },
    /// It is not known any more which file a wheel was made of.
    #[error("it is not known any more where the build requirement `{filename}` came from")]
    Forgotten {
        /// The wheel.
        filename: String,
    },
}

impl BuildLock {
    /// Adds what the build of `record` used.
    ///
    /// # Errors
    /// If it contradicts what is in it, or a record is gone.
    pub fn add(&mut self, cache: &Cache, record: &BuildRecord) -> Result<(), LockError> {
        let built: BTreeMap<Sha256, BuildRecord> = shelf::records(cache)
            .map(|(_, record)| (record.wheel.sha256, record))
            .collect();
        let mut seen = BTreeSet::new();
        let mut open = vec![record];
        while let Some(record) = open.pop() {
            for (filename, sha256) in &record.environment.wheels {
                let forgotten = || LockError::Forgotten {
                    filename: filename.clone(),
                };
                let wheel = WheelFilename::parse(filename).map_err(|_| forgotten())?;
                // Of what was built here the source is what came from somewhere.
                let hash = match built.get(sha256) {
                    Some(first) => {
                        if seen.insert(first.key) {
                            open.push(first);
                        }
                        first.source.digest.sha256
                    }
                    None if cache.blob_path(Bucket::Downloads, sha256).is_file() => *sha256,
                    None => return Err(forgotten()),
                };
                self.pin(wheel.name, wheel.version, hash)?;
            }
        }
        Ok(())
    }

    fn pin(&mut self, name: PackageName, version: Version, hash: Sha256) -> Result<(), LockError> {
        let (pinned, hashes) = self
            .0
            .entry(name.clone())
            .or_insert_with(|| (version.clone(), BTreeSet::new()));
        if *pinned != version {
            return Err(LockError::Versions {
                name,
                one: pinned.clone(),
                other: version,
            });
        }
        hashes.insert(hash);
        Ok(())
    }

    /// Returns the lines of a file of build constraints.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, (version, hashes)) in &self.0 {
            text.push_str(&format!("{name}=={version}"));
            for hash in hashes {
                text.push_str(&format!(" \\\n    --hash=sha256:{hash}"));
            }
            text.push('\n');
        }
        text
    }
}
