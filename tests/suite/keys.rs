//! Keys: whatever may change a wheel makes another one, and the same again is served; what changes none does not.

use model::Code;
use tests::{Index, Sdist, Wheel, World, search};

use crate::{site, world};

/// What is laid out for the flags to name.
fn laid(world: &World<'_>) {
    world.index.wheel(&Wheel::new("tool", "1.0"));
    world.file("work/b.txt", "tool<2\n");
    let digest = search::sha256(&Wheel::new("tool", "1.0").pack());
    world.file("work/h.txt", format!("tool==1.0 --hash=sha256:{digest}\n"));
    world.folder("work/links");
    let own = "name = 'own'\nsummary = 'as strict'\nextends = 'strict'\n";
    world.file("work/own.toml", own);
    let more = "[[grant]]\nplace = 'cpu-facts'\naccess = ['read']\nwhy = 'more than strict'\n";
    world.file("work/more.toml", format!("{own}{more}"));
    world.file("granted/file", "a file\n");
}

/// Runs of a table, each by flags and variables: what a flag changes is another build than all before it.
type Run = (
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

const OTHER: [Run; 26] = [
    (&["-C", "a=1"], &[]),
    (&["-C", "a=2"], &[]),
    (&["-C", "a=1", "-C", "a=2"], &[]),
    (&["--config-setting-package", "thing:a=3"], &[]),
    (&["--extra-build-dep", "thing:tool"], &[]),
    (&["--extra-build-dep", "thing:tool>=1"], &[]),
    (&["-b", "b.txt"], &[]),
    (&["-b", "h.txt"], &[]),
    (&["-b", "h.txt", "--require-build-hashes"], &[]),
    (&["--find-links", "links"], &[]),
    (&["--exclude-newer", "2031-01-01"], &[]),
    (&["--exclude-newer", "2032-01-01"], &[]),
    (&["--no-binary", "tool"], &[]),
    (&["--only-binary", "tool"], &[]),
    (&["--pre"], &[]),
    (&["--allow-url-build-requires"], &[]),
    (&[], &[("SOURCE_DATE_EPOCH", "400000000")]),
    (&[], &[("SOURCE_DATE_EPOCH", "500000000")]),
    (&["--allow-env", "COLOUR"], &[("COLOUR", "red")]),
    (&["--allow-env", "COLOUR"], &[("COLOUR", "blue")]),
    (&["--allow-env", "thing:COLOUR"], &[("COLOUR", "red")]),
    (&["--policy", "pure"], &[]),
    (&["--policy", "native"], &[]),
    (&["--policy", "more.toml"], &[]),
    (&["--allow-read", "../granted"], &[]),
    (&["--strict-output"], &[]),
];

/// What has no say in what a wheel is.
const SAME: [Run; 13] = [
    // It grants what the default does.
    (&["--policy", "own.toml"], &[]),
    (&["--config-setting-package", "other:a=3"], &[]),
    (&["--extra-build-dep", "other:tool"], &[]),
    (&["--allow-env", "other:COLOUR"], &[("COLOUR", "red")]),
    (&["--no-binary", ":all:"], &[]),
    (&["--timeout", "100s"], &[]),
    (&["--memory", "1G"], &[]),
    (&["-j", "1"], &[]),
    (&["--no-retrace"], &[]),
    (&["--force"], &[]),
    (&["--refresh"], &[]),
    (&["--prefer-binary"], &[]),
    (&[], &[("COLOUR", "red")]),
];

#[test]
fn whatever_may_change_a_wheel_is_another_build_and_what_may_not_is_none() {
    let world = world();
    laid(&world);
    let sdist = Sdist::hello("thing", "1.0");
    let further = Index::start();
    let further = ["--index".to_owned(), further.url()];
    let run = |(flags, variables): Run| {
        let run = world.build(&sdist).args(flags);
        let run = variables
            .iter()
            .fold(run, |run, (name, value)| run.env(name, value));
        run.finish()
    };
    let plain: Run = (&[], &[]);
    run(plain).built(&sdist.wheel());
    for one in OTHER {
        let done = run(one);
        assert_eq!(done.wheel().origin, "built", "{one:?}: {done}");
    }
    let listed = || world.build(&sdist).args(&further).finish();
    listed().built(&sdist.wheel());
    listed().cached(&sdist.wheel());
    for one in OTHER.into_iter().chain([plain]).chain(SAME) {
        let done = run(one);
        assert_eq!(done.wheel().origin, "cached", "{one:?}: {done}");
    }
    let own = world.python().path.display().to_string();
    if let Some(other) = site().other_python(world.setting.identity) {
        let there = world.build(&sdist).without(&["-p", &own]);
        let there = there.args(["-p".as_ref(), other.as_os_str()]).finish();
        assert_eq!(
            there.wheel().origin,
            "built",
            "another interpreter: {there}"
        );
    }
}

#[test]
fn the_folder_of_a_source_is_part_of_the_key() {
    let world = world();
    let inner = Sdist::hello("inner", "1.0");
    let mut outer = Sdist::hello("outer", "1.0");
    for (name, content) in inner.files() {
        outer = outer.file(&format!("inner/{name}"), content);
    }
    let filename = outer.filename("tar.gz");
    world
        .index
        .offer(tests::Offer::new("x", &filename, outer.tar_gz()));
    let url = world.index.file_url(&filename);
    world.wheel(&url).finish().built(&outer.wheel());
    let inside = format!("{url}#subdirectory=inner");
    world.wheel(&inside).finish().built(&inner.wheel());
    world.wheel(&inside).finish().cached(&inner.wheel());
    world.wheel(&url).finish().cached(&outer.wheel());
    let nowhere = world.wheel(format!("{url}#subdirectory=none")).finish();
    assert_ne!(nowhere.code, Some(0), "{nowhere}");
    assert!(!nowhere.stderr.contains(Code::Bug.text()), "{nowhere}");
}

/// Two indexes that have different bytes for one version have a place each for them.
#[test]
fn the_same_version_of_two_indexes_is_two_sources_with_pointers_of_their_own() {
    let world = world();
    let one = Sdist::hello("thing", "1.0").file("from", "one");
    let two = Sdist::hello("thing", "1.0").file("from", "two");
    let other = Index::start();
    world.index.sdist(&one);
    other.sdist(&two);
    let first = world.index.url();
    let ask = |index: &str| {
        let run = world.wheel("thing==1.0");
        run.set("--default-index", index).finish()
    };
    let of_one = ask(&first).built(&one.wheel());
    let of_two = ask(&other.url()).built(&two.wheel());
    let source = |wheel: &tests::BuiltWheel| wheel.source.as_ref().map(|it| it.sha256.clone());
    assert_eq!(source(&of_one), Some(search::sha256(&one.tar_gz())));
    assert_eq!(source(&of_two), Some(search::sha256(&two.tar_gz())));
    for bucket in ["pointers-v1", "simple-v1"] {
        let records = search::files(&world.cache().join(bucket));
        let shards: std::collections::BTreeSet<_> = records
            .iter()
            .filter_map(|path| path.strip_prefix(world.cache().join(bucket)).ok())
            .filter_map(|path| path.iter().next())
            .filter(|shard| shard.len() == 64)
            .collect();
        assert_eq!(shards.len(), 2, "{bucket}: {records:?}");
    }
    // Neither took the other's place.
    for (index, sdist) in [(first, &one), (other.url(), &two)] {
        let done = ask(&index);
        let wheel = done.cached(&sdist.wheel());
        assert_eq!(
            source(&wheel),
            Some(search::sha256(&sdist.tar_gz())),
            "{done}"
        );
    }
}
