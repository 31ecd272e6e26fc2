//! The search for interpreters: reads names, links and `pyvenv.cfg`, starts nothing.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::request::{Request, Wanted};
use super::venv::{Venv, is_program, numbers};
use super::{InterpreterError, shim};

/// What the search may look at. Everything is handed in: nothing is read from the process's own
/// environment.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// `-p`: a version (`3.11`, `pypy3`, `cpython@3.12`), a name on PATH, or a path to a program
    /// or to the folder of an environment.
    pub request: Option<&'a str>,
    /// `PATH`. Relative entries in it are passed over.
    pub path: Option<&'a OsStr>,
    /// `VIRTUAL_ENV`
    pub virtual_env: Option<&'a Path>,
    /// Where `.python-version` is looked for, and what relative requests hang on; absolute.
    pub directory: &'a Path,
    /// `PYENV_VERSION`
    pub pyenv_version: Option<&'a str>,
    /// `PYENV_ROOT`
    pub pyenv_root: Option<&'a Path>,
    /// Source trees that are to be built: nothing inside them is ever taken unless it was named.
    pub inside_sources: &'a [PathBuf],
}

impl Search<'_> {
    /// Whether `path` lies in a source tree that is to be built.
    pub(super) fn is_inside_sources(&self, path: &Path) -> bool {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        self.inside_sources.iter().any(|tree| {
            let tree = fs::canonicalize(tree).unwrap_or_else(|_| tree.clone());
            real.starts_with(&tree) || path.starts_with(&tree)
        })
    }
}

/// A file's identity: changes whenever the file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    device: u64,
    inode: u64,
    changed: (i64, i64),
    size: u64,
    /// The same of `pyvenv.cfg`: device, inode, changed (seconds, nanoseconds), size.
    configuration: Option<(u64, u64, i64, i64, u64)>,
}

impl Stamp {
    fn of(real: &Path, venv: Option<&Venv>) -> std::io::Result<Self> {
        let program = fs::metadata(real)?;
        let configuration = venv
            .and_then(|venv| fs::metadata(venv.root.join("pyvenv.cfg")).ok())
            .map(|it| (it.dev(), it.ino(), it.ctime(), it.ctime_nsec(), it.size()));
        Ok(Self {
            device: program.dev(),
            inode: program.ino(),
            changed: (program.ctime(), program.ctime_nsec()),
            size: program.size(),
            configuration,
        })
    }
}

/// An interpreter that was found; nothing of it has run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The program as it was found, absolute: maybe a link, maybe in an environment.
    pub executable: PathBuf,
    /// The same, links resolved.
    pub real: PathBuf,
    /// The program of the base interpreter, links resolved. This is the one to run, with
    /// `-I -S -c QUESTION ANSWER_FILE [ENVIRONMENT]`.
    pub base: PathBuf,
    /// The folder above the base program's `bin`.
    pub base_prefix: PathBuf,
    /// The virtual environment that [`Self::executable`] belongs to.
    pub environment: Option<PathBuf>,
    /// Changes whenever the program or `pyvenv.cfg` does.
    pub stamp: Stamp,
    /// How it was found, in words.
    pub origin: String,
}

/// Returns the interpreters that may serve, in the order to try them.
///
/// Without a request: the active environment, then PATH (`python3` and
/// `python` of each folder, then names with a version). Scripts on PATH are resolved as pyenv's
/// shims by reading, or passed over. With a version the list may hold programs whose name does
/// not tell it: ask [`super::fits`] once their facts are known.
///
/// # Errors
/// If there is none, with every place that was looked at; if what was named outright is unusable.
pub fn find(search: &Search<'_>) -> Result<Vec<Found>, InterpreterError> {
    let mut hunt = Hunt::new(search);
    match search.request {
        None => hunt.anything(),
        Some(text) => match Request::parse(text, search.directory)? {
            Request::Path(path) => return hunt.named(&path).map(|found| vec![found]),
            Request::Name(name) => hunt.on_path(&[name], "named by -p"),
            Request::Wanted(wanted) => hunt.version(&wanted),
        },
    }
    if hunt.found.is_empty() {
        return Err(InterpreterError::NotFound {
            looked: hunt.looked,
        });
    }
    Ok(hunt.found)
}

struct Hunt<'a> {
    search: &'a Search<'a>,
    wanted: Option<Wanted>,
    found: Vec<Found>,
    seen: BTreeSet<PathBuf>,
    looked: Vec<String>,
}

impl<'a> Hunt<'a> {
    fn new(search: &'a Search<'a>) -> Self {
        Self {
            search,
            wanted: None,
            found: Vec::new(),
            seen: BTreeSet::new(),
            looked: Vec::new(),
        }
    }

    fn anything(&mut self) {
        self.environments();
        self.on_path(&["python3".to_owned(), "python".to_owned()], "on PATH");
        let versioned: Vec<_> = (9..=20)
            .rev()
            .map(|minor| format!("python3.{minor}"))
            .chain(["pypy3".to_owned()])
            .collect();
        self.on_path(&versioned, "on PATH");
    }

    fn version(&mut self, wanted: &Wanted) {
        self.wanted = Some(wanted.clone());
        if wanted.implementation != Some("pypy") {
            self.environments();
        }
        for name in wanted.names() {
            self.on_path(&[name], "on PATH");
        }
        for program in shim::installed(self.search, &wanted.names()) {
            self.consider(&program, "a version of pyenv");
        }
    }

    fn environments(&mut self) {
        if let Some(active) = self.search.virtual_env {
            self.consider(&active.join("bin/python"), "the active environment");
        }
        // Whoever wrote the project made it: it is an answer for whoever activates or names it.
        let local = self.search.directory.join(".venv");
        if local.join("pyvenv.cfg").is_file() && self.search.virtual_env != Some(&local) {
            self.pass(
                &local,
                "it is neither active nor named; to use it: -p .venv",
            );
        }
    }

    /// Looks for the names in each folder of PATH, folder by folder.
    fn on_path(&mut self, names: &[String], origin: &str) {
        let Some(path) = self.search.path else {
            return;
        };
        for folder in path.as_bytes().split(|byte| *byte == b':') {
            let folder = Path::new(OsStr::from_bytes(folder));
            // An entry such as `.` would let the folder we stand in choose the interpreter.
            if !folder.is_absolute() || self.search.is_inside_sources(folder) {
                continue;
            }
            for name in names {
                let program = folder.join(name);
                if is_program(&program) {
                    self.consider(&program, origin);
                }
            }
        }
    }

    /// Adds a program, or notes why not.
    fn consider(&mut self, program: &Path, origin: &str) {
        let program = if shim::is_script(program) {
            match shim::resolve(program, self.search) {
                Ok(target) => target,
                Err(why) => return self.pass(program, &why),
            }
        } else {
            program.to_owned()
        };
        match identify(&program, origin) {
            Err(why) => self.pass(&program, &why),
            Ok((found, known)) => {
                if let Some(wanted) = &self.wanted
                    && !wanted.may_be(&known)
                {
                    return self.pass(&program, "it is of another version");
                }
                let identity = found
                    .environment
                    .clone()
                    .unwrap_or_else(|| found.base.clone());
                if self.seen.insert(identity) {
                    self.found.push(found);
                }
            }
        }
    }

    /// Takes a program or folder that was named outright.
    fn named(&mut self, path: &Path) -> Result<Found, InterpreterError> {
        let unusable = |reason: String| InterpreterError::Unusable {
            path: path.to_owned(),
            reason,
        };
        let program = if path.is_dir() {
            ["bin/python", "bin/python3", "bin/pypy3"]
                .into_iter()
                .map(|name| path.join(name))
                .find(|program| is_program(program))
                .ok_or_else(|| unusable("the folder has no bin/python".to_owned()))?
        } else {
            path.to_owned()
        };
        let program = if shim::is_script(&program) {
            shim::resolve(&program, self.search).map_err(unusable)?
        } else {
            program
        };
        identify(&program, "named by -p")
            .map(|(found, _)| found)
            .map_err(unusable)
    }

    fn pass(&mut self, path: &Path, why: &str) {
        tracing::debug!(path = %path.display(), why, "passed over");
        if self.looked.len() < 20 {
            self.looked.push(format!("`{}` ({why})", path.display()));
        }
    }
}

/// Reads what can be known of a program without running it: the interpreter, and the first
/// numbers of its version as far as names tell them.
fn identify(program: &Path, origin: &str) -> Result<(Found, Vec<u64>), String> {
    if !is_program(program) {
        return Err("there is no program".to_owned());
    }
    let executable = std::path::absolute(program).map_err(|error| error.to_string())?;
    let real = fs::canonicalize(&executable).map_err(|error| error.to_string())?;
    let venv = Venv::of(&executable);
    let base = match &venv {
        None => real.clone(),
        Some(venv) => venv
            .base(&real)
            .ok_or("the environment's base interpreter is gone")?,
    };
    if shim::is_script(&base) {
        return Err("it leads to a script".to_owned());
    }
    let base_prefix = prefix_of(&base).ok_or("it lies in no installation of Python")?;
    let known = known_version(&base, venv.as_ref(), &base_prefix);
    let stamp = Stamp::of(&base, venv.as_ref()).map_err(|error| error.to_string())?;
    let found = Found {
        executable,
        real,
        base,
        base_prefix,
        environment: venv.map(|venv| venv.root),
        stamp,
        origin: origin.to_owned(),
    };
    Ok((found, known))
}

/// Returns the folder above `bin`, if it looks like an installation of Python: it will be granted
/// to a sandbox, so a link to just any program must not name one.
fn prefix_of(base: &Path) -> Option<PathBuf> {
    let folder = base.parent()?;
    let prefix = if folder.file_name()? == "bin" {
        folder.parent()?
    } else {
        folder
    };
    let holds_python = |place: &Path| {
        fs::read_dir(place).is_ok_and(|entries| {
            entries.filter_map(Result::ok).any(|entry| {
                let name = entry.file_name();
                let name = name.as_bytes();
                name.starts_with(b"python3") || name.starts_with(b"pypy3") || name == b"lib-python"
            })
        })
    };
    ["lib", "lib64", ""]
        .into_iter()
        .any(|place| holds_python(&prefix.join(place)))
        .then(|| prefix.to_owned())
}

/// Returns the first numbers of the version that names and `pyvenv.cfg` tell; empty if none does.
fn known_version(base: &Path, venv: Option<&Venv>, base_prefix: &Path) -> Vec<u64> {
    let after_word = |path: &Path| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let start = name
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(name.len());
        numbers(name[start..].trim_end_matches('t'))
    };
    let of_venv = venv.map(|venv| venv.version.clone()).unwrap_or_default();
    // Folders of version managers are named after the whole version: `3.11.7`, `cpython-3.11.7-..`.
    let of_folder = if base_prefix
        .parent()
        .is_some_and(|up| up.ends_with("versions"))
    {
        after_word(base_prefix)
    } else {
        Vec::new()
    };
    [of_venv, of_folder, after_word(base)]
        .into_iter()
        .max_by_key(Vec::len)
        .unwrap_or_default()
}
