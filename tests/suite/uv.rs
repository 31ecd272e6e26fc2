//! What uv says of environments that the program filled, and the program of those that uv filled.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Output;

use tests::{Sdist, Venv, Wheel};

use crate::world;

#[track_caller]
fn good(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What uv lists, by lower-case name.
#[track_caller]
fn listed(venv: &Venv<'_, '_>) -> BTreeMap<String, String> {
    let text = good(&venv.uv(["list", "--format", "json"]));
    let all: Vec<BTreeMap<String, String>> = serde_json::from_str(&text).expect("uv lists JSON");
    let of = |one: &BTreeMap<String, String>| (one["name"].clone(), one["version"].clone());
    all.iter().map(of).collect()
}

/// A package with a program, data, headers, a module in a folder, and a dependency.
fn rich(version: &str, needs: &str) -> Wheel {
    Wheel::new("rich", version)
        .file("rich/__init__.py", "")
        .file("rich/part/inner.py", "x = 1\n")
        .file("rich.py", "def main(): print('here')\n")
        .file(
            &format!("rich-{version}.data/data/share/rich/note.txt"),
            version,
        )
        .file(
            &format!("rich-{version}.data/headers/rich.h"),
            "#define RICH\n",
        )
        .file(
            &format!("rich-{version}.data/scripts/rich-script"),
            "#!python\nprint('script')\n",
        )
        .file(
            &format!("rich-{version}.dist-info/entry_points.txt"),
            "[console_scripts]\nrich = rich:main\n",
        )
        .header(&format!("Requires-Dist: {needs}"))
}

#[test]
fn what_is_installed_uv_lists_checks_and_uninstalls_without_a_trace() {
    let world = world();
    world.index.wheel(&Wheel::new("base", "1.0"));
    world.index.wheel(&rich("1.0", "base"));
    world.index.sdist(&Sdist::hello("built", "1.0"));
    let venv = Venv::new(&world, "env");
    let before = venv.everything();
    let folder = world.lay("work/tree", &Sdist::hello("placed", "2.0"));
    let place = folder.display().to_string();
    for bytecode in [&[][..], &["--compile-bytecode"]] {
        let install = venv.install(["rich", "built", &place]).args(bytecode);
        let done = install.finish();
        done.succeeds();
        assert_eq!(listed(&venv).len(), 4, "{done}");
        assert_eq!(listed(&venv), venv.listed(), "{done}");
        good(&venv.uv(["check"]));
        // What was installed from a folder is known by it.
        let frozen = good(&venv.uv(["freeze"]));
        assert!(
            frozen.contains(&format!("placed @ file://{place}")),
            "{frozen}"
        );
        good(&venv.uv(["uninstall", "base"]));
        assert!(!venv.uv(["check"]).status.success(), "rich lacks base");
        good(&venv.uv(["uninstall", "rich", "built", "placed"]));
        assert!(listed(&venv).is_empty(), "{done}");
        let left = venv.everything();
        let more: BTreeSet<_> = left
            .keys()
            .filter(|path| !before.contains_key(*path) && *path != ".lock")
            .collect();
        // `.lock` is uv's own; it leaves folders outside of the place of packages.
        assert!(
            more.iter().all(|path| left[*path] == b"folder"),
            "{more:?}: {done}"
        );
        let lost: Vec<_> = before
            .keys()
            .filter(|path| left.get(*path) != before.get(*path))
            .collect();
        assert!(
            lost.iter().all(|path| path.ends_with("/site-packages")),
            "{lost:?}: {done}"
        );
    }
}

#[test]
fn what_uv_installed_is_brought_up_to_date_and_the_other_way_round() {
    let world = world();
    for version in ["1.0", "2.0", "3.0"] {
        world.index.wheel(&Wheel::new("base", version));
        world.index.wheel(&rich(version, "base"));
    }
    let venv = Venv::new(&world, "env");
    let wheel = |version| venv.wheel(&rich(version, "base"));
    let (first, last) = (wheel("1.0"), wheel("3.0"));
    let base = venv.wheel(&Wheel::new("base", "1.0"));
    good(&venv.uv(["install", "--no-deps", &first, &base]));
    assert_eq!(listed(&venv)["rich"], "1.0");
    let done = venv.install(["rich==2.0"]).finish();
    done.succeeds();
    assert_eq!(listed(&venv), venv.listed(), "{done}");
    assert_eq!(venv.listed()["rich"], "2.0", "{done}");
    assert_eq!(venv.listed()["base"], "1.0", "what fits stays: {done}");
    assert_eq!(venv.program("rich-script", &[]), "script", "{done}");
    let traces = |version: &str| {
        let all = venv.everything().into_keys();
        all.filter(|path| path.contains(version)).count()
    };
    assert_eq!(traces("rich-1.0"), 0, "{done}");
    good(&venv.uv(["install", "--no-deps", &last]));
    assert_eq!(venv.listed()["rich"], "3.0");
    assert_eq!(traces("rich-2.0"), 0);
    assert_eq!(venv.info("rich-3.0", "INSTALLER").as_deref(), Some("uv"));
    // Nothing is left to do.
    let done = venv.install(["rich==3.0"]).finish();
    done.succeeds();
    assert_eq!(
        venv.info("rich-3.0", "INSTALLER").as_deref(),
        Some("uv"),
        "{done}"
    );
}
