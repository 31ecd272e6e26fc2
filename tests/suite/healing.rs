//! What is missing or damaged in the cache is noticed when it is used, and repaired.

use std::fs;
use std::path::{Path, PathBuf};

use model::Code;
use tests::{Fault, Offer, Sdist, Wheel};

use crate::freshness::{files, without_sources};
use crate::world;

#[test]
fn a_wheel_is_served_without_its_source_and_the_source_comes_again_for_another_build() {
    let world = world();
    let listed = Sdist::hello("listed", "1.0");
    let linked = Sdist::hello("linked", "1.0");
    let local = Sdist::hello("local", "1.0");
    world.index.sdist(&listed);
    world
        .index
        .offer(Offer::new("x", "linked-1.0.tar.gz", linked.tar_gz()));
    let tree = world.lay("tree", &Sdist::hello("tree", "1.0"));
    let specs = [
        "listed".to_owned(),
        world.index.file_url("linked-1.0.tar.gz"),
        world.archive(&local).display().to_string(),
        tree.display().to_string(),
    ];
    let run = |flags: &[&str]| world.wheels(&specs).args(flags).finish();
    let origins = |done: &tests::Outcome<'_, '_>| -> Vec<String> {
        done.succeeds();
        done.report()
            .wheels
            .into_iter()
            .map(|wheel| wheel.origin)
            .collect()
    };
    assert_eq!(origins(&run(&[])), ["built"; 4]);
    let sources = files(&world.cache().join("sources-v1"));
    let downloads = ["/files/listed-1.0.tar.gz", "/files/linked-1.0.tar.gz"];
    let count = || downloads.map(|path| world.index.requests(path));
    without_sources(&world);
    let before = count();
    let done = run(&[]);
    assert_eq!(origins(&done), ["cached"; 4], "{done}");
    assert_eq!(
        count(),
        [before[0], before[1] + 1],
        "the URL is validated: {done}"
    );
    assert_eq!(
        files(&world.cache().join("sources-v1")),
        Vec::<PathBuf>::new()
    );

    let before = count();
    let done = run(&["-C", "a=1"]);
    assert_eq!(origins(&done), ["built"; 4], "{done}");
    assert_eq!(
        files(&world.cache().join("sources-v1")),
        sources,
        "the same sources are there again"
    );
    assert_eq!(
        count(),
        [before[0] + 1, before[1] + 2],
        "validated, then fetched"
    );
    assert_eq!(
        origins(&run(&[])),
        ["cached"; 4],
        "the first wheels are there still"
    );
}

#[test]
fn records_that_can_not_be_read_are_made_anew_without_a_word() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0").requires(&["tool"]);
    world.index.wheel(&Wheel::new("tool", "1.0"));
    world.index.sdist(&sdist);
    let tree = world.lay("tree", &sdist);
    let specs = ["thing".to_owned(), tree.display().to_string()];
    let first = world.wheels(&specs).finish();
    first.succeeds();
    for (number, damage) in ["", "{", "null", "[1]", "\u{0}"].iter().enumerate() {
        for bucket in [
            "pointers-v1",
            "revisions-v1",
            "simple-v1",
            "environments-v1",
        ] {
            let damaged: Vec<_> = files(&world.cache().join(bucket))
                .into_iter()
                .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
                .filter(|path| !path.to_string_lossy().contains("/env/"))
                .collect();
            assert!(!damaged.is_empty(), "{bucket}");
            for path in damaged {
                fs::write(path, damage).expect("damaged");
            }
        }
        let done = world.wheels(&specs).finish();
        done.succeeds();
        let setting = format!("a={number}");
        let done = world.wheels(&specs).args(["-C", &setting]).finish();
        done.succeeds();
        assert!(!done.stderr.contains("warning"), "{done}");
    }
}

#[test]
fn how_a_source_is_built_is_read_out_of_it_once() {
    let world = world();
    world.index.wheel(&Wheel::new("tool", "1.0"));
    let sdist = Sdist::hello("thing", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    assert_eq!(world.index.requests("/simple/tool/"), 0);
    let revisions = files(&world.cache().join("revisions-v1"));
    let [revision] = revisions.as_slice() else {
        panic!("one source, one record: {revisions:?}");
    };
    let text = fs::read_to_string(revision).expect("the record");
    assert!(text.contains("\"requires\":[]"), "{text}");
    // Only who reads the record and not the archive asks for what is not in the archive.
    let forged = text.replace("\"requires\":[]", "\"requires\":[\"tool\"]");
    fs::write(revision, &forged).expect("forged");
    let done = world.build(&sdist).args(["-C", "a=1"]).finish();
    done.built(&sdist.wheel());
    assert_eq!(world.index.requests("/simple/tool/"), 1, "{done}");
    // What breaks the rules of a pyproject.toml is no record, and is made anew.
    fs::write(
        revision,
        text.replace("\"requires\":[]", "\"requires\":[\"!\"]"),
    )
    .expect("broken");
    let done = world.build(&sdist).args(["-C", "a=2"]).finish();
    done.built(&sdist.wheel());
    assert_eq!(
        fs::read_to_string(revision).expect("the record"),
        text,
        "{done}"
    );
}

#[test]
fn a_damaged_environment_is_noticed_before_it_is_used() {
    let world = world();
    world.index.wheel(&Wheel::new("tool", "1.0"));
    let sdist = Sdist::hello("thing", "1.0").requires(&["tool"]).hooks(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
         import tool\n    assert tool.version == '1.0'\n    \
         return wheel_file.write(wheel_directory, *project(), files={})",
    );
    world.build(&sdist).finish().built(&sdist.wheel());
    type Damage = fn(&Path);
    let damages: [Damage; 3] = [
        |file| fs::remove_file(file).expect("removed"),
        |file| fs::write(file, "version = 'more evil'").expect("altered"),
        |file| fs::write(file.with_file_name("more.pth"), "import evil").expect("added"),
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        let module = files(&world.cache().join("environments-v1"))
            .into_iter()
            .find(|path| path.ends_with("tool.py") || path.ends_with("tool/__init__.py"))
            .expect("the module is in the environment");
        damage(&module);
        let setting = format!("a={number}");
        let done = world.build(&sdist).args(["-C", &setting]).finish();
        done.built(&sdist.wheel());
        let text = fs::read_to_string(&module).expect("it is made anew");
        assert!(text.contains("1.0"), "{done}");
        assert!(!module.with_file_name("more.pth").exists(), "{done}");
    }
}

#[test]
fn a_damaged_download_is_fetched_again() {
    let world = world();
    world.index.wheel(&Wheel::new("tool", "1.0"));
    let sdist = Sdist::hello("thing", "1.0").requires(&["tool"]);
    world.build(&sdist).finish().built(&sdist.wheel());
    for blob in files(&world.cache().join("downloads-v1")) {
        fs::write(blob, "damaged").expect("damaged");
    }
    fs::remove_dir_all(world.cache().join("environments-v1")).expect("environments are there");
    let done = world.build(&sdist).args(["-C", "a=1"]).finish();
    done.built(&sdist.wheel());
    assert_eq!(
        world.index.requests("/files/tool-1.0-py3-none-any.whl"),
        2,
        "{done}"
    );
}

#[test]
fn a_source_that_was_withdrawn_is_named_and_its_wheel_still_served() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    world.index.sdist(&sdist);
    world.wheel("thing").finish().built(&sdist.wheel());
    without_sources(&world);
    fs::remove_dir_all(world.out()).expect("there is output");
    world
        .index
        .fault("/files/thing-1.0.tar.gz", Fault::Status(410));
    let done = world.wheel("thing").args(["-C", "a=1"]).finish();
    let failure = done.fails_with(Code::HttpStatus);
    assert!(
        failure.message.contains("the source of thing 1.0"),
        "{done}"
    );
    assert!(
        failure
            .hint
            .is_some_and(|hint| hint.contains("still served")),
        "{done}"
    );
    world.wheel("thing").finish().cached(&sdist.wheel());
}
