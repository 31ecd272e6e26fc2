//! Made-up installations, and the real Python of this machine.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::interpreter::{Found, QUESTION, Search, find, understand};

/// A folder with made-up installations. What counts as a program here would do nothing if it ran.
pub(super) struct Place(tempfile::TempDir);

impl Place {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.0.path()).unwrap().join(name)
    }

    pub(super) fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// An installation: `prefix/bin/python3.N`, links to it, and a library folder.
    pub(super) fn installation(&self, prefix: &str, minor: u32) -> PathBuf {
        let real = self.file(&format!("{prefix}/bin/python3.{minor}"), "\u{7f}ELF", 0o755);
        for name in ["python3", "python"] {
            symlink(
                format!("python3.{minor}"),
                self.path(&format!("{prefix}/bin/{name}")),
            )
            .unwrap();
        }
        fs::create_dir_all(self.path(&format!("{prefix}/lib/python3.{minor}"))).unwrap();
        real
    }

    pub(super) fn environment(&self, root: &str, base: &Path) -> PathBuf {
        let configuration = format!(
            "home = {}\nversion = 3.11.7\n",
            base.parent().unwrap().display()
        );
        self.file(&format!("{root}/pyvenv.cfg"), &configuration, 0o644);
        fs::create_dir_all(self.path(&format!("{root}/bin"))).unwrap();
        let python = self.path(&format!("{root}/bin/python"));
        symlink(base, &python).unwrap();
        python
    }

    pub(super) fn pyenv(&self) -> PathBuf {
        self.installation("pyenv/versions/3.11.7", 11);
        self.installation("pyenv/versions/3.11.12", 11);
        self.installation("pyenv/versions/3.12.1", 12);
        fs::create_dir_all(self.path("pyenv/libexec")).unwrap();
        let ran = self.path("ran");
        for name in ["python3", "python", "python3.11", "python3.12"] {
            let text = format!("#!/bin/sh\ntouch {}\n", ran.display());
            self.file(&format!("pyenv/shims/{name}"), &text, 0o755);
        }
        self.path("pyenv")
    }
}

pub(super) fn bare(directory: &Path) -> Search<'_> {
    Search {
        request: None,
        path: None,
        virtual_env: None,
        directory,
        pyenv_version: None,
        pyenv_root: None,
        inside_sources: &[],
    }
}

pub(super) fn bases(search: &Search<'_>) -> Vec<PathBuf> {
    find(search)
        .unwrap()
        .into_iter()
        .map(|found| found.base)
        .collect()
}

/// Returns a real Python, found and asked as the program does it, but outside of a worker; asked once.
pub(crate) fn real_python() -> (Found, model::PythonFacts) {
    static REAL: std::sync::OnceLock<(Found, model::PythonFacts)> = std::sync::OnceLock::new();
    REAL.get_or_init(asked_python).clone()
}

fn asked_python() -> (Found, model::PythonFacts) {
    let path = std::env::var_os("PATH").unwrap();
    let pyenv = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let directory = PathBuf::from("/");
    let search = Search {
        path: Some(&path),
        pyenv_root: pyenv.as_deref(),
        ..bare(&directory)
    };
    find(&search)
        .unwrap()
        .into_iter()
        .find_map(|found| Some((understand(&ask(&found), &found).ok()?, found)))
        .map(|(facts, found)| (found, facts))
        .expect("a Python 3.9 or newer on PATH")
}

pub(super) fn ask(found: &Found) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let answer = folder.path().join("answer.json");
    let output = Command::new(&found.base)
        .args(["-I", "-S", "-c", QUESTION])
        .arg(&answer)
        .args(&found.environment)
        .env_clear()
        .current_dir("/")
        .output()
        .unwrap();
    assert_eq!(
        (output.stdout, output.stderr),
        (Vec::new(), Vec::new()),
        "it prints nothing"
    );
    fs::read(answer).unwrap()
}
