//! What wheels say of themselves that were not built here: read out of each once, and kept beside it.

use std::fs;
use std::path::{Path, PathBuf};

use model::Code;
use serde_json::Value;
use tests::search::sha256;
use tests::trace::{self, Call};
use tests::{Offer, Outcome, Run, Wheel, World, forged};

use crate::freshness::files;
use crate::wheel_files::{lay, top};
use crate::world;

/// Prepares `fumehood metadata SPEC` with a JSON answer.
fn metadata<'w, 's>(world: &'w World<'s>, spec: &str) -> Run<'w, 's> {
    world.run(["metadata", spec]).places().report()
}

#[track_caller]
fn required(done: &Outcome<'_, '_>) -> Value {
    let said: Value = serde_json::from_str(&done.succeeds().stdout).expect("JSON");
    said["requires_dist"][0].clone()
}

/// Offers a wheel whose metadata stands in it alone.
fn offer(world: &World<'_>, project: &str, wheel: &Wheel) {
    let offer = Offer::new(project, &wheel.filename(), wheel.pack());
    world.index.offer(offer);
}

/// Runs under a trace; returns what it did, and the downloaded wheels that it opened.
fn traced<'w, 's>(world: &World<'_>, run: Run<'w, 's>) -> (Outcome<'w, 's>, Vec<PathBuf>) {
    let log = world.folder("work").join("calls");
    let done = run.traced(&log, "openat,open").finish();
    let calls = trace::calls(&log);
    let named = calls.iter().flat_map(|call| call.paths(Path::new("/")));
    let returned = calls.iter().filter_map(Call::returned);
    let mut opened: Vec<_> = named.chain(returned).collect();
    assert!(
        opened.iter().any(|path| path.starts_with(world.cache())),
        "the trace shows what is opened: {done}"
    );
    opened.retain(|path| {
        let is_download = path.iter().any(|part| part == "downloads-v1");
        is_download && path.extension().is_none() && path.is_file()
    });
    (done, opened)
}

/// The record beside a wheel, and the wheel, in the cache.
fn kept(root: &Path, wheel: &Wheel) -> (PathBuf, PathBuf) {
    let digest = sha256(&wheel.pack());
    let blob = root.join("downloads-v1").join(&digest[..2]).join(&digest);
    (blob.with_extension("json"), blob)
}

/// The three ways to a wheel: an index that has nothing beside it, a URL, a path.
fn ways(world: &World<'_>) -> [(String, Wheel); 3] {
    let (indexed, linked, local) = (
        top(),
        Wheel::new("linked", "1.0").header("Requires-Dist: base"),
        Wheel::new("local", "1.0").header("Requires-Dist: base"),
    );
    offer(world, "top", &indexed);
    offer(world, "x", &linked);
    offer(world, "base", &Wheel::new("base", "1.0"));
    let url = world.index.file_url(&linked.filename());
    let path = format!("./{}", lay(world, &local));
    [("top".to_owned(), indexed), (url, linked), (path, local)]
}

#[test]
fn what_a_wheel_says_is_read_out_of_it_once_and_goes_with_it() {
    let world = world();
    if !world.traces_paths() {
        return;
    }
    let none = Vec::<PathBuf>::new();
    for (spec, wheel) in ways(&world) {
        let ask = || metadata(&world, &spec);
        let plan = || world.run(["wheel", &spec, "--dry-run"]).places().report();
        plan().finish().succeeds();
        let (record, _) = kept(&world.cache(), &wheel);
        assert!(record.is_file(), "{spec}");
        for run in [ask(), plan()] {
            let (done, opened) = traced(&world, run);
            done.succeeds();
            assert_eq!(opened, none, "{spec}: {done}");
        }
        let root = world.cache();
        let check = || world.run(["cache", "check"]).flag("--cache-dir", &root);
        let damages: [&dyn Fn(); 4] = [
            &|| forged::reword(&root, &record, "\"base\"", "\"no requirement!\""),
            &|| forged::reword(&root, &record, "wheel-metadata/1", "wheel-metadata/9"),
            &|| {
                let text = fs::read_to_string(&record).expect("an own file");
                fs::write(&record, text.replace("base", "leaf")).expect("an own file");
            },
            &|| fs::write(&record, "{").expect("an own file"),
        ];
        for (number, damage) in damages.into_iter().enumerate() {
            damage();
            let told = check().finish_anyhow();
            told.exits_with(Code::CacheDamaged);
            assert!(told.stdout.contains(" 1 damaged"), "{number}: {told}");
            let (done, opened) = traced(&world, ask());
            assert_eq!(required(&done), "base", "{number}: {done}");
            assert!(!done.stderr.contains("warning"), "{number}: {done}");
            assert_ne!(opened, none, "{number}: {done}");
            check().finish().succeeds();
        }
        // Only who reads the record and not the wheel says what is not in the wheel.
        forged::reword(&root, &record, "\"base\"", "\"leaf\"");
        let (done, opened) = traced(&world, ask());
        assert_eq!((required(&done), opened), ("leaf".into(), none.clone()));
    }
    // Under another name the same bytes say what they are, and not what is kept of them.
    let (_, wheel) = &ways(&world)[2];
    let liar = world.file("work/w/liar-1.0-py3-none-any.whl", wheel.pack());
    let refused = metadata(&world, &liar.display().to_string()).finish();
    refused.says(Code::BadWheel);
}

#[test]
fn what_is_kept_of_a_wheel_is_removed_with_it_and_read_in_a_cache_below() {
    let world = world();
    if !world.traces_paths() {
        return;
    }
    let cache = |words: &[&str]| {
        let run = world.run(["cache"]).args(words);
        run.flag("--cache-dir", world.cache()).finish().succeeds();
    };
    let all = |world: &World<'_>| files(&world.cache().join("downloads-v1")).len();
    let ways = ways(&world);
    let specs: Vec<_> = ways.iter().map(|(spec, _)| spec.as_str()).collect();
    let bring = || {
        let run = world.run(["wheel"]).args(&specs).places().report();
        run.finish().succeeds();
    };
    bring();
    assert_eq!(all(&world), 8, "four wheels, four records");
    for (words, left) in [
        (&["clean", "local"][..], 6),
        (&["prune"], 6),
        (&["prune", "--ci"], 0),
    ] {
        cache(words);
        assert_eq!(all(&world), left, "{words:?}");
    }
    bring();
    cache(&["clean", "--downloads"]);
    assert_eq!(all(&world), 0);
    bring();
    let (record, blob) = kept(&world.cache(), &ways[0].1);
    fs::remove_file(&blob).expect("an own file");
    cache(&["check"]);
    cache(&["prune"]);
    assert!(!record.exists(), "its wheel is not there");
    bring();
    let lower = world.move_cache("lower");
    for (spec, wheel) in &ways {
        let run = metadata(&world, spec).flag("--cache-readonly", &lower);
        let (done, opened) = traced(&world, run);
        assert_eq!(required(&done), "base", "{done}");
        assert_eq!(opened, Vec::<PathBuf>::new(), "{done}");
        assert!(!kept(&world.cache(), wheel).0.exists(), "{done}");
    }
}
