//! One sdist that a backend made, judged from its bytes alone, as strictly as a wheel.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use archive::{Budget, Kind, Top};
use model::{BadFilename, Code, PackageName, SdistExtension, SdistFilename, Version};
use sources::{CoreMetadata, MetadataError};

use super::error::shown;
use crate::canary::{Search, Token};

/// The files that are read.
const FILES: [&str; 3] = ["PKG-INFO", "pyproject.toml", "setup.py"];

/// What an sdist should be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpectedSdist<'a> {
    /// The project, if it is known.
    pub(crate) name: Option<&'a PackageName>,
    /// The version, if it is known.
    pub(crate) version: Option<&'a Version>,
    /// Refuse oddities that are notes otherwise (`--strict-output`).
    pub(crate) strict: bool,
    /// What marks the decoys of its build, none of which may be in it.
    pub(crate) token: &'a Token,
}

/// An sdist that was found to be what it should be.
#[derive(Clone, Debug)]
pub(crate) struct JudgedSdist {
    /// Its name as PEP 625 writes it.
    pub(crate) filename: String,
    /// What its PKG-INFO says.
    pub(crate) metadata: CoreMetadata,
    /// What is worth knowing, printable.
    pub(crate) notes: Vec<String>,
}

/// Why a file is not an sdist that can be handed on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadSdist {
    /// The file's name is not that of an sdist of its project.
    #[error(transparent)]
    Filename(#[from] BadFilename),
    /// It is an archive of another kind.
    #[error("the sdist `{filename}` is not a `.tar.gz`, but {found}")]
    Kind {
        /// The file's name.
        filename: String,
        /// What its bytes are.
        found: String,
    },
    /// The guards refuse it.
    #[error("the sdist is not a sound archive")]
    Archive(#[source] archive::Refusal),
    /// A file that every sdist has is missing.
    #[error("the sdist has no {file}")]
    Missing {
        /// The file.
        file: &'static str,
    },
    /// `PKG-INFO` is not valid.
    #[error("the sdist's PKG-INFO can not be used")]
    Metadata(#[source] MetadataError),
    /// Names or versions differ.
    #[error("the {what} in PKG-INFO is `{found}`, but {place} says `{wanted}`")]
    Differs {
        /// `name` or `version`.
        what: &'static str,
        /// What PKG-INFO says.
        found: String,
        /// Where the other stands.
        place: &'static str,
        /// The other.
        wanted: String,
    },
    /// A decoy of the build's home is in it.
    #[error("the sdist holds a decoy of the build's home: something looked for credentials there")]
    Decoy,
    /// Something odd, and oddities are refused.
    #[error("{oddity} (refused because of --strict-output)")]
    Odd {
        /// What is odd.
        oddity: String,
    },
    /// Reading failed.
    #[error("the sdist can not be read")]
    Io(#[source] io::Error),
}

impl BadSdist {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Differs { .. } => Code::WrongName,
            Self::Decoy => Code::Canary,
            Self::Io(_) => Code::Io,
            _ => Code::BadSdist,
        }
    }
}

/// Judges an sdist. `file` must be a copy that no build has open; every byte of it is read.
///
/// # Errors
/// The first rule that is broken.
pub(crate) fn judge_sdist(
    file: &File,
    filename: &str,
    expected: &ExpectedSdist<'_>,
) -> Result<JudgedSdist, BadSdist> {
    let is_named_so = SdistExtension::split(filename)
        .is_some_and(|(_, extension)| extension == SdistExtension::TarGz);
    let kind = Kind::of(file).map_err(BadSdist::Archive)?;
    if kind != Kind::TarGz || !is_named_so {
        return Err(BadSdist::Kind {
            filename: shown(filename),
            found: format!("a {kind}"),
        });
    }
    let budget = Budget::default();
    let (unpacked, found) =
        archive::survey(file, &FILES, Top::OneFolder, &budget).map_err(BadSdist::Archive)?;
    let [metadata, pyproject, setup] = FILES.map(|name| found.get(name));
    let metadata = metadata.ok_or(BadSdist::Missing { file: "PKG-INFO" })?;
    let metadata = CoreMetadata::parse(metadata).map_err(BadSdist::Metadata)?;
    if pyproject.is_none() && setup.is_none() {
        return Err(BadSdist::Missing {
            file: "pyproject.toml and no setup.py: nothing could be built from it",
        });
    }
    let named = SdistFilename::parse(filename, &metadata.name)?;
    check(
        &metadata,
        "the file's name",
        Some(&named.name),
        Some(&named.version),
    )?;
    check(&metadata, "the project", expected.name, expected.version)?;
    look_for_decoys(file, &budget, expected.token)?;
    let proper = named.to_string();
    let mut notes: Vec<_> = unpacked.notes;
    let mut odd = |oddity: String| {
        if expected.strict {
            return Err(BadSdist::Odd { oddity });
        }
        notes.push(oddity);
        Ok(())
    };
    if proper != filename {
        odd(format!(
            "the backend named it `{}`; PEP 625 names it `{proper}`",
            shown(filename)
        ))?;
    }
    let folder = unpacked.top_folder.unwrap_or_default();
    let stem = proper.strip_suffix(SdistExtension::TarGz.text());
    if stem.is_some_and(|stem| stem != folder) {
        odd(format!("its folder is `{}`", shown(&folder)))?;
    }
    Ok(JudgedSdist {
        filename: proper,
        metadata,
        notes,
    })
}

fn check(
    metadata: &CoreMetadata,
    place: &'static str,
    name: Option<&PackageName>,
    version: Option<&Version>,
) -> Result<(), BadSdist> {
    if let Some(name) = name.filter(|name| **name != metadata.name) {
        return Err(BadSdist::Differs {
            what: "name",
            found: metadata.name.to_string(),
            place,
            wanted: name.to_string(),
        });
    }
    match version.filter(|version| **version != metadata.version) {
        Some(version) => Err(BadSdist::Differs {
            what: "version",
            found: metadata.version.to_string(),
            place,
            wanted: version.to_string(),
        }),
        None => Ok(()),
    }
}

/// Looks in the file as it is, for gzip has room for names and comments, and in what it unpacks to.
fn look_for_decoys(file: &File, budget: &Budget, token: &Token) -> Result<(), BadSdist> {
    let mut search = Search::new(token);
    let mut found = false;
    search.begin();
    let mut buffer = vec![0; 128 << 10];
    let mut at = 0;
    loop {
        match file.read_at(&mut buffer, at) {
            Ok(0) => break,
            Ok(got) => {
                found |= search.push(&buffer[..got]);
                at += got as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(BadSdist::Io(error)),
        }
    }
    search.begin();
    archive::pieces(file, budget, |piece| found |= search.push(piece))
        .map_err(BadSdist::Archive)?;
    match found {
        true => Err(BadSdist::Decoy),
        false => Ok(()),
    }
}
