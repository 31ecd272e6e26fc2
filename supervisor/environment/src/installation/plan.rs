//! Deciding the renames that bring a new version in place of an old one.
//!
//! Whole folders where they hold nothing but the old version, else file by file. First what is new, then
//! what changes, then `.dist-info`, at one moment; what is old and has no successor goes last. So at every
//! moment a file that both versions have is one of the two, and exactly one version is the installed one.

use std::collections::{BTreeMap, BTreeSet};

use model::Sha256;

use super::TargetError;
use super::beneath::{Beneath, Kind, Look};
use super::journal::{Entry, Step};
use super::old::Old;
use super::owners::Owners;
use crate::install::record::below;
use crate::install::spread::joined;

/// What the file system can do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Abilities {
    /// Two things can take each other's place.
    pub(super) exchanges: bool,
    /// Folders can be renamed wherever they come from.
    pub(super) folders: bool,
}

/// What comes, staged.
#[derive(Clone, Copy, Debug)]
pub(super) struct New<'a> {
    /// Which package of the run.
    pub(super) number: usize,
    /// What it is called in words: the wheel's file name.
    pub(super) label: &'a str,
    /// The name of its `.dist-info` folder.
    pub(super) info: &'a str,
    /// Its files and their digests, relative to the target.
    pub(super) files: &'a BTreeMap<String, Sha256>,
}

/// What bears on the decision.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) beneath: &'a Beneath,
    pub(super) site_packages: &'a str,
    pub(super) abilities: Abilities,
    pub(super) owners: &'a Owners,
    /// Old versions that later packages of the run replace, with what those still have.
    pub(super) leaving: &'a BTreeMap<String, BTreeSet<String>>,
}

/// Decides the steps of one package.
pub(super) fn plan(ground: Ground<'_>, new: New<'_>, old: &Old) -> Result<Entry, TargetError> {
    let mut planner = Planner {
        ground,
        new,
        old,
        puts: Vec::new(),
        changes: Vec::new(),
        takes: Vec::new(),
        emptied: Vec::new(),
        kept: 0,
    };
    planner.folder("")?;
    let (info, commit, gone) = planner.info()?;
    let before = planner.puts.len() + planner.changes.len();
    let mut steps = planner.puts;
    steps.append(&mut planner.changes);
    steps.extend(info);
    steps.append(&mut planner.takes);
    steps.extend(gone);
    Ok(Entry {
        number: new.number,
        steps,
        commit: before + commit,
        emptied: planner.emptied,
    })
}

struct Planner<'a> {
    ground: Ground<'a>,
    new: New<'a>,
    old: &'a Old,
    puts: Vec<Step>,
    changes: Vec<Step>,
    takes: Vec<Step>,
    emptied: Vec<String>,
    kept: usize,
}

impl Planner<'_> {
    /// Decides about everything in a folder that is there.
    fn folder(&mut self, folder: &str) -> Result<(), TargetError> {
        let new = children(self.new.files.keys(), folder);
        let old = children(self.old.files.iter(), folder);
        let paths: BTreeSet<_> = new.keys().chain(old.keys()).cloned().collect();
        for path in paths {
            if self.is_info(&path) {
                continue;
            }
            let there = self.ground.beneath.look(&path)?;
            match (new.get(&path).copied(), there.map(|it| it.kind)) {
                (Some(_), None) => self.puts.push(Step::Put { path }),
                (Some(Child::Folder), Some(Kind::Folder)) => {
                    if old.contains_key(&path) && self.goes_whole(&path)? {
                        self.change(path)?;
                    } else {
                        self.folder(&path)?;
                        self.may_be_empty(path);
                    }
                }
                (Some(child), Some(kind)) => self.meet(path, child, kind)?,
                (None, None) => {}
                (None, Some(Kind::Folder)) => {
                    if self.goes_whole(&path)? {
                        self.take(path);
                    } else {
                        self.folder(&path)?;
                        self.may_be_empty(path);
                    }
                }
                (None, Some(_)) => self.take(path),
            }
        }
        Ok(())
    }

    /// Decides about a place where something else is than a folder in a folder's place.
    fn meet(&mut self, path: String, child: Child, kind: Kind) -> Result<(), TargetError> {
        let goes = match kind {
            Kind::Folder => self.goes_whole(&path)?,
            Kind::File | Kind::Link => self.old.files.contains(&path),
        };
        if goes {
            return self.change(path);
        }
        if kind == Kind::Link && child == Child::Folder {
            return Err(TargetError::Linked { path });
        }
        let there = match kind {
            Kind::Folder => "where a folder is".to_owned(),
            Kind::File | Kind::Link => {
                let info = self.new.info.to_owned();
                let mut besides = self.old.folders.clone();
                besides.push(info);
                let mut owners = self.ground.owners.others(&path, &besides).peekable();
                let is_owned = owners.peek().is_some();
                let stays = |owner: &&str| match self.ground.leaving.get(*owner) {
                    Some(kept) => kept.contains(&path),
                    None => true,
                };
                match owners.find(stays) {
                    None if is_owned => return self.change(path),
                    Some(owner) => format!("which belongs to `{owner}` with another content"),
                    None => "where a file is that no installed package has".to_owned(),
                }
            }
        };
        if kind == Kind::File && child == Child::File && self.is_same(&path)? {
            return Ok(());
        }
        Err(TargetError::Conflict {
            package: self.new.label.to_owned(),
            path,
            there,
        })
    }

    /// Whether a file that is there has the content that comes.
    fn is_same(&self, path: &str) -> Result<bool, TargetError> {
        let Some(mut file) = self.ground.beneath.file(path)? else {
            return Ok(false);
        };
        let found = Sha256::of_reader(&mut file)
            .map_err(TargetError::io("read", &self.ground.beneath.full(path)))?;
        Ok(self.new.files.get(path) == Some(&found.0))
    }

    /// Whether a folder may go as one: it can be renamed, and holds nothing but what goes.
    fn goes_whole(&self, folder: &str) -> Result<bool, TargetError> {
        let Abilities { exchanges, folders } = self.ground.abilities;
        Ok(exchanges && folders && !self.is_frame(folder) && self.is_whole(folder)?)
    }

    /// Whether a folder is one of the environment's own.
    fn is_frame(&self, folder: &str) -> bool {
        let site_packages = self.ground.site_packages;
        site_packages == folder
            || below(site_packages, folder).is_some()
            || (folder == crate::install::layout::SCRIPTS && !site_packages.is_empty())
    }

    fn may_be_empty(&mut self, folder: String) {
        if !self.is_frame(&folder) {
            self.emptied.push(folder);
        }
    }

    fn is_whole(&self, folder: &str) -> Result<bool, TargetError> {
        let beneath = self.ground.beneath;
        for name in beneath.names(folder)? {
            let Some(name) = name.to_str() else {
                return Ok(false);
            };
            let path = joined(folder, name);
            let goes = match beneath.look(&path)?.map(|it| it.kind) {
                None => true,
                Some(Kind::Folder) => !self.is_info(&path) && self.is_whole(&path)?,
                Some(_) => self.old.files.contains(&path),
            };
            if !goes {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_info(&self, path: &str) -> bool {
        below(path, self.ground.site_packages).is_some_and(|name| {
            name == self.new.info || self.old.folders.iter().any(|folder| folder == name)
        })
    }

    /// Something new comes in place of something that is there.
    fn change(&mut self, path: String) -> Result<(), TargetError> {
        let steps = self.changed(&path)?;
        self.changes.extend(steps);
        Ok(())
    }

    fn changed(&mut self, path: &str) -> Result<Vec<Step>, TargetError> {
        let kind = self.ground.beneath.look(path)?.map(|it| it.kind);
        let staged = self.staged(path)?;
        let (path, is_file) = (path.to_owned(), staged.kind == Kind::File);
        if self.ground.abilities.exchanges {
            return Ok(vec![Step::Exchange {
                staged: path.clone(),
                path,
                becomes: None,
                inode: staged.inode,
            }]);
        }
        let kept = self.number();
        Ok(if kind == Some(Kind::File) && is_file {
            vec![Step::Over { path, kept }]
        } else {
            let taken = path.clone();
            vec![Step::Take { path: taken, kept }, Step::Put { path }]
        })
    }

    fn take(&mut self, path: String) {
        let kept = self.number();
        self.takes.push(Step::Take { path, kept });
    }

    fn number(&mut self) -> usize {
        self.kept += 1;
        self.kept
    }

    fn staged(&self, path: &str) -> Result<Look, TargetError> {
        let staged = format!("{}/{path}", super::journal::staged(self.new.number));
        self.ground.beneath.look(&staged)?.ok_or_else(|| {
            let lost = std::io::ErrorKind::NotFound.into();
            TargetError::io("find", &self.ground.beneath.full(&staged))(lost)
        })
    }

    /// Decides about `.dist-info`: the steps, which of them commits, and what goes afterwards.
    fn info(&mut self) -> Result<(Vec<Step>, usize, Vec<Step>), TargetError> {
        let path = joined(self.ground.site_packages, self.new.info);
        let mut old: Vec<_> = self.old.folders.clone();
        if self.ground.beneath.has(&path)? && !old.iter().any(|it| it == self.new.info) {
            // A folder of this name that is no installation: it is in the way.
            old.push(self.new.info.to_owned());
        }
        // The one of the same name first: it can be in nobody's way then.
        old.sort_by_key(|folder| folder != self.new.info);
        let Some(first) = old.first().cloned() else {
            return Ok((vec![Step::Put { path }], 0, Vec::new()));
        };
        let Abilities { exchanges, folders } = self.ground.abilities;
        let mut gone = Vec::new();
        let (steps, commit) = if exchanges && folders {
            let there = joined(self.ground.site_packages, &first);
            old.remove(0);
            let step = Step::Exchange {
                inode: self.staged(&path)?.inode,
                becomes: (there != path).then(|| path.clone()),
                staged: path,
                path: there,
            };
            (vec![step], 0)
        } else if first == self.new.info {
            old.remove(0);
            let steps = self.info_by_files(&path, &mut gone)?;
            let commit = steps.len() - 1;
            (steps, commit)
        } else {
            (vec![Step::Put { path }], 0)
        };
        for folder in old {
            let folder = joined(self.ground.site_packages, &folder);
            if exchanges && folders {
                let kept = self.number();
                gone.push(Step::Take { path: folder, kept });
            } else {
                gone.extend(self.all_of(&folder)?);
            }
        }
        Ok((steps, commit, gone))
    }

    /// The same version again, where folders can not be exchanged: file by file, RECORD last.
    fn info_by_files(
        &mut self,
        folder: &str,
        gone: &mut Vec<Step>,
    ) -> Result<Vec<Step>, TargetError> {
        let record = format!("{folder}/RECORD");
        let files = self.new.files.keys();
        let mut new: Vec<_> = files
            .filter(|path| below(path, folder).is_some())
            .cloned()
            .collect();
        new.sort_by_key(|path| *path == record);
        let mut steps = Vec::new();
        for path in &new {
            if self.ground.beneath.has(path)? {
                steps.extend(self.changed(path)?);
            } else {
                let above = path.rsplit_once('/').map_or("", |(above, _)| above);
                if self.ground.beneath.has(above)? {
                    steps.push(Step::Put { path: path.clone() });
                } else {
                    // `licenses/` and the like: the folder comes as one.
                    let put = Step::Put {
                        path: above.to_owned(),
                    };
                    if !steps.contains(&put) {
                        steps.insert(0, put);
                    }
                }
            }
        }
        for step in self.all_of(folder)? {
            if let Step::Take { path, .. } = &step
                && !new.contains(path)
            {
                gone.push(step);
            }
        }
        Ok(steps)
    }

    /// Takes all files of a folder away, one by one.
    fn all_of(&mut self, folder: &str) -> Result<Vec<Step>, TargetError> {
        let mut steps = Vec::new();
        for name in self.ground.beneath.names(folder)? {
            let Some(name) = name.to_str() else {
                continue;
            };
            let path = joined(folder, name);
            match self.ground.beneath.look(&path)?.map(|it| it.kind) {
                Some(Kind::Folder) => steps.extend(self.all_of(&path)?),
                Some(_) => {
                    let kept = self.number();
                    steps.push(Step::Take { path, kept });
                }
                None => {}
            }
        }
        self.emptied.push(folder.to_owned());
        Ok(steps)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Child {
    File,
    Folder,
}

/// Returns what the paths name directly in a folder.
fn children<'a>(paths: impl Iterator<Item = &'a String>, folder: &str) -> BTreeMap<String, Child> {
    let mut found = BTreeMap::new();
    for path in paths {
        let Some(inside) = below(path, folder) else {
            continue;
        };
        match inside.split_once('/') {
            None => _ = found.insert(path.clone(), Child::File),
            Some((name, _)) => _ = found.insert(joined(folder, name), Child::Folder),
        }
    }
    found
}
