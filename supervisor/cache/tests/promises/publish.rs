//! Publishing: whole or not at all, once, and never over what is there.

use std::fs;
use std::io::Write as _;

use cache::{Bucket, CacheError, Published, StagingFile};
use serde_json::{Value, json};

use crate::support::{World, listing, mode_of};

fn staged(world: &World, bytes: &[u8]) -> StagingFile {
    let mut file = world.cache.staging_file().unwrap();
    file.write_all(bytes).unwrap();
    file
}

#[test]
fn a_file_is_published_once() {
    let world = World::new();
    let to = world.cache.bucket(Bucket::Wheels).join("a/b/c/file.whl");
    let publish = |bytes: &[u8]| {
        world
            .cache
            .publish_file(staged(&world, bytes), &to)
            .unwrap()
    };
    assert_eq!(publish(b"first"), Published::New);
    assert_eq!(publish(b"second"), Published::Existed);
    assert_eq!(fs::read(&to).unwrap(), b"first");
    assert_eq!(mode_of(&to), 0o644);
    world
        .cache
        .replace_file(staged(&world, b"third"), &to)
        .unwrap();
    assert_eq!(fs::read(&to).unwrap(), b"third");
    assert!(world.staged().is_empty());
}

#[test]
fn a_folder_is_published_once() {
    let world = World::new();
    let to = world.cache.bucket(Bucket::Environments).join("name");
    for (text, expected) in [("first", Published::New), ("second", Published::Existed)] {
        let dir = world.cache.staging_dir().unwrap();
        fs::create_dir(dir.path().join("env")).unwrap();
        fs::write(dir.path().join("env/file"), text).unwrap();
        assert_eq!(world.cache.publish_dir(dir, &to).unwrap(), expected);
    }
    assert_eq!(fs::read(to.join("env/file")).unwrap(), b"first");
    assert_eq!(mode_of(&to), 0o755);
    assert_eq!(listing(&to), ["env"]);
    assert!(world.staged().is_empty());
}

#[test]
fn of_many_publishers_at_once_one_is_first_and_all_see_the_whole() {
    let world = World::new();
    let wheels = world.cache.bucket(Bucket::Wheels);
    let (file, dir) = (wheels.join("x/file"), wheels.join("y/dir"));
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    let bytes = vec![b'x'; 100_000];
                    let first = world
                        .cache
                        .publish_file(staged(&world, &bytes), &file)
                        .unwrap();
                    assert_eq!(fs::read(&file).unwrap().len(), 100_000);
                    let tree = world.cache.staging_dir().unwrap();
                    fs::write(tree.path().join("inner"), &bytes).unwrap();
                    let second = world.cache.publish_dir(tree, &dir).unwrap();
                    assert_eq!(fs::read(dir.join("inner")).unwrap().len(), 100_000);
                    (first, second)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let news = |pick: fn(&(Published, Published)) -> Published| {
        outcomes
            .iter()
            .filter(|outcome| pick(outcome) == Published::New)
            .count()
    };
    assert_eq!(
        (news(|outcome| outcome.0), news(|outcome| outcome.1)),
        (1, 1)
    );
    assert!(world.staged().is_empty());
}

#[test]
fn records_are_read_back_and_damaged_or_altered_ones_are_none() {
    let world = World::new();
    let path = world.cache.bucket(Bucket::Pointers).join("a/record.json");
    let read = || world.cache.read_record::<Value>(&path);
    assert_eq!(read(), None);
    world
        .cache
        .write_record(&path, &json!({"of": [1, 2, 3]}))
        .unwrap();
    assert_eq!(read(), Some(json!({"of": [1, 2, 3]})));
    world.cache.write_record(&path, &json!({"of": 4})).unwrap();
    assert_eq!(read(), Some(json!({"of": 4})));
    let text = fs::read_to_string(&path).unwrap();
    let whole: Value = serde_json::from_str(&text).unwrap();
    assert!(whole["checksum"].is_string(), "{text}");
    for damaged in [
        "{\"of\": 1",
        "{\"of\":4}\n",
        &text.replace("\"of\":4", "\"of\":5"),
        &text.replace("\"of\"", "\"or\""),
    ] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(read(), None, "{damaged}");
    }
    fs::write(&path, &text).unwrap();
    assert_eq!(read(), Some(json!({"of": 4})));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(read(), None);
    let bare = world
        .cache
        .write_record(&path.with_file_name("b.json"), &[4]);
    assert!(matches!(bare, Err(CacheError::Encode { .. })), "{bare:?}");
    assert!(world.staged().is_empty());
}

#[test]
fn what_is_not_published_is_gone() {
    let world = World::new();
    let file = staged(&world, b"x");
    let dir = world.cache.staging_dir().unwrap();
    fs::write(dir.path().join("file"), b"x").unwrap();
    assert_eq!(world.staged().len(), 2);
    drop((file, dir));
    assert!(world.staged().is_empty());
}
