//! What is missing or damaged in the cache is noticed when it is used, and repaired.

use std::fs;
use std::path::{Path, PathBuf};

use model::Code;
use sha2::Digest as _;
use tests::{Fault, Offer, Sdist, Wheel, forged};

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

/// What can be lost: a part of the cache, and which of its files.
type Part = (&'static str, fn(&Path) -> bool);

const PARTS: [Part; 11] = [
    ("sources-v1", |_| true),
    ("downloads-v1", |_| true),
    ("wheels-v1", |path| {
        path.extension().is_some_and(|it| it == "whl")
    }),
    ("wheels-v1", |path| path.ends_with("record.json")),
    ("wheels-v1/by-key", |_| true),
    ("pointers-v1", |_| true),
    ("revisions-v1", |_| true),
    ("environments-v1", |path| path.ends_with("tool.py")),
    ("environments-v1", |path| path.ends_with("environment.json")),
    ("environments-v1", |path| path.ends_with("manifest.json")),
    ("interpreters-v1", |_| true),
];

type Damage = fn(&Path, Vec<u8>) -> Vec<u8>;

/// Turns one digit of a record that still can be decoded afterwards, or one bit in the middle of
/// anything else: the length stays.
fn alter(path: &Path, mut bytes: Vec<u8>) -> Vec<u8> {
    if path.extension().is_none_or(|ending| ending != "json") {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        return bytes;
    }
    if serde_json::from_slice::<serde_json::Value>(&bytes).is_err() {
        // Of a build that nobody asked for again since its record was damaged.
        return bytes;
    }
    let text = String::from_utf8(bytes).expect("a record is text");
    let end = text
        .rfind(",\"checksum\"")
        .expect("a record has a checksum");
    let at = text[..end].rfind(|sign: char| sign.is_ascii_digit());
    let at = at.expect("a record has a digit");
    let mut bytes = text.into_bytes();
    bytes[at] = b'0' + (bytes[at] - b'0' + 1) % 10;
    serde_json::from_slice::<serde_json::Value>(&bytes).expect("it is JSON still");
    bytes
}

#[test]
fn every_part_that_is_missing_cut_off_or_altered_is_noticed_and_comes_again() {
    let damages: [(&str, Option<Damage>); 4] = [
        ("missing", None),
        (
            "cut off",
            Some(|_, bytes| bytes[..bytes.len() / 2].to_owned()),
        ),
        (
            "altered",
            Some(|_, mut bytes| {
                bytes[0] ^= 1;
                bytes.push(b'x');
                bytes
            }),
        ),
        ("altered decodably", Some(alter)),
    ];
    let world = world();
    world.index.wheel(&Wheel::new("tool", "1.0"));
    let sdist = Sdist::hello("thing", "1.0")
        .requires(&["tool"])
        .prologue("import tool\nassert tool.version == '1.0'");
    world.index.sdist(&sdist);
    let build = |setting: &str| world.wheel("thing==1.0").args(["-C", setting]).finish();
    let first = build("a=0").built(&sdist.wheel());
    for (number, (bucket, is_meant)) in PARTS.into_iter().enumerate() {
        for (kind, damage) in damages {
            let about = format!("{bucket} ({number}), {kind}");
            let root = world.cache();
            let mut lost = files(&root.join(bucket));
            lost.retain(|path| {
                is_meant(path) && !path.starts_with(root.join("wheels-v1/by-key"))
                    || bucket.ends_with("by-key")
            });
            assert!(!lost.is_empty(), "{about}");
            let mut altered = 0;
            for path in &lost {
                let bytes = fs::read(path).expect("an own file");
                match damage {
                    Some(damage) => {
                        let other = damage(path, bytes.clone());
                        altered += u32::from(other != bytes);
                        fs::write(path, other)
                    }
                    None => fs::remove_file(path),
                }
                .expect("an own file");
            }
            assert!(damage.is_none() || altered > 0, "{about}");
            let done = build("a=0");
            let wheel = done.wheel();
            let expected = if bucket.starts_with("wheels-v1") {
                "built"
            } else {
                "cached"
            };
            assert_eq!(wheel.origin, expected, "{about}: {done}");
            assert_eq!(wheel.sha256, first.sha256, "{about}: {done}");
            let done = build(&format!("b={number}-{}", kind.replace(' ', "-")));
            assert_eq!(done.wheel().origin, "built", "{about}: {done}");
            assert_eq!(build("a=0").wheel().origin, "cached", "{about}");
            if ["interpreters-v1", "pointers-v1", "revisions-v1"].contains(&bucket) {
                for path in &lost {
                    assert!(forged::record(&root, path).is_object(), "{about}");
                }
            }
        }
    }
    // What no build asked for again since it was damaged is found by a look at everything.
    let check = |flags: &[&str]| {
        let run = world.run(["cache", "check"]).args(flags);
        run.flag("--cache-dir", world.cache()).finish()
    };
    check(&["--repair"]).succeeds();
    // A record that went leaves a key behind.
    check(&["--repair"]).succeeds();
    check(&[]).succeeds();
    build("a=0").cached(&sdist.wheel());
}

#[test]
fn a_local_archive_that_changed_is_a_new_revision_and_the_old_wheel_stays() {
    let world = world();
    let one = Sdist::hello("thing", "1.0");
    let two = Sdist::hello("thing", "1.0").file("b", "2");
    let path = world.archive(&one);
    let run = || world.wheel(&path).finish();
    run().built(&one.wheel());
    fs::write(&path, two.tar_gz()).expect("an own file");
    run().built(&two.wheel());
    fs::write(&path, one.tar_gz()).expect("an own file");
    run().cached(&one.wheel());
    assert_eq!(files(&world.cache().join("sources-v1")).len(), 2);
}

#[test]
fn a_digest_of_another_algorithm_that_is_asked_for_later_is_no_damage() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    let bytes = sdist.tar_gz();
    world
        .index
        .offer(Offer::new("x", "thing.tar.gz", bytes.clone()));
    let archive = world.archive(&sdist).display().to_string();
    let url = world.index.file_url("thing.tar.gz");
    let longer = hex::encode(sha2::Sha512::digest(&bytes));
    let shorter = hex::encode(sha2::Sha384::digest(&bytes));
    for place in [url, archive] {
        let run = |fragment: &str| world.wheel(format!("{place}{fragment}")).finish_anyhow();
        run("").succeeds();
        for fragment in [format!("#sha512={longer}"), format!("#sha384={shorter}")] {
            run(&fragment).cached(&sdist.wheel());
        }
        let wrong = format!("#sha384={}", "0".repeat(96));
        run(&wrong).exits_with(Code::HashMismatch);
        // What can be forged proves nothing: it is refused, and the source stays what it was.
        run(&format!("#md5={}", "0".repeat(32))).exits_with(Code::BadSpec);
        run(&format!("#sha512={longer}")).cached(&sdist.wheel());
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
    let (none, other) = ("\"requires\":[]", "\"requires\":[\"tool\"]");
    // Only who reads the record and not the archive asks for what is not in the archive.
    forged::reword(&world.cache(), revision, none, other);
    let done = world.build(&sdist).args(["-C", "a=1"]).finish();
    done.built(&sdist.wheel());
    assert_eq!(world.index.requests("/simple/tool/"), 1, "{done}");
    // What breaks the rules of a pyproject.toml is no record, and is made anew.
    forged::reword(&world.cache(), revision, other, "\"requires\":[\"!\"]");
    let done = world.build(&sdist).args(["-C", "a=2"]).finish();
    done.built(&sdist.wheel());
    let anew = fs::read_to_string(revision).expect("the record");
    assert!(anew.contains(none), "{anew}: {done}");
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
    let damages: [Damage; 4] = [
        |file| fs::remove_file(file).expect("removed"),
        |file| {
            let text = fs::read_to_string(file).expect("an own file");
            fs::write(file, text.replace("1.0", "6.6")).expect("altered");
        },
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
    forged::damage(&world.cache().join("downloads-v1"));
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
fn the_folder_of_a_source_is_looked_for_again_after_a_heal() {
    let world = world();
    let inner = Sdist::hello("inner", "1.0");
    let mut outer = Sdist::hello("outer", "1.0");
    for (name, content) in inner.files() {
        outer = outer.file(&format!("sub/inner/{name}"), content);
    }
    world
        .index
        .offer(Offer::new("x", "outer-1.0.tar.gz", outer.tar_gz()));
    let url = world.index.file_url("outer-1.0.tar.gz");
    let run = |folder: &str, setting: &str| {
        let spec = format!("{url}#subdirectory={folder}");
        world.wheel(spec).args(["-C", setting]).finish()
    };
    run("sub/inner", "a=1").built(&inner.wheel());
    let sources = files(&world.cache().join("sources-v1"));
    without_sources(&world);
    let done = run("sub/inner", "a=2");
    done.built(&inner.wheel());
    assert_eq!(files(&world.cache().join("sources-v1")), sources, "{done}");
    run("sub/inner", "a=1").cached(&inner.wheel());
    without_sources(&world);
    fs::remove_dir_all(world.out()).expect("there is output");
    let failure = run("sub/other", "a=2").fails_with(Code::BadPyproject);
    assert!(failure.message.contains("`sub/other`"), "{failure:?}");
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
