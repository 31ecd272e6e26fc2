//! What is built: pinned sdists and the wheels that their builds require, from an index on the loopback.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::index::{Index, Offer};
use crate::site::script;

/// A list of pins with its files.
#[derive(Debug)]
pub struct Batch {
    /// `name==version`, a line each, in the list's order.
    pub pins: Vec<String>,
    folder: PathBuf,
}

impl Batch {
    /// Fetches what a list of `tests/bench` names into `folder`, where it is not there yet.
    ///
    /// # Panics
    /// When the list is not there, or something can not be fetched.
    #[must_use]
    pub fn fetch(list: &str, folder: &Path, python: &Path) -> Self {
        let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench");
        let pins = lists.join(list);
        fs::create_dir_all(folder).expect("a folder below Cargo's target folder can be made");
        let status = Command::new(python)
            .args(["-I", "-B", "-c", &script("fetch.py"), "batch"])
            .args([&pins, &lists.join("requirements.txt"), folder])
            .current_dir("/")
            .stdin(Stdio::null())
            .status()
            .expect("Python starts");
        assert!(status.success(), "the inputs could not be fetched");
        let text = fs::read_to_string(&pins).expect("the list is there");
        Self {
            pins: text.lines().map(str::to_owned).collect(),
            folder: folder.to_owned(),
        }
    }

    /// Starts an index that offers every file that was fetched.
    ///
    /// # Panics
    /// When a file can not be read.
    #[must_use]
    pub fn index(&self) -> Index {
        let index = Index::start();
        for folder in ["sdists", "wheels"] {
            let entries = fs::read_dir(self.folder.join(folder)).expect("it was fetched");
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let content = fs::read(entry.path()).expect("a fetched file can be read");
                index.offer(Offer::new(&project(&name), &name, content));
            }
        }
        index
    }
}

/// The project that a file belongs to: in an sdist's name, all before the last hyphen.
fn project(filename: &str) -> String {
    let stem = filename.strip_suffix(".tar.gz");
    let name = match stem.and_then(|stem| stem.rsplit_once('-')) {
        Some((name, _)) => name,
        None => filename.split('-').next().unwrap_or(filename),
    };
    name.to_owned()
}
