//! Packs a source folder into the normal form: an uncompressed tar that is the same for the same
//! tree, wherever and whenever it is made.
//!
//! The form, version 1: a PAX global comment that names the version; then every folder, file and
//! link, sorted by path; owner 0; modes 0644 and 0755; file times not before 1980, fixed times for
//! folders and links, because leaving something out must not show.

mod listing;
mod survey;
mod tracked;

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use ::tar::{Builder, EntryType, Header};
use rustix::fs::{Mode, OFlags};

pub use self::listing::{Listing, listing};

use self::survey::{Found, Item, Survey};
use crate::Exclusions;
use crate::member::{EARLIEST, clamp_time};

/// The name of the form, in the archive's first header.
const FORM: &str = "fumehood source tree 1";

/// What was packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Files, folders and links.
    pub members: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// What was left out that the reader may want to know of; printable.
    pub notes: Vec<String>,
}

/// Why a folder can not be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// An operation on the tree failed.
    #[error("could not read `{}`", path.display())]
    Read {
        /// What was read.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// The archive could not be written.
    #[error("could not write the packed tree")]
    Write {
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// The path is not a folder.
    #[error("`{}` is not a folder", path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// Nothing is left to pack.
    #[error("`{}` holds nothing to build", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A link leads out of the tree.
    #[error("the link `{}` leads out of the folder, to `{}`", path.display(), target.display())]
    LinkOut {
        /// The link, relative to the folder.
        path: PathBuf,
        /// Where it points.
        target: PathBuf,
    },
    /// A name that no archive of ours takes.
    #[error("`{}` has a name that can not be packed: it {why}", path.display())]
    Name {
        /// The path, relative to the folder.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Too much to be a source tree.
    #[error(
        "more than {max_bytes} bytes or {max_members} files; the biggest folder is `{}` with {biggest_bytes} bytes in {biggest_members} files",
        biggest.display()
    )]
    TooBig {
        /// The cap on bytes.
        max_bytes: u64,
        /// The cap on files, folders and links.
        max_members: u64,
        /// The biggest folder at the top, relative to the tree.
        biggest: PathBuf,
        /// Its bytes, as far as they were counted.
        biggest_bytes: u64,
        /// Its files, as far as they were counted.
        biggest_members: u64,
    },
    /// A file changed while it was packed.
    #[error("`{}` changed while it was packed", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

/// Packs the folder `tree` into `out`.
///
/// Left out: the folders of `exclusions`, `.git`, virtual environments, folders with a
/// `CACHEDIR.TAG`, `__pycache__`, `.tox`, `.nox`, `node_modules`, and at the top `build` and
/// `*.egg-info` unless git tracks them. Files that git ignores are packed: builds need them.
///
/// # Errors
/// If the tree holds more than 2 GiB or 100,000 members, a link leads out, a name does not fit, or an
/// operation fails.
pub fn pack(
    tree: &Path,
    exclusions: &Exclusions,
    out: &mut dyn Write,
) -> Result<Packed, PackError> {
    let survey = survey::survey(tree, &exclusions.resolved())?;
    write(survey, None, None, out)
}

/// As [`pack`], with the folder `repository` in the place of the tree's own `.git`.
///
/// # Errors
/// As [`pack`].
pub fn pack_with_repository(
    tree: &Path,
    exclusions: &Exclusions,
    repository: &Path,
    out: &mut dyn Write,
) -> Result<Packed, PackError> {
    let survey = survey::survey(tree, &exclusions.resolved())?;
    write(survey, Some(repository), None, out)
}

/// Packs what git checked out: all of it, with `repository` as its `.git`, and every file with the
/// time `mtime` (Unix seconds), for a checkout knows no times.
///
/// # Errors
/// As [`pack`].
pub fn pack_checkout(
    tree: &Path,
    repository: &Path,
    mtime: i64,
    out: &mut dyn Write,
) -> Result<Packed, PackError> {
    write(survey::whole(tree)?, Some(repository), Some(mtime), out)
}

/// Writes what was found, and what stands in for `.git`.
fn write(
    survey: Survey,
    repository: Option<&Path>,
    mtime: Option<i64>,
    out: &mut dyn Write,
) -> Result<Packed, PackError> {
    let mut all: Vec<(PathBuf, Found)> = survey
        .found
        .into_iter()
        .map(|found| (survey.root.join(&found.path), found))
        .collect();
    for (_, found) in &mut all {
        if let (Item::File { mtime: time, .. }, Some(fixed)) = (&mut found.item, mtime) {
            *time = fixed;
        }
    }
    if let Some(repository) = repository {
        all.extend(stand_in(repository)?);
    }
    all.sort_by(|(_, one), (_, other)| one.path.cmp(&other.path));
    let mut builder = Builder::new(out);
    mark(&mut builder).map_err(|source| PackError::Write { source })?;
    let mut bytes = 0;
    for (place, found) in &all {
        bytes += append(&mut builder, place, found)?;
    }
    builder
        .finish()
        .map_err(|source| PackError::Write { source })?;
    Ok(Packed {
        members: all.len() as u64,
        bytes,
        notes: survey.notes,
    })
}

/// The members of a `.git` that somebody made for the archive; when it was made does not show.
fn stand_in(repository: &Path) -> Result<Vec<(PathBuf, Found)>, PackError> {
    let survey = survey::whole(repository)?;
    let root = survey.root;
    let mut members = vec![(
        root.clone(),
        Found {
            path: ".git".to_owned(),
            item: Item::Folder,
        },
    )];
    for Found { path, mut item } in survey.found {
        let place = root.join(&path);
        if let Item::File { mtime, .. } = &mut item {
            *mtime = EARLIEST;
        }
        let path = format!(".git/{path}");
        members.push((place, Found { path, item }));
    }
    Ok(members)
}

/// Writes the header that names the form; readers of tar take it for a comment.
fn mark(builder: &mut Builder<&mut dyn Write>) -> io::Result<()> {
    let record = comment(FORM);
    let mut header = Header::new_ustar();
    header.set_path("pax_global_header")?;
    header.set_entry_type(EntryType::XGlobalHeader);
    plain(&mut header, 0o644, EARLIEST);
    header.set_size(record.len() as u64);
    header.set_cksum();
    builder.append(&header, record.as_bytes())
}

/// Makes a PAX record; its length counts itself.
fn comment(text: &str) -> String {
    let body = format!(" comment={text}\n");
    let mut length = body.len();
    while length != body.len() + length.to_string().len() {
        length = body.len() + length.to_string().len();
    }
    format!("{length}{body}")
}

/// Appends one member and returns how many bytes it holds.
fn append(
    builder: &mut Builder<&mut dyn Write>,
    place: &Path,
    found: &Found,
) -> Result<u64, PackError> {
    let written = |source: io::Error| PackError::Write { source };
    let mut header = Header::new_gnu();
    match &found.item {
        Item::Folder => {
            header.set_entry_type(EntryType::Directory);
            plain(&mut header, 0o755, EARLIEST);
            let name = format!("{}/", found.path);
            builder
                .append_data(&mut header, name, io::empty())
                .map_err(written)?;
            Ok(0)
        }
        Item::Link { target } => {
            header.set_entry_type(EntryType::Symlink);
            plain(&mut header, 0o777, EARLIEST);
            append_link(builder, header, &found.path, target).map_err(written)?;
            Ok(0)
        }
        Item::File {
            size,
            executable,
            mtime,
        } => {
            header.set_entry_type(EntryType::Regular);
            plain(
                &mut header,
                if *executable { 0o755 } else { 0o644 },
                clamp_time(*mtime),
            );
            header.set_size(*size);
            let path = place.to_owned();
            let mut content = Exactly {
                file: open(&path)?,
                left: *size,
                failed: None,
            };
            let result = builder.append_data(&mut header, &found.path, &mut content);
            match content.failed {
                Some(Failed::Read(source)) => return Err(PackError::Read { path, source }),
                Some(Failed::Changed) => return Err(PackError::Changed { path }),
                None => result.map_err(written)?,
            }
            if !content.is_at_end(&path)? {
                return Err(PackError::Changed { path });
            }
            Ok(*size)
        }
    }
}

/// `Builder::append_link` tidies targets up; a link here says the same words as in the tree.
fn append_link(
    builder: &mut Builder<&mut dyn Write>,
    mut header: Header,
    path: &str,
    target: &str,
) -> io::Result<()> {
    if header.set_link_name_literal(target).is_err() {
        let mut long = Header::new_gnu();
        long.set_path("././@LongLink")?;
        long.set_entry_type(EntryType::GNULongLink);
        plain(&mut long, 0o644, 0);
        let bytes = [target.as_bytes(), b"\0"].concat();
        long.set_size(bytes.len() as u64);
        long.set_cksum();
        builder.append(&long, &*bytes)?;
        header.set_link_name_literal(target.get(..99).unwrap_or("long"))?;
    }
    builder.append_data(&mut header, path, io::empty())
}

fn plain(header: &mut Header, mode: u32, mtime: i64) {
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(mtime).unwrap_or(0));
    header.set_size(0);
}

fn open(path: &Path) -> Result<File, PackError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let descriptor: Result<OwnedFd, _> = rustix::fs::open(path, flags, Mode::empty());
    descriptor.map(File::from).map_err(|errno| PackError::Read {
        path: path.to_owned(),
        source: errno.into(),
    })
}

/// Gives the bytes that were announced, no more and no fewer.
struct Exactly {
    file: File,
    left: u64,
    failed: Option<Failed>,
}

enum Failed {
    Read(io::Error),
    Changed,
}

impl Exactly {
    fn is_at_end(&mut self, path: &Path) -> Result<bool, PackError> {
        let read = self.file.read(&mut [0]);
        read.map(|count| count == 0)
            .map_err(|source| PackError::Read {
                path: path.to_owned(),
                source,
            })
    }
}

impl Read for Exactly {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let wanted = into
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let why = match self.file.read(&mut into[..wanted]) {
            Ok(0) => Failed::Changed,
            Ok(count) => {
                self.left -= count as u64;
                return Ok(count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => Failed::Read(error),
        };
        self.failed = Some(why);
        Err(io::Error::other("the file could not be packed"))
    }
}
