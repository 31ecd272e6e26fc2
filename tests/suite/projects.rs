//! What is a project at all, and what it says of itself.

use model::Code;
use tests::search::member;
use tests::{Sdist, Setting, World};

use crate::{site, world};

#[test]
fn a_source_without_pyproject_and_setup_py_is_no_project() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0").without("pyproject.toml");
    let done = world.build(&sdist).finish();
    let failure = done.fails_with(Code::BadPyproject);
    assert!(failure.message.contains("setup.py"), "{done}");
}

#[test]
fn a_subdirectory_that_is_not_there_is_named() {
    let world = world();
    let archive = world.archive(&Sdist::hello("thing", "1.0"));
    let spec = format!("{}#subdirectory=deeper", archive.display());
    let failure = world.wheel(spec).finish().fails_with(Code::BadPyproject);
    assert!(failure.message.contains("`deeper`"), "{failure:?}");
}

#[test]
fn a_local_archive_is_bound_by_its_own_metadata() {
    for fault in ["other-project", "other-version"] {
        let world = world();
        let sdist = Sdist::fixture("bad_output")
            .targets(&serde_json::json!({"fault": fault, "outside": "/nowhere"}));
        world.build(&sdist).finish().fails_with(Code::WrongName);
    }
}

/// A hook that writes 40 MB where only it can look, and waits for its end.
const HIDING: &str = "
import os, time
os.mkdir('hidden')
with open('hidden/big', 'wb') as big:
    big.write(b'x' * (40 << 20))
os.chmod('hidden', 0o300)
os.chmod('.', 0o300)
while True:
    time.sleep(1)
";

#[test]
fn a_tree_that_hides_from_the_limit_on_disk_space_is_counted_all_the_same() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("thing", "1.0").prologue(HIDING);
        let done = world
            .build(&sdist)
            .args(["--disk", "20M", "--timeout", "60"])
            .finish();
        done.fails_with(Code::ScratchLimit);
    }
}

/// A hook that fills every channel of the process that serves the calls, if it can open one.
const FLOODING: &str = "
import os
for channel in ('0', '3'):
    try:
        opened = os.open('/proc/%d/fd/%s' % (os.getppid(), channel), os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        continue
    try:
        while True:
            os.write(opened, b'x' * 4096)
    except BlockingIOError:
        pass
    raise SystemExit('channel ' + channel + ' was opened and filled')
";

#[test]
fn a_hook_can_not_speak_on_the_channels_of_its_parent() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("thing", "1.0").prologue(FLOODING);
        world.build(&sdist).finish().built(&sdist.wheel());
    }
}

/// Puts repositories of git and Mercurial around the cache, which leave out every file there is.
fn around_the_cache(world: &World<'_>) {
    let place = world.folder("k");
    for name in [".git", ".hg"] {
        world.file(place.join(name).join("HEAD"), "ref: refs/heads/main\n");
    }
    world.file(place.join(".gitignore"), "*\n");
    world.file(place.join(".hgignore"), "syntax: glob\n*\n");
}

#[test]
fn what_an_enclosing_repository_ignores_is_nothing_to_a_build() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.real(site().inputs());
        around_the_cache(&world);
        let sdist = Sdist::bare("thing", "1.0")
            .file(
                "pyproject.toml",
                "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n\
                 [project]\nname = 'thing'\nversion = '1.0'\n",
            )
            .file("src/thing/__init__.py", "word = 'hello'\n");
        let done = world.build(&sdist).finish();
        done.built("thing-1.0-py2.py3-none-any.whl");
        let wheel = world.out().join("thing-1.0-py2.py3-none-any.whl");
        assert_eq!(member(&wheel, "thing/__init__.py"), b"word = 'hello'\n");
    }
}

/// Asks git where it is.
const ASKING: &str = "
import subprocess
asked = subprocess.run(['git', 'rev-parse', '--show-toplevel'], capture_output=True, text=True)
if asked.returncode != 128 or 'not a git repository' not in asked.stderr:
    raise SystemExit(repr(asked))
";

#[test]
fn git_says_in_a_build_that_there_is_no_repository_where_there_is_none() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        around_the_cache(&world);
        let sdist = Sdist::hello("thing", "1.0").prologue(ASKING);
        world.build(&sdist).finish().built(&sdist.wheel());
    }
}
