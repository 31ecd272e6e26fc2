//! Taking the METADATA that `prepare_metadata_for_build_wheel` left, as strictly as a wheel's: nothing is
//! followed, nothing blocks, and what the hook says about it is not asked.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Dir, Mode, OFlags, fstat, openat};
use sources::CoreMetadata;

use super::dist_info::{METADATA_CAP, belongs};
use super::error::shown;
use super::output::{MOST_ENTRIES, check_unchanged, links_of, open, plain, size_of};
use super::{BadWheel, OutputRefused};
use crate::canary::{Search, Token};
use crate::error::BuildError;

const METADATA: &str = "METADATA";
const SUFFIX: &str = ".dist-info";

/// Reads the METADATA in the only `.dist-info` folder of `room`. `uid` is the build's, as this process sees it.
///
/// # Errors
/// If there is not exactly one such folder, METADATA is no plain file of the build's own, or says nothing that
/// can be used.
pub(crate) fn take_metadata(
    room: BorrowedFd<'_>,
    uid: u32,
    token: &Token,
) -> Result<CoreMetadata, BuildError> {
    let unreadable = |errno: rustix::io::Errno| OutputRefused::Unreadable {
        name: ".".to_owned(),
        source: errno.into(),
    };
    let device = fstat(room).map_err(unreadable)?.st_dev;
    let name = only_folder(room)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder =
        openat(room, name.as_str(), flags, Mode::empty()).map_err(|errno| match errno {
            rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR => OutputRefused::Kind {
                name: shown(&name),
                kind: "no folder",
            },
            errno => OutputRefused::Unreadable {
                name: shown(&name),
                source: errno.into(),
            },
        })?;
    let bytes = read(&folder, uid, device)?;
    let mut search = Search::new(token);
    search.begin();
    if search.push(&bytes) {
        return Err(BadWheel::Decoy {
            member: METADATA.to_owned(),
        }
        .into());
    }
    let metadata = CoreMetadata::parse(&bytes).map_err(BadWheel::Metadata)?;
    if !belongs(&name, SUFFIX, (&metadata.name, &metadata.version)) {
        return Err(BadWheel::DistInfo {
            wanted: format!(
                "{}-{}{SUFFIX}",
                metadata.name.as_dist_info_name(),
                metadata.version
            ),
            found: shown(&name),
        }
        .into());
    }
    Ok(metadata)
}

/// Returns the name of the one folder of metadata; backends leave other things beside it.
fn only_folder(room: BorrowedFd<'_>) -> Result<String, BuildError> {
    let unreadable = |errno: rustix::io::Errno| OutputRefused::Unreadable {
        name: ".".to_owned(),
        source: errno.into(),
    };
    let mut names = Vec::new();
    for entry in Dir::read_from(room).map_err(unreadable)?.take(MOST_ENTRIES) {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_bytes();
        if name.ends_with(SUFFIX.as_bytes()) {
            names.push(plain(name)?);
        }
    }
    match names.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(BadWheel::DistInfo {
            wanted: format!("name-version{SUFFIX}"),
            found: "none".to_owned(),
        }
        .into()),
        many => Err(BadWheel::DistInfo {
            wanted: format!("name-version{SUFFIX}"),
            found: shown(&many.join(", ")),
        }
        .into()),
    }
}

fn read(folder: &OwnedFd, uid: u32, device: u64) -> Result<Vec<u8>, BuildError> {
    let name = METADATA.to_owned();
    let (file, before): (File, _) = open(folder, METADATA).map_err(|error| match error {
        OutputRefused::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            BuildError::from(BadWheel::Missing {
                member: METADATA.to_owned(),
            })
        }
        other => other.into(),
    })?;
    if before.st_uid != uid {
        return Err(OutputRefused::Owner {
            name,
            owner: before.st_uid,
            wanted: uid,
        }
        .into());
    }
    let links = links_of(&file, METADATA)?;
    if links != 1 {
        return Err(OutputRefused::HardLinked { name, links }.into());
    }
    if before.st_dev != device {
        return Err(OutputRefused::Mount { name }.into());
    }
    let size = size_of(&before);
    if size > METADATA_CAP {
        return Err(OutputRefused::TooLarge {
            name,
            size,
            cap: METADATA_CAP,
        }
        .into());
    }
    let mut bytes = Vec::new();
    (&file)
        .take(METADATA_CAP)
        .read_to_end(&mut bytes)
        .map_err(|source| OutputRefused::Unreadable { name, source })?;
    check_unchanged(&file, METADATA, &before)?;
    Ok(bytes)
}
