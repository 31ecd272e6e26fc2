//! Which places are taken as a root, and what is said of the others.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use cache::{Bucket, Budget, Cache, CacheError};
use model::Code;
use serde_json::json;

use crate::support::{
    self, World, folder, folder_of_nobody, is_root, not_run, set_mode, unprivileged,
};

#[test]
fn a_fresh_root_is_marked_and_private() {
    let world = World::new();
    assert_eq!(support::mode_of(world.root()), 0o700);
    assert!(world.strangers().is_empty(), "{:?}", world.strangers());
    let tag = fs::read_to_string(world.root().join("CACHEDIR.TAG")).unwrap();
    assert!(tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55"));
    assert_eq!(
        fs::read_to_string(world.root().join(".gitignore")).unwrap(),
        "*\n"
    );
    for bucket in Bucket::ALL {
        assert!(world.cache.bucket(bucket).is_dir(), "{bucket:?}");
        assert!(bucket.folder().ends_with("-v1"));
    }
}

#[test]
fn parents_are_made_and_opening_again_changes_nothing() {
    let dir = folder();
    let root = dir.path().join("a/b/c");
    Cache::open(&root).unwrap();
    let inode = fs::metadata(root.join("fumehood")).unwrap().ino();
    Cache::open(&root).unwrap();
    Cache::open(&root.join("../c/.")).unwrap();
    assert_eq!(fs::metadata(root.join("fumehood")).unwrap().ino(), inode);
}

#[test]
fn what_a_crash_left_out_of_the_mark_is_written_and_what_it_left_behind_is_swept() {
    let world = World::new();
    for name in ["CACHEDIR.TAG", ".gitignore"] {
        fs::remove_file(world.root().join(name)).unwrap();
    }
    let (ours, other) = (".fumehood-0123456789abcdef", ".fumehood-notes");
    for name in [ours, other] {
        fs::write(world.root().join(name), b"half").unwrap();
    }
    let cache = Cache::open(world.root()).unwrap();
    assert_eq!(cache.sweep().unwrap().staging, 1);
    assert_eq!(world.strangers(), [other]);
    for name in ["CACHEDIR.TAG", ".gitignore"] {
        assert!(world.root().join(name).is_file(), "{name}");
    }
}

#[test]
fn opening_an_existing_one_never_creates() {
    let dir = folder();
    let root = dir.path().join("cache");
    assert!(Cache::open_existing(&root).unwrap().is_none());
    assert!(!root.exists());
    fs::create_dir(&root).unwrap();
    assert!(Cache::open_existing(&root).unwrap().is_none());
    assert!(support::listing(&root).is_empty());
    Cache::open(&root).unwrap();
    assert!(Cache::open_existing(&root).unwrap().is_some());
}

#[test]
fn somebody_elses_files_are_refused_and_left_alone() {
    let dir = folder();
    for name in ["thesis.txt", "fumehood", ".hidden"] {
        let root = dir.path().join(name.trim_start_matches('.'));
        fs::create_dir(&root).unwrap();
        fs::write(root.join(name), b"mine").unwrap();
        for error in [
            Cache::open(&root).unwrap_err(),
            Cache::open_existing(&root).unwrap_err(),
        ] {
            assert!(matches!(error, CacheError::NotOurs { .. }), "{error:?}");
            assert_eq!(error.code(), Code::CacheRefused);
            assert!(error.hint().unwrap().contains("--cache-dir"));
        }
        assert_eq!(support::listing(&root), [name]);
    }
}

#[test]
fn a_link_as_the_marker_is_no_marker() {
    let dir = folder();
    let world = World::new();
    let root = dir.path().join("forged");
    fs::create_dir(&root).unwrap();
    std::os::unix::fs::symlink(world.root().join("fumehood"), root.join("fumehood")).unwrap();
    assert!(matches!(
        Cache::open(&root),
        Err(CacheError::NotOurs { .. })
    ));
}

#[test]
fn a_fresh_volume_with_lost_and_found_is_empty() {
    let dir = folder();
    fs::create_dir(dir.path().join("lost+found")).unwrap();
    Cache::open(dir.path()).unwrap();
}

#[test]
fn a_root_that_others_can_write_is_refused() {
    for mode in [0o777, 0o1777, 0o775, 0o702] {
        let dir = folder();
        set_mode(dir.path(), mode);
        let error = Cache::open(dir.path()).unwrap_err();
        assert!(
            matches!(error, CacheError::OpenToOthers { .. }),
            "{error:?}"
        );
        assert_eq!(error.code(), Code::CacheRefused);
        assert!(error.hint().unwrap().contains("chmod go-w"));
        assert!(support::listing(dir.path()).is_empty());
        // What the hint says works: the parent is not judged.
        Cache::open(&dir.path().join("fumehood")).unwrap();
    }
}

#[test]
fn a_root_of_somebody_else_is_refused() {
    if !is_root() {
        return not_run("two users (needs root)");
    }
    let (_dir, theirs) = folder_of_nobody();
    let error = Cache::open(&theirs).unwrap_err();
    assert!(
        matches!(
            error,
            CacheError::ForeignOwner {
                owner: support::NOBODY,
                caller: 0,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(error.code(), Code::CacheRefused);
    let root = theirs.clone();
    unprivileged(move || Cache::open(&root).map(|_| ())).unwrap();
}

#[test]
fn what_root_owns_can_be_read_and_not_written() {
    if !is_root() {
        return not_run("a cache of root, used by another (needs root)");
    }
    let world = World::new();
    set_mode(world.root(), 0o755);
    let root = world.root().to_owned();
    let (opened, existing) =
        unprivileged(move || (Cache::open(&root), Cache::open_existing(&root)));
    let error = opened.unwrap_err();
    assert_eq!(error.code(), Code::CachePlace, "{error:?}");
    assert!(existing.unwrap().is_some());
}

#[test]
fn a_place_that_can_not_be_used_says_so() {
    let dir = folder();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    for root in [file.clone(), file.join("below"), "/proc/fumehood".into()] {
        let error = Cache::open(&root).unwrap_err();
        assert_eq!(error.code(), Code::CachePlace, "{error:?}");
        assert!(error.hint().is_some());
    }
    let long = dir.path().join("a/".repeat(2500));
    assert_eq!(Cache::open(&long).unwrap_err().code(), Code::CachePlace);
    let (_dir, closed) = folder_of_nobody();
    set_mode(&closed, 0o500);
    let root = closed.join("cache");
    let error = unprivileged(move || Cache::open(&root).unwrap_err());
    assert_eq!(error.code(), Code::CachePlace, "{error:?}");
}

#[test]
fn many_processes_may_open_a_fresh_root_at_once() {
    for _ in 0..8 {
        let dir = folder();
        let root = dir.path().join("cache");
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| Cache::open(&root)))
                .collect();
            for thread in threads {
                thread.join().unwrap().unwrap();
            }
        });
        assert!(
            !support::listing(&root)
                .iter()
                .any(|name| name.starts_with(".fume"))
        );
    }
}

#[test]
fn the_path_budget_is_data_and_no_refusal() {
    let dir = folder();
    let base = dir.path().canonicalize().unwrap();
    let used = base.as_os_str().len() + 1;
    for (length, expected) in [
        (40, Budget::Fits),
        (41, Budget::Long),
        (65, Budget::Long),
        (66, Budget::TooLong),
    ] {
        let cache = Cache::open(&base.join("x".repeat(length - used))).unwrap();
        let budget = cache.path_budget();
        assert_eq!(
            (budget.root, budget.temp, budget.budget),
            (length, length + 10, expected)
        );
        // What a build sees as its working directory is at most 12 characters longer.
        let scratch = cache.scratch().unwrap();
        let room = scratch.room('w').unwrap();
        assert!(room.as_os_str().len() <= length + 12);
    }
}

#[test]
fn paths_outside_of_the_root_are_never_written() {
    let world = World::new();
    let wheels = world.cache.bucket(Bucket::Wheels);
    for path in [
        world.dir.path().join("beside.json"),
        wheels.join("../../beside.json"),
        wheels.join("a/../b.json"),
        world.root().to_owned(),
        "relative.json".into(),
    ] {
        let error = world
            .cache
            .write_record(&path, &json!({"a": 1}))
            .unwrap_err();
        assert!(
            matches!(error, CacheError::Outside { .. }),
            "{path:?}: {error:?}"
        );
        assert!(world.cache.remove(&path).is_err());
    }
    assert!(world.staged().is_empty());
}

#[test]
fn sizes_count_files_and_no_links() {
    let world = World::new();
    let downloads = world.cache.bucket(Bucket::Downloads);
    fs::write(downloads.join("a"), [0; 100]).unwrap();
    fs::create_dir(downloads.join("b")).unwrap();
    fs::write(downloads.join("b/c"), [0; 11]).unwrap();
    std::os::unix::fs::symlink("/", downloads.join("b/link")).unwrap();
    let sizes = world.cache.sizes().unwrap();
    let (_, size) = sizes
        .iter()
        .find(|(bucket, _)| *bucket == Bucket::Downloads)
        .unwrap();
    assert_eq!((size.files, size.bytes), (2, 111));
}
