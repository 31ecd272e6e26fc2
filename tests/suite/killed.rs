//! The supervisor is killed at chosen system calls: nothing is damaged, no process is left, and the next run sweeps
//! and succeeds. Hundreds of such kills: `tests/suite/killpoints`.

use tests::killpoint::{Ended, Scenario, add_steps, one_round, trace};
use tests::{Setting, World};

use crate::site;

/// Traces a good run and kills another at each of some steps, entering and leaving the call in turn.
fn killed_at(setting: Setting, scenario: Scenario, names: &[&str]) {
    // The program hides its memory and descriptors from its own user.
    if nix::unistd::geteuid().as_raw() != 0 {
        site()
            .unrun
            .note("the right to look into the program: root");
        return;
    }
    let mut steps = Vec::new();
    let calls = trace(&World::new(site(), setting), scenario);
    add_steps(&mut steps, scenario, &calls);
    for (turn, name) in names.iter().enumerate() {
        let step = steps.iter().find(|step| step.name == *name);
        let step = step.unwrap_or_else(|| panic!("no step `{name}` in {steps:#?}"));
        let (_, mut target) = step.targets.last().expect("a step has a call").clone();
        target.leaving = turn % 2 == 1;
        let mut world = World::new(site(), setting);
        world.about = format!("{name}: {target:?}");
        let ended = one_round(&world, scenario, &target);
        assert!(
            matches!(ended, Ended::Killed(_)),
            "{name}: {target:?} was not reached"
        );
    }
}

#[test]
fn a_kill_while_a_source_is_fetched_and_described_is_survived() {
    let names = [
        "mark: rename",
        "scratch: rename",
        "source: rename",
        "pointer: rename",
        "revision record: write",
        "download: sync",
    ];
    killed_at(Setting::PLAIN, Scenario::Index, &names);
}

#[test]
fn a_kill_while_a_wheel_is_made_and_delivered_is_survived() {
    let names = [
        "environment: sync",
        "environment: rename",
        "wheel: write",
        "wheel: rename",
        "wheel's key: rename",
        "delivery: link",
    ];
    killed_at(Setting::DENIED, Scenario::Index, &names);
}

#[test]
fn a_kill_while_a_folder_or_a_commit_is_packed_is_survived() {
    killed_at(
        Setting::PLAIN,
        Scenario::Directory,
        &["source: write", "source: rename"],
    );
    killed_at(
        Setting::PLAIN,
        Scenario::Git,
        &["source: sync", "pointer: rename"],
    );
}

#[test]
fn a_kill_while_something_comes_from_a_url_is_survived() {
    killed_at(
        Setting::PLAIN,
        Scenario::Url,
        &["source: rename", "pointer: rename"],
    );
    killed_at(
        Setting::DENIED,
        Scenario::WheelUrl,
        &["download: write", "pointer: write"],
    );
}

#[test]
fn a_kill_while_sources_and_what_they_need_are_fetched_is_survived() {
    let names = [
        "source: sync",
        "revision record: rename",
        "download: rename",
    ];
    killed_at(Setting::PLAIN, Scenario::Fetch, &names);
}

#[test]
fn a_kill_above_a_lower_cache_is_survived_and_leaves_that_one_alone() {
    let names = ["source: rename", "wheel: rename", "wheel's key: write"];
    killed_at(Setting::DENIED, Scenario::Lower, &names);
}

#[test]
fn a_kill_while_an_older_wheel_is_replaced_is_survived() {
    killed_at(Setting::PLAIN, Scenario::Again, &["delivery: rename"]);
}

#[test]
fn a_kill_while_entries_are_removed_is_survived() {
    killed_at(
        Setting::PLAIN,
        Scenario::Prune,
        &["removal of environment: move out"],
    );
    let names = ["wheel's key: remove", "removal of wheel: remove"];
    killed_at(Setting::PLAIN, Scenario::Clean, &names);
}

#[test]
fn a_kill_of_an_unprivileged_run_is_survived() {
    let unprivileged = |setting: &Setting| setting.identity.uid() != 0;
    if let Some(setting) = Setting::all(site()).into_iter().find(unprivileged) {
        killed_at(setting, Scenario::Directory, &["wheel's key: rename"]);
    }
}
