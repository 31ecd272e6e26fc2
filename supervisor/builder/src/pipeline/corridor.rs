//! The corridor: one request from end to end, and many at once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures::future::{BoxFuture, try_join};
use model::{PackageName, Sha256, Version};
use sources::{Located, Source, Wanted};
use tokio::sync::Semaphore;

use super::abreast::abreast;
use super::describe::Told;
use super::equip::{Equipment, Memo};
use super::hold::{as_given, own};
use super::identify::Identified;
use super::look::Looked;
use super::needs::Holding;
use super::queue::Queue;
use super::turn::Turns;
use crate::error::BuildError;
use crate::hook::Goal;
use crate::key::key_of;
use crate::outcome::{Failure, Origin, Wheel};
use crate::settings::Settings;
use crate::shelf::{self, Kept};
use crate::watch::{BuildEvent, Watcher};

/// Makes a wheel of each thing that is wanted. What does not depend on a failed one is finished; answers come in
/// the order of the question. Dropping the future ends every worker.
pub async fn wheels(
    settings: Arc<Settings>,
    wanted: Vec<Wanted>,
    watcher: Arc<dyn Watcher>,
) -> Vec<Result<Wheel, Failure>> {
    let mut pipeline = Pipeline::new(settings.matched_by_locks(&wanted), watcher);
    pipeline.is_alone = wanted.len() < 2;
    abreast(wanted.iter().map(|wanted| pipeline.request(wanted))).await
}

/// Ids of builds.
pub(crate) type Builds = Mutex<BTreeSet<String>>;

/// One way through, shared by the requests of one call.
#[derive(Clone)]
pub(super) struct Pipeline {
    pub(super) settings: Arc<Settings>,
    pub(super) watcher: Arc<dyn Watcher>,
    /// Whether one thing is built, and what that needs: nothing is kept for others then.
    pub(super) is_alone: bool,
    /// Runs of hooks at a time. None is held while something else has to be built first.
    pub(super) queue: Arc<Queue>,
    /// What is being built for whom: the last needs to be built before the one before it.
    pub(super) chain: Vec<String>,
    /// The work that is held until this is done.
    pub(super) holding: Option<Holding>,
    /// Environments of this call by what they were asked to hold: equal ones are made once.
    pub(super) environments: Arc<Memo>,
    /// Work of this call that is done once.
    pub(super) turns: Arc<Turns>,
    /// Metadata that was served in this call, by the key of the build that must come to it.
    pub(super) told: Arc<Told>,
    /// Builds that made a wheel in this call.
    pub(super) built: Arc<Builds>,
}

/// What a source must turn out to be.
#[derive(Clone, Debug, Default)]
pub(super) struct Expectation {
    pub(super) name: Option<PackageName>,
    pub(super) version: Option<Version>,
}

impl Pipeline {
    /// Begins a way through.
    pub(super) fn new(settings: Arc<Settings>, watcher: Arc<dyn Watcher>) -> Self {
        Self {
            queue: Queue::new(Arc::clone(&settings.executor), settings.jobs),
            settings,
            watcher,
            is_alone: false,
            chain: Vec::new(),
            holding: None,
            environments: Arc::default(),
            turns: Arc::default(),
            told: Arc::default(),
            built: Arc::default(),
        }
    }

    /// Puts an error into words that hide what they have to.
    pub(super) fn failure(&self, label: &str, error: &BuildError) -> Failure {
        Failure::of(label, error).without(&self.settings.redactor())
    }

    async fn request(&self, wanted: &Wanted) -> Result<Wheel, Failure> {
        let (since, text) = (Instant::now(), wanted.spec.to_string());
        let text = text.as_str();
        self.say(BuildEvent::Started {
            spec: text.to_owned(),
        });
        let made = self.wheel(wanted).await;
        match made.map_err(|error| as_given(error, wanted)) {
            Ok(mut wheel) => {
                wheel.seconds = since.elapsed().as_secs_f64();
                self.say(BuildEvent::Finished {
                    label: wheel.filename.clone(),
                    origin: wheel.origin,
                    seconds: wheel.seconds,
                });
                Ok(wheel)
            }
            Err(error) => {
                self.say(BuildEvent::Failed {
                    label: text.to_owned(),
                    code: error.code(),
                });
                Err(self.failure(text, &error))
            }
        }
    }

    /// One request to one wheel.
    async fn wheel(&self, wanted: &Wanted) -> Result<Wheel, BuildError> {
        match self.identify(wanted).await? {
            Identified::Wheel(file) => {
                let place = wanted.place.as_ref();
                self.download_wheel(&file, own(wanted), place).await
            }
            Identified::Given(given) => self.take_given(&given).await,
            Identified::Source(source, expectation) => {
                let (kept, origin) = self.build(&source, &expectation).await?;
                Ok(Wheel {
                    commit: source.commit.clone(),
                    ..wheel_of(kept, origin)
                })
            }
            Identified::Kept(kept) => Ok(wheel_of(*kept, Origin::Cached)),
        }
    }

    /// One source to one wheel on the shelf. Recursive through build requirements that have to be
    /// built themselves, hence boxed.
    pub(super) fn build<'a>(
        &'a self,
        source: &'a Located,
        expectation: &'a Expectation,
    ) -> BoxFuture<'a, Result<(Kept, Origin), BuildError>> {
        Box::pin(async move {
            let key = self.key(source, expectation).await?;
            if let Some(kept) = self.kept(&key, expectation).await? {
                return Ok((kept, Origin::Cached));
            }
            let located = source;
            let (source, looked, equipment) = self.prepare(located, expectation).await?;
            if source.id.digest != located.id.digest {
                // A local source that changed since it was looked at is another revision.
                return self.build(&source.into(), expectation).await;
            }
            let package = looked.package(expectation);
            let key = key_of(&source.id, &self.settings, package.as_ref())?;
            let expectation = &expectation.or(looked.named);
            let system = looked.system;
            // Taken only now: what has to be built first was built without holding it, so two
            // projects that need each other wait for no lock.
            let turn = self.turn(format!("wheel {key}"), &source.label).await?;
            if let Some(kept) = self.kept(&key, expectation).await? {
                return Ok((kept, Origin::Cached));
            }
            let goal = Goal::Wheel;
            let what = (&source, &system, package);
            let pipeline = self.within(&turn);
            let made = pipeline.make(goal, what, equipment, expectation).await?;
            self.publish(made, &source, key, expectation).await
        })
    }

    /// Gets the bytes of a source and an environment to build it in; at the same time, if it is
    /// known from an earlier look how it is built.
    pub(super) async fn prepare(
        &self,
        located: &Located,
        expectation: &Expectation,
    ) -> Result<(Source, Looked, Equipment), BuildError> {
        if let Some(looked) = self.known(located).await? {
            let name = looked.package(expectation);
            let (source, equipment) = try_join(
                self.materialise(located),
                self.equip(&located.label, &looked.system, name.as_ref()),
            )
            .await?;
            return Ok((source, looked, equipment));
        }
        let source = self.materialise(located).await?;
        let looked = self.look(&source).await?;
        let equipment = self
            .equip(
                &source.label,
                &looked.system,
                looked.package(expectation).as_ref(),
            )
            .await?;
        Ok((source, looked, equipment))
    }

    /// Looks on the shelf.
    pub(super) async fn kept(
        &self,
        key: &Sha256,
        expectation: &Expectation,
    ) -> Result<Option<Kept>, BuildError> {
        if self.traces() {
            return Ok(None);
        }
        let settings = Arc::clone(&self.settings);
        let key = *key;
        let found = looking("look on the shelf", move || {
            Ok(shelf::find(&settings.cache, &key, &settings.floor))
        })
        .await?;
        match found {
            Some(kept) => {
                expectation.check(&kept.record.name, &kept.record.version)?;
                Ok(Some(kept))
            }
            None => Ok(None),
        }
    }

    pub(super) fn say(&self, event: BuildEvent) {
        self.watcher.event(&event);
    }

    pub(super) fn note(&self, label: &str, text: impl Into<String>) {
        self.say(BuildEvent::Note {
            label: label.to_owned(),
            text: text.into(),
        });
    }

    /// The same pipeline, one step further down a chain of builds.
    pub(super) fn deeper(&self, label: &str) -> Self {
        let mut deeper = self.clone();
        deeper.chain.push(label.to_owned());
        deeper
    }
}

impl Expectation {
    /// What was not asked for is expected as the source says it of itself.
    pub(super) fn or(&self, named: Option<(PackageName, Version)>) -> Self {
        let (name, version) = named.unzip();
        match &self.name {
            // The metadata of another project says nothing of this one's version.
            Some(asked) if name.as_ref().is_some_and(|name| name != asked) => self.clone(),
            _ => Self {
                name: self.name.clone().or(name),
                version: self.version.clone().or(version),
            },
        }
    }

    /// Compares with what the metadata says.
    pub(super) fn check(&self, name: &PackageName, version: &Version) -> Result<(), BuildError> {
        let name_fits = self.name.as_ref().is_none_or(|wanted| wanted == name);
        let version_fits = self.version.as_ref().is_none_or(|wanted| wanted == version);
        if name_fits && version_fits {
            return Ok(());
        }
        let wanted = match (&self.name, &self.version) {
            (Some(name), Some(version)) => format!("{name} {version}"),
            (Some(name), None) => name.to_string(),
            (None, Some(version)) => version.to_string(),
            (None, None) => String::new(),
        };
        Err(BuildError::WrongName {
            wanted,
            found: format!("{name} {version}"),
        })
    }
}

pub(super) fn wheel_of(kept: Kept, origin: Origin) -> Wheel {
    let Kept {
        path,
        record_path,
        record,
    } = kept;
    let mut isolation = record.isolation.clone();
    if origin == Origin::Cached {
        isolation.built_at = Some(record.built_at);
    }
    Wheel {
        name: record.name,
        version: record.version,
        filename: record.filename,
        path,
        sha256: record.wheel.sha256,
        size: record.wheel.size,
        origin,
        source: Some(record.source),
        commit: None,
        isolation: Some(isolation),
        denials: record.denials,
        notes: record.notes,
        seconds: 0.0,
        record: Some(record_path),
    }
}

/// Looks at so many places in the cache at a time. Each takes a thread while it lasts, a new one if none is idle, and a
/// look is over sooner than a thread is made.
static LOOKS: Semaphore = Semaphore::const_new(8);

/// Runs a short look into files, which waits for nobody.
pub(super) async fn looking<T: Send + 'static>(
    doing: &'static str,
    look: impl FnOnce() -> Result<T, BuildError> + Send + 'static,
) -> Result<T, BuildError> {
    // Nobody closes it.
    let _permit = LOOKS.acquire().await;
    blocking(doing, look).await
}

/// Runs file work where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> Result<T, BuildError> + Send + 'static,
) -> Result<T, BuildError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(BuildError::Task { doing }),
    }
}
