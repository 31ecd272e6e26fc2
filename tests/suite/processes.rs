//! Processes: a build can not read, signal or tune others, leaves none behind, and wins no namespace.

use crate::site;
use tests::hostile;
use tests::prey::{Daemons, Keeper, Namespaces, Tuned, Victims};

#[test]
fn a_build_that_reads_other_processes_learns_nothing() {
    hostile(site(), "reads_processes", Keeper::lay);
}

#[test]
fn a_build_that_signals_other_processes_hits_nobody() {
    hostile(site(), "signals_processes", Victims::lay);
}

#[test]
fn a_build_that_tunes_other_processes_changes_none() {
    hostile(site(), "tunes_processes", Tuned::lay);
}

#[test]
fn a_build_that_leaves_daemons_leaves_none() {
    hostile(site(), "leaves_daemons", |_, _| Daemons);
}

#[test]
fn a_build_that_makes_user_namespaces_wins_neither_namespace_nor_capability() {
    if !site()
        .python(tests::Identity::Caller)
        .can("user namespaces")
    {
        site().unrun.note("user namespaces for the control");
        return;
    }
    hostile(site(), "makes_namespaces", |_, _| Namespaces::default());
}
