//! Filling an environment: the empty layout, then wheel after wheel, then bytecode.

use std::io::Write;
use std::path::{Path, PathBuf};

use cache::{Cache, StagingDir};
use model::{PythonFacts, Sha256, WheelFilename};

use super::record::{self, Installed};
use super::tree::Tree;
use super::wheel::{Member, Wheel};
use super::{Environment, InstallError, bytecode, entry_points, layout, name, publish, script};

/// A wheel to install.
#[derive(Clone, Debug)]
pub struct WheelInput {
    /// The file.
    pub path: PathBuf,
    /// Its name as the index or the build has it; the file itself may be called anything.
    pub filename: WheelFilename,
    /// The digest it was chosen by; checked again.
    pub sha256: Sha256,
}

/// An environment that nobody can use yet.
#[derive(Debug)]
pub struct Staged {
    pub(super) staging: StagingDir,
    pub(super) tree: Tree,
    pub(super) name: Sha256,
    pub(super) bytecode: Vec<String>,
    pub(super) wheels: Vec<WheelInput>,
    pub(super) facts: PythonFacts,
}

/// Lays out an environment and installs the wheels into it. No code of theirs runs.
///
/// # Errors
/// If a wheel's bytes are not those that were chosen; if one is damaged, or names or holds what a
/// wheel may not; if two want different content in one place; if writing fails.
pub fn stage(
    cache: &Cache,
    wheels: &[WheelInput],
    facts: &PythonFacts,
) -> Result<Staged, InstallError> {
    let staging = cache.staging_dir()?;
    let mut tree = Tree::create(&staging.path().join(publish::ENV))?;
    layout::lay_out(&mut tree, facts)?;
    let mut wheels = wheels.to_vec();
    wheels.sort_by_key(|wheel| (wheel.filename.name.clone(), wheel.sha256));
    wheels.dedup_by_key(|wheel| wheel.sha256);
    for input in &wheels {
        let mut wheel = Wheel::open(input)?;
        Installation {
            wheel: &mut wheel,
            tree: &mut tree,
            facts,
            site_packages: layout::site_packages(facts),
            installed: Vec::new(),
        }
        .run()?;
    }
    let bytecode = bytecode::expected(&tree, facts);
    Ok(Staged {
        staging,
        tree,
        name: name::environment_name(&wheels, facts),
        bytecode,
        wheels,
        facts: facts.clone(),
    })
}

impl Staged {
    /// Returns the environment's folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.tree.root()
    }

    /// Returns the bytecode files that [`super::COMPILE`] may make, relative to the root, sorted.
    #[must_use]
    pub fn bytecode(&self) -> Vec<String> {
        self.bytecode.clone()
    }

    /// Takes over the bytecode files that are expected from the folder `compiled`, and returns how
    /// many there were. Files that did not compile are missing there, which is no error.
    ///
    /// # Errors
    /// If one is not a plain file of bytecode, or reading or writing fails.
    pub fn adopt(&mut self, compiled: &Path) -> Result<u64, InstallError> {
        bytecode::adopt(&mut self.tree, compiled, &self.bytecode)
    }

    /// Publishes the environment; somebody may have published the same meanwhile, then that is
    /// returned.
    ///
    /// # Errors
    /// If the cache can not be written.
    pub fn publish(self, cache: &Cache) -> Result<Environment, InstallError> {
        publish::publish(self, cache)
    }
}

/// One wheel on its way into the tree.
struct Installation<'a> {
    wheel: &'a mut Wheel,
    tree: &'a mut Tree,
    facts: &'a PythonFacts,
    site_packages: String,
    installed: Vec<Installed>,
}

impl Installation<'_> {
    fn run(mut self) -> Result<(), InstallError> {
        let ours = ["RECORD", "INSTALLER"].map(|name| self.wheel.dist_info(name));
        for member in self.wheel.members.clone() {
            if ours.contains(&member.path) {
                continue;
            }
            let place = self.place(&member.path)?;
            if let Place::Script(path) = &place
                && self.rewritten(&member, path)?
            {
                continue;
            }
            self.file(&member, &place)?;
        }
        self.programs()?;
        self.documents()
    }

    /// Returns where a member belongs (PEP 427, "spread").
    fn place(&self, path: &str) -> Result<Place, InstallError> {
        let data = format!("{}.data/", self.wheel.stem);
        let Some(inside) = path.strip_prefix(&data) else {
            return Ok(Place::File(format!("{}/{path}", self.site_packages)));
        };
        let (kind, rest) = inside.split_once('/').unwrap_or((inside, ""));
        Ok(match kind {
            _ if rest.is_empty() => {
                return Err(self
                    .wheel
                    .refused("its .data folder holds a file".to_owned()));
            }
            "purelib" | "platlib" => Place::File(format!("{}/{rest}", self.site_packages)),
            "scripts" => Place::Script(format!("{}/{rest}", layout::SCRIPTS)),
            "headers" => {
                let folder = layout::headers(self.facts, &self.wheel.distribution);
                Place::File(format!("{folder}/{rest}"))
            }
            "data" => Place::File(rest.to_owned()),
            _ => {
                return Err(self.wheel.refused(format!(
                    "its .data folder holds the unknown kind `{}`",
                    super::tree::printable(kind)
                )));
            }
        })
    }

    /// Copies a member, checking it on the way.
    fn file(&mut self, member: &Member, place: &Place) -> Result<(), InstallError> {
        let (path, executable) = match place {
            Place::File(path) => (path, member.executable),
            Place::Script(path) => (path, true),
        };
        let label = self.wheel.label.clone();
        let Some(sha256) = self.wheel.stated_sha256(member) else {
            let bytes = self.wheel.checked_bytes(member)?;
            return self.put(path, &bytes, executable);
        };
        if let Some(mut file) = self.tree.claim(path, sha256, &label)? {
            let full = self.tree.root().join(path);
            self.wheel.extract(member, |chunk| {
                file.write_all(chunk)
                    .map_err(InstallError::io("write", &full))
            })?;
            self.tree.finish(path, &file, executable)?;
        }
        self.installed.push(Installed {
            path: path.clone(),
            sha256,
            size: member.size,
        });
        Ok(())
    }

    /// Installs a script that is written for `python`; false if it is of another kind.
    fn rewritten(&mut self, member: &Member, path: &str) -> Result<bool, InstallError> {
        const START: &[u8] = b"#!python";
        let mut start = Vec::new();
        // Reads the whole member; scripts are small, and programs among them are few.
        self.wheel.extract(member, |chunk| {
            let missing = START.len() - start.len();
            start.extend_from_slice(&chunk[..missing.min(chunk.len())]);
            Ok(())
        })?;
        if start != START {
            return Ok(false);
        }
        let bytes = self.wheel.checked_bytes(member)?;
        match script::of_script(&bytes).map_err(|why| self.wheel.refused(why))? {
            None => Ok(false),
            Some(text) => self.put(path, &text, true).map(|()| true),
        }
    }

    /// Makes the programs of the entry points.
    fn programs(&mut self) -> Result<(), InstallError> {
        let Some(text) = self.wheel.document("entry_points.txt")? else {
            return Ok(());
        };
        let text = String::from_utf8(text).map_err(|_| {
            self.wheel
                .refused("its entry_points.txt is not UTF-8".to_owned())
        })?;
        let programs = entry_points::programs(&text).map_err(|why| self.wheel.refused(why))?;
        for program in programs {
            let path = format!("{}/{}", layout::SCRIPTS, program.name);
            self.put(&path, &script::of_program(&program), true)?;
        }
        Ok(())
    }

    /// Writes INSTALLER and the RECORD of what was installed.
    fn documents(&mut self) -> Result<(), InstallError> {
        let folder = self.site_packages.clone();
        let installer = format!("{folder}/{}", self.wheel.dist_info("INSTALLER"));
        self.put(&installer, b"fumehood\n", false)?;
        let own = self.wheel.dist_info("RECORD");
        let text = record::write(std::mem::take(&mut self.installed), &folder, &own);
        self.tree
            .put(&format!("{folder}/{own}"), &text, false, &self.wheel.label)?;
        Ok(())
    }

    fn put(&mut self, path: &str, bytes: &[u8], executable: bool) -> Result<(), InstallError> {
        let sha256 = self.tree.put(path, bytes, executable, &self.wheel.label)?;
        self.installed.push(Installed {
            path: path.to_owned(),
            sha256,
            size: bytes.len() as u64,
        });
        Ok(())
    }
}

enum Place {
    File(String),
    Script(String),
}
