//! What is in the cache is used as long as it holds, and asked for again after.

use std::fs;
use std::path::{Path, PathBuf};

use model::Code;
use tests::{Offer, Sdist, Wheel, World, search};

use crate::world;

/// Removes every source from the cache, as `cache prune --ci` does.
pub(crate) fn without_sources(world: &World<'_>) {
    fs::remove_dir_all(world.cache().join("sources-v1")).expect("sources are in the cache");
}

/// Every file below a folder of the cache.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
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
