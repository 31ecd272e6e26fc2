//! The version that is replaced: the files that are taken away with it.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt as _;

use super::TargetError;
use super::beneath::{Beneath, Kind};
use super::installed::Distribution;
use super::owners::{Owners, recorded};
use crate::install::layout::SCRIPTS;
use crate::install::record::below;

/// What goes.
#[derive(Debug, Default)]
pub(super) struct Old {
    /// Files and links, relative to the target; those of `.dist-info` are not among them.
    pub(super) files: BTreeSet<String>,
    /// The names of the `.dist-info` folders, which go as they are.
    pub(super) folders: Vec<String>,
    /// What stays although a RECORD names it, in words.
    pub(super) notes: Vec<String>,
}

impl Old {
    /// Gathers what belongs to some installed projects and to nobody else.
    pub(super) fn gather(
        beneath: &Beneath,
        site_packages: &str,
        distributions: &[&Distribution],
        owners: &Owners,
    ) -> Result<Self, TargetError> {
        let mut old = Self {
            folders: distributions.iter().map(|it| it.folder.clone()).collect(),
            ..Self::default()
        };
        for distribution in distributions {
            if let Some(reason) = distribution.unremovable {
                return Err(TargetError::Unremovable {
                    name: distribution.name.to_string(),
                    reason: format!("{reason} (`{}`)", distribution.folder),
                });
            }
            let (inside, outside) = recorded(beneath, site_packages, distribution)?;
            if !outside.is_empty() {
                old.notes.push(format!(
                    "{} files that the RECORD of the old version names outside of the environment stay",
                    outside.len()
                ));
            }
            for path in inside {
                old.take(beneath, site_packages, path, owners)?;
            }
        }
        let bytecode = old.bytecode(beneath)?;
        old.files.extend(bytecode);
        Ok(old)
    }

    fn take(
        &mut self,
        beneath: &Beneath,
        site_packages: &str,
        path: String,
        owners: &Owners,
    ) -> Result<(), TargetError> {
        let info = below(&path, site_packages).and_then(|inside| inside.split('/').next());
        if info.is_some_and(|top| top.ends_with(".dist-info")) {
            // Its own goes as a folder; nobody takes a file out of another's.
            return Ok(());
        }
        if is_of_the_environment(&path) {
            self.notes
                .push(format!("`{path}` is part of the environment and stays"));
            return Ok(());
        }
        if let Some(other) = owners.others(&path, &self.folders).next() {
            self.notes
                .push(format!("`{path}` is of `{other}` as well and stays"));
            return Ok(());
        }
        match beneath.look(&path) {
            Ok(Some(look)) if look.kind != Kind::Folder => _ = self.files.insert(path),
            Ok(_) => {}
            Err(TargetError::Linked { path: link }) => {
                self.notes
                    .push(format!("`{link}` is a link: what it leads to stays"));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Returns the bytecode of the sources that go; Python made it, so no RECORD knows it.
    fn bytecode(&self, beneath: &Beneath) -> Result<Vec<String>, TargetError> {
        let mut sources: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for path in &self.files {
            if let Some(stem) = path.strip_suffix(".py") {
                let (folder, stem) = stem.rsplit_once('/').unwrap_or(("", stem));
                sources.entry(folder).or_default().push(stem);
            }
        }
        let mut found = Vec::new();
        for (folder, stems) in sources {
            let cache = crate::install::spread::joined(folder, "__pycache__");
            let names = match beneath.names(&cache) {
                Err(TargetError::Linked { .. }) => continue,
                names => names?,
            };
            for name in names {
                let Ok(name) = std::str::from_utf8(name.as_bytes()) else {
                    continue;
                };
                let is_ours = name.ends_with(".pyc")
                    && stems.iter().any(|stem| {
                        name.strip_prefix(stem)
                            .is_some_and(|rest| rest.starts_with('.'))
                    });
                if is_ours {
                    found.push(format!("{cache}/{name}"));
                }
            }
        }
        Ok(found)
    }
}

/// Whether a path makes the environment one.
fn is_of_the_environment(path: &str) -> bool {
    let program = below(path, SCRIPTS).unwrap_or_default();
    path == "pyvenv.cfg"
        || path.starts_with(".fumehood")
        || program.starts_with("python")
        || program.starts_with("pypy")
        || program.to_ascii_lowercase().starts_with("activate")
}
