//! A spec that names a git repository: which bytes its commit stands for.

use std::sync::Arc;

use cache::Sealed;
use model::{Sha256, SourceId};
use sources::{GitUrl, Reference, Spec};

use super::corridor::{Expectation, Pipeline};
use super::identify::Identified;
use super::turn::Found;
use crate::error::BuildError;
use crate::git::{Asked, OnWait, acquire, stand_in};
use crate::key::key_of;
use crate::watch::BuildEvent;

impl Pipeline {
    /// Has the `.git` of a folder made that goes with it. A repository that git can not read is noted
    /// and left out, for most projects do not need it.
    pub(super) async fn repository_of(&self, spec: &Spec) -> Result<Option<Sealed>, BuildError> {
        let Spec::Directory { path, .. } = spec else {
            return Ok(None);
        };
        match stand_in(&self.settings, path).await {
            Err(BuildError::Git(error)) => {
                let text = format!("built without its repository: {error}");
                self.note(&spec.to_string(), text);
                Ok(None)
            }
            outcome => outcome,
        }
    }

    /// Finds out what a commit stands for.
    pub(super) async fn repository(
        &self,
        spec: &Spec,
        url: &GitUrl,
        reference: Option<&Reference>,
        subdirectory: Option<&str>,
    ) -> Result<Identified, BuildError> {
        let settings = &self.settings;
        let expectation = Expectation {
            name: spec.name().cloned(),
            version: None,
        };
        let wanted = &expectation;
        let is_built = |id: SourceId| -> futures::future::BoxFuture<'_, _> {
            Box::pin(async move {
                let kept = self
                    .kept(&key_of(&id, settings, wanted.name.as_ref())?, wanted)
                    .await?;
                Ok(kept.is_some())
            })
        };
        let label = spec.to_string();
        let work = work_of(url, reference);
        let _turn = self.turn(work.clone(), &label).await?;
        let mut again = settings.client.settings().refresh.covers(spec.name());
        // A reference that was asked about in this call is the commit that it was then.
        let known = match self.turns.found(&work) {
            Some(Found::Commit(commit)) => commit.parse::<Reference>().ok(),
            Some(Found::Bytes(_)) | None => None,
        };
        again &= known.is_none();
        let asked = Asked {
            url,
            reference: known.as_ref().or(reference),
            written: reference,
            subdirectory,
            label: label.clone(),
            again,
            is_built: &is_built,
        };
        let watcher = Arc::clone(&self.watcher);
        let on_wait: OnWait = Arc::new(move |label: &str| {
            watcher.event(&BuildEvent::Waiting {
                label: label.to_owned(),
                what: "another process that fetches from it".to_owned(),
            });
        });
        let (located, notes) = acquire(settings, &asked, &on_wait).await?;
        if let Some(commit) = &located.commit {
            self.turns.note(work, Found::Commit(commit.clone()));
        }
        for text in notes {
            self.note(&label, text);
        }
        Ok(Identified::Source(Box::new(located), expectation))
    }
}

/// Names the work of finding out what a reference stands for. Credentials are no part of an address's digest.
fn work_of(url: &GitUrl, reference: Option<&Reference>) -> String {
    let reference = reference.map_or("", Reference::as_str);
    format!("source in git {} {}", url.digest(), Sha256::of(reference))
}
