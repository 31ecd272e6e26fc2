//! What a sweep removes, and above all what it does not.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use cache::{Bucket, Place};

use crate::support::{World, folder};

/// Makes a scratch whose maker is gone: kept, and then no longer wanted.
fn orphan(world: &World) -> PathBuf {
    let scratch = world.cache.scratch().unwrap();
    fs::write(scratch.room('w').unwrap().join("file"), b"x").unwrap();
    let path = scratch.keep();
    let lease = fs::read_to_string(path.join("lease")).unwrap();
    let lease = lease.replace("\"kept\":true", "\"kept\":false");
    assert!(lease.contains("false"));
    fs::write(path.join("lease"), lease).unwrap();
    path
}

#[test]
fn an_orphan_is_removed_and_a_living_scratch_is_not() {
    let world = World::new();
    let living = world.cache.scratch().unwrap();
    let gone = orphan(&world);
    let swept = world.cache.sweep().unwrap();
    assert_eq!((swept.scratches, swept.in_use), (1, 1), "{swept:?}");
    assert!(!gone.exists());
    assert!(living.path().join("lease").exists());
    assert!(swept.left.is_empty());
}

#[test]
fn unfinished_things_are_removed_when_their_makers_are_gone() {
    let world = World::new();
    let staging = world.cache.bucket(Bucket::Staging);
    let mut file = world.cache.staging_file().unwrap();
    file.write_all(b"x").unwrap();
    let dir = world.cache.staging_dir().unwrap();
    fs::write(dir.path().join("file"), b"x").unwrap();
    // Left by makers that were killed at each step.
    fs::write(staging.join("00000000000000a1"), b"half").unwrap();
    fs::create_dir(staging.join("00000000000000a2")).unwrap();
    fs::create_dir_all(staging.join("00000000000000a3/tree/x")).unwrap();
    fs::write(staging.join("00000000000000a3/lease"), b"").unwrap();
    let swept = world.cache.sweep().unwrap();
    assert_eq!(swept.staging, 3, "{swept:?}");
    assert_eq!(world.staged().len(), 2);
    assert!(dir.path().join("file").exists() && file.path().exists());
    drop((file, dir));
    assert!(world.staged().is_empty());
}

#[test]
fn a_link_that_a_trial_left_is_removed_and_a_link_of_others_is_not() {
    let world = World::new();
    let elsewhere = folder();
    let place = Place::open(elsewhere.path()).unwrap();
    let now = std::time::SystemTime::now();
    for (folder, sweep) in [
        (world.root(), &(|| world.cache.sweep()) as &dyn Fn() -> _),
        (elsewhere.path(), &|| place.sweep(now)),
    ] {
        let link = |name: &str, to: &str| {
            let path = folder.join(name);
            std::os::unix::fs::symlink(to, &path).unwrap();
            path
        };
        let left = link(".fumehood-00000000000000a1", ".");
        let theirs = [
            link(".fumehood-00000000000000a2", ".."),
            link(".fumehood", "."),
            link("aaaaaa", "."),
        ];
        assert_eq!(sweep().unwrap().staging, 1, "{}", folder.display());
        assert!(!left.is_symlink());
        assert!(theirs.iter().all(|path| path.is_symlink()));
    }
}

#[test]
fn a_folder_without_a_valid_lease_survives_whatever_its_name() {
    let world = World::new();
    let real = fs::read_to_string(orphan(&world).join("lease")).unwrap();
    world.cache.sweep().unwrap();
    let outside = world.dir.path().join("lease");
    fs::write(&outside, &real).unwrap();
    let forge = |name: &str, lease: &dyn Fn(&Path)| {
        let folder = world.root().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("thesis"), b"mine").unwrap();
        lease(&folder.join("lease"));
    };
    forge("aaaaa1", &|_| {});
    forge("aaaaa2", &|lease| fs::write(lease, b"").unwrap());
    forge("aaaaa3", &|lease| fs::write(lease, b"{}").unwrap());
    // A copy of a real one, in a folder of another name.
    forge("aaaaa4", &|lease| fs::write(lease, &real).unwrap());
    forge("aaaaa5", &|lease| {
        std::os::unix::fs::symlink(&outside, lease).unwrap()
    });
    forge("aaaaa6", &|lease| fs::hard_link(&outside, lease).unwrap());
    forge("aaaaa7", &|lease| fs::create_dir(lease).unwrap());
    forge("aaaaa8", &|lease| {
        rustix::fs::mkfifoat(rustix::fs::CWD, lease, rustix::fs::Mode::RWXU).unwrap();
    });
    forge("aaaaa9", &|lease| {
        fs::write(lease, vec![b' '; 10_000]).unwrap()
    });
    fs::write(world.root().join("bbbbbb"), b"a file").unwrap();
    let elsewhere = world.dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("lease"), &real).unwrap();
    std::os::unix::fs::symlink(&elsewhere, world.root().join("cccccc")).unwrap();

    let before = world.strangers();
    let swept = world.cache.sweep().unwrap();
    assert_eq!(swept.scratches, 0, "{swept:?}");
    assert_eq!(world.strangers(), before);
    for name in before.iter().filter(|name| name.starts_with("aaaaa")) {
        assert_eq!(
            fs::read(world.root().join(name).join("thesis")).unwrap(),
            b"mine"
        );
    }
    assert!(elsewhere.join("lease").exists());
}

#[test]
fn sweeping_beside_makers_never_takes_a_living_scratch() {
    let world = World::new();
    std::thread::scope(|scope| {
        let makers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..30 {
                        let scratch = world.cache.scratch().unwrap();
                        let room = scratch.room('w').unwrap();
                        fs::write(room.join("file"), b"x").unwrap();
                        let mut file = world.cache.staging_file().unwrap();
                        file.write_all(b"x").unwrap();
                        let dir = world.cache.staging_dir().unwrap();
                        fs::write(dir.path().join("file"), b"x").unwrap();
                        assert!(room.join("file").exists());
                        assert!(file.path().exists() && dir.path().join("file").exists());
                        scratch.remove().unwrap();
                    }
                })
            })
            .collect();
        while !makers
            .iter()
            .all(std::thread::ScopedJoinHandle::is_finished)
        {
            let swept = world.cache.sweep().unwrap();
            // It may finish what a maker is about to: a folder that has lost its lease.
            assert_eq!((swept.scratches, swept.left.len()), (0, 0), "{swept:?}");
        }
        for maker in makers {
            maker.join().unwrap();
        }
    });
    assert!(world.strangers().is_empty() && world.staged().is_empty());
}
