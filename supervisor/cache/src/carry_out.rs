//! Carrying a plan out: entry by entry, passing by what is in use unless that is to go too.

use std::fs;
use std::path::Path;

use model::Sha256;

use crate::discard::in_words;
use crate::entry_lease::used;
use crate::lease::{Claim, Record};
use crate::staging::LeasedDir;
use crate::{Bucket, Cache, CacheError, Plan, Reason, Removal, What};

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CarriedOut {
    /// Entries that are gone.
    pub entries: u64,
    /// Regular files that were in them.
    pub files: u64,
    /// Bytes that were in those.
    pub bytes: u64,
    /// What stayed because somebody uses it, or used it since the plan was made.
    pub in_use: Vec<String>,
    /// What of the gone was in use all the same.
    pub forced: Vec<String>,
    /// What could not be removed, in words.
    pub left: Vec<String>,
}

/// What a removal does about an entry that is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InUse {
    /// It stays.
    Stays,
    /// It goes. Who uses it notices, see [`crate::Standing`]. Scratches and locks that are held stay
    /// also then: they are no entries, and go with their holder.
    Goes,
}

/// What became of one entry.
enum Fate {
    Gone,
    Forced,
    InUse,
}

/// Returns the key that a folder of the shelf is named by.
fn key_of(path: &Path) -> Option<Sha256> {
    path.file_name()?.to_str()?.parse().ok()
}

impl Cache {
    /// Removes what a plan names. What was used after the plan's inventory was taken counts as in use.
    pub fn carry_out(&self, plan: &Plan, in_use: InUse) -> CarriedOut {
        let mut done = CarriedOut::default();
        for removal in &plan.removals {
            let fate = self.remove_one(removal, in_use);
            if matches!(fate, Ok(Fate::Forced)) {
                done.forced.push(removal.label.clone());
            }
            match fate {
                Ok(Fate::Gone | Fate::Forced) => {
                    done.entries += 1;
                    done.files += removal.files;
                    done.bytes += removal.bytes;
                }
                Ok(Fate::InUse) => done.in_use.push(removal.label.clone()),
                Err(error) => done
                    .left
                    .push(format!("{}: {}", removal.label, in_words(&error))),
            }
        }
        done
    }

    fn remove_one(&self, removal: &Removal, in_use: InUse) -> Result<Fate, CacheError> {
        let path = self.root().join(&removal.path);
        match &removal.what {
            What::Stranger => return Ok(Fate::InUse),
            What::KeptScratch => return self.remove_kept(removal),
            What::Lock => return self.remove_lock(removal),
            _ => {}
        }
        let key = match &removal.what {
            What::Wheel(built) => Some(built.key),
            What::LostKey(key) => Some(*key),
            What::Damaged(_) if removal.path.starts_with(Bucket::Wheels.folder()) => {
                key_of(&removal.path)
            }
            _ => None,
        };
        // Wheel and key are one entry, whose lease goes by the key; what a downloaded wheel says of itself
        // goes by the lease of the wheel.
        let leased = match (&removal.what, key) {
            (_, Some(key)) => self.wheel_pointer(&key),
            (What::WheelMetadata(_), None) => path.with_extension(""),
            (_, None) => path.clone(),
        };
        let claim = self.claim_entry(&leased);
        let record = match &removal.what {
            What::Wheel(_) => path.join(crate::shelf::RECORD),
            What::Environment(_) => path.join(crate::inventory::ENVIRONMENT_RECORD),
            _ => path.clone(),
        };
        let is_used = claim.is_none()
            || fs::symlink_metadata(record).is_ok_and(|now| used(&now) != removal.used);
        if is_used && in_use == InUse::Stays {
            return Ok(Fate::InUse);
        }
        // Looked up again: it may have got its key after the inventory was taken.
        if let What::Wheel(built) = &removal.what {
            if removal.reason == Reason::Keyless
                && self.own_wheel(&built.key).as_deref() == Some(&path)
            {
                return Ok(Fate::InUse);
            }
            self.part_from_key(&built.key, &path)?;
        }
        self.remove_claimed(&path, claim)?;
        self.remove_empty_parents(&path);
        Ok(if is_used { Fate::Forced } else { Fate::Gone })
    }

    /// Removes a scratch that was kept, if it still is and nobody holds it.
    fn remove_kept(&self, removal: &Removal) -> Result<Fate, CacheError> {
        let path = self.root().join(&removal.path);
        let Some((dir, Claim::Taken(lease))) = self.claim(&path)? else {
            return Ok(Fate::InUse);
        };
        let name = removal.path.to_string_lossy();
        let is_kept = lease
            .record()
            .is_some_and(|record| record.is_for(&name) && Record::is_kept(record));
        if !is_kept {
            return Ok(Fate::InUse);
        }
        let mut home = LeasedDir {
            path: path.clone(),
            dir,
            lease,
        };
        self.discard(&mut home).into_result(&path)?;
        Ok(Fate::Gone)
    }

    /// Removes a lock's file while holding the lock; who waits for it sees that and makes it anew.
    fn remove_lock(&self, removal: &Removal) -> Result<Fate, CacheError> {
        let path = self.root().join(&removal.path);
        let inside = path.starts_with(self.bucket(Bucket::Locks));
        match crate::lock::try_alone(&path)? {
            Some(_held) if inside => {
                self.remove(&path)?;
                Ok(Fate::Gone)
            }
            _ => Ok(Fate::InUse),
        }
    }
}
