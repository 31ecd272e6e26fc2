//! One commit is one source, however its clone keeps it; what tells versions apart makes two.

use std::fs;

use tests::{Repository, World, search};

use crate::world;

/// Builds and returns the source's digest and the wheel's version.
fn source(world: &World<'static>, spec: &str) -> (String, String) {
    let done = world.wheel(spec).finish();
    let wheel = done.wheel();
    let digest = wheel.source.expect("a source").sha256;
    (digest, wheel.version)
}

#[test]
fn clones_that_keep_a_commit_differently_are_one_source() {
    let world = world();
    let repository = Repository::described(&world, "repository");
    for at in 0..20 {
        repository.write("described/text.py", format!("x = {at}\n").repeat(500));
        repository.commit("more");
    }
    repository.git(&["tag", "--annotate", "v1.0", "-m", "release"]);
    repository.write("described/text.py", "x = 'the last'\n");
    repository.commit("last");
    let loose = source(&world, &repository.url());
    let first = search::files(&world.cache().join("sources-v1"));

    // Deltas, and other settings for packs and files; programs for files that LFS keeps elsewhere.
    for words in [
        ["config", "core.compression", "9"],
        ["config", "pack.indexVersion", "1"],
        ["config", "core.abbrev", "auto"],
        ["config", "filter.lfs.smudge", "false"],
        ["config", "filter.lfs.process", "false"],
        ["config", "filter.lfs.required", "true"],
        ["tag", "of-a-tree", "HEAD^{tree}"],
        ["tag", "of-a-file", "HEAD:described/text.py"],
    ] {
        repository.git(&words);
    }
    // A branch and a tag that the commit does not see.
    repository.git(&["checkout", "--quiet", "-b", "aside", "HEAD~3"]);
    repository.commit("aside");
    repository.git(&["tag", "v9.0"]);
    repository.git(&["checkout", "--quiet", "main"]);
    repository.git(&["config", "core.autocrlf", "true"]);
    repository.git(&[
        "repack",
        "-a",
        "-d",
        "-f",
        "--depth=50",
        "--window=50",
        "--quiet",
    ]);
    let root = world.folder("clones");
    repository.publish(&root, "packed");
    let packed = format!("git+file://{}/packed.git@main", root.display());
    let folder = repository.folder().display().to_string();
    for spec in [&packed, &format!("{}@main", repository.url())] {
        assert_eq!(source(&world, spec), loose, "{spec}");
    }
    assert_eq!(search::files(&world.cache().join("sources-v1")), first);
    // A local folder keeps its times and so is a source of its own, but with the same `.git`.
    assert_eq!(source(&world, &folder).1, loose.1);
    let digest = source(&world, &folder).0;
    repository.git(&["gc", "--quiet"]);
    assert_eq!(source(&world, &folder).0, digest);
}

#[test]
fn a_cut_history_another_tag_and_a_moved_submodule_are_other_sources() {
    let world = world();
    let repository = Repository::described(&world, "repository");
    repository.commit("one");
    repository.git(&["tag", "v1.0"]);
    repository.commit("two");
    let full = source(&world, &repository.url());
    let shallow = world.folder("shallow");
    let place = shallow.display().to_string();
    let url = format!("file://{}", repository.folder().display());
    repository.git(&["clone", "--quiet", "--depth=1", &url, &place]);
    let cut = source(&world, &format!("git+file://{place}"));
    assert_ne!(cut.0, full.0);
    assert!(full.1.starts_with("1.1.dev1+g"), "{}", full.1);
    assert!(cut.1.starts_with("0.1.dev1+g"), "{}", cut.1);
    repository.git(&["tag", "v2.0"]);
    let tagged = source(&world, &repository.url());
    assert_ne!(tagged.0, full.0);
    assert_eq!(tagged.1, "2.0");

    let inner = Repository::hello(&world, "inner");
    let commit = inner.git(&["rev-parse", "HEAD"]);
    let modules = format!(
        "[submodule \"x\"]\n\tpath = x\n\turl = {}\n",
        inner.folder().display()
    );
    repository.write(".gitmodules", modules);
    let mut digests = vec![tagged.0];
    for commit in [commit, inner.commit("two")] {
        let entry = format!("160000,{commit},x");
        repository.git(&["add", ".gitmodules"]);
        repository.git(&["update-index", "--add", "--cacheinfo", &entry]);
        repository.git(&["commit", "--quiet", "-m", "a submodule"]);
        digests.push(source(&world, &repository.url()).0);
    }
    fs::remove_dir_all(repository.folder()).expect("a repository can be removed");
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 3);
}
