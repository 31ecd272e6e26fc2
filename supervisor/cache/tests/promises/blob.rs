//! Blobs: named by their digest, and never believed without it.

use std::fs;
use std::io::Write as _;

use cache::Bucket;
use model::{Digest, Sha256};

use crate::support::World;

fn put(world: &World, bytes: &[u8]) -> Digest {
    let mut file = world.cache.staging_file().unwrap();
    file.write_all(bytes).unwrap();
    world.cache.put_blob(Bucket::Sources, file).unwrap()
}

#[test]
fn a_blob_has_the_name_of_its_digest() {
    let world = World::new();
    let digest = put(&world, b"some bytes");
    assert_eq!(digest.sha256, Sha256::of(b"some bytes"));
    assert_eq!(digest.size, 10);
    let hex = digest.sha256.to_string();
    let path = world
        .cache
        .bucket(Bucket::Sources)
        .join(&hex[..2])
        .join(&hex);
    assert_eq!(
        world.cache.blob(Bucket::Sources, &digest),
        Some(path.clone())
    );
    assert_eq!(fs::read(path).unwrap(), b"some bytes");
    assert_eq!(world.cache.blob(Bucket::Downloads, &digest), None);
    assert!(world.staged().is_empty());
}

#[test]
fn a_damaged_blob_is_removed_and_healed_by_the_same_bytes() {
    let world = World::new();
    let digest = put(&world, b"some bytes");
    let path = world.cache.blob(Bucket::Sources, &digest).unwrap();
    type Damage = fn(&std::path::Path);
    let damages: [Damage; 4] = [
        |path| fs::write(path, b"other bytes").unwrap(),
        |path| fs::write(path, b"some").unwrap(),
        |path| fs::write(path, b"").unwrap(),
        |path| {
            let kept = path.with_extension("kept");
            fs::write(&kept, fs::read(path).unwrap()).unwrap();
            fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink(kept, path).unwrap();
        },
    ];
    for damage in damages {
        damage(&path);
        assert_eq!(world.cache.blob(Bucket::Sources, &digest), None);
        assert!(
            path.symlink_metadata().is_err(),
            "the damaged blob is still there"
        );
        assert_eq!(put(&world, b"some bytes"), digest);
        assert!(world.cache.blob(Bucket::Sources, &digest).is_some());
        damage(&path);
        // Healed also by who did not look first.
        assert_eq!(put(&world, b"some bytes"), digest);
        assert!(world.cache.blob(Bucket::Sources, &digest).is_some());
    }
}

#[test]
fn another_size_is_asked_for_in_vain_and_damages_nothing() {
    let world = World::new();
    let digest = put(&world, b"some bytes");
    let wrong = Digest { size: 11, ..digest };
    assert_eq!(world.cache.blob(Bucket::Sources, &wrong), None);
    assert!(world.cache.blob(Bucket::Sources, &digest).is_some());
}
