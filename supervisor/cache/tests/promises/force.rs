//! What a removal takes by force, and how its users notice.

use std::fs;
use std::time::Duration;

use cache::{Bucket, Clean, InUse, Plan, Standing};
use model::Sha256;

use crate::prune::other;
use crate::shelves::{blob, wheel};
use crate::support::World;

#[test]
fn what_is_held_goes_by_force_and_strangers_locks_and_scratches_stay() {
    let world = World::new();
    let cache = &world.cache;
    let source = blob(cache, Bucket::Sources, b"source");
    let key = Sha256::of("key");
    cache.hold_wheel(&key);
    let folder = wheel(cache, "foo", &source, &key);
    let stranger = cache.bucket(Bucket::Sources).join("notes.txt");
    fs::write(&stranger, "mine").unwrap();
    let _lock = cache
        .lock("held", "held", Duration::from_secs(5), &mut || {})
        .unwrap();
    let scratch = cache.scratch().unwrap();

    let pruner = other(cache);
    let all = Plan::clean(&pruner.inventory(), &Clean::default());
    let done = pruner.carry_out(&all, InUse::Stays);
    assert_eq!((done.entries, done.forced.len()), (0, 0), "{done:?}");
    assert!(folder.exists());
    let done = pruner.carry_out(&all, InUse::Goes);
    assert_eq!((done.entries, done.forced.len()), (2, 2), "{done:?}");
    assert_eq!(done.in_use.len(), 1, "the lock: {done:?}");
    assert!(done.left.is_empty(), "{done:?}");
    assert!(!folder.exists());
    assert!(cache.find_wheels(&key).next().is_none());
    assert!(!cache.blob_path(Bucket::Sources, &source.sha256).exists());
    assert_eq!(fs::read(&stranger).unwrap(), b"mine");
    assert!(scratch.path().exists());
    assert!(other(cache).lock_if_free("held").unwrap().is_none());
}

#[test]
fn what_was_seen_stands_until_its_name_is_another_things_or_nothings() {
    let world = World::new();
    let entry = world.cache.bucket(Bucket::Environments).join("entry");
    assert!(Standing::of(&entry).is_none());
    fs::create_dir_all(entry.join("env")).unwrap();
    let seen = [Standing::of(&entry), Standing::of(&entry.join("env"))].map(Option::unwrap);
    assert!(seen.iter().all(Standing::stands));
    world.cache.remove(&entry).unwrap();
    assert!(!seen.iter().any(Standing::stands));
    fs::create_dir_all(entry.join("env")).unwrap();
    assert!(!seen.iter().any(Standing::stands), "it is another one");
}

#[test]
fn a_lock_that_is_not_waited_for_is_free_or_not() {
    let world = World::new();
    let held = world.cache.lock_if_free("a").unwrap();
    assert!(held.is_some());
    assert!(world.cache.lock_if_free("a").unwrap().is_none());
    drop(held);
    assert!(world.cache.lock_if_free("a").unwrap().is_some());
}
