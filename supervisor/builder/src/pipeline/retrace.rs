//! What a failed build was refused: a second run with the trace on, where the first tells nothing, and its
//! meaning. The policy holds in both; there is never a third.
//!
//! A build that failed out of a shared interpreter and succeeds in one of its own has succeeded: pip and uv give each
//! one of its own.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use model::{PackageName, Version};
use protocol::{Denial, Trace};
use sources::Source;

use super::corridor::{Expectation, Pipeline, blocking};
use super::equip::Equipment;
use super::make::{Made, Way, Work};
use crate::build_id::BuildId;
use crate::diagnosis;
use crate::error::BuildError;
use crate::hook::Goal;
use crate::hook_failure::HookFailure;
use crate::local::neutralised;
use crate::record::BuildRecord;
use crate::refusal::{Refusal, refusals};
use crate::summary::BuildSummary;
use crate::watch::BuildEvent;

/// Bytes at the end of a log in which a cause is looked for.
const TAIL: u64 = 64 * 1024;

/// The file beside a log that holds the policy of a traced build.
pub(crate) const PROPOSAL: &str = "policy.toml";

/// What is said before a second run: to whoever watches, and between the two in one log.
struct Again {
    note: &'static str,
    mark: &'static str,
}

const TRACED: Again = Again {
    note: "it failed for no reason that is known; run once more with the trace on (--no-retrace turns this off)",
    mark: "--- fumehood: run once more with the trace on ---\n",
};
const ALONE: Again = Again {
    note: "it failed in an interpreter that others share; run once more by itself",
    mark: "--- fumehood: run once more by itself ---\n",
};

/// What a summary tells of a build that ended well.
pub(super) struct Told<'a> {
    pub(super) denials: &'a [Denial],
    /// The name of the file that it made, if it was for one.
    pub(super) file: Option<&'a str>,
    pub(super) name: &'a PackageName,
    pub(super) version: &'a Version,
}

impl<'a> From<&'a BuildRecord> for Told<'a> {
    fn from(record: &'a BuildRecord) -> Self {
        Self {
            denials: &record.denials,
            file: Some(&record.filename),
            name: &record.name,
            version: &record.version,
        }
    }
}

impl Pipeline {
    /// Adds to a failure what the build was refused before it, running it once more where that is not known.
    /// What the second run made counts if it alone had an interpreter of its own.
    pub(super) async fn once_more(
        &self,
        work: &Work<'_>,
        equipment: Equipment,
        error: BuildError,
    ) -> Result<Made, BuildError> {
        let BuildError::Hook(mut failure) = error else {
            return Err(error);
        };
        let first = end_of(&work.build, 0).await;
        if self.traces() {
            let traces = failure.traces.clone();
            self.understand(&mut failure, &traces, &first).await;
            self.propose(work, &traces, &failure.refusals).await;
        } else if let Some(way) = self.second_way(&failure, &first) {
            let again = if way == Way::Traced { TRACED } else { ALONE };
            self.note(&work.label, again.note);
            let from = mark(&work.build, again.mark).await;
            match self.attempt(work, equipment, way).await {
                Ok(made) if failure.shared => {
                    let text = "it failed in an interpreter that others share, and succeeded by itself (`reuse = \"never\"` in a policy spares it the first run)";
                    self.note(&work.label, text);
                    return Ok(made);
                }
                Err(BuildError::Hook(second)) => {
                    let said = format!("{}\n{}", second.problem, end_of(&work.build, from).await);
                    self.understand(&mut failure, &second.traces, &said).await;
                }
                Err(other) => {
                    failure.again = Some(format!("run once more, it ended otherwise: {other}"))
                }
                Ok(_) => {
                    failure.again = Some(
                        "run once more with the trace on, it succeeded: it hangs on time or chance; what that run made was thrown away"
                            .to_owned(),
                    );
                }
            }
        }
        Err(BuildError::Hook(failure))
    }

    /// How a second run goes that may tell more than the first, or end otherwise.
    fn second_way(&self, failure: &HookFailure, log: &str) -> Option<Way> {
        if failure.wanted_network()
            || !failure.wants.is_empty()
            || diagnosis::is_plain(&failure.problem, log)
        {
            return None;
        }
        // Without a listener nothing can be traced.
        if self.settings.retrace && failure.isolation.listener {
            return Some(Way::Traced);
        }
        failure.shared.then_some(Way::Alone)
    }

    async fn understand(&self, failure: &mut HookFailure, traces: &[Trace], said: &str) {
        let said = format!("{}\n{said}", failure.problem);
        let (traces, off_limits) = (traces.to_vec(), self.settings.off_limits.clone());
        let found = blocking("look at what was refused", move || {
            Ok(refusals(&traces, &said, &off_limits))
        });
        failure.refusals = found.await.unwrap_or_default();
    }

    /// Writes down the policy that a traced build would have needed, and tells where.
    pub(super) async fn propose(&self, work: &Work<'_>, traces: &[Trace], refused: &[Refusal]) {
        let path = work.build.folder().join(PROPOSAL);
        let proposed = crate::proposal::of(&work.label, &self.settings, traces, refused);
        let to = path.clone();
        let written = blocking("write a policy", move || {
            std::fs::write(&to, &proposed)
                .map_err(|source| BuildError::Io {
                    doing: "write",
                    path: to,
                    source,
                })
                .map(|()| proposed)
        });
        match written.await {
            Ok(text) => self.say(BuildEvent::Proposed {
                label: work.label.clone(),
                path,
                text,
            }),
            Err(error) => tracing::warn!(%error, "a traced build has no policy"),
        }
    }

    /// Leaves a summary beside the log. A summary that can not be written fails no build.
    pub(super) fn sum_up(
        &self,
        (build, goal): (&BuildId, Goal),
        label: &str,
        source: &Source,
        outcome: Result<Told<'_>, (&BuildError, &Expectation)>,
    ) {
        let denials: Vec<Denial> = match &outcome {
            Ok(told) => told.denials.to_vec(),
            Err((error, _)) => error.denials().to_vec(),
        };
        let mut summary = BuildSummary::new(build.name(), goal, label, denials);
        summary.source = Some(source.id.clone());
        summary.source_label = Some(source.label.clone());
        match outcome {
            Ok(told) => {
                summary.wheel = told.file.map(str::to_owned);
                summary.name = Some(told.name.clone());
                summary.version = Some(told.version.clone());
            }
            Err((error, expectation)) => {
                let hidden = self.settings.redactor().hide(&error.to_string());
                summary.code = Some(error.code().to_string());
                summary.message = Some(neutralised(hidden.as_bytes()));
                summary.refusals = error.refusals().to_vec();
                summary.name.clone_from(&expectation.name);
                summary.version.clone_from(&expectation.version);
            }
        }
        if let Err(error) = self.settings.cache.write_record(&build.summary(), &summary) {
            tracing::warn!(%error, "a build has no summary");
        }
    }
}

/// Returns the end of a build's log, nothing of what stands before `from`; empty if it can not be read.
async fn end_of(build: &BuildId, from: u64) -> String {
    let log = build.log();
    let read = blocking("read a log", move || {
        Ok(tail(&log, from).unwrap_or_default())
    });
    read.await.unwrap_or_default()
}

fn tail(log: &Path, from: u64) -> std::io::Result<String> {
    let mut file = std::fs::File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(from.max(length.saturating_sub(TAIL))))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Writes the line between two runs, and returns where the second begins.
async fn mark(build: &BuildId, mark: &'static str) -> u64 {
    let log = build.log();
    let written = blocking("write a log", move || {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&log)
            .map_err(|source| BuildError::Io {
                doing: "write",
                path: log.clone(),
                source,
            })?;
        drop(file.write_all(mark.as_bytes()));
        Ok(file.metadata().map_or(0, |found| found.len()))
    });
    written.await.unwrap_or(0)
}
