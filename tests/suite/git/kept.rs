//! Repositories and commits that the cache keeps: used without a network, mended, shared.

use std::fs;
use std::path::Path;

use model::{Code, Sha256};
use tests::{FileServer, Repository, Run, Running, World, search};

use crate::world;

#[test]
fn what_is_known_needs_neither_network_nor_repository() {
    let world = world();
    let repository = Repository::hello(&world, "repository");
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let spec = format!("{}@{commit}", repository.url());
    world
        .wheel(&spec)
        .finish()
        .built("hello-1.0-py3-none-any.whl");
    fs::remove_dir_all(repository.folder()).expect("a repository can be removed");
    world
        .wheel(&spec)
        .finish()
        .cached("hello-1.0-py3-none-any.whl");
    let branch = format!("{}@main", repository.url());
    world
        .wheel(&branch)
        .args(["--offline"])
        .finish()
        .cached("hello-1.0-py3-none-any.whl");
    // A wheel that is kept misses neither source nor repository.
    for bucket in ["sources-v1", "git-v1"] {
        fs::remove_dir_all(world.cache().join(bucket)).expect("a bucket can be removed");
    }
    world
        .wheel(&spec)
        .finish()
        .cached("hello-1.0-py3-none-any.whl");
    world
        .wheel(&branch)
        .args(["--offline"])
        .out("other")
        .finish()
        .cached("hello-1.0-py3-none-any.whl");
}

#[test]
fn a_repository_out_of_reach_is_named_and_so_is_the_commit_whose_wheels_are_still_served() {
    let world = world();
    let repository = Repository::hello(&world, "repository");
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let root = world.folder("www");
    repository.publish(&root, "hello");
    let server = FileServer::start(root.clone());
    for (name, url) in [
        ("local", repository.url()),
        ("served", server.url("", "hello")),
    ] {
        let spec = format!("hello @ {url}@main");
        let run = |flags: &[&str]| world.wheel(&spec).args(flags).out(name).finish();
        run(&[]).succeeds();
        for bucket in ["sources-v1", "git-v1"] {
            fs::remove_dir_all(world.cache().join(bucket)).expect("a bucket can be removed");
        }
        let gone = match name {
            "local" => repository.folder().to_owned(),
            _ => root.join("hello.git"),
        };
        fs::remove_dir_all(gone).expect("a repository can be removed");
        let still = format!("still served, as NAME @ {url}@{commit}");
        // Another setting has no wheel yet, and needs the repository.
        let offline = run(&["--offline", "-C", "a=1"]);
        let failure = offline.fails_with(Code::Offline);
        let named = format!("`{url}` would have to be fetched for `main`");
        assert!(failure.message.contains(&named), "{offline}");
        let hint = failure.hint.clone().unwrap_or_default();
        assert!(hint.contains("run once without --offline"), "{offline}");
        assert!(hint.contains(&still), "{offline}");
        assert!(!hint.contains("exact version"), "{offline}");
        let withdrawn = run(&["-C", "a=1"]);
        let failure = withdrawn.fails_with(Code::GitFailed);
        let named = format!("git could not fetch `{url}`");
        assert!(failure.message.contains(&named), "{withdrawn}");
        let hint = failure.hint.clone().unwrap_or_default();
        assert!(hint.contains("none any more"), "{withdrawn}");
        assert!(hint.contains(&still), "{withdrawn}");
        // As the hint has it, and without the network.
        let spec = format!("hello @ {url}@{commit}");
        let again = world.wheel(&spec).out(name).finish();
        again.cached("hello-1.0-py3-none-any.whl");
        run(&["--offline"]).cached("hello-1.0-py3-none-any.whl");
    }
}

/// Damages every pack of the cache's repositories.
fn damage(world: &World<'_>) {
    let kept = world.cache().join("git-v1");
    for file in search::files(&kept) {
        let path = kept.join(&file);
        if path.extension().is_some_and(|ending| ending == "pack") {
            let writable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
            fs::set_permissions(&path, writable).expect("a mode can be set");
            fs::write(&path, "damaged").expect("a pack can be damaged");
        }
    }
}

#[test]
fn a_damaged_repository_of_the_cache_is_fetched_anew() {
    let world = world();
    let repository = Repository::hello(&world, "repository");
    world
        .wheel(repository.url())
        .finish()
        .built("hello-1.0-py3-none-any.whl");
    damage(&world);
    for bucket in ["sources-v1", "wheels-v1"] {
        fs::remove_dir_all(world.cache().join(bucket)).expect("a bucket can be removed");
    }
    world
        .wheel(repository.url())
        .finish()
        .built("hello-1.0-py3-none-any.whl");
}

/// How often two processes fetch two references at the same time from a repository that the cache has damaged.
const ROUNDS: usize = 50;
const NAMES: [&str; 2] = ["one", "two"];

/// A repository with two branches, both of which were built.
fn with_two_branches(world: &World<'static>) -> Repository {
    let repository = Repository::hello(world, "repository");
    for name in NAMES {
        repository.git(&["checkout", "--quiet", "-b", name]);
        repository.write("which", name);
        repository.commit(name);
        // Many names, so that both are at them for a while, and one must not take away what the
        // other is at when it finds the repository damaged.
        for at in 0..100 {
            repository.git(&["update-ref", &format!("refs/tags/{name}-{at}"), "HEAD"]);
        }
    }
    for name in NAMES {
        fetch(world, &repository, name).finish().succeeds();
    }
    repository
}

fn fetch<'world>(
    world: &'world World<'static>,
    repository: &Repository,
    name: &str,
) -> Run<'world, 'static> {
    let spec = format!("{}@{name}", repository.url());
    world.wheel(&spec).out(name)
}

#[test]
fn two_processes_fetch_two_references_of_one_repository() {
    let world = world();
    let repository = with_two_branches(&world);
    for round in 0..ROUNDS {
        damage(&world);
        for running in NAMES.map(|name| fetch(&world, &repository, name).start()) {
            let done = running.finish_anyhow();
            done.succeeds();
            assert_eq!(done.report().wheels[0].origin, "cached", "{round} {done}");
        }
    }
}

#[test]
fn without_the_lock_two_processes_take_away_from_each_other_what_they_fetch() {
    let world = world();
    if !world.has_program("strace") {
        return;
    }
    let repository = with_two_branches(&world);
    let kept = fs::read_dir(world.cache().join("git-v1")).expect("a bucket");
    let kept = kept.flatten().next().expect("a repository").file_name();
    let lock = Sha256::of(format!("git {}", kept.display())).to_string();
    let lock = world.cache().join("locks-v1").join(&lock[..32]);
    assert!(lock.is_file(), "the lock of the repository");
    let fails = |without: &Path| {
        damage(&world);
        let running = NAMES.map(|name| {
            let log = world.folder("work").join(format!("locks-{name}"));
            let run = fetch(&world, &repository, name);
            run.without_lock(&log, without).start()
        });
        let ends = running.map(Running::finish_anyhow);
        ends.iter().any(|done| done.code != Some(0))
    };
    let other = world.file("work/other", "");
    assert!((0..3).all(|_| !fails(&other)), "the lock was there");
    assert!((0..ROUNDS).any(|_| fails(&lock)), "the lock was not needed");
}
