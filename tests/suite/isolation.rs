//! Isolation as the kernel sees it: read from `/proc` while a build runs, and compared with what is reported.

use std::collections::BTreeSet;
use std::time::Duration;

use model::Code;
use protocol::{Guarantee, Level};
use serde_json::json;
use tests::{Isolation, Namespaces, Outcome, Sdist, Setting, World, builders, processes, release};

use crate::{site, world};

fn waiting() -> Sdist {
    Sdist::fixture("waits").targets(&json!({}))
}

#[test]
fn a_running_build_has_a_filter_and_no_privileges_and_the_report_tells_its_level() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = waiting();
        let mut running = world.build(&sdist).start();
        let folder = running.wait_until_ready();
        let filters = |pid: i32| -> u32 {
            let word = processes::status(pid, "Seccomp_filters").expect("the process lives");
            word.parse().expect("a number")
        };
        let own = filters(running.pid());
        let builders = builders(running.pid(), running.family());
        assert!(
            !builders.is_empty(),
            "{setting}: no process of the build carries a filter"
        );
        for process in &builders {
            let status =
                |field: &str| processes::status(process.pid, field).expect("the build waits");
            assert_eq!(status("NoNewPrivs"), "1", "{setting}");
            assert_eq!(status("Seccomp"), "2", "{setting}");
            assert_eq!(filters(process.pid), own + 1, "{setting}");
            let mut sets = vec!["CapInh", "CapPrm", "CapEff", "CapAmb"];
            // Only who has a capability can give up the right to regain it; no_new_privs holds for the others.
            if setting.identity.uid() == 0 || setting.namespaces == Namespaces::Allowed {
                sets.push("CapBnd");
            }
            for set in sets {
                assert_eq!(status(set).trim_start_matches('0'), "", "{setting}: {set}");
            }
        }
        // The supervisor hides its own, which are those of the suite.
        let suite = i32::try_from(std::process::id()).expect("a pid fits");
        let spaces = ["user", "mnt", "pid", "ipc", "net", "uts", "cgroup"];
        let shared: BTreeSet<_> = spaces
            .into_iter()
            .filter(|kind| {
                processes::namespace(builders[0].pid, kind) == processes::namespace(suite, kind)
            })
            .collect();
        match setting.namespaces {
            // Root needs no user namespace, and would only be root in one.
            Namespaces::Allowed if setting.identity.uid() == 0 => {
                assert!(
                    shared.is_subset(&BTreeSet::from(["user"])),
                    "{setting}: shares {shared:?}"
                );
            }
            Namespaces::Allowed => assert!(shared.is_empty(), "{setting}: shares {shared:?}"),
            Namespaces::Denied => assert_eq!(shared.len(), spaces.len(), "{setting}"),
        }
        release(&folder, "{}");
        let done = running.finish();
        let isolation = done
            .built(&sdist.wheel())
            .isolation
            .expect("a built wheel tells its isolation");
        assert_eq!(isolation.level, setting.level().word(), "{done}");
        assert_eq!(
            u64::from(isolation.landlock_abi),
            world.python().landlock(),
            "{done}"
        );
        holds(&isolation, setting, &done);
    }
}

/// The vector of guarantees of a build at the level of a setting.
fn holds(isolation: &Isolation, setting: Setting, done: &Outcome<'_, '_>) {
    let named: BTreeSet<_> = isolation.guarantees.keys().map(String::as_str).collect();
    assert_eq!(named, Guarantee::ALL.map(Guarantee::word).into(), "{done}");
    for guarantee in [
        "fs-read",
        "fs-write",
        "metadata",
        "ip-net",
        "signals",
        "ptrace",
        "orphan-kill",
    ] {
        assert_eq!(
            isolation.guarantees[guarantee], "enforced",
            "{guarantee}: {done}"
        );
    }
    // Without a network namespace an outsider may still call in.
    let unix = if setting.level() == Level::Ns {
        "enforced"
    } else {
        "partial"
    };
    assert_eq!(isolation.guarantees["unix-net"], unix, "{done}");
}

#[test]
fn a_build_holds_no_descriptor_but_its_own_pipes_and_has_no_terminal() {
    let world = world();
    let mut running = world.build(&waiting()).start();
    let folder = running.wait_until_ready();
    for process in builders(running.pid(), running.family()) {
        let entries =
            std::fs::read_dir(format!("/proc/{}/fd", process.pid)).expect("the build waits");
        for entry in entries.flatten() {
            let target = std::fs::read_link(entry.path())
                .expect("the build waits")
                .display()
                .to_string();
            let name = entry.file_name();
            // Calls come in on 0 and answers go out on 3, until a hook's own process closes both.
            let own = target.starts_with("socket:") && (name == "0" || name == "3");
            // The file by which it says that it waits may still be open.
            let harmless = own
                || target.ends_with("/ready")
                || target.starts_with("pipe:")
                || target == "/dev/null"
                || target.starts_with("/dev/urandom");
            assert!(harmless, "descriptor {:?} is {target}", entry.file_name());
        }
        let text = std::fs::read_to_string(format!("/proc/{}/stat", process.pid))
            .expect("the build waits");
        let fields: Vec<_> = text
            .rsplit_once(')')
            .expect("proc(5)")
            .1
            .split_whitespace()
            .collect();
        assert_eq!(fields[4], "0", "the build has a controlling terminal");
    }
    release(&folder, "{}");
    running.finish().succeeds();
}

#[test]
fn the_isolation_that_is_asked_for_is_there_or_nothing_is_built() {
    let world = World::new(site(), Setting::DENIED);
    let sdist = Sdist::hello("careful", "1.0");
    let done = world.build(&sdist).args(["--min-isolation", "ns"]).finish();
    let failure = done.fails_with(Code::Isolation);
    assert!(
        failure
            .hint
            .is_some_and(|hint| hint.contains("--min-isolation")),
        "{done}"
    );
    world
        .build(&sdist)
        .args(["--min-isolation", "confined"])
        .finish()
        .built(&sdist.wheel());
}

#[test]
fn a_guarantee_that_is_demanded_is_enforced_or_nothing_is_built() {
    let world = World::new(site(), Setting::DENIED);
    let sdist = Sdist::hello("careful", "1.0");
    let done = world
        .build(&sdist)
        .args(["--require", "proc-view", "--require", "memory"])
        .finish();
    let built = done.code == Some(0);
    if built {
        let guarantees = done
            .built(&sdist.wheel())
            .isolation
            .expect("a built wheel tells its isolation")
            .guarantees;
        assert_eq!(
            (
                guarantees["proc-view"].as_str(),
                guarantees["memory"].as_str()
            ),
            ("enforced", "enforced"),
            "{done}"
        );
    } else {
        done.fails_with(Code::Isolation);
    }
    let sdist = Sdist::hello("writer", "1.0");
    let done = world.build(&sdist).args(["--require", "fs-write"]).finish();
    assert_eq!(
        done.built(&sdist.wheel())
            .isolation
            .expect("it was built")
            .guarantees["fs-write"],
        "enforced"
    );
    world
        .build(&sdist)
        .args(["--require", "luck"])
        .finish_anyhow()
        .exits_with(Code::BadFlag);
}

#[test]
fn a_wheel_of_a_lower_level_is_not_served_where_a_higher_one_is_asked_for() {
    let settings = Setting::all(site());
    let (Some(high), Some(low)) = (
        settings.iter().find(|setting| setting.level() == Level::Ns),
        settings
            .iter()
            .find(|setting| setting.level() == Level::Confined),
    ) else {
        site().unrun.note("both levels on one host");
        return;
    };
    assert_eq!(high.identity, low.identity);
    let mut world = World::new(site(), *low);
    let sdist = Sdist::hello("careful", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    world.build(&sdist).finish().cached(&sdist.wheel());
    world.setting = *high;
    let done = world.build(&sdist).args(["--min-isolation", "ns"]).finish();
    let wheel = done.built(&sdist.wheel());
    assert_eq!(wheel.isolation.expect("it was built").level, "ns", "{done}");
    world.setting = *low;
    let wheel = world.build(&sdist).finish().cached(&sdist.wheel());
    assert_eq!(
        wheel.isolation.expect("it was built").level,
        "ns",
        "a cached wheel tells how it was built"
    );
}

#[test]
fn what_a_build_was_refused_stands_in_the_report() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let knock = "import socket\ntry:\n    socket.create_connection(('192.0.2.4', 443), 2)\nexcept OSError as error:\n    print(error)";
        let sdist = Sdist::hello("curious", "1.0").prologue(knock);
        let done = world.build(&sdist).grace(Duration::from_secs(2)).finish();
        let wheel = done.built(&sdist.wheel());
        assert!(!wheel.denials.is_empty(), "{done}");
        assert!(
            wheel
                .denials
                .iter()
                .all(|denial| denial.count > 0 && !denial.what.is_empty()),
            "{done}"
        );
    }
}
