//! Real packages: pinned by digest, fetched once through pip's own index, then used offline.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use crate::site::{Python, script};

/// The fetched files by name.
#[derive(Debug)]
pub struct Inputs {
    files: BTreeMap<String, PathBuf>,
}

impl Inputs {
    /// Fetches what is not there yet. Two suites at once wait for one another.
    ///
    /// # Panics
    /// When something can not be fetched or has another digest than the pinned one.
    #[must_use]
    pub fn fetch(folder: &Path, python: &Python) -> Self {
        fs::create_dir_all(folder).expect("a folder below Cargo's target folder can be made");
        let lock = File::create(folder.join(".lock")).expect("a lock file can be made");
        lock.lock().expect("a file can be locked");
        if let Some(inputs) = Self::complete(folder) {
            return inputs;
        }
        let status = Command::new(&python.path)
            .args(["-I", "-B"])
            .args(["-c", &script("fetch.py")])
            .args([list("wheels.txt"), list("sdists.txt"), folder.to_owned()])
            .current_dir("/")
            .stdin(Stdio::null())
            .status()
            .expect("Python starts");
        assert!(status.success(), "the suite's inputs could not be fetched");
        Self::complete(folder)
            .expect("everything that is pinned was fetched with the pinned digest")
    }

    /// Returns the inputs if every pinned digest belongs to a file.
    fn complete(folder: &Path) -> Option<Self> {
        let mut by_digest = BTreeMap::new();
        for entry in fs::read_dir(folder).ok()?.flatten() {
            let content = fs::read(entry.path()).ok()?;
            by_digest.insert(hex::encode(Sha256::digest(&content)), entry.path());
        }
        let files = pinned().into_iter().map(|digest| {
            let path = by_digest.get(&digest)?.clone();
            Some((path.file_name()?.to_str()?.to_owned(), path))
        });
        Some(Self {
            files: files.collect::<Option<_>>()?,
        })
    }

    /// Returns the content of a file.
    ///
    /// # Panics
    /// When no such file is pinned.
    #[must_use]
    pub fn read(&self, filename: &str) -> Vec<u8> {
        fs::read(&self.files[filename]).expect("a fetched file can be read")
    }

    /// Lists the names of all files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }
}

fn list(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("inputs")
        .join(name)
}

/// Returns every digest of both lists.
fn pinned() -> Vec<String> {
    let text = ["wheels.txt", "sdists.txt"]
        .map(|name| fs::read_to_string(list(name)).expect("the list is there"));
    let lines = text
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit([' ', ':']).next().map(str::to_owned))
        .filter(|word| word.len() == 64)
        .collect()
}
