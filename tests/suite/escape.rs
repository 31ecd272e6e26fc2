//! Files: what a build can not read, write or change. Each promise is tested in every setting, with its control.

use crate::site;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tests::decoy::{State, changed_at, changes, states};
use tests::prey::{Ground, Secrets, SetId, Variables};
use tests::{Sdist, Setting, World, hostile};

#[test]
fn a_build_that_reads_the_ssh_key_gets_nothing() {
    hostile(site(), "reads_secrets", Secrets::lay);
}

#[test]
fn a_build_does_not_see_the_variables_of_whoever_started_it() {
    hostile(site(), "reads_environment", |_, _| Variables::default());
}

#[test]
fn a_build_that_writes_outside_its_scratch_changes_nothing() {
    hostile(site(), "writes_outside", Ground::to_be_written);
}

#[test]
fn a_build_that_changes_modes_times_and_attributes_outside_changes_nothing() {
    hostile(site(), "changes_metadata", Ground::to_be_marked);
}

#[test]
fn a_build_can_not_make_a_set_user_id_file_even_in_its_own_folder() {
    hostile(site(), "makes_set_id_files", |_, _| SetId::default());
}

#[test]
fn a_build_that_changes_the_shared_environment_and_cache_changes_nothing() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.wheel(&tests::Wheel::new("shared", "1.0"));
        let honest = Sdist::hello("honest", "1.0").requires(&["shared"]);
        world.build(&honest).finish().built(&honest.wheel());
        let cache = world.cache();
        let copied = world.folder("copy");
        copy(&world, &cache, &copied);

        // The control works on a copy of the whole cache.
        let before = states(&copied);
        let deed = world.lay(
            "d",
            &Sdist::fixture("changes_shared_files").targets(&json!({"roots": [copied]})),
        );
        let control = tests::Run::new(&world, world.python().path.as_os_str())
            .args(["-I", "-B"])
            .args([
                deed.join("control.py"),
                deed.clone(),
                deed.join("targets.json"),
            ])
            .directory(&world.folder("r"))
            .unconfined()
            .finish_anyhow();
        let changed = changes(&before, &states(&copied));
        assert!(
            changed.len() >= before.len(),
            "the control must change everything: {control}"
        );

        let before = without_use(states(&cache));
        let touched = times_of_change(&before);
        let targets = json!({"roots": [cache, Value::Null]});
        let deed = Sdist::fixture("changes_shared_files")
            .requires(&["shared"])
            .targets(&targets);
        let done = world.build(&deed).finish();
        done.built(&deed.wheel());
        let after: BTreeMap<_, _> = without_use(states(&cache))
            .into_iter()
            .filter(|(path, _)| before.contains_key(path))
            .collect();
        let kept = |path: &&PathBuf| path.starts_with(cache.join("environments-v1"));
        let environment = |states: &BTreeMap<PathBuf, State>| -> BTreeMap<PathBuf, State> {
            states
                .iter()
                .filter(|(path, _)| kept(path))
                .map(|(path, state)| (path.clone(), state.clone()))
                .collect()
        };
        assert!(
            !environment(&before).is_empty(),
            "the honest build left an environment: {done}"
        );
        let changed = changes(&environment(&before), &environment(&after));
        assert!(
            changed.is_empty(),
            "the shared environment changed: {changed:#?}{done}"
        );
        let changed = changes(&before, &after);
        let changed: Vec<_> = changed
            .iter()
            .filter(|change| !is_bookkeeping(change))
            .collect();
        assert!(changed.is_empty(), "the cache changed: {changed:#?}{done}");
        // An owner that is set to what it is leaves nothing else.
        assert_eq!(times_of_change(&before), touched, "{done}");
    }
}

/// The supervisor marks what it used by its time: the blob, or the record of an environment or wheel.
fn is_marked(path: &Path) -> bool {
    let path = path.to_string_lossy();
    let is_blob = path.contains("/sources-v1/") || path.contains("/downloads-v1/");
    let is_record = path.ends_with("/environment.json") || path.ends_with("/record.json");
    (is_blob || is_record) && !path.contains("/env/")
}

/// When the files that nobody uses or rewrites changed last, in whatever way.
fn times_of_change(states: &BTreeMap<PathBuf, State>) -> BTreeMap<PathBuf, Option<(i64, i64)>> {
    let kept = |path: &&PathBuf| {
        let named = path.to_string_lossy();
        let is_rewritten = named.contains("/locks-v1/") || named.contains("/simple-v1/");
        path.is_file() && !is_marked(path) && !is_rewritten
    };
    let files = states.keys().filter(kept);
    files.map(|path| (path.clone(), changed_at(path))).collect()
}

fn without_use(states: BTreeMap<PathBuf, State>) -> BTreeMap<PathBuf, State> {
    states
        .into_iter()
        .map(|(path, state)| {
            let state = match is_marked(&path) {
                true => state.at_any_time(),
                false => state,
            };
            (path, state)
        })
        .collect()
}

/// Folders get new entries, and the supervisor rewrites its own pages and locks; what has content by name stays.
fn is_bookkeeping(change: &str) -> bool {
    let directory = change.contains("content: \"FileType");
    directory || change.contains("/locks-v1/") || change.contains("/simple-v1/")
}

/// Copies a tree with modes, for the same user.
fn copy(world: &World<'_>, from: &Path, to: &Path) {
    for (path, _) in states(from) {
        let name = path.strip_prefix(from).expect("below the tree");
        let target = to.join(name);
        let kind = std::fs::symlink_metadata(&path)
            .expect("the tree stands still")
            .file_type();
        if kind.is_dir() {
            std::fs::create_dir_all(&target).expect("a copy can be made");
        } else if kind.is_file() {
            std::fs::create_dir_all(target.parent().expect("below the copy"))
                .expect("a copy can be made");
            std::fs::copy(&path, &target).expect("a copy can be made");
        } else {
            continue;
        }
        world.give(&target);
    }
}
