//! Goes through a source folder and lists what is packed, sorted, before anything is written.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::PackError;
use super::tracked::{Tracked, tracked};
use crate::exclusions::{is_build_output, is_left_behind};
use crate::guard::{self, MemberPath, shown};
use crate::links::{Names, Node};
use crate::{Budget, Exclusions, Refusal};

/// Bytes of all files.
const MAX_BYTES: u64 = 2 << 30;
/// Files, folders and links.
const MAX_MEMBERS: u64 = 100_000;
/// How the specification of cache folder tags wants the file to begin.
const CACHE_TAG: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// One thing to pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Relative to the tree.
    pub(super) path: String,
    pub(super) item: Item,
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Folder,
    File {
        size: u64,
        executable: bool,
        mtime: i64,
    },
    Link {
        target: String,
    },
}

/// A tree as it is packed.
#[derive(Debug)]
pub(super) struct Survey {
    /// The folder with all links in its path resolved.
    pub(super) root: PathBuf,
    pub(super) found: Vec<Found>,
    pub(super) notes: Vec<String>,
    exclusions: Exclusions,
    /// Nothing is left out but `.git`: somebody else chose what is there.
    whole: bool,
    bytes: u64,
    /// Bytes and members below each folder at the top.
    weights: BTreeMap<String, (u64, u64)>,
}

/// Lists what is packed of `tree`.
pub(super) fn survey(tree: &Path, exclusions: &Exclusions) -> Result<Survey, PackError> {
    list(tree, exclusions, false)
}

/// Lists everything in `tree` but `.git`.
pub(super) fn whole(tree: &Path) -> Result<Survey, PackError> {
    list(tree, &Exclusions::default(), true)
}

fn list(tree: &Path, exclusions: &Exclusions, whole: bool) -> Result<Survey, PackError> {
    let root = tree
        .canonicalize()
        .map_err(|source| read_failed(tree, source))?;
    if !root.is_dir() {
        return Err(PackError::NotAFolder { path: root });
    }
    let mut survey = Survey {
        root,
        found: Vec::new(),
        notes: Vec::new(),
        exclusions: exclusions.clone(),
        whole,
        bytes: 0,
        weights: BTreeMap::new(),
    };
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        survey.list(&folder, &mut folders)?;
    }
    if survey.found.is_empty() {
        return Err(PackError::Empty { path: survey.root });
    }
    survey.found.sort_by(|one, other| one.path.cmp(&other.path));
    survey.notes.sort();
    survey.check_links()?;
    Ok(survey)
}

impl Survey {
    fn list(&mut self, folder: &str, folders: &mut Vec<String>) -> Result<(), PackError> {
        let absolute = self.root.join(folder);
        let entries = fs::read_dir(&absolute).map_err(|source| read_failed(&absolute, source))?;
        for entry in entries {
            let entry = entry.map_err(|source| read_failed(&absolute, source))?;
            let relative = Path::new(folder).join(entry.file_name());
            let path = checked(&relative)?;
            let metadata = fs::symlink_metadata(entry.path())
                .map_err(|source| read_failed(&entry.path(), source))?;
            if self.is_left_out(&path, &metadata)? {
                continue;
            }
            let item = self.item(&path, &metadata)?;
            let Some(item) = item else { continue };
            self.weigh(&path, &item)?;
            if item == Item::Folder {
                folders.push(path.clone());
            }
            self.found.push(Found { path, item });
        }
        Ok(())
    }

    fn item(&mut self, path: &str, metadata: &Metadata) -> Result<Option<Item>, PackError> {
        let kind = metadata.file_type();
        if kind.is_dir() {
            return Ok(Some(Item::Folder));
        }
        if kind.is_file() {
            let executable = guard::is_executable(metadata.mode());
            return Ok(Some(Item::File {
                size: metadata.len(),
                executable,
                mtime: metadata.mtime(),
            }));
        }
        if kind.is_symlink() {
            let absolute = self.root.join(path);
            let target =
                fs::read_link(&absolute).map_err(|source| read_failed(&absolute, source))?;
            let member = member_path(Path::new(path))?;
            return match guard::link_target(&member, target.as_os_str().as_bytes()) {
                Ok(target) => Ok(Some(Item::Link { target })),
                Err(_) => Err(PackError::LinkOut {
                    path: path.into(),
                    target,
                }),
            };
        }
        self.notes.push(format!(
            "`{}` is a device, FIFO or socket and was left out",
            shown(path.as_bytes())
        ));
        Ok(None)
    }

    fn is_left_out(&mut self, path: &str, metadata: &Metadata) -> Result<bool, PackError> {
        let name = path.rsplit('/').next().unwrap_or(path);
        // A submodule's or work tree's `.git` is a file, and as private as the folder.
        if name == ".git" {
            return Ok(true);
        }
        if self.whole || !metadata.is_dir() {
            return Ok(false);
        }
        let absolute = self.root.join(path);
        if is_left_behind(name) || self.exclusions.names(&absolute) {
            return Ok(true);
        }
        if !path.contains('/') && is_build_output(name) && !self.is_source(name)? {
            self.notes.push(format!(
                "`{}` is not tracked by git and was left out",
                shown(path.as_bytes())
            ));
            return Ok(true);
        }
        if is_cache(&absolute) || absolute.join("pyvenv.cfg").is_file() {
            self.notes.push(format!(
                "`{}` is a cache or virtual environment and was left out",
                shown(path.as_bytes())
            ));
            return Ok(true);
        }
        Ok(false)
    }

    /// Tells whether a folder that looks like the output of a build belongs to the source. Where
    /// no repository tells, an unpacked sdist (it has a `PKG-INFO`) is a source as a whole.
    fn is_source(&self, name: &str) -> Result<bool, PackError> {
        Ok(match tracked(&self.root, name)? {
            Tracked::Yes | Tracked::Unknown => true,
            Tracked::No => false,
            Tracked::NoRepository => self.root.join("PKG-INFO").is_file(),
        })
    }

    fn weigh(&mut self, path: &str, item: &Item) -> Result<(), PackError> {
        let size = if let Item::File { size, .. } = item {
            *size
        } else {
            0
        };
        self.bytes = self.bytes.saturating_add(size);
        let top = path.split_once('/').map_or(".", |(top, _)| top);
        let weight = self.weights.entry(top.to_owned()).or_default();
        weight.0 = weight.0.saturating_add(size);
        weight.1 += 1;
        let members = self.found.len() as u64 + 1;
        if self.bytes <= MAX_BYTES && members <= MAX_MEMBERS {
            return Ok(());
        }
        let by_bytes = self.bytes > MAX_BYTES;
        let heaviest = self
            .weights
            .iter()
            .max_by_key(|(_, (bytes, count))| if by_bytes { *bytes } else { *count });
        let (biggest, (biggest_bytes, biggest_members)) =
            heaviest.map_or((".", (0, 0)), |(name, weight)| (name.as_str(), *weight));
        Err(PackError::TooBig {
            max_bytes: MAX_BYTES,
            max_members: MAX_MEMBERS,
            biggest: biggest.into(),
            biggest_bytes,
            biggest_members,
        })
    }

    fn check_links(&self) -> Result<(), PackError> {
        let mut names = Names::default();
        for found in &self.found {
            if let Item::Link { target } = &found.item {
                names.insert(
                    &found.path,
                    Node::Link {
                        target: target.clone(),
                    },
                );
            }
        }
        for found in &self.found {
            let Item::Link { target } = &found.item else {
                continue;
            };
            match names.check_links(std::slice::from_ref(&found.path), false) {
                Ok(()) => {}
                Err(_) => {
                    return Err(PackError::LinkOut {
                        path: (&found.path).into(),
                        target: target.into(),
                    });
                }
            }
        }
        Ok(())
    }
}

fn is_cache(folder: &Path) -> bool {
    let mut head = [0; CACHE_TAG.len()];
    fs::File::open(folder.join("CACHEDIR.TAG"))
        .and_then(|mut tag| io::Read::read_exact(&mut tag, &mut head))
        .is_ok_and(|()| head == *CACHE_TAG)
}

fn checked(relative: &Path) -> Result<String, PackError> {
    member_path(relative).map(|path| path.as_str().to_owned())
}

/// What would be refused when it is unpacked is refused here, with the same rules.
fn member_path(relative: &Path) -> Result<MemberPath, PackError> {
    let why = match MemberPath::parse(relative.as_os_str().as_bytes(), Budget::default().depth) {
        Ok(Some(path)) => return Ok(path),
        Ok(None) => "is empty",
        Err(Refusal::Names { why, .. }) => why,
        Err(Refusal::TooDeep { .. }) => "lies too deep",
        Err(_) => "looks like a path elsewhere",
    };
    Err(PackError::Name {
        path: relative.to_owned(),
        why,
    })
}

fn read_failed(path: &Path, source: io::Error) -> PackError {
    PackError::Read {
        path: path.to_owned(),
        source,
    }
}
