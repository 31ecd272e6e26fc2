//! Leases: whatever a build does to its own, to another's or to one of its making, its scratch goes and the others stay.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tests::{Run, Sdist, Setting, World, release, search};

use crate::site;

/// Goes after the leases of some scratches, its own among them. Locks are held until the end.
const DEED: &str = r#"
import fcntl
import json
import os

import hold
from attempts import Attempts

HELD = []


def forged(folder):
    """A lease that says `keep it`, as the supervisor would write it."""
    return json.dumps({"marker": "fumehood lease 1", "name": os.path.basename(folder), "pid": os.getpid(),
                       "started": 1, "kept": True})


def lock(lease):
    descriptor = os.open(lease, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    HELD.append(descriptor)


def lock_to_read(lease):
    descriptor = os.open(lease, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    finally:
        os.close(descriptor)


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def replace(folder, lease):
    write("forged", forged(folder))
    os.replace("forged", lease)


def plant(folder):
    os.mkdir(folder)
    write(os.path.join(folder, "lease"), forged(folder))


def do(targets):
    tried = Attempts()
    own = targets.get("own") or os.path.dirname(os.getcwd())
    for name, folder in [("own", own), *targets["others"].items()]:
        lease = os.path.join(folder, "lease")
        tried(name + ": lock to read", lock_to_read, lease)
        tried(name + ": lock", lock, lease)
        tried(name + ": forge", write, lease, forged(folder))
        # A lease with two names is nobody's.
        tried(name + ": link", os.link, lease, "linked-" + name)
        tried(name + ": replace", replace, folder, lease)
        tried(name + ": unlink", os.unlink, lease)
        tried(name + ": move", os.rename, folder, folder[:-6] + "zz" + folder[-4:])
    tried("plant", plant, os.path.join(targets["root"], "qqqqqq"))
    # What lies in the rooms may be called as it likes.
    for room in {os.getcwd(), os.environ.get("TMPDIR", os.getcwd())}:
        write(os.path.join(room, "lease"), forged(own))
        plant(os.path.join(room, "abcdef"))
        lock(os.path.join(room, "lease"))
    if targets["wait"]:
        hold.until_released()
    return tried
"#;

/// The build that does the deed.
fn robber(targets: &Value) -> Sdist {
    let sdist = Sdist::hello("robber", "1.0");
    sdist.file("deed.py", DEED).targets(targets)
}

fn targets(world: &World<'_>, others: &[(&str, &Path)], wait: bool) -> Value {
    let others: BTreeMap<_, _> = others.iter().copied().collect();
    json!({"others": others, "root": world.cache(), "wait": wait})
}

/// Builds something and keeps its scratch.
fn keep(world: &World<'_>, name: &str) -> PathBuf {
    let before = world.scratches();
    let sdist = Sdist::hello(name, "1.0");
    let run = world.build(&sdist).args(["--keep-scratch"]);
    run.finish_anyhow().built(&sdist.wheel());
    let kept = world.scratches();
    let new = kept.into_iter().find(|scratch| !before.contains(scratch));
    new.expect("the scratch is kept")
}

fn lease(scratch: &Path) -> Vec<u8> {
    std::fs::read(scratch.join("lease")).expect("a scratch has a lease")
}

/// The harm is real: whoever is not confined does all of it.
#[test]
fn leases_can_be_robbed_by_whoever_is_not_in_a_build() {
    let world = World::new(site(), Setting::PLAIN);
    let kept = ["one", "two", "three"].map(|name| keep(&world, name));
    let mut told = targets(&world, &[("other", &kept[1]), ("kept", &kept[2])], false);
    told["own"] = json!(kept[0]);
    let deed = world.lay("d", &robber(&told));
    let python = world.python().path.clone();
    let done = Run::new(&world, python.as_os_str())
        .args(["-I", "-B"])
        .args([
            deed.join("control.py"),
            deed.clone(),
            deed.join("targets.json"),
        ])
        .directory(&world.folder("q"))
        .unconfined()
        .finish_anyhow();
    let told = done
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("deed: "));
    let told: BTreeMap<String, Value> =
        serde_json::from_str(told.expect("the deed tells")).expect("JSON");
    assert_eq!(told.len(), 3 * 7 + 1, "{done}");
    assert!(told.values().all(Value::is_null), "all of it works: {done}");
    assert!(kept.iter().all(|scratch| !scratch.exists()), "{done}");
}

#[test]
fn a_build_keeps_no_scratch_and_takes_none_whatever_it_does_to_leases() {
    for setting in [Setting::all(site()), Setting::lower(site())].concat() {
        let world = World::new(site(), setting);
        let kept = keep(&world, "kept");
        let waiting = Sdist::waiting();
        let mut living = world.build(&waiting).out("beside").start();
        let folder = living.wait_until_ready();
        let scratches = world.scratches();
        let other = scratches.iter().find(|scratch| **scratch != kept);
        let other = other.expect("the living build has a scratch").clone();
        let leases = [lease(&kept), lease(&other)];

        let others = [("other", other.as_path()), ("kept", kept.as_path())];
        let sdist = robber(&targets(&world, &others, false));
        let done = world.build(&sdist).finish_anyhow();
        done.built(&sdist.wheel());
        let is_as_before = |about: &str| {
            let mut now = world.scratches();
            now.sort();
            let mut before = vec![kept.clone(), other.clone()];
            before.sort();
            assert_eq!(now, before, "{setting}, {about}: {done}");
            assert_eq!([lease(&kept), lease(&other)], leases, "{setting}, {about}");
        };
        is_as_before("after the build");
        assert!(!world.cache().join("qqqqqq").exists(), "{setting}: {done}");
        let told = search::member(&world.out().join(sdist.wheel()), "spoils.json");
        let told: BTreeMap<String, Value> = serde_json::from_slice(&told).expect("JSON");
        let done_all_the_same: Vec<_> = told.iter().filter(|(_, came)| came.is_null()).collect();
        assert!(
            done_all_the_same.is_empty(),
            "{setting}: {done_all_the_same:?}"
        );

        // The same, ended in the middle: the next run takes its scratch, and no other.
        let others = targets(&world, &others, true);
        let mut ended = world
            .build(&robber(&others).named("robber-2"))
            .grace(Duration::from_secs(10))
            .start();
        ended.wait_until_ready_beside(std::slice::from_ref(&folder));
        ended.signal(Signal::SIGKILL);
        let _ = ended.finish_anyhow();
        assert_eq!(world.scratches().len(), 3, "a kill leaves a scratch");
        let next = Sdist::hello("next", "1.0");
        world.build(&next).finish_anyhow().built(&next.wheel());
        is_as_before("after a kill and the next run");

        release(&folder, "{}");
        living.finish_anyhow().built(&waiting.wheel());
        assert_eq!(
            world.scratches(),
            [kept],
            "the living one ends as it should"
        );
    }
}
