//! Locks: one holder, a time limit, one announcement.

use std::sync::mpsc;
use std::time::Duration;

use cache::CacheError;
use model::Code;

use crate::support::World;

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_lock_that_is_free_is_taken_without_waiting() {
    let world = World::new();
    let mut waited = 0;
    let first = world
        .cache
        .lock("a", "a", Duration::ZERO, &mut || waited += 1)
        .unwrap();
    let other = world
        .cache
        .lock("b", "b", Duration::ZERO, &mut || waited += 1)
        .unwrap();
    drop(first);
    drop(
        world
            .cache
            .lock("a", "a", Duration::ZERO, &mut || waited += 1)
            .unwrap(),
    );
    drop(other);
    assert_eq!(waited, 0);
}

#[test]
fn a_held_lock_is_announced_once_and_given_up_in_time() {
    let world = World::new();
    let held = world
        .cache
        .lock("a", "a", Duration::ZERO, &mut || ())
        .unwrap();
    let mut waited = 0;
    let error = world
        .cache
        .lock("a", "a", Duration::from_millis(50), &mut || waited += 1)
        .unwrap_err();
    assert!(matches!(error, CacheError::LockTimeout { .. }), "{error:?}");
    assert_eq!((error.code(), waited), (Code::LockTimeout, 1));
    // Who gave up does not keep it from others.
    drop(held);
    drop(world.cache.lock("a", "a", LONG, &mut || ()).unwrap());
}

#[test]
fn who_waits_gets_it_when_it_is_free() {
    let world = World::new();
    let held = world
        .cache
        .lock("a", "a", Duration::ZERO, &mut || ())
        .unwrap();
    let (announce, announced) = mpsc::channel();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let mut on_wait = || announce.send(()).unwrap();
            world.cache.lock("a", "a", LONG, &mut on_wait).map(|_| ())
        });
        announced.recv().unwrap();
        assert!(!waiter.is_finished());
        drop(held);
        waiter.join().unwrap().unwrap();
    });
}

#[test]
fn only_one_is_inside() {
    let world = World::new();
    let counter = world.dir.path().join("counter");
    std::fs::write(&counter, "0").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let _lock = world
                        .cache
                        .lock("counter", "counter", LONG, &mut || ())
                        .unwrap();
                    let count: u32 = std::fs::read_to_string(&counter).unwrap().parse().unwrap();
                    std::fs::write(&counter, (count + 1).to_string()).unwrap();
                }
            });
        }
    });
    assert_eq!(std::fs::read_to_string(&counter).unwrap(), "200");
}

#[test]
fn any_text_is_a_name_and_the_lock_file_stays_in_its_bucket() {
    let world = World::new();
    for name in ["", "../../x", "a/b", "root", &"n".repeat(10_000), "\0"] {
        let _lock = world
            .cache
            .lock(name, name, Duration::ZERO, &mut || ())
            .unwrap();
        // Not the lock under which scratches are made.
        drop(world.cache.scratch().unwrap());
    }
    assert!(world.strangers().is_empty());
}
