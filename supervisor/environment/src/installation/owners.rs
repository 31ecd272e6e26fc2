//! Which file belongs to which installed project, as their RECORDs say.

use std::collections::{BTreeMap, BTreeSet};

use super::TargetError;
use super::beneath::Beneath;
use super::installed::{self, Distribution};
use crate::install::record;
use crate::install::spread::joined;

/// The largest RECORD that is read, in bytes.
const MAX_RECORD: u64 = 64 * 1024 * 1024;

/// Which file belongs to which projects: by path relative to the target, the names of `.dist-info` folders.
#[derive(Debug, Default)]
pub(super) struct Owners {
    of: BTreeMap<String, BTreeSet<String>>,
}

impl Owners {
    /// Reads the RECORD of everything that is installed.
    pub(super) fn read(beneath: &Beneath, site_packages: &str) -> Result<Self, TargetError> {
        let mut owners = Self::default();
        for distribution in installed::read(beneath, site_packages)? {
            for path in recorded(beneath, site_packages, &distribution)?.0 {
                owners.add(path, &distribution.folder);
            }
        }
        Ok(owners)
    }

    pub(super) fn add(&mut self, path: String, folder: &str) {
        self.of.entry(path).or_default().insert(folder.to_owned());
    }

    /// Forgets what belongs to a project.
    pub(super) fn forget(&mut self, folder: &str) {
        self.of.retain(|_, owners| {
            owners.remove(folder);
            !owners.is_empty()
        });
    }

    /// Returns who else has a path, besides some folders.
    pub(super) fn others<'a>(
        &'a self,
        path: &str,
        besides: &'a [String],
    ) -> impl Iterator<Item = &'a str> + use<'a> {
        let owners = self.of.get(path).into_iter().flatten();
        owners
            .filter(|owner| !besides.contains(owner))
            .map(String::as_str)
    }
}

/// Returns the paths that a project's RECORD names, relative to the target, and those that it names
/// outside of it.
pub(super) fn recorded(
    beneath: &Beneath,
    site_packages: &str,
    distribution: &Distribution,
) -> Result<(BTreeSet<String>, Vec<String>), TargetError> {
    let path = joined(site_packages, &format!("{}/RECORD", distribution.folder));
    let text = match distribution.unremovable {
        None => beneath.read(&path, MAX_RECORD)?.unwrap_or_default(),
        Some(_) => Vec::new(),
    };
    let root = beneath.full("");
    let (mut inside, mut outside) = (BTreeSet::new(), Vec::new());
    for path in record::paths(&text) {
        match relative(&path, site_packages, root.to_str().unwrap_or_default()) {
            Some(path) => _ = inside.insert(path),
            None => outside.push(path),
        }
    }
    Ok((inside, outside))
}

/// Returns a path of a RECORD relative to the target; none if it leads out of it.
fn relative(path: &str, site_packages: &str, root: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let path = if path.starts_with('/') {
        path.strip_prefix(root.trim_end_matches('/'))?
            .strip_prefix('/')?
    } else {
        parts.extend(site_packages.split('/').filter(|it| !it.is_empty()));
        path
    };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part if part.contains('\0') => return None,
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn paths_of_a_record_are_taken_from_site_packages_and_never_lead_out() {
        let of = |path| relative(path, "lib/python3.11/site-packages", "/home/me/env/");
        assert_eq!(
            of("a/b.py").as_deref(),
            Some("lib/python3.11/site-packages/a/b.py")
        );
        assert_eq!(of("../../../bin/x").as_deref(), Some("bin/x"));
        assert_eq!(of("/home/me/env/etc/x").as_deref(), Some("etc/x"));
        for path in [
            "../../../../x",
            "/etc/passwd",
            "/home/me/environment/x",
            "a/../../../../../../x",
            "/",
            "../../..",
        ] {
            assert_eq!(of(path), None, "{path}");
        }
    }
}
