//! Caches that are only read: what comes from them, also where they were moved to, and what is made anew above them.

use std::path::Path;

use model::Code;
use serde_json::json;
use tests::decoy::{changes, states};
use tests::{Run, Sdist, Setting, Wheel, World, search};

use crate::{site, world};

/// A project whose build needs another one from the index.
fn needing() -> Sdist {
    Sdist::hello("needing", "1.0")
        .requires(&["base"])
        .prologue("import base")
}

#[test]
fn a_lower_cache_serves_wheels_sources_and_environments_also_where_it_was_moved_to() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.wheel(&Wheel::new("base", "1.0"));
        let sdist = needing();
        world.index.sdist(&sdist);
        world.wheel("needing==1.0").finish().built(&sdist.wheel());
        let moved = world.move_cache("elsewhere");
        let before = states(&moved);
        let run = |arguments: &[&str]| {
            world
                .wheel("needing==1.0")
                .flag("--cache-readonly", &moved)
                .args(arguments)
                .finish()
        };
        let asked = |path: &str| world.index.requests(path);
        let files = [
            "/files/needing-1.0.tar.gz",
            "/files/base-1.0-py3-none-any.whl",
        ];
        let counts = files.map(asked);
        run(&[]).cached(&sdist.wheel());
        // Another build of the same source: its blob and its environment come from below.
        run(&["-C", "other=1"]).built(&sdist.wheel());
        assert_eq!(files.map(asked), counts, "nothing was fetched again");
        let environments = world.cache().join("environments-v1");
        assert_eq!(
            std::fs::read_dir(environments).expect("a bucket").count(),
            0
        );
        assert_eq!(
            changes(&before, &states(&moved)),
            Vec::<String>::new(),
            "{setting}"
        );
    }
}

#[test]
fn what_is_damaged_below_is_healed_above() {
    let world = world();
    world.index.wheel(&Wheel::new("base", "1.0"));
    let sdist = needing();
    world.index.sdist(&sdist);
    world.wheel("needing==1.0").finish().built(&sdist.wheel());
    let lower = world.move_cache("lower");
    let mut damaged = 0;
    for path in search::files(&lower) {
        let inside = path.strip_prefix(&lower).expect("it lies there");
        let is_link = path.is_symlink();
        if inside.components().count() > 1 && !inside.starts_with("locks-v1") && !is_link {
            let content = std::fs::read(&path).expect("an own file");
            std::fs::write(&path, vec![b'x'; content.len() + 1]).expect("an own file");
            damaged += 1;
        }
    }
    assert!(damaged > 10, "{damaged}");
    let before = states(&lower);
    let run = || {
        world
            .wheel("needing==1.0")
            .flag("--cache-readonly", &lower)
            .finish()
    };
    run().built(&sdist.wheel());
    assert_eq!(changes(&before, &states(&lower)), Vec::<String>::new());
    run().cached(&sdist.wheel());
    for bucket in [
        "sources-v1",
        "downloads-v1",
        "environments-v1",
        "wheels-v1",
        "pointers-v1",
        "revisions-v1",
    ] {
        let healed = search::files(&world.cache().join(bucket));
        assert!(!healed.is_empty(), "{bucket}");
    }
}

#[test]
fn a_lower_cache_that_others_can_write_is_refused() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    let lower = world.move_cache("lower");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&lower, mode).expect("an own folder");
    world
        .build(&sdist)
        .flag("--cache-readonly", &lower)
        .finish_anyhow()
        .exits_with(Code::CacheRefused);
}

#[test]
fn a_c_extension_is_built_offline_between_two_moves_of_the_root_and_above_it_as_a_lower_one() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.real(site().inputs());
        let spec = "markupsafe==3.0.2";
        world.wheel(spec).finish().succeeds();
        let run = |root: &Path, purpose: &str| {
            let run = world.wheel(spec).set("--cache-dir", root);
            run.args(["--offline", "-C", purpose])
        };
        let builds = |run: Run<'_, '_>| {
            let done = run.finish();
            let wheel = done.wheel();
            assert_eq!(wheel.origin, "built", "{done}");
            // Without a compiler this project makes do with Python alone.
            let members = search::members(&world.out().join(&wheel.filename));
            let is_compiled = members
                .iter()
                .any(|name| name.contains("/_speedups.") && name.ends_with(".so"));
            assert!(is_compiled, "{done}");
            assert!(!wheel.filename.ends_with("-none-any.whl"), "{done}");
        };
        let first = world.move_cache("first");
        builds(run(&first, "purpose=1"));
        let second = world.cache_at("second");
        rustix::fs::rename(&first, &second).expect("an own folder");
        builds(run(&second, "purpose=2"));
        let before = states(&second);
        let above = run(&world.cache_at("upper"), "purpose=3");
        builds(above.flag("--cache-readonly", &second));
        assert_eq!(changes(&before, &states(&second)), Vec::<String>::new());
    }
}

#[test]
fn doctor_shows_where_scratches_are_and_what_is_below() {
    let world = world();
    let scratch = world.folder("scratch");
    let sdist = Sdist::hello("hello", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    let lower = world.move_cache("lower");
    let done = world
        .run(["doctor", "--output-format", "json", "--default-index"])
        .args([world.index.url()])
        .flag("--cache-dir", world.cache())
        .flag("--scratch-dir", &scratch)
        .flag("--cache-readonly", &lower)
        .flag("-p", &world.python().path)
        .finish();
    done.succeeds();
    let found: serde_json::Value = serde_json::from_str(&done.stdout).expect("one document");
    let cache = &found["cache"];
    assert_eq!(cache["scratches"], scratch.display().to_string());
    assert_eq!(cache["scratches_noexec"], false);
    assert_eq!(cache["read_only"], json!([lower]));
}
