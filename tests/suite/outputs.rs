//! What a backend leaves as its output: judged after its last process is gone, taken only when it is right.

use model::Code;
use serde_json::json;
use tests::decoy::{State, secret};
use tests::{Sdist, Setting, Wheel, World};

use crate::{site, world};

/// Asks for a fixture by name and version; its backend makes its output with one fault.
fn refused(fault: &str, code: Code) {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let target = world.file("outside/target.whl", secret());
        let before = State::of(&target);
        let sdist =
            Sdist::fixture("bad_output").targets(&json!({"fault": fault, "outside": target}));
        world.index.sdist(&sdist);
        let done = world.wheel("bad-output==1.0").finish();
        done.fails_with(code);
        assert_eq!(State::of(&target), before, "{fault}: {done}");
        let kept = tests::search::files(&world.cache().join("wheels-v1"));
        assert!(kept.is_empty(), "{fault}: the cache keeps {kept:?}{done}");
    }
}

macro_rules! refused {
    ($($name:ident: $fault:literal => $code:ident;)*) => {
        $(#[test] fn $name() { refused($fault, Code::$code); })*
    };
}

refused! {
    a_wheel_that_is_a_link_is_refused: "symlink" => OutputRefused;
    a_wheel_that_is_a_link_to_the_wheel_is_refused: "symlink-inside" => OutputRefused;
    a_wheel_that_is_a_named_pipe_is_refused: "fifo" => OutputRefused;
    a_wheel_that_is_a_socket_is_refused: "socket" => OutputRefused;
    a_wheel_that_is_a_folder_is_refused: "directory" => OutputRefused;
    a_wheel_with_a_second_name_is_refused: "hard-link" => OutputRefused;
    no_wheel_at_all_is_refused: "none" => OutputRefused;
    two_wheels_are_refused: "two" => OutputRefused;
    a_file_of_another_kind_is_refused: "other-extension" => BadWheel;
    bytes_that_are_no_wheel_are_refused: "garbage" => BadWheel;
    an_empty_wheel_is_refused: "empty" => BadWheel;
    a_wheel_of_another_project_is_refused: "other-project" => WrongName;
    a_wheel_of_another_version_is_refused: "other-version" => WrongName;
    metadata_of_another_project_is_refused: "other-metadata-name" => WrongName;
    metadata_of_another_version_is_refused: "other-metadata-version" => WrongName;
    tags_that_fit_no_such_python_are_refused: "other-tags" => BadWheel;
    a_wheel_without_metadata_is_refused: "no-metadata" => BadWheel;
    a_wheel_without_a_record_is_refused: "no-record" => BadWheel;
    a_record_with_a_wrong_digest_is_refused: "wrong-digest" => BadWheel;
    a_record_that_forgets_a_file_is_refused: "unrecorded" => BadWheel;
    a_record_of_a_file_that_is_not_there_is_refused: "recorded-twice" => BadWheel;
    a_wheel_with_a_name_that_climbs_is_refused: "traversal" => BadWheel;
    a_wheel_with_an_absolute_name_is_refused: "absolute" => BadWheel;
    a_data_folder_that_climbs_is_refused: "data-traversal" => BadWheel;
    an_entry_point_that_is_a_path_is_refused: "entry-point-path" => BadWheel;
    an_entry_point_with_shell_text_is_refused: "entry-point-shell" => BadWheel;
    a_wheel_of_holes_is_refused: "sparse" => OutputRefused;
    a_wheel_that_grows_too_much_is_refused: "bomb" => BadWheel;
    a_hook_that_returns_a_path_is_refused: "returns-a-path" => HookResult;
    two_folders_of_metadata_are_refused: "two-dist-infos" => BadWheel;
}

#[test]
fn the_backend_of_the_faults_makes_a_good_wheel_without_one() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist =
            Sdist::fixture("bad_output").targets(&json!({"fault": "nothing", "outside": "/"}));
        world.build(&sdist).finish().built(&sdist.wheel());
    }
}

#[test]
fn a_wheel_that_changes_after_the_hook_returned_is_published_as_it_was_checked() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::fixture("bad_output")
            .targets(&json!({"fault": "changes-later", "outside": "/"}));
        let done = world.build(&sdist).finish();
        if done.code == Some(0) {
            let wheel = done.built(&sdist.wheel());
            let again = world.build(&sdist).finish().cached(&sdist.wheel());
            assert_eq!(wheel.sha256, again.sha256, "{done}");
        } else {
            // The daemon may have been at work when the bytes were taken; then they were refused.
            done.fails_with(Code::BadWheel);
        }
    }
}

#[test]
fn what_the_backend_says_of_its_wheel_is_not_asked() {
    let world = world();
    let sdist = Sdist::fixture("bad_output").targets(&json!({"fault": "lies", "outside": "/"}));
    world.build(&sdist).finish().built(&sdist.wheel());
}

#[test]
fn an_unusual_wheel_is_noted_or_refused_as_asked() {
    let world = world();
    for (fault, word) in [
        ("pth", "`start.pth`"),
        ("start", "`a.start`"),
        ("sitecustomize", "`sitecustomize`"),
        ("others-name", "`setuptools`"),
        ("others-dist-info", "`pip-99.0.dist-info`"),
        ("machine-code", "machine code"),
        ("data", "`etc/x.conf`"),
        ("set-id", "set-id"),
    ] {
        let sdist = Sdist::fixture("bad_output").targets(&json!({"fault": fault, "outside": "/"}));
        let done = world.build(&sdist).args(["--strict-output"]).finish();
        let failure = done.fails_with(Code::BadWheel);
        assert!(failure.message.contains(word), "{fault}: {done}");
        let done = world.build(&sdist).out(&format!("out-{fault}")).finish();
        let notes = done.built(&sdist.wheel()).notes;
        assert!(
            notes.iter().any(|note| note.contains(word)),
            "{fault}: {done}"
        );
    }
}

#[test]
fn strict_output_speaks_of_what_builds_make_and_a_wheel_of_an_index_is_taken_as_it_is() {
    let world = world();
    let line = "import os\n";
    let odd = Wheel::new("odd", "1.0").file("odd.pth", line);
    world.index.wheel(&odd);
    let makes = Sdist::hello("made", "1.0").hooks(&format!(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
         return wheel_file.write(wheel_directory, *project(), files={{'odd.pth': {line:?}.encode()}})"
    ));
    world.index.sdist(&makes);
    let run = |spec: &str, words: &[&str]| {
        let run = world.run(["wheel", "--no-deps", spec]).args(words);
        run.places().report().finish_anyhow()
    };
    let strict = ["--strict-output"];
    run("made", &strict).fails_with(Code::BadWheel);
    let noted = run("made", &[]);
    noted.built(&makes.wheel());
    assert!(noted.stdout.contains("odd.pth"), "{noted}");
    let taken = run("odd", &strict);
    assert_eq!(taken.wheel().origin, "downloaded", "{taken}");
    let path = world.out().join(odd.filename()).display().to_string();
    let seen = world.run(["inspect", &path]).finish();
    assert!(seen.stdout.contains("odd.pth"), "{seen}");
}
