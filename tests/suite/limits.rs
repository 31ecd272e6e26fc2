//! Limits: a build that uses one thing up is ended with exit code 6 and words for it, while another
//! build runs beside it and ends well.

use std::path::PathBuf;

use model::Code;
use nix::sys::signal::Signal;
use serde_json::json;
use tests::processes;
use tests::{Excess, Identity, Namespaces, Sdist, Setting, World, builders, release};

use crate::{site, world};

const COUNTED: &str = Excess::COUNTED;
const SAID: &str = "own error";
const SIGNAL: &str = "signal";
const CLOCK: &str = "by the clock";

/// Two settings that differ in everything: as whom, at which level.
fn two() -> Vec<Setting> {
    let all = Setting::all(site());
    let wanted = |setting: &Setting| {
        (setting.identity == Identity::Caller) == (setting.namespaces == Namespaces::Allowed)
    };
    all.into_iter().filter(wanted).collect()
}

/// Runs it in every one of `settings`, an ordinary build beside it.
fn ends_in(excess: &Excess, settings: Vec<Setting>) {
    assert!(!settings.is_empty(), "the host gives no setting");
    for setting in settings {
        let world = World::new(site(), setting);
        ends(excess, &world, None);
    }
}

/// Runs it in one world, in mounts that a script makes if one is given.
fn ends(excess: &Excess, world: &World<'_>, mounts: Option<&str>) {
    let mut run = excess.run(world);
    if let Some(script) = mounts {
        run = run.in_own_mounts(script);
    }
    let running = run.start();
    let pid = running.pid();
    let ordinary = Sdist::hello("ordinary", "1.0");
    let beside = world.build(&ordinary).out("beside").finish_anyhow();
    beside.built(&ordinary.wheel());
    let done = running.finish();
    excess.is_told(&done);
    assert_eq!(
        groups(pid),
        Vec::<PathBuf>::new(),
        "groups are left: {done}"
    );
}

/// The folders of control groups that a process has made and not removed.
fn groups(pid: i32) -> Vec<PathBuf> {
    let prefix = format!("fumehood-{pid}-");
    let mut found = Vec::new();
    for own in own_groups() {
        let entries = std::fs::read_dir(own).into_iter().flatten().flatten();
        let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
        found.extend(ours.map(|entry| entry.path()));
    }
    found
}

/// The groups of this process in the hierarchies of version 1 that a build's are made in.
fn own_groups() -> Vec<PathBuf> {
    let text = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let of = |line: &str| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let is_wanted = matches!(controllers, "memory" | "pids");
        is_wanted.then(|| PathBuf::from(format!("/sys/fs/cgroup/{controllers}{path}")))
    };
    text.lines().filter_map(of).collect()
}

/// Whether the caller can make groups that bound memory and processes.
pub(crate) fn groups_are_there() -> bool {
    let own = own_groups();
    let is_there = |folder: &PathBuf| folder.join("cgroup.procs").exists();
    Identity::Caller.uid() == 0 && own.len() == 2 && own.iter().all(is_there)
}

/// Whether this process may make groups for memory and processes; noted where it may not.
fn has_groups() -> bool {
    let there = groups_are_there();
    if !there {
        site()
            .unrun
            .note("control groups of version 1 that can be written");
    }
    there
}

/// Ways to fail at once where a process is refused.
const REFUSED: [&str; 2] = ["forks_until_refused", "forks_and_vanishes"];

#[test]
fn a_fork_bomb_is_ended_by_the_number_of_its_processes() {
    ends_in(&Excess::FORKS, Setting::all(site()));
}

#[test]
fn a_build_that_fails_at_once_where_it_is_refused_a_process_is_told_the_limit() {
    // Elsewhere others of the same uid are counted by the kernel as well, and may be why it refuses.
    let is_counted_apart = |setting: &Setting| {
        setting.namespaces == Namespaces::Allowed || setting.identity.uid() == 0
    };
    let mut settings = Setting::all(site());
    settings.retain(is_counted_apart);
    for what in REFUSED {
        let failing = Excess {
            what,
            ..Excess::FORKS
        };
        ends_in(&failing, settings.clone());
    }
}

#[test]
fn threads_count_as_processes_do() {
    let many = Excess {
        what: "threads",
        ..Excess::FORKS
    };
    ends_in(&many, two());
}

#[test]
fn a_build_that_fails_at_the_first_refusal_of_a_thread_is_told_the_limit_where_groups_count() {
    if !has_groups() {
        return;
    }
    for setting in two() {
        // The other user's program can make no groups here.
        if setting.identity == Identity::Caller {
            let world = World::new(site(), setting);
            let done = world
                .build(&Sdist::stubborn())
                .args(Excess::FORKS.flags)
                .finish();
            Excess::FORKS.is_told(&done);
        }
    }
}

#[test]
fn memory_is_bounded_for_all_processes_together() {
    ends_in(&Excess::MEMORY, Setting::all(site()));
}

#[test]
fn memory_that_is_no_processs_own_counts() {
    for what in ["shared_memory", "memory_files"] {
        let memory = Excess {
            what,
            ..Excess::MEMORY
        };
        ends_in(&memory, two());
    }
}

#[test]
fn memory_asked_for_in_one_piece_is_refused_and_named() {
    let piece = Excess {
        what: "memory_at_once",
        known: &[SAID],
        ..Excess::MEMORY
    };
    ends_in(&piece, two());
}

#[test]
fn root_without_control_groups_is_counted_and_ended_and_says_that_this_is_partial() {
    if Identity::Caller.uid() != 0 {
        site().unrun.note("root");
        return;
    }
    let hide = "mount -t tmpfs none /sys/fs/cgroup || exit 71; exec \"$@\"";
    for setting in [Setting::PLAIN, Setting::DENIED] {
        ends(&Excess::MEMORY, &World::new(site(), setting), Some(hide));
        for what in ["forks"].into_iter().chain(REFUSED) {
            let bomb = Excess {
                what,
                known: &[COUNTED],
                ..Excess::FORKS
            };
            ends(&bomb, &World::new(site(), setting), Some(hide));
        }
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("vector", "1.0");
        let done = world.build(&sdist).in_own_mounts(hide).finish();
        let vector = done
            .built(&sdist.wheel())
            .isolation
            .expect("it was built")
            .guarantees;
        assert_eq!(vector["memory"], "partial", "{done}");
        // At `ns` a build of root's has a uid of its own, which the kernel counts.
        let pids = match setting.namespaces {
            Namespaces::Allowed => "enforced",
            Namespaces::Denied => "partial",
        };
        assert_eq!(vector["pids"], pids, "{done}");
    }
}

#[test]
fn disk_space_is_bounded_with_and_without_names() {
    for what in ["disk", "unlinked"] {
        let filler = Excess {
            what,
            most: 200,
            flags: &["--disk", "20M"],
            policy: "",
            code: Code::ScratchLimit,
            named: "limit of disk space: 20 MiB",
            fix: "--disk",
            known: &[COUNTED],
        };
        ends_in(&filler, two());
    }
}

#[test]
fn the_number_of_files_is_bounded() {
    let filler = Excess {
        what: "inodes",
        most: 20_000,
        flags: &[],
        policy: "scratch_inodes = 500",
        code: Code::ScratchLimit,
        named: "limit of files and folders: 500",
        fix: "`scratch_inodes`",
        known: &[COUNTED],
    };
    ends_in(&filler, two());
}

#[test]
fn a_flood_of_output_is_cut_off() {
    let flood = Excess {
        what: "log",
        most: 64,
        flags: &["--log-limit", "1M"],
        policy: "",
        code: Code::LogLimit,
        named: "limit of output: 1 MiB",
        fix: "--log-limit",
        known: &[COUNTED],
    };
    ends_in(&flood, two());
}

#[test]
fn open_files_are_bounded_whether_the_build_fails_of_it_or_gets_on() {
    let ways: [(_, &[&str]); 2] = [("open_files", &[SAID]), ("open_files_held", &[COUNTED])];
    for (what, known) in ways {
        let hog = Excess {
            what,
            most: 1000,
            flags: &[],
            policy: "open_files = 64",
            code: Code::ResourceLimit,
            named: "limit of open files of one process: 64",
            fix: "`open_files`",
            known,
        };
        ends_in(&hog, two());
    }
}

#[test]
fn one_file_is_bounded_even_if_the_build_swallows_it() {
    for what in ["file_size", "file_size_signal"] {
        let filler = Excess {
            what,
            most: 100,
            flags: &[],
            policy: "file_mib = 4",
            code: Code::ScratchLimit,
            named: "limit of the size of one file: 4 MiB",
            fix: "`file_mib`",
            known: &[COUNTED, SIGNAL],
        };
        ends_in(&filler, two());
    }
}

#[test]
fn busy_loops_on_all_processors_are_ended_by_their_time() {
    let busy = Excess {
        what: "processor",
        most: 0,
        flags: &[],
        policy: "cpu_seconds = 1",
        code: Code::ResourceLimit,
        named: "limit of processor time of one process: 1 s",
        fix: "`cpu_seconds`",
        known: &[COUNTED, SIGNAL],
    };
    ends_in(&busy, two());
}

#[test]
fn a_build_that_talks_for_ever_is_ended_by_the_clock() {
    let sleeper = Excess {
        what: "time_by_the_clock",
        most: 0,
        flags: &["--timeout", "2s", "--idle-timeout", "1s"],
        policy: "",
        code: Code::WallLimit,
        named: "limit of time: 2 s",
        fix: "--timeout",
        known: &[CLOCK],
    };
    ends_in(&sleeper, two());
}

#[test]
fn a_build_that_says_nothing_is_ended_for_its_silence() {
    let silent = Excess {
        what: "silence",
        most: 0,
        flags: &["--idle-timeout", "2s"],
        policy: "",
        code: Code::SilenceLimit,
        named: "limit of time without output: 2 s",
        fix: "--idle-timeout",
        known: &[CLOCK],
    };
    ends_in(&silent, two());
}

#[test]
fn a_build_is_nicer_and_sooner_ended_than_what_cleans_up_after_it() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::fixture("waits").targets(&json!({}));
        let mut running = world.build(&sdist).start();
        let folder = running.wait_until_ready();
        let score = |pid: i32| -> i32 {
            let text = std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj"));
            text.expect("it runs").trim().parse().expect("a number")
        };
        let supervisor = processes::of(running.pid()).expect("it runs");
        let family = running.family();
        let build = builders(running.pid(), family.clone());
        assert!(!build.is_empty());
        for process in family {
            let is_build = build.iter().any(|one| one.pid == process.pid);
            let more = if is_build { (10, 500) } else { (0, 0) };
            assert_eq!(
                (process.nice, score(process.pid)),
                (
                    (supervisor.nice + more.0).min(19),
                    score(supervisor.pid) + more.1
                ),
                "{process:?} {setting}"
            );
        }
        release(&folder, "{}");
        running.finish().built(&sdist.wheel());
    }
}

#[test]
fn where_groups_can_be_made_the_vector_says_so_and_a_killed_run_leaves_none_to_the_next() {
    if !has_groups() {
        return;
    }
    let world = world();
    let sdist = Sdist::fixture("waits").targets(&json!({}));
    let mut running = world.build(&sdist).start();
    running.wait_until_ready();
    let pid = running.pid();
    let there = groups(pid);
    assert_eq!(there.len(), 2, "{there:?}");
    let members = std::fs::read_to_string(there[0].join("cgroup.procs")).expect("it can be read");
    let build = builders(pid, running.family());
    for process in &build {
        assert!(
            members.lines().any(|line| line == process.pid.to_string()),
            "{members}"
        );
    }
    assert!(!members.lines().any(|line| line == pid.to_string()));
    running.signal(Signal::SIGKILL);
    drop(running.finish_anyhow());
    assert_eq!(groups(pid), there, "nobody was left to remove them");
    let next = Sdist::hello("next", "1.0");
    let done = world
        .build(&next)
        .args(["--require", "memory", "--require", "pids"])
        .finish();
    let vector = done
        .built(&next.wheel())
        .isolation
        .expect("it was built")
        .guarantees;
    assert_eq!(
        (vector["memory"].as_str(), vector["pids"].as_str()),
        ("enforced", "enforced")
    );
    assert_eq!(groups(pid), Vec::<PathBuf>::new());
}
