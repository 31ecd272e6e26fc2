//! Installing into real folders: what comes, what goes, and what is left when it is interrupted.

mod interrupted;
mod refusals;
mod replacing;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Change, Session, Target, TargetError, Wanted};
use crate::Found;
use crate::install::tests::world::{Wheel, World};
use crate::interpreter::tests::real_python;

/// An environment of its own, without pip.
pub(super) struct Env {
    pub(super) world: World,
    pub(super) root: PathBuf,
    pub(super) target: Target,
}

impl Env {
    pub(super) fn new() -> Self {
        Self::named("env")
    }

    pub(super) fn named(name: &str) -> Self {
        let world = World::new();
        let root = world.path(name);
        let facts = &world.facts;
        let site = root.join(crate::site_packages(facts));
        fs::create_dir_all(&site).unwrap();
        fs::create_dir_all(root.join("bin")).unwrap();
        std::os::unix::fs::symlink(&facts.executable, root.join("bin/python")).unwrap();
        let home = facts.executable.parent().unwrap().display();
        fs::write(root.join("pyvenv.cfg"), format!("home = {home}\n")).unwrap();
        let (found, _) = real_python();
        let found = Found {
            executable: root.join("bin/python"),
            environment: Some(root.clone()),
            ..found
        };
        let target = Target::environment(&found, facts).unwrap();
        Self {
            world,
            root,
            target,
        }
    }

    pub(super) fn site(&self) -> PathBuf {
        self.root.join(crate::site_packages(&self.world.facts))
    }

    pub(super) fn session(&self) -> Session {
        Session::begin(&self.target, Duration::from_secs(10), &mut || {}).unwrap()
    }

    pub(super) fn wanted(&self, wheels: &[&Wheel]) -> Vec<Wanted> {
        let wheels = wheels.iter();
        wheels
            .map(|wheel| Wanted {
                wheel: self.world.input(wheel),
                requested: true,
                direct_url: None,
            })
            .collect()
    }

    pub(super) fn try_install(&self, wheels: &[&Wheel]) -> Result<Vec<Change>, TargetError> {
        let session = self.session();
        session
            .prepare(&self.wanted(wheels), &self.world.facts)?
            .install()
    }

    pub(super) fn install(&self, wheels: &[&Wheel]) -> Vec<Change> {
        self.try_install(wheels).unwrap()
    }

    /// What is refused leaves everything as it was.
    pub(super) fn refuses(&self, wheels: &[&Wheel]) -> TargetError {
        let before = everything(&self.root);
        let error = self.try_install(wheels).unwrap_err();
        assert_eq!(everything(&self.root), before, "{error}");
        error
    }
}

/// Every file below a folder: its mode and content, or where a link leads.
pub(super) fn everything(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let about = path.symlink_metadata().unwrap();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let content = if about.is_dir() {
                folders.push(path);
                "folder".to_owned()
            } else if about.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else {
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                format!("{:o} {text}", about.permissions().mode() & 0o777)
            };
            found.insert(name, content);
        }
    }
    found
}

/// A package with everything that one can have, which tells its version everywhere.
pub(super) fn rich(version: &str) -> Wheel {
    let init = format!("version = {version:?}\ndef main(): print(version)\n");
    let data = format!("rich-{version}.data");
    Wheel::new("rich", version)
        .with("rich/__init__.py", &init)
        .with("rich/deep/er/__init__.py", &init)
        .with("rich/same.py", "same = True\n")
        .with("rich_beside.py", &init)
        .with("shared/of_rich.py", &init)
        .with(&format!("rich/only_{}.py", version.replace('.', "_")), "")
        .with(
            &format!("{data}/scripts/run-rich"),
            "#!python\nimport rich\nprint(rich.version)\n",
        )
        .with(
            &format!("{data}/scripts/shell-rich"),
            "#!/bin/sh\necho rich\n",
        )
        .with(&format!("{data}/data/share/rich/version.txt"), version)
        .with(&format!("{data}/headers/rich.h"), version)
        .with(&format!("{data}/purelib/rich_pure.py"), &init)
        .entry_points("[console_scripts]\nrich = rich:main\n")
}
