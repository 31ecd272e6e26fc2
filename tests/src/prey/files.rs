//! Files and variables of the user, and set-id bits in a build's own folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::told;
use crate::decoy::{State, mark, secret};
use crate::{Companion, Held, Outcome, Prey, Setting, World};

/// Secrets by the way in which the deed goes after them: the harm is that one of them turns up.
#[derive(Debug)]
pub struct Secrets {
    by_way: BTreeMap<String, String>,
    targets: Value,
}

impl Secrets {
    /// Lays it out.
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
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
        let compiled = world.has_program("cc");
        let mut by_way = BTreeMap::new();
        let mut path = |way: &str| {
            let secret = secret();
            let file = world.file(ground.join(way), format!("{secret}\n"));
            by_way.insert(way.to_owned(), secret);
            file
        };
        let paths: Vec<PathBuf> = ways.iter().map(|way| path(way)).collect();
        let included = compiled.then(|| path("included"));
        // To open by handle takes a capability that only root has to lose.
        let root = world.setting.identity.uid() == 0;
        let handle = root.then(|| handle(world, &path("by handle")));
        let handle = handle.filter(|handle| !handle.is_null());
        if handle.is_none() {
            by_way.remove("by handle");
        }
        let listed = secret();
        let file = world.file(ground.join("listed").join(&listed), "");
        by_way.insert("listed".into(), listed);
        let mut targets = json!({
            "plainly": paths[..5],
            "through a link": paths[5],
            "through a descriptor": paths[6],
            "through a program": paths[7],
            "listed": file.parent(),
        });
        if let Some(path) = included {
            targets["through a compiler"] = json!(path);
        }
        if let Some(handle) = handle {
            targets["by handle"] = handle;
        }
        Self { by_way, targets }
    }
}

/// By which handle the kernel knows a file; null where the file system has none.
fn handle(world: &World<'_>, path: &Path) -> Value {
    let mut asked = Companion::start(world, "handle.py", &[], &json!({"path": path}));
    asked.hear()
}

impl Prey for Secrets {
    fn targets(&self) -> Value {
        self.targets.clone()
    }

    fn possible(&self) -> BTreeSet<String> {
        self.by_way.keys().cloned().collect()
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        told(done, &self.by_way)
    }
}

/// Variables of the program's own environment.
#[derive(Debug)]
pub struct Variables {
    by_name: BTreeMap<&'static str, String>,
}

impl Default for Variables {
    fn default() -> Self {
        let names = ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PYPI_TOKEN"];
        Self {
            by_name: names.map(|name| (name, secret())).into(),
        }
    }
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
        told(done, &self.by_name)
    }
}

/// Where the tools of a user keep what they use again.
const CACHES: [&str; 3] = [".cache/pip", ".ccache", ".cargo/registry"];

/// Files and folders that a deed changes: the harm is that one is no longer what it was.
#[derive(Debug)]
pub struct Ground {
    targets: Value,
    before: BTreeMap<String, (PathBuf, Option<State>)>,
    /// Whether metadata alone is changed.
    is_marked: bool,
    /// The folder that is built, if it is the user's own.
    checkout: Option<PathBuf>,
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
            checkout: None,
        }
    }

    /// Lays it out.
    pub fn to_be_written(world: &World<'_>, ground: &Path) -> Self {
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
        for way in CACHES {
            paths.insert(
                way.to_owned(),
                world.folder(ground.join(way)).join("planted"),
            );
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

    /// Lays out a repository as git begins it, with a work tree.
    pub fn checked_out(world: &World<'_>, ground: &Path) -> Self {
        let folder = world.folder(ground.join("checkout"));
        for (name, text) in [
            (".git/HEAD", "ref: refs/heads/main\n"),
            (
                ".git/config",
                "[core]\n\trepositoryformatversion = 0\n\tbare = false\n",
            ),
            ("conftest.py", ""),
        ] {
            world.file(folder.join(name), text);
        }
        for name in ["objects", "refs/heads", "hooks"] {
            world.folder(folder.join(".git").join(name));
        }
        let names = [
            ("a hook", ".git/hooks/post-checkout"),
            ("a setting", ".git/config"),
            ("code", "conftest.py"),
            ("a new file", "sitecustomize.py"),
        ];
        let targets = json!({"checkout": folder, "names": names.map(|(_, name)| name)});
        let paths = names.map(|(way, name)| (way.to_owned(), folder.join(name)));
        let mut ground = Self::watch(targets, paths);
        ground.checkout = Some(folder);
        ground
    }

    /// Lays it out.
    pub fn to_be_marked(world: &World<'_>, ground: &Path) -> Self {
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

    fn checkout(&self) -> Option<&Path> {
        self.checkout.as_deref()
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

/// Set-user-id bits on files that the deed makes in its own folder.
#[derive(Debug, Default)]
pub struct SetId {
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
