//! One run in one target: alone by a lock, after repairing what an interrupted one left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cache::{Lock, lock_file, make_dirs, sync_tree};
use model::{PackageName, Version};

use super::beneath::{Beneath, Kind};
use super::carry;
use super::installed::{self, Distribution};
use super::journal::{Journal, WORK, clear};
use super::old::Old;
use super::owners::Owners;
use super::plan::{Abilities, Ground, New, plan};
use super::prepare::Prepared;
use super::{Target, TargetError};
use crate::install::layout::SCRIPTS;

/// The lock's file, in the target's root; it goes with the lock.
const LOCK: &str = ".fumehood.lock";

/// A target that nobody else installs into.
#[derive(Debug)]
pub struct Session {
    pub(super) target: Target,
    pub(super) beneath: Beneath,
    repaired: bool,
    _lock: Lock,
}

/// What became of one package.
#[derive(Clone, Debug)]
pub struct Change {
    /// The project.
    pub name: PackageName,
    /// The version that is installed now.
    pub version: Version,
    /// The versions that were replaced; the same one if it was installed again.
    pub replaced: Vec<String>,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

impl Session {
    /// Takes the target's lock, waiting at most `wait` (`on_wait` is called if it has to), and repairs what
    /// an interrupted run left.
    ///
    /// # Errors
    /// If the time is up, the target can not be written, or the repair fails.
    pub fn begin(
        target: &Target,
        wait: Duration,
        on_wait: &mut dyn FnMut(),
    ) -> Result<Self, TargetError> {
        let root = &target.root;
        make_dirs(root, 0o777).map_err(TargetError::io("create the folder", root))?;
        let name = format!("the environment `{}`", root.display());
        let lock = lock_file(&root.join(LOCK), &name, wait, on_wait)?;
        let beneath = Beneath::open(root)?;
        if !target.site_packages.is_empty() {
            beneath.make_folder(&target.site_packages)?;
        }
        let repaired = carry::repair(&beneath).map_err(|source| TargetError::Unfinished {
            path: root.join(WORK),
            source: Box::new(source),
        })?;
        Ok(Self {
            target: target.clone(),
            beneath,
            repaired,
            _lock: lock,
        })
    }

    /// Whether an interrupted run had left something.
    #[must_use]
    pub fn is_repaired(&self) -> bool {
        self.repaired
    }

    /// Returns what is installed.
    ///
    /// # Errors
    /// If it can not be read.
    pub fn installed(&self) -> Result<Vec<Distribution>, TargetError> {
        installed::read(&self.beneath, &self.target.site_packages)
    }

    pub(super) fn work(&self) -> PathBuf {
        self.beneath.full(WORK)
    }

    /// Makes the folder in which packages are laid out, where they can be renamed to their places.
    pub(super) fn make_work(&self) -> Result<(), TargetError> {
        clear(&self.beneath)?;
        let work = self.work();
        fs::create_dir(&work).map_err(TargetError::io("create the folder", &work))?;
        let device = |path: &str| -> Result<Option<u64>, TargetError> {
            Ok(self.beneath.look(path)?.map(|found| found.device))
        };
        let own = device(WORK)?;
        for place in [self.target.site_packages.as_str(), SCRIPTS] {
            if !place.is_empty() && device(place)?.is_some_and(|found| Some(found) != own) {
                return Err(TargetError::NotAnEnvironment {
                    path: self.target.root.clone(),
                    reason: format!("its `{place}` lies on another file system than its root"),
                });
            }
        }
        Ok(())
    }

    /// Finds out what the file system can do, in the folder of the run.
    fn abilities(&self) -> Result<Abilities, TargetError> {
        let (one, other) = (format!("{WORK}/one"), format!("{WORK}/other"));
        for path in [&one, &other] {
            let full = self.beneath.full(path);
            fs::write(&full, path).map_err(TargetError::io("write", &full))?;
        }
        Ok(Abilities {
            exchanges: self.beneath.exchange(&one, &other).is_ok(),
            folders: self.beneath.renames_folders(),
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // What was laid out and not moved into place is nobody's; a journal is the next run's.
        if Journal::read(&self.beneath).is_ok_and(|journal| journal.is_none()) {
            let _ = clear(&self.beneath);
        }
        // Still under the lock: who waits for it sees that the file is gone.
        let _ = fs::remove_file(self.beneath.full(LOCK));
    }
}

impl Prepared<'_> {
    /// Moves the packages into place, each in place of what is installed of the same project. If anything
    /// fails, everything is as it was before.
    ///
    /// # Errors
    /// If an installed version can not be taken away, something is in the way, or a rename fails.
    pub fn install(mut self) -> Result<Vec<Change>, TargetError> {
        self.seal()?;
        let session = self.session;
        let beneath = &session.beneath;
        let abilities = session.abilities()?;
        sync_tree(&session.work())?;
        beneath.sync("")?;
        let mut journal = Journal::new();
        match self.move_in(&mut journal, abilities) {
            Ok(changes) => {
                carry::finish(beneath, &journal, &journal.entries)?;
                Ok(changes)
            }
            Err(error) => {
                carry::undo(beneath, &journal).map_err(|source| TargetError::Unfinished {
                    path: session.work(),
                    source: Box::new(source),
                })?;
                Err(error)
            }
        }
    }

    fn move_in(
        &self,
        journal: &mut Journal,
        abilities: Abilities,
    ) -> Result<Vec<Change>, TargetError> {
        let (session, beneath) = (self.session, &self.session.beneath);
        let site_packages = session.target.site_packages.as_str();
        let there = session.installed()?;
        let of = |name: &PackageName| -> Vec<&Distribution> {
            there.iter().filter(|it| it.name == *name).collect()
        };
        let mut owners = Owners::read(beneath, site_packages)?;
        let mut leaving: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for staged in &self.staged {
            for old in of(&staged.name) {
                leaving.insert(old.folder.clone(), staged.files().into_keys().collect());
            }
        }
        let mut changes = Vec::new();
        for (number, staged) in self.staged.iter().enumerate() {
            let replaced = of(&staged.name);
            for old in &replaced {
                leaving.remove(&old.folder);
            }
            let old = Old::gather(beneath, site_packages, &replaced, &owners)?;
            let files = staged.files();
            let ground = Ground {
                beneath,
                site_packages,
                abilities,
                owners: &owners,
                leaving: &leaving,
            };
            let new = New {
                number,
                label: &staged.label,
                info: &staged.info,
                files: &files,
            };
            check_places(new, site_packages, beneath)?;
            let entry = plan(ground, new, &old)?;
            journal.entries.push(entry.clone());
            journal.write(beneath)?;
            carry::forward(beneath, &entry)?;
            for old in &replaced {
                owners.forget(&old.folder);
            }
            for path in files.into_keys() {
                owners.add(path, &staged.info);
            }
            changes.push(Change {
                name: staged.name.clone(),
                version: staged.version.clone(),
                replaced: replaced.iter().map(|it| version_of(it)).collect(),
                notes: old.notes,
            });
        }
        Ok(changes)
    }
}

/// Refuses files in places that are none of a package's.
fn check_places(new: New<'_>, site_packages: &str, beneath: &Beneath) -> Result<(), TargetError> {
    for path in new.files.keys() {
        let conflict = |there: &str| TargetError::Conflict {
            package: new.label.to_owned(),
            path: path.clone(),
            there: there.to_owned(),
        };
        if path.starts_with(WORK) {
            return Err(conflict("where installers of ours work"));
        }
        let top = crate::install::record::below(path, site_packages)
            .and_then(|inside| inside.split_once('/'))
            .map_or("", |(top, _)| top);
        let is_info = Path::new(top)
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("dist-info"));
        if is_info && top != new.info {
            return Err(conflict("which is the place of another package's metadata"));
        }
    }
    let info = crate::install::spread::joined(site_packages, new.info);
    match beneath.look(&info)?.map(|found| found.kind) {
        Some(Kind::Link) => Err(TargetError::Linked { path: info }),
        _ => Ok(()),
    }
}

fn version_of(distribution: &Distribution) -> String {
    distribution
        .version
        .as_ref()
        .map_or_else(|| "?".to_owned(), ToString::to_string)
}
