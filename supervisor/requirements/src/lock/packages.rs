//! The entries of a lock.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use model::{HashAlgorithm, Hashes, LinePlace, PackageName, Version, VersionSpecifiers, lenient};

use super::marker::LockMarker;
use crate::RequirementsError;
use crate::toml_text::Table;

/// Files of one package at most.
const MOST_FILES: usize = 5_000;

/// One `[[packages]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedPackage {
    /// The project.
    pub name: PackageName,
    /// The version; a source tree may have none.
    pub version: Option<Version>,
    /// The index that its files come from. May hold credentials.
    pub index: Option<String>,
    /// Where it is to be had.
    pub form: Form,
    /// Where it stands.
    pub place: LinePlace,
    pub(super) marker: Option<LockMarker>,
    pub(super) requires_python: Option<VersionSpecifiers>,
}

/// Where a package is to be had.
#[derive(Clone, PartialEq, Eq)]
pub enum Form {
    /// Files of an index.
    Files {
        /// The sdist.
        sdist: Option<LockedFile>,
        /// The wheels, of which one is for here, or none.
        wheels: Vec<LockedFile>,
    },
    /// An archive.
    Archive {
        /// The file.
        file: LockedFile,
        /// The folder in it.
        subdirectory: Option<String>,
    },
    /// A commit of a repository.
    Vcs {
        /// `git`, ...
        kind: String,
        /// Where. May hold credentials.
        at: Location,
        /// The commit.
        commit: String,
        /// The folder in it.
        subdirectory: Option<String>,
    },
    /// A folder.
    Directory {
        /// As it is to be opened: beside the lock.
        path: PathBuf,
        /// The folder in it.
        subdirectory: Option<String>,
    },
}

impl std::fmt::Debug for Form {
    /// Addresses may hold credentials.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Files { .. } => "Files",
            Self::Archive { .. } => "Archive",
            Self::Vcs { .. } => "Vcs",
            Self::Directory { .. } => "Directory",
        })
    }
}

/// Where a file is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// Behind a URL.
    Url(String),
    /// A path, as it is to be opened: beside the lock.
    Path(PathBuf),
}

impl std::fmt::Debug for Location {
    /// Without credentials.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            Self::Url(url) => lenient::printable(url),
            Self::Path(path) => lenient::printable(&path.to_string_lossy()),
        };
        out.write_str(&text)
    }
}

/// A file of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedFile {
    /// Its name, one plain component.
    pub name: String,
    /// Where it is.
    pub at: Location,
    /// Bytes.
    pub size: Option<u64>,
    /// What it has to be; never empty.
    pub hashes: Hashes,
    /// Where it stands.
    pub place: LinePlace,
}

impl LockedPackage {
    pub(super) fn read(table: &Table<'_>) -> Result<Self, RequirementsError> {
        let name = table.required("name")?;
        let is_name = !name.is_empty();
        let name = PackageName::from_str(name)
            .ok()
            .filter(|_| is_name)
            .ok_or_else(|| table.unfit("name", "is not the name of a project"))?;
        let version = table.text("version")?.map(|text| {
            lenient::version(text)
                .map_err(|error| table.unfit("version", &format!("is none: {}", error.why)))
        });
        let requires_python = table.text("requires-python")?.map(|text| {
            lenient::specifiers(text).map_err(|error| {
                table.unfit("requires-python", &format!("is unfit: {}", error.why))
            })
        });
        let marker = table.text("marker")?.map(|text| {
            LockMarker::parse(text)
                .map_err(|what| table.unfit("marker", &format!("is none: {what}")))
        });
        Ok(Self {
            name,
            version: version.transpose()?,
            index: table.text("index")?.map(str::to_owned),
            form: form(table)?,
            place: table.place(),
            marker: marker.transpose()?,
            requires_python: requires_python.transpose()?,
        })
    }
}

fn form(table: &Table<'_>) -> Result<Form, RequirementsError> {
    let kinds = ["vcs", "directory", "archive"];
    let special: Vec<_> = kinds.into_iter().filter(|kind| table.has(kind)).collect();
    let has_files = table.has("sdist") || table.has("wheels");
    match (special.as_slice(), has_files) {
        ([], true) => files(table),
        (["archive"], false) => below(table, "archive", |table| {
            Ok(Form::Archive {
                file: file(table)?,
                subdirectory: subdirectory(table)?,
            })
        }),
        (["vcs"], false) => below(table, "vcs", vcs),
        (["directory"], false) => below(table, "directory", directory),
        _ => Err(table.unfit(
            "name",
            "has not exactly one of vcs, directory, archive, and sdist or wheels",
        )),
    }
}

fn below(
    table: &Table<'_>,
    key: &str,
    read: impl Fn(&Table<'_>) -> Result<Form, RequirementsError>,
) -> Result<Form, RequirementsError> {
    match table.table(key)? {
        Some(below) => read(&below),
        None => Err(table.unfit(key, "is missing")),
    }
}

fn files(table: &Table<'_>) -> Result<Form, RequirementsError> {
    let wheels = table.tables("wheels")?;
    if wheels.len() > MOST_FILES {
        return Err(table.unfit("wheels", &format!("has more than {MOST_FILES} entries")));
    }
    Ok(Form::Files {
        sdist: table
            .table("sdist")?
            .map(|table| file(&table))
            .transpose()?,
        wheels: wheels.iter().map(file).collect::<Result<_, _>>()?,
    })
}

fn vcs(table: &Table<'_>) -> Result<Form, RequirementsError> {
    Ok(Form::Vcs {
        kind: table.required("type")?.to_owned(),
        at: location(table)?,
        commit: table.required("commit-id")?.to_owned(),
        subdirectory: subdirectory(table)?,
    })
}

fn directory(table: &Table<'_>) -> Result<Form, RequirementsError> {
    if table.truth("editable")? == Some(true) {
        return Err(RequirementsError::Editable {
            place: table.place_of("editable"),
            text: lenient::printable(table.required("path")?),
        });
    }
    Ok(Form::Directory {
        path: beside(table, table.required("path")?),
        subdirectory: subdirectory(table)?,
    })
}

fn subdirectory(table: &Table<'_>) -> Result<Option<String>, RequirementsError> {
    let Some(text) = table.text("subdirectory")? else {
        return Ok(None);
    };
    let leads_out = text.starts_with('/') || text.split('/').any(|part| part == "..");
    if leads_out || text.chars().any(char::is_control) {
        return Err(table.unfit("subdirectory", "leads out of its source"));
    }
    let text = text.trim_matches('/');
    Ok((!text.is_empty() && text != ".").then(|| text.to_owned()))
}

/// A path of a lock is relative to the lock.
fn beside(table: &Table<'_>, path: &str) -> PathBuf {
    let file = table.place().file;
    let folder = file.parent().unwrap_or(Path::new(""));
    folder.join(path)
}

fn location(table: &Table<'_>) -> Result<Location, RequirementsError> {
    // The path comes first where both are there: it is what whoever locked has beside the lock.
    match (table.text("path")?, table.text("url")?) {
        (Some(path), _) => Ok(Location::Path(beside(table, path))),
        (None, Some(url)) => Ok(Location::Url(url.to_owned())),
        (None, None) => Err(table.unfit("url", "is missing, and so is `path`")),
    }
}

fn file(table: &Table<'_>) -> Result<LockedFile, RequirementsError> {
    let at = location(table)?;
    let name = match table.text("name")? {
        Some(name) => name.to_owned(),
        None => match &at {
            Location::Path(path) => path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned()),
            Location::Url(url) => url::Url::parse(url).ok().and_then(|url| {
                let last = url.path_segments()?.next_back()?.to_owned();
                (!last.is_empty()).then_some(last)
            }),
        }
        .ok_or_else(|| table.unfit("name", "is missing"))?,
    };
    if name.is_empty() || name.contains('/') || name.chars().any(char::is_control) {
        return Err(table.unfit("name", "is not the name of a file"));
    }
    Ok(LockedFile {
        name,
        at,
        size: table.count("size")?,
        hashes: hashes(table)?,
        place: table.place(),
    })
}

fn hashes(table: &Table<'_>) -> Result<Hashes, RequirementsError> {
    let Some(given) = table.table("hashes")? else {
        return Err(table.unfit("hashes", "is missing"));
    };
    let mut hashes = Hashes::default();
    for key in given.keys() {
        // Weaker ones may stand beside; they are not looked at.
        if let Ok(algorithm) = key.to_ascii_lowercase().parse::<HashAlgorithm>() {
            hashes
                .insert(algorithm, given.required(key)?)
                .map_err(|what| given.unfit(key, &format!("is unfit: {what}")))?;
        }
    }
    if hashes.is_empty() {
        return Err(table.unfit("hashes", "has none of sha256, sha384 and sha512"));
    }
    Ok(hashes)
}
