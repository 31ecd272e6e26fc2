//! Sealed folders: `<64 hex>/{tree/, sealed.json}`, named by the digest of the list of all that is in them.
//!
//! So what such a folder holds can be told right from wrong by its name alone, and whoever uses one tells
//! first. The list lies beside the tree, which alone is handed on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use model::{Digest, Sha256};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::{Bucket, Cache, CacheError, Published, StagingDir};

/// The list.
pub(crate) const LIST: &str = "sealed.json";
/// The folder that it is about.
const TREE: &str = "tree";
/// What its form is called.
const SCHEMA: &str = "fumehood/sealed/1";
/// No list is longer.
const LONGEST: u64 = 16 << 20;

/// Everything that is in a tree, by paths relative to it.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct List {
    schema: String,
    files: BTreeMap<String, Digest>,
    folders: BTreeSet<String>,
}

/// A sealed folder that was found as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// What it is named by.
    pub name: Sha256,
    /// The tree.
    pub tree: PathBuf,
}

impl Cache {
    /// Returns a sealed folder if it is there and nothing about it was changed. It stays while this handle lives.
    #[must_use]
    pub fn sealed(&self, bucket: Bucket, name: &Sha256) -> Option<Sealed> {
        let place = self.bucket(bucket).join(name.to_string());
        self.hold(&place);
        match wrong(&place, name) {
            None => {
                self.touch(&place);
                Some(Sealed {
                    name: *name,
                    tree: place.join(TREE),
                })
            }
            Some(why) => {
                tracing::debug!(path = %place.display(), why, "a sealed folder is made anew");
                None
            }
        }
    }

    /// Seals what lies [in a staging folder](StagingDir::to_seal) and publishes it, in place of a damaged one of the same.
    ///
    /// # Errors
    /// If it holds anything but files and folders with names that are text, or can not be read or published.
    pub fn seal(&self, bucket: Bucket, staged: StagingDir) -> Result<Sealed, CacheError> {
        let failed = |source| CacheError::io("seal", staged.path(), source);
        let list = List::of(&staged.to_seal()).map_err(failed)?;
        let text = serde_json::to_vec(&list).map_err(|source| CacheError::Encode {
            path: staged.path().to_owned(),
            source,
        })?;
        fs::write(staged.path().join(LIST), &text).map_err(failed)?;
        let name = Sha256::of(text);
        if let Some(known) = self.sealed(bucket, &name) {
            return Ok(known);
        }
        let place = self.bucket(bucket).join(name.to_string());
        self.remove(&place)?;
        match self.publish_dir(staged, &place)? {
            Published::New | Published::Existed => Ok(Sealed {
                name,
                tree: place.join(TREE),
            }),
        }
    }
}

impl StagingDir {
    /// Returns the folder to make and fill in a staging folder that is to be sealed.
    #[must_use]
    pub fn to_seal(&self) -> PathBuf {
        self.path().join(TREE)
    }
}

/// Says what is wrong with the sealed folder at `place`; nothing if it is as it was made.
pub(crate) fn wrong(place: &Path, name: &Sha256) -> Option<String> {
    let text = match read(&place.join(LIST)) {
        Ok(text) => text,
        Err(error) => return Some(format!("its list can not be read: {error}")),
    };
    if Sha256::of(&text) != *name {
        return Some("its list was changed".to_owned());
    }
    let Ok(list) = serde_json::from_slice::<List>(&text) else {
        return Some("its list can not be understood".to_owned());
    };
    match List::of(&place.join(TREE)) {
        Ok(found) => list.difference(&found),
        Err(error) => Some(format!("it can not be read: {error}")),
    }
}

impl List {
    /// Reads everything in a tree; follows nothing.
    fn of(tree: &Path) -> io::Result<Self> {
        let mut list = Self {
            schema: SCHEMA.to_owned(),
            ..Self::default()
        };
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(tree.join(&folder))? {
                let entry = entry?;
                let odd = || io::Error::from(io::ErrorKind::InvalidData);
                let name = entry.file_name().into_string().map_err(|_| odd())?;
                let path = match folder.as_str() {
                    "" => name,
                    folder => format!("{folder}/{name}"),
                };
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    list.folders.insert(path.clone());
                    folders.push(path);
                } else if kind.is_file() {
                    let (sha256, size) = Sha256::of_reader(open(&entry.path())?)?;
                    list.files.insert(path, Digest { sha256, size });
                } else {
                    return Err(odd());
                }
            }
        }
        Ok(list)
    }

    /// Says how `found` differs.
    fn difference(&self, found: &Self) -> Option<String> {
        let changed = self.files.iter().find_map(|(path, digest)| {
            let about = match found.files.get(path) {
                None => "is missing",
                Some(other) if other != digest => "was changed",
                Some(_) => return None,
            };
            Some(format!("`{path}` {about}"))
        });
        changed.or_else(|| {
            let added = found
                .files
                .keys()
                .find(|path| !self.files.contains_key(*path));
            let folder = self.folders.symmetric_difference(&found.folders).next();
            let path = added.or(folder)?;
            Some(format!("`{}` was added or removed", path.escape_debug()))
        })
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let mut text = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut text)?;
    match u64::try_from(text.len()) {
        Ok(length) if length <= LONGEST => Ok(text),
        _ => Err(io::ErrorKind::FileTooLarge.into()),
    }
}

fn open(path: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache with one sealed folder.
    fn sealed(scratch: &Path) -> (Cache, Sealed) {
        let cache = Cache::open(&scratch.join("c")).unwrap();
        let sealed = cache.seal(Bucket::Git, staged(&cache)).unwrap();
        (cache, sealed)
    }

    fn staged(cache: &Cache) -> StagingDir {
        let staged = cache.staging_dir().unwrap();
        fs::create_dir_all(staged.to_seal().join("refs/tags")).unwrap();
        fs::create_dir_all(staged.to_seal().join("objects")).unwrap();
        fs::write(staged.to_seal().join("HEAD"), "one\n").unwrap();
        fs::write(staged.to_seal().join("objects/pack"), "two\n").unwrap();
        staged
    }

    #[test]
    fn what_was_sealed_twice_is_one_and_found_by_its_name() {
        let scratch = tempfile::tempdir().unwrap();
        let (cache, first) = sealed(scratch.path());
        assert_eq!(cache.seal(Bucket::Git, staged(&cache)).unwrap(), first);
        assert_eq!(cache.sealed(Bucket::Git, &first.name), Some(first));
        assert_eq!(cache.sealed(Bucket::Git, &Sha256::of("other")), None);
    }

    #[test]
    fn every_damage_of_a_sealed_folder_is_seen_and_mended_by_sealing_it_again() {
        type Harm = fn(&Path) -> io::Result<()>;
        let harms: [(&str, Harm); 10] = [
            ("cut off", |tree| fs::write(tree.join("objects/pack"), "t")),
            ("as long and other", |tree| {
                fs::write(tree.join("HEAD"), "won\n")
            }),
            ("gone", |tree| fs::remove_file(tree.join("HEAD"))),
            ("a file more", |tree| {
                fs::write(tree.join("refs/tags/v9"), "")
            }),
            ("a folder more", |tree| fs::create_dir(tree.join("hooks"))),
            ("a folder less", |tree| {
                fs::remove_dir(tree.join("refs/tags"))
            }),
            ("a link", |tree| {
                fs::copy(tree.join("HEAD"), tree.join("../HEAD"))?;
                fs::remove_file(tree.join("HEAD"))?;
                std::os::unix::fs::symlink("../HEAD", tree.join("HEAD"))
            }),
            ("all gone", |tree| fs::remove_dir_all(tree)),
            ("no list", |tree| {
                fs::remove_file(tree.join("../sealed.json"))
            }),
            ("a list that goes with what was changed", |tree| {
                fs::write(tree.join("HEAD"), "won\n")?;
                let list = serde_json::to_vec(&List::of(tree)?)?;
                fs::write(tree.join("../sealed.json"), list)
            }),
        ];
        for (harm, damage) in harms {
            let scratch = tempfile::tempdir().unwrap();
            let (cache, first) = sealed(scratch.path());
            damage(&first.tree).unwrap();
            assert_eq!(cache.sealed(Bucket::Git, &first.name), None, "{harm}");
            assert_eq!(cache.seal(Bucket::Git, staged(&cache)).unwrap(), first);
            assert!(cache.sealed(Bucket::Git, &first.name).is_some(), "{harm}");
        }
    }

    #[test]
    fn links_and_pipes_are_not_sealed() {
        let scratch = tempfile::tempdir().unwrap();
        let (cache, _) = sealed(scratch.path());
        let staged = staged(&cache);
        std::os::unix::fs::symlink("/dev/zero", staged.to_seal().join("link")).unwrap();
        assert!(cache.seal(Bucket::Git, staged).is_err());
    }
}
