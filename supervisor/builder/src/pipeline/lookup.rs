//! Where a project is looked for: on the one index that it is mapped to, else on the first that knows it
//! and in the further files.

use environment::{ProviderError, all_candidates};
use index::{Candidate, Choice, File, FindLinks, FormatControl, IndexUrl};
use model::{PackageName, VersionSpecifiers};

use super::corridor::Pipeline;
use super::identify::python_version;
use crate::error::BuildError;
use crate::hash_book::HashBook;

impl Pipeline {
    /// The indexes, in order, and the further files that a project is looked for in.
    pub(super) fn places(&self, name: &PackageName) -> (&[IndexUrl], &[FindLinks]) {
        let settings = &self.settings;
        match settings.mapped.get(name) {
            Some(mapped) => (mapped.index.as_slice(), &[]),
            None => (&settings.indexes, &settings.find_links),
        }
    }

    /// Every file of a project.
    pub(super) async fn files(&self, name: &PackageName) -> Result<Vec<File>, BuildError> {
        let client = &self.settings.client;
        let (indexes, find_links) = self.places(name);
        let mut files = Vec::new();
        let mut known = false;
        for index in indexes {
            if let Some(page) = client.page(index, name).await? {
                known = true;
                files.extend(page.files);
                break;
            }
        }
        for links in find_links {
            let page = client.find_links(links).await?;
            files.extend(page.files.into_iter().filter(|file| file.name() == name));
        }
        if known || !files.is_empty() {
            Ok(files)
        } else {
            Err(BuildError::UnknownProject {
                name: name.clone(),
                mapped: self.settings.mapped.get(name).cloned().map(Box::new),
            })
        }
    }

    /// Every version that a resolver may choose from, with the files that `hashes` and `formats` leave.
    pub(super) async fn candidates(
        &self,
        name: &PackageName,
        hashes: &HashBook,
        formats: &FormatControl,
    ) -> Result<Vec<Candidate>, ProviderError> {
        let settings = &self.settings;
        let files = match self.files(name).await {
            Ok(files) => hashes.fitting(files),
            Err(error @ BuildError::UnknownProject { .. }) => {
                return Err(ProviderError::Unknown {
                    reason: error.to_string(),
                });
            }
            Err(error) => return Err(ProviderError::failed(error.code(), error)),
        };
        let choice = Choice {
            name,
            specifiers: &VersionSpecifiers::empty(),
            tags: &settings.tags,
            python: &python_version(&settings.facts),
            formats,
            pre: true,
            exclude_newer: settings.exclude_newer,
        };
        Ok(all_candidates(&files, &choice))
    }

    /// Where a project is looked for alone, in words.
    pub(super) fn place_of(&self, name: &PackageName) -> Option<String> {
        self.settings.mapped.get(name).map(ToString::to_string)
    }
}
