//! Further build requirements at the version of the run time, wherever versions are chosen: by resolving, by a lock, with
//! what is installed already; and `fetch` and `lock-build` beside `wheel`.

use std::path::Path;

use model::Code;
use tests::search::{member, sha256};
use tests::{Outcome, Sdist, Venv, Wheel, World};

use crate::dependencies::{builds, made, open, secretive, whole};
use crate::world;

/// The app is built with the base that it runs with.
const MATCHED: [&str; 2] = ["--extra-build-dep", "app:base@match-runtime"];

/// A project whose wheel tells which base it was built with.
fn app() -> Sdist {
    open("app", "1.0", &["base<2"]).hooks(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
         import base\n    \
         return wheel_file.write(wheel_directory, *project(), files={'told.txt': base.version.encode()})",
    )
}

/// Serves three versions of a base, two of which fit, and the app.
fn serve(world: &World<'_>) {
    for version in ["1.0", "1.5", "2.0"] {
        world.index.wheel(&Wheel::new("base", version));
    }
    world.index.sdist(&app());
}

/// Returns which base the app in this folder was built with.
fn told(folder: &Path) -> String {
    let wheel = folder.join("app-1.0-py3-none-any.whl");
    String::from_utf8(member(&wheel, "told.txt")).expect("it is text")
}

/// The same of the app that is installed.
fn told_in(venv: &Venv<'_, '_>) -> String {
    venv.python(
        "import importlib.metadata as it; print(it.distribution('app').locate_file('told.txt').read_text())",
    )
}

/// A lock of the app and of one base.
fn lock(world: &World<'_>, version: &str) {
    let (app, base) = (app(), Wheel::new("base", version));
    let text = format!(
        "lock-version = '1.0'\ncreated-by = 'a test'\n[[packages]]\nname = 'app'\nversion = '1.0'\nsdist = {{ url = '{}', hashes = {{ sha256 = '{}' }} }}\n[[packages]]\nname = 'base'\nversion = '{version}'\nwheels = [{{ url = '{}', hashes = {{ sha256 = '{}' }} }}]\n",
        world.index.file_url(&app.filename("tar.gz")),
        sha256(&app.tar_gz()),
        world.index.file_url(&base.filename()),
        sha256(&base.pack()),
    );
    world.file("work/pylock.toml", text);
}

#[test]
fn a_further_build_requirement_can_have_the_version_of_the_run_time() {
    let world = world();
    serve(&world);
    world.lay("work/tree", &app());
    let told = || told(&world.out());
    let run = |words: &[&str], extra: &str| {
        let run = whole(&world, words).args(["--extra-build-dep", extra]);
        run.finish_anyhow()
    };
    run(&["app"], "app:base").succeeds();
    assert_eq!(told(), "2.0", "by itself it is the newest");
    let matched = MATCHED[1];
    for (words, version, origin) in [
        (&["app"][..], "1.5", "built"),
        (&["app", "base<1.5"], "1.0", "built"),
        (&["app"], "1.5", "cached"),
        (&["./tree", "base<1.2"], "1.0", "built"),
    ] {
        let outcome = run(words, matched);
        let made = made(outcome.succeeds());
        assert!(made.contains(&format!("app 1.0 {origin}")), "{outcome}");
        assert!(
            made.contains(&format!("base {version} downloaded")),
            "{outcome}"
        );
        assert_eq!(told(), version, "{outcome}");
    }
    // The file that a project keeps says it too; what a version of its own says is the same wheel.
    world.file(
        "work/fumehood.toml",
        "[extra-build-dependencies]\napp = ['base@match-runtime']\n",
    );
    let outcome = whole(&world, &["app"]).finish();
    assert!(
        made(outcome.succeeds()).contains(&"app 1.0 cached".to_owned()),
        "{outcome}"
    );
    world.file("work/fumehood.toml", "");
    let outcome = run(&["app"], "app:base==1.5");
    assert!(
        made(outcome.succeeds()).contains(&"app 1.0 cached".to_owned()),
        "{outcome}"
    );
    // Where nothing is resolved, or nothing of that name, nothing is guessed and nothing runs.
    let before = builds(&world);
    world.index.sdist(&secretive("silent", "1.0", &["base"]));
    for (words, extra, said) in [
        (&["app", "--no-deps"][..], matched, "none is chosen yet"),
        (
            &["silent"],
            "silent:base@match-runtime",
            "none is chosen yet",
        ),
        (
            &["app"],
            "app:other@match-runtime",
            "it is not among what was chosen",
        ),
    ] {
        let outcome = run(words, extra);
        outcome.says(Code::BuildRequires);
        assert!(outcome.stderr.contains(said), "{outcome}");
    }
    let built = world
        .run(["build", "./tree"])
        .args(["--extra-build-dep", matched]);
    let outcome = built.places().report().finish_anyhow();
    outcome.says(Code::BuildRequires);
    assert_eq!(builds(&world), before, "{outcome}");
}

#[test]
fn after_a_fetch_what_is_built_with_the_version_of_the_run_time_is_made_without_a_request() {
    for (words, version) in [
        (&["app"][..], "1.5"),
        (&["-r", "r.txt", "base<1.5"], "1.0"),
        (&["-r", "pylock.toml"], "1.0"),
    ] {
        let world = world();
        serve(&world);
        lock(&world, "1.0");
        world.file("work/r.txt", "app\n");
        let fetch = world.run(["fetch"]).args(words).args(MATCHED);
        let fetched = fetch.places().report().finish();
        fetched.succeeds();
        let answer: serde_json::Value =
            serde_json::from_str(&fetched.stdout).expect("the answer is JSON");
        let all = answer["fetched"].as_array().expect("a list");
        let of = all.iter().find(|one| one["name"] == "app");
        let of = of.expect("the app was fetched");
        assert_eq!(of["build_requires"]["base"], version, "{fetched}");
        let before = world.index.all_requests().len();
        let done = whole(&world, words).args(MATCHED).args(["--offline"]);
        let done = done.finish();
        let wheels = made(done.succeeds());
        assert!(wheels.contains(&"app 1.0 built".to_owned()), "{done}");
        assert_eq!(world.index.all_requests().len(), before, "{done}");
        assert_eq!(told(&world.out()), version, "{done}");
    }
}

#[test]
fn a_lock_has_chosen_the_version_of_the_run_time() {
    let world = world();
    serve(&world);
    for (version, origin) in [("1.0", "built"), ("1.5", "built"), ("1.0", "cached")] {
        lock(&world, version);
        let done = whole(&world, &["-r", "pylock.toml"]).args(MATCHED).finish();
        let wheels = made(done.succeeds());
        assert!(wheels.contains(&format!("app 1.0 {origin}")), "{done}");
        assert_eq!(told(&world.out()), version, "{done}");
    }
    let venv = Venv::new(&world, "env");
    let install = venv.install(["-r", "pylock.toml"]).args(MATCHED);
    install.finish().succeeds();
    assert_eq!(told_in(&venv), "1.0");
    // What the lock does not hold is guessed by nobody.
    let before = builds(&world);
    let other = ["--extra-build-dep", "app:other@match-runtime"];
    let done = whole(&world, &["-r", "pylock.toml", "--no-deps"]).args(other);
    let done = done.args(["--config-setting", "a=b"]).finish_anyhow();
    done.says(Code::BuildRequires);
    assert!(
        done.stderr.contains("it is not among what was chosen"),
        "{done}"
    );
    assert_eq!(builds(&world), before, "{done}");
}

#[test]
fn what_is_installed_already_counts_for_the_version_of_the_run_time() {
    let world = world();
    serve(&world);
    for (number, flags) in [&[][..], &["-U"], &["--reinstall"]].into_iter().enumerate() {
        let venv = Venv::new(&world, &format!("env{number}"));
        venv.install(["base==1.5"]).finish().succeeds();
        let install = venv.install(["app", "base<2"]).args(flags).args(MATCHED);
        let done = install.finish();
        done.succeeds();
        assert_eq!(told_in(&venv), "1.5", "{done}");
    }
}

#[test]
fn the_lock_of_a_build_pins_what_the_version_of_the_run_time_was() {
    let world = world();
    serve(&world);
    // Made from a source alone: the version of the run time counts its wheels all the same.
    world.index.sdist(&Sdist::hello("base", "1.7").hooks(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
         return wheel_file.write(wheel_directory, *project(), files={'base.py': b\"version = '1.7'\\n\"})",
    ));
    let lock_build = |words: &[&str]| -> Outcome<'_, '_> {
        let run = world.run(["lock-build"]).args(words).args(MATCHED);
        run.places().finish_anyhow()
    };
    let locked = lock_build(&["app"]);
    locked.succeeds();
    assert!(locked.stdout.contains("base==1.7 \\\n"), "{locked}");
    let before = builds(&world);
    assert_eq!(lock_build(&["app"]).stdout, locked.stdout);
    assert_eq!(builds(&world), before, "it is in the cache: {locked}");
    let hash = sha256(&Wheel::new("base", "1.5").pack());
    world.lay("work/tree", &app());
    world.file("work/c.txt", "base<1.7\n");
    let file = world.run(["lock-build", "./tree"]).args(MATCHED);
    let file = file.env("FUMEHOOD_CONSTRAINT", "c.txt").places().finish();
    file.succeeds();
    let pin = format!("base==1.5 \\\n    --hash=sha256:{hash}");
    assert!(file.stdout.contains(&pin), "{file}");
    assert_eq!(world.delivered(), [""; 0], "{file}");
    // And the build is held to it.
    world.file("work/b.txt", &file.stdout);
    let held = whole(&world, &["./tree", "base<1.7"]).args(MATCHED);
    let held = held
        .args(["-b", "b.txt", "--require-build-hashes"])
        .finish();
    assert!(
        made(held.succeeds()).contains(&"app 1.0 built".to_owned()),
        "{held}"
    );
    assert_eq!(told(&world.out()), "1.5", "{held}");
}
