//! What the cache lists, removes, checks and repairs: with reasons, beside running work, never what is in use.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use model::Code;
use serde_json::{Value, json};
use tests::{Outcome, Sdist, Setting, World};

use crate::{site, world};

/// Runs `fumehood cache WORDS` on the world's cache.
fn cache<'world>(world: &'world World<'static>, words: &[&str]) -> Outcome<'world, 'static> {
    world
        .run(["cache"])
        .args(words)
        .args(["--cache-dir".as_ref(), world.cache().as_os_str()])
        .finish_anyhow()
}

/// The same, with the JSON answer.
fn answer(world: &World<'static>, words: &[&str]) -> Value {
    let words = [words, &["--output-format", "json"]].concat();
    let done = cache(world, &words);
    done.succeeds();
    serde_json::from_str(&done.stdout).expect("the answer is JSON")
}

/// How many entries of a kind the cache lists.
fn count(world: &World<'static>, kind: &str) -> usize {
    let listed = answer(world, &["list"]);
    let entries = listed["entries"].as_array().expect("entries");
    entries.iter().filter(|entry| entry["kind"] == kind).count()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn pruning_for_ci_keeps_every_built_wheel_and_only_the_source_is_fetched_for_another() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    world.index.sdist(&sdist);
    let source = format!("/files/{}", sdist.filename("tar.gz"));
    let build = |setting: &str| world.wheel("thing==1.0").args(["-C", setting]).finish();
    let first = build("a=1").built(&sdist.wheel());
    build("a=2").built(&sdist.wheel());
    let done = cache(&world, &["prune", "--ci", "--dry-run"]);
    done.succeeds();
    assert!(
        done.stdout.contains("it can be fetched again"),
        "each line has its reason: {done}"
    );
    assert_eq!(count(&world, "source"), 1, "a dry run removes nothing");
    let done = answer(&world, &["prune", "--ci"]);
    assert!(done["bytes"].as_u64() > Some(0), "{done}");
    assert_eq!((count(&world, "source"), count(&world, "built")), (0, 2));
    assert_eq!(count(&world, "environment"), 0);
    let fetched = world.index.requests(&source);
    assert_eq!(build("a=1").cached(&sdist.wheel()).sha256, first.sha256);
    build("a=2").cached(&sdist.wheel());
    assert_eq!(world.index.requests(&source), fetched);
    build("a=3").built(&sdist.wheel());
    assert_eq!(world.index.requests(&source), fetched + 1);
    // The trap that another tool fell into: a heal after --ci, then a plain prune.
    cache(&world, &["prune"]).succeeds();
    assert_eq!((count(&world, "source"), count(&world, "built")), (1, 3));
    for setting in ["a=1", "a=2", "a=3"] {
        build(setting).cached(&sdist.wheel());
    }
}

#[test]
fn removal_runs_beside_a_build_and_takes_nothing_that_it_uses() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let other = Sdist::hello("other", "1.0");
        world.build(&other).finish().built(&other.wheel());
        let sdist = Sdist::waiting();
        let mut running = world.build(&sdist).start();
        let folder = running.wait_until_ready();
        let before = files(&world.cache().join("environments-v1"));
        let done = cache(&world, &["clean"]);
        done.succeeds();
        assert!(done.stderr.contains("is in use and stays"), "{done}");
        assert!(!before.is_empty(), "the build stands in an environment");
        assert_eq!(
            files(&world.cache().join("environments-v1")),
            before,
            "{done}"
        );
        assert_eq!(files(&world.cache().join("sources-v1")).len(), 1, "{done}");
        assert!(files(&world.cache().join("wheels-v1")).is_empty(), "{done}");
        tests::release(&folder, "{}");
        running.finish().built(&sdist.wheel());
        cache(&world, &["check"]).succeeds();
    }
}

#[test]
fn a_source_that_was_replaced_goes_with_its_wheels_and_the_present_one_stays() {
    let world = world();
    let old = Sdist::hello("tree", "1.0");
    let tree = world.lay("tree", &old);
    let build = || world.wheel(&tree).finish();
    build().built(&old.wheel());
    fs::write(tree.join("more.txt"), "more").expect("a file of the tree");
    build().built(&old.wheel());
    assert_eq!(count(&world, "built"), 2);
    cache(&world, &["prune"]).succeeds();
    assert_eq!((count(&world, "built"), count(&world, "source")), (1, 1));
    build().cached(&old.wheel());
}

#[test]
fn cleaning_a_project_leaves_the_others_and_kinds_can_be_named() {
    let world = world();
    let (one, two) = (Sdist::hello("one", "1.0"), Sdist::hello("two", "1.0"));
    world.index.sdist(&one).sdist(&two);
    let specs = ["one", "two"];
    world.wheels(specs).finish().succeeds();
    let done = cache(&world, &["clean", "one", "--dry-run"]);
    done.succeeds();
    assert!(done.stdout.contains("it belongs to one"), "{done}");
    assert!(!done.stdout.contains("belongs to two"), "{done}");
    cache(&world, &["clean", "one"]).succeeds();
    assert_eq!((count(&world, "built"), count(&world, "source")), (1, 1));
    world.wheel("two").finish().cached(&two.wheel());
    world.wheel("one").finish().built(&one.wheel());
    cache(&world, &["clean", "--built"]).succeeds();
    assert_eq!((count(&world, "built"), count(&world, "source")), (0, 2));
    cache(&world, &["clean", "--sources", "--environments"]).succeeds();
    assert_eq!(
        (count(&world, "environment"), count(&world, "source")),
        (0, 0)
    );
    world.wheels(specs).finish().succeeds();
    cache(&world, &["clean"]).succeeds();
    let kept = answer(&world, &["list"]);
    assert_eq!(kept["entries"], json!([]), "{kept}");
    cache(&world, &["clean", "not a name"]).exits_with(Code::BadFlag);
}

#[test]
fn age_and_size_remove_what_was_used_least_recently() {
    let world = world();
    let (one, two) = (Sdist::hello("one", "1.0"), Sdist::hello("two", "1.0"));
    world.index.sdist(&one).sdist(&two);
    world.wheels(["one", "two"]).finish().succeeds();
    let month = SystemTime::now() - Duration::from_secs(40 * 86_400);
    for path in files(&world.cache().join("wheels-v1/one")) {
        let file = fs::File::open(path).expect("a file of a wheel");
        file.set_modified(month).expect("the time of an own file");
    }
    let done = cache(&world, &["prune", "--older-than", "30d", "--dry-run"]);
    assert!(done.stdout.contains("not used for 30 days"), "{done}");
    cache(&world, &["prune", "--older-than", "30d"]).succeeds();
    world.wheel("two").finish().cached(&two.wheel());
    assert_eq!((count(&world, "built"), count(&world, "source")), (1, 2));
    cache(&world, &["prune", "--max-size", "1"]).succeeds();
    assert_eq!((count(&world, "built"), count(&world, "source")), (0, 0));
    cache(&world, &["prune", "--max-size", "much"]).exits_with(Code::BadFlag);
}

#[test]
fn damage_is_found_with_exit_4_repaired_and_healed_while_wheels_stay() {
    let world = world();
    let (one, two) = (Sdist::hello("one", "1.0"), Sdist::hello("two", "1.0"));
    world.index.sdist(&one).sdist(&two);
    world.wheels(["one", "two"]).finish().succeeds();
    cache(&world, &["check"]).succeeds();
    let spoil = |path: &Path| fs::write(path, b"spoilt").expect("a file of the cache");
    for path in files(&world.cache().join("sources-v1")) {
        spoil(&path);
    }
    let wheel = files(&world.cache().join("wheels-v1/one"))
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "whl"));
    spoil(&wheel.expect("a wheel of one"));
    spoil(&files(&world.cache().join("pointers-v1"))[0]);
    let done = cache(&world, &["check"]);
    done.exits_with(Code::CacheDamaged);
    assert_eq!(done.stdout.matches("damaged: ").count(), 4, "{done}");
    cache(&world, &["check"]).exits_with(Code::CacheDamaged);
    let done = cache(&world, &["check", "--repair"]);
    done.succeeds();
    assert_eq!(done.stdout.matches("mended: ").count(), 4, "{done}");
    cache(&world, &["check"]).succeeds();
    world.wheel("two").finish().cached(&two.wheel());
    world.wheel("one").finish().built(&one.wheel());
    cache(&world, &["check"]).succeeds();
}

#[test]
fn what_is_a_persons_own_survives_every_command() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    let root = world.cache();
    let outside = world.file("outside/file", "mine");
    let mine = [root.join("thesis/lease"), root.join("wheels-v1/notes.txt")];
    fs::create_dir(root.join("thesis")).expect("a folder");
    for path in &mine {
        fs::write(path, "mine").expect("a file");
    }
    symlink(
        outside.parent().expect("a folder"),
        root.join("sources-v1/zz"),
    )
    .expect("a link");
    for words in [
        &["prune"][..],
        &["prune", "--ci", "--older-than", "1s", "--max-size", "1"],
        &["check", "--repair"],
        &["clean"],
        &["prune", "--ci", "--older-than", "1s", "--force"],
        &["clean", "--force"],
    ] {
        let done = cache(&world, words);
        for path in mine.iter().chain([&outside]) {
            assert!(path.exists(), "{} is gone: {done}", path.display());
        }
    }
    // The person's folder has a name as scratches have.
    let again = world.build(&sdist).finish_anyhow();
    again.built(&sdist.wheel());
}

#[test]
fn a_tree_that_can_not_be_read_is_no_obstacle() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("thing", "1.0");
        world.build(&sdist).finish().built(&sdist.wheel());
        let environments = fs::read_dir(world.cache().join("environments-v1"));
        for entry in environments.expect("environments").flatten() {
            let shut = fs::Permissions::from_mode(0o000);
            fs::set_permissions(entry.path().join("env/lib"), shut).expect("an own folder");
        }
        for words in [&["size"][..], &["list"], &["prune", "--ci"], &["clean"]] {
            cache(&world, words).succeeds();
        }
        assert!(files(&world.cache().join("environments-v1")).is_empty());
    }
}

#[test]
fn a_kept_scratch_and_a_log_go_by_themselves_when_they_are_old() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    let run = world.build(&sdist).args(["--keep-scratch"]);
    run.finish_anyhow().built(&sdist.wheel());
    let kept = world.scratches();
    assert_eq!(kept.len(), 1, "the scratch is kept");
    let again = || cache(&world, &["prune"]);
    again().succeeds();
    assert!(kept[0].exists(), "a young one stays");
    let old = SystemTime::now() - Duration::from_secs(8 * 86_400);
    let folder = fs::File::open(&kept[0]).expect("the scratch");
    folder.set_modified(old).expect("the time of an own folder");
    let other = Sdist::hello("other", "1.0");
    world.build(&other).finish().built(&other.wheel());
    assert!(!kept[0].exists(), "an old one goes with the next run");
}

#[test]
fn commands_on_a_cache_that_is_not_there_create_nothing() {
    let world = world();
    for words in [&["list"][..], &["clean"], &["prune", "--ci"], &["check"]] {
        cache(&world, words).succeeds();
        assert!(!world.cache().exists(), "{words:?} made a cache");
    }
}
