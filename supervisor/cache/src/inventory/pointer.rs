//! Reading pointers: what a place stands for, from the record and from where the record lies.

use std::collections::BTreeSet;
use std::path::Path;

use model::{PackageName, Sha256, WheelFilename};
use serde_json::Value;

use super::buckets::undecodable;
use super::records::{Digests, text};
use super::{Pointer, What};
use crate::record::read_one;

/// Reads one pointer.
pub(super) fn pointer(path: &Path) -> What {
    let Some(record) = read_one::<Value>(path) else {
        return undecodable();
    };
    let Digests {
        mut current,
        former,
        mut repositories,
    } = Digests::of(&record);
    let mut remembered = BTreeSet::new();
    match GitPlace::of(path) {
        Some(GitPlace::Commit(name)) => {
            repositories.insert(name);
            remembered.append(&mut current);
        }
        Some(GitPlace::Reference(name)) => drop(repositories.insert(name)),
        // It names no source but what stands in for a repository.
        Some(GitPlace::Folder) => repositories.append(&mut current),
        None => {}
    }
    if current.is_empty() && remembered.is_empty() && repositories.is_empty() {
        return undecodable();
    }
    // `<digest of the index>/<project>/<version>.json`
    let project = path.parent().filter(|folder| {
        let above = folder.parent().and_then(Path::file_name);
        above.is_some_and(|name| name.to_string_lossy().parse::<Sha256>().is_ok())
    });
    let project = project.and_then(Path::file_name);
    let project = project.and_then(|name| name.to_str()?.parse::<PackageName>().ok());
    let project = project.or_else(|| wheel_of(&text(&record, &["filename", "path"])?));
    let label = text(&record, &["filename", "label", "url", "path"]);
    What::Pointer(Pointer {
        current,
        former,
        remembered,
        repositories,
        project,
        label: label.unwrap_or_else(|| "a place".to_owned()),
    })
}

/// Where a pointer of git lies.
enum GitPlace {
    /// `git/<digest of the address>/<commit>.json`
    Commit(Sha256),
    /// `git/<digest of the address>/<digest of the reference>.json`
    Reference(Sha256),
    /// `git-folders/<digest of the state>.json`
    Folder,
}

impl GitPlace {
    fn of(path: &Path) -> Option<Self> {
        let folder = path.parent()?;
        let name = folder.file_name()?.to_str()?;
        if name == "git-folders" {
            return Some(Self::Folder);
        }
        let address = name.parse().ok()?;
        let is_git = folder.parent()?.file_name()? == "git";
        let is_reference = path.file_stem()?.to_str()?.parse::<Sha256>().is_ok();
        is_git.then_some(match is_reference {
            true => Self::Reference(address),
            false => Self::Commit(address),
        })
    }
}

/// The project of a wheel that was named by its place.
fn wheel_of(place: &str) -> Option<PackageName> {
    let filename = Path::new(place).file_name()?.to_str()?;
    Some(WheelFilename::parse(filename).ok()?.name)
}
