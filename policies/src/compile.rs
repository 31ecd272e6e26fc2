//! From a policy to what the worker is told: absolute, sorted, nothing left to fill in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use protocol::{AbsPath, Access, Limits, PathGrant};

use crate::environment::Folder;
use crate::grant::{Target, Terms};
use crate::rights::Rights;
use crate::{Policy, PolicyError, guard};

/// Where the places of this build are.
#[derive(Clone)]
pub struct Places<'a> {
    /// Everything that the interpreter consists of: its executable (links resolved), its prefixes and
    /// its library folders. Prefixes that are shared with much else (`/usr`, `/usr/local`, a home,
    /// `~/.local`) are not granted whole, so the executable and the library folders must be listed.
    pub interpreter: Vec<AbsPath>,
    /// The build environment: as the host sees it, and as the build sees it.
    pub environment: Option<(AbsPath, AbsPath)>,
    /// Whether a path exists on the host.
    pub exists: &'a dyn Fn(&Path) -> bool,
}

impl std::fmt::Debug for Places<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Places")
            .field("interpreter", &self.interpreter)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

/// A grant from the command line (`--allow-read`, `--allow-write`, `--allow-exec`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Extra {
    /// The path; it must exist.
    pub path: AbsPath,
    /// What is allowed below it.
    pub access: Access,
}

/// What the worker is told, and what the builder adds its own variables to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The grants, sorted, without duplicates; every path in its one spelling.
    pub grants: Vec<PathGrant>,
    /// Variables with fixed values, `PATH` among them, sorted by name.
    pub environment: Vec<(String, String)>,
    /// Names of variables whose values come from the caller, sorted.
    pub passed: Vec<String>,
    /// The limits.
    pub limits: Limits,
}

impl Policy {
    /// Turns the policy into what the worker is told.
    ///
    /// # Errors
    /// If something that must be granted does not exist, or an extra may not be granted.
    pub fn compile(&self, places: &Places<'_>, extras: &[Extra]) -> Result<Compiled, PolicyError> {
        let mut sheet = Sheet::default();
        for (target, terms) in &self.grants {
            match target {
                Target::Interpreter => self.interpreter(places, *terms, &mut sheet)?,
                Target::Environment => {
                    if let Some((host, seen_as)) = &places.environment {
                        sheet.add(host, Some(seen_as), terms.rights, false);
                    }
                }
                Target::Path { path, unless } => {
                    if unless.iter().any(|other| (places.exists)(other.as_path())) {
                        continue;
                    }
                    if (places.exists)(path.as_path()) {
                        sheet.add(path, None, terms.rights, terms.optional);
                    } else if !terms.optional {
                        return Err(PolicyError::Missing {
                            policy: self.name.clone(),
                            path: path.as_path().to_owned(),
                        });
                    }
                }
            }
        }
        for extra in extras {
            sheet.add_extra(extra, places)?;
        }
        Ok(Compiled {
            grants: sheet.grants(),
            environment: self.variables(places),
            passed: self.environment.pass.keys().cloned().collect(),
            limits: self.limits.clone(),
        })
    }

    fn interpreter(
        &self,
        places: &Places<'_>,
        terms: Terms,
        sheet: &mut Sheet,
    ) -> Result<(), PolicyError> {
        let granted: Vec<_> = places
            .interpreter
            .iter()
            .filter(|path| !guard::is_shared_prefix(guard::respelled(path.as_path()).as_path()))
            .filter(|path| (places.exists)(path.as_path()))
            .collect();
        if granted.is_empty() {
            let given: Vec<_> = places.interpreter.iter().map(AbsPath::to_string).collect();
            return Err(PolicyError::NoInterpreterPath {
                policy: self.name.clone(),
                given: given.join(", "),
            });
        }
        for path in granted {
            sheet.add(path, None, terms.rights, false);
        }
        Ok(())
    }

    fn variables(&self, places: &Places<'_>) -> Vec<(String, String)> {
        let folders: Vec<_> = self
            .environment
            .path
            .iter()
            .filter_map(|folder| match folder {
                Folder::Path(path) => Some(path.to_string()),
                Folder::Environment => {
                    let (_, seen_as) = places.environment.as_ref()?;
                    Some(seen_as.as_path().join("bin").display().to_string())
                }
            })
            .collect();
        let mut variables: BTreeMap<String, String> = self
            .environment
            .set
            .iter()
            .map(|(name, setting)| (name.clone(), setting.value.clone()))
            .collect();
        // An empty PATH would mean the working folder.
        if !folders.is_empty() {
            variables.insert("PATH".to_owned(), folders.join(":"));
        }
        variables.into_iter().collect()
    }
}

/// The grants while they are collected: by path as the host sees it and as the build sees it.
#[derive(Default)]
struct Sheet(BTreeMap<(PathBuf, Option<AbsPath>), (BTreeSet<Access>, bool)>);

impl Sheet {
    fn add(&mut self, path: &AbsPath, seen_as: Option<&AbsPath>, rights: Rights, optional: bool) {
        let path = guard::respelled(path.as_path());
        for access in rights.accesses(path.as_path()) {
            self.insert(&path, seen_as, access, optional);
        }
    }

    fn add_extra(&mut self, extra: &Extra, places: &Places<'_>) -> Result<(), PolicyError> {
        let path = guard::path_of_a_flag(&extra.path).map_err(|(problem, instead)| {
            PolicyError::ExtraRefused {
                path: extra.path.as_path().to_owned(),
                problem: format!("{problem}; {instead}"),
            }
        })?;
        if !(places.exists)(path.as_path()) {
            return Err(PolicyError::ExtraMissing {
                path: path.as_path().to_owned(),
            });
        }
        self.insert(&path, None, extra.access, false);
        Ok(())
    }

    fn insert(
        &mut self,
        path: &AbsPath,
        seen_as: Option<&AbsPath>,
        access: Access,
        optional: bool,
    ) {
        let seen_as = seen_as
            .map(|seen_as| guard::respelled(seen_as.as_path()))
            .filter(|seen_as| seen_as != path);
        let (accesses, held_optional) = self
            .0
            .entry((path.as_path().to_owned(), seen_as))
            .or_insert_with(|| (BTreeSet::new(), true));
        accesses.insert(access);
        *held_optional &= optional;
    }

    fn grants(self) -> Vec<PathGrant> {
        self.0
            .into_iter()
            .flat_map(|((path, seen_as), (accesses, optional))| {
                let strongest: Vec<_> = accesses
                    .iter()
                    .copied()
                    .filter(|&one| !accesses.iter().any(|&other| covers(other, one)))
                    .collect();
                strongest.into_iter().map(move |access| PathGrant {
                    path: guard::respelled(&path),
                    seen_as: seen_as.clone(),
                    access,
                    optional,
                })
            })
            .collect()
    }
}

/// Whether `stronger` allows more than `weaker` and all of it.
fn covers(stronger: Access, weaker: Access) -> bool {
    matches!(
        (stronger, weaker),
        (Access::ReadExecute | Access::ReadWriteFile, Access::Read)
            | (
                Access::ReadWrite,
                Access::Read | Access::ReadExecute | Access::ReadWriteFile
            )
    )
}
