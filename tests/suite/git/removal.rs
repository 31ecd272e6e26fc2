//! Removal of what git left in the cache: with its project, and never with another's.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tests::{Repository, Sdist, World, search};

use crate::world;

/// Runs a command of the cache and returns its answer.
fn answer(world: &World<'static>, words: &[&str]) -> Value {
    let run = world.run(["cache"]).args(words);
    let run = run.args(["--output-format", "json", "--cache-dir"]);
    let done = run.args([world.cache()]).finish();
    done.succeeds();
    serde_json::from_str(&done.stdout).expect("the answer is JSON")
}

/// The folders in a folder of the cache, with a file or without.
fn folders(world: &World<'_>, folder: &str, with: &str, has: bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(world.cache().join(folder));
    let entries = entries.into_iter().flatten().flatten();
    let mut found: Vec<_> = entries.map(|entry| entry.path()).collect();
    found.retain(|place| place.join(with).exists() == has);
    found.sort();
    found
}

fn bare(world: &World<'_>) -> usize {
    folders(world, "git-v1", "HEAD", true).len()
}

fn stand_ins(world: &World<'_>) -> usize {
    folders(world, "git-v1", "sealed.json", true).len()
}

/// The files in a folder of the cache.
fn files(world: &World<'_>, folder: impl AsRef<Path>) -> usize {
    search::files(&world.cache().join(folder)).len()
}

/// A repository of one project with a submodule.
fn with_submodule(world: &World<'_>) -> Repository {
    let inner = Repository::hello(world, "inner");
    let commit = inner.git(&["rev-parse", "HEAD"]);
    let repository = Repository::new(world, "outer");
    repository.lay("", &Sdist::hello("one", "1.0"));
    let place = inner.folder().display();
    let modules = format!("[submodule \"x\"]\n\tpath = x\n\turl = {place}\n");
    repository.write(".gitmodules", modules);
    let entry = format!("160000,{commit},x");
    repository.git(&["add", "."]);
    repository.git(&["update-index", "--add", "--cacheinfo", &entry]);
    repository.git(&["commit", "--quiet", "-m", "one"]);
    repository
}

#[test]
fn cleaning_a_project_takes_its_commits_repositories_and_folders_and_leaves_those_of_others() {
    let world = world();
    let one = with_submodule(&world);
    let two = Repository::new(&world, "two");
    two.lay("", &Sdist::hello("two", "1.0"));
    two.commit("two");
    let both = Repository::new(&world, "both");
    both.lay("three", &Sdist::hello("three", "1.0"));
    both.lay("four", &Sdist::hello("four", "1.0"));
    both.commit("both");
    let specs = [
        one.url(),
        two.folder().display().to_string(),
        format!("{}#subdirectory=three", both.url()),
        format!("{}#subdirectory=four", both.url()),
    ];
    world.wheels(&specs).finish().succeeds();
    assert_eq!((bare(&world), stand_ins(&world)), (3, 1));
    assert_eq!(files(&world, "sources-v1"), 3);

    let done = answer(&world, &["clean", "one"]);
    assert_eq!(done["in_use"], serde_json::json!([]), "{done}");
    assert_eq!((bare(&world), stand_ins(&world)), (1, 1), "{done}");
    assert_eq!(files(&world, "sources-v1"), 2, "{done}");
    assert_eq!(folders(&world, "pointers-v1/git", "", true).len(), 1);

    let done = answer(&world, &["clean", "two"]);
    assert_eq!((bare(&world), stand_ins(&world)), (1, 0), "{done}");
    for folder in ["path", "git-folders"] {
        let folder = Path::new("pointers-v1").join(folder);
        assert_eq!(files(&world, folder), 0, "{done}");
    }
    assert_eq!(files(&world, "sources-v1"), 1, "{done}");

    // The commit is also another project's.
    let done = answer(&world, &["clean", "three"]);
    assert_eq!(bare(&world), 1, "{done}");
    let run = world.wheel(&specs[3]).args(["--offline"]).finish();
    run.cached("four-1.0-py3-none-any.whl");
    let done = answer(&world, &["clean", "four"]);
    assert_eq!(bare(&world), 0, "{done}");
    for bucket in ["sources-v1", "git-v1", "pointers-v1", "wheels-v1"] {
        assert_eq!(files(&world, bucket), 0, "{bucket} {done}");
    }
    world.wheels(&specs).finish().succeeds();
}

#[test]
fn plain_pruning_takes_what_a_branch_has_left_and_stand_ins_that_no_folder_is_packed_with() {
    let world = world();
    let repository = Repository::hello(&world, "repository");
    let branch = format!("{}@main", repository.url());
    let folder = repository.folder().display().to_string();
    let build = |spec: &str| {
        let done = world.wheel(spec).finish();
        let wheel = done.wheel();
        let source = wheel.source.expect("a source").sha256;
        (wheel.origin, source)
    };
    let (_, left) = build(&branch);
    build(&folder);
    repository.write("hello/more.py", "");
    let commit = repository.commit("two");
    let pinned = format!("{}@{commit}", repository.url());
    let (_, second) = build(&branch);
    assert_eq!(build(&pinned), ("cached".to_owned(), second.clone()));
    repository.write("hello/most.py", "");
    repository.commit("three");
    let (_, third) = build(&branch);
    build(&folder);
    assert_eq!(stand_ins(&world), 2);
    let sources = |wanted: &str| {
        let place = format!("sources-v1/{}/{wanted}", &wanted[..2]);
        world.cache().join(place).is_file()
    };
    assert_eq!([&left, &second, &third].map(|one| sources(one)), [true; 3]);

    let done = answer(&world, &["prune"]);
    let kept = [&left, &second, &third].map(|one| sources(one));
    assert_eq!(kept, [false, true, true], "{done}");
    assert_eq!((bare(&world), stand_ins(&world)), (1, 1), "{done}");
    assert_eq!(files(&world, "pointers-v1/git-folders"), 1, "{done}");
    // The commit that was left has no wheel and no pointer any more; the others have all of it.
    let planned = done["planned"].as_array().expect("a plan").iter();
    let reasons: Vec<_> = planned
        .map(|one| one["reason"].as_str().expect("a reason"))
        .collect();
    let moved = format!("{branch} is another source now");
    let count = |reason: &str| reasons.iter().filter(|one| **one == reason).count();
    assert_eq!(count(&moved), 3, "wheel, facts and pointer: {done}");
    for spec in [&branch, &pinned] {
        let done = world.wheel(spec).args(["--offline"]).finish();
        assert_eq!(done.wheel().origin, "cached", "{done}");
    }
    assert_eq!(build(&folder).0, "cached");
    let done = answer(&world, &["prune"]);
    let planned = done["planned"].as_array().expect("a plan").iter();
    let others = planned.filter(|one| one["what"] != "lock");
    assert_eq!(others.count(), 0, "only locks: {done}");
    // Asked for by its name the commit comes again.
    let first = repository.git(&["rev-parse", "HEAD~2"]);
    let again = build(&format!("{}@{first}", repository.url()));
    assert_eq!(again, ("built".to_owned(), left));
}
