//! The resolver's window on the world for a whole set of requirements. What a version requires comes from
//! where it costs least; what can not be learned is kept as a failure, so that everything else goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use environment::{Metadata, Provider, ProviderError};
use futures::future::BoxFuture;
use index::{Candidate, File};
use model::{PackageName, Version};
use sources::CoreMetadata;

use super::super::corridor::{Expectation, Pipeline};
use super::settle::Settled;
use crate::error::BuildError;
use crate::plan::Means;

/// Bytes of a wheel that is fetched to see its metadata ahead of need.
const CHEAP_WHEEL: u64 = 256 * 1024;

/// Answers the resolver.
pub(super) struct Window {
    pub(super) pipeline: Pipeline,
    /// Projects that what was asked for has settled.
    pub(super) settled: BTreeMap<PackageName, Settled>,
    /// What was learned of source distributions on the way.
    pub(super) found: Mutex<BTreeMap<(PackageName, Version), Found>>,
}

/// What was learned of a version.
#[derive(Clone, Default)]
pub(super) struct Found {
    /// How its wheel is come by; none for one that an index has.
    pub(super) means: Option<Means>,
    /// Why nothing was learned.
    pub(super) error: Option<Arc<BuildError>>,
    /// What it requires.
    pub(super) metadata: Metadata,
}

impl Provider for Window {
    fn candidates<'a>(
        &'a self,
        project: &'a PackageName,
    ) -> BoxFuture<'a, Result<Vec<Candidate>, ProviderError>> {
        Box::pin(async move {
            if let Some(settled) = self.settled.get(project) {
                return Ok(vec![settled.candidate.clone()]);
            }
            let settings = &self.pipeline.settings;
            let installed = settings.installed.get(project).map(|it| Candidate {
                version: it.version.clone(),
                wheel: None,
                sdist: None,
            });
            let (hashes, formats) = (&settings.hashes, &settings.formats);
            let mut all = match self.pipeline.candidates(project, hashes, formats).await {
                // What is there is enough, unless something else turns out to be wanted.
                Err(error) if installed.is_some() => {
                    tracing::debug!(%error, %project, "only what is installed is known");
                    Vec::new()
                }
                outcome => outcome?,
            };
            if let Some(installed) = installed {
                all.retain(|one| one.version != installed.version);
                all.push(installed);
            }
            Ok(all)
        })
    }

    fn metadata<'a>(
        &'a self,
        project: &'a PackageName,
        candidate: &'a Candidate,
    ) -> BoxFuture<'a, Result<Metadata, ProviderError>> {
        Box::pin(async move {
            if let Some(settled) = self.settled.get(project) {
                return Ok(settled.metadata.clone());
            }
            let learned = match (&candidate.wheel, &candidate.sdist) {
                (Some(wheel), _) => self.of_wheel(wheel).await?,
                (None, Some(sdist)) => self.of_sdist(project, candidate, sdist).await,
                (None, None) => match self.pipeline.settings.installed.get(project) {
                    Some(it) => Found {
                        means: Some(Means::Installed),
                        error: None,
                        metadata: it.metadata.clone(),
                    },
                    None => Found::default(),
                },
            };
            let metadata = learned.metadata.clone();
            self.found
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert((project.clone(), candidate.version.clone()), learned);
            Ok(metadata)
        })
    }

    fn preferred(&self, project: &PackageName) -> Option<Version> {
        let installed = self.pipeline.settings.installed.get(project)?;
        let is_settled = self.settled.contains_key(project);
        (!is_settled).then(|| installed.version.clone())
    }

    fn place(&self, project: &PackageName) -> Option<String> {
        let is_settled = self.settled.contains_key(project);
        (!is_settled).then(|| self.pipeline.place_of(project))?
    }

    fn is_cheap(&self, candidate: &Candidate) -> bool {
        candidate.wheel.as_ref().is_some_and(|wheel| {
            wheel.metadata.is_some() || wheel.size.is_some_and(|bytes| bytes <= CHEAP_WHEEL)
        })
    }
}

impl Window {
    /// What a wheel says of itself, from beside it if it is there. A version whose metadata is damaged is passed over.
    async fn of_wheel(&self, wheel: &File) -> Result<Found, ProviderError> {
        match self.pipeline.metadata_of_wheel(wheel).await {
            Ok(said) => Ok(Found::said(said.metadata, None)),
            Err(error @ (BuildError::Wheel(_) | BuildError::WrongName { .. })) => {
                let why = words(&error);
                let reason = format!("the metadata of its wheel can not be used: {why}");
                Err(ProviderError::Excluded { reason })
            }
            Err(error) => Ok(Found::broken(error)),
        }
    }

    /// What a source distribution says of itself.
    async fn of_sdist(&self, project: &PackageName, candidate: &Candidate, sdist: &File) -> Found {
        let expectation = Expectation {
            name: Some(project.clone()),
            version: Some(candidate.version.clone()),
        };
        let outcome = async {
            let hashes = &self.pipeline.settings.hashes;
            // Before a hook of it may run.
            hashes.demand(project, Some(&candidate.version), None)?;
            let held = hashes.of(project, &candidate.version);
            let mut source = self.pipeline.locate_sdist(sdist).await?;
            self.pipeline.hold(&mut source, &held).await?;
            let said = self.pipeline.describe(&source, &expectation).await?;
            let means = self.pipeline.means_of(&source, &expectation).await?;
            Ok(Found::said(said.metadata, Some(means)))
        };
        outcome.await.unwrap_or_else(Found::broken)
    }
}

impl Found {
    fn said(metadata: CoreMetadata, means: Option<Means>) -> Self {
        Self {
            means,
            error: None,
            metadata: Metadata {
                requires: metadata.requires_dist,
                requires_python: metadata.requires_python,
                extras: metadata.provides_extra,
            },
        }
    }

    /// Nothing is known of it, so nothing is required by it; that it failed is told when it is chosen.
    fn broken(error: BuildError) -> Self {
        Self {
            error: Some(Arc::new(error)),
            ..Self::default()
        }
    }
}

/// An error with its causes, on one line.
fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        next = cause.source();
    }
    words
}
