//! What `-p` asks for: a version, a name on PATH, or a path.

use std::path::{Path, PathBuf};

use model::PythonFacts;

use super::InterpreterError;

/// The longest request that is looked at, in bytes.
const MAX_REQUEST: usize = 4096;

/// A request, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// An implementation and the first numbers of a version; either may be left open.
    Wanted(Wanted),
    /// A program on PATH, or a folder beside us.
    Name(String),
    /// A program, or the folder of an environment or installation.
    Path(PathBuf),
}

/// Which interpreters fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// `cpython` or `pypy`; none: CPython is preferred, not demanded.
    pub(super) implementation: Option<&'static str>,
    /// The first one, two or three numbers of the version.
    pub(super) version: Vec<u64>,
    /// A trailing `t`: the build without the global interpreter lock.
    pub(super) free_threaded: bool,
}

impl Request {
    /// Understands `text`; relative paths are taken from `directory`.
    pub(super) fn parse(text: &str, directory: &Path) -> Result<Self, InterpreterError> {
        let bad = |reason| InterpreterError::BadRequest {
            request: text.chars().take(80).collect(),
            reason,
        };
        if text.is_empty() {
            return Err(bad("it is empty"));
        }
        if text.len() > MAX_REQUEST || text.contains('\0') {
            return Err(bad("it is not a path that can exist"));
        }
        if text.contains('/') || text.starts_with('.') {
            return Ok(Self::Path(directory.join(text)));
        }
        if let Some(wanted) = Wanted::parse(text) {
            return Ok(Self::Wanted(wanted));
        }
        if directory.join(text).is_dir() {
            return Ok(Self::Path(directory.join(text)));
        }
        Ok(Self::Name(text.to_owned()))
    }
}

impl Wanted {
    /// Understands `3.11`, `python3.12`, `cpython@3.11`, `pypy3`, `3.13t`.
    fn parse(text: &str) -> Option<Self> {
        let (implementation, rest) = [
            ("cpython", Some("cpython")),
            ("pypy", Some("pypy")),
            ("python", None),
            ("", None),
        ]
        .into_iter()
        .find_map(|(word, implementation)| {
            text.strip_prefix(word).map(|rest| (implementation, rest))
        })?;
        let rest = match rest.strip_prefix(['@', '-']) {
            Some(rest) if rest.is_empty() || rest.len() == text.len() - 1 => return None,
            Some(rest) => rest,
            None => rest,
        };
        let (numbers, free_threaded) = match rest.strip_suffix('t') {
            Some(numbers) => (numbers, true),
            None => (rest, false),
        };
        let version = if numbers.is_empty() {
            Vec::new()
        } else {
            numbers
                .split('.')
                .map(|part| part.parse().ok())
                .collect::<Option<Vec<u64>>>()?
        };
        let open = version.is_empty();
        (version.len() <= 3 && !(open && (free_threaded || text.is_empty()))).then_some(Self {
            implementation,
            version,
            free_threaded,
        })
    }

    /// Returns the names to look for on PATH, the most telling first.
    pub(super) fn names(&self) -> Vec<String> {
        let word = match self.implementation {
            Some("pypy") => "pypy",
            _ => "python",
        };
        let mut names = Vec::new();
        match self.version.as_slice() {
            [major, minor, ..] => {
                let t = if self.free_threaded { "t" } else { "" };
                names.push(format!("{word}{major}.{minor}{t}"));
                names.push(format!("{word}{major}"));
            }
            [major] => names.push(format!("{word}{major}")),
            [] => names.push(format!("{word}3")),
        }
        names.push(word.to_owned());
        names
    }

    /// Whether a version of which the first numbers are known may be the one wanted.
    pub(super) fn may_be(&self, known: &[u64]) -> bool {
        self.version
            .iter()
            .zip(known)
            .all(|(want, have)| want == have)
    }

    /// Whether the interpreter that gave these answers is one that is wanted.
    fn is(&self, facts: &PythonFacts) -> bool {
        let (major, minor, patch) = facts.version;
        self.may_be(&[major, minor, patch])
            && self
                .implementation
                .is_none_or(|name| name == facts.implementation)
            && (!self.free_threaded || facts.free_threaded)
    }
}

/// Returns whether the interpreter with these facts is what `request` (the text of `-p`) asks for.
///
/// Needed because a file's name does not always tell the version; a request that is a name or a
/// path fits whatever was found by it.
#[must_use]
pub fn fits(request: &str, facts: &PythonFacts) -> bool {
    match Request::parse(request, Path::new("/")) {
        Ok(Request::Wanted(wanted)) => wanted.is(facts),
        Ok(Request::Name(_) | Request::Path(_)) => true,
        Err(_) => false,
    }
}
