//! From what the build left to a wheel on the shelf: copied, hashed, inspected, recorded, renamed.

use std::fs::File;
use std::sync::{Arc, PoisonError};

use jiff::Timestamp;
use model::{Digest, Sha256};
use sources::{CoreMetadata, Source};

use super::corridor::{Expectation, Pipeline, blocking};
use super::describe;
use super::make::Made;
use super::retrace::Told;
use crate::error::BuildError;
use crate::hook::Goal;
use crate::hook::OUTPUT;
use crate::inspect::{Expected, Inspected, inspect, take_output};
use crate::outcome::Origin;
use crate::record::{self, BuildRecord, SCHEMA};
use crate::settings::Settings;
use crate::shelf::{self, Kept};
use crate::watch::BuildEvent;

impl Pipeline {
    /// Judges the output of `made` and publishes it under `key`. If another process was first, its
    /// wheel is the answer.
    pub(super) async fn publish(
        &self,
        made: Made,
        source: &Source,
        key: Sha256,
        expectation: &Expectation,
    ) -> Result<(Kept, Origin), BuildError> {
        self.say(BuildEvent::Building {
            label: made.label.clone(),
            build: made.build.name().to_owned(),
            stage: "check",
        });
        let served = self.served(&source.id, &key).await?;
        // What a traced build made has a key that nobody asks for.
        let key = if self.traces() {
            Sha256::of(format!("{key} traced in {}", made.build.name()))
        } else {
            key
        };
        let settings = Arc::clone(&self.settings);
        let expected = expectation.clone();
        let (blob, expectation) = (source.clone(), expectation.clone());
        let (build, label) = (made.build.clone(), made.label.clone());
        let denials = made.evidence.denials.clone();
        let traced = self.traces();
        let outcome = blocking("publish a wheel", move || {
            let (kept, metadata) = publish(&settings, made, (&blob, key), &expectation, served)?;
            if !traced {
                describe::keep_of_wheel(&settings, &kept.record, metadata);
            }
            Ok(kept)
        })
        .await
        .map_err(|error| error.in_build(build.name(), denials));
        let told = outcome.as_ref().map(|kept| Told::from(&kept.record));
        let told = told.map_err(|error| (error, &expected));
        self.sum_up((&build, Goal::Wheel), &label, source, told);
        let kept = outcome?;
        let origin = if kept.record.build == build.name() {
            let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
            built.insert(build.name().to_owned());
            Origin::Built
        } else {
            Origin::Cached
        };
        Ok((kept, origin))
    }
}

fn publish(
    settings: &Settings,
    made: Made,
    (source, key): (&Source, Sha256),
    expectation: &Expectation,
    served: Option<CoreMetadata>,
) -> Result<(Kept, CoreMetadata), BuildError> {
    let cache = &settings.cache;
    let mut copy = cache.staging_file()?;
    let room = made.output(OUTPUT)?;
    let uid = made.evidence.report.uid;
    let most = settings.limits.over(settings.policy.limits()).file_bytes;
    let (filename, digest) = take_output(std::os::fd::AsFd::as_fd(&room), uid, &mut copy, most)?;
    let expected = Expected {
        name: expectation.name.as_ref(),
        version: expectation.version.as_ref(),
        tags: Some(&settings.tags),
        strict: settings.strict_output,
        token: Some(made.home.token()),
    };
    let file = File::open(copy.path()).map_err(|error| BuildError::Io {
        doing: "open",
        path: copy.path().to_owned(),
        source: error,
    })?;
    let mut inspected = inspect(&file, &filename, &expected)?;
    inspected.notes.extend(misnamed(source, &inspected));
    expectation.check(&inspected.metadata.name, &inspected.metadata.version)?;
    let metadata = inspected.metadata.clone();
    if let Some(differs) = served.and_then(|served| served.difference(&metadata)) {
        return Err(BuildError::Disagrees(Box::new(differs)));
    }
    let folder = cache.staging_dir()?;
    cache.publish_file(copy, &folder.path().join(&filename))?;
    let record = record_of(settings, &made, source, key, (inspected, filename, digest));
    cache.write_record(&folder.path().join("record.json"), &record)?;
    let kept = shelf::publish(settings, folder, record)?;
    expectation.check(&kept.record.name, &kept.record.version)?;
    made.clear(settings)?;
    Ok((kept, metadata))
}

/// A local archive or URL binds nobody by its name, but a name that says otherwise is worth a word.
fn misnamed(source: &Source, inspected: &Inspected) -> Option<String> {
    let (name, version) = source.sdist_name.as_ref()?;
    let found = &inspected.metadata;
    (*name != found.name || *version != found.version).then(|| {
        let is = format!("{} {}", found.name, found.version);
        format!("the archive is named as {name} {version}, the wheel is {is}")
    })
}

/// Everything that the wheel was made from and under.
fn record_of(
    settings: &Settings,
    made: &Made,
    source: &Source,
    key: Sha256,
    (inspected, filename, digest): (Inspected, String, Digest),
) -> BuildRecord {
    let evidence = &made.evidence;
    BuildRecord {
        schema: SCHEMA.to_owned(),
        build: made.build.name().to_owned(),
        built_at: Timestamp::now(),
        name: inspected.metadata.name,
        version: inspected.metadata.version,
        filename,
        wheel: digest,
        source: source.id.clone(),
        source_label: source.label.clone(),
        key,
        python: settings.facts.identity(),
        backend: made.backend.clone(),
        requires: made
            .equipment
            .roots
            .iter()
            .map(ToString::to_string)
            .collect(),
        requires_by_hook: made.requires_by_hook.clone(),
        environment: record::Environment {
            name: made.equipment.environment.name,
            wheels: made.equipment.environment.wheels.iter().cloned().collect(),
            packages: made
                .equipment
                .environment
                .packages
                .iter()
                .map(|(name, version)| (name.to_string(), version.to_string()))
                .collect(),
        },
        config_settings: made.config_settings.clone(),
        policy: record::Policy {
            name: settings.policy.name().to_owned(),
            digest: Sha256::from_bytes(settings.policy.digest()),
        },
        isolation: record::Isolation::from(&evidence.report),
        reuse: evidence.reuse,
        denials: evidence.denials.clone(),
        hooks: made.hooks.clone(),
        usage: record::Usage {
            user_ms: evidence.claim.usage.user_ms,
            system_ms: evidence.claim.usage.system_ms,
            peak_kib: evidence.claim.usage.peak_kib,
        },
        notes: inspected.notes,
    }
}
