//! What is there after an installation, and what of an old version is not.

use std::fs;

use super::{Env, Wheel, everything, rich};
use crate::install::tests::world::run;

#[test]
fn a_package_comes_with_its_programs_data_headers_and_record() {
    let env = Env::new();
    let changes = env.install(&[&rich("1.0")]);
    assert_eq!(
        (changes[0].version.to_string(), changes[0].replaced.len()),
        ("1.0".into(), 0)
    );
    for program in ["rich", "run-rich"] {
        assert_eq!(run(&env.root.join("bin").join(program), &[]), "1.0");
        let text = fs::read_to_string(env.root.join("bin").join(program)).unwrap();
        let python = env.root.join("bin/python");
        assert!(
            text.starts_with(&format!("#!{}\n", python.display())),
            "{text}"
        );
    }
    assert_eq!(run(&env.root.join("bin/shell-rich"), &[]), "rich");
    let library = env.site();
    let version = library
        .parent()
        .unwrap()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let header = env.root.join(format!("include/site/{version}/rich/rich.h"));
    assert_eq!(fs::read_to_string(header).unwrap(), "1.0");
    assert_eq!(
        fs::read_to_string(env.root.join("share/rich/version.txt")).unwrap(),
        "1.0"
    );
    let info = library.join("rich-1.0.dist-info");
    assert_eq!(
        fs::read_to_string(info.join("INSTALLER")).unwrap(),
        "fumehood\n"
    );
    assert_eq!(fs::read_to_string(info.join("REQUESTED")).unwrap(), "");
    let record = fs::read_to_string(info.join("RECORD")).unwrap();
    for row in [
        "../../../bin/rich,",
        "../../../share/rich/version.txt,",
        "rich_pure.py,",
        "rich-1.0.dist-info/RECORD,,",
        "rich-1.0.dist-info/REQUESTED,",
    ] {
        assert!(
            record.lines().any(|line| line.starts_with(row)),
            "{row}: {record}"
        );
    }
    assert!(!env.root.join(".fumehood").exists() && !env.root.join(".fumehood.lock").exists());
}

#[test]
fn after_an_upgrade_everything_is_as_if_the_old_version_had_never_been() {
    let (env, fresh) = (Env::new(), Env::new());
    env.install(&[
        &rich("1.0"),
        &Wheel::new("other", "1").with("shared/of_other.py", ""),
    ]);
    fresh.install(&[
        &Wheel::new("other", "1").with("shared/of_other.py", ""),
        &rich("2.0"),
    ]);
    // Python has compiled some of it meanwhile.
    let cache = env.site().join("rich/__pycache__");
    fs::create_dir(&cache).unwrap();
    fs::write(cache.join("same.cpython-311.pyc"), "").unwrap();
    fs::create_dir(env.site().join("shared/__pycache__")).unwrap();
    fs::write(
        env.site()
            .join("shared/__pycache__/of_rich.cpython-311.opt-1.pyc"),
        "",
    )
    .unwrap();
    let changes = env.install(&[&rich("2.0")]);
    assert_eq!(changes[0].replaced, ["1.0"]);
    let strip = |env: &Env| -> Vec<(String, String)> {
        let root = env.root.display().to_string();
        let all = everything(&env.root).into_iter();
        all.filter(|(path, _)| !path.ends_with("RECORD"))
            .map(|(path, text)| (path, text.replace(&root, "ROOT")))
            .collect()
    };
    assert_eq!(strip(&env), strip(&fresh));
    assert_eq!(run(&env.root.join("bin/rich"), &[]), "2.0");
}

#[test]
fn the_same_version_again_mends_what_was_changed() {
    let env = Env::new();
    env.install(&[&rich("1.0")]);
    let before = everything(&env.root);
    fs::write(env.site().join("rich/__init__.py"), "broken").unwrap();
    fs::remove_file(env.site().join("rich/same.py")).unwrap();
    env.install(&[&rich("1.0")]);
    assert_eq!(everything(&env.root), before);
}

#[test]
fn files_that_nobody_recorded_stay_beside_the_new_version() {
    let env = Env::new();
    env.install(&[&rich("1.0")]);
    fs::write(env.site().join("rich/notes.txt"), "mine").unwrap();
    env.install(&[&rich("2.0")]);
    assert_eq!(
        fs::read_to_string(env.site().join("rich/notes.txt")).unwrap(),
        "mine"
    );
    assert!(!env.site().join("rich/only_1_0.py").exists());
    assert!(env.site().join("rich/only_2_0.py").exists());
}

#[test]
fn a_module_may_become_a_package_and_back() {
    let env = Env::new();
    let module = Wheel::new("turn", "1").with("turn.py", "kind = 'module'\n");
    let package = Wheel::new("turn", "2")
        .with("turn/__init__.py", "")
        .with("turn.txt/x", "");
    env.install(&[&module.clone().with("turn.txt", "")]);
    env.install(&[&package]);
    assert!(
        env.site().join("turn/__init__.py").is_file() && env.site().join("turn.txt/x").is_file()
    );
    assert!(!env.site().join("turn.py").exists());
    env.install(&[&module.with("turn.txt", "")]);
    assert!(env.site().join("turn.txt").is_file() && !env.site().join("turn").exists());
}

#[test]
fn a_file_may_move_from_one_package_to_another_that_come_together() {
    let env = Env::new();
    let whole = Wheel::new("whole", "1")
        .with("lib/a.py", "1")
        .with("lib/b.py", "1");
    env.install(&[&whole]);
    let rest = Wheel::new("whole", "2").with("lib/a.py", "2");
    let part = Wheel::new("part", "2").with("lib/b.py", "2");
    for order in [[&part, &rest], [&rest, &part]] {
        let env = Env::new();
        env.install(&[&whole]);
        env.install(&order);
        let text = |name: &str| fs::read_to_string(env.site().join("lib").join(name)).unwrap();
        assert_eq!((text("a.py"), text("b.py")), ("2".into(), "2".into()));
    }
}

#[test]
fn programs_start_wherever_the_environment_lies() {
    for name in ["with space", &"long".repeat(40), "o'brien"] {
        let env = Env::named(name);
        env.install(&[&rich("1.0")]);
        for program in ["rich", "run-rich"] {
            assert_eq!(
                run(&env.root.join("bin").join(program), &[]),
                "1.0",
                "{name}"
            );
        }
    }
}

#[test]
fn a_plain_folder_takes_packages_too() {
    let env = Env::new();
    let (found, facts) = crate::interpreter::tests::real_python();
    let folder = env.world.path("plain/target");
    let target = super::Target::folder(&folder, &found).unwrap();
    for version in ["1.0", "2.0"] {
        let session =
            super::Session::begin(&target, std::time::Duration::ZERO, &mut || {}).unwrap();
        let prepared = session
            .prepare(&env.wanted(&[&rich(version)]), &facts)
            .unwrap();
        prepared.install().unwrap();
        drop(session);
        let text = format!(
            "import sys; sys.path.insert(0, {:?}); import rich; print(rich.version)",
            folder.display().to_string()
        );
        assert_eq!(run(&facts.executable, &["-I", "-c", &text]), version);
    }
    assert!(folder.join("bin/rich").is_file() && folder.join("share/rich/version.txt").is_file());
    assert!(
        !folder.join("rich-1.0.dist-info").exists() && !folder.join("rich/only_1_0.py").exists()
    );
    let record = fs::read_to_string(folder.join("rich-2.0.dist-info/RECORD")).unwrap();
    assert!(
        record.lines().any(|line| line.starts_with("bin/rich,")),
        "{record}"
    );
}
