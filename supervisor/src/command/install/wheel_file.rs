//! A wheel that lies here and is installed as it is.

use std::fs::File;
use std::path::{Path, PathBuf};

use archive::{Budget, Top};
use builder::open_file;
use environment::{Wanted, WheelInput};
use model::{Code, PythonFacts, Sha256, TagSet, WheelFilename};
use sources::CoreMetadata;

use super::direct_url;
use crate::render::Problem;

/// A wheel, and what it says about itself.
#[derive(Clone, Debug)]
pub(super) struct WheelFile {
    /// What is to be installed.
    pub(super) wanted: Wanted,
    /// Its METADATA.
    pub(super) metadata: CoreMetadata,
}

/// Returns the path of a wheel, if a spec names one.
pub(super) fn path(spec: &str, directory: &Path) -> Option<PathBuf> {
    let path = directory.join(spec);
    (spec.ends_with(".whl") && !spec.contains("://")).then_some(path)
}

impl WheelFile {
    /// Takes the wheel, if it fits the interpreter.
    pub(super) fn read(path: &Path, facts: &PythonFacts) -> Result<Self, Problem> {
        let shown = path.display();
        let unread = |why: String| {
            Problem::new(
                Code::BadSpec,
                format!("the wheel `{shown}` can not be read"),
            )
            .why(why)
        };
        let real = path
            .canonicalize()
            .map_err(|error| unread(error.to_string()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let filename =
            WheelFilename::parse(&name).map_err(|error| Problem::of(Code::BadWheel, &error))?;
        if TagSet::of(facts).rank(&filename).is_none() {
            let (major, minor, _) = facts.version;
            return Err(Problem::new(
                Code::NoSource,
                format!("the wheel `{shown}` does not fit this Python"),
            )
            .why(format!(
                "it is not made for {} {major}.{minor} on {}",
                facts.implementation, facts.platform
            ))
            .fix("take another file of it, or its source"));
        }
        let mut file = open_file(&real).map_err(|error| unread(error.to_string()))?;
        let (sha256, _) =
            Sha256::of_reader(&mut file).map_err(|error| unread(error.to_string()))?;
        let metadata = metadata(&file, &name).ok_or_else(|| {
            Problem::new(Code::BadWheel, format!("the wheel `{shown}` was refused"))
                .why("its METADATA can not be read")
        })?;
        Ok(Self {
            wanted: Wanted {
                direct_url: direct_url::of_wheel(&real, &sha256.to_string()),
                wheel: WheelInput {
                    path: real,
                    filename,
                    sha256,
                },
                requested: true,
            },
            metadata,
        })
    }
}

fn metadata(file: &File, filename: &str) -> Option<CoreMetadata> {
    let mut parts = filename.split('-');
    let name = format!("{}-{}.dist-info/METADATA", parts.next()?, parts.next()?);
    let found = archive::peek(file, &[&name], Top::Bare, &Budget::default()).ok()?;
    CoreMetadata::parse(found.get(&name)?).ok()
}
