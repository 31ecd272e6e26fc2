//! Holding what came, or would be built, to the hashes and constraints that somebody gave.

use std::path::Path;

use index::IndexError;
use model::{Digest, HashAlgorithm, Hashes, Requirement, VersionSpecifiers};
use sources::{Located, SourceError, Spec, Wanted};

use super::corridor::{Pipeline, blocking};
use super::identify::{Identified, specifiers_of};
use crate::error::BuildError;
use crate::hash_book::Held;

/// The hashes that stand with a request itself.
pub(super) fn own(wanted: &Wanted) -> Option<Held> {
    (!wanted.hashes.is_empty()).then(|| Held {
        hashes: wanted.hashes.clone(),
        place: wanted.place.clone(),
    })
}

/// What does not have the digest of a lock is not what whoever locked it saw: the index promised nothing.
pub(super) fn as_given(error: BuildError, wanted: &Wanted) -> BuildError {
    if !matches!(wanted.spec, Spec::Listed(_)) {
        return error;
    }
    let found = match &error {
        BuildError::Index(IndexError::Lied { found, .. })
        | BuildError::Source(SourceError::Index(IndexError::Lied { found, .. })) => **found,
        // What came now, or what the place is known to hold: one of the two is the lock's own word.
        BuildError::Source(SourceError::Replaced {
            expected, found, ..
        }) => {
            let given = found.to_string();
            let is_given = wanted.hashes.judge(HashAlgorithm::Sha256, &given) == Some(true);
            if is_given { **expected } else { **found }
        }
        _ => return error,
    };
    own(wanted).map_or(error, |held| held.wrong(&wanted.spec.to_string(), found))
}

impl Pipeline {
    /// Finds out what a request stands for, and holds it to its hashes.
    pub(super) async fn identify(&self, wanted: &Wanted) -> Result<Identified, BuildError> {
        if let Spec::Named(requirement) = &wanted.spec {
            return self.named(requirement, wanted.place.as_ref()).await;
        }
        if let Some(who) = &self.settings.hashes.required
            && let Some(why) = unhashed(wanted)
        {
            return Err(BuildError::HashMissing {
                label: format!("`{}`", wanted.spec),
                place: wanted.place.clone(),
                why: format!("{who} wants a hash of everything, and {why}"),
            });
        }
        let mut identified = self.identify_spec(&wanted.spec).await?;
        let mut held: Vec<_> = own(wanted).into_iter().collect();
        let located = match &mut identified {
            Identified::Source(located, _) => &mut **located,
            Identified::Given(given) => {
                let (name, version) = (&given.file.parts.name, &given.file.parts.version);
                held.extend(self.settings.hashes.of(name, version));
                &mut given.located
            }
            Identified::Wheel(_) | Identified::Kept(_) => return Ok(identified),
        };
        self.hold(located, &held).await?;
        // A local file may change at any time: what was held is taken into the cache now.
        if let Spec::Archive { sha256, hashes, .. } = &wanted.spec
            && (!held.is_empty() || sha256.is_some() || !hashes.is_empty())
        {
            let taken = self.materialise(located).await?;
            self.check_same(located, &taken)?;
            *located = taken.into();
        }
        Ok(identified)
    }

    /// Returns the versions that a requirement allows under the constraints.
    pub(super) fn constrained(&self, requirement: &Requirement) -> VersionSpecifiers {
        let settings = &self.settings;
        let constraints = settings.constraints.iter().filter(|constraint| {
            constraint.name == requirement.name
                && constraint.marker.evaluate(&settings.facts.markers, &[])
        });
        let own = specifiers_of(requirement);
        let all = constraints.flat_map(|constraint| specifiers_of(constraint).to_vec());
        own.iter().cloned().chain(all).collect()
    }

    /// Refuses a source that has none of the hashes.
    pub(super) async fn hold(&self, source: &mut Located, held: &[Held]) -> Result<(), BuildError> {
        for one in held {
            let sha256 = source.id.digest.sha256;
            let by_name = one.hashes.judge(HashAlgorithm::Sha256, &sha256.to_string());
            if by_name == Some(true) {
                continue;
            }
            let others = one
                .hashes
                .algorithms()
                .any(|one| one != HashAlgorithm::Sha256);
            if !others {
                return Err(one.wrong(&source.label, sha256));
            }
            // Other algorithms need the bytes.
            let there = self.materialise(source).await?;
            let digest = there.id.digest;
            if digest.sha256 != sha256 {
                *source = there.clone().into();
            }
            self.hold_blob(
                &there.label,
                &digest,
                &there.path,
                std::slice::from_ref(one),
            )
            .await?;
        }
        Ok(())
    }

    /// Refuses a file of the cache that has none of the hashes.
    pub(super) async fn hold_blob(
        &self,
        label: &str,
        digest: &Digest,
        path: &Path,
        held: &[Held],
    ) -> Result<(), BuildError> {
        for one in held {
            let by_name = one
                .hashes
                .judge(HashAlgorithm::Sha256, &digest.sha256.to_string());
            if by_name == Some(true) || fits(one.hashes.clone(), path).await? {
                continue;
            }
            return Err(one.wrong(label, digest.sha256));
        }
        Ok(())
    }
}

/// Whether a file has one of the hashes.
async fn fits(hashes: Hashes, path: &Path) -> Result<bool, BuildError> {
    let path = path.to_owned();
    blocking("hash a file", move || {
        std::fs::File::open(&path)
            .and_then(|file| hashes.fit(file))
            .map_err(|source| BuildError::Io {
                doing: "read",
                path,
                source,
            })
    })
    .await
}

/// Why there is no hash for what is not looked up by name; none if there is one.
fn unhashed(wanted: &Wanted) -> Option<&'static str> {
    let of_url = match &wanted.spec {
        Spec::Url { sha256, hashes, .. } | Spec::Archive { sha256, hashes, .. } => {
            sha256.is_some() || !hashes.is_empty()
        }
        Spec::Git { .. } => return Some("a repository has none: give an archive of the commit"),
        Spec::Directory { .. } => return Some("a folder has none: give an archive of it"),
        Spec::Named(_) | Spec::Listed(_) => return None,
    };
    (!of_url && wanted.hashes.is_empty()).then_some("none was given for it")
}
