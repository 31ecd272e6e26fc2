//! What is installed, read without running anything. It is a stranger's data: whoever could write into
//! the environment wrote it.

use std::os::unix::ffi::OsStrExt as _;

use model::{PackageName, Version, lenient};

use super::beneath::{Beneath, Kind};
use super::{Target, TargetError};
use crate::install::spread::joined;
use crate::install::wheel::header;

/// The largest METADATA that is read, in bytes.
const MAX_METADATA: u64 = 4 * 1024 * 1024;
/// The most entries of site-packages that are looked at.
const MAX_ENTRIES: usize = 100_000;

/// A project that is installed.
#[derive(Clone, Debug)]
pub struct Distribution {
    /// The project.
    pub name: PackageName,
    /// Its version; none if it is not one.
    pub version: Option<Version>,
    /// The name of its folder or file in site-packages.
    pub folder: String,
    /// Its core metadata; empty if there is none.
    pub metadata: Vec<u8>,
    /// Why it can not be taken away: whoever installed it did not write down what belongs to it.
    pub unremovable: Option<&'static str>,
}

/// Returns what is installed in a target, sorted. What makes no sense is passed over.
///
/// # Errors
/// If it can not be read.
pub fn installed(target: &Target) -> Result<Vec<Distribution>, TargetError> {
    if !target.root.exists() {
        return Ok(Vec::new());
    }
    read(&Beneath::open(&target.root)?, &target.site_packages)
}

pub(super) fn read(
    beneath: &Beneath,
    site_packages: &str,
) -> Result<Vec<Distribution>, TargetError> {
    let mut found = Vec::new();
    for name in beneath.names(site_packages)?.into_iter().take(MAX_ENTRIES) {
        let Ok(name) = std::str::from_utf8(name.as_bytes()) else {
            continue;
        };
        if let Some(distribution) = one(beneath, site_packages, name)? {
            found.push(distribution);
        }
    }
    found.sort_by(|a, b| (&a.name, &a.folder).cmp(&(&b.name, &b.folder)));
    Ok(found)
}

fn one(
    beneath: &Beneath,
    site_packages: &str,
    entry: &str,
) -> Result<Option<Distribution>, TargetError> {
    let Some((stem, end)) = entry.rsplit_once('.') else {
        return Ok(None);
    };
    if !["dist-info", "egg-info", "egg-link", "egg"].contains(&end) {
        return Ok(None);
    }
    let path = joined(site_packages, entry);
    let Some(look) = beneath.look(&path)? else {
        return Ok(None);
    };
    let read = |inside: &str| -> Result<Vec<u8>, TargetError> {
        let bytes = match look.kind {
            Kind::Folder => beneath.read(&format!("{path}/{inside}"), MAX_METADATA)?,
            Kind::File if end == "egg-info" => beneath.read(&path, MAX_METADATA)?,
            Kind::File | Kind::Link => None,
        };
        Ok(bytes.unwrap_or_default())
    };
    let (metadata, unremovable) = match (end, look.kind) {
        ("dist-info", Kind::Folder) => {
            let recorded = beneath.look(&format!("{path}/RECORD"))?;
            let is_recorded = recorded.is_some_and(|it| it.kind == Kind::File);
            let why = (!is_recorded).then_some("it has no RECORD of what belongs to it");
            (read("METADATA")?, why)
        }
        ("dist-info", _) => return Ok(None),
        ("egg-info", Kind::Folder) => (
            read("PKG-INFO")?,
            Some("it was installed by setuptools, which left no RECORD of what belongs to it"),
        ),
        ("egg-info", _) => (
            read("")?,
            Some("it was installed by distutils, which left no RECORD of what belongs to it"),
        ),
        ("egg-link", _) => (
            Vec::new(),
            Some("it is installed in development mode, by a link to its source"),
        ),
        _ => (read("EGG-INFO/PKG-INFO")?, Some("it is an egg")),
    };
    let mut parts = stem.split('-');
    let name = header(&metadata, "Name")
        .and_then(|name| name.parse::<PackageName>().ok())
        .or_else(|| parts.next()?.parse().ok());
    let version =
        header(&metadata, "Version").or_else(|| stem.split('-').nth(1).map(str::to_owned));
    Ok(name.map(|name| Distribution {
        name,
        version: version.and_then(|it| lenient::version(&it).ok()),
        folder: entry.to_owned(),
        metadata,
        unremovable,
    }))
}
