//! How each bucket is read.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

use model::{PackageName, Sha256};
use serde_json::Value;

use super::pointer::pointer;
use super::records::{EnvironmentRecord, PageRecord, WheelRecord};
use super::walk::{Found, list, measure};
use super::{Built, ENVIRONMENT_RECORD, Installed, Inventory, Item, Page, What};
use crate::entry_lease::used;
use crate::lease::{Claim, Record};
use crate::record::read_one;
use crate::shelf::{BY_KEY, RECORD};
use crate::{Bucket, Cache, Size, entry_lease, mark, names, sealed};

/// Folders below a bucket that are looked into for records.
const DEPTH: usize = 6;

impl Cache {
    /// Looks at everything in the cache. Nothing is changed, no link followed, and what can not be
    /// read is named in the answer.
    #[must_use]
    pub fn inventory(&self) -> Inventory {
        let mut found = Inventory::default();
        for bucket in Bucket::ALL {
            let mut reader = Reader {
                cache: self,
                bucket,
                into: &mut found,
            };
            match bucket {
                Bucket::Sources => reader.blobs(What::Source),
                Bucket::Downloads => reader.blobs(What::Download),
                Bucket::Pointers => reader.files(pointer),
                Bucket::Simple => reader.files(Reader::page),
                // Beside the pages of indexes: what is known of a file.
                Bucket::Revisions => reader.files(Reader::revision),
                Bucket::Interpreters => reader.files(Reader::interpreter),
                Bucket::Environments => reader.environments(),
                Bucket::Wheels => reader.wheels(),
                Bucket::Logs => reader.folders(What::Log),
                Bucket::Locks => reader.locks(),
                // A sweep knows what is in it and who uses that.
                Bucket::Staging => {}
                Bucket::Git => reader.repositories(),
            }
        }
        self.kept_scratches(&mut found);
        found
    }

    /// Looks only at kept scratches.
    pub(crate) fn kept(&self) -> Inventory {
        let mut found = Inventory::default();
        self.kept_scratches(&mut found);
        found
    }

    /// Looks at the logs alone, each of them.
    pub(crate) fn logs(&self, into: &mut Inventory) {
        let mut reader = Reader {
            cache: self,
            bucket: Bucket::Logs,
            into,
        };
        reader.folders(What::Log);
    }

    fn kept_scratches(&self, into: &mut Inventory) {
        for Found { name, about } in list(self.root(), &mut into.unreadable) {
            let path = self.root().join(&name);
            if !about.is_dir() || !names::may_be_scratch(&name) {
                let is_bucket = Bucket::ALL.iter().any(|bucket| bucket.folder() == name);
                if !is_bucket && !mark::is_ours(&name) {
                    into.beside.push(name.into());
                }
                continue;
            }
            let lease = match self.claim(&path) {
                Ok(Some((_, Claim::Taken(lease)))) => lease,
                Ok(Some((_, Claim::Missing | Claim::Foreign))) => {
                    into.beside.push(name.into());
                    continue;
                }
                _ => continue,
            };
            let record = lease.record();
            if record.is_some_and(|record| record.is_for(&name) && Record::is_kept(record)) {
                into.items
                    .push(Item::kept_scratch(&path, &about, name.into()));
            }
        }
    }
}

/// Reads one bucket.
struct Reader<'a> {
    cache: &'a Cache,
    bucket: Bucket,
    into: &'a mut Inventory,
}

impl Reader<'_> {
    fn top(&self) -> PathBuf {
        self.cache.bucket(self.bucket)
    }

    fn list(&mut self, folder: &Path) -> Vec<Found> {
        list(folder, &mut self.into.unreadable)
    }

    fn push(&mut self, path: &Path, about: &Metadata, what: What) {
        let Size { files, bytes } = measure(path, about);
        // The time on the record is that of the last use.
        let record = match what {
            What::Wheel(_) => Some(path.join(RECORD)),
            What::Environment(_) => Some(path.join(ENVIRONMENT_RECORD)),
            _ => None,
        };
        let marked = record.and_then(|record| std::fs::symlink_metadata(record).ok());
        self.into.items.push(Item {
            path: path
                .strip_prefix(self.cache.root())
                .unwrap_or(path)
                .to_owned(),
            bucket: Some(self.bucket),
            what,
            files,
            bytes,
            used: used(marked.as_ref().unwrap_or(about)),
        });
    }

    /// `<2 hex>/<64 hex>`, and of downloads also `<2 hex>/<64 hex>.json`
    fn blobs(&mut self, what: fn(Sha256) -> What) {
        let top = self.top();
        for shard in self.list(&top) {
            let folder = top.join(&shard.name);
            if !shard.about.is_dir() || shard.name.len() != 2 {
                self.push(&folder, &shard.about, What::Stranger);
                continue;
            }
            for Found { name, about } in self.list(&folder) {
                let path = folder.join(&name);
                let stem = name.strip_suffix(".json");
                let stem = stem.filter(|_| self.bucket == Bucket::Downloads);
                let digest = stem.unwrap_or(&name).parse::<Sha256>().ok();
                let what = match digest.filter(|_| name.starts_with(&shard.name)) {
                    Some(_) if !about.is_file() => What::Damaged("it is not a file".to_owned()),
                    Some(digest) if stem.is_none() => what(digest),
                    Some(digest) if read_one::<Value>(&path).is_some() => {
                        What::WheelMetadata(digest)
                    }
                    Some(_) => undecodable(),
                    None => What::Stranger,
                };
                self.push(&path, &about, what);
            }
        }
    }

    /// Every file below the bucket, understood by `read`.
    fn files(&mut self, read: fn(&Path) -> What) {
        let mut folders = vec![(self.top(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            for Found { name, about } in self.list(&folder) {
                let path = folder.join(&name);
                if about.is_dir() && depth < DEPTH {
                    folders.push((path, depth + 1));
                    continue;
                }
                let what = if about.is_file() && name.ends_with(".json") {
                    read(&path)
                } else {
                    What::Stranger
                };
                self.push(&path, &about, what);
            }
        }
    }

    /// `<2 hex>/<64 hex>.json`
    fn revision(path: &Path) -> What {
        let name = path.file_stem().and_then(|stem| stem.to_str());
        match name.map(str::parse::<Sha256>) {
            Some(Ok(digest)) if read_one::<Value>(path).is_some() => What::Revision(digest),
            Some(Ok(_)) => undecodable(),
            _ => What::Stranger,
        }
    }

    fn page(path: &Path) -> What {
        let Some(record) = read_one::<PageRecord>(path) else {
            return undecodable();
        };
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let project = stem.and_then(|stem| stem.parse::<PackageName>().ok());
        What::Page(match record.document {
            Some(document) => Page {
                project,
                files: document.files(),
            },
            None => Page::default(),
        })
    }

    fn interpreter(path: &Path) -> What {
        match read_one::<Value>(path) {
            Some(Value::Object(_)) => What::Interpreter,
            _ => undecodable(),
        }
    }

    /// `<64 hex>/{env/, environment.json}`
    fn environments(&mut self) {
        let top = self.top();
        for Found { name, about } in self.list(&top) {
            let path = top.join(&name);
            let what = match name.parse::<Sha256>() {
                Ok(name) if about.is_dir() => Self::environment(&name, &path),
                Ok(_) => What::Damaged("it is not a folder".to_owned()),
                Err(_) => What::Stranger,
            };
            self.push(&path, &about, what);
        }
    }

    fn environment(name: &Sha256, path: &Path) -> What {
        let record: Option<EnvironmentRecord> = read_one(&path.join(ENVIRONMENT_RECORD));
        match record.filter(|record| record.name == *name) {
            Some(record) => What::Environment(Installed {
                is_orphan: !record.interpreter.is_file(),
                packages: record
                    .packages
                    .into_iter()
                    .map(|package| (package.name, package.version))
                    .collect(),
            }),
            None => undecodable(),
        }
    }

    /// `<name>/<version>/<key>/{<wheel>, record.json}` and `by-key/<key>.json`
    fn wheels(&mut self) {
        let top = self.top();
        for project in self.list(&top) {
            let folder = top.join(&project.name);
            if project.name == BY_KEY && project.about.is_dir() {
                self.keys(&folder);
            } else if project.about.is_dir() && project.name.parse::<PackageName>().is_ok() {
                self.versions(&folder);
            } else {
                self.push(&folder, &project.about, What::Stranger);
            }
        }
    }

    fn versions(&mut self, folder: &Path) {
        for version in self.list(folder) {
            let folder = folder.join(&version.name);
            if !version.about.is_dir() {
                self.push(&folder, &version.about, What::Stranger);
                continue;
            }
            for Found { name, about } in self.list(&folder) {
                let path = folder.join(&name);
                let what = match name.parse::<Sha256>() {
                    Ok(key) if about.is_dir() => self.wheel(&key, &path),
                    Ok(_) => What::Damaged("it is not a folder".to_owned()),
                    Err(_) => What::Stranger,
                };
                self.push(&path, &about, what);
            }
        }
    }

    fn wheel(&self, key: &Sha256, path: &Path) -> What {
        let record: Option<WheelRecord> = read_one(&path.join(RECORD));
        match record.filter(|record| record.key == *key && names::is_plain(&record.filename)) {
            Some(record) => What::Wheel(Box::new(Built {
                is_reachable: self.cache.own_wheel(key).as_deref() == Some(path),
                key: *key,
                name: record.name,
                version: record.version,
                filename: record.filename,
                python: record.python,
                source: record.source,
                source_label: record.source_label,
            })),
            None => undecodable(),
        }
    }

    /// Only keys that lead nowhere are entries of their own.
    fn keys(&mut self, folder: &Path) {
        for Found { name, about } in self.list(folder) {
            let path = folder.join(&name);
            let key = name.strip_suffix(".json");
            let Some(key) = key.and_then(|key| key.parse::<Sha256>().ok()) else {
                self.push(&path, &about, What::Stranger);
                continue;
            };
            if !self.cache.leads(&key) {
                self.push(&path, &about, What::LostKey(key));
            }
        }
    }

    /// `<64 hex>/{HEAD, ...}` and `<64 hex>/{tree/, sealed.json}`
    fn repositories(&mut self) {
        let top = self.top();
        for Found { name, about } in self.list(&top) {
            let path = top.join(&name);
            let has = |name: &str| path.join(name).is_file();
            let what = match name.parse::<Sha256>() {
                Err(_) => What::Stranger,
                Ok(_) if !about.is_dir() => What::Damaged("it is not a folder".to_owned()),
                Ok(name) if has(sealed::LIST) => What::StandIn(name),
                Ok(name) if has("HEAD") => What::Repository(name),
                Ok(_) => What::Damaged("it is no repository".to_owned()),
            };
            self.push(&path, &about, what);
        }
    }

    fn folders(&mut self, what: What) {
        let top = self.top();
        for Found { name, about } in self.list(&top) {
            let what = match about.is_dir() {
                true => what.clone(),
                false => What::Stranger,
            };
            self.push(&top.join(name), &about, what);
        }
    }

    /// Files without a byte, named by a digest; the two that everybody uses are no entries.
    fn locks(&mut self) {
        let top = self.top();
        for Found { name, about } in self.list(&top) {
            if name == "root" || name == entry_lease::NAME {
                continue;
            }
            let is_lock = about.is_file()
                && about.len() == 0
                && name.len() == 32
                && name.bytes().all(|letter| letter.is_ascii_hexdigit());
            let what = if is_lock { What::Lock } else { What::Stranger };
            self.push(&top.join(name), &about, what);
        }
    }
}

pub(super) fn undecodable() -> What {
    What::Damaged("its record can not be read".to_owned())
}
