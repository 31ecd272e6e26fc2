//! Deeds of the matrix that have no file of their own, in every setting: judged from outside, each with its control.

use tests::prey::{
    Caller, Channel, Declared, Deed, DeepTree, Ground, Hidden, Locked, Programs, Tried, Untold,
};
use tests::{Namespaces, Runner, Setting, World, hostile};

use crate::site;

#[test]
fn a_build_that_is_refused_something_or_takes_the_bait_is_told_of() {
    hostile(site(), "goes_unnoticed", Untold::lay);
}

#[test]
fn whoever_calls_a_build_from_outside_gets_in_at_confined_alone() {
    hostile(site(), "lets_somebody_in", |_, _| Caller::default());
}

#[test]
fn a_build_that_forges_messages_on_every_descriptor_reaches_nobody() {
    hostile(site(), "speaks_on_descriptors", |_, _| Channel::default());
}

#[test]
fn what_a_build_would_hide_in_its_wheel_it_does_not_get() {
    hostile(site(), "hides_secrets", Hidden::lay);
}

#[test]
fn a_build_that_prints_what_it_was_given_in_confidence_tells_nobody() {
    hostile(site(), "prints_variables", |_, _| Declared::default());
}

#[test]
fn a_build_runs_no_program_of_its_user() {
    hostile(site(), "runs_programs", Programs::lay);
}

#[test]
fn a_build_of_a_checkout_plants_nothing_in_it() {
    hostile(site(), "plants_hooks", Ground::checked_out);
}

#[test]
fn a_lock_on_what_a_build_may_read_is_seen_by_everybody() {
    hostile(site(), "locks_what_it_may_read", Locked::lay);
}

#[test]
fn a_build_leaves_no_tree_that_plain_means_do_not_remove() {
    hostile(site(), "leaves_a_deep_tree", |world, _| {
        DeepTree::lay(world)
    });
}

/// Tries a deed that is no single build with the program in every setting, and once as each user with nothing.
fn holds(fixture: &str) {
    let deed = Deed::named(fixture);
    for setting in Setting::all(site()) {
        let attempt = |runner| deed.attempt(&World::new(site(), setting), &runner);
        if setting.namespaces == Namespaces::Allowed {
            let Tried {
                possible,
                harm,
                said,
                ..
            } = attempt(Runner::Control);
            assert!(!possible.is_empty(), "{fixture}: {said}");
            assert_eq!(harm, possible, "the control of {fixture}: {said}");
        }
        let Tried {
            built, harm, said, ..
        } = attempt(Runner::Own);
        assert!(built, "{fixture}, {setting}: {said}");
        assert!(harm.is_empty(), "{fixture} did {harm:?}, {setting}: {said}");
    }
}

#[test]
fn whoever_overdoes_time_files_or_output_does_not_come_to_an_own_end() {
    holds("uses_up");
}

#[test]
fn whoever_is_told_its_watchers_ends_none_of_them() {
    holds("kills_its_reaper");
}

#[test]
fn no_wheel_with_a_fault_is_handed_over() {
    holds("bad_output");
}

#[test]
fn no_archive_with_a_flaw_reaches_out_or_is_seen_by_a_build() {
    holds("flawed_archives");
}
