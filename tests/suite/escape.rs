//! Files: what a build can not read, write or change. Each promise is tested in every setting, with its control.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tests::decoy::{State, changed_at, changes, mark, secret, states};
use tests::{Held, Outcome, Prey, Sdist, Setting, World, hostile};

use crate::site;

/// Secrets by the way in which the deed goes after them: the harm is that one of them turns up.
struct Secrets {
    by_way: BTreeMap<String, String>,
    targets: Value,
}

impl Secrets {
    fn lay(world: &World<'_>, ground: &Path) -> Self {
        let ways = [
            ".ssh/id_rsa",
            ".aws/credentials",
            ".netrc",
            ".pypirc",
            ".config/pip/pip.conf",
            "linked",
            "pinned",
            "printed",
        ];
        let mut by_way = BTreeMap::new();
        let mut path = |way: &str| {
            let secret = secret();
            let file = world.file(ground.join(way), format!("{secret}\n"));
            by_way.insert(way.to_owned(), secret);
            file
        };
        let paths: Vec<PathBuf> = ways.iter().map(|way| path(way)).collect();
        let listed = secret();
        let file = world.file(ground.join("listed").join(&listed), "");
        by_way.insert("listed".into(), listed);
        let targets = json!({
            "plainly": paths[..5],
            "through a link": paths[5],
            "through a descriptor": paths[6],
            "through a program": paths[7],
            "listed": file.parent(),
        });
        Self { by_way, targets }
    }
}

impl Prey for Secrets {
    fn targets(&self) -> Value {
        self.targets.clone()
    }

    fn possible(&self) -> BTreeSet<String> {
        self.by_way.keys().cloned().collect()
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        let told = self
            .by_way
            .iter()
            .filter(|(_, secret)| done.tells(secret).is_some());
        told.map(|(way, _)| way.clone()).collect()
    }
}

#[test]
fn a_build_that_reads_the_ssh_key_gets_nothing() {
    hostile(site(), "reads_secrets", Secrets::lay);
}

/// Variables of the program's own environment.
struct Variables {
    by_name: BTreeMap<&'static str, String>,
}

impl Prey for Variables {
    fn targets(&self) -> Value {
        json!({})
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        self.by_name
            .iter()
            .map(|(name, value)| (*name, value.clone()))
            .collect()
    }

    fn possible(&self) -> BTreeSet<String> {
        self.by_name.keys().map(|name| (*name).to_owned()).collect()
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        let told = self
            .by_name
            .iter()
            .filter(|(_, secret)| done.tells(secret).is_some());
        told.map(|(name, _)| (*name).to_owned()).collect()
    }
}

#[test]
fn a_build_does_not_see_the_variables_of_whoever_started_it() {
    hostile(site(), "reads_environment", |_, _| Variables {
        by_name: ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PYPI_TOKEN"]
            .map(|name| (name, secret()))
            .into(),
    });
}

/// Files and folders that a deed changes: the harm is that one is no longer what it was.
struct Ground {
    targets: Value,
    before: BTreeMap<String, (PathBuf, Option<State>)>,
    /// Whether metadata alone is changed.
    is_marked: bool,
}

impl Ground {
    /// Takes in the present state of every path that the targets name.
    fn watch(targets: Value, paths: impl IntoIterator<Item = (String, PathBuf)>) -> Self {
        let state = |path: PathBuf| (path.clone(), State::of(&path));
        let before = paths
            .into_iter()
            .map(|(way, path)| (way, state(path)))
            .collect();
        Self {
            targets,
            before,
            is_marked: false,
        }
    }

    fn to_be_written(world: &World<'_>, ground: &Path) -> Self {
        let mut paths = BTreeMap::new();
        for way in [
            "written",
            "appended",
            "cut",
            "removed",
            "written through a link",
            "written through a hard link",
            "replaced",
            "moved in",
        ] {
            paths.insert(way.to_owned(), world.file(ground.join(way), "as it was\n"));
        }
        for way in ["created", "made", "moved out", "own folder"] {
            paths.insert(way.to_owned(), ground.join(way));
        }
        let mut targets = json!(paths);
        let shared = ["/tmp", "/var/tmp", "/dev/shm"]
            .map(Path::new)
            .into_iter()
            .filter(|folder| folder.is_dir());
        let common: Vec<PathBuf> = shared.map(|folder| folder.join(secret())).collect();
        targets["common"] = json!(common);
        for path in common {
            paths.insert(path.display().to_string(), path);
        }
        Self::watch(targets, paths)
    }

    fn to_be_marked(world: &World<'_>, ground: &Path) -> Self {
        let mut ways = vec![
            "mode",
            "mode by descriptor",
            "mode through a link",
            "times",
            "attribute",
            "removed attribute",
        ];
        if world.has("fchmodat2") {
            ways.extend(["mode by newest call", "mode by empty path"]);
        }
        let mut paths = BTreeMap::new();
        for way in ways {
            let path = world.file(ground.join(way), "as it was\n");
            mark(&path, "user.mark", b"here");
            paths.insert(way.to_owned(), path);
        }
        paths.insert("folder".into(), world.folder(ground.join("folder")));
        let mut ground = Self::watch(json!(paths), paths);
        ground.is_marked = true;
        ground
    }
}

impl Prey for Ground {
    fn targets(&self) -> Value {
        self.targets.clone()
    }

    fn possible(&self) -> BTreeSet<String> {
        self.before.keys().cloned().collect()
    }

    fn unheld(&self, setting: Setting) -> BTreeSet<String> {
        match self.is_marked && !setting.holds_metadata() {
            true => self.possible(),
            false => BTreeSet::new(),
        }
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        let changed = self
            .before
            .iter()
            .filter(|(_, (path, before))| State::of(path) != *before);
        changed.map(|(way, _)| way.clone()).collect()
    }
}

impl Drop for Ground {
    /// The control leaves files in folders that everybody shares.
    fn drop(&mut self) {
        for path in self.targets["common"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[test]
fn a_build_that_writes_outside_its_scratch_changes_nothing() {
    hostile(site(), "writes_outside", Ground::to_be_written);
}

#[test]
fn a_build_that_changes_modes_times_and_attributes_outside_changes_nothing() {
    hostile(site(), "changes_metadata", Ground::to_be_marked);
}

/// Set-user-id bits on files that the deed makes in its own folder.
struct SetId {
    found: BTreeSet<String>,
}

impl Prey for SetId {
    const HOLDS: bool = true;

    fn targets(&self) -> Value {
        json!({})
    }

    fn possible(&self) -> BTreeSet<String> {
        let ways = [
            "open",
            "creat",
            "openat2",
            "mknod",
            "chmod",
            "fchmod",
            "fchmodat2",
        ];
        ways.map(|way| format!("by-{way}")).into()
    }

    fn look(&mut self, held: &Held) {
        use std::os::unix::fs::PermissionsExt;
        for entry in std::fs::read_dir(&held.folder)
            .expect("the room can be listed")
            .flatten()
        {
            let mode = entry
                .metadata()
                .expect("the file is still there")
                .permissions()
                .mode();
            if mode & 0o6000 != 0 {
                self.found
                    .insert(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        self.found.clone()
    }
}

#[test]
fn a_build_can_not_make_a_set_user_id_file_even_in_its_own_folder() {
    hostile(site(), "makes_set_id_files", |_, _| SetId {
        found: BTreeSet::new(),
    });
}

#[test]
fn a_build_that_changes_the_shared_environment_and_cache_changes_nothing() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.wheel(&tests::Wheel::new("shared", "1.0"));
        let honest = Sdist::hello("honest", "1.0").requires(&["shared"]);
        world.build(&honest).finish().built(&honest.wheel());
        let cache = world.cache();
        let copied = world.folder("copy");
        copy(&world, &cache, &copied);

        // The control works on a copy of the whole cache.
        let before = states(&copied);
        let deed = world.lay(
            "d",
            &Sdist::fixture("changes_shared_files").targets(&json!({"roots": [copied]})),
        );
        let control = tests::Run::new(&world, world.python().path.as_os_str())
            .args(["-I", "-B"])
            .args([
                deed.join("control.py"),
                deed.clone(),
                deed.join("targets.json"),
            ])
            .directory(&world.folder("r"))
            .unconfined()
            .finish_anyhow();
        let changed = changes(&before, &states(&copied));
        assert!(
            changed.len() >= before.len(),
            "the control must change everything: {control}"
        );

        let before = without_use(states(&cache));
        let touched = times_of_change(&before);
        let targets = json!({"roots": [cache, Value::Null]});
        let deed = Sdist::fixture("changes_shared_files")
            .requires(&["shared"])
            .targets(&targets);
        let done = world.build(&deed).finish();
        done.built(&deed.wheel());
        let after: BTreeMap<_, _> = without_use(states(&cache))
            .into_iter()
            .filter(|(path, _)| before.contains_key(path))
            .collect();
        let kept = |path: &&PathBuf| path.starts_with(cache.join("environments-v1"));
        let environment = |states: &BTreeMap<PathBuf, State>| -> BTreeMap<PathBuf, State> {
            states
                .iter()
                .filter(|(path, _)| kept(path))
                .map(|(path, state)| (path.clone(), state.clone()))
                .collect()
        };
        assert!(
            !environment(&before).is_empty(),
            "the honest build left an environment: {done}"
        );
        let changed = changes(&environment(&before), &environment(&after));
        assert!(
            changed.is_empty(),
            "the shared environment changed: {changed:#?}{done}"
        );
        let changed = changes(&before, &after);
        let changed: Vec<_> = changed
            .iter()
            .filter(|change| !is_bookkeeping(change))
            .collect();
        assert!(changed.is_empty(), "the cache changed: {changed:#?}{done}");
        // An owner that is set to what it is leaves nothing else.
        assert_eq!(times_of_change(&before), touched, "{done}");
    }
}

/// The supervisor marks what it used by its time: the blob, or the record of an environment or wheel.
fn is_marked(path: &Path) -> bool {
    let path = path.to_string_lossy();
    let is_blob = path.contains("/sources-v1/") || path.contains("/downloads-v1/");
    let is_record = path.ends_with("/environment.json") || path.ends_with("/record.json");
    (is_blob || is_record) && !path.contains("/env/")
}

/// When the files that nobody uses or rewrites changed last, in whatever way.
fn times_of_change(states: &BTreeMap<PathBuf, State>) -> BTreeMap<PathBuf, Option<(i64, i64)>> {
    let kept = |path: &&PathBuf| {
        let named = path.to_string_lossy();
        let is_rewritten = named.contains("/locks-v1/") || named.contains("/simple-v1/");
        path.is_file() && !is_marked(path) && !is_rewritten
    };
    let files = states.keys().filter(kept);
    files.map(|path| (path.clone(), changed_at(path))).collect()
}

fn without_use(states: BTreeMap<PathBuf, State>) -> BTreeMap<PathBuf, State> {
    states
        .into_iter()
        .map(|(path, state)| {
            let state = match is_marked(&path) {
                true => state.at_any_time(),
                false => state,
            };
            (path, state)
        })
        .collect()
}

/// Folders get new entries, and the supervisor rewrites its own pages and locks; what has content by name stays.
fn is_bookkeeping(change: &str) -> bool {
    let directory = change.contains("content: \"FileType");
    directory || change.contains("/locks-v1/") || change.contains("/simple-v1/")
}

/// Copies a tree with modes, for the same user.
fn copy(world: &World<'_>, from: &Path, to: &Path) {
    for (path, _) in states(from) {
        let name = path.strip_prefix(from).expect("below the tree");
        let target = to.join(name);
        let kind = std::fs::symlink_metadata(&path)
            .expect("the tree stands still")
            .file_type();
        if kind.is_dir() {
            std::fs::create_dir_all(&target).expect("a copy can be made");
        } else if kind.is_file() {
            std::fs::create_dir_all(target.parent().expect("below the copy"))
                .expect("a copy can be made");
            std::fs::copy(&path, &target).expect("a copy can be made");
        } else {
            continue;
        }
        world.give(&target);
    }
}
