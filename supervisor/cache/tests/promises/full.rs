//! A disk that is full, and one that can not be written: a real one, mounted for the test in a
//! mount namespace of the thread.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use cache::{Bucket, Cache, CacheError};
use model::Code;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use serde_json::{Value, json};

use crate::support::{deliver, folder, listing, not_run};

/// Runs with a small file system at a path; false if this process may not mount.
fn with_small_disk(work: impl FnOnce(&Path) + Send + 'static) {
    let dir = folder();
    let (done, _dir) = std::thread::spawn(move || {
        let place = dir.path();
        let root: Option<&Path> = None;
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        let mounted = unshare(CloneFlags::CLONE_NEWNS)
            .and_then(|()| mount(root, "/", root, private, root))
            .and_then(|()| {
                let options = Some("size=512k,mode=755");
                mount(
                    Some("none"),
                    place,
                    Some("tmpfs"),
                    MsFlags::empty(),
                    options,
                )
            });
        if mounted.is_err() {
            return (false, dir);
        }
        work(place);
        // Removed by the caller, who does not see the mount: a mount point can not be removed.
        (true, dir)
    })
    .join()
    .unwrap();
    if !done {
        not_run("a small disk (needs the right to mount)");
    }
}

/// Fills the disk to the last byte; returns the file that does it.
fn fill(place: &Path) -> PathBuf {
    let path = place.join("filler");
    let mut file = fs::File::create(&path).unwrap();
    for size in [4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    path
}

#[test]
fn a_full_disk_is_told_from_everything_else_and_leaves_nothing_half_written() {
    with_small_disk(|place| {
        let root = place.join("cache");
        let cache = Cache::open(&root).unwrap();
        let wheel = cache.bucket(Bucket::Wheels).join("a.whl");
        let mut big = cache.staging_file().unwrap();
        big.write_all(&[0; 4096]).unwrap();
        cache.publish_file(big, &wheel).unwrap();
        let record = cache.bucket(Bucket::Pointers).join("x/record.json");
        cache.write_record(&record, &json!({"a": "old"})).unwrap();
        let filler = fill(place);

        let is_full = |error: CacheError| {
            assert_eq!(error.code(), Code::DiskFull, "{error:?}");
            assert!(error.hint().is_some());
        };
        is_full(Cache::open(&root).unwrap_err());
        is_full(
            cache
                .write_record(&record, &json!({"a": "new".repeat(9000)}))
                .unwrap_err(),
        );
        is_full(cache.scratch().map(|_| ()).unwrap_err());
        is_full(deliver(&wheel, &place.join("dist"), "a.whl").unwrap_err());
        let read = cache.read_record::<Value>(&record).unwrap();
        assert_eq!(read["a"], "old");
        assert!(listing(&cache.bucket(Bucket::Staging)).is_empty());
        let out = listing(place);
        assert!(!out.contains(&"dist".to_owned()) || listing(&place.join("dist")).is_empty());

        // With room again, everything works.
        fs::remove_file(filler).unwrap();
        let cache = Cache::open(&root).unwrap();
        cache.sweep().unwrap();
        cache.scratch().unwrap().remove().unwrap();
        cache.write_record(&record, &json!({"a": "new"})).unwrap();
        deliver(&wheel, &place.join("dist"), "a.whl").unwrap();
    });
}

#[test]
fn a_disk_that_is_read_only_can_be_read() {
    with_small_disk(|place| {
        let root = place.join("cache");
        let cache = Cache::open(&root).unwrap();
        let record = cache.bucket(Bucket::Pointers).join("record.json");
        cache.write_record(&record, &json!({"a": 1})).unwrap();
        let none: Option<&Path> = None;
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | MsFlags::MS_NOEXEC;
        mount(none, place, none, flags, none).unwrap();
        let error = Cache::open(&root).unwrap_err();
        assert_eq!(error.code(), Code::CachePlace, "{error:?}");
        let error = Cache::open(&place.join("new")).unwrap_err();
        assert_eq!(error.code(), Code::CachePlace, "{error:?}");
        let cache = Cache::open_existing(&root).unwrap().unwrap();
        let read = cache.read_record::<Value>(&record);
        assert_eq!(read, Some(json!({"a": 1})));
        assert!(cache.is_noexec());
        assert_eq!(
            deliver(&record, &place.join("dist"), "a")
                .unwrap_err()
                .code(),
            Code::OutDir
        );
    });
}
