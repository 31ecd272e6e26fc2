//! What removal takes, what it leaves, and what it does beside work that goes on.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use cache::{Bucket, Cache, Clean, InUse, Kinds, Plan, Prune};
use model::Sha256;

use crate::shelves::{age, blob, environment, listing, point, wheel};
use crate::support::{World, set_mode, unprivileged};

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) fn prune(cache: &Cache, wish: &Prune) -> cache::CarriedOut {
    let plan = Plan::prune(&cache.inventory(), wish, SystemTime::now());
    cache.carry_out(&plan, InUse::Stays)
}

/// A handle as another process has it.
pub(crate) fn other(cache: &Cache) -> Cache {
    Cache::open(cache.root()).unwrap()
}

const CI: Prune = Prune {
    ci: true,
    older_than: None,
    max_size: None,
};

#[test]
fn what_another_run_holds_stays_and_goes_when_that_run_has_ended() {
    let world = World::new();
    let source = blob(&world.cache, Bucket::Sources, b"source");
    point(&world.cache, "foo", &source, &[]);
    let path = world.cache.blob_path(Bucket::Sources, &source.sha256);
    let pruner = other(&world.cache);
    let done = prune(&pruner, &CI);
    assert_eq!((done.entries, done.in_use.len()), (0, 1), "{done:?}");
    assert!(path.exists());
    drop(world.cache);
    let done = prune(&pruner, &CI);
    assert_eq!(
        (done.entries, done.files, done.bytes),
        (1, 1, 6),
        "{done:?}"
    );
    assert!(!path.exists());
}

#[test]
fn what_a_run_above_uses_stays_in_the_cache_below() {
    let (below, above) = (World::new(), World::new());
    let source = blob(&other(&below.cache), Bucket::Sources, b"source");
    let layer = cache::Layer::open(below.root()).unwrap();
    let run = above.cache.clone().above(vec![layer]);
    let path = run.blob(Bucket::Sources, &source).unwrap();
    assert!(path.starts_with(below.root()));
    assert_eq!(prune(&other(&below.cache), &CI).in_use.len(), 1);
    assert!(path.exists());
    drop((run, above));
    assert_eq!(prune(&other(&below.cache), &CI).entries, 1);
}

#[test]
fn what_was_used_after_the_plan_was_made_stays() {
    let world = World::new();
    let source = blob(&other(&world.cache), Bucket::Sources, b"source");
    let path = world.cache.blob_path(Bucket::Sources, &source.sha256);
    age(&path, DAY);
    let plan = Plan::prune(&world.cache.inventory(), &CI, SystemTime::now());
    assert!(other(&world.cache).blob(Bucket::Sources, &source).is_some());
    let done = world.cache.carry_out(&plan, InUse::Stays);
    assert_eq!((done.entries, done.in_use.len()), (0, 1), "{done:?}");
    assert!(path.exists());
}

#[test]
fn runs_beside_a_pruner_never_lose_what_they_use() {
    let world = World::new();
    let (root, over) = (world.root().to_owned(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let makers: Vec<_> = (0..3)
            .map(|maker| {
                let root = &root;
                scope.spawn(move || {
                    for round in 0..60 {
                        let cache = Cache::open(root).unwrap();
                        let key = Sha256::of(format!("{maker} {}", round % 7));
                        cache.hold_wheel(&key);
                        let bytes = format!("{maker} {}", round % 5);
                        let source = blob(&cache, Bucket::Sources, bytes.as_bytes());
                        if cache.find_wheels(&key).next().is_none() {
                            wheel(&cache, "foo", &source, &key);
                        }
                        let path = cache.blob_path(Bucket::Sources, &source.sha256);
                        assert_eq!(fs::read(path).unwrap(), bytes.as_bytes());
                        let folder = cache.find_wheels(&key).next().unwrap();
                        assert!(folder.join("record.json").is_file());
                    }
                })
            })
            .collect();
        let pruner = scope.spawn(|| {
            let (cache, mut entries) = (Cache::open(&root).unwrap(), 0);
            while !over.load(Ordering::Relaxed) {
                let all = Plan::clean(&cache.inventory(), &Clean::default());
                let done = cache.carry_out(&all, InUse::Stays);
                assert!(done.left.is_empty(), "{done:?}");
                entries += done.entries;
            }
            entries
        });
        let ends: Vec<_> = makers.into_iter().map(|maker| maker.join()).collect();
        over.store(true, Ordering::Relaxed);
        assert!(ends.iter().all(Result::is_ok), "a run lost what it used");
        assert!(pruner.join().unwrap() > 0, "nothing was ever removed");
    });
}

#[test]
fn a_persons_files_survive_every_command() {
    let world = World::new();
    let cache = other(&world.cache);
    let theirs = world.root().join("thesis");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("chapter"), b"mine").unwrap();
    fs::write(theirs.join("lease"), b"mine").unwrap();
    for bucket in Bucket::ALL {
        let folder = cache.bucket(bucket).join("thesis");
        if bucket == Bucket::Staging || bucket == Bucket::Logs || bucket == Bucket::Git {
            continue;
        }
        fs::write(folder, b"mine").unwrap();
    }
    let outside = world.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), b"mine").unwrap();
    symlink(
        &outside,
        cache
            .bucket(Bucket::Environments)
            .join(Sha256::of("x").to_string()),
    )
    .unwrap();
    symlink(&outside, cache.bucket(Bucket::Sources).join("ab")).unwrap();
    let before = listing(world.root());
    for wish in [
        Prune::default(),
        CI,
        Prune {
            older_than: Some(Duration::from_nanos(1)),
            max_size: Some(0),
            ci: true,
        },
    ] {
        prune(&cache, &wish);
    }
    assert_eq!(listing(world.root()), before);
    cache.carry_out(
        &Plan::clean(&cache.inventory(), &Clean::default()),
        InUse::Stays,
    );
    cache.sweep().unwrap();
    for (path, length) in before {
        if path.is_symlink() || path.file_name().is_some_and(|name| name == "thesis") {
            continue;
        }
        assert_eq!(
            fs::metadata(&path).map_or(0, |found| if found.is_file() { found.len() } else { 0 }),
            length,
            "{}",
            path.display()
        );
    }
    assert!(theirs.join("chapter").exists() && outside.join("file").exists());
    assert!(cache.bucket(Bucket::Sources).join("thesis").exists());
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a person moves a bucket to another disk and leaves a link"
)]
fn a_bucket_that_is_a_link_is_not_entered() {
    let world = World::new();
    let cache = other(&world.cache);
    let source = blob(&cache, Bucket::Sources, b"source");
    drop(cache);
    let cache = other(&world.cache);
    let elsewhere = world.dir.path().join("elsewhere");
    let bucket = cache.bucket(Bucket::Sources);
    let plan = Plan::prune(&cache.inventory(), &CI, SystemTime::now());
    assert_eq!(plan.removals.len(), 1);
    fs::rename(&bucket, &elsewhere).unwrap();
    symlink(&elsewhere, &bucket).unwrap();
    let done = cache.carry_out(&plan, InUse::Stays);
    assert_eq!((done.entries, done.left.len()), (0, 1), "{done:?}");
    let inventory = cache.inventory();
    assert!(inventory.items.is_empty() && inventory.unreadable.len() == 1);
    let name = source.sha256.to_string();
    assert!(elsewhere.join(&name[..2]).join(name).exists());
}

#[test]
fn trees_that_can_not_be_read_are_removed_all_the_same() {
    let (_dir, root) = crate::support::folder_of_nobody();
    unprivileged(move || {
        let cache = Cache::open(&root.join("cache")).unwrap();
        let folder = environment(&cache, "setuptools", &root);
        for place in ["env/lib", "env"] {
            set_mode(&folder.join(place), 0o000);
        }
        set_mode(&folder, 0o500);
        drop(cache);
        let cache = Cache::open(&root.join("cache")).unwrap();
        let done = prune(&cache, &CI);
        assert_eq!((done.entries, done.left.len()), (1, 0), "{done:?}");
        assert!(!folder.exists());
    });
}

#[test]
fn folders_that_became_empty_go_and_can_be_made_again() {
    let world = World::new();
    let cache = other(&world.cache);
    let source = blob(&cache, Bucket::Sources, b"source");
    let folder = wheel(&cache, "foo", &source, &Sha256::of("key"));
    drop(cache);
    let kinds = Kinds {
        built: true,
        ..Kinds::default()
    };
    let cache = other(&world.cache);
    let wish = Clean {
        packages: vec!["foo".parse().unwrap()],
        kinds,
    };
    let done = cache.carry_out(&Plan::clean(&cache.inventory(), &wish), InUse::Stays);
    assert_eq!(done.entries, 1, "{done:?}");
    assert!(!cache.bucket(Bucket::Wheels).join("foo").exists());
    assert!(cache.find_wheels(&Sha256::of("key")).next().is_none());
    assert!(world.cache.blob(Bucket::Sources, &source).is_some());
    assert_eq!(wheel(&cache, "foo", &source, &Sha256::of("key")), folder);
}

#[test]
fn locks_that_nobody_holds_go_and_those_that_are_held_stay() {
    let world = World::new();
    let cache = other(&world.cache);
    let wait = Duration::from_secs(5);
    drop(cache.lock("free", "free", wait, &mut || {}).unwrap());
    let held = cache.lock("held", "held", wait, &mut || {}).unwrap();
    let done = prune(&cache, &Prune::default());
    assert_eq!((done.entries, done.in_use.len()), (1, 1), "{done:?}");
    drop(held);
    assert_eq!(prune(&cache, &Prune::default()).entries, 1);
    drop(cache.lock("held", "held", wait, &mut || {}).unwrap());
}

/// Bytes that a file claims without taking room.
fn claim(path: &std::path::Path, bytes: u64) {
    fs::File::create(path).unwrap().set_len(bytes).unwrap();
}

#[test]
fn kept_scratches_go_when_they_are_old_or_too_much_at_the_root_and_elsewhere_alike() {
    let world = World::new();
    let elsewhere = world.dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let place = || cache::Place::open(&elsewhere).unwrap();
    let at_root = other(&world.cache);
    let at_place = other(&world.cache).with_scratches_at(place());
    let tidy_root = || at_root.tidy(SystemTime::now()).entries;
    let tidy_place = || place().sweep(SystemTime::now()).unwrap().scratches;
    let rules: [(&Cache, &dyn Fn() -> u64); 2] = [(&at_root, &tidy_root), (&at_place, &tidy_place)];
    for (cache, tidy) in rules {
        let keep = |bytes: u64, days: u32| {
            let scratch = cache.scratch().unwrap();
            claim(&scratch.room('t').unwrap().join("file"), bytes);
            let path = scratch.keep();
            assert_eq!(path.parent(), Some(cache.scratches_in()));
            age(&path, DAY * days);
            path
        };
        let (old, young) = (keep(1, 8), keep(1, 6));
        assert_eq!(tidy(), 1);
        assert!(!old.exists() && young.exists());
        // Eight GiB are kept; the newest one stays however large it is.
        let (older, newer) = (keep(5 << 30, 5), keep(5 << 30, 4));
        assert_eq!(tidy(), 2, "those before the newest are too much");
        assert!(!young.exists() && !older.exists() && newer.exists());
        let newest = keep(9 << 30, 1);
        assert_eq!(tidy(), 1);
        assert!(!newer.exists() && newest.exists());
        assert_eq!(tidy(), 0);
    }
}

#[test]
fn logs_go_when_they_are_old_and_many_or_too_much() {
    let world = World::new();
    let cache = other(&world.cache);
    let logs = cache.bucket(Bucket::Logs);
    let log = |number: u32, bytes: u64, days: u32| {
        let folder = logs.join(format!("{number:08x}"));
        fs::create_dir(&folder).unwrap();
        claim(&folder.join("log"), bytes);
        age(&folder, DAY * days);
        folder
    };
    // Each look an hour after the one before.
    let hour = std::cell::Cell::new(0);
    let tidy = || {
        hour.set(hour.get() + 1);
        cache.tidy(SystemTime::now() + HOUR * hour.get()).entries
    };
    let old: Vec<_> = (0..55).map(|number| log(number, 1, 40 + number)).collect();
    assert_eq!(tidy(), 5, "the newest fifty stay, whatever their age");
    assert!(old[..50].iter().all(|folder| folder.exists()));
    assert!(!old[50..].iter().any(|folder| folder.exists()));
    let fresh = log(99, 1, 1);
    assert_eq!(tidy(), 1, "one more is one too many");
    assert!(fresh.exists() && !old[49].exists());
    let large = log(100, 600 << 20, 0);
    assert!(tidy() > 40, "more than 512 MiB are too much");
    assert!(large.exists() && !fresh.exists(), "the newest stays");
}

#[test]
fn logs_are_looked_through_once_an_hour_by_whichever_run_comes() {
    let world = World::new();
    let logs = world.cache.bucket(Bucket::Logs);
    let old = |number: u32| {
        let folder = logs.join(format!("{number:08x}"));
        fs::create_dir(&folder).unwrap();
        age(&folder, DAY * (40 + number));
    };
    let start = SystemTime::now();
    let tidy = |at: SystemTime| other(&world.cache).tidy(at).entries;
    (0..51).for_each(old);
    assert_eq!(tidy(start), 1);
    old(60);
    assert_eq!(tidy(start), 0);
    assert_eq!(tidy(start + HOUR - Duration::from_secs(1)), 0);
    assert_eq!(tidy(start + HOUR), 1, "an hour is over");
    old(61);
    assert_eq!(
        tidy(start),
        1,
        "the last look was after now: the clock was set back"
    );
}
