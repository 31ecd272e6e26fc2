//! A version that is pinned and was built before: neither index nor source is needed.

use index::File;
use model::{HashAlgorithm, PackageName, SourceId, SourceKind, Version, VersionSpecifiers};
use sources::Pointers;

use super::corridor::{Expectation, Pipeline};
use crate::error::BuildError;
use crate::hash_book::Held;
use crate::key::key_of;
use crate::shelf::Kept;

impl Pipeline {
    /// A version that is pinned, may only be built, and was built before: its file is the one that
    /// the index named then, so neither index nor source is needed.
    pub(super) async fn pinned_and_kept(
        &self,
        name: &PackageName,
        specifiers: &VersionSpecifiers,
    ) -> Result<Option<Kept>, BuildError> {
        let settings = &self.settings;
        let Some(version) = pinned(specifiers) else {
            return Ok(None);
        };
        let wheels_count = settings.formats.allows_wheel(name);
        let again = settings.client.settings().refresh.covers(Some(name));
        if wheels_count || again {
            return Ok(None);
        }
        let (indexes, find_links) = self.places(name);
        for links in find_links {
            // A folder is read without the network; a page would have to be asked.
            let Some(folder) = links.path() else {
                return Ok(None);
            };
            if folder.exists() {
                let page = settings.client.find_links(links).await?;
                let is_rival = |file: &File| file.name() == name && file.version() == version;
                if page.files.iter().any(is_rival) {
                    return Ok(None);
                }
            }
        }
        let Some(index) = indexes.first() else {
            return Ok(None);
        };
        let Some(pointer) = Pointers::of(&settings.cache).get(&index.digest(), name, version)
        else {
            return Ok(None);
        };
        let id = SourceId {
            kind: SourceKind::Index,
            digest: pointer.digest,
            subdirectory: None,
        };
        let expectation = Expectation {
            name: Some(name.clone()),
            version: Some(version.clone()),
        };
        let held = settings.hashes.of(name, version);
        let sha256 = id.digest.sha256.to_string();
        let fits = |held: &Held| held.hashes.judge(HashAlgorithm::Sha256, &sha256) == Some(true);
        if !held.iter().all(fits) {
            return Ok(None);
        }
        self.kept(&key_of(&id, settings, Some(name))?, &expectation)
            .await
    }
}

/// The version that a requirement pins with one `==`, if it does.
fn pinned(specifiers: &VersionSpecifiers) -> Option<&Version> {
    let mut all = specifiers.iter();
    match (all.next(), all.next()) {
        (Some(only), None) if *only.operator() == pep440_rs::Operator::Equal => {
            Some(only.version())
        }
        _ => None,
    }
}
