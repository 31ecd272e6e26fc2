//! Local folders with a repository: their history, and nothing private of it.

use std::fs;

use tests::{Repository, Sdist, Setting, World};

use crate::{site, world};

#[test]
fn a_folder_has_its_history_and_nothing_private_of_its_repository() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let repository = Repository::described(&world, "repository");
        repository.write(".gitignore", "*.egg-info\n");
        repository.commit("one");
        repository.git(&["tag", "v1.2.0"]);
        repository.git(&[
            "remote",
            "add",
            "origin",
            "https://t0ken-t0ken@example.invalid/x",
        ]);
        repository.git(&["config", "core.fsmonitor", "/bin/false"]);
        repository.git(&["config", "user.signingkey", "t0ken-t0ken"]);
        let folder = repository.folder().display().to_string();
        let first = world.wheel(&folder).finish();
        assert_eq!(first.wheel().version, "1.2.0", "{first}");
        first.is_tidy();
        assert_eq!(world.wheel(&folder).finish().wheel().origin, "cached");
        repository.write("described/more.py", "");
        let second = repository.commit("two");
        let short = repository.git(&["rev-parse", "--short", &second]);
        let done = world.wheel(&folder).finish();
        assert_eq!(
            done.wheel().version,
            format!("1.2.1.dev1+g{short}"),
            "{done}"
        );
        // The same files under another tag are another version.
        repository.git(&["tag", "v2.0"]);
        let done = world.wheel(&folder).finish();
        assert_eq!(done.wheel().version, "2.0", "{done}");
        repository.write("described/__init__.py", "# not committed");
        let done = world.wheel(&folder).finish();
        assert!(done.wheel().version.starts_with("2.1.dev0+g"), "{done}");
        assert_eq!(done.tells("t0ken-t0ken"), None);
    }
}

#[test]
fn a_folder_without_commits_or_with_a_broken_repository_is_built_all_the_same() {
    let world = world();
    let repository = Repository::new(&world, "repository");
    repository.lay("", &Sdist::hello("hello", "1.0"));
    let folder = repository.folder().display().to_string();
    world
        .wheel(&folder)
        .finish()
        .built("hello-1.0-py3-none-any.whl");
    repository.commit("one");
    fs::remove_dir_all(repository.folder().join(".git/objects")).expect("objects can be removed");
    fs::create_dir(repository.folder().join(".git/objects")).expect("a folder can be made");
    let again = world.wheel(&folder).args(["--refresh"]).finish();
    assert_eq!(
        again.wheel().filename,
        "hello-1.0-py3-none-any.whl",
        "{again}"
    );
}
