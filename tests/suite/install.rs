//! What is installed is what Python and pip see, and what was there before is there until it is.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use model::Code;
use serde_json::{Value, json};
use tests::killpoint::{Became, Upgrade};
use tests::search::sha256;
use tests::{Outcome, Repository, Sdist, Venv, Wheel, World};

use crate::world;

/// A package with a program, data and a dependency.
fn tool(version: &str) -> Wheel {
    Wheel::new("tool", version)
        .file(
            "tool.py",
            format!("import base\ndef main(): print({version:?}, base.version)\n"),
        )
        .file(&format!("tool-{version}.data/data/share/tool.txt"), version)
        .file(
            &format!("tool-{version}.dist-info/entry_points.txt"),
            "[console_scripts]\ntool = tool:main\n",
        )
        .header("Requires-Dist: base")
}

/// Serves two versions of a base, and the tool.
fn serve(world: &World<'_>) {
    for version in ["1.0", "2.0"] {
        world
            .index
            .wheel(&Wheel::new("base", version))
            .wheel(&tool(version));
    }
}

fn document(done: &Outcome<'_, '_>) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done}"))
}

#[test]
fn what_is_installed_runs_and_pip_lists_checks_and_uninstalls_it() {
    let world = world();
    serve(&world);
    world.index.sdist(&Sdist::hello("built", "1.0"));
    let venv = Venv::new(&world, "env");
    let before = venv.everything();
    let done = venv.install(["tool", "built"]).report().finish();
    done.succeeds().is_tidy();
    let document = document(&done);
    let installed: Vec<_> = document["installed"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    assert_eq!(installed.len(), 3, "{done}");
    assert_eq!(
        document["wheels"].as_array().map(Vec::len),
        Some(3),
        "{done}"
    );
    assert_eq!(venv.program("tool", &[]), "2.0 2.0");
    let versions = [("tool", "2.0"), ("base", "2.0"), ("built", "1.0")];
    let wanted = versions.map(|(name, version)| (name.to_owned(), version.to_owned()));
    assert_eq!(venv.listed(), wanted.into_iter().collect());
    assert!(venv.pip(&["check"]).status.success(), "{done}");
    let requested = |package| venv.info(package, "REQUESTED").is_some();
    assert!(requested("tool-2.0") && requested("built-1.0") && !requested("base-2.0"));
    assert_eq!(
        venv.info("tool-2.0", "INSTALLER").as_deref(),
        Some("fumehood\n")
    );
    assert_eq!(venv.info("tool-2.0", "direct_url.json"), None);
    let gone = venv.pip(&["uninstall", "-y", "tool", "base", "built"]);
    assert!(gone.status.success(), "{done}");
    let left = venv.everything();
    let paths = left.keys().chain(before.keys());
    let differ: Vec<_> = paths
        .filter(|path| left.get(*path) != before.get(*path))
        .collect();
    // pip leaves folders of data, and takes a site-packages that became empty.
    let known = |path: &String| path == "share" || path.ends_with("/site-packages");
    assert!(differ.into_iter().all(known), "{done}");
    venv.install(["base"]).finish().succeeds();
    assert_eq!(venv.listed().len(), 1);
}

#[test]
fn what_a_file_or_a_lock_asks_for_is_installed_and_held_to_its_hashes() {
    let world = world();
    serve(&world);
    let sdist = Sdist::hello("built", "1.0");
    world.index.sdist(&sdist);
    let versions = |venv: &Venv<'_, '_>| -> Vec<String> {
        let listed = venv.listed().into_iter();
        listed
            .map(|(name, version)| format!("{name} {version}"))
            .collect()
    };
    let venv = Venv::new(&world, "env");
    world.file("work/sub/c.txt", "base<2\n");
    world.file(
        "work/r.txt",
        "-c sub/c.txt\ntool ; python_version >= '3'\nnever ; python_version < '3'\nbuilt \\\n  == 1.0\n",
    );
    venv.install(["-r", "r.txt"]).finish().succeeds();
    assert_eq!(versions(&venv), ["base 1.0", "built 1.0", "tool 2.0"]);
    // What was named in a file was asked for.
    let requested = |package| venv.info(package, "REQUESTED").is_some();
    assert!(requested("tool-2.0") && requested("built-1.0") && !requested("base-1.0"));

    let locked = Venv::new(&world, "locked");
    let base = Wheel::new("base", "1.0");
    let lock = |hash: &str| {
        world.file(
            "work/pylock.toml",
            format!(
                "lock-version = '1.0'\ncreated-by = 'a test'\n[[packages]]\nname = 'base'\nversion = '1.0'\nwheels = [{{ url = '{}', hashes = {{ sha256 = '{hash}' }} }}]\n[[packages]]\nname = 'built'\nversion = '1.0'\nsdist = {{ url = '{}', hashes = {{ sha256 = '{}' }} }}\n",
                world.index.file_url(&base.filename()),
                world.index.file_url(&sdist.filename("tar.gz")),
                sha256(&sdist.tar_gz()),
            ),
        );
        let run = locked.install(["-r", "pylock.toml", "--require-hashes"]);
        run.report().finish_anyhow()
    };
    let done = lock(&"0".repeat(64));
    done.says(Code::HashWrong);
    assert_eq!(versions(&locked), [""; 0], "{done}");
    lock(&sha256(&base.pack())).succeeds();
    assert_eq!(versions(&locked), ["base 1.0", "built 1.0"]);
    assert_eq!(locked.info("base-1.0", "direct_url.json"), None);

    let strict = Venv::new(&world, "strict");
    let (top, under) = (sha256(&tool("2.0").pack()), sha256(&base.pack()));
    for (lines, code) in [
        ("tool==2.0\nbase==1.0\n".to_owned(), Some(Code::HashMissing)),
        (
            format!("tool==2.0 --hash=sha256:{top}\n"),
            Some(Code::HashMissing),
        ),
        (
            format!("tool==2.0 --hash=sha256:{top}\nbase==1.0 --hash=sha256:{top}\n"),
            Some(Code::HashWrong),
        ),
        (
            format!("tool==2.0 --hash=sha256:{top}\nbase==1.0 --hash=sha256:{under}\n"),
            None,
        ),
    ] {
        world.file("work/r.txt", lines);
        let run = strict.install(["-r", "r.txt", "--require-hashes"]);
        let done = run.finish_anyhow();
        match code {
            Some(code) => {
                done.says(code);
                assert_eq!(versions(&strict), [""; 0], "{done}");
            }
            None => {
                done.succeeds();
                assert_eq!(versions(&strict), ["base 1.0", "tool 2.0"], "{done}");
            }
        }
    }
}

#[test]
fn what_satisfies_stays_until_an_upgrade_or_a_reinstallation_is_asked_for() {
    let world = world();
    serve(&world);
    let venv = Venv::new(&world, "env");
    venv.install(["base==1.0"]).finish().succeeds();
    let asked = world.index.all_requests().len();
    let again = venv.install(["base"]).finish();
    assert!(
        again.succeeds().stderr.contains("1 already there"),
        "{again}"
    );
    assert_eq!(world.index.all_requests().len(), asked, "{again}");
    venv.install(["tool"]).finish().succeeds();
    assert_eq!(venv.program("tool", &[]), "2.0 1.0");
    // A dependency that satisfies stays also when what needs it is upgraded.
    venv.install(["-U", "tool"]).finish().succeeds();
    assert_eq!(venv.listed()["base"], "1.0");
    let done = venv.install(["--upgrade", "base"]).report().finish();
    assert_eq!(
        document(done.succeeds())["installed"][0]["replaced"],
        json!(["1.0"]),
        "{done}"
    );
    assert_eq!(venv.listed()["base"], "2.0");
    fs::write(venv.site_packages().join("base.py"), "broken").expect("it can be written");
    venv.install(["base", "--no-deps"]).finish().succeeds();
    assert_eq!(
        fs::read_to_string(venv.site_packages().join("base.py"))
            .ok()
            .as_deref(),
        Some("broken")
    );
    venv.install(["base", "--reinstall"]).finish().succeeds();
    assert_eq!(venv.python("import base; print(base.version)"), "2.0");
    let fails = venv
        .install(["tool", "base==1.0", "base==2.0"])
        .report()
        .finish();
    fails.exits_with(Code::Unresolvable);
    assert_eq!(venv.listed()["base"], "2.0");
}

#[test]
fn what_came_from_a_folder_an_archive_a_url_a_commit_or_a_wheel_says_so() {
    let world = world();
    let venv = Venv::new(&world, "env");
    let sdist = Sdist::hello("thing", "1.0");
    let folder = world.lay("tree", &sdist);
    let archive = world.archive(&sdist);
    world.index.sdist(&sdist);
    let url = world.index.file_url(&sdist.filename("tar.gz"));
    let repository = Repository::new(&world, "repository");
    repository.lay("", &sdist);
    let commit = repository.commit("one");
    let git = repository.url();
    let wheel = venv.wheel(&Wheel::new("thing", "1.0"));
    let address = git.strip_prefix("git+").unwrap_or(&git);
    for (spec, key, url) in [
        (
            folder.display().to_string(),
            "dir_info",
            format!("file://{}", folder.display()),
        ),
        (
            archive.display().to_string(),
            "archive_info",
            format!("file://{}", archive.display()),
        ),
        (url.clone(), "archive_info", url),
        (git.clone(), "vcs_info", address.to_owned()),
        (wheel.clone(), "archive_info", format!("file://{wheel}")),
    ] {
        let done = venv.install([&spec]).finish();
        let text = venv.info("thing-1.0", "direct_url.json");
        let text = text.unwrap_or_else(|| panic!("{spec}: {}", done.succeeds()));
        let said: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(said["url"], url, "{said} {done}");
        assert!(said[key].is_object(), "{said} {done}");
        if key == "vcs_info" {
            assert_eq!(said[key]["commit_id"], commit, "{said}");
        }
    }
    let frozen = venv.pip(&["freeze"]);
    assert!(String::from_utf8_lossy(&frozen.stdout).contains("thing @ file://"));
    venv.install(["thing", "--reinstall", "--no-deps"])
        .finish()
        .succeeds();
    assert_eq!(venv.info("thing-1.0", "direct_url.json"), None);
}

#[test]
fn a_version_that_pip_installed_is_replaced_and_nothing_of_it_is_left() {
    let world = world();
    let old = tool("1.0")
        .file("tool_old.py", "")
        .file("tool_deep/old.py", "");
    let (venv, fresh) = (Venv::new(&world, "env"), Venv::new(&world, "fresh"));
    let (base, new) = (
        venv.wheel(&Wheel::new("base", "1.0")),
        venv.wheel(&tool("2.0")),
    );
    let by_pip = venv.pip(&["install", "--no-index", &venv.wheel(&old), &base]);
    assert!(
        by_pip.status.success(),
        "{}",
        String::from_utf8_lossy(&by_pip.stderr)
    );
    assert!(venv.site_packages().join("__pycache__").is_dir());
    venv.install([&new]).finish().succeeds();
    fresh.install([&base, &new]).finish().succeeds();
    let bytecode = fs::read_dir(venv.site_packages().join("__pycache__")).expect("base has some");
    let names: Vec<_> = bytecode
        .map(|it| it.expect("it can be read").file_name())
        .collect();
    assert!(
        names
            .iter()
            .all(|name| name.to_string_lossy().starts_with("base.")),
        "{names:?}"
    );
    let comparable = |venv: &Venv<'_, '_>| {
        let mut all = venv.everything();
        // Who installed base, and where the environments lie.
        all.retain(|path, _| {
            !path.contains("base-1.0")
                && !path.ends_with("RECORD")
                && !path.starts_with("bin/")
                && path != "pyvenv.cfg"
        });
        all
    };
    assert_eq!(comparable(&venv), comparable(&fresh));
    assert_eq!(venv.program("tool", &[]), "2.0 1.0");
}

#[test]
fn a_dry_run_says_whose_code_would_run_and_changes_nothing() {
    let world = world();
    serve(&world);
    let said = "Metadata-Version: 2.2\nName: built\nVersion: 1.0\n";
    world
        .index
        .sdist(&Sdist::hello("built", "1.0").file("PKG-INFO", said));
    let venv = Venv::new(&world, "env");
    venv.install(["base==1.0"]).finish().succeeds();
    let before = venv.everything();
    let wheel = venv.wheel(&Wheel::new("here", "1.0").header("Requires-Dist: base"));
    let done = venv
        .install(["tool", "built", &wheel, "--dry-run"])
        .finish();
    done.succeeds().is_tidy();
    let lines: Vec<_> = done.stdout.lines().collect();
    for line in [
        "tool==2.0  wheel",
        "built==1.0  will run code under policy strict",
        "here==1.0  wheel",
        "base==1.0  already there",
    ] {
        assert!(lines.contains(&line), "{line}: {done}");
    }
    assert_eq!(venv.everything(), before);
}

#[test]
fn without_an_environment_nothing_is_installed() {
    let world = world();
    let wheel = world.file(
        "wheels/base-1.0-py3-none-any.whl",
        Wheel::new("base", "1.0").pack(),
    );
    let run = || {
        let run = world.run(["install", "--no-deps"]).args([&wheel]);
        run.flag("--cache-dir", world.cache())
            .flag("--default-index", world.index.url())
    };
    let done = run().finish();
    assert!(
        done.says(Code::NoEnvironment)
            .stderr
            .contains("python3 -m venv .venv"),
        "{done}"
    );
    let local = Venv::new(&world, "work/.venv");
    let done = run().finish();
    assert!(
        done.says(Code::NoEnvironment)
            .stderr
            .contains("name it: -p .venv"),
        "{done}"
    );
    run().flag("-p", ".venv").finish().succeeds();
    run()
        .env("VIRTUAL_ENV", &local.root)
        .args(["--reinstall"])
        .finish()
        .succeeds();
    assert_eq!(local.listed().len(), 1);
    let plain = world.folder("plain");
    run().flag("-p", &plain).finish().says(Code::NoEnvironment);
    let outside = run().flag("-p", &world.python().path).finish();
    let code = if outside.stderr.contains("F0121") {
        Code::ManagedPython
    } else {
        Code::NoEnvironment
    };
    outside.says(code);
    let refused = run()
        .flag("-p", ".venv")
        .args(["--break-system-packages"])
        .finish();
    refused.says(Code::FlagRefused);
    run()
        .flag("-p", ".venv")
        .flag("-o", "out")
        .finish()
        .says(Code::BadFlag);
}

#[test]
fn a_python_that_the_system_manages_is_refused_with_its_own_words() {
    let world = world();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let managed = std::env::split_paths(&path).find_map(|folder| {
        let python = fs::canonicalize(folder.join("python3")).ok()?;
        let library = python
            .parent()?
            .parent()?
            .join("lib")
            .join(python.file_name()?);
        library
            .join("EXTERNALLY-MANAGED")
            .exists()
            .then_some(python)
    });
    let Some(python) = managed else {
        world.site.unrun.note("a Python that the system manages");
        return;
    };
    let wheel = world.file(
        "wheels/base-1.0-py3-none-any.whl",
        Wheel::new("base", "1.0").pack(),
    );
    let run = world
        .run(["install", "--no-deps"])
        .args([&wheel])
        .flag("--cache-dir", world.cache());
    let done = run
        .flag("--default-index", world.index.url())
        .flag("-p", &python)
        .finish();
    let text = &done.says(Code::ManagedPython).stderr;
    assert!(
        text.contains("externally") || text.contains("virtual environment"),
        "{done}"
    );
}

#[test]
fn when_one_of_several_fails_nothing_is_installed() {
    let world = world();
    serve(&world);
    let venv = Venv::new(&world, "env");
    venv.install(["base==1.0"]).finish().succeeds();
    let before = venv.everything();
    world
        .index
        .sdist(&Sdist::hello("broken", "1.0").prologue("raise SystemExit('no')"));
    let done = venv
        .install(["-U", "base", "broken", "--no-deps"])
        .report()
        .finish();
    done.exits_with(Code::BackendDied);
    assert_eq!(
        document(&done)["failures"].as_array().map(Vec::len),
        Some(1),
        "{done}"
    );
    assert_eq!(venv.everything(), before, "{done}");
    // One is laid out already when the other is refused.
    let good = venv.wheel(&Wheel::new("base", "2.0"));
    let bad = venv.wheel(&Wheel::new("other", "1.0").file("base.py", "another"));
    venv.install(["--no-deps", &good, &bad])
        .finish()
        .says(Code::BadWheel);
    // And one has been moved into place when something is in the way of the other.
    fs::write(venv.site_packages().join("zzz.py"), "mine").expect("it can be written");
    let before = venv.everything();
    let bad = venv.wheel(&Wheel::new("zzz", "1.0"));
    venv.install(["--no-deps", &good, &bad])
        .finish()
        .says(Code::FileConflict);
    assert_eq!(venv.everything(), before);
}

#[test]
fn a_wheel_that_wants_to_write_outside_is_refused() {
    let world = world();
    let venv = Venv::new(&world, "env");
    let before = venv.everything();
    for (at, path) in [
        "../outside.py",
        "bad-1.0.data/data/../../outside",
        "bad-1.0.data/scripts/../../outside",
        "/outside",
        "a/./b.py",
        "other-1.0.dist-info/RECORD",
        "bad-1.0.data/purelib/other-1.0.dist-info/METADATA",
        "bad-1.0.data/data/pyvenv.cfg",
        "bad-1.0.data/data/.fumehood/journal.json",
        "bad-1.0.data/data/lib64/outside",
    ]
    .into_iter()
    .enumerate()
    {
        let wheel = Wheel::new("bad", "1.0").file(path, "x");
        let place = world.file(format!("{at}/{}", wheel.filename()), wheel.pack());
        let done = venv
            .install(["--no-deps".as_ref(), place.as_os_str()])
            .finish();
        assert_eq!(
            done.code,
            Some(Code::BadWheel.exit() as i32),
            "{path}: {done}"
        );
        assert_eq!(venv.everything(), before, "{path}: {done}");
    }
}

#[test]
fn links_in_an_environment_are_not_followed() {
    let world = world();
    let venv = Venv::new(&world, "env");
    let outside = world.folder("outside");
    symlink(&outside, venv.site_packages().join("thing")).expect("a link can be made");
    let wheel = venv.wheel(&Wheel::new("thing", "1.0").file("thing/__init__.py", ""));
    let done = venv.install(["--no-deps", &wheel]).finish();
    done.says(Code::FileConflict);
    assert_eq!(
        fs::read_dir(&outside).expect("it is there").count(),
        0,
        "{done}"
    );
}

#[test]
fn two_installations_into_one_environment_wait_for_each_other() {
    let world = world();
    let venv = Venv::new(&world, "env");
    let many = (0..6).map(|at| {
        let wheel = (0..40).fold(Wheel::new(&format!("p{at}"), "1.0"), |wheel, file| {
            wheel.file(&format!("together/p{at}_{file}.py"), "")
        });
        venv.wheel(&wheel)
    });
    let running: Vec<_> = many
        .map(|wheel| venv.install(["--no-deps", &wheel]).start())
        .collect();
    for run in running {
        run.finish_anyhow().succeeds();
    }
    assert_eq!(venv.listed().len(), 6);
    assert!(!venv.root.join(".fumehood.lock").exists() && !venv.root.join(".fumehood").exists());
    // Somebody else has it and does not let go.
    let lock = fs::File::create(venv.root.join(".fumehood.lock")).expect("a file can be made");
    lock.lock().expect("a file can be locked");
    let wheel = venv.wheel(&Wheel::new("late", "1.0"));
    let late = venv
        .install(["--no-deps", &wheel, "--lock-timeout", "1s"])
        .finish();
    assert!(
        late.says(Code::LockTimeout)
            .stderr
            .contains("waiting for it"),
        "{late}"
    );
    drop(lock);
    venv.install(["--no-deps", &wheel]).finish().succeeds();
}

#[test]
fn a_plain_folder_is_filled_and_brought_up_to_date() {
    let world = world();
    serve(&world);
    let folder = world.folder("home").join("deep/target");
    let install = |words: &[&str]| {
        let run = world.run(["install"]).args(words).flag("--target", &folder);
        let run = run
            .flag("--cache-dir", world.cache())
            .flag("-p", &world.python().path);
        run.flag("--default-index", world.index.url()).finish()
    };
    install(&["tool==1.0", "base==1.0"]).succeeds();
    install(&["tool"]).succeeds();
    install(&["-U", "tool", "base"]).succeeds();
    let text = format!(
        "import sys; sys.path.insert(0, {:?}); import tool; tool.main()",
        folder.display().to_string()
    );
    let python = std::process::Command::new(&world.python().path)
        .args(["-I", "-B", "-c", &text])
        .output();
    assert_eq!(
        String::from_utf8_lossy(&python.expect("it starts").stdout).trim(),
        "2.0 2.0"
    );
    let record = fs::read_to_string(folder.join("tool-2.0.dist-info/RECORD")).expect("it is there");
    let rows: Vec<_> = record
        .lines()
        .filter_map(|line| line.split(',').next())
        .collect();
    let files = tests::everything(&folder);
    let count = files
        .iter()
        .filter(|(path, content)| content.as_slice() != b"folder" && !path.contains("base"))
        .count();
    assert_eq!(rows.len(), count, "{record}");
    assert!(
        rows.contains(&"bin/tool") && rows.contains(&"share/tool.txt"),
        "{record}"
    );
}

#[test]
fn bytecode_is_compiled_recorded_and_used() {
    let world = world();
    let venv = Venv::new(&world, "env");
    let thing = Wheel::new("thing", "1.0")
        .without("thing.py")
        .file("thing/__init__.py", "")
        .file("thing/sub.py", "x = 1\n")
        .file("thing/bad.py", "x =");
    let wheel = venv.wheel(&thing);
    venv.install(["--no-deps", "--compile-bytecode", &wheel])
        .finish()
        .succeeds();
    let cache = venv.site_packages().join("thing/__pycache__");
    let mut names: Vec<PathBuf> = fs::read_dir(&cache)
        .expect("it is there")
        .map(|it| it.expect("it can be read").path())
        .collect();
    names.sort();
    let [_, bytecode] = names.as_slice() else {
        panic!("{names:?}");
    };
    let record = venv.info("thing-1.0", "RECORD").expect("it is there");
    let name = bytecode
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    assert!(
        record.contains(&format!("thing/__pycache__/{name},,")),
        "{record}"
    );
    let text = "import thing.sub, os; print(thing.sub.__cached__); print(os.stat(thing.sub.__cached__).st_mtime_ns)";
    let before = fs::metadata(bytecode)
        .and_then(|it| it.modified())
        .expect("a time");
    let said = venv.program("python", &["-I", "-c", text]);
    assert!(said.contains(&name), "{said}");
    let after = fs::metadata(bytecode)
        .and_then(|it| it.modified())
        .expect("a time");
    assert_eq!(before, after, "Python found it good");
    // An edited source counts.
    fs::write(venv.site_packages().join("thing/sub.py"), "x = 'edited'\n")
        .expect("it can be written");
    assert_eq!(
        venv.python("import thing.sub; print(thing.sub.x)"),
        "edited"
    );
    assert!(venv.pip(&["uninstall", "-y", "thing"]).status.success());
    assert!(!cache.exists());
}

#[test]
fn installed_files_have_the_modes_that_the_umask_leaves() {
    let world = world();
    let venv = Venv::new(&world, "env");
    let wheel = venv.wheel(&tool("1.0"));
    venv.install(["--no-deps", &wheel])
        .holding("umask 027")
        .finish()
        .succeeds();
    let mode = |path: &Path| {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(&venv.site_packages().join("tool.py")), 0o640);
    assert_eq!(mode(&venv.root.join("bin/tool")), 0o750);
    assert_eq!(mode(&venv.root.join("share")), 0o750);
}

#[test]
fn an_upgrade_that_is_killed_leaves_the_old_version_or_the_new_one() {
    let world = world();
    let upgrade = Upgrade::new(&world);
    let moments = upgrade.moments();
    // The renames are where it can go wrong; the program `upgrades` tries many more of everything.
    let renames: Vec<_> = moments.iter().filter(|it| it.call == "rename").collect();
    let came: Vec<_> = (0..6)
        .map(|at| upgrade.interrupt(renames[at * (renames.len() - 1) / 5]))
        .collect();
    assert!(
        came.contains(&Became::Old) && came.contains(&Became::New),
        "{came:?}"
    );
    assert!(upgrade.repairs_ended() > 0, "no repair was killed");
}

#[test]
fn without_a_cache_an_installation_leaves_what_it_installed_and_nothing_else() {
    let world = world();
    serve(&world);
    let venv = Venv::new(&world, "env");
    world.index.sdist(&Sdist::hello("built", "1.0"));
    let done = venv.install(["built", "--no-cache", "-v"]).finish();
    done.succeeds();
    assert!(!world.cache().exists(), "{done}");
    let names: Vec<_> = fs::read_dir(&venv.root)
        .expect("it is there")
        .map(|it| it.expect("it can be read").file_name())
        .filter(|name| {
            !["bin", "include", "lib", "lib64", "pyvenv.cfg"]
                .iter()
                .any(|it| name == it)
        })
        .collect();
    assert!(names.is_empty(), "{names:?} {done}");
    assert_eq!(venv.listed().len(), 1);
}
