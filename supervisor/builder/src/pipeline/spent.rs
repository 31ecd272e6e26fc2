//! Scratches that are done with, removed when the call ends.
//!
//! ext4 gives out no inode that was freed within the last minute or some more, and passes by each of them whenever
//! a file is made. A scratch that is removed at once makes every file of the builds after it dearer, so as long as
//! they are small together they stay until nothing is built any more.

use std::mem::take;
use std::sync::{Mutex, PoisonError};

use cache::Scratch;
use rustix::fs::{Mode, fchmod, fstatfs};

use crate::assignment::ROOMS;
use crate::error::BuildError;
use crate::local::{Amount, Rooms};

/// What `statfs` calls ext4 (and its elders): `EXT4_SUPER_MAGIC`.
const EXT4: i64 = 0xef53;
/// How much may wait at a time.
const MOST: Amount = Amount {
    bytes: 256 << 20,
    inodes: 30_000,
    largest_file: u64::MAX,
};
/// How many scratches may, whatever is in them: each holds two descriptors open.
const MANY: usize = 128;
/// What waits is at most this part of the room that is left.
const PART: u64 = 16;

/// The scratches of one call that wait. Dropping it removes them.
#[derive(Debug, Default)]
pub(super) struct Spent(Mutex<Waiting<Scratch>>);

impl Spent {
    /// Takes a scratch that nothing runs in and nobody reads from any more: removes it now or later. What can not be
    /// removed later is told, and left to the next sweep.
    pub(super) fn take(&self, scratch: Scratch) -> Result<(), BuildError> {
        let Some(used) = small(&scratch) else {
            return Ok(scratch.remove()?);
        };
        // Its uid may be given to another build now.
        if fchmod(scratch.dir(), Mode::RWXU).is_err() {
            return Ok(scratch.remove()?);
        }
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = waiting.add(scratch, used);
        drop(waiting);
        before.into_iter().try_for_each(|one| Ok(one.remove()?))
    }
}

/// What waits, and how much that is.
#[derive(Debug)]
struct Waiting<T> {
    all: Vec<T>,
    used: Amount,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            used: Amount::default(),
        }
    }
}

impl<T> Waiting<T> {
    /// Has `one` wait, which takes `used`; returns those that can not wait beside it.
    fn add(&mut self, one: T, used: Amount) -> Vec<T> {
        let sum = self.used.and(&used);
        let is_much = sum.is_over(&MOST) || self.all.len() >= MANY;
        let before = if is_much {
            take(&mut self.all)
        } else {
            Vec::new()
        };
        self.used = if is_much { used } else { sum };
        self.all.push(one);
        before
    }
}

/// How much a scratch holds, if that is little and waiting is of any use.
fn small(scratch: &Scratch) -> Option<Amount> {
    let is_ext4 = fstatfs(scratch.dir()).is_ok_and(|found| found.f_type == EXT4);
    let rooms = is_ext4.then(|| Rooms::open(scratch.dir(), &ROOMS.map(String::from)))?;
    let rooms = rooms.ok()?;
    let used = rooms.used(&MOST);
    let is_little = !used.is_over(&MOST) && rooms.left() / PART > MOST.bytes;
    is_little.then_some(used)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(bytes: u64, inodes: u64) -> Amount {
        Amount {
            bytes,
            inodes,
            largest_file: bytes,
        }
    }

    #[test]
    fn what_waits_is_never_more_than_may_wait() {
        let mut waiting = Waiting::default();
        let half = MOST.bytes / 2;
        assert!(waiting.add(1, amount(half, 10)).is_empty());
        assert!(waiting.add(2, amount(half, 10)).is_empty());
        assert_eq!(waiting.add(3, amount(1, 10)), [1, 2]);
        assert_eq!(waiting.add(4, amount(0, MOST.inodes)), [3]);
        assert_eq!(waiting.used, amount(0, MOST.inodes));
        let mut many = Waiting::default();
        let gone: usize = (0..=MANY)
            .map(|one| many.add(one, amount(0, 1)).len())
            .sum();
        assert_eq!((gone, many.all.len()), (MANY, 1));
    }
}
