//! Laying out what comes, inside the target's file system, where nobody sees it yet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::{PackageName, PythonFacts, Sha256, Version};

use super::TargetError;
use super::journal::staged;
use super::session::Session;
use crate::WheelInput;
use crate::install::InstallError;
use crate::install::bytecode;
use crate::install::record::Installed;
use crate::install::spread::{spread, write_record};
use crate::install::tree::{Manner, Tree};
use crate::install::wheel::Wheel;

/// A wheel to install.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The wheel.
    pub wheel: WheelInput,
    /// Whether the user asked for it, and not another package (`REQUESTED`).
    pub requested: bool,
    /// The content of `direct_url.json` (PEP 610), for what came from a URL, a path or a repository.
    pub direct_url: Option<Vec<u8>>,
}

/// Packages that are laid out and wait to be moved into place.
#[derive(Debug)]
pub struct Prepared<'a> {
    pub(super) session: &'a Session,
    pub(super) staged: Vec<Staged>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) name: PackageName,
    pub(super) version: Version,
    pub(super) label: String,
    /// The name of its `.dist-info` folder.
    pub(super) info: String,
    pub(super) tree: Tree,
    installed: Vec<Installed>,
    bytecode: Vec<String>,
}

impl Staged {
    /// Returns its files and their digests.
    pub(super) fn files(&self) -> BTreeMap<String, Sha256> {
        self.tree.digests().collect()
    }
}

impl Session {
    /// Checks wheels and lays them out. Nothing that is installed changes.
    ///
    /// # Errors
    /// If a wheel is not what was chosen, is damaged, or names or holds what a wheel may not; if two of
    /// them want different content in one place; if writing fails.
    pub fn prepare(
        &self,
        wanted: &[Wanted],
        facts: &PythonFacts,
    ) -> Result<Prepared<'_>, TargetError> {
        let mut prepared = Prepared {
            session: self,
            staged: Vec::new(),
        };
        self.make_work()?;
        for (number, one) in wanted.iter().enumerate() {
            let root = self.beneath.full(&staged(number));
            let one = self.lay_out(one, &root, facts)?;
            prepared.staged.push(one);
        }
        prepared.check()?;
        Ok(prepared)
    }

    fn lay_out(
        &self,
        wanted: &Wanted,
        root: &Path,
        facts: &PythonFacts,
    ) -> Result<Staged, TargetError> {
        let mut documents = Vec::new();
        if wanted.requested {
            documents.push(("REQUESTED", Vec::new()));
        }
        if let Some(text) = &wanted.direct_url {
            documents.push(("direct_url.json", text.clone()));
        }
        let scheme = self.target.scheme();
        let mut wheel = Wheel::open(&wanted.wheel)?;
        let mut tree = Tree::create(root, Manner::Usual)?;
        let installed = spread(&mut wheel, &mut tree, &scheme, &documents)?;
        Ok(Staged {
            name: wanted.wheel.filename.name.clone(),
            version: wanted.wheel.filename.version.clone(),
            label: wheel.label.clone(),
            info: wheel.info(),
            bytecode: bytecode::expected(&tree, facts, &scheme.site_packages),
            tree,
            installed,
        })
    }
}

impl Prepared<'_> {
    /// Two packages of one run may have a file in common, but not with different content.
    fn check(&self) -> Result<(), TargetError> {
        let mut seen: BTreeMap<String, (Sha256, &str)> = BTreeMap::new();
        for staged in &self.staged {
            for (path, sha256) in staged.tree.digests() {
                let first = &*seen.entry(path.clone()).or_insert((sha256, &staged.label));
                if first.0 != sha256 {
                    return Err(TargetError::Install(InstallError::Conflict {
                        path,
                        first: first.1.to_owned(),
                        second: staged.label.clone(),
                    }));
                }
            }
        }
        Ok(())
    }

    /// Returns the folder that [`crate::COMPILE`] may read, which holds all packages.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.session.work()
    }

    /// Takes over the bytecode files that are expected from the folder `compiled`, and returns how many
    /// there were. Files that did not compile are missing there, which is no error.
    ///
    /// # Errors
    /// If one is not a plain file of bytecode, or reading or writing fails.
    pub fn adopt(&mut self, compiled: &Path) -> Result<u64, TargetError> {
        let mut count = 0;
        for (number, staged) in self.staged.iter_mut().enumerate() {
            let below = compiled.join(format!("new-{number}"));
            if staged.bytecode.is_empty() || !below.exists() {
                continue;
            }
            count += bytecode::adopt(&mut staged.tree, &below, &staged.bytecode)?;
            let made = staged.bytecode.iter().filter(|path| staged.tree.has(path));
            staged.installed.extend(made.map(|path| Installed {
                path: path.clone(),
                content: None,
            }));
        }
        Ok(count)
    }

    /// Writes each package's RECORD: from now on nothing is added.
    pub(super) fn seal(&mut self) -> Result<(), TargetError> {
        let scheme = self.session.target.scheme();
        for staged in &mut self.staged {
            let installed = std::mem::take(&mut staged.installed);
            let (label, info) = (staged.label.as_str(), staged.info.as_str());
            write_record(&mut staged.tree, &scheme, (label, info), installed)?;
        }
        Ok(())
    }
}
