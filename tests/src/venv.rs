//! Environments that the program installs into, and what Python and pip see in them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::command::Run;
use crate::wheel::Wheel;
use crate::world::World;

/// A virtual environment in a world.
#[derive(Debug)]
pub struct Venv<'world, 'site> {
    pub(crate) world: &'world World<'site>,
    /// Its folder.
    pub root: PathBuf,
}

impl<'world, 'site> Venv<'world, 'site> {
    /// Makes one, without pip.
    ///
    /// # Panics
    /// When Python can not make it.
    #[must_use]
    pub fn new(world: &'world World<'site>, name: &str) -> Self {
        let root = world.folder(name);
        let made = Command::new(&world.python().path)
            .args(["-I", "-m", "venv", "--without-pip"])
            .arg(&root)
            .status();
        assert!(made.is_ok_and(|status| status.success()), "venv works");
        Self { world, root }
    }

    /// Prepares `fumehood install` into it, with the world's cache and index.
    #[must_use]
    pub fn install<Word: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = Word>,
    ) -> Run<'world, 'site> {
        self.world
            .run(["install"])
            .args(words)
            .flag("--cache-dir", self.world.cache())
            .flag("--default-index", self.world.index.url())
            .flag("-p", &self.root)
    }

    /// Writes a wheel into the world and returns its path.
    #[must_use]
    pub fn wheel(&self, wheel: &Wheel) -> String {
        let path = self
            .world
            .file(format!("wheels/{}", wheel.filename()), wheel.pack());
        path.display().to_string()
    }

    /// Runs something of the environment's `bin`.
    ///
    /// # Panics
    /// When it can not be started or fails.
    #[must_use]
    pub fn program(&self, name: &str, arguments: &[&str]) -> String {
        let output = Command::new(self.root.join("bin").join(name))
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .expect("the program starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {errors}");
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Runs a text in the environment's Python.
    #[must_use]
    pub fn python(&self, text: &str) -> String {
        self.program("python", &["-I", "-B", "-c", text])
    }

    /// Runs pip on it.
    ///
    /// # Panics
    /// When it can not be started.
    #[must_use]
    pub fn pip(&self, words: &[&str]) -> Output {
        Command::new(&self.world.python().path)
            .args(["-I", "-m", "pip", "--disable-pip-version-check", "--python"])
            .arg(self.root.join("bin/python"))
            .args(words)
            .env_clear()
            .env("HOME", self.world.home())
            .env("PIP_CONFIG_FILE", "/dev/null")
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .expect("pip starts")
    }

    /// Returns what pip lists.
    ///
    /// # Panics
    /// When pip fails, or lists something twice.
    #[must_use]
    pub fn listed(&self) -> BTreeMap<String, String> {
        let output = self.pip(&["list", "--format", "json"]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{errors}");
        let listed: Vec<BTreeMap<String, String>> =
            serde_json::from_slice(&output.stdout).expect("pip lists JSON");
        let mut all = BTreeMap::new();
        for one in &listed {
            let twice = all.insert(one["name"].to_lowercase(), one["version"].clone());
            assert_eq!(twice, None, "{listed:?}");
        }
        all
    }

    /// Returns every file in it but bytecode: its mode and content, or where a link leads.
    #[must_use]
    pub fn everything(&self) -> BTreeMap<String, Vec<u8>> {
        everything(&self.root)
    }

    /// Returns the folder of packages.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn site_packages(&self) -> PathBuf {
        site_packages(&self.root)
    }

    /// Reads a file of a package's `.dist-info`; nothing if there is none.
    #[must_use]
    pub fn info(&self, package: &str, name: &str) -> Option<String> {
        let folder = self.site_packages().join(format!("{package}.dist-info"));
        fs::read_to_string(folder.join(name)).ok()
    }
}

/// Returns the folder of packages in an environment.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn site_packages(root: &Path) -> PathBuf {
    let mut libraries = fs::read_dir(root.join("lib")).expect("an environment has lib");
    let library = libraries
        .next()
        .expect("it has a folder")
        .expect("it can be read");
    library.path().join("site-packages")
}

/// Returns every file below a folder but bytecode: its mode and content, or where a link leads.
///
/// # Panics
/// When something can not be read.
#[must_use]
pub fn everything(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder can be listed") {
            let path = entry.expect("an entry can be read").path();
            let about = path.symlink_metadata().expect("a file can be looked at");
            let name = path
                .strip_prefix(root)
                .expect("it lies below")
                .display()
                .to_string();
            if name.ends_with("__pycache__") {
                continue;
            }
            let content = if about.is_dir() {
                folders.push(path);
                b"folder".to_vec()
            } else if about.is_symlink() {
                let target = fs::read_link(&path).expect("a link can be read");
                format!("-> {}", target.display()).into_bytes()
            } else {
                let mut content =
                    format!("{:o} ", about.permissions().mode() & 0o7777).into_bytes();
                content.extend(fs::read(&path).expect("a file can be read"));
                content
            };
            found.insert(name, content);
        }
    }
    found
}
