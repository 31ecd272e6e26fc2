//! Errors of the rooms in the shape that people read.

use builder::{BuildError, Failure};
use cache::CacheError;

use crate::render::Problem;
use crate::settings::SettingsError;

/// Puts an error of the settings into the shape of problems.
pub(crate) fn of_settings(error: &SettingsError) -> Problem {
    let mut problem = Problem::of(error.code(), error);
    if let Some(why) = error.why() {
        problem = problem.why(why);
    }
    problem.hint = error.hint();
    problem
}

/// Puts an error of the cache into the shape of problems.
pub(crate) fn of_cache(error: &CacheError) -> Problem {
    let mut problem = Problem::of(error.code(), error);
    problem.hint = error.hint();
    problem
}

/// Puts an error of a worker that ran for us, not for a request, into the shape of problems.
pub(crate) fn of_build(about: &str, error: &BuildError) -> Problem {
    of_failure(&Failure::of(about, error))
}

/// Puts a failed request into the shape of problems. Details with the same label become one of
/// several lines.
pub(crate) fn of_failure(failure: &Failure) -> Problem {
    let mut problem = Problem::new(failure.code, failure.message.clone());
    for (label, text) in &failure.details {
        match problem.details.last_mut() {
            Some((last, lines)) if last == label => {
                lines.push('\n');
                lines.push_str(text);
            }
            _ => problem.details.push((label, text.clone())),
        }
    }
    problem.hint.clone_from(&failure.hint);
    problem.log.clone_from(&failure.log);
    problem
}
