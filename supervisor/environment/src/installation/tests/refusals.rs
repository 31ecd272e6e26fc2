//! What is refused, and what a stranger's RECORD can not have done.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use model::Code;

use super::{Env, Session, TargetError, Wheel, rich};

#[test]
fn a_file_that_somebody_else_has_is_not_replaced_unless_it_is_the_same() {
    let env = Env::new();
    env.install(&[&Wheel::new("first", "1").with("common/x.py", "1")]);
    let error = env.refuses(&[&Wheel::new("second", "1").with("common/x.py", "2")]);
    assert!(
        matches!(&error, TargetError::Conflict { there, .. } if there.contains("first-1.dist-info")),
        "{error}"
    );
    env.install(&[&Wheel::new("second", "1").with("common/x.py", "1")]);
    // Both have it now: it goes with neither of them alone.
    let changes = env.install(&[&Wheel::new("second", "2")]);
    assert_eq!(changes[0].notes.len(), 1, "{changes:?}");
    assert!(env.site().join("common/x.py").is_file());
}

#[test]
fn a_file_of_nobody_s_is_not_replaced() {
    let env = Env::new();
    fs::write(env.root.join("bin/rich"), "mine").unwrap();
    let error = env.refuses(&[&rich("1.0")]);
    assert_eq!(error.code(), Code::FileConflict);
    for path in ["pyvenv.cfg", "bin/python", "bin"] {
        let data = format!("bad-1.data/data/{path}");
        env.refuses(&[&Wheel::new("bad", "1").with(&data, "x")]);
    }
}

#[test]
fn two_wheels_of_one_run_that_want_one_place_are_refused_together() {
    let env = Env::new();
    let one = Wheel::new("one", "1").with("x.py", "1");
    env.refuses(&[&one, &Wheel::new("two", "1").with("x.py", "2")]);
    env.refuses(&[&one, &Wheel::new("two", "1").with("x.py/y", "2")]);
}

#[test]
fn links_in_the_environment_are_not_followed() {
    let env = Env::new();
    let outside = env.world.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("__init__.py"), "outside").unwrap();
    symlink(&outside, env.site().join("rich")).unwrap();
    let error = env.refuses(&[&rich("1.0")]);
    assert!(matches!(error, TargetError::Linked { .. }), "{error}");
    fs::remove_file(env.site().join("rich")).unwrap();
    // A version is installed, and then somebody puts a link in place of its folder.
    env.install(&[&rich("1.0")]);
    rustix::fs::rename(env.site().join("rich"), env.world.path("moved")).unwrap();
    symlink(&outside, env.site().join("rich")).unwrap();
    env.refuses(&[&rich("2.0")]);
    env.install(&[&Wheel::new("rich", "3.0")]);
    assert_eq!(
        fs::read_to_string(outside.join("__init__.py")).unwrap(),
        "outside"
    );
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

#[test]
fn a_record_that_names_what_is_not_its_own_takes_nothing_with_it() {
    let env = Env::new();
    env.install(&[&rich("1.0")]);
    let victim = env.world.path("victim");
    fs::write(&victim, "victim").unwrap();
    let info = env.site().join("evil-1.dist-info");
    fs::create_dir(&info).unwrap();
    fs::write(
        info.join("METADATA"),
        "Metadata-Version: 2.1\nName: evil\nVersion: 1\n",
    )
    .unwrap();
    let rows = [
        "../../../../victim,,",
        "../../../pyvenv.cfg,,",
        "../../../bin/python,,",
        "rich/__init__.py,,",
        "rich-1.0.dist-info/RECORD,,",
        "../../..,,",
        "/etc/passwd,,",
        "rich,,",
        ",,",
        "\"unclosed",
    ];
    fs::write(info.join("RECORD"), rows.join("\n")).unwrap();
    env.install(&[&Wheel::new("evil", "2")]);
    assert!(victim.is_file() && env.root.join("pyvenv.cfg").is_file());
    assert!(env.root.join("bin/python").exists());
    assert!(env.site().join("rich/__init__.py").is_file());
    assert!(env.site().join("rich-1.0.dist-info/RECORD").is_file());
    assert!(!info.exists());
}

#[test]
fn what_left_no_record_is_not_replaced() {
    let env = Env::new();
    let site = env.site();
    let of_distutils = site.join("rich-0.9.egg-info");
    fs::write(&of_distutils, "Name: rich\nVersion: 0.9\n").unwrap();
    assert_eq!(env.refuses(&[&rich("1.0")]).code(), Code::Unremovable);
    fs::remove_file(&of_distutils).unwrap();
    fs::write(site.join("rich.egg-link"), "/somewhere\n.").unwrap();
    assert_eq!(env.refuses(&[&rich("1.0")]).code(), Code::Unremovable);
    fs::remove_file(site.join("rich.egg-link")).unwrap();
    fs::create_dir(site.join("rich-0.9.dist-info")).unwrap();
    assert_eq!(env.refuses(&[&rich("1.0")]).code(), Code::Unremovable);
}

#[test]
fn a_journal_that_no_installer_wrote_is_refused() {
    let env = Env::new();
    fs::create_dir(env.root.join(".fumehood")).unwrap();
    let journal = env.root.join(".fumehood/journal.json");
    for steps in [
        r#"[{"put": {"path": "../../outside"}}]"#,
        r#"[{"take": {"path": "/etc/passwd", "kept": 1}}]"#,
        "[]",
    ] {
        let text = format!(
            r#"{{"schema": "fumehood/installation/1", "entries": [{{"number": 0, "steps": {steps}, "commit": 0, "emptied": []}}]}}"#
        );
        fs::write(&journal, text).unwrap();
        let error = Session::begin(&env.target, Duration::ZERO, &mut || {}).unwrap_err();
        assert_eq!(error.code(), Code::HalfInstalled, "{error}");
    }
    fs::remove_file(&journal).unwrap();
    assert!(env.session().is_repaired());
    assert!(!env.root.join(".fumehood").exists());
}

#[test]
fn a_second_run_waits_for_the_first() {
    let env = Env::new();
    let session = env.session();
    let mut waited = false;
    let second = Session::begin(&env.target, Duration::from_millis(50), &mut || {
        waited = true
    });
    assert_eq!(second.unwrap_err().code(), Code::LockTimeout);
    assert!(waited);
    std::thread::scope(|scope| {
        let (told, heard) = std::sync::mpsc::channel();
        let target = &env.target;
        let second = scope.spawn(move || {
            let mut tell = || told.send(()).unwrap();
            Session::begin(target, Duration::from_secs(60), &mut tell).unwrap()
        });
        heard.recv().unwrap();
        drop(session);
        drop(second.join().unwrap());
    });
    assert!(!env.root.join(".fumehood.lock").exists());
}
