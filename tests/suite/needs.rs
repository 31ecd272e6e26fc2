//! What honest builds need and a strict sandbox could break; `docs/policies.md` says which policy serves it.

use tests::{Sdist, Setting, World, backends};

use crate::site;

/// A project whose backend first does what an honest build would do.
fn needing(need: &str) -> Sdist {
    let place = backends().join("needs").join(format!("{need}.py"));
    let text = std::fs::read_to_string(place).expect("a need is written down");
    Sdist::hello("needing", "1.0").prologue(&text)
}

/// Builds it under a policy in every setting.
fn is_served(need: &str, policy: &str) {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = needing(need);
        let done = world.build(&sdist).args(["--policy", policy]).finish();
        done.built(&sdist.wheel());
    }
}

/// Whether it fails under a policy, so that the table may not say less than is true.
fn is_not_served(need: &str, policy: &str) {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let done = world
            .build(&needing(need))
            .args(["--policy", policy])
            .finish();
        done.fails_with(model::Code::Backend);
    }
}

#[test]
fn what_a_build_asks_of_the_system_is_answered_by_every_policy() {
    is_served("asks_the_system", "pure");
}

#[test]
fn processes_and_their_pipes_work_under_every_policy() {
    is_served("starts_processes", "pure");
}

#[test]
fn compilers_make_and_their_like_work_under_the_default_policy_and_not_under_pure() {
    is_served("compiles", "strict");
    is_not_served("compiles", "pure");
}

#[test]
fn pools_and_locks_between_processes_work_under_native() {
    is_served("shares_memory", "native");
}

#[test]
fn facts_about_the_processor_are_there_under_native_and_not_by_default() {
    is_served("reads_the_processor", "native");
    is_not_served("reads_the_processor", "strict");
}
