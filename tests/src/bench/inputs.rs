//! What is built: pinned sdists and the wheels that their builds require, from an index on the loopback.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::generated::Needs;
use crate::index::{Index, Offer};
use crate::site::script;

/// What backends ask for besides the `requires` of their `pyproject.toml`, by project: `setup_requires` of a `setup.py`.
const ASKED: [(&str, &str); 1] = [("stevedore", "pbr>=2.0.0")];

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

    /// Returns what the builds of the first `number` pins require.
    ///
    /// # Panics
    /// When an sdist can not be read.
    pub(super) fn needs(&self, number: usize) -> BTreeSet<Needs> {
        let sdist = |pin: &String| {
            let (name, version) = pin.split_once("==").expect("a pin");
            let file = format!("{}-{version}.tar.gz", name.replace('-', "_"));
            let folder = self.folder.join("sdists");
            let path = [
                folder.join(file),
                folder.join(format!("{name}-{version}.tar.gz")),
            ];
            let path = path
                .iter()
                .find(|path| path.exists())
                .expect("it was fetched");
            let asked = ASKED.iter().filter(|(project, _)| *project == name);
            Needs {
                requires: required(path),
                asked: asked.map(|(_, what)| (*what).to_owned()).collect(),
            }
        };
        self.pins.iter().take(number).map(sdist).collect()
    }
}

/// Reads `build-system.requires` of an sdist.
fn required(sdist: &Path) -> Vec<String> {
    let file = fs::File::open(sdist).expect("a fetched file can be opened");
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let entries = archive.entries().expect("it is an archive");
    let mut named = entries.map(|entry| entry.expect("a member can be read"));
    let is_it = |path: &Path| path.components().count() == 2 && path.ends_with("pyproject.toml");
    let found = named.find(|entry| entry.path().is_ok_and(|path| is_it(&path)));
    let table = found.and_then(|mut entry| {
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("it is text");
        let table: toml::Table = text.parse().expect("it is TOML");
        let requires = table.get("build-system")?.get("requires")?.as_array()?;
        let words = requires.iter().filter_map(toml::Value::as_str);
        Some(words.map(str::to_owned).collect())
    });
    table.unwrap_or_else(|| vec!["setuptools".to_owned()])
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
