//! The names of files: what they stand for, and which kinds are not read.

use std::path::{Component, Path, PathBuf};

use model::{LinePlace, lenient};

use crate::{Lock, RequirementsError};

/// Returns the path of a file that was named: `file:` URLs are paths, other URLs are not read.
pub(super) fn address(
    text: &str,
    folder: Option<&Path>,
    asked_by: Option<&LinePlace>,
) -> Result<PathBuf, RequirementsError> {
    if text.starts_with("file:") {
        let path = url::Url::parse(text)
            .ok()
            .and_then(|url| url.to_file_path().ok());
        return path.ok_or_else(|| RequirementsError::Kind {
            file: lenient::printable(text),
            asked_by: asked_by.cloned(),
            why: "a file URL has no host and an absolute path".to_owned(),
            fix: "write a path".to_owned(),
        });
    }
    if text.contains("://") {
        return Err(RequirementsError::Kind {
            file: lenient::printable(text),
            asked_by: asked_by.cloned(),
            why: "whoever serves it would decide where packages come from, and could say something else the next time".to_owned(),
            fix: "download it, look at it, and give the file".to_owned(),
        });
    }
    Ok(folder.map_or_else(|| PathBuf::from(text), |folder| folder.join(text)))
}

/// Refuses files whose form is another one.
pub(super) fn check_kind(
    path: &Path,
    asked_by: Option<&LinePlace>,
) -> Result<(), RequirementsError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let (why, fix) = match (&*name, &*ending) {
        ("pyproject.toml", _) => (
            "a project is no file of requirements or constraints",
            "name it on the command line: -r pyproject.toml",
        ),
        (name, _) if Lock::is_name(name) => (
            "a lock is no file of requirements or constraints",
            "name it on the command line: -r pylock.toml",
        ),
        ("uv.lock" | "poetry.lock" | "pdm.lock" | "Pipfile.lock" | "Pipfile", _) => (
            "it is in a form of one tool's own",
            "export it as pylock.toml or requirements.txt with that tool",
        ),
        ("setup.py" | "setup.cfg", _) => (
            "what it depends on is not known before it runs",
            "name its folder: ./FOLDER",
        ),
        (_, "toml") => (
            "it is neither pyproject.toml nor pylock.toml nor pylock.NAME.toml",
            "give it one of these names if it is one of them",
        ),
        (_, "py" | "ipynb" | "yml" | "yaml" | "whl" | "gz" | "zip") => (
            "it is no file of requirements",
            "write what is needed into a text file, one requirement a line",
        ),
        _ => return Ok(()),
    };
    Err(RequirementsError::Kind {
        file: lenient::printable(&path.to_string_lossy()),
        asked_by: asked_by.cloned(),
        why: why.to_owned(),
        fix: fix.to_owned(),
    })
}

/// Returns a path without its `FOLDER/..`, to compare ways of naming one file.
pub(crate) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        let is_named = matches!(plain.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::CurDir => {}
            Component::ParentDir if is_named => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
