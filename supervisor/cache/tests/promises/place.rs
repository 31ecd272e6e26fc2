//! Places besides the root: leased folders in a directory that may be shared, without a lock in it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use cache::{CacheError, Place};
use serde_json::json;

use crate::support::{
    World, folder, folder_of_nobody, give_away, is_root, listing, set_mode, unprivileged,
};

fn place(path: &Path) -> Place {
    Place::open(path).unwrap()
}

#[test]
fn a_scratch_lies_in_the_place_and_goes_with_its_owner() {
    let (world, dir) = (World::new(), folder());
    let cache = world.cache.clone().with_scratches_at(place(dir.path()));
    let scratch = cache.scratch().unwrap();
    assert_eq!(scratch.path(), dir.path().join(scratch.name()));
    assert_eq!(scratch.name().len(), 6);
    fs::write(scratch.room('t').unwrap().join("file"), "x").unwrap();
    assert_eq!(listing(dir.path()), [scratch.name()]);
    scratch.remove().unwrap();
    assert_eq!(listing(dir.path()), Vec::<String>::new());
    assert_eq!(world.strangers(), Vec::<String>::new());
}

#[test]
fn a_sweep_of_a_place_leaves_what_lives_is_kept_or_is_not_ours() {
    let (world, dir) = (World::new(), folder());
    let cache = world.cache.clone().with_scratches_at(place(dir.path()));
    let living = cache.scratch().unwrap();
    let kept = cache.scratch().unwrap().keep();
    for name in ["abcdef", ".fumehood-ours", "ghijkl"] {
        fs::create_dir(dir.path().join(name)).unwrap();
        fs::write(dir.path().join(name).join("precious"), "as it was").unwrap();
    }
    // A lease of ours under another name, and one that is none.
    fs::copy(kept.join("lease"), dir.path().join("abcdef/lease")).unwrap();
    fs::write(dir.path().join("ghijkl/lease"), "mine").unwrap();
    let before = listing(dir.path());
    let swept = place(dir.path()).sweep(SystemTime::now()).unwrap();
    assert_eq!((swept.scratches, swept.in_use), (0, 2));
    assert_eq!(listing(dir.path()), before);
    assert!(living.path().join("lease").is_file());
}

#[test]
fn scratches_are_made_while_others_sweep() {
    let (world, dir) = (World::new(), folder());
    let cache = world.cache.clone().with_scratches_at(place(dir.path()));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sweeping: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut sweeps = 0;
                    while !done.load(Ordering::Relaxed) {
                        let swept = place(dir.path()).sweep(SystemTime::now()).unwrap();
                        assert_eq!(swept.left, Vec::<String>::new());
                        sweeps += 1;
                    }
                    sweeps
                })
            })
            .collect();
        let making: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..150 {
                        let scratch = cache.scratch().unwrap();
                        let room = scratch.room('t').unwrap();
                        fs::write(room.join("file"), "x").unwrap();
                        assert!(scratch.path().join("lease").is_file());
                        scratch.remove().unwrap();
                    }
                })
            })
            .collect();
        for maker in making {
            maker.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        for sweeper in sweeping {
            assert!(sweeper.join().unwrap() > 0);
        }
    });
    assert_eq!(listing(dir.path()), Vec::<String>::new());
}

#[test]
fn a_fresh_root_is_a_cache_that_ends() {
    let dir = folder();
    let fresh = place(dir.path()).fresh().unwrap();
    let other = place(dir.path()).fresh().unwrap();
    assert_eq!(listing(dir.path()).len(), 2);
    fresh
        .cache()
        .write_record(
            &fresh.cache().root().join("simple-v1/x.json"),
            &json!({"a": 1}),
        )
        .unwrap();
    drop(fresh.cache().scratch().unwrap());
    // Another run that takes the place leaves it alone.
    assert_eq!(
        place(dir.path()).sweep(SystemTime::now()).unwrap().in_use,
        2
    );
    drop(fresh);
    assert_eq!(
        listing(dir.path()),
        [other.cache().root().file_name().unwrap().to_string_lossy()]
    );
    drop(other);
    assert_eq!(listing(dir.path()), Vec::<String>::new());
}

#[test]
fn a_fresh_root_does_not_make_its_place_a_strangers() {
    let dir = folder();
    set_mode(dir.path(), 0o700);
    let fresh = place(dir.path()).fresh().unwrap();
    let cache = cache::Cache::open(dir.path()).unwrap();
    assert_eq!(cache.sweep().unwrap().in_use, 1);
    drop(fresh);
    // A folder of six letters without a lease does.
    let other = folder();
    fs::create_dir(other.path().join("abcdef")).unwrap();
    let refused = cache::Cache::open(other.path());
    assert!(
        matches!(refused, Err(CacheError::NotOurs { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_place_that_others_can_take_from_is_refused_and_a_sticky_one_serves() {
    let dir = folder();
    set_mode(dir.path(), 0o777);
    let refused = Place::open(dir.path());
    assert!(
        matches!(refused, Err(CacheError::OpenToOthers { .. })),
        "{refused:?}"
    );
    set_mode(dir.path(), 0o1777);
    drop(place(dir.path()).fresh().unwrap());
    if is_root() {
        give_away(dir.path());
        let refused = Place::open(dir.path());
        assert!(
            matches!(refused, Err(CacheError::ForeignOwner { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn a_place_that_can_not_be_written_is_found_out_without_trying() {
    let (dir, path) = folder_of_nobody();
    set_mode(&path, 0o500);
    let refused = unprivileged(move || Place::open(&path));
    let Err(error @ CacheError::ScratchPlace { .. }) = refused else {
        panic!("{refused:?}");
    };
    assert!(error.hint().unwrap().contains("--scratch-dir"));
    for missing in ["none", "theirs/none"] {
        let refused = Place::open(&dir.path().join(missing));
        assert!(
            matches!(refused, Err(CacheError::ScratchPlace { .. })),
            "{refused:?}"
        );
    }
}
