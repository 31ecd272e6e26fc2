//! `cache check` reads what git left in the cache.

use std::fs;
use std::path::{Path, PathBuf};

use model::Code;
use serde_json::Value;
use tests::{Repository, Setting, World, search};

use super::stand_ins::stand_ins;
use crate::{site, world};

/// Checks the cache and returns the answer.
fn check(world: &World<'static>, words: &[&str], code: Option<Code>) -> Value {
    let run = world.run(["cache", "check", "--output-format", "json"]);
    let run = run.args(words);
    let done = run
        .args(["--cache-dir".as_ref(), world.cache().as_os_str()])
        .finish();
    match code {
        None => done.succeeds(),
        Some(code) => done.exits_with(code),
    };
    serde_json::from_str(&done.stdout).expect("JSON")
}

/// Returns the paths that were found damaged.
fn damaged(answer: &Value) -> Vec<&str> {
    let found = answer["damage"].as_array().expect("a list").iter();
    found
        .map(|one| one["path"].as_str().expect("a path"))
        .collect()
}

/// Makes a wheel of a repository and one of a folder; returns the repository in the cache.
fn filled(world: &World<'static>, repository: &Repository) -> PathBuf {
    world.wheel(repository.url()).finish().succeeds();
    world.wheel(repository.folder()).finish().succeeds();
    let bucket = world.cache().join("git-v1");
    let entries = fs::read_dir(bucket).expect("a bucket").flatten();
    let mut places = entries.map(|entry| entry.path());
    let bare = places.find(|place| place.join("HEAD").is_file());
    bare.expect("a repository in the cache")
}

fn pack(repository: &Path, ending: &str) -> PathBuf {
    let packs = repository.join("objects/pack");
    let mut files = search::files(&packs).into_iter();
    let pack = files.find(|name| name.extension().is_some_and(|end| end == ending));
    packs.join(pack.expect("a pack"))
}

/// Writes to a file that git made unwritable.
fn write(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).expect("a file can be read");
    change(&mut bytes);
    fs::remove_file(file).expect("a file can be removed");
    fs::write(file, bytes).expect("a file can be written");
}

#[test]
fn a_check_has_git_read_its_repositories_and_reads_the_stand_ins_itself() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let repository = Repository::hello(&world, "repository");
        repository.git(&["tag", "v1.0"]);
        let bare = filled(&world, &repository);
        let name = |place: &Path| {
            let inside = place.strip_prefix(world.cache()).expect("below the root");
            inside.display().to_string()
        };
        let answer = check(&world, &[], None);
        assert_eq!(answer["unread"], serde_json::json!([]), "{setting}");
        type Harm<'a> = (&'a str, &'a dyn Fn(&Path));
        let harms: [Harm<'_>; 5] = [
            ("a byte of a pack", &|bare| {
                write(&pack(bare, "pack"), |bytes| bytes[30] ^= 1);
            }),
            ("a pack that is cut off", &|bare| {
                write(&pack(bare, "pack"), |bytes| bytes.truncate(60));
            }),
            ("a byte of an index", &|bare| {
                write(&pack(bare, "idx"), |bytes| bytes[40] ^= 1);
            }),
            ("a pack that is gone", &|bare| {
                for ending in ["pack", "idx"] {
                    fs::remove_file(pack(bare, ending)).expect("a file can be removed");
                }
            }),
            ("a tag of nothing", &|bare| {
                let tag = bare.join("refs/tags/v9.0");
                world.file(tag, "0123456789012345678901234567890123456789\n");
            }),
        ];
        for (harm, damage) in harms {
            damage(&bare);
            let answer = check(&world, &[], Some(Code::CacheDamaged));
            assert_eq!(damaged(&answer), [name(&bare)], "{harm} {answer}");
            check(&world, &["--repair"], None);
            assert!(!bare.exists(), "{harm}");
            check(&world, &[], None);
            let again = world.wheel(repository.url()).args(["--refresh"]).finish();
            again.succeeds();
            assert!(bare.exists(), "{harm} {again}");
        }
        let [stand_in] = stand_ins(&world).try_into().expect("there is one stand-in");
        write(&stand_in.join("tree/index"), |bytes| bytes[20] ^= 1);
        let answer = check(&world, &[], Some(Code::CacheDamaged));
        assert_eq!(damaged(&answer), [name(&stand_in)], "{answer}");
        check(&world, &["--repair"], None);
        assert!(!stand_in.exists());
        check(&world, &[], None);
    }
}

#[test]
fn a_repository_that_can_not_be_checked_is_named_and_is_no_damage() {
    let world = world();
    let repository = Repository::hello(&world, "repository");
    let bare = filled(&world, &repository);
    // Every git of the system lacks its parts.
    let hidden = "for parts in /usr/local/libexec /usr/local/lib /usr/libexec /usr/lib; do \
        if test -d $parts/git-core; then mount -t tmpfs tmpfs $parts/git-core || exit 71; fi; \
        done; exec \"$@\"";
    let run = world.run(["cache", "check", "--cache-dir"]);
    let done = run.args([world.cache()]).in_own_mounts(hidden).finish();
    if done.code == Some(71) {
        site().unrun.note("mounts of its own");
        return;
    }
    done.succeeds();
    let short = bare.file_name().expect("a name").display().to_string();
    let line = format!("not checked: git repository {}", &short[..12]);
    assert!(done.stdout.contains(&line), "{done}");
}
