//! Metadata: mode, owner, times and attributes of what is not the build's own, whatever call it makes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tests::decoy::{changed_at, mark};
use tests::{Outcome, Prey, Sdist, Setting, World, hostile};

use crate::site;

/// Every way to change metadata, as `changes_all_metadata` calls them.
const WAYS: [&str; 21] = [
    "chmod",
    "fchmod",
    "fchmod of a pinned file",
    "fchmod by /dev/fd",
    "fchmodat",
    "chown",
    "lchown",
    "fchown",
    "fchownat",
    "fchownat without a name",
    "utimensat",
    "utimensat to now",
    "utimensat of no link",
    "futimens",
    "utimensat without a name",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
];

/// A key for each way, and the home. For root they are what a file of the system is: a file of root's that the
/// build's uid 0 could change. No real one is tried, for the control would change it. The harm is that any of them
/// has a new time of change.
struct Untouched {
    targets: Value,
    before: BTreeMap<String, (PathBuf, Option<(i64, i64)>)>,
}

impl Untouched {
    fn lay(world: &World<'_>, ground: &Path) -> Self {
        let mut ways = WAYS.to_vec();
        if world.has("fchmodat2") {
            ways.extend(["fchmodat2", "fchmodat2 without a name"]);
        }
        if world.has("setxattrat") {
            ways.extend(["setxattrat", "removexattrat"]);
        }
        // Newer architectures never had the older calls.
        if cfg!(target_arch = "x86_64") {
            ways.extend(["utime", "utimes", "futimesat"]);
        }
        let keys: BTreeMap<_, _> = ways
            .into_iter()
            .map(|way| {
                let name = way.replace(['/', ' '], "-");
                let key = world.file(ground.join(name).join("id_rsa"), "a key\n");
                mark(&key, "user.mark", b"here");
                (way.to_owned(), key)
            })
            .collect();
        let touched = vec![world.home()];
        let places = touched
            .iter()
            .map(|path| (path.display().to_string(), path.clone()));
        let before = keys
            .iter()
            .map(|(way, path)| (way.clone(), path.clone()))
            .chain(places)
            .map(|(name, path)| (name, (path.clone(), changed_at(&path))))
            .collect();
        let targets = json!({"ways": keys, "touched": touched});
        Self { targets, before }
    }
}

impl Prey for Untouched {
    fn targets(&self) -> Value {
        self.targets.clone()
    }

    fn possible(&self) -> BTreeSet<String> {
        self.before.keys().cloned().collect()
    }

    fn unheld(&self, setting: Setting) -> BTreeSet<String> {
        if setting.holds_metadata() {
            return BTreeSet::new();
        }
        // A descriptor that is open for reading is still out of reach.
        let opens = [
            "fchmod",
            "fchmod by /dev/fd",
            "fchown",
            "futimens",
            "fsetxattr",
            "fremovexattr",
        ];
        let ways = self.possible().into_iter();
        ways.filter(|way| !opens.contains(&way.as_str())).collect()
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        let changed = self
            .before
            .iter()
            .filter(|(_, (path, before))| changed_at(path) != *before);
        changed.map(|(name, _)| name.clone()).collect()
    }
}

#[test]
fn a_build_that_calls_all_there_is_to_change_metadata_touches_no_key_no_home_and_no_system_file() {
    hostile(site(), "changes_all_metadata", Untouched::lay);
}

#[test]
fn a_build_that_copies_a_tree_keeps_modes_and_times_of_its_own_files() {
    let deed = "import os, shutil\n\
                if not os.path.exists('from'):\n    \
                    os.makedirs('from/inner')\n    \
                    for number in range(40):\n        \
                        path = 'from/inner/%d' % number\n        \
                        open(path, 'w').close()\n        \
                        os.chmod(path, 0o600 + number % 8)\n        \
                        os.utime(path, ns=(10**18 + number, 10**18 + 7 * number))\n    \
                    shutil.copytree('from', 'to')\n    \
                    for folder, _, files in os.walk('from'):\n        \
                        for name in files + ['.']:\n            \
                            one = os.stat(os.path.join(folder, name))\n            \
                            two = os.stat(os.path.join(folder.replace('from', 'to', 1), name))\n            \
                            assert (one.st_mode, one.st_mtime_ns) == (two.st_mode, two.st_mtime_ns), name";
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("copies", "1.0").prologue(deed);
        let done = world.build(&sdist).finish();
        let wheel = done.built(&sdist.wheel());
        assert!(wheel.denials.is_empty(), "{done}");
    }
}
