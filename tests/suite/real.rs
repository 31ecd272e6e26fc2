//! Real packages from the public index, fetched beforehand by digest: they build, install and import.

use std::process::Command;

use tests::{Setting, World};

use crate::site;

#[test]
fn real_packages_build_install_and_import() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.real(site().inputs());
        let done = world
            .wheels([
                "docopt==0.6.2",
                "six==1.17.0",
                "markupsafe==3.0.2",
                "attrs==25.3.0",
            ])
            .finish();
        done.succeeds();
        let report = done.report();
        assert_eq!(report.wheels.len(), 4, "{done}");
        for wheel in &report.wheels {
            assert_eq!(wheel.origin, "built", "{done}");
            let isolation = wheel
                .isolation
                .as_ref()
                .expect("a built wheel tells its isolation");
            assert_eq!(isolation.level, setting.level().word(), "{done}");
            done.holds(wheel);
            let touches = |denial: &tests::Denial| denial.what.starts_with("decoy-");
            assert!(!wheel.denials.iter().any(touches), "{done}");
        }
        let again = world
            .wheels(["docopt==0.6.2", "markupsafe==3.0.2"])
            .finish();
        again.succeeds();
        assert!(
            again
                .report()
                .wheels
                .iter()
                .all(|wheel| wheel.origin == "cached"),
            "{again}"
        );
        imports(&world);
    }
}

/// Installs what was delivered with pip, offline, and imports it.
fn imports(world: &World<'_>) {
    let python = &world.python().path;
    let target = world.folder("installed");
    let run = |command: &mut Command| {
        let output = command.current_dir("/").output().expect("Python starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    run(Command::new(python)
        .args([
            "-I",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-index",
            "--no-deps",
            "--target",
        ])
        .arg(&target)
        .args(world.delivered().iter().map(|name| world.out().join(name))));
    let code = "import sys; sys.path.insert(0, sys.argv[1]); import docopt, six, markupsafe._speedups, attrs; \
                assert attrs.__file__.startswith(sys.argv[1])";
    run(Command::new(python).args(["-I", "-c", code]).arg(&target));
}
