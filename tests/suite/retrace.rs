//! Builds that fail because of a file: run once more with the trace on, explained, and cured by the flag that is named.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;

use model::Code;
use protocol::Level;
use tests::prey::Deed;
use tests::{Failure, Outcome, Runner, Sdist, Setting, World, release};

use crate::concurrency::shelved;
use crate::site;

/// What every attempt prints, so that the log tells how many there were.
const ATTEMPT: &str = "print('an attempt', flush=True)\n";

/// A project whose backend first does something.
pub(super) fn doing(deed: &str) -> Sdist {
    Sdist::hello("kit", "1.0").prologue(&format!("{ATTEMPT}{deed}"))
}

/// A project whose backend reads a file.
pub(super) fn reading(path: &Path) -> Sdist {
    doing(&format!("open({:?}).read()", path.display().to_string()))
}

/// A file of this world that is neither in a home nor in a cache.
pub(super) fn given(world: &World<'_>) -> std::path::PathBuf {
    let path = world.file("given/data.txt", "what the build wants");
    path.canonicalize().expect("it was just written")
}

/// Runs a command that wants nothing but the cache.
pub(super) fn of_cache<'world, 'site>(
    world: &'world World<'site>,
    words: &[&str],
) -> Outcome<'world, 'site> {
    let cache = world.cache();
    world
        .run(words)
        .args(["--cache-dir".as_ref(), cache.as_os_str()])
        .finish_anyhow()
}

/// How often the build ran, as its log tells.
fn attempts(world: &World<'_>, failure: &Failure) -> usize {
    let build = failure.log.as_ref().expect("a build has a log");
    let log = of_cache(world, &["log", build]);
    log.succeeds();
    let counted = log.stdout.lines().filter(|line| *line == "an attempt");
    counted.count()
}

fn hint(failure: &Failure) -> &str {
    failure.hint.as_deref().unwrap_or_default()
}

#[test]
fn a_refused_file_is_named_and_the_flag_that_is_named_cures_it() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let path = given(&world);
        let sdist = reading(&path);
        let done = world.build(&sdist).finish();
        let failure = done.fails_with(Code::DeniedFile);
        assert_eq!(done.code, Some(3), "{done}");
        let flag = format!("--allow-read {}", path.display());
        assert!(hint(&failure).starts_with(&flag), "{done}");
        let tried = format!("tried: read {}", path.display());
        assert!(done.stderr.contains(&tried), "{done}");
        assert_eq!(attempts(&world, &failure), 2, "once, and once with a trace");
        let cured = world.build(&sdist).args(flag.split(' ')).finish();
        cured.built(&sdist.wheel());
    }
}

#[test]
fn a_refused_program_is_named_and_the_flag_that_is_named_cures_it() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let path = world.file("given/tool", "#!/bin/sh\nexit 0\n");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("an own file");
        let path = path.canonicalize().expect("it was just written");
        let sdist = doing(&format!(
            "import subprocess\nsubprocess.check_call([{:?}])",
            path.display().to_string()
        ));
        let done = world.build(&sdist).finish();
        let failure = done.fails_with(Code::DeniedFile);
        let flag = format!("--allow-exec {}", path.display());
        assert!(hint(&failure).starts_with(&flag), "{done}");
        let cured = world.build(&sdist).args(flag.split(' ')).finish();
        cured.built(&sdist.wheel());
    }
}

#[test]
fn what_was_refused_is_kept_for_later_as_text_and_as_json() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let path = given(&world);
        let done = world.build(&reading(&path)).finish();
        let failure = done.fails_with(Code::DeniedFile);
        let build = failure.log.as_ref().expect("a build has a log");
        let log = |form: &str| {
            let words = ["log", build, "--denials", "--output-format", form];
            let told = of_cache(&world, &words);
            told.succeeds();
            told.stdout
        };
        let line = format!(
            "read {0} (1 time): decisive; --allow-read {0}\n",
            path.display()
        );
        assert!(log("text").contains(&line), "{}", log("text"));
        let document: serde_json::Value = serde_json::from_str(&log("json")).expect("JSON");
        let first = &document["refused"][0];
        assert_eq!(first["touch"], "read");
        assert_eq!(first["path"], path.display().to_string());
        assert_eq!(first["decisive"], true);
        let flag = format!("--allow-read {}", path.display());
        assert_eq!(first["fix"], flag);
    }
}

#[test]
fn whoever_says_so_gets_no_second_run() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let sdist = reading(&given(&world));
        let done = world.build(&sdist).args(["--no-retrace"]).finish();
        let failure = done.fails_with(Code::Backend);
        assert_eq!(attempts(&world, &failure), 1, "{done}");
    }
}

#[test]
fn a_plain_error_or_a_limit_is_not_run_again() {
    let plain = [
        ("raise TypeError('a plain error')", Code::Backend),
        ("open('README.that.is.not.there')", Code::Backend),
        ("import socket\nsocket.socket()", Code::DeniedNetwork),
        ("import time\ntime.sleep(600)", Code::WallLimit),
    ];
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        for (deed, code) in plain {
            let done = world.build(&doing(deed)).args(["--timeout", "5s"]).finish();
            let failure = done.fails_with(code);
            assert_eq!(attempts(&world, &failure), 1, "{deed}: {done}");
        }
    }
}

#[test]
fn an_error_that_nobody_knows_is_run_twice_and_never_a_third_time() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let done = world
            .build(&doing("raise RuntimeError('who knows')"))
            .finish();
        let failure = done.fails_with(Code::Backend);
        assert_eq!(attempts(&world, &failure), 2, "{done}");
    }
}

#[test]
fn a_build_that_fails_once_and_not_again_is_said_to_hang_on_chance_and_gives_no_wheel() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let folder = world.folder("given").canonicalize().expect("it is there");
        let flag = folder.join("flag");
        let sdist = doing(&format!(
            "import os, hold\nif not os.path.exists({:?}):\n    hold.until_released()\n    raise RuntimeError('not yet')",
            flag.display().to_string()
        ));
        let run = world.build(&sdist);
        let mut running = run
            .args(["--allow-read".as_ref(), folder.as_os_str()])
            .start();
        let room = running.wait_until_ready();
        fs::write(&flag, "").expect("a file of the world");
        world.give(&flag);
        release(&room, "{}");
        let done = running.finish();
        done.fails_with(Code::Backend);
        assert!(
            done.stderr
                .contains("again: run once more with the trace on, it succeeded"),
            "{done}"
        );
        assert!(shelved(&world).is_empty(), "{done}");
    }
}

#[test]
fn the_accounts_home_counts_whatever_home_says() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let path = world.file("account/data.txt", "of the user's");
        let path = path.canonicalize().expect("it was just written");
        let sdist = reading(&path);
        let uid = setting.identity.uid();
        let line = |home: &Path| format!("me:x:{uid}:{uid}::{}:/bin/sh\n", home.display());
        let elsewhere = world.folder("elsewhere");
        for (home, offered) in [
            (elsewhere.as_path(), true),
            (path.parent().expect("a folder"), false),
        ] {
            let accounts = world.file("accounts", line(home));
            let mounts = format!(
                "mount --bind {} /etc/passwd || exit 71; exec \"$@\"",
                accounts.display()
            );
            let done = world.build(&sdist).in_own_mounts(&mounts).finish();
            let failure = done.fails_with(Code::DeniedFile);
            assert_eq!(hint(&failure).contains("--allow-read"), offered, "{done}");
        }
    }
}

#[test]
fn what_a_hostile_build_can_not_do_it_can_not_do_under_a_trace_either() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        for fixture in TRACED {
            let deed = Deed::named(fixture);
            let control = deed.attempt(&World::new(site(), setting), &Runner::Control);
            assert_eq!(
                control.harm, control.possible,
                "the control must do all: {}",
                control.said
            );
            assert!(!control.possible.is_empty(), "{fixture}");
            let traced = deed.attempt(&World::new(site(), setting), &Runner::Traced);
            assert!(
                traced.harm.is_empty(),
                "{:?} was done: {}",
                traced.harm,
                traced.said
            );
            assert!(
                traced.built && traced.said.contains("traced; for --policy"),
                "{}",
                traced.said
            );
        }
    }
}

/// Deeds whose calls the trace lets go on, and some that it has nothing to do with.
const TRACED: [&str; 6] = [
    "reads_secrets",
    "writes_outside",
    "makes_set_id_files",
    "reads_processes",
    "changes_metadata",
    "connects_to_unix_sockets",
];

/// Something that a build is refused, and may not be offered.
fn is_never_offered(world: &World<'_>, path: &Path) {
    let sdist = reading(path);
    let done = world.build(&sdist).finish();
    let failure = done.fails_with(Code::DeniedFile);
    assert!(!hint(&failure).contains("--allow"), "{done}");
    assert!(!hint(&failure).contains("approve"), "{done}");
    let build = failure.log.expect("a build has a log");
    let approved = approve(world, &build);
    approved.says(Code::BadPolicy);
    let said = "never approved";
    assert!(approved.stderr.contains(said), "{approved}");
}

fn approve<'world, 'site>(world: &'world World<'site>, build: &str) -> Outcome<'world, 'site> {
    world
        .run(["policy", "approve", build, "--dry-run"])
        .places()
        .finish_anyhow()
}

#[test]
fn nothing_that_reaches_a_home_a_socket_or_the_cache_is_offered_or_approved() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let home = world.file("home/data.txt", "of the user's");
        is_never_offered(&world, &home.canonicalize().expect("it is there"));
        let cache = world.cache().join("CACHEDIR.TAG");
        is_never_offered(&world, &cache.canonicalize().expect("a run made it"));
        let socket = world.folder("given").join("socket");
        let _listener = UnixListener::bind(&socket).expect("a socket can be made");
        world.give(&socket);
        is_never_offered(&world, &socket.canonicalize().expect("it is there"));
        // At `ns` /proc is the build's own.
        if setting.level() == Level::Confined {
            is_never_offered(&world, Path::new("/proc/1/environ"));
        }
    }
}

#[test]
fn facts_of_the_processor_are_offered_by_the_policy_that_has_them() {
    for setting in Setting::all(site()) {
        if setting.level() != Level::Confined {
            continue;
        }
        let world = World::new(site(), setting);
        let sdist = reading(Path::new("/proc/cpuinfo"));
        let done = world.build(&sdist).finish();
        let failure = done.fails_with(Code::DeniedFile);
        assert_eq!(hint(&failure), "--policy native", "{done}");
        let cured = world.build(&sdist).args(["--policy", "native"]).finish();
        cured.built(&sdist.wheel());
    }
}

#[test]
fn a_flood_of_refused_files_hides_neither_the_decisive_one_nor_the_build() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let path = given(&world);
        let folder = path
            .parent()
            .expect("it lies in a folder")
            .display()
            .to_string();
        let sdist = doing(&format!(
            "for number in range(5000):\n    try: open({:?} + '/' + str(number))\n    except OSError: pass\nopen({:?})",
            folder,
            path.display().to_string()
        ));
        let done = world.build(&sdist).finish();
        let failure = done.fails_with(Code::DeniedFile);
        let flag = format!("--allow-read {}", path.display());
        assert!(hint(&failure).starts_with(&flag), "{done}");
    }
}

#[test]
fn a_traced_build_of_many_processes_goes_on_and_its_wheel_is_kept_by_nobody() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = doing(
            "import os\nfor child in range(8):\n    if os.fork() == 0:\n        for turn in range(300): open('PKG-INFO').close()\n        os._exit(0)\nfor child in range(8): assert os.wait()[1] == 0",
        );
        for _ in 0..2 {
            let done = world.build(&sdist).args(["--trace"]).finish();
            let wheel = done.built(&sdist.wheel());
            assert!(wheel.record.is_none(), "{done}");
        }
        let kept = of_cache(&world, &["cache", "list"]);
        kept.succeeds();
        assert!(!kept.stdout.contains("kit"), "{kept}");
        world.build(&sdist).finish().built(&sdist.wheel());
    }
}

#[test]
fn the_policy_that_a_trace_proposes_is_enough_and_says_what_it_was_made_of() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let path = given(&world);
        let sdist = reading(&path);
        let failed = world.build(&sdist).args(["--trace"]).finish();
        let failure = failed.fails_with(Code::DeniedFile);
        assert_eq!(attempts(&world, &failure), 1, "it was traced: {failed}");
        let build = failure.log.expect("a build has a log");
        let proposed = world
            .cache()
            .join("logs-v1")
            .join(build)
            .join("policy.toml");
        let text = fs::read_to_string(&proposed).expect("a policy was proposed");
        assert!(text.contains("extends = \"pure\""), "{text}");
        assert!(failed.stderr.contains("[[grant]]"), "{failed}");
        let policy = world.file("proposed.toml", text);
        let done = world
            .build(&sdist)
            .args(["--policy".as_ref(), policy.as_os_str()])
            .finish();
        done.built(&sdist.wheel());
    }
}
