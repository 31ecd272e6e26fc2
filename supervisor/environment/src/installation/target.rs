//! Where something is installed: a virtual environment (PEP 405), or a plain folder.

use std::fs;
use std::path::{Path, PathBuf};

use model::PythonFacts;

use super::TargetError;
use crate::Found;
use crate::install::layout;
use crate::install::script::{Starter, may_start};
use crate::install::spread::Scheme;

/// The largest notice of a distribution that is read, in bytes.
const MAX_NOTICE: u64 = 64 * 1024;

/// Where something is installed.
#[derive(Clone, Debug)]
pub struct Target {
    pub(super) root: PathBuf,
    pub(super) site_packages: String,
    pub(super) headers: String,
    /// What programs name as their Python.
    pub(super) python: String,
}

impl Target {
    /// Takes the virtual environment of an interpreter.
    ///
    /// # Errors
    /// If the interpreter is in none, or the environment is not laid out as one of its version.
    pub fn environment(found: &Found, facts: &PythonFacts) -> Result<Self, TargetError> {
        let Some(root) = &found.environment else {
            return Err(outside(found, facts));
        };
        let not_one = |reason: String| TargetError::NotAnEnvironment {
            path: root.clone(),
            reason,
        };
        let site_packages = layout::site_packages(facts);
        let is_folder = |path: &Path| fs::symlink_metadata(path).is_ok_and(|it| it.is_dir());
        // From the root on every part is a folder itself: what is installed lies inside, not elsewhere.
        let mut place = root.clone();
        for part in site_packages.split('/') {
            place.push(part);
            // pip removes the last one when it is empty.
            let may_be_missing = part == "site-packages" && !place.exists();
            if !is_folder(&place) && !may_be_missing {
                let reason = format!("`{}` is no folder in it", place.display());
                return Err(not_one(reason));
            }
        }
        if !is_folder(&root.join(layout::SCRIPTS)) {
            return Err(not_one("it has no folder `bin`".to_owned()));
        }
        let python = root.join(layout::SCRIPTS).join("python");
        let python = if python.exists() {
            python
        } else {
            found.executable.clone()
        };
        Ok(Self {
            python: starter(&python, root)?,
            root: root.clone(),
            site_packages,
            headers: layout::headers(facts),
        })
    }

    /// Takes a plain folder, which is made if it is not there. Whoever wants to import from it adds it to
    /// `sys.path`; programs name the interpreter that was chosen.
    ///
    /// # Errors
    /// If the interpreter can not be named by programs.
    pub fn folder(folder: &Path, found: &Found) -> Result<Self, TargetError> {
        Ok(Self {
            python: starter(&found.executable, folder)?,
            root: folder.to_owned(),
            site_packages: String::new(),
            headers: "include/python".to_owned(),
        })
    }

    /// Returns the folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn scheme(&self) -> Scheme<'_> {
        Scheme {
            site_packages: self.site_packages.clone(),
            scripts: layout::SCRIPTS.to_owned(),
            headers: self.headers.clone(),
            starter: Starter::At(&self.python),
        }
    }
}

/// Returns how programs name their Python.
fn starter(python: &Path, root: &Path) -> Result<String, TargetError> {
    python
        .to_str()
        .filter(|path| may_start(path))
        .map(str::to_owned)
        .ok_or_else(|| TargetError::NotAnEnvironment {
            path: root.to_owned(),
            reason: format!(
                "programs can not name `{}` as their Python: the path has characters that shells read",
                python.display()
            ),
        })
}

/// Why nothing is installed where an interpreter is at home.
fn outside(found: &Found, facts: &PythonFacts) -> TargetError {
    let library = layout::library_name(facts);
    let notice = ["lib", "lib64"]
        .iter()
        .map(|lib| {
            found
                .base_prefix
                .join(lib)
                .join(&library)
                .join("EXTERNALLY-MANAGED")
        })
        .find(|path| path.exists());
    match notice {
        Some(path) => TargetError::Managed {
            python: found.executable.clone(),
            words: words(&path),
        },
        None => TargetError::NotAnEnvironment {
            path: found.executable.clone(),
            reason: "this Python lies in no environment, and what it has installed is not touched"
                .to_owned(),
        },
    }
}

/// Returns what a distribution says in `EXTERNALLY-MANAGED` (PEP 668): the value of `Error`.
fn words(path: &Path) -> String {
    let text = crate::interpreter::read_small(path, MAX_NOTICE).unwrap_or_default();
    let mut lines = text
        .lines()
        .skip_while(|line| line.trim() != "[externally-managed]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .skip_while(|line| !line.starts_with("Error="));
    let first = lines.next().and_then(|line| line.strip_prefix("Error="));
    let rest = lines.take_while(|line| line.is_empty() || line.starts_with([' ', '\t']));
    let words: Vec<_> = first.into_iter().chain(rest).map(str::trim).collect();
    words.join("\n").trim().to_owned()
}
