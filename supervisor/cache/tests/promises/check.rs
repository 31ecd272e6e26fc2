//! What a check finds, and what a repair makes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cache::{Bucket, Cache, Checked, Checks, InUse, Plan, Prune, Reason, What};
use model::Sha256;

use crate::shelves::{blob, environment, point, wheel};
use crate::support::{World, set_mode};

/// A cache with one of each, and nobody who uses any of it.
struct Full {
    world: World,
    source: PathBuf,
    download: PathBuf,
    pointer: PathBuf,
    wheel: PathBuf,
    environment: PathBuf,
    key: Sha256,
}

fn full() -> Full {
    let world = World::new();
    let cache = Cache::open(world.root()).unwrap();
    let source = blob(&cache, Bucket::Sources, b"source");
    let download = blob(&cache, Bucket::Downloads, b"download");
    let key = Sha256::of("key");
    Full {
        pointer: point(&cache, "foo", &source, &[]),
        wheel: wheel(&cache, "foo", &source, &key),
        environment: environment(&cache, "setuptools", Path::new("/proc/self/exe")),
        source: cache.blob_path(Bucket::Sources, &source.sha256),
        download: cache.blob_path(Bucket::Downloads, &download.sha256),
        world,
        key,
    }
}

fn check(cache: &Cache) -> Checked {
    cache.check(Checks {
        entry: &|_| Ok(()),
        repository: &|_| Ok(()),
    })
}

#[test]
fn a_sound_cache_has_no_damage_and_is_counted() {
    let full = full();
    let checked = check(&full.world.cache);
    assert!(checked.damage.is_empty(), "{checked:?}");
    assert_eq!((checked.entries, checked.left_over), (5, 0));
    assert!(checked.files == 7 && checked.bytes > 100, "{checked:?}");
}

#[test]
fn every_kind_of_damage_is_found_and_repaired_without_touching_the_rest() {
    type Break = fn(&Full) -> &Path;
    fn spoil(path: &Path) -> &Path {
        set_mode(path, 0o644);
        fs::write(path, b"spoilt").unwrap();
        path
    }
    let breaks: [(&str, Break); 8] = [
        ("a source's bytes", |full| spoil(&full.source)),
        ("a download's length", |full| {
            fs::write(&full.download, b"").unwrap();
            &full.download
        }),
        ("a pointer", |full| spoil(&full.pointer)),
        ("a wheel's bytes", |full| {
            spoil(&full.wheel.join("foo-1.0-py3-none-any.whl"));
            &full.wheel
        }),
        ("a wheel that is gone", |full| {
            fs::remove_file(full.wheel.join("foo-1.0-py3-none-any.whl")).unwrap();
            &full.wheel
        }),
        ("a wheel's record", |full| {
            spoil(&full.wheel.join("record.json"));
            &full.wheel
        }),
        ("a wheel's folder", |full| {
            fs::remove_dir_all(&full.wheel).unwrap();
            &full.wheel
        }),
        ("an environment's record", |full| {
            spoil(&full.environment.join("environment.json"));
            &full.environment
        }),
    ];
    for (name, break_it) in breaks {
        let full = full();
        let path = break_it(&full);
        let checked = check(&full.world.cache);
        assert!(!checked.damage.is_empty(), "{name} is not found");
        let repaired = full.world.cache.repair(&checked).unwrap();
        assert!(repaired.left.is_empty(), "{name}: {repaired:?}");
        assert!(!path.exists(), "{name} is still there");
        let all = [
            &full.source,
            &full.download,
            &full.pointer,
            &full.wheel,
            &full.environment,
        ];
        let there = all.iter().filter(|path| path.exists()).count();
        assert_eq!(there, 4, "{name}: something else went too");
        // A record that went leaves a key behind, which the next check would name.
        let again = check(&full.world.cache);
        full.world.cache.repair(&again).unwrap();
        assert!(check(&full.world.cache).damage.is_empty(), "{name}");
    }
}

/// A wheel whose publication a crash cut short: no key leads to it yet.
fn keyless() -> Full {
    let full = full();
    let bucket = full.world.cache.bucket(Bucket::Wheels);
    fs::remove_file(bucket.join("by-key").join(format!("{}.json", full.key))).unwrap();
    assert!(full.world.cache.find_wheels(&full.key).next().is_none());
    full
}

#[test]
fn a_wheel_without_its_key_is_unfinished_and_a_repair_finishes_it() {
    let full = keyless();
    let checked = check(&full.world.cache);
    assert_eq!(
        (checked.damage.len(), checked.left_over),
        (0, 1),
        "{checked:?}"
    );
    full.world.cache.repair(&checked).unwrap();
    let found = full.world.cache.find_wheels(&full.key).next();
    assert_eq!(found, Some(full.wheel));
    assert_eq!(check(&full.world.cache).left_over, 0);
}

#[test]
fn a_repair_takes_no_key_from_a_wheel_that_came_meanwhile() {
    let full = keyless();
    let checked = check(&full.world.cache);
    let cache = Cache::open(full.world.root()).unwrap();
    let other = wheel(
        &cache,
        "bar",
        &blob(&cache, Bucket::Sources, b"bar"),
        &full.key,
    );
    full.world.cache.repair(&checked).unwrap();
    assert_eq!(full.world.cache.find_wheels(&full.key).next(), Some(other));
}

#[test]
fn a_wheel_without_its_key_is_damaged_if_its_bytes_are() {
    let full = keyless();
    fs::write(full.wheel.join("foo-1.0-py3-none-any.whl"), b"spoilt").unwrap();
    let checked = check(&full.world.cache);
    assert_eq!(
        (checked.damage.len(), checked.left_over),
        (1, 0),
        "{checked:?}"
    );
}

#[test]
fn a_wheel_that_is_being_published_is_not_left_over_and_not_pruned() {
    let full = keyless();
    let builder = Cache::open(full.world.root()).unwrap();
    builder.hold_wheel(&full.key);
    let cache = &full.world.cache;
    assert_eq!(check(cache).left_over, 0);
    let late = Plan::prune(&cache.inventory(), &Prune::default(), SystemTime::now());
    assert_eq!(cache.carry_out(&late, InUse::Stays).entries, 0);
    // Its key came after a plan was made: the plan is too old.
    builder.point_to_wheel(&full.key, &full.wheel).unwrap();
    drop(builder);
    assert_eq!(cache.carry_out(&late, InUse::Stays).entries, 0);
    assert!(full.wheel.exists() && check(cache).damage.is_empty());
}

#[test]
fn a_prune_removes_a_wheel_without_its_key() {
    let full = keyless();
    let cache = &full.world.cache;
    let plan = Plan::prune(&cache.inventory(), &Prune::default(), SystemTime::now());
    assert_eq!(plan.removals.len(), 1, "{plan:?}");
    assert_eq!(plan.removals[0].reason, Reason::Keyless);
    assert_eq!(cache.carry_out(&plan, InUse::Stays).entries, 1);
    assert!(!full.wheel.exists());
}

#[test]
fn what_an_environments_check_says_is_damage() {
    let full = full();
    let cache = &full.world.cache;
    let checked = cache.check(Checks {
        entry: &|item| match item.what {
            What::Environment(_) => Err("module.py changed".to_owned()),
            _ => Ok(()),
        },
        repository: &|_| Ok(()),
    });
    assert_eq!(checked.damage.len(), 1);
    assert_eq!(checked.damage[0].why, "module.py changed");
    cache.repair(&checked).unwrap();
    assert!(!full.environment.exists());
}

#[test]
fn what_is_none_of_ours_is_named_and_no_damage() {
    let full = full();
    let root = full.world.root();
    fs::create_dir(root.join("thesis")).unwrap();
    fs::create_dir(root.join("wheels-v0")).unwrap();
    for path in ["notes.txt", "pointers-v1/notes.txt", "logs-v1/notes"] {
        fs::write(root.join(path), "mine").unwrap();
    }
    let scratch = full.world.cache.scratch().unwrap();
    let checked = check(&full.world.cache);
    drop(scratch);
    let mut named = checked.strangers.clone();
    named.sort();
    let expected = [
        "logs-v1/notes",
        "notes.txt",
        "pointers-v1/notes.txt",
        "thesis",
        "wheels-v0",
    ];
    assert_eq!(named, expected.map(PathBuf::from));
    assert!(checked.damage.is_empty(), "{checked:?}");
    full.world.cache.repair(&checked).unwrap();
    assert!(expected.iter().all(|path| root.join(path).exists()));
}

#[test]
fn what_is_in_use_is_not_repaired() {
    let full = full();
    let user = Cache::open(full.world.root()).unwrap();
    user.hold(&full.source);
    fs::write(&full.source, b"spoilt").unwrap();
    let checked = check(&full.world.cache);
    let repaired = full.world.cache.repair(&checked).unwrap();
    assert_eq!(
        (repaired.mended.len(), repaired.left.len()),
        (0, 1),
        "{repaired:?}"
    );
    drop(user);
    let repaired = full.world.cache.repair(&checked).unwrap();
    assert_eq!(
        (repaired.mended.len(), repaired.left.len()),
        (1, 0),
        "{repaired:?}"
    );
}

#[test]
fn what_a_crash_leaves_is_counted_and_no_damage() {
    let full = full();
    let staging = full.world.cache.bucket(Bucket::Staging);
    fs::write(staging.join("00000000000000a1"), b"half").unwrap();
    fs::create_dir(staging.join("00000000000000a2")).unwrap();
    let living = full.world.cache.staging_file().unwrap();
    let checked = check(&full.world.cache);
    assert_eq!(
        (checked.damage.len(), checked.left_over),
        (0, 2),
        "{checked:?}"
    );
    full.world.cache.repair(&checked).unwrap();
    assert_eq!(check(&full.world.cache).left_over, 0);
    assert!(living.path().exists());
}
