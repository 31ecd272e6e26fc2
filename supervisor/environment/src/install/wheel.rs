//! A wheel, opened and judged by its table of contents before a byte of it is written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use model::{PackageName, Sha256, lenient};
use zip::ZipArchive;

use super::record::{self, Hasher, Row};
use super::tree::{check_path, printable};
use super::{InstallError, WheelInput};

/// The most members of a wheel.
const MAX_MEMBERS: usize = 100_000;
/// The most bytes of a wheel, unpacked.
const MAX_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// How many times larger a wheel may become, beyond the first [`FREE_BYTES`].
const MAX_RATIO: u64 = 200;
const FREE_BYTES: u64 = 32 * 1024 * 1024;
/// The largest file of `.dist-info` that is read into memory, in bytes.
const MAX_DOCUMENT: u64 = 16 * 1024 * 1024;

const FILE_TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;

/// A file of the wheel.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    index: usize,
    pub(crate) path: String,
    pub(crate) size: u64,
    pub(crate) executable: bool,
}

/// An opened wheel: its table of contents and RECORD agree.
pub(crate) struct Wheel {
    archive: ZipArchive<File>,
    /// The wheel's file name.
    pub(crate) label: String,
    /// The project's name as the wheel spells it, for the folder of headers.
    pub(crate) distribution: String,
    /// `NAME-VERSION`, as the special folders begin.
    pub(crate) stem: String,
    pub(crate) members: Vec<Member>,
    record: BTreeMap<String, Row>,
}

impl Wheel {
    /// Opens a wheel and checks digest, table of contents, name, version and RECORD.
    pub(crate) fn open(input: &WheelInput) -> Result<Self, InstallError> {
        let label = input.filename.to_string();
        let refused = |reason: String| InstallError::BadWheel {
            wheel: label.clone(),
            reason,
        };
        let read = || InstallError::io("read", &input.path);
        let mut file = File::open(&input.path).map_err(read())?;
        let (got, size) = Sha256::of_reader(&mut file).map_err(read())?;
        if got != input.sha256 {
            return Err(InstallError::Digest {
                wheel: label,
                got,
                expected: input.sha256,
            });
        }
        let archive = ZipArchive::new(file).map_err(|error| refused(zip_words(&error)))?;
        let members = members(&archive, size).map_err(&refused)?;
        let stem = stem(&members, input).map_err(&refused)?;
        let distribution = stem.split('-').next().unwrap_or_default().to_owned();
        let mut wheel = Self {
            archive,
            label: label.clone(),
            distribution,
            stem,
            members,
            record: BTreeMap::new(),
        };
        wheel.check_documents(input)?;
        let record = wheel
            .document("RECORD")?
            .ok_or_else(|| refused("it has no RECORD".to_owned()))?;
        wheel.record = record::parse(&record).map_err(&refused)?;
        wheel.check_record().map_err(refused)?;
        Ok(wheel)
    }

    /// Returns a file of `.dist-info`; none if there is none.
    pub(crate) fn document(&mut self, name: &str) -> Result<Option<Vec<u8>>, InstallError> {
        let path = self.dist_info(name);
        let Some(member) = self.members.iter().find(|member| member.path == path) else {
            return Ok(None);
        };
        let member = member.clone();
        if member.size > MAX_DOCUMENT {
            return Err(self.refused(format!("its {name} is too large")));
        }
        self.bytes(&member).map(Some)
    }

    /// Returns the name of the `.dist-info` folder.
    pub(crate) fn info(&self) -> String {
        format!("{}.dist-info", self.stem)
    }

    /// Returns a path in `.dist-info`.
    pub(crate) fn dist_info(&self, name: &str) -> String {
        format!("{}.dist-info/{name}", self.stem)
    }

    pub(crate) fn refused(&self, reason: String) -> InstallError {
        InstallError::BadWheel {
            wheel: self.label.clone(),
            reason,
        }
    }

    /// Returns a member's content. Its digest is checked by [`Self::checked_bytes`] alone.
    fn bytes(&mut self, member: &Member) -> Result<Vec<u8>, InstallError> {
        let mut bytes = Vec::new();
        self.copy(member, |chunk| {
            bytes.extend_from_slice(chunk);
            Ok(())
        })?;
        Ok(bytes)
    }

    /// Returns a member's content, which is as RECORD states.
    pub(crate) fn checked_bytes(&mut self, member: &Member) -> Result<Vec<u8>, InstallError> {
        if member.size > MAX_DOCUMENT {
            return Err(self.refused(format!(
                "the script `{}` is too large",
                printable(&member.path)
            )));
        }
        let bytes = self.bytes(member)?;
        let stated = self.stated(member).cloned();
        let mut hasher = Hasher::new(stated.as_ref());
        hasher.update(&bytes);
        self.check_digest(member, hasher.finish(stated.as_ref()))?;
        Ok(bytes)
    }

    /// Returns the SHA-256 of a member that RECORD states; none if it states another digest, so
    /// that it has to be computed.
    pub(crate) fn stated_sha256(&self, member: &Member) -> Option<Sha256> {
        match self.stated(member)? {
            record::Stated::Sha256(bytes) => {
                bytes.as_slice().try_into().ok().map(Sha256::from_bytes)
            }
            record::Stated::Sha384(_) | record::Stated::Sha512(_) => None,
        }
    }

    /// Hands a member's content to `sink` piece by piece; fails at the end if it is not as RECORD
    /// states.
    pub(crate) fn extract(
        &mut self,
        member: &Member,
        mut sink: impl FnMut(&[u8]) -> Result<(), InstallError>,
    ) -> Result<(), InstallError> {
        let stated = self.stated(member).cloned();
        let mut hasher = Hasher::new(stated.as_ref());
        self.copy(member, |chunk| {
            hasher.update(chunk);
            sink(chunk)
        })?;
        self.check_digest(member, hasher.finish(stated.as_ref()))
    }

    fn stated(&self, member: &Member) -> Option<&record::Stated> {
        self.record.get(&member.path)?.digest.as_ref()
    }

    fn check_digest(&self, member: &Member, got: (Sha256, bool)) -> Result<(), InstallError> {
        if got.1 {
            return Ok(());
        }
        Err(self.refused(format!(
            "`{}` does not have the digest that RECORD states",
            printable(&member.path)
        )))
    }

    fn copy(
        &mut self,
        member: &Member,
        mut sink: impl FnMut(&[u8]) -> Result<(), InstallError>,
    ) -> Result<(), InstallError> {
        let label = self.label.clone();
        let refused = |reason: String| InstallError::BadWheel {
            wheel: label.clone(),
            reason: format!("`{}` {reason}", printable(&member.path)),
        };
        let mut reader = self
            .archive
            .by_index(member.index)
            .map_err(|error| refused(zip_words(&error)))?;
        let mut buffer = vec![0; 64 * 1024];
        let mut left = member.size;
        loop {
            let got = reader
                .read(&mut buffer)
                .map_err(|error| refused(format!("can not be unpacked: {error}")))?;
            if got == 0 {
                break;
            }
            left = left
                .checked_sub(got as u64)
                .ok_or_else(|| refused("is larger than it says".to_owned()))?;
            sink(&buffer[..got])?;
        }
        if left > 0 {
            return Err(refused("is smaller than it says".to_owned()));
        }
        Ok(())
    }

    /// Checks that WHEEL is of a version we know, and that METADATA names what the file name does.
    fn check_documents(&mut self, input: &WheelInput) -> Result<(), InstallError> {
        let wheel = self
            .document("WHEEL")?
            .ok_or_else(|| self.refused("it has no WHEEL file".to_owned()))?;
        let version = header(&wheel, "Wheel-Version").unwrap_or_default();
        if version.split('.').next() != Some("1") {
            return Err(self.refused(format!(
                "its format is {}, known is 1",
                if version.is_empty() {
                    "not stated".into()
                } else {
                    printable(&version)
                }
            )));
        }
        let metadata = self
            .document("METADATA")?
            .ok_or_else(|| self.refused("it has no METADATA".to_owned()))?;
        let name = header(&metadata, "Name").and_then(|name| name.parse::<PackageName>().ok());
        let version = header(&metadata, "Version").and_then(|it| lenient::version(&it).ok());
        if name.as_ref() != Some(&input.filename.name)
            || version.as_ref() != Some(&input.filename.version)
        {
            return Err(self.refused("its METADATA names another project or version".to_owned()));
        }
        Ok(())
    }

    /// Checks that RECORD and the table of contents name the same files, and that RECORD states a
    /// digest for each but itself and its signatures.
    fn check_record(&self) -> Result<(), String> {
        let unsigned: Vec<_> = ["RECORD", "RECORD.jws", "RECORD.p7s"]
            .iter()
            .map(|name| self.dist_info(name))
            .collect();
        for member in &self.members {
            if unsigned.contains(&member.path) {
                continue;
            }
            let path = printable(&member.path);
            match self.record.get(&member.path) {
                None => return Err(format!("`{path}` is not in RECORD")),
                Some(Row { digest: None, .. }) => {
                    return Err(format!("RECORD states no digest of `{path}`"));
                }
                Some(Row {
                    size: Some(size), ..
                }) if *size != member.size => {
                    return Err(format!("`{path}` has not the size that RECORD states"));
                }
                Some(_) => {}
            }
        }
        let mut paths: Vec<_> = self.members.iter().map(|it| it.path.as_str()).collect();
        paths.sort_unstable();
        let missing = self.record.keys().find(|path| {
            // Some builders list folders as well.
            !path.ends_with('/')
                && !unsigned.contains(path)
                && paths.binary_search(&path.as_str()).is_err()
        });
        match missing {
            Some(path) => Err(format!(
                "RECORD names `{}`, which is missing",
                printable(path)
            )),
            None => Ok(()),
        }
    }
}

/// Judges the table of contents.
fn members(archive: &ZipArchive<File>, size: u64) -> Result<Vec<Member>, String> {
    if archive.len() > MAX_MEMBERS {
        return Err(format!("it has more than {MAX_MEMBERS} members"));
    }
    if archive.has_duplicate_names() {
        return Err("it has two members of one name".to_owned());
    }
    let mut members = Vec::with_capacity(archive.len());
    let mut total = 0_u64;
    for index in 0..archive.len() {
        let entry = archive
            .by_index_data(index)
            .map_err(|error| zip_words(&error))?;
        let name = entry.name().map_err(|_| "a member's name is not UTF-8")?;
        let path = name.strip_suffix('/').unwrap_or(&name);
        check_path(path).map_err(|why| format!("the member `{}` {why}", printable(path)))?;
        if entry.encrypted() {
            return Err(format!("`{}` is encrypted", printable(path)));
        }
        let mode = entry.unix_mode().unwrap_or(0);
        if entry.is_dir() {
            continue;
        }
        if mode & FILE_TYPE != 0 && mode & FILE_TYPE != REGULAR {
            return Err(format!("`{}` is a link or special file", printable(path)));
        }
        total = total.saturating_add(entry.size());
        members.push(Member {
            index,
            path: path.to_owned(),
            size: entry.size(),
            executable: mode & 0o111 != 0,
        });
    }
    if total > MAX_BYTES || total.saturating_sub(FREE_BYTES) > size.saturating_mul(MAX_RATIO) {
        return Err(format!("it would unpack to {total} bytes"));
    }
    Ok(members)
}

/// Returns `NAME-VERSION` of the one top-level `.dist-info` folder, which fits the file name.
fn stem(members: &[Member], input: &WheelInput) -> Result<String, String> {
    let mut stems: Vec<_> = members
        .iter()
        .filter_map(|member| member.path.split_once('/')?.0.strip_suffix(".dist-info"))
        .collect();
    stems.sort_unstable();
    stems.dedup();
    let [stem] = stems.as_slice() else {
        return Err(format!(
            "it has {} .dist-info folders, not one",
            stems.len()
        ));
    };
    let fits = stem.split_once('-').is_some_and(|(name, version)| {
        name.parse::<PackageName>()
            .is_ok_and(|name| name == input.filename.name)
            && lenient::version(version).is_ok_and(|version| version == input.filename.version)
    });
    if fits {
        Ok((*stem).to_owned())
    } else {
        Err("its .dist-info folder is of another project or version".to_owned())
    }
}

/// Returns the first header of this name in a document of e-mail headers.
pub(crate) fn header(document: &[u8], wanted: &str) -> Option<String> {
    String::from_utf8_lossy(document)
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted)
                .then(|| value.trim().to_owned())
        })
}

fn zip_words(error: &zip::result::ZipError) -> String {
    format!("is not a zip archive that can be read: {error}")
}
