//! Shims: scripts on PATH that stand for a program which a version manager chooses.
//!
//! pyenv's are resolved by reading what pyenv would read. Others are passed over: running them to
//! find out would run a stranger's script outside a worker.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Search;
use super::venv::{is_program, numbers, read_small};

/// The largest version file that is read, in bytes.
const MAX_VERSION_FILE: u64 = 16 * 1024;

/// Whether `path` is a script (`#!`) and not a program of machine code.
pub(super) fn is_script(path: &Path) -> bool {
    let mut start = [0; 2];
    fs::metadata(path).is_ok_and(|found| found.is_file())
        && File::open(path)
            .and_then(|mut file| file.read_exact(&mut start))
            .is_ok()
        && &start == b"#!"
}

/// Returns the program that the shim at `path` would run now, or why that is not known.
pub(super) fn resolve(path: &Path, search: &Search<'_>) -> Result<PathBuf, String> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or("its name is not text")?;
    let root = pyenv_root(path, search)
        .ok_or("it is a script, and not of a version manager that can be read")?;
    let chosen = chosen_versions(&root, search);
    for version in &chosen {
        let found = version_folder(&root, version).map(|folder| folder.join("bin").join(name));
        if let Some(program) = found.filter(|program| is_program(program)) {
            return Ok(program);
        }
    }
    Err(format!(
        "pyenv's chosen version ({}) has no `{name}`",
        if chosen.is_empty() {
            "none".to_owned()
        } else {
            chosen.join(", ")
        }
    ))
}

/// Returns the programs called one of `names` in every version that pyenv has, newest first.
pub(super) fn installed(search: &Search<'_>, names: &[String]) -> Vec<PathBuf> {
    let Some(root) = search.pyenv_root else {
        return Vec::new();
    };
    let mut folders = version_names(root);
    folders.sort_by_key(|name| {
        std::cmp::Reverse(numbers(
            name.trim_start_matches(|c: char| !c.is_ascii_digit()),
        ))
    });
    folders
        .iter()
        .filter_map(|version| {
            names
                .iter()
                .map(|name| root.join("versions").join(version).join("bin").join(name))
                .find(|program| is_program(program))
        })
        .collect()
}

/// Returns pyenv's root if the script lies in its folder of shims.
fn pyenv_root(path: &Path, search: &Search<'_>) -> Option<PathBuf> {
    let folder = path.parent()?;
    if let Some(root) = search.pyenv_root
        && folder == root.join("shims")
    {
        return Some(root.to_owned());
    }
    let root = folder.parent()?;
    (folder.file_name()? == "shims"
        && root.join("versions").is_dir()
        && root.join("libexec").is_dir())
    .then(|| root.to_owned())
}

/// Returns the versions in force, in pyenv's order: the variable, the nearest `.python-version`,
/// the global file. `system` is left out: PATH goes on after the shims anyway.
fn chosen_versions(root: &Path, search: &Search<'_>) -> Vec<String> {
    let text = search
        .pyenv_version
        .filter(|text| !text.is_empty())
        .map(|text| text.replace(':', "\n"))
        .or_else(|| {
            search
                .directory
                .ancestors()
                .filter(|folder| !search.is_inside_sources(folder))
                .find_map(|folder| read_small(&folder.join(".python-version"), MAX_VERSION_FILE))
        })
        .or_else(|| read_small(&root.join("version"), MAX_VERSION_FILE))
        .unwrap_or_default();
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .flat_map(str::split_whitespace)
        .filter(|version| *version != "system" && is_plain(version))
        .take(64)
        .map(str::to_owned)
        .collect()
}

/// Returns the folder of a version, or of the newest one that begins with it (`3.11`).
fn version_folder(root: &Path, version: &str) -> Option<PathBuf> {
    let version = version.strip_prefix("python-").unwrap_or(version);
    let exact = root.join("versions").join(version);
    if exact.is_dir() {
        return Some(exact);
    }
    let prefix = format!("{version}.");
    version_names(root)
        .into_iter()
        .filter(|name| {
            name.starts_with(&prefix) && name.bytes().all(|b| b == b'.' || b.is_ascii_digit())
        })
        .max_by_key(|name| numbers(name))
        .map(|name| root.join("versions").join(name))
}

fn version_names(root: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root.join("versions")) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_plain(name))
        .take(1000)
        .collect()
}

/// Whether a version is one plain path component.
fn is_plain(version: &str) -> bool {
    !version.is_empty() && !version.starts_with('.') && !version.contains(['/', '\0'])
}
