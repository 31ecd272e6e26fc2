//! Local folders with a repository: their history, and nothing private of it.

use std::fs;
use std::path::Path;

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

/// Builds a folder and returns the version.
fn version(world: &World<'static>, folder: &Path) -> String {
    let done = world.wheel(folder).finish();
    done.wheel().version
}

#[test]
fn a_linked_work_tree_has_the_version_that_it_has_in_the_clone() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let repository = Repository::described(&world, "repository");
        repository.commit("one");
        repository.git(&["tag", "--annotate", "v1.2.0", "-m", "release"]);
        repository.commit("two");
        let linked = world.folder("linked");
        let place = linked.display().to_string();
        repository.git(&["worktree", "add", "--quiet", "-b", "side", &place, "v1.2.0"]);
        assert_eq!(version(&world, &linked), "1.2.0");
        // A commit of the work tree is none of the clone, and is noticed.
        repository.git(&[
            "-C",
            &place,
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            "three",
        ]);
        let short = repository.git(&["-C", &place, "rev-parse", "--short", "HEAD"]);
        assert_eq!(version(&world, &linked), format!("1.2.1.dev1+g{short}"));
        let done = world.wheel(&linked).finish();
        assert_eq!(done.wheel().origin, "cached", "{done}");
        // So is a tag, which all work trees share.
        repository.git(&["tag", "v2.0", "side"]);
        assert_eq!(version(&world, &linked), "2.0");
        // A change that is not committed, and then the address of the work tree.
        fs::write(linked.join("described/__init__.py"), "# changed")
            .expect("a file can be written");
        assert!(version(&world, &linked).starts_with("2.1.dev0+g"));
        let done = world.wheel(format!("git+file://{place}")).finish();
        assert_eq!(done.wheel().version, "2.0", "{done}");
    }
}

#[test]
fn a_submodule_has_the_version_that_it_has_in_its_own_clone() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let inner = Repository::described(&world, "inner");
        inner.commit("one");
        inner.git(&["tag", "v1.2.0"]);
        let outer = Repository::new(&world, "outer");
        outer.commit("nothing");
        let place = inner.folder().display().to_string();
        let add = ["submodule", "--quiet", "add", &place, "lib/inner"];
        let words = [["-c", "protocol.file.allow=always"].as_slice(), &add].concat();
        outer.git(&words);
        let module = outer.folder().join("lib/inner");
        assert_eq!(version(&world, &module), "1.2.0");
        let at = module.display().to_string();
        outer.git(&["-C", &at, "commit", "--quiet", "--allow-empty", "-m", "two"]);
        let short = outer.git(&["-C", &at, "rev-parse", "--short", "HEAD"]);
        assert_eq!(version(&world, &module), format!("1.2.1.dev1+g{short}"));
        outer.git(&["-C", &at, "tag", "v3.0"]);
        assert_eq!(version(&world, &module), "3.0");
        let done = world.wheel(format!("git+file://{at}")).finish();
        assert_eq!(done.wheel().version, "3.0", "{done}");
    }
}

#[test]
fn a_folder_that_claims_the_repository_of_another_gets_nothing_of_it() {
    let world = world();
    let private = Repository::hello(&world, "private");
    let commit = private.git(&["rev-parse", "HEAD"]);
    private.git(&["worktree", "add", "--quiet", "../linked"]);
    let own = private.folder().join(".git").display().to_string();
    let prologue = format!(
        "import os, subprocess\nsaid = subprocess.run(['git', 'cat-file', '-t', '{commit}'], capture_output=True, text=True)\n\
         print('answer:', said.stdout.strip() or 'nothing')\n"
    );
    for (name, file, text) in [
        ("file", ".git", format!("gitdir: {own}\n")),
        (
            "linked",
            ".git",
            format!("gitdir: {own}/worktrees/linked\n"),
        ),
        ("common", ".git/commondir", format!("{own}\n")),
    ] {
        // Folders of the same bytes and times would be one source.
        let prologue = format!("# {name}\n{prologue}");
        let stranger = Sdist::hello("stranger", "1.0").prologue(&prologue);
        let folder = world.lay(&format!("stranger-{name}"), &stranger);
        world.file(folder.join(file), text);
        if name == "common" {
            world.file(folder.join(".git/HEAD"), format!("{commit}\n"));
        }
        let done = world.wheel(&folder).args(["-vv"]).finish();
        done.built("stranger-1.0-py3-none-any.whl");
        assert!(done.stderr.contains("answer: nothing"), "{name} {done}");
        if name != "common" {
            assert!(done.stderr.contains("is not followed"), "{name} {done}");
        }
        let spec = format!("git+file://{}", folder.display());
        assert_ne!(world.wheel(&spec).finish().code, Some(0), "{name}");
    }
}
