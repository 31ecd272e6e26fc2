//! Where to install: what was named, or the active environment, and nothing else.

use std::path::{Path, PathBuf};

use builder::Settings;
use environment::{Target, TargetError};
use model::Code;

use crate::args::InstallArgs;
use crate::command::no_output;
use crate::render::Problem;
use crate::settings::{Environment, PlaceSettings};

/// Where to install, as far as it can be told before an interpreter is asked.
#[derive(Debug)]
pub(super) struct Place {
    /// `--target`, absolute.
    pub(super) folder: Option<PathBuf>,
    /// What is to be asked for as `--python`; none if any Python will do.
    pub(super) python: Option<String>,
    /// The folder itself, where it is known already: nothing else may be made in it.
    pub(super) root: Option<PathBuf>,
}

impl Place {
    /// Finds it. `python` is what was named by `--python`, its variable or a file.
    pub(super) fn new(
        args: &InstallArgs,
        python: Option<&str>,
        places: &PlaceSettings,
        environment: &Environment,
    ) -> Result<Self, Problem> {
        if args.break_system_packages {
            return Err(Problem::new(
                Code::FlagRefused,
                "fumehood does not install into a Python that the system manages",
            )
            .why("the system's own programs run in it, and its packager replaces what is there")
            .fix("make an environment: python3 -m venv .venv; then name it: -p .venv"));
        }
        no_output::check(&args.out, "install")?;
        let directory = &places.directory;
        if let Some(folder) = &args.target {
            let folder = plain(&directory.join(folder));
            return Ok(Self {
                root: Some(folder.clone()),
                folder: Some(folder),
                python: python.map(str::to_owned),
            });
        }
        let active = environment.absolute("VIRTUAL_ENV");
        match (python, active) {
            (Some(python), _) => {
                let path = plain(&directory.join(python));
                check(&path)?;
                let named = path.exists().then(|| path.to_str().map(str::to_owned));
                Ok(Self {
                    folder: None,
                    python: Some(named.flatten().unwrap_or_else(|| python.to_owned())),
                    root: path.join("pyvenv.cfg").is_file().then_some(path),
                })
            }
            (None, Some(root)) => {
                check(&root)?;
                let python = root.to_str().map(str::to_owned);
                Ok(Self {
                    folder: None,
                    python: Some(python.ok_or_else(|| unnamed(directory))?),
                    root: Some(root),
                })
            }
            (None, None) => Err(unnamed(directory)),
        }
    }

    /// Takes the target, now that the interpreter is known.
    pub(super) fn target(&self, settings: &Settings) -> Result<Target, Problem> {
        match &self.folder {
            Some(folder) => Target::folder(folder, &settings.found),
            None => Target::environment(&settings.found, &settings.facts),
        }
        .map_err(|error| of_target(&error))
    }
}

/// Returns a path without `.` and `..`; a program in an environment is a link that stays one.
fn plain(path: &Path) -> PathBuf {
    let real = match (path.is_dir(), path.parent(), path.file_name()) {
        (false, Some(folder), Some(name)) => folder.canonicalize().map(|folder| folder.join(name)),
        _ => path.canonicalize(),
    };
    real.unwrap_or_else(|_| path.to_owned())
}

/// A folder that was named for an environment has to look like one.
fn check(path: &Path) -> Result<(), Problem> {
    if path.is_dir() && !path.join("pyvenv.cfg").is_file() {
        return Err(of_target(&TargetError::NotAnEnvironment {
            path: path.to_owned(),
            reason: "it has no pyvenv.cfg".to_owned(),
        }));
    }
    Ok(())
}

fn unnamed(directory: &Path) -> Problem {
    let problem = Problem::new(
        Code::NoEnvironment,
        "no environment to install into was named, and none is active",
    );
    if directory.join(".venv/pyvenv.cfg").is_file() {
        // Whoever wrote the project may have made it.
        problem
            .why("`.venv` lies here, and is used only when it is named or active")
            .fix("name it: -p .venv")
    } else {
        problem.fix("make one: python3 -m venv .venv; then name it: -p .venv; or install into a folder: --target DIR")
    }
}

/// Puts an error of an installation into the shape of problems.
pub(super) fn of_target(error: &TargetError) -> Problem {
    let mut problem = Problem::of(error.code(), error);
    if let TargetError::Managed { words, .. } = error
        && !words.is_empty()
    {
        problem = problem.why(words.clone());
    }
    problem.hint = error.hint().map(str::to_owned);
    problem
}
