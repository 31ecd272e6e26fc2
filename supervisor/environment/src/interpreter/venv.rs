//! Virtual environments as found on disk: `pyvenv.cfg`, read and never believed further than that.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The largest `pyvenv.cfg` that is read, in bytes.
const MAX_CONFIGURATION: u64 = 64 * 1024;

/// A virtual environment (PEP 405).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Venv {
    /// The folder that holds `pyvenv.cfg`.
    pub(super) root: PathBuf,
    /// `home`: the folder of the base interpreter's program.
    pub(super) home: Option<PathBuf>,
    /// The first numbers of `version` or `version_info`.
    pub(super) version: Vec<u64>,
}

impl Venv {
    /// Returns the environment that `executable` belongs to: `pyvenv.cfg` lies beside it or one
    /// folder up.
    pub(super) fn of(executable: &Path) -> Option<Self> {
        let beside = executable.parent()?;
        [Some(beside), beside.parent()]
            .into_iter()
            .flatten()
            .find_map(Self::read)
    }

    /// Reads `root/pyvenv.cfg`.
    pub(super) fn read(root: &Path) -> Option<Self> {
        let text = read_small(&root.join("pyvenv.cfg"), MAX_CONFIGURATION)?;
        let value = |wanted: &str| {
            text.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == wanted).then(|| value.trim().to_owned())
            })
        };
        Some(Self {
            root: root.to_owned(),
            home: value("home")
                .map(PathBuf::from)
                .filter(|home| home.is_absolute()),
            version: value("version")
                .or_else(|| value("version_info"))
                .map(|text| numbers(&text))
                .unwrap_or_default(),
        })
    }

    /// Returns the base interpreter's program, links resolved, if `home` holds one.
    pub(super) fn base(&self, real: &Path) -> Option<PathBuf> {
        let inside = fs::canonicalize(&self.root).ok()?;
        if !real.starts_with(&inside) {
            return Some(real.to_owned()); // a link, as `python -m venv` makes it
        }
        let home = self.home.as_ref()?;
        let own_name = real.file_name().map(PathBuf::from);
        own_name
            .into_iter()
            .chain(["python3", "python", "pypy3", "pypy"].map(PathBuf::from))
            .map(|name| home.join(name))
            .filter(|path| is_program(path))
            .filter_map(|path| fs::canonicalize(path).ok())
            .find(|path| !path.starts_with(&inside))
    }
}

/// Returns the leading numbers of a version: `3.11.7.final.0` gives 3, 11, 7.
pub(super) fn numbers(text: &str) -> Vec<u64> {
    text.split('.')
        .map_while(|part| part.parse().ok())
        .take(3)
        .collect()
}

/// Whether `path` is a regular file that someone may execute.
pub(super) fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Reads a small text file; none if it is missing, too large, not a file, or not text.
pub(crate) fn read_small(path: &Path, limit: u64) -> Option<String> {
    // A fifo would block the open: only what is a regular file now is opened at all.
    fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let mut text = String::new();
    let got = File::open(path)
        .ok()?
        .take(limit + 1)
        .read_to_string(&mut text)
        .ok()?;
    (got as u64 <= limit).then_some(text)
}
