//! Which Python: the search is reading alone, the questions are asked in a worker.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use builder::LocalExecutor;
use cache::Cache;
use environment::{Found, Search};
use model::{Code, PythonFacts};

use super::of_build;
use crate::render::Problem;
use crate::settings::{Environment, PlaceSettings};

/// A Python and what it said about itself.
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    /// Where and how it was found.
    pub(crate) found: Found,
    /// Its answers.
    pub(crate) facts: PythonFacts,
}

/// What is searched: the settings that bear on it, together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    /// `--python`
    pub(crate) request: Option<&'a str>,
    /// Trees that are to be built: no interpreter in them is taken unless it was named.
    pub(crate) sources: &'a [PathBuf],
    /// The working directory and the like.
    pub(crate) places: &'a PlaceSettings,
    /// PATH and the like.
    pub(crate) environment: &'a Environment,
}

impl Wish<'_> {
    /// Returns the candidates, best first.
    fn candidates(&self, request: Option<&str>) -> Result<Vec<Found>, Problem> {
        let virtual_env = self.environment.absolute("VIRTUAL_ENV");
        let pyenv_root = self.environment.absolute("PYENV_ROOT");
        environment::find(&Search {
            request,
            path: self.environment.raw("PATH"),
            virtual_env: virtual_env.as_deref(),
            directory: &self.places.directory,
            pyenv_version: self
                .environment
                .raw("PYENV_VERSION")
                .and_then(OsStr::to_str),
            pyenv_root: pyenv_root.as_deref(),
            inside_sources: self.sources,
        })
        .map_err(|error| {
            let problem = Problem::of(error.code(), &error);
            match error.code() {
                Code::NoInterpreter => problem
                    .fix("install Python 3.9 or later, or name one: -p 3.12, -p /usr/bin/python3"),
                _ => problem,
            }
        })
    }
}

/// Returns the first candidate that answers and fits.
///
/// # Errors
/// If there is none; a candidate that was found by itself and does not answer is passed over, and
/// its reason stands in the error if no other serves.
pub(crate) async fn interpreter(
    wish: Wish<'_>,
    cache: &Cache,
    executor: &LocalExecutor,
) -> Result<Interpreter, Problem> {
    let mut first = None;
    for found in wish.candidates(wish.request)? {
        match builder::ask_interpreter(cache, executor, &found).await {
            Ok(facts) if fits(wish.request, &facts) => return Ok(Interpreter { found, facts }),
            Ok(_) => {}
            // Not about this Python, but about every worker: the next would say the same.
            Err(error) if error.code() != Code::BadInterpreter => {
                return Err(of_build("the interpreter", &error));
            }
            Err(error) => {
                tracing::debug!(python = %found.executable.display(), %error, "passed over");
                first.get_or_insert_with(|| {
                    of_build(&found.executable.display().to_string(), &error)
                });
            }
        }
    }
    Err(first.unwrap_or_else(|| {
        Problem::new(
            Code::NoInterpreter,
            format!("no Python fits `{}`", wish.request.unwrap_or("any")),
        )
        .fix("install it, or name a program: -p /usr/bin/python3")
    }))
}

fn fits(request: Option<&str>, facts: &PythonFacts) -> bool {
    request.is_none_or(|request| environment::fits(request, facts))
}

/// Returns a note if a Python lies in the working directory: then the project may have brought it.
pub(crate) fn of_this_folder(found: &Found, directory: &Path) -> Option<String> {
    let inside = [&found.executable, &found.base]
        .into_iter()
        .any(|path| path.starts_with(directory));
    inside.then(|| {
        format!(
            "the Python `{}` lies in the working directory; it was taken as {}",
            found.executable.display(),
            found.origin
        )
    })
}

/// Returns the default index that is built into the pip of any other Python on PATH, and where.
///
/// A Python that can not be asked is passed over: this is the last place that is looked at.
pub(super) async fn default_index_of_others(
    wish: Wish<'_>,
    cache: &Cache,
    executor: &LocalExecutor,
) -> Option<(String, String)> {
    for found in wish.candidates(None).unwrap_or_default() {
        if let Ok(facts) = builder::ask_interpreter(cache, executor, &found).await
            && let Some(url) = facts.pip_default_index
        {
            let origin = facts.pip_default_origin.unwrap_or_default();
            return Some((
                url,
                format!(
                    "{origin}, of another Python ({})",
                    found.executable.display()
                ),
            ));
        }
    }
    None
}
