//! Environments that work: imports, programs, data, names.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::world::{Wheel, World, listing, run};
use crate::install::{discard_environment, environment_name, find_environment, site_packages};

fn tool() -> Wheel {
    Wheel::new("tool", "1.0")
        .with("tool/__init__.py", "VALUE = 42\n")
        .with(
            "tool/cli.py",
            "import sys\nclass App:\n    @staticmethod\n    def run():\n        print(sys.prefix, *sys.argv[1:])\n        return 0\n",
        )
        .entry_points("[console_scripts]\ntool = tool.cli:App.run [extra]\n")
}

/// Moves a folder; tests may, the program only publishes.
#[expect(
    clippy::disallowed_methods,
    reason = "the test moves an environment on purpose"
)]
fn shift(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap();
}

#[test]
fn an_environment_imports_its_packages_and_sees_no_others() {
    let world = World::new();
    let environment = world.install(&[&tool()]);
    let python = environment.path.join("bin/python");
    assert_eq!(
        run(&python, &["-c", "import tool; print(tool.VALUE)"]),
        "42"
    );
    let paths = run(
        &python,
        &[
            "-c",
            "import sys; print(sys.prefix); print(*[p for p in sys.path if 'packages' in p])",
        ],
    );
    let site = environment.path.join(site_packages(&world.facts));
    assert_eq!(
        paths,
        format!("{}\n{}", environment.path.display(), site.display())
    );
    let listed = run(
        &python,
        &[
            "-c",
            "from importlib.metadata import distributions as d; print(*[x.name if hasattr(x, 'name') else x.metadata['Name'] for x in d()])",
        ],
    );
    assert_eq!(listed, "tool");
    let scheme = run(
        &python,
        &[
            "-c",
            "import sysconfig; print(sysconfig.get_path('purelib'))",
        ],
    );
    assert_eq!(Path::new(&scheme), site);
}

#[test]
fn programs_find_the_python_beside_them_moved_linked_and_on_path() {
    let world = World::new();
    let environment = world.install(&[&tool()]);
    let program = environment.path.join("bin/tool");
    let here = environment.path.display().to_string();
    assert_eq!(run(&program, &["a b", "c"]), format!("{here} a b c"));
    let moved = world.path("a place with spaces, 'quotes' and $dollars");
    shift(&environment.path, &moved);
    let program = moved.join("bin/tool");
    assert_eq!(run(&program, &["x"]), format!("{} x", moved.display()));
    symlink(&program, world.path("absolute")).unwrap();
    symlink("absolute", world.path("relative")).unwrap();
    for link in ["absolute", "relative"] {
        assert_eq!(
            run(&world.path(link), &[]),
            moved.display().to_string(),
            "{link}"
        );
    }
    let found = std::process::Command::new("/bin/sh")
        .args(["-c", "tool by-path"])
        .env_clear()
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", moved.join("bin").display()),
        )
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&found.stdout).trim(),
        format!("{} by-path", moved.display())
    );
    let given = std::process::Command::new("/bin/sh")
        .args(["tool", "by-name"])
        .current_dir(moved.join("bin"))
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&given.stdout).contains("by-name"),
        "{given:?}"
    );
}

#[test]
fn scripts_for_python_are_rewritten_and_others_are_left_alone() {
    let world = World::new();
    let wheel = Wheel::new("scripts", "1")
        .raw(
            "scripts-1.data/scripts/old",
            b"#!python\n# -*- coding: latin-1 -*-\nfrom __future__ import division\nprint('caf\xe9', 1 / 2)\n",
            0o644,
        )
        .with("scripts-1.data/scripts/isolated", "#!python -I\nimport sys\nprint(sys.flags.isolated)\n")
        .with("scripts-1.data/scripts/shell", "#!/bin/sh\necho shell\n");
    let environment = world.install(&[&wheel]);
    let bin = environment.path.join("bin");
    let printed = std::process::Command::new(bin.join("old"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("PYTHONIOENCODING", "utf-8")
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&printed.stdout),
        "café 0.5\n",
        "{printed:?}"
    );
    assert_eq!(run(&bin.join("isolated"), &[]), "1");
    assert_eq!(run(&bin.join("shell"), &[]), "shell");
    let text = fs::read_to_string(bin.join("shell")).unwrap();
    assert_eq!(text, "#!/bin/sh\necho shell\n");
}

#[test]
fn data_goes_where_its_kind_says() {
    let world = World::new();
    let wheel = Wheel::new("Kinds", "1.5")
        .with("Kinds-1.5.data/purelib/pure.py", "")
        .raw("Kinds-1.5.data/platlib/lib.so", b"\x7fELF", 0o755)
        .with("Kinds-1.5.data/headers/kinds.h", "")
        .with("Kinds-1.5.data/data/share/man/kinds.1", "");
    let environment = world.install(&[&wheel]);
    let site = environment.path.join(site_packages(&world.facts));
    assert!(site.join("pure.py").is_file());
    assert_eq!(
        fs::metadata(site.join("lib.so"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o755
    );
    assert!(environment.path.join("share/man/kinds.1").is_file());
    let headers = environment.path.join("include/site");
    let version = fs::read_dir(headers)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    assert!(version.join("Kinds/kinds.h").is_file());
}

#[test]
fn what_is_installed_is_recorded_with_its_place() {
    let world = World::new();
    let environment = world.install(&[&tool()]);
    let info = environment
        .path
        .join(site_packages(&world.facts))
        .join("tool-1.0.dist-info");
    assert_eq!(
        fs::read_to_string(info.join("INSTALLER")).unwrap(),
        "fumehood\n"
    );
    let script = "
import base64, hashlib, importlib.metadata as m
for file in m.files('tool'):
    path = file.locate()
    if file.hash:
        want = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b'=').decode()
        assert file.hash.value == want and file.size == path.stat().st_size, file
    else:
        assert file.name == 'RECORD', file
    print(file.name, end=' ')
";
    let listed = run(&environment.path.join("bin/python"), &["-c", script]);
    for name in ["INSTALLER", "RECORD", "METADATA", "tool", "cli.py"] {
        assert!(
            listed.split(' ').any(|known| known == name),
            "{name} is missing in {listed}"
        );
    }
}

#[test]
fn modes_and_times_are_fixed_and_two_installations_are_alike() {
    let (one, two) = (World::new(), World::new());
    let wheel = tool().raw("tool/odd", b"x", 0o4777);
    let (first, second) = (one.install(&[&wheel]), two.install(&[&wheel]));
    assert_eq!(first.name, second.name);
    assert_eq!(listing(&first.path), listing(&second.path));
    for (path, mode, _) in listing(&first.path) {
        let about = fs::symlink_metadata(first.path.join(&path)).unwrap();
        assert_eq!(about.mtime(), 315_532_800, "{}", path.display());
        let expected = match about.file_type() {
            it if it.is_dir() => vec![0o755],
            it if it.is_symlink() => vec![0o777],
            _ => vec![0o644, 0o755],
        };
        assert!(
            expected.contains(&(mode & 0o7777)),
            "{} {mode:o}",
            path.display()
        );
    }
}

#[test]
fn the_name_depends_on_wheels_and_interpreter_and_not_on_order() {
    let world = World::new();
    let (a, b) = (world.input(&tool()), world.input(&Wheel::new("other", "2")));
    let name = |wheels: &[_], facts: &_| environment_name(wheels, facts);
    let both = name(&[a.clone(), b.clone()], &world.facts);
    assert_eq!(both, name(&[b.clone(), a.clone(), b.clone()], &world.facts));
    assert_ne!(both, name(std::slice::from_ref(&a), &world.facts));
    let mut facts = world.facts.clone();
    facts.soabi = Some("other".to_owned());
    assert_ne!(both, name(&[a.clone(), b.clone()], &facts));
    let mut facts = world.facts.clone();
    facts.executable = "/elsewhere/bin/python".into();
    assert_ne!(both, name(&[a, b], &facts));
}

#[test]
fn a_published_environment_is_found_by_name_until_it_is_damaged() {
    let world = World::new();
    let wheels = [&tool(), &Wheel::new("other", "2")];
    let environment = world.install(&wheels);
    assert_eq!(
        find_environment(&world.cache, &environment.name),
        Some(environment.clone())
    );
    let packages: Vec<_> = environment
        .packages
        .iter()
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    assert_eq!(packages, ["other 2", "tool 1.0"]);
    assert_eq!(
        world.install(&wheels),
        environment,
        "publishing twice is no error"
    );
    fs::remove_file(environment.path.join("bin/python")).unwrap();
    assert_eq!(find_environment(&world.cache, &environment.name), None);
    assert_eq!(
        world.install(&wheels),
        environment,
        "a damaged one is replaced"
    );
    assert_eq!(
        find_environment(&world.cache, &environment.name),
        Some(environment.clone())
    );
    discard_environment(&world.cache, &environment.name).unwrap();
    discard_environment(&world.cache, &environment.name).unwrap();
    assert_eq!(find_environment(&world.cache, &environment.name), None);
    assert!(!environment.path.exists());
}

#[test]
fn whatever_is_missing_cut_off_or_added_shows_and_the_environment_is_replaced() {
    type Damage = fn(&std::path::Path);
    let damages: [Damage; 6] = [
        |site| fs::remove_file(site.join("tool/__init__.py")).unwrap(),
        |site| fs::write(site.join("tool/__init__.py"), "").unwrap(),
        |site| fs::write(site.join("evil.pth"), "import os").unwrap(),
        |site| {
            fs::remove_file(site.join("tool/__init__.py")).unwrap();
            std::os::unix::fs::symlink("/etc/passwd", site.join("tool/__init__.py")).unwrap();
        },
        |site| fs::remove_dir_all(site.join("tool")).unwrap(),
        |site| {
            let record = site.ancestors().find_map(|it| {
                let record = it.join("environment.json");
                record.is_file().then_some(record)
            });
            fs::write(record.unwrap(), "{").unwrap();
        },
    ];
    for damage in damages {
        let world = World::new();
        let wheel = Wheel::new("tool", "1.0").with("tool/__init__.py", "x = 1\n");
        let environment = world.install(&[&wheel]);
        let name = &environment.name;
        assert!(world.is_untouched(&environment));
        damage(&environment.path.join(site_packages(&world.facts)));
        assert_eq!(find_environment(&world.cache, name), None);
        assert_eq!(world.install(&[&wheel]), environment, "it is made anew");
        assert_eq!(find_environment(&world.cache, name), Some(environment));
    }
}

#[test]
fn other_bytes_of_the_same_size_show_and_a_mere_touch_where_it_is_looked_for() {
    let world = World::new();
    let wheel = Wheel::new("tool", "1.0").with("tool/__init__.py", "x = 1\n");
    let environment = world.install(&[&wheel]);
    let file = environment
        .path
        .join(site_packages(&world.facts))
        .join("tool/__init__.py");
    let find = || find_environment(&world.cache, &environment.name);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    for _ in 0..2 {
        assert_eq!(
            find().as_ref(),
            Some(&environment),
            "the bytes are the same"
        );
    }
    assert!(!world.is_untouched(&environment));
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, "x = 2\n").unwrap();
    let handle = fs::File::options().write(true).open(&file).unwrap();
    handle.set_modified(modified).unwrap();
    assert_eq!(find(), None, "also after it was found whole in this run");
    let again = world.install(&[&wheel]);
    assert_eq!(fs::read(&file).unwrap(), b"x = 1\n", "it is made anew");
    assert!(world.is_untouched(&again));
    fs::remove_file(again.path.with_file_name("manifest.json")).unwrap();
    assert!(
        !world.is_untouched(&again) && find().is_none(),
        "without a manifest nobody knows"
    );
}

#[test]
fn an_environment_that_was_copied_is_known_by_its_bytes() {
    let world = World::new();
    let wheel = Wheel::new("tool", "1.0").with("tool/__init__.py", "x = 1\n");
    let environment = world.install(&[&wheel]);
    let copy = world.cache.root().with_file_name("copy");
    let done = std::process::Command::new("cp")
        .args([
            "-a".as_ref(),
            world.cache.root().as_os_str(),
            copy.as_os_str(),
        ])
        .status();
    assert!(done.unwrap().success());
    let cache = cache::Cache::open(&copy).unwrap();
    let found = find_environment(&cache, &environment.name).unwrap();
    assert!(found.path.starts_with(&copy), "{found:?}");
    let file = found
        .path
        .join(site_packages(&world.facts))
        .join("tool/__init__.py");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&file, "x = 2\n").unwrap();
    assert_eq!(find_environment(&cache, &environment.name), None);
}

#[test]
fn nothing_is_left_of_an_environment_that_was_not_published() {
    let world = World::new();
    let staged = world.stage(&[&tool()]).unwrap();
    let root = staged.root().to_owned();
    assert!(root.is_dir());
    drop(staged);
    assert!(!root.exists());
}

#[test]
fn equal_files_of_two_wheels_live_together() {
    let world = World::new();
    let shared = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n";
    let one = Wheel::new("one", "1")
        .with("space/__init__.py", shared)
        .with("space/one.py", "");
    let two = Wheel::new("two", "1")
        .with("space/__init__.py", shared)
        .with("space/two.py", "");
    let environment = world.install(&[&one, &two]);
    run(
        &environment.path.join("bin/python"),
        &["-c", "import space.one, space.two"],
    );
}
