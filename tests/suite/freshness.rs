//! What is in the cache is used as long as it holds, and repaired when it is damaged.

use std::fs;
use std::path::{Path, PathBuf};

use model::Code;
use tests::{Fault, Offer, Sdist, Wheel, World, search};

use crate::world;

/// Removes every source from the cache, as `cache prune --ci` does.
fn without_sources(world: &World<'_>) {
    fs::remove_dir_all(world.cache().join("sources-v1")).expect("sources are in the cache");
}

/// Every file below a folder of the cache.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_url_is_validated_and_what_changed_is_built_beside_the_old_wheel() {
    let world = world();
    let (one, two) = (
        Sdist::hello("thing", "1.0"),
        Sdist::hello("thing", "1.0").file("b", "2"),
    );
    let offer = |sdist: &Sdist| Offer::new("x", "main.tar.gz", sdist.tar_gz());
    world.index.offer(offer(&one));
    let run = || world.wheel(world.index.file_url("main.tar.gz")).finish();
    let first = run().built(&one.wheel());
    let again = run().cached(&one.wheel());
    assert_eq!(first.sha256, again.sha256);
    assert_eq!(
        world.index.requests("/files/main.tar.gz"),
        2,
        "asked once a run"
    );
    world.index.replace(offer(&two));
    run().built(&two.wheel());
    // The old revision and its wheel are there still.
    world.index.replace(offer(&one));
    run().cached(&one.wheel());
    assert_eq!(files(&world.cache().join("sources-v1")).len(), 2);
}

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
fn a_file_of_an_index_that_was_replaced_is_never_a_new_revision() {
    let world = world();
    let (one, two) = (
        Sdist::hello("thing", "1.0"),
        Sdist::hello("thing", "1.0").file("b", "2"),
    );
    let offer = |sdist: &Sdist| Offer::new("thing", "thing-1.0.tar.gz", sdist.tar_gz());
    world.index.offer(offer(&one));
    world.wheel("thing").finish().built(&one.wheel());
    fs::remove_dir_all(world.out()).expect("there is output");
    world.index.replace(offer(&two));
    let done = world.wheel("thing").finish();
    let failure = done.fails_with(Code::HashMismatch);
    for word in [
        "thing 1.0".to_owned(),
        search::sha256(&one.tar_gz()),
        search::sha256(&two.tar_gz()),
    ] {
        assert!(failure.message.contains(&word), "{word}: {done}");
    }
    let hint = failure.hint.expect("there is a remedy");
    assert!(hint.contains("fumehood cache clean thing"), "{done}");
    world
        .wheel("thing")
        .args(["--refresh"])
        .finish()
        .fails_with(Code::HashMismatch);
    // No digest on the page, and the source is gone: other bytes are not taken either.
    world.index.replace(offer(&two).without_digest());
    without_sources(&world);
    let done = world.wheel("thing").args(["-C", "a=1"]).finish();
    done.fails_with(Code::HashMismatch);
    // The wheel that was built is still good.
    world.wheel("thing==1.0").finish().cached(&one.wheel());
}

#[test]
fn a_folder_is_another_revision_when_a_file_goes_and_the_old_one_when_it_comes_back() {
    let world = world();
    let sdist = Sdist::hello("tree", "1.0").file("extra.txt", "x");
    let tree = world.lay("tree", &sdist);
    let run = || world.wheel(&tree).finish();
    run().built(&sdist.wheel());
    run().cached(&sdist.wheel());
    let extra = tree.join("extra.txt");
    let modified = fs::metadata(&extra)
        .expect("the file")
        .modified()
        .expect("its time");
    fs::remove_file(&extra).expect("removed");
    run().built(&sdist.wheel());
    fs::write(&extra, "x").expect("restored");
    let file = fs::File::options()
        .write(true)
        .open(&extra)
        .expect("opened");
    file.set_modified(modified).expect("an older time");
    run().cached(&sdist.wheel());
    fs::write(&extra, "y").expect("changed");
    file.set_modified(modified).expect("the same time");
    run().built(&sdist.wheel());
}

#[test]
fn without_the_network_what_is_stale_serves_and_what_is_missing_is_named() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    world.index.sdist(&sdist);
    world
        .index
        .offer(Offer::new("x", "main.tar.gz", sdist.tar_gz()));
    let url = world.index.file_url("main.tar.gz");
    world.wheel("thing").finish().built(&sdist.wheel());
    world.wheel(&url).finish().cached(&sdist.wheel());
    let asked = world.index.all_requests().len();
    let offline = |spec: &str, flags: &[&str]| {
        let run = world.wheel(spec).args(["--offline"]).args(flags);
        run.finish()
    };
    for spec in ["thing", "thing==1.0", "thing>=1", &url] {
        offline(spec, &[]).cached(&sdist.wheel());
        offline(spec, &["-C", "a=1"]).succeeds();
    }
    without_sources(&world);
    fs::remove_dir_all(world.out()).expect("there is output");
    for spec in ["thing", &url] {
        let done = offline(spec, &["-C", "b=1"]);
        let failure = done.fails_with(Code::Offline);
        assert!(
            failure.message.contains("thing 1.0") || failure.message.contains("main"),
            "{done}"
        );
        let hint = failure.hint.expect("there is a remedy");
        assert!(
            hint.contains("--offline") && hint.contains("still served"),
            "{done}"
        );
    }
    let done = offline("unknown", &[]);
    let failure = done.fails_with(Code::Offline);
    assert!(done.stderr.contains("unknown"), "{done}");
    assert!(
        failure.hint.is_some_and(|hint| hint.contains("--offline")),
        "{done}"
    );
    offline("thing==1.0", &[]).cached(&sdist.wheel());
    assert_eq!(world.index.all_requests().len(), asked, "nobody was asked");
    for flags in [&["--refresh"][..], &["--refresh-package", "thing"]] {
        offline("thing==1.0", flags).exits_with(Code::BadFlag);
    }
}

#[test]
fn refresh_asks_for_what_it_names() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    world.index.sdist(&sdist);
    let control = format!("{}=max-age=600", world.index.url());
    let run = |flags: &[&str]| {
        let before = world.index.requests("/simple/thing/");
        let run = world
            .wheel("thing")
            .args(["--index-cache-control", &control]);
        run.args(flags).finish().succeeds();
        world.index.requests("/simple/thing/") - before
    };
    assert_eq!(run(&[]), 1);
    assert_eq!(run(&[]), 0, "the user says that pages live ten minutes");
    assert_eq!(run(&["--refresh-package", "other"]), 0);
    assert_eq!(run(&["--refresh-package", "Thing"]), 1);
    assert_eq!(run(&["--refresh"]), 1);
    let done = world
        .wheel("thing")
        .args(["--index-cache-control", "x=public"])
        .finish();
    done.exits_with(Code::BadFlag);
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

#[test]
fn the_same_thing_asked_for_many_times_is_fetched_and_built_once() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0").requires(&["tool"]);
    world.index.wheel(&Wheel::new("tool", "1.0"));
    world.index.sdist(&sdist);
    let done = world
        .wheels(["thing", "thing==1.0", "thing>=1", "thing<2", "thing!=3"])
        .args(["-j", "4"])
        .finish();
    done.succeeds();
    let origins: Vec<_> = done
        .report()
        .wheels
        .into_iter()
        .map(|it| it.origin)
        .collect();
    assert_eq!(
        origins.iter().filter(|origin| *origin == "built").count(),
        1,
        "{done}"
    );
    for path in [
        "/simple/thing/",
        "/simple/tool/",
        "/files/thing-1.0.tar.gz",
        "/files/tool-1.0-py3-none-any.whl",
    ] {
        assert_eq!(world.index.requests(path), 1, "{path}: {done}");
    }
}
