//! The other commands, exit codes and the shape of errors.

use model::Code;
use protocol::Guarantee;
use tests::{Sdist, Setting, World};

use crate::{site, world};

#[test]
fn every_command_explains_itself() {
    let world = world();
    let help = world.run(["--help"]).finish();
    help.succeeds();
    for command in [
        "wheel",
        "build",
        "inspect",
        "verify",
        "doctor",
        "policy",
        "cache",
        "log",
        "explain",
        "completion",
    ] {
        assert!(help.stdout.contains(command), "{command}: {help}");
        let own = world.run([command, "--help"]).finish();
        own.succeeds();
        assert!(
            own.stdout.contains("Usage:") && own.stderr.is_empty(),
            "{own}"
        );
    }
    for later in ["daemon", "remote", "rebuild"] {
        assert!(
            !help.stdout.contains(later),
            "{later} is not there yet: {help}"
        );
    }
    assert!(
        world
            .run(["--version"])
            .finish()
            .succeeds()
            .stdout
            .starts_with("fumehood ")
    );
    assert!(
        !world.cache().exists(),
        "talking about a command writes nothing"
    );
}

#[test]
fn wrong_usage_is_exit_2() {
    let world = world();
    for words in [
        vec!["nonsense"],
        vec!["wheel"],
        vec!["wheel", "x", "--no-such-flag"],
        vec!["cache"],
        vec![],
    ] {
        let done = world.run(&words).finish();
        assert_eq!(done.code, Some(2), "{words:?}: {done}");
        assert!(
            done.stdout.is_empty() && !done.stderr.is_empty(),
            "{words:?}: {done}"
        );
    }
}

#[test]
fn a_value_that_does_not_fit_names_its_flag() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    for (flag, value) in [
        ("--timeout", "soon"),
        ("--min-isolation", "much"),
        ("--require", "luck"),
        ("--memory", "lots"),
        ("--jobs", "0"),
        ("--exclude-newer", "yesterday-ish"),
        ("--config-setting", "=x"),
    ] {
        let done = world.build(&sdist).args([flag, value]).finish();
        done.exits_with(Code::BadFlag);
        assert!(done.stderr.contains(flag), "{flag}: {done}");
    }
    let done = world.build(&sdist).args(["--no-build-isolation"]).finish();
    done.exits_with(Code::FlagRefused);
}

#[test]
fn what_widens_has_no_variable() {
    let world = world();
    let sdist =
        Sdist::hello("hello", "1.0").prologue("import os\nprint('home', os.path.exists('/'))");
    let done = world
        .build(&sdist)
        .env("FUMEHOOD_MIN_ISOLATION", "none")
        .env("FUMEHOOD_POLICY", "native")
        .env("FUMEHOOD_ALLOW_READ", "/")
        .env("FUMEHOOD_ALLOW_WRITE", "/")
        .finish();
    let isolation = done.built(&sdist.wheel()).isolation.expect("it was built");
    assert_eq!(isolation.guarantees["fs-write"], "enforced", "{done}");
    let plain = world.build(&sdist).finish();
    plain.cached(&sdist.wheel());
}

#[test]
fn a_grant_on_the_command_line_widens_what_it_names_and_no_more() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let (shown, hidden) = (tests::decoy::secret(), tests::decoy::secret());
        let folder = world.folder("granted");
        world.file("granted/shown", &shown);
        let other = world.file("other/hidden", &hidden);
        let sdist = Sdist::hello("granted", "1.0").prologue(&format!(
            "for path in ({:?}, {other:?}):\n    try:\n        print(open(path).read())\n    except OSError as error:\n        print(error.errno)",
            folder.join("shown")
        ));
        let done = world
            .build(&sdist)
            .args(["-v".as_ref(), "--allow-read".as_ref(), folder.as_os_str()])
            .finish();
        done.built(&sdist.wheel());
        assert!(done.stderr.contains(&shown), "{done}");
        assert_eq!(done.tells(&hidden), None, "{done}");
    }
}

#[test]
fn doctor_tells_level_and_guarantees_and_writes_nothing_outside_the_cache() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let cache = world.cache();
        let doctor = || {
            world
                .run(["doctor"])
                .args([
                    "--cache-dir".as_ref(),
                    cache.as_os_str(),
                    "-p".as_ref(),
                    world.python().path.as_os_str(),
                ])
                .args(["--default-index", &world.index.url()])
        };
        let done = doctor().finish();
        done.succeeds();
        assert!(done.stdout.contains(setting.level().word()), "{done}");
        let done = doctor().report().finish();
        done.succeeds();
        let document: serde_json::Value =
            serde_json::from_str(&done.stdout).expect("doctor prints JSON");
        let text = document.to_string();
        assert!(
            text.contains(&format!("\"{}\"", setting.level().word())),
            "{done}"
        );
        for guarantee in Guarantee::ALL {
            assert!(text.contains(guarantee.word()), "{guarantee:?}: {done}");
        }
        let mounts = document["host"]["mounts"].as_array().expect("a list");
        let of_cache = mounts.iter().find(|mount| mount["purpose"] == "cache");
        let of_cache = of_cache.expect("the cache lies somewhere");
        assert_eq!(of_cache["path"], cache.display().to_string(), "{done}");
        assert!(of_cache["free_bytes"].as_u64() > Some(0), "{done}");
    }
}

#[test]
fn policies_are_listed_shown_and_explained_and_what_is_shown_can_be_used() {
    let world = world();
    let list = world.run(["policy", "list"]).finish();
    list.succeeds();
    let sdist = Sdist::hello("hello", "1.0");
    for name in ["pure", "strict", "native"] {
        assert!(list.stdout.contains(name), "{list}");
        let shown = world.run(["policy", "show", name]).finish();
        shown.succeeds();
        let explained = world.run(["policy", "explain", name]).finish();
        assert!(!explained.succeeds().stdout.is_empty());
        let file = world.file(format!("{name}.toml"), &shown.stdout);
        for policy in [name.as_ref(), file.as_os_str()] {
            let done = world
                .build(&sdist)
                .args(["--policy".as_ref(), policy])
                .finish();
            assert_eq!(done.wheel().filename, sdist.wheel(), "{name}: {done}");
        }
    }
    let unknown = world.build(&sdist).args(["--policy", "lenient"]).finish();
    unknown.exits_with(Code::BadPolicy);
    let file = world.file("wrong.toml", "name = 'wrong'\nsummary = 'x'\n\n[[grant]]\nplace = 'everything'\naccess = ['read']\nwhy = 'x'\n");
    let wrong = world
        .build(&sdist)
        .args(["--policy".as_ref(), file.as_os_str()])
        .finish();
    wrong.exits_with(Code::BadPolicy);
    assert!(
        wrong.stderr.contains("wrong.toml") && wrong.stderr.contains("place"),
        "{wrong}"
    );
}

#[test]
fn the_cache_can_be_named_and_measured() {
    let world = world();
    let cache = world.cache();
    let run = |words: &[&str]| {
        world
            .run(words)
            .args(["--cache-dir".as_ref(), cache.as_os_str()])
            .finish()
    };
    assert_eq!(
        run(&["cache", "dir"]).succeeds().stdout,
        format!("{}\n", cache.display())
    );
    assert!(!cache.exists(), "to name a cache does not make it");
    let sdist = Sdist::hello("hello", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    assert!(run(&["cache", "size"]).succeeds().stdout.contains("wheels"));
    let told = run(&["cache", "size", "--output-format", "json"]);
    let told: serde_json::Value =
        serde_json::from_str(&told.succeeds().stdout).expect("one document");
    assert_eq!(told["schema"], "fumehood-cache/1");
    let buckets = told["buckets"].as_array().expect("buckets");
    let sum = |what: &str| -> u64 { buckets.iter().filter_map(|one| one[what].as_u64()).sum() };
    assert_eq!(told["bytes"], sum("bytes"), "{told}");
    assert_eq!(told["files"], sum("files"), "{told}");
    let wheel = buckets.iter().find(|one| one["name"] == "wheels-v1");
    assert_eq!(wheel.map(|one| &one["files"]), Some(&3.into()), "{told}");
    let logs = run(&["log"]);
    assert!(logs.succeeds().stdout.contains("hello"), "{logs}");
}

#[test]
fn every_error_code_has_a_page() {
    let world = world();
    for code in Code::ALL {
        let page = world.run(["explain", code.text()]).finish();
        assert!(page.succeeds().stdout.contains(code.text()), "{page}");
    }
    let done = world.run(["explain", "F9999"]).finish();
    assert_eq!(done.code, Some(2), "{done}");
}

#[test]
fn completions_are_printed_for_every_shell() {
    let world = world();
    for shell in ["bash", "zsh", "fish"] {
        let done = world.run(["completion", shell]).finish();
        assert!(done.succeeds().stdout.contains("fumehood"), "{shell}");
    }
}

#[test]
fn an_error_says_what_and_how_to_fix_it_and_json_says_the_same() {
    let world = world();
    let done = world
        .wheel("nobody-has-this")
        .without(&["--output-format", "json"])
        .finish();
    done.says(Code::UnknownProject);
    assert!(done.stdout.is_empty(), "standard output is data: {done}");
    assert!(done.stderr.contains("fix:"), "{done}");
    let done = world.wheel("nobody-has-this").finish();
    let failure = done.fails_with(Code::UnknownProject);
    assert_eq!(failure.spec.as_deref(), Some("nobody-has-this"), "{done}");
    assert!(failure.hint.is_some(), "{done}");
}

#[test]
fn the_python_can_be_named_in_every_way() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    let python = world.python().path.display().to_string();
    for flags in [vec!["-p", python.as_str()], vec![], vec!["-p", "python3"]] {
        let done = world
            .build(&sdist)
            .without(&["-p", &python])
            .args(&flags)
            .args(["--refresh"])
            .finish();
        assert_eq!(done.wheel().filename, sdist.wheel(), "{flags:?}: {done}");
    }
    let missing = world
        .build(&sdist)
        .without(&["-p", &python])
        .args(["-p", "4.99"])
        .finish();
    missing.exits_with(Code::NoInterpreter);
    let none = world
        .build(&sdist)
        .without(&["-p", &python])
        .env("PATH", "/nowhere")
        .finish();
    none.exits_with(Code::NoInterpreter);
    let fake = world.file("fake/python3", "#!/bin/sh\necho not python\n");
    std::fs::set_permissions(&fake, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("an own file");
    let fake = world
        .build(&sdist)
        .without(&["-p", &python])
        .args(["-p".as_ref(), fake.as_os_str()])
        .finish();
    assert_eq!(fake.code, Some(2), "{fake}");
}
