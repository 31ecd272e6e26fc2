//! The metadata of a source without a wheel, where that can be: what the source fixes, then what is kept, then
//! the hook, and a build where the backend has no hook.
//!
//! What is answered is kept by source and key, so that the same answer reads no archive. A wheel that is built
//! later has to agree with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use model::{Sha256, SourceId};
use protocol::{Denial, Hook, Level};
use serde::{Deserialize, Serialize};
use sources::{CoreMetadata, Fixed, Located, Revisions, Said, Source, Spec};

use super::abreast::abreast;
use super::corridor::{Expectation, Pipeline, blocking};
use super::identify::Identified;
use super::make::Made;
use super::retrace;
use super::wheel_metadata::{name_of, read_wheel};
use crate::error::BuildError;
use crate::hook::{Goal, PREPARED};
use crate::inspect::take_metadata;
use crate::key::key_of;
use crate::outcome::{Described, Failure, MetadataOrigin};
use crate::record::{BuildRecord, Isolation};
use crate::settings::Settings;
use crate::shelf::{Kept, admits};
use crate::watch::{BuildEvent, Watcher};

/// Metadata that was served in one call, by the key of the build.
pub(crate) type Told = Mutex<BTreeMap<Sha256, Described>>;

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Answer {
    origin: MetadataOrigin,
    place: String,
    said: Said,
    isolation: Option<Isolation>,
    denials: Vec<Denial>,
}

/// Finds out what the distribution behind each spec says of itself; answers come in the order of the question.
pub async fn metadata(
    settings: Arc<Settings>,
    specs: Vec<(String, Spec)>,
    watcher: Arc<dyn Watcher>,
) -> Vec<Result<Described, Failure>> {
    let pipeline = Pipeline::new(settings, watcher);
    let all = specs.iter().map(async |(text, spec)| {
        pipeline.say(BuildEvent::Started { spec: text.clone() });
        let outcome = pipeline.metadata(spec).await;
        outcome.map_err(|error| pipeline.failed(text, &error))
    });
    abreast(all).await
}

impl Pipeline {
    async fn metadata(&self, spec: &Spec) -> Result<Described, BuildError> {
        match self.identify(&spec.clone().into()).await? {
            Identified::Wheel(file) => self.metadata_of_wheel(&file).await,
            Identified::Given(given) => self.metadata_of_given(&given).await,
            Identified::Source(source, expectation) => self.describe(&source, &expectation).await,
            Identified::Kept(kept) => self.metadata_of_kept(&kept).await,
        }
    }

    /// Returns what is kept of a wheel on the shelf, or else reads the wheel.
    pub(super) async fn metadata_of_kept(&self, kept: &Kept) -> Result<Described, BuildError> {
        let (id, key) = (&kept.record.source, &kept.record.key);
        match self.answered(id, key).await? {
            Some(answer) => Ok(answer),
            None => of_kept(kept).await,
        }
    }

    /// Finds out what every wheel of `source` says of itself, building one only if nothing else tells.
    /// Recursive through build requirements, hence boxed.
    pub(super) fn describe<'a>(
        &'a self,
        source: &'a Located,
        expectation: &'a Expectation,
    ) -> BoxFuture<'a, Result<Described, BuildError>> {
        Box::pin(async move {
            let key = self.key(source, expectation).await?;
            let is_known = match self.known(source).await? {
                Some(looked) => {
                    if let Some(fixed) = looked.fixed(expectation) {
                        return self
                            .serve(&source.id, key, of_fixed(fixed, &source.id))
                            .await;
                    }
                    true
                }
                None => false,
            };
            if let Some(answer) = self.answer_or_wheel(&source.id, &key, expectation).await? {
                return Ok(answer);
            }
            if !is_known {
                let bytes = self.materialise(source).await?;
                if bytes.id.digest != source.id.digest {
                    return self.describe(&bytes.into(), expectation).await;
                }
                let looked = self.look(&bytes).await?;
                if let Some(fixed) = looked.fixed(expectation) {
                    let package = looked.package(expectation);
                    let key = key_of(&source.id, &self.settings, package.as_ref())?;
                    return self
                        .serve(&source.id, key, of_fixed(fixed, &source.id))
                        .await;
                }
            }
            self.ask(source, expectation).await
        })
    }

    /// Has the backend say it.
    async fn ask(
        &self,
        located: &Located,
        expectation: &Expectation,
    ) -> Result<Described, BuildError> {
        let (source, looked, equipment) = self.prepare(located, expectation).await?;
        if source.id.digest != located.id.digest {
            // A local source that changed since it was looked at is another revision.
            return self.describe(&source.into(), expectation).await;
        }
        let package = looked.package(expectation);
        let key = key_of(&source.id, &self.settings, package.as_ref())?;
        let expectation = &expectation.or(looked.named.clone());
        // A wheel may come of it.
        let turn = self.turn(format!("wheel {key}"), &source.label).await?;
        if let Some(answer) = self.answer_or_wheel(&source.id, &key, expectation).await? {
            return Ok(answer);
        }
        let goal = if looked.hook_may_differ() {
            Goal::Wheel
        } else {
            Goal::Metadata
        };
        let what = (&source, &looked.system, package);
        let pipeline = self.within(&turn);
        let made = pipeline.make(goal, what, equipment, expectation).await?;
        if made.by == Hook::BuildWheel {
            let (kept, _) = self.publish(made, &source, key, expectation).await?;
            return of_kept(&kept).await;
        }
        let answer = self.judge_metadata(made, &source, expectation).await?;
        self.serve(&source.id, key, answer).await
    }

    /// Judges what the hook left.
    async fn judge_metadata(
        &self,
        made: Made,
        source: &Source,
        expectation: &Expectation,
    ) -> Result<Described, BuildError> {
        let (build, label) = (made.build.clone(), made.label.clone());
        self.say(BuildEvent::Building {
            label: label.clone(),
            build: build.name().to_owned(),
            stage: "check",
        });
        let denials = made.evidence.denials.clone();
        let (settings, expected) = (Arc::clone(&self.settings), expectation.clone());
        let id = source.id.clone();
        let judged = blocking("read metadata", move || {
            let uid = made.evidence.report.uid;
            let room = made.output(PREPARED)?;
            let token = made.home.token();
            let metadata = take_metadata(std::os::fd::AsFd::as_fd(&room), uid, token)?;
            expected.check(&metadata.name, &metadata.version)?;
            let described = Described {
                metadata,
                origin: MetadataOrigin::Hook,
                place: format!("{} of {}", made.by, made.backend),
                source: Some(id),
                isolation: Some(Isolation::from(&made.evidence.report)),
                denials: made.evidence.denials.clone(),
            };
            made.clear(&settings)?;
            Ok(described)
        })
        .await
        .map_err(|error| error.in_build(build.name(), denials));
        let told = judged.as_ref().map(|described| retrace::Told {
            denials: &described.denials,
            file: None,
            name: &described.metadata.name,
            version: &described.metadata.version,
        });
        self.sum_up(
            (&build, Goal::Metadata),
            &label,
            source,
            told.map_err(|error| (error, expectation)),
        );
        judged
    }

    /// Returns what is kept: an answer, or a wheel whose METADATA is one.
    async fn answer_or_wheel(
        &self,
        id: &SourceId,
        key: &Sha256,
        expectation: &Expectation,
    ) -> Result<Option<Described>, BuildError> {
        if let Some(answer) = self.answered(id, key).await? {
            expectation.check(&answer.metadata.name, &answer.metadata.version)?;
            return Ok(Some(answer));
        }
        match self.kept(key, expectation).await? {
            Some(kept) => of_kept(&kept).await.map(Some),
            None => Ok(None),
        }
    }

    /// Returns what was told in this call.
    fn told(&self, key: &Sha256) -> Option<Described> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.get(key).cloned()
    }

    /// Takes note of what is told; whether it is told for the first time in this call.
    fn tell(&self, key: Sha256, described: &Described) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert(key, described.clone()).is_none()
    }

    /// Returns an answer of this call, or one that is kept and was come to in isolation that is good enough.
    async fn answered(&self, id: &SourceId, key: &Sha256) -> Result<Option<Described>, BuildError> {
        if self.traces() {
            return Ok(None);
        }
        if let Some(told) = self.told(key) {
            return Ok(Some(told));
        }
        let (settings, id, key) = (Arc::clone(&self.settings), id.clone(), *key);
        blocking("look for metadata", move || {
            let admitted = |isolation: &Isolation| admits(&settings.floor, isolation);
            Ok(kept_answer(&settings, &id, &key)
                .filter(|answer| answer.isolation.as_ref().is_none_or(admitted)))
        })
        .await
    }

    /// Returns what was served under a key, however it was come to: a wheel has to agree with it.
    pub(super) async fn served(
        &self,
        id: &SourceId,
        key: &Sha256,
    ) -> Result<Option<CoreMetadata>, BuildError> {
        if let Some(told) = self.told(key) {
            return Ok(Some(told.metadata));
        }
        let (settings, id, key) = (Arc::clone(&self.settings), id.clone(), *key);
        blocking("look for metadata", move || {
            Ok(kept_answer(&settings, &id, &key).map(|answer| answer.metadata))
        })
        .await
    }

    /// Keeps an answer and returns it. What was traced, or ran without isolation, is kept by nobody.
    async fn serve(
        &self,
        id: &SourceId,
        key: Sha256,
        described: Described,
    ) -> Result<Described, BuildError> {
        let runs_code = described.origin != MetadataOrigin::Static;
        if self.traces() && runs_code {
            return Ok(described);
        }
        if self.tell(key, &described) {
            let (settings, id, kept) = (Arc::clone(&self.settings), id.clone(), described.clone());
            blocking("keep metadata", move || {
                keep(&settings, &id, &key, &kept);
                Ok(())
            })
            .await?;
        }
        Ok(described)
    }
}

fn of_fixed(fixed: Fixed, id: &SourceId) -> Described {
    Described {
        metadata: fixed.metadata,
        origin: MetadataOrigin::Static,
        place: fixed.file.to_owned(),
        source: Some(id.clone()),
        isolation: None,
        denials: Vec::new(),
    }
}

/// Reads the METADATA of a wheel on the shelf.
async fn of_kept(kept: &Kept) -> Result<Described, BuildError> {
    let kept = kept.clone();
    blocking("read a wheel", move || {
        let metadata = read_wheel(&kept.path, &name_of(&kept.record.filename)?)?;
        Ok(of_record(&kept.record, metadata))
    })
    .await
}

fn of_record(record: &BuildRecord, metadata: CoreMetadata) -> Described {
    Described {
        metadata,
        origin: MetadataOrigin::Wheel,
        place: format!("METADATA of {}", record.filename),
        source: Some(record.source.clone()),
        isolation: Some(record.isolation.clone()),
        denials: record.denials.clone(),
    }
}

/// Keeps what a wheel that was built says, unless something that was served before says the same.
pub(super) fn keep_of_wheel(settings: &Settings, record: &BuildRecord, metadata: CoreMetadata) {
    let admitted = |isolation: &Isolation| admits(&settings.floor, isolation);
    let known = kept_answer(settings, &record.source, &record.key)
        .is_some_and(|answer| answer.isolation.as_ref().is_none_or(admitted));
    if !known {
        let described = of_record(record, metadata);
        keep(settings, &record.source, &record.key, &described);
    }
}

fn keep(settings: &Settings, id: &SourceId, key: &Sha256, described: &Described) {
    let isolation = described.isolation.as_ref();
    if isolation.is_some_and(|isolation| isolation.level == Level::None) {
        return;
    }
    let answer = Answer {
        origin: described.origin,
        place: described.place.clone(),
        said: Said::from(&described.metadata),
        isolation: described.isolation.clone(),
        denials: described.denials.clone(),
    };
    Revisions::of(&settings.cache).keep_answer(id, key, &answer);
}

/// Reads an answer; one that can not be understood any more is none.
fn kept_answer(settings: &Settings, id: &SourceId, key: &Sha256) -> Option<Described> {
    let answer: Answer = Revisions::of(&settings.cache).answer(id, key)?;
    Some(Described {
        metadata: answer.said.metadata()?,
        origin: answer.origin,
        place: answer.place,
        source: Some(id.clone()),
        isolation: answer.isolation,
        denials: answer.denials,
    })
}
