//! The founding case: built for one interpreter, pruned between two runs of continuous integration, built for another.
//! Nothing but what is missing is fetched, and the first wheel is served as before.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tests::{Outcome, Setting, World};

use crate::site;

/// A C extension that CPython and PyPy both compile.
const EXTENSION: &str = "xxhash==3.5.0";
const SDIST: &str = "/files/xxhash-3.5.0.tar.gz";
/// What its `pyproject.toml` requires.
const REQUIREMENT: &str = "setuptools-80.9.0-py3-none-any.whl";

/// A project that is built for two interpreters.
struct Twice<'world> {
    world: &'world World<'static>,
    spec: PathBuf,
    flags: Vec<PathBuf>,
    limit: Duration,
}

impl<'world> Twice<'world> {
    /// None where the host lacks the other interpreter.
    fn new(world: &'world World<'static>, spec: impl Into<PathBuf>) -> Option<Self> {
        world.index.real(site().inputs());
        world.has_program("pypy3").then(|| Self {
            world,
            spec: spec.into(),
            flags: Vec::new(),
            limit: Duration::from_secs(120),
        })
    }

    fn with(mut self, flag: &str, value: &Path) -> Self {
        self.flags.extend([flag.into(), value.to_owned()]);
        self
    }

    fn run(&self, python: &str, more: &[&str]) -> Outcome<'world, 'static> {
        self.world
            .wheel(&self.spec)
            .set("-p", python)
            .args(&self.flags)
            .args(more)
            .limit(self.limit)
            .finish()
    }

    fn first(&self, more: &[&str]) -> tests::BuiltWheel {
        let python = self.world.python().path.to_str().expect("text");
        let wheel = self.run(python, more).wheel();
        assert!(wheel.filename.contains("-cp3"), "{}", wheel.filename);
        wheel
    }

    /// Builds for the one, prunes, builds for the other: returns what the index was asked for the other.
    fn between(&self) -> Vec<String> {
        let first = self.first(&[]);
        assert_eq!(first.origin, "built");
        prune_for_ci(self.world);
        let before = self.world.index.all_requests().len();
        let done = self.run("pypy3", &[]);
        let second = done.wheel();
        assert_eq!(second.origin, "built", "{done}");
        assert_ne!(second.filename, first.filename);
        let asked = self.world.index.all_requests().split_off(before);
        for request in asked.iter().filter(|it| it.path.starts_with("/simple/")) {
            assert!(
                request.header("if-none-match").is_some(),
                "{} was asked for as a whole: {done}",
                request.path
            );
        }
        // Both are there now, and nobody is asked for them.
        let again = self.first(&["--offline"]);
        assert_eq!(
            (again.origin.as_str(), again.sha256),
            ("cached", first.sha256)
        );
        assert_eq!(self.run("pypy3", &["--offline"]).wheel().origin, "cached");
        assert_eq!(self.world.index.all_requests().len(), before + asked.len());
        asked.into_iter().map(|request| request.path).collect()
    }
}

fn prune_for_ci(world: &World<'static>) {
    let done = world
        .run(["cache", "prune", "--ci"])
        .flag("--cache-dir", world.cache())
        .finish();
    done.succeeds();
    for bucket in ["sources-v1", "downloads-v1", "environments-v1"] {
        let left = tests::search::files(&world.cache().join(bucket));
        assert_eq!(left, Vec::<PathBuf>::new(), "{done}");
    }
}

fn files(asked: &[String]) -> Vec<&str> {
    let mut files: Vec<_> = asked
        .iter()
        .map(String::as_str)
        .filter(|path| path.starts_with("/files/"))
        .collect();
    files.sort_unstable();
    files
}

#[test]
fn for_another_interpreter_the_source_and_the_dropped_wheels_are_fetched_and_nothing_else() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let Some(twice) = Twice::new(&world, EXTENSION) else {
            return;
        };
        let mut asked = twice.between();
        asked.sort();
        let requirement = format!("/files/{REQUIREMENT}");
        let expected = [
            requirement.as_str(),
            SDIST,
            "/simple/setuptools/",
            "/simple/xxhash/",
        ];
        assert_eq!(asked, expected, "{setting}");
    }
}

#[test]
fn for_another_interpreter_the_source_alone_is_fetched_where_build_requirements_lie_in_a_folder() {
    let world = World::new(site(), Setting::PLAIN);
    let wheel = world.file(
        format!("wheels/{REQUIREMENT}"),
        site().inputs().read(REQUIREMENT),
    );
    let folder = wheel.parent().expect("a folder");
    let Some(twice) = Twice::new(&world, EXTENSION) else {
        return;
    };
    let asked = twice.with("--find-links", folder).between();
    assert_eq!(files(&asked), [SDIST]);
}

#[test]
fn for_another_interpreter_the_source_alone_is_fetched_where_a_cache_below_has_the_rest() {
    let world = World::new(site(), Setting::PLAIN);
    let Some(twice) = Twice::new(&world, EXTENSION) else {
        return;
    };
    // Of the cache below only the downloaded wheels are left.
    twice.first(&[]);
    let lower = world.move_cache("lower");
    for bucket in ["sources-v1", "environments-v1", "wheels-v1"] {
        fs::remove_dir_all(lower.join(bucket)).expect("an own folder");
    }
    let asked = twice.with("--cache-readonly", &lower).between();
    assert_eq!(files(&asked), [SDIST]);
}

#[test]
fn for_another_interpreter_nothing_is_fetched_where_the_source_is_a_local_archive() {
    let world = World::new(site(), Setting::PLAIN);
    let sdist = "xxhash-3.5.0.tar.gz";
    let archive = world.file(format!("sdists/{sdist}"), site().inputs().read(sdist));
    let Some(twice) = Twice::new(&world, archive) else {
        return;
    };
    let asked = twice.between();
    assert_eq!(files(&asked), [format!("/files/{REQUIREMENT}")]);
}

#[test]
#[ignore = "it compiles for minutes; run it by name with `-- --ignored`"]
fn mercurial_is_built_for_two_interpreters_from_the_index_and_from_a_local_archive() {
    let sdist = "mercurial-6.8.1.tar.gz";
    for local in [false, true] {
        let world = World::new(site(), Setting::PLAIN);
        let spec = if local {
            world.file(format!("sdists/{sdist}"), site().inputs().read(sdist))
        } else {
            "mercurial==6.8.1".into()
        };
        let Some(mut twice) = Twice::new(&world, spec) else {
            return;
        };
        twice.limit = Duration::from_secs(1200);
        let asked = twice.between();
        let mut expected = vec![
            format!("/files/{REQUIREMENT}"),
            "/files/wheel-0.45.1-py3-none-any.whl".to_owned(),
        ];
        if !local {
            expected.insert(0, format!("/files/{sdist}"));
        }
        assert_eq!(files(&asked), expected);
    }
}
