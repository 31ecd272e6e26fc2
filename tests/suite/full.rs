//! A disk that is full: at whatever step that comes, the run says so, nothing half-written is to be seen, and with
//! room the same build succeeds.

use std::collections::BTreeSet;

use model::Code;
use serde_json::Value;
use tests::{Sdist, Setting, Wheel, World};

use crate::places::ballast;
use crate::site;

/// Bytes of each thing that a run has to find room for.
const PIECE: usize = 1 << 20;

/// A project whose source, build requirement, environment, tree and wheel take some room each.
fn large(world: &World<'_>) -> Sdist {
    let mut base = Wheel::new("base", "1.0").file("base_ballast.bin", ballast(PIECE));
    for number in 0..10 {
        base = base.file(&format!("base_{number}.py"), "");
    }
    let mut sdist = Sdist::hello("large", "1.0")
        .file("ballast.bin", ballast(PIECE))
        .requires(&["base"])
        .hooks(
            "less = spoils\n\n\ndef spoils():\n    with open('ballast.bin', 'rb') as file:\n        \
             return {**less(), 'large/ballast.bin': file.read()}",
        );
    for number in 0..10 {
        sdist = sdist.file(&format!("file_{number}"), "");
    }
    world.index.wheel(&base).sdist(&sdist);
    sdist
}

/// What a run in a small file system said and left.
struct Told {
    code: String,
    report: Value,
    /// What it said last before it failed.
    step: String,
    left_over: Value,
    partial: String,
}

/// Runs the build in a file system of these options, checks the cache, makes room and runs the build again.
fn fill(setting: Setting, options: &str) -> Option<Told> {
    let world = World::new(site(), setting);
    let sdist = large(&world);
    let (small, seen) = (world.folder("small"), world.folder("seen"));
    let text = format!(
        "mount -t tmpfs -o {options},mode=0755 tmpfs {small} || exit 71\n\
         \"$@\" >{seen}/report 2>{seen}/said; echo $? >{seen}/code\n\
         {{ ls -A {out}; find {small}/c/staging-v1 -mindepth 1; find {small} -name lease; }} >{seen}/partial 2>/dev/null\n\
         {program} cache check --output-format json --cache-dir {small}/c >{seen}/check || exit 72\n\
         mount -o remount,size=64m,nr_inodes=10000 {small} || exit 71\n\
         exec \"$@\"",
        small = small.display(),
        seen = seen.display(),
        out = world.out().display(),
        program = world.program().display(),
    );
    let root = world.cache().display().to_string();
    let done = world
        .wheel("large==1.0")
        .without(&["--cache-dir", &root])
        .args(["--cache-dir".as_ref(), small.join("c").as_os_str()])
        .in_own_mounts(&text)
        .finish();
    if done.code == Some(71) {
        let lacking = format!("the right to mount, {setting}");
        site().unrun.note(&lacking);
        return None;
    }
    let read = |name: &str| std::fs::read_to_string(seen.join(name)).expect("it was written");
    assert_ne!(
        done.code,
        Some(72),
        "{options}: `cache check` finds damage: {} {done}",
        read("check")
    );
    done.built(&sdist.wheel());
    let json =
        |name: &str| -> Value { serde_json::from_str(&read(name)).expect("one JSON document") };
    let said = read("said");
    let mut steps = said.lines().filter_map(|line| line.strip_prefix("large: "));
    Some(Told {
        code: read("code").trim().to_owned(),
        report: json("report"),
        step: steps.next_back().unwrap_or("fetching").to_owned(),
        left_over: json("check")["left_over"].clone(),
        partial: read("partial"),
    })
}

/// Each of some small file systems is full at some step, and the run says so; returns the steps.
fn fills(setting: Setting, options: &[String]) -> Option<BTreeSet<String>> {
    let mut steps = BTreeSet::new();
    for options in options {
        let told = fill(setting, options)?;
        let failure = &told.report["failures"][0];
        assert_eq!(
            failure["code"],
            Code::DiskFull.text(),
            "{options}: {failure}"
        );
        assert_eq!(told.code, (Code::DiskFull.exit() as i32).to_string());
        let hint = failure["hint"].as_str().unwrap_or_default();
        assert!(hint.contains("make room"), "{options}: {failure}");
        assert_eq!(told.partial, "", "{options}: something unfinished is left");
        assert_eq!(told.left_over, 0, "{options}");
        steps.insert(told.step);
    }
    Some(steps)
}

#[test]
fn a_disk_without_room_is_told_at_every_step_and_room_makes_it_work() {
    let sizes = [16, 512, 1500, 2500, 3500, 4500, 5500];
    let options = sizes.map(|size| format!("size={size}k"));
    let Some(steps) = fills(Setting::PLAIN, &options) else {
        return;
    };
    // The source, the requirement, the environment, the tree, the build, the wheel's copy.
    assert!(steps.len() >= 5, "{steps:?}");
}

#[test]
fn a_disk_without_inodes_is_told_at_every_step_and_more_make_it_work() {
    let options = [10, 24, 48, 72, 104, 112, 124, 142].map(|count| format!("nr_inodes={count}"));
    let Some(steps) = fills(Setting::PLAIN, &options) else {
        return;
    };
    assert!(steps.len() >= 3, "{steps:?}");
}

#[test]
fn a_full_disk_is_told_to_everybody_at_every_level() {
    for setting in Setting::all(site()) {
        fills(setting, &["size=2500k".to_owned(), "size=4500k".to_owned()]);
    }
}

#[test]
fn a_build_is_ended_while_its_file_system_has_a_rest_for_others() {
    let world = World::new(site(), Setting::PLAIN);
    // It leaves 48 MiB, and would wait with what it took for as long as it may.
    let deed = "import os, time\n\
        def left():\n    \
            found = os.statvfs('.')\n    \
            return found.f_bavail * found.f_frsize\n\
        with open('large', 'wb') as large:\n    \
            while left() > 48 << 20:\n        \
                large.write(b'x' * (1 << 20))\n        \
                large.flush()\n\
        time.sleep(600)\n";
    let sdist = Sdist::hello("large", "1.0").prologue(deed);
    let small = world.folder("small");
    let text = format!(
        "mount -t tmpfs -o size=160m,mode=0755 tmpfs {} || exit 71\nexec \"$@\"",
        small.display()
    );
    let root = world.cache().display().to_string();
    let done = world
        .build(&sdist)
        .without(&["--cache-dir", &root])
        .args(["--cache-dir".as_ref(), small.join("c").as_os_str()])
        .in_own_mounts(&text)
        .finish_anyhow();
    if done.code == Some(71) {
        site().unrun.note("the right to mount");
        return;
    }
    let failure = done.fails_with(Code::ScratchLimit);
    assert!(failure.message.contains("less than 64 MiB left"), "{done}");
    assert!(
        failure
            .hint
            .is_some_and(|hint| hint.contains("--scratch-dir")),
        "{done}"
    );
}
