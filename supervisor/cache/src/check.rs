//! Checking everything: are the bytes what their names and records say, and does each key lead
//! somewhere?
//!
//! What a crash may leave behind is no damage: nobody reads it, and the next run or a prune removes
//! it. It is counted. Whether an environment holds what was installed, and whether a record has the
//! form that is read, know the crates that write them; whoever asks hands their checks in.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use model::Sha256;

use crate::discard::in_words;
use crate::inventory::records::WheelRecord;
use crate::lease::{Claim, Record};
use crate::plan::Reason;
use crate::record::read_one;
use crate::shelf::RECORD;
use crate::sweep::names_in;
use crate::{Bucket, Cache, CacheError, InUse, Item, Plan, What, names};

/// Says what is wrong with an entry whose form another crate knows: an environment, a pointer, a
/// revision, a page, what a wheel or an interpreter said, a log.
pub type CheckEntry<'a> = &'a dyn Fn(&Item) -> Result<(), String>;

/// Says what is wrong with the git repository of a name; nothing if all of it is there.
pub type CheckRepository<'a> = &'a dyn Fn(&Sha256) -> Result<(), Unsound>;

/// What other crates know of their entries.
#[derive(Clone, Copy)]
pub struct Checks<'a> {
    /// About all other entries whose form is known elsewhere.
    pub entry: CheckEntry<'a>,
    /// About git repositories.
    pub repository: CheckRepository<'a>,
}

impl std::fmt::Debug for Checks<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Checks(..)")
    }
}

/// Why an entry is not known to be sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsound {
    /// Something is wrong with it.
    Damaged(String),
    /// It could not be read as it has to be; that says nothing of it.
    Unread(String),
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Entries that were looked at.
    pub entries: u64,
    /// Regular files in them.
    pub files: u64,
    /// Bytes in those.
    pub bytes: u64,
    /// What is wrong.
    pub damage: Vec<Damage>,
    /// What could not be checked, and why.
    pub unread: Vec<String>,
    /// Unfinished things whose makers are gone, the wheels without a key among them.
    pub left_over: u64,
    /// What is none of ours, relative to the root: it was not looked into, and nothing touches it.
    pub strangers: Vec<PathBuf>,
    /// Wheels that are sound and that no key leads to: a crash came between the two steps.
    keyless: Vec<Keyless>,
}

/// A wheel whose publication was cut short.
#[derive(Clone, Debug)]
struct Keyless {
    label: String,
    key: Sha256,
    folder: PathBuf,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Damage {
    /// Relative to the root.
    pub path: PathBuf,
    /// What people call it.
    pub label: String,
    /// What is wrong with it.
    pub why: String,
    /// What goes, for whoever needs it makes or fetches it again; none for what only a person can
    /// mend.
    remedy: Option<Box<Item>>,
}

/// What a repair did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// What was mended, in words.
    pub mended: Vec<String>,
    /// What was not, in words.
    pub left: Vec<String>,
}

impl Checked {
    /// Adds what was found in a cache below, which is only read and so not mended from here.
    pub fn add_below(&mut self, root: &Path, below: Self) {
        self.entries += below.entries;
        self.files += below.files;
        self.bytes += below.bytes;
        let full = |path: PathBuf| root.join(path);
        self.strangers.extend(below.strangers.into_iter().map(full));
        let of = |about: String| format!("{about} (in {})", root.display());
        self.unread.extend(below.unread.into_iter().map(of));
        self.damage
            .extend(below.damage.into_iter().map(|damage| Damage {
                label: format!("{} of {}", damage.label, root.display()),
                path: full(damage.path),
                remedy: None,
                ..damage
            }));
    }
}

impl Cache {
    /// Reads everything. Nothing is changed.
    pub fn check(&self, by: Checks<'_>) -> Checked {
        let found = self.inventory();
        let mut checked = Checked {
            strangers: found.beside,
            ..Checked::default()
        };
        for text in found.unreadable {
            checked.damage.push(Damage {
                path: PathBuf::new(),
                label: "the cache".to_owned(),
                why: text,
                remedy: None,
            });
        }
        for item in found.items {
            if item.what == What::Stranger {
                checked.strangers.push(item.path);
                continue;
            }
            checked.entries += 1;
            checked.files += item.files;
            checked.bytes += item.bytes;
            let keyless = self.keyless(&item);
            let label = item.label();
            match self.damage(item, by) {
                Ok(Some(damage)) => checked.damage.push(damage),
                Ok(None) => checked.keyless.extend(keyless),
                Err(why) => checked.unread.push(format!("{label}: {why}")),
            }
        }
        // Where nothing can be locked, as in a cache that is only read, nobody leaves anything.
        checked.left_over = self.left_over().unwrap_or_default() + checked.keyless.len() as u64;
        checked
    }

    /// Mends what a check found, but for what is in use.
    ///
    /// # Errors
    /// If the root can not be listed or locked.
    pub fn repair(&self, checked: &Checked) -> Result<Repaired, CacheError> {
        let mut repaired = Repaired::default();
        for damage in &checked.damage {
            let about = format!("{}: {}", damage.label, damage.why);
            match &damage.remedy {
                None => repaired.left.push(about),
                Some(item) => {
                    let done = self.carry_out(&removal_of(item), InUse::Stays);
                    if done.entries == 1 {
                        repaired.mended.push(about);
                    } else {
                        let why = done.left.first().map_or("it is in use", String::as_str);
                        repaired.left.push(format!("{about}: {why}"));
                    }
                }
            }
        }
        for one in &checked.keyless {
            // By now its key may lead to it, or to another that was built meanwhile.
            if self.leads(&one.key) {
                continue;
            }
            let about = format!("{}: its key did not lead to it", one.label);
            match self.point_to_wheel(&one.key, &one.folder) {
                Ok(()) => repaired.mended.push(about),
                Err(error) => repaired.left.push(format!("{about}: {}", in_words(&error))),
            }
        }
        self.sweep()?;
        Ok(repaired)
    }

    /// Returns the wheel that an item is, if no key leads to it and nobody is publishing it.
    fn keyless(&self, item: &Item) -> Option<Keyless> {
        let What::Wheel(built) = &item.what else {
            return None;
        };
        if built.is_reachable {
            return None;
        }
        let _claim = self.claim_entry(&self.wheel_pointer(&built.key))?;
        let folder = self.root().join(&item.path);
        // Looked up again: it may have got its key after the inventory was taken.
        let is_left = self.own_wheel(&built.key).as_deref() != Some(&folder);
        is_left.then(|| Keyless {
            label: item.label(),
            key: built.key,
            folder,
        })
    }

    /// Returns what is wrong with an entry.
    ///
    /// # Errors
    /// If that can not be told: then why.
    fn damage(&self, item: Item, by: Checks<'_>) -> Result<Option<Damage>, String> {
        let path = self.root().join(&item.path);
        let why = match &item.what {
            What::Source(digest) | What::Download(digest) => wrong_bytes(&path, digest, None),
            What::Wheel(_) => wrong_wheel(&path),
            What::LostKey(_) => Some("it leads to a wheel that is not there".to_owned()),
            What::StandIn(name) => crate::sealed::wrong(&path, name),
            What::Repository(name) => match (by.repository)(name) {
                Ok(()) => None,
                Err(Unsound::Damaged(why)) => Some(why),
                Err(Unsound::Unread(why)) => return Err(why),
            },
            What::Environment(_)
            | What::Pointer(_)
            | What::Revision(_)
            | What::WheelMetadata(_)
            | What::Page(_)
            | What::Interpreter
            | What::Log => (by.entry)(&item).err(),
            What::Damaged(why) => Some(why.clone()),
            // A lock is empty, a kept scratch is whatever its build made of it.
            What::Lock | What::KeptScratch | What::Stranger => None,
        };
        Ok(why.map(|why| Damage {
            path: item.path.clone(),
            label: item.label(),
            why,
            remedy: Some(Box::new(item)),
        }))
    }

    /// Counts what a sweep would remove.
    fn left_over(&self) -> Result<u64, CacheError> {
        let mut count = 0;
        let staging = self.bucket(Bucket::Staging);
        for name in names_in(&staging)? {
            let path = staging.join(name);
            let is_left = match path.symlink_metadata() {
                Ok(found) if found.is_dir() => matches!(
                    self.claim(&path)?,
                    Some((_, Claim::Taken(_) | Claim::Missing))
                ),
                Ok(found) if found.is_file() => crate::lock::try_alone(&path)?.is_some(),
                _ => false,
            };
            count += u64::from(is_left);
        }
        for name in names_in(self.root())? {
            let Some(name) = name.to_str().filter(|name| names::may_be_scratch(name)) else {
                continue;
            };
            if let Some((_, Claim::Taken(lease))) = self.claim(&self.root().join(name))?
                && let Some(record) = lease.record()
            {
                count += u64::from(record.is_for(name) && !Record::is_kept(record));
            }
        }
        Ok(count)
    }
}

fn removal_of(item: &Item) -> Plan {
    let mut plan = Plan::default();
    plan.add(item, Reason::Asked);
    plan
}

fn wrong_wheel(folder: &Path) -> Option<String> {
    let Some(record) = read_one::<WheelRecord>(&folder.join(RECORD)) else {
        return Some("its record can not be read".to_owned());
    };
    let (digest, size) = (&record.wheel.sha256, record.wheel.size);
    wrong_bytes(&folder.join(&record.filename), digest, Some(size))
}

/// Says how the bytes of a file differ from what they should be.
fn wrong_bytes(path: &Path, expected: &Sha256, size: Option<u64>) -> Option<String> {
    let is_file = match path.symlink_metadata() {
        Ok(found) => found.is_file(),
        // Removed meanwhile by someone who may; what was an entry of its own is none any more.
        Err(error) if error.kind() == io::ErrorKind::NotFound && size.is_none() => return None,
        Err(error) => return Some(format!("it can not be read: {error}")),
    };
    if !is_file {
        return Some("it is not a file".to_owned());
    }
    match File::open(path).and_then(Sha256::of_reader) {
        Ok((found, _)) if found != *expected => {
            Some(format!("its bytes have the digest {found}, not {expected}"))
        }
        Ok((_, found)) if size.is_some_and(|size| size != found) => {
            Some(format!("it has {found} bytes"))
        }
        Ok(_) => None,
        Err(error) => Some(format!("it can not be read: {error}")),
    }
}
