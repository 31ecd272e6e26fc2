//! Repositories and commits that the cache keeps: used without a network, mended, shared.

use std::fs;

use model::Code;
use tests::{Repository, World, search};

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
        .exits_with(Code::Offline);
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

#[test]
fn two_processes_fetch_two_references_of_one_repository() {
    const ROUNDS: usize = 50;
    let world = world();
    let repository = Repository::hello(&world, "repository");
    let names = ["one", "two"];
    for name in names {
        repository.git(&["checkout", "--quiet", "-b", name]);
        repository.write("which", name);
        repository.commit(name);
        // Many names, so that both are at them for a while, and one must not take away what the
        // other is at when it finds the repository damaged.
        for at in 0..100 {
            repository.git(&["update-ref", &format!("refs/tags/{name}-{at}"), "HEAD"]);
        }
    }
    let start = |name: &str| {
        let spec = format!("{}@{name}", repository.url());
        world.wheel(&spec).out(name).start()
    };
    for name in names {
        start(name).finish().succeeds();
    }
    for round in 0..ROUNDS {
        damage(&world);
        for running in names.map(start) {
            let done = running.finish_anyhow();
            done.succeeds();
            assert_eq!(done.report().wheels[0].origin, "cached", "{round} {done}");
        }
    }
}
