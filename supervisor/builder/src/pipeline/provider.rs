//! The resolver's window on the world: index pages, metadata, and builds where there is no wheel.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use environment::{InstallError, Metadata, Provider, ProviderError, WheelInput};
use futures::future::BoxFuture;
use index::{Candidate, FormatControl};
use model::{PackageName, Version, WheelFilename};
use sources::CoreMetadata;

use super::corridor::{Expectation, Pipeline};
use super::direct::Fixed;
use crate::error::BuildError;
use crate::inspect::BadWheel;

/// Answers the resolver for the build requirements of one source.
pub(super) struct BuildProvider {
    pub(super) pipeline: Pipeline,
    /// Projects that a URL has settled.
    pub(super) fixed: BTreeMap<PackageName, Candidate>,
    /// Wheels that were fetched or built while resolving.
    pub(super) wheels: Mutex<BTreeMap<(PackageName, Version), WheelInput>>,
}

impl Provider for BuildProvider {
    fn candidates<'a>(
        &'a self,
        project: &'a PackageName,
    ) -> BoxFuture<'a, Result<Vec<Candidate>, ProviderError>> {
        Box::pin(async move {
            if let Some(only) = self.fixed.get(project) {
                return Ok(vec![only.clone()]);
            }
            let settings = &self.pipeline.settings;
            let formats = for_requirements(&settings.formats);
            let hashes = &settings.build_hashes;
            self.pipeline.candidates(project, hashes, &formats).await
        })
    }

    fn place(&self, project: &PackageName) -> Option<String> {
        let is_fixed = self.fixed.contains_key(project);
        (!is_fixed).then(|| self.pipeline.place_of(project))?
    }

    fn metadata<'a>(
        &'a self,
        project: &'a PackageName,
        candidate: &'a Candidate,
    ) -> BoxFuture<'a, Result<Metadata, ProviderError>> {
        Box::pin(async move {
            let metadata = match self.read_metadata(project, candidate).await {
                Ok(metadata) => metadata,
                Err(error) => return Err(ProviderError::failed(error.code(), error)),
            };
            Ok(Metadata {
                requires: metadata.requires_dist,
                requires_python: metadata.requires_python,
                extras: metadata.provides_extra,
            })
        })
    }
}

/// `:all:` speaks of what was asked for, not of what it is built with: projects that are named are
/// held to the flag everywhere.
fn for_requirements(formats: &FormatControl) -> FormatControl {
    formats.without_all()
}

impl BuildProvider {
    async fn read_metadata(
        &self,
        project: &PackageName,
        candidate: &Candidate,
    ) -> Result<CoreMetadata, BuildError> {
        if let Some(wheel) = &candidate.wheel {
            let known = self.pipeline.metadata_beside(wheel).await;
            if let Some(known) = known.map_err(|error| of_wheel(&wheel.filename, error))? {
                return Ok(known);
            }
        }
        let input = self.wheel(project, candidate).await?;
        let label = input.filename.to_string();
        let read = self
            .pipeline
            .metadata_in_blob(&input.sha256, input.path, input.filename);
        read.await.map_err(|error| of_wheel(&label, error))
    }

    /// The wheel of a candidate: fetched, or built first.
    pub(super) async fn wheel(
        &self,
        project: &PackageName,
        candidate: &Candidate,
    ) -> Result<WheelInput, BuildError> {
        let key = (project.clone(), candidate.version.clone());
        if let Some(known) = self
            .wheels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            return Ok(known.clone());
        }
        let hashes = &self.pipeline.settings.build_hashes;
        hashes.demand(project, Some(&candidate.version), None)?;
        let held = hashes.of(project, &candidate.version);
        let input = match (&candidate.wheel, &candidate.sdist) {
            (Some(wheel), _) => {
                let (digest, path) = self.pipeline.fetch_wheel(wheel).await?;
                self.pipeline
                    .hold_blob(&wheel.filename, &digest, &path, &held)
                    .await?;
                input(path, &wheel.filename, digest.sha256)?
            }
            (None, Some(sdist)) => self.build_first(project, candidate, sdist).await?,
            (None, None) => {
                let why = "neither a wheel for this Python nor an sdist";
                return Err(BuildError::NoSource {
                    name: key.0,
                    version: key.1,
                    why,
                });
            }
        };
        self.wheels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, input.clone());
        Ok(input)
    }

    async fn build_first(
        &self,
        project: &PackageName,
        candidate: &Candidate,
        sdist: &index::File,
    ) -> Result<WheelInput, BuildError> {
        let label = format!("{project} {}", candidate.version);
        let chain = &self.pipeline.chain;
        if chain
            .iter()
            .any(|one| one.split(' ').next() == Some(project.as_ref()))
        {
            let mut chain = chain.clone();
            chain.push(label);
            return Err(BuildError::Cycle { chain });
        }
        let pipeline = self.pipeline.deeper(&label);
        let expectation = Expectation {
            name: Some(project.clone()),
            version: Some(candidate.version.clone()),
        };
        let outcome = async {
            let mut source = pipeline.locate_sdist(sdist).await?;
            let hashes = &pipeline.settings.build_hashes;
            let held = hashes.of(project, &candidate.version);
            pipeline.hold(&mut source, &held).await?;
            let (kept, _) = pipeline.build(&source, &expectation).await?;
            input(kept.path, &kept.record.filename, kept.record.wheel.sha256)
        };
        outcome.await.map_err(|error| match error {
            cycle @ BuildError::Cycle { .. } => cycle,
            other => BuildError::BuildFirst {
                name: project.clone(),
                version: candidate.version.clone(),
                source: Box::new(other),
            },
        })
    }
}

pub(super) fn input(
    path: PathBuf,
    filename: &str,
    sha256: model::Sha256,
) -> Result<WheelInput, BuildError> {
    let parsed = WheelFilename::parse(filename).map_err(|_| BuildError::Task {
        doing: "name a wheel",
    })?;
    Ok(WheelInput {
        path,
        filename: parsed,
        sha256,
    })
}

/// Says of which build requirement a wheel or its metadata is no good.
fn of_wheel(label: &str, error: BuildError) -> BuildError {
    match error {
        BuildError::Wheel(BadWheel::Metadata(why)) => BuildError::BuildRequires {
            requirement: label.to_owned(),
            origin: "metadata of a wheel",
            why: why.to_string(),
        },
        BuildError::Wheel(bad) => BuildError::Install(InstallError::BadWheel {
            wheel: label.to_owned(),
            reason: bad.to_string(),
        }),
        other => other,
    }
}

/// Shares one provider between resolver and pipeline.
pub(super) fn provider(pipeline: &Pipeline, fixed: Fixed) -> Arc<BuildProvider> {
    let mut wheels = BTreeMap::new();
    let mut only = BTreeMap::new();
    for (name, (candidate, wheel)) in fixed {
        wheels.insert((name.clone(), candidate.version.clone()), wheel);
        only.insert(name, candidate);
    }
    Arc::new(BuildProvider {
        pipeline: pipeline.clone(),
        fixed: only,
        wheels: Mutex::new(wheels),
    })
}
