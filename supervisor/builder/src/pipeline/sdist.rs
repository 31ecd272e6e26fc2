//! From a folder to an sdist, and from that sdist to a wheel.

use std::fs::File;
use std::sync::Arc;
use std::time::Instant;

use cache::Bucket;
use sources::{Located, Source, Spec};

use super::corridor::{Expectation, Pipeline, blocking, wheel_of};
use super::identify::Identified;
use super::make::Made;
use super::retrace::Told;
use crate::error::BuildError;
use crate::hook::{Goal, OUTPUT};
use crate::inspect::{ExpectedSdist, judge_sdist, take_output};
use crate::outcome::{Built, Failure, Origin, Sdist, Wheel};
use crate::record::Isolation;
use crate::settings::Settings;
use crate::watch::{BuildEvent, Watcher};

/// Makes an sdist of what `spec` names, and with `wheel` a wheel from that sdist.
pub async fn build(
    settings: Arc<Settings>,
    (text, spec): &(String, Spec),
    wheel: bool,
    watcher: Arc<dyn Watcher>,
) -> Built {
    let pipeline = Pipeline::new(settings, watcher);
    pipeline.say(BuildEvent::Started { spec: text.clone() });
    let since = Instant::now();
    let mut sdist = match pipeline.sdist(spec).await {
        Ok(sdist) => sdist,
        Err(error) => {
            return Built {
                sdist: Err(pipeline.failed(text, &error)),
                wheel: None,
            };
        }
    };
    sdist.seconds = since.elapsed().as_secs_f64();
    pipeline.finished(&sdist.filename, Origin::Built, sdist.seconds);
    if !wheel {
        return Built {
            sdist: Ok(sdist),
            wheel: None,
        };
    }
    let since = Instant::now();
    let wheel = match pipeline.wheel_from(&sdist).await {
        Ok(mut wheel) => {
            wheel.seconds = since.elapsed().as_secs_f64();
            pipeline.finished(&wheel.filename, wheel.origin, wheel.seconds);
            Ok(wheel)
        }
        Err(error) => Err(pipeline.failed(text, &error)),
    };
    Built {
        sdist: Ok(sdist),
        wheel: Some(wheel),
    }
}

impl Pipeline {
    fn finished(&self, label: &str, origin: Origin, seconds: f64) {
        self.say(BuildEvent::Finished {
            label: label.to_owned(),
            origin,
            seconds,
        });
    }

    /// Puts an error into words, and tells of it.
    pub(super) fn failed(&self, text: &str, error: &BuildError) -> Failure {
        self.say(BuildEvent::Failed {
            label: text.to_owned(),
            code: error.code(),
        });
        self.failure(text, error)
    }

    async fn sdist(&self, spec: &Spec) -> Result<Sdist, BuildError> {
        let wanted = spec.clone().into();
        let Identified::Source(located, expectation) = self.identify(&wanted).await? else {
            return Err(BuildError::Task {
                doing: "find a source tree",
            });
        };
        self.sdist_of(&located, &expectation).await
    }

    async fn sdist_of(
        &self,
        located: &Located,
        expectation: &Expectation,
    ) -> Result<Sdist, BuildError> {
        let (source, looked, equipment) = self.prepare(located, expectation).await?;
        if source.id.digest != located.id.digest {
            // A folder that changed since it was looked at is another revision.
            return Box::pin(self.sdist_of(&source.into(), expectation)).await;
        }
        let fixed = looked.fixed(expectation).map(|fixed| fixed.metadata);
        let expectation = &expectation.or(fixed.map(|fixed| (fixed.name, fixed.version)));
        let what = (&source, &looked.system, looked.package(expectation));
        let made = self.make(Goal::Sdist, what, equipment, expectation).await?;
        self.take_sdist(made, &source, expectation).await
    }

    async fn wheel_from(&self, sdist: &Sdist) -> Result<Wheel, BuildError> {
        let (name, version) = (sdist.name.clone(), sdist.version.clone());
        let expectation = Expectation {
            name: Some(name.clone()),
            version: Some(version.clone()),
        };
        let located = Located::made(sdist.digest, sdist.filename.clone(), name, version);
        let (kept, origin) = self.build(&located, &expectation).await?;
        Ok(wheel_of(kept, origin))
    }

    /// Judges what the backend left, and takes it over.
    async fn take_sdist(
        &self,
        made: Made,
        source: &Source,
        expectation: &Expectation,
    ) -> Result<Sdist, BuildError> {
        self.say(BuildEvent::Building {
            label: made.label.clone(),
            build: made.build.name().to_owned(),
            stage: "check",
        });
        let (build, label) = (made.build.clone(), made.label.clone());
        let denials = made.evidence.denials.clone();
        let (settings, expected) = (Arc::clone(&self.settings), expectation.clone());
        let of = source.clone();
        let taken = blocking("take an sdist", move || {
            take(&settings, made, &of, &expected)
        })
        .await
        .map_err(|error| error.in_build(build.name(), denials));
        let told = taken.as_ref().map(|sdist| Told {
            denials: &sdist.denials,
            file: None,
            name: &sdist.name,
            version: &sdist.version,
        });
        let told = told.map_err(|error| (error, expectation));
        self.sum_up((&build, Goal::Sdist), &label, source, told);
        taken
    }
}

fn take(
    settings: &Settings,
    made: Made,
    source: &Source,
    expectation: &Expectation,
) -> Result<Sdist, BuildError> {
    let cache = &settings.cache;
    let mut copy = cache.staging_file()?;
    let room = made.output(OUTPUT)?;
    let uid = made.evidence.report.uid;
    let most = settings.limits.over(settings.policy.limits()).file_bytes;
    let room = std::os::fd::AsFd::as_fd(&room);
    let (filename, digest) = take_output(room, uid, &mut copy, most)?;
    let file = File::open(copy.path()).map_err(|error| BuildError::Io {
        doing: "open",
        path: copy.path().to_owned(),
        source: error,
    })?;
    let expected = ExpectedSdist {
        name: expectation.name.as_ref(),
        version: expectation.version.as_ref(),
        strict: settings.strict_output,
        token: made.home.token(),
    };
    let judged = judge_sdist(&file, &filename, &expected)?;
    // What is put there is hashed again: only what was judged is handed on.
    let put = cache.put_blob(Bucket::Sources, copy)?;
    if put != digest {
        return Err(BuildError::HashMismatch {
            label: filename,
            expected: digest.sha256,
            found: put.sha256,
        });
    }
    let sdist = Sdist {
        name: judged.metadata.name,
        version: judged.metadata.version,
        filename: judged.filename,
        path: cache.blob_path(Bucket::Sources, &digest.sha256),
        digest,
        source: source.id.clone(),
        isolation: Isolation::from(&made.evidence.report),
        denials: made.evidence.denials.clone(),
        notes: judged.notes,
        seconds: 0.0,
    };
    made.clear(settings)?;
    Ok(sdist)
}
