//! One test's world: folders of its own, an index of its own, and the program in one setting.
//!
//! Everything lies below one short temporary folder and is removed on drop. What a run leaves behind is
//! judged when the run ends ([`crate::Running::finish`]).

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use protocol::Level;
use rustix::fs::rename;
use tempfile::TempDir;

use crate::command::Run;
use crate::index::Index;
use crate::sdist::Sdist;
use crate::setting::{Lacking, Setting};
use crate::site::{Python, Site, open_to_all};

/// Folders, an index and a program for one test.
#[derive(Debug)]
pub struct World<'site> {
    /// The suite's surroundings.
    pub site: &'site Site,
    /// As whom and with what the program runs.
    pub setting: Setting,
    /// What a failed promise shall also say.
    pub about: String,
    /// The package index, empty at first.
    pub index: Index,
    folder: TempDir,
    program: PathBuf,
    older_worker: PathBuf,
}

impl<'site> World<'site> {
    /// Makes a world.
    ///
    /// # Panics
    /// When the host refuses a folder or a socket.
    #[must_use]
    pub fn new(site: &'site Site, setting: Setting) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("fh")
            .tempdir()
            .expect("a temporary folder can be made");
        let everybody = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), everybody)
            .expect("the mode of an own folder can be set");
        let program = reachable(&site.program, folder.path(), setting);
        let older_worker = match setting.lacking {
            Lacking::Scopes => reachable(&site.older_worker(), folder.path(), setting),
            _ => site.older_worker(),
        };
        let world = Self {
            site,
            setting,
            about: String::new(),
            index: Index::start(),
            folder,
            program,
            older_worker,
        };
        for name in ["home", "work", "k"] {
            world.folder(name);
        }
        world
    }

    /// Returns a folder of this world, made on demand, that belongs to the user who runs the program.
    ///
    /// # Panics
    /// When it can not be made.
    pub fn folder(&self, name: impl AsRef<Path>) -> PathBuf {
        let path = self.folder.path().join(name);
        let missing: Vec<_> = path
            .ancestors()
            .take_while(|folder| !folder.exists())
            .collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder).expect("a folder can be made");
            self.give(folder);
        }
        path
    }

    /// Writes a file that belongs to the user who runs the program, and returns its path.
    ///
    /// # Panics
    /// When it can not be written.
    pub fn file(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        self.folder(path.parent().expect("a file lies in a folder"));
        fs::write(&path, content).expect("a file can be written");
        self.give(&path);
        path
    }

    /// Makes a path belong to the user who runs the program.
    ///
    /// # Panics
    /// When the host refuses.
    pub fn give(&self, path: &Path) {
        if let Some(uid) = self.setting.identity.other_uid() {
            chown(path, Some(uid), Some(uid)).expect("root can give a file away");
        }
    }

    /// Writes a source tree below a folder of this world and returns the folder.
    pub fn lay(&self, folder: &str, sdist: &Sdist) -> PathBuf {
        for (name, content) in sdist.files() {
            self.file(format!("{folder}/{name}"), content);
        }
        self.folder(folder)
    }

    /// Writes an sdist as a local `.tar.gz` and returns its path.
    pub fn archive(&self, sdist: &Sdist) -> PathBuf {
        self.file(
            format!("sdists/{}", sdist.filename("tar.gz")),
            sdist.tar_gz(),
        )
    }

    /// Returns the home folder of the user who runs the program.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder("home")
    }

    /// Returns the cache root, which the program makes itself.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.cache_at("c")
    }

    /// Moves the cache to a root of another name, which is returned.
    ///
    /// # Panics
    /// When there is no cache.
    #[must_use]
    pub fn move_cache(&self, name: &str) -> PathBuf {
        let root = self.cache_at(name);
        rename(self.cache(), &root).expect("an own folder can be moved");
        root
    }

    /// Returns a cache root of another name.
    #[must_use]
    pub fn cache_at(&self, name: &str) -> PathBuf {
        self.folder("k").join(name)
    }

    /// Returns the output folder, which the program makes itself.
    #[must_use]
    pub fn out(&self) -> PathBuf {
        self.folder("work").join("out")
    }

    /// Returns the Python that the program is told to use.
    #[must_use]
    pub fn python(&self) -> &'site Python {
        self.site.python(self.setting.identity)
    }

    /// Whether the kernel has a feature for this user; a missing one is noted as not run.
    #[must_use]
    pub fn has(&self, feature: &str) -> bool {
        let there = self.python().can(feature);
        if !there {
            self.site
                .unrun
                .note(&format!("{feature}, {}", self.setting));
        }
        there
    }

    /// Whether this host has a program; a missing one is noted as not run.
    #[must_use]
    pub fn has_program(&self, name: &str) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let there = std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
        if !there {
            self.site.unrun.note(name);
        }
        there
    }

    /// Whether a trace shows which paths the program names: it hides its memory from others of its uid, so only
    /// root's does. Where not, that is noted as not run.
    #[must_use]
    pub fn traces_paths(&self) -> bool {
        let is_root = rustix::process::geteuid().is_root();
        if !is_root {
            self.site.unrun.note("root, to trace the program");
        }
        is_root && self.has_program("strace")
    }

    /// Returns the program's path.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Returns a worker that lacks layers, which its file's name says.
    ///
    /// # Panics
    /// When it can not be copied.
    #[must_use]
    pub fn lacking_worker(&self, layers: &str) -> PathBuf {
        let worker = self.site.warden.with_file_name("lacking-worker");
        linked(
            &worker,
            self.folder.path().join(format!("lacking-{layers}")),
        )
    }

    /// Returns a program whose supervisor lacks layers, which its file's name says.
    #[must_use]
    pub(crate) fn lacking_program(&self, layers: &str) -> PathBuf {
        let program = self.site.warden.with_file_name("lacking-program");
        let name = format!("lacking-program-{layers}");
        linked(&program, self.folder.path().join(name))
    }

    /// Prepares a run of the program with nothing but a clean environment.
    #[must_use]
    pub fn run<Word: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = Word>,
    ) -> Run<'_, 'site> {
        let run = Run::new(self, self.program.as_os_str()).args(arguments);
        match self.setting.lacking {
            Lacking::Scopes => run.worker(&self.older_worker),
            _ => run,
        }
    }

    /// Prepares `fumehood wheel SPECS...` from source, with this world's places and a JSON report.
    #[must_use]
    pub fn wheels<Word: AsRef<OsStr>>(
        &self,
        specs: impl IntoIterator<Item = Word>,
    ) -> Run<'_, 'site> {
        self.run(["wheel"])
            .args(specs)
            .args(["--no-deps", "--no-binary", ":all:"])
            .args(self.accepting())
            .places()
            .report()
    }

    /// Accepts the setting's level where it is below the default.
    fn accepting(&self) -> Vec<&'static str> {
        match self.setting.level() {
            level if level < Level::Confined => vec!["--min-isolation", level.word()],
            _ => Vec::new(),
        }
    }

    /// The same for one spec.
    #[must_use]
    pub fn wheel(&self, spec: impl AsRef<OsStr>) -> Run<'_, 'site> {
        self.wheels([spec])
    }

    /// Prepares a build of a local archive made of an sdist.
    #[must_use]
    pub fn build(&self, sdist: &Sdist) -> Run<'_, 'site> {
        self.wheel(self.archive(sdist))
    }

    /// Lists the scratch folders in the cache: six characters, as the contract has it.
    #[must_use]
    pub fn scratches(&self) -> Vec<PathBuf> {
        scratches(&self.cache())
    }

    /// Lists the names in the output folder, sorted.
    #[must_use]
    pub fn delivered(&self) -> Vec<String> {
        let entries = fs::read_dir(self.out()).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// Lists the folders below a cache root that look like a scratch.
#[must_use]
pub fn scratches(root: &Path) -> Vec<PathBuf> {
    let short = |name: &str| {
        name.len() == 6
            && name
                .bytes()
                .all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit())
    };
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_str().is_some_and(short))
        .map(|entry| entry.path())
        .collect()
}

/// Returns a path of the program that the setting's user can run: a link or copy where the built one is out of reach.
fn reachable(program: &Path, world: &Path, setting: Setting) -> PathBuf {
    if setting.identity.other_uid().is_none() || open_to_all(program) {
        return program.to_owned();
    }
    linked(
        program,
        world.join(program.file_name().expect("a program has a name")),
    )
}

/// Gives a program another name, under which everybody can run it: a link, or a copy where that does not do.
fn linked(program: &Path, copy: PathBuf) -> PathBuf {
    if fs::hard_link(program, &copy).is_err() || !open_to_all(&copy) {
        let _ = fs::remove_file(&copy);
        fs::copy(program, &copy).expect("the program can be copied");
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))
            .expect("an own file's mode can be set");
    }
    copy
}
