//! What became of a run, and to whom it is told.

use model::Code;

use crate::render::Problem;
use crate::report::{Document, FailureEntry};
use crate::settings::{ReportForm, ReportSettings};
use crate::{compose, data};

/// What became of it.
#[derive(Default)]
pub(super) struct Made {
    pub(super) document: Document,
    /// The failures as they are shown; each has its entry in the document.
    pub(super) problems: Vec<Problem>,
}

impl Made {
    /// Adds a failed request.
    pub(super) fn failed(&mut self, failure: &builder::Failure) {
        let problem = compose::of_failure(failure);
        let entry = FailureEntry::new(Some(failure.spec.clone()), &problem)
            .refused(&failure.denials, &failure.refusals);
        self.fail(entry, problem);
    }

    /// Adds a request whose answer could not be given.
    pub(super) fn undelivered(&mut self, label: &str, problem: Problem) {
        let entry = FailureEntry::new(Some(label.to_owned()), &problem);
        self.fail(entry, problem);
    }

    fn fail(&mut self, entry: FailureEntry, problem: Problem) {
        self.document.failures.push(entry);
        self.problems.push(problem);
    }

    /// Names nothing that ended with the cache of this run: records and logs.
    pub(super) fn without_the_cache(mut self) -> Self {
        for wheel in &mut self.document.wheels {
            wheel.record = None;
        }
        for failure in &mut self.document.failures {
            failure.log = None;
        }
        for problem in &mut self.problems {
            problem.log = None;
        }
        self
    }
}

/// Gives the answer to whom it is for.
pub(super) fn tell(document: &Document, report: &ReportSettings) -> Result<(), Problem> {
    let sdists = document.sdists.iter().map(|sdist| &sdist.path);
    let wheels = document.wheels.iter().map(|wheel| &wheel.path);
    let lines = sdists.chain(wheels).map(|path| format!("{path}\n"));
    give(&document.text(), &lines.collect::<String>(), report)
}

/// Gives an answer in either form to whom it is for.
pub(super) fn give(json: &str, lines: &str, report: &ReportSettings) -> Result<(), Problem> {
    if let Some(file) = &report.file {
        std::fs::write(file, json).map_err(|error| {
            Problem::new(
                Code::OutDir,
                format!("could not write the report `{}`", file.display()),
            )
            .why(error.to_string())
        })?;
    }
    match report.form {
        ReportForm::Json => data::put(json),
        ReportForm::Text => data::put(lines),
    }
}
