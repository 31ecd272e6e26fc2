//! A git that is not git: what the program can do that the worker starts under its name.

use std::fs;
use std::path::{Path, PathBuf};

use model::Code;
use protocol::Level;
use tests::{Repository, Run, Setting, World, search};

use crate::site;

/// What the program tries, and says of each whether it was done.
const TRIES: &str = r#"#!/bin/sh
try() {
    if (eval "$2") 2>/dev/null; then echo "done: $1" >&2; else echo "refused: $1" >&2; fi
}
try own 'echo evil > "$GIT_DIR/evil"'
try source 'echo evil > "SOURCES/evil"'
try another 'echo evil > "ANOTHER/HEAD"'
try home 'echo evil > "HOME/evil"'
try python '"PYTHON" -c pass'
try key 'read line < "HOME/.ssh/id_ed25519"'
exit 1
"#;
/// All but its own repository.
const FORBIDDEN: [&str; 5] = ["source", "another", "home", "python", "key"];

/// Where git lies.
fn git() -> PathBuf {
    let found = ["/usr/local/bin/git", "/usr/bin/git", "/bin/git"].map(PathBuf::from);
    let found = found.into_iter().find_map(|path| path.canonicalize().ok());
    found.expect("a git of the system")
}

/// Returns the repository of the cache that was made of another one.
fn another(world: &World<'static>) -> PathBuf {
    let repository = Repository::hello(world, "another");
    // Made within one second, both would have one commit, which is known by then.
    repository.git(&["commit", "--quiet", "--allow-empty", "-m", "another"]);
    world.wheel(repository.url()).finish().succeeds();
    let mut places = fs::read_dir(world.cache().join("git-v1")).expect("a bucket");
    places
        .next()
        .expect("a repository")
        .expect("an entry")
        .path()
}

/// Lays the program, and returns the mounts in which it is git.
fn lay(world: &World<'static>, another: &Path) -> String {
    let python = &world.python().path;
    let text = TRIES
        .replace(
            "SOURCES",
            &world.cache().join("sources-v1").display().to_string(),
        )
        .replace("ANOTHER", &another.display().to_string())
        .replace("HOME", &world.home().display().to_string())
        .replace("PYTHON", &python.display().to_string());
    let program = world.file("evil/git", text);
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, everybody).expect("a mode can be set");
    format!(
        "mount --bind {} {} || exit 71; exec \"$@\"",
        program.display(),
        git().display()
    )
}

#[test]
fn a_program_in_the_place_of_git_writes_its_repository_and_nothing_else_and_starts_and_reads_nothing()
 {
    for (setting, level) in [
        (Setting::PLAIN, Level::Ns),
        (Setting::DENIED, Level::Confined),
    ] {
        if !Setting::all(site()).contains(&setting) {
            continue;
        }
        let world = World::new(site(), setting);
        assert_eq!(setting.level(), level);
        world.file(
            "home/.ssh/id_ed25519",
            "-----BEGIN OPENSSH PRIVATE KEY-----\n",
        );
        let other = another(&world);
        let head = fs::read(other.join("HEAD")).expect("a repository");
        let mounts = lay(&world, &other);
        let sources = search::files(&world.cache().join("sources-v1"));
        let repository = Repository::hello(&world, "repository");
        let run = world.wheel(repository.url()).out("none");
        let done = run.in_own_mounts(&mounts).finish();
        if done.code == Some(71) {
            site().unrun.note("mounts of its own");
            return;
        }
        done.exits_with(Code::GitFailed);
        assert!(done.stderr.contains("done: own"), "{done}");
        for what in FORBIDDEN {
            assert!(done.stderr.contains(&format!("refused: {what}")), "{done}");
        }
        assert_eq!(fs::read(other.join("HEAD")).expect("a repository"), head);
        assert_eq!(search::files(&world.cache().join("sources-v1")), sources);
        assert!(!world.home().join("evil").exists());
        // What it left where it may write is not in the way of git itself.
        let done = world.wheel(repository.url()).finish();
        done.built("hello-1.0-py3-none-any.whl");
    }
}

#[test]
fn the_same_program_does_all_of_that_where_nothing_confines_it() {
    let world = World::new(site(), Setting::PLAIN);
    world.file(
        "home/.ssh/id_ed25519",
        "-----BEGIN OPENSSH PRIVATE KEY-----\n",
    );
    let other = another(&world);
    let mounts = lay(&world, &other);
    let own = world.folder("own");
    let run = Run::new(&world, git().as_os_str()).unconfined();
    let done = run.env("GIT_DIR", &own).in_own_mounts(&mounts).finish();
    if done.code == Some(71) {
        site().unrun.note("mounts of its own");
        return;
    }
    for what in FORBIDDEN.iter().chain(&["own"]) {
        assert!(done.stderr.contains(&format!("done: {what}")), "{done}");
    }
    assert_eq!(
        fs::read_to_string(other.join("HEAD")).expect("a file"),
        "evil\n"
    );
    assert!(world.home().join("evil").exists());
}
