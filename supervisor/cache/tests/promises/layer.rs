//! Caches that are only read, below one that is written.

use std::fs;
use std::io::Write as _;

use cache::{Bucket, Cache, CacheError, Layer};
use model::{Code, Digest, Sha256};
use serde_json::{Value, json};

use crate::support::{
    NOBODY, World, folder, folder_of_nobody, is_root, not_run, set_mode, unprivileged,
};

fn put(cache: &Cache, bytes: &[u8]) -> Digest {
    let mut file = cache.staging_file().unwrap();
    file.write_all(bytes).unwrap();
    cache.put_blob(Bucket::Sources, file).unwrap()
}

/// An upper cache over a lower one.
fn over(upper: &World, lower: &World) -> Cache {
    upper
        .cache
        .clone()
        .above(vec![Layer::open(lower.root()).unwrap()])
}

#[test]
fn blobs_and_records_come_from_below_until_the_root_has_its_own() {
    let (upper, lower) = (World::new(), World::new());
    let digest = put(&lower.cache, b"some bytes");
    let record = |world: &World| world.root().join("pointers-v1/a.json");
    let write = |cache: &Cache, at: &World, text| {
        let said = json!({ "said": text });
        cache.write_record(&record(at), &said).unwrap();
    };
    let read = |cache: &Cache, at: &World| -> Value {
        let said: Value = cache.read_record(&record(at)).unwrap();
        said["said"].clone()
    };
    write(&lower.cache, &lower, "below");
    let cache = over(&upper, &lower);
    let below = lower.cache.blob_path(Bucket::Sources, &digest.sha256);
    assert_eq!(cache.blob(Bucket::Sources, &digest), Some(below.clone()));
    assert_eq!(cache.blob_path(Bucket::Sources, &digest.sha256), below);
    assert_eq!(read(&cache, &upper), "below");
    write(&cache, &upper, "above");
    assert_eq!(read(&cache, &upper), "above");
    assert_eq!(read(&lower.cache, &lower), "below");
    // What can not be decoded above, or was altered, is as if it were not there.
    let text = fs::read_to_string(record(&upper)).unwrap();
    for damaged in ["{", &text.replace("above", "elbow")] {
        fs::write(record(&upper), damaged).unwrap();
        assert_eq!(read(&cache, &upper), "below");
    }
}

#[test]
fn a_damaged_blob_below_stays_and_is_healed_above() {
    let (upper, lower) = (World::new(), World::new());
    let digest = put(&lower.cache, b"some bytes");
    let below = lower.cache.blob_path(Bucket::Sources, &digest.sha256);
    fs::write(&below, "other byte").unwrap();
    let cache = over(&upper, &lower);
    assert_eq!(cache.blob(Bucket::Sources, &digest), None);
    assert_eq!(fs::read(&below).unwrap(), b"other byte");
    assert_eq!(put(&cache, b"some bytes"), digest);
    let above = cache.blob(Bucket::Sources, &digest).unwrap();
    assert!(above.starts_with(upper.root()));
}

#[test]
fn locks_logs_and_unfinished_things_are_never_those_below() {
    let (upper, lower) = (World::new(), World::new());
    let cache = over(&upper, &lower);
    for bucket in [Bucket::Logs, Bucket::Locks, Bucket::Staging] {
        let below = lower.cache.bucket(bucket).join("x");
        lower.cache.write_record(&below, &json!({"a": 1})).unwrap();
        let above = cache.bucket(bucket).join("x");
        assert_eq!(cache.locate(&above), above);
        assert_eq!(cache.read_record::<Value>(&above), None);
    }
    let outside = std::path::Path::new("/etc/x");
    assert_eq!(cache.locate(outside), outside);
}

#[test]
fn a_layer_is_the_callers_or_roots() {
    if !is_root() {
        return not_run("two users (needs root)");
    }
    let (_dir, theirs) = folder_of_nobody();
    let refused = Layer::open(&theirs);
    let Err(error @ CacheError::ForeignOwner { owner, caller, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((owner, caller), (NOBODY, 0));
    assert_eq!(error.code(), Code::CacheRefused);
    let own = theirs.clone();
    unprivileged(move || Layer::open(&own)).unwrap();
    // What root owns serves everybody who can read it, what a third user owns nobody else.
    let of_root = World::new();
    set_mode(of_root.root(), 0o755);
    let root = of_root.root().to_owned();
    unprivileged(move || Layer::open(&root)).unwrap();
    std::os::unix::fs::chown(&theirs, Some(NOBODY - 1), None).unwrap();
    set_mode(&theirs, 0o755);
    let refused = unprivileged(move || Layer::open(&theirs));
    assert!(
        matches!(
            refused,
            Err(CacheError::ForeignOwner { caller: NOBODY, .. })
        ),
        "{refused:?}"
    );
}

#[test]
fn what_is_no_cache_or_not_safe_is_no_layer() {
    let world = World::new();
    let missing = Layer::open(&world.root().join("none"));
    let Err(error @ CacheError::Layer { .. }) = missing else {
        panic!("{missing:?}");
    };
    assert!(error.hint().unwrap().contains("--cache-readonly"));
    let foreign = folder();
    fs::write(foreign.path().join("x"), "").unwrap();
    assert!(matches!(
        Layer::open(foreign.path()),
        Err(CacheError::NotOurs { .. })
    ));
    set_mode(world.root(), 0o777);
    assert!(matches!(
        Layer::open(world.root()),
        Err(CacheError::OpenToOthers { .. })
    ));
    let empty = folder();
    let cache = World::new()
        .cache
        .above(vec![Layer::open(empty.path()).unwrap()]);
    let digest = Digest {
        sha256: Sha256::of(b""),
        size: 0,
    };
    assert_eq!(cache.blob(Bucket::Sources, &digest), None);
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);
}
