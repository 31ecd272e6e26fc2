//! Two wheels beside each other: their names, and the names of what is in them.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// In what two wheels differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The file names, ours first, if they are not the same.
    pub names: Option<(String, String)>,
    /// Members that only ours has.
    pub ours: BTreeSet<String>,
    /// Members that only theirs has.
    pub theirs: BTreeSet<String>,
}

impl Difference {
    /// Compares two wheels.
    ///
    /// # Errors
    /// When one of them is no archive.
    pub fn between(ours: &Path, theirs: &Path) -> Result<Self, String> {
        let name = |path: &Path| {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        };
        let names = (name(ours), name(theirs));
        let (ours, theirs) = (members(ours)?, members(theirs)?);
        Ok(Self {
            names: (names.0 != names.1).then_some(names),
            ours: ours.difference(&theirs).cloned().collect(),
            theirs: theirs.difference(&ours).cloned().collect(),
        })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Returns it in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        if self.is_none() {
            return "same".to_owned();
        }
        let mut words = Vec::new();
        if let Some((ours, theirs)) = &self.names {
            words.push(format!("{ours} instead of {theirs}"));
        }
        for (sign, members) in [('+', &self.ours), ('-', &self.theirs)] {
            words.extend(members.iter().take(3).map(|name| format!("{sign}{name}")));
            if members.len() > 3 {
                words.push(format!("{sign}{} more", members.len() - 3));
            }
        }
        words.join(" ")
    }
}

/// The names of all files in a wheel; entries for folders are no members.
fn members(path: &Path) -> Result<BTreeSet<String>, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let file = File::open(path).map_err(|error| said(&error))?;
    let archive = zip::ZipArchive::new(file).map_err(|error| said(&error))?;
    let mut members = BTreeSet::new();
    for name in archive.file_names() {
        let name = name.map_err(|error| said(&error))?;
        if !name.ends_with('/') {
            members.insert(name.into_owned());
        }
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Wheel;

    #[test]
    fn names_and_members_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |name: &str, wheel: &Wheel| {
            let path = folder.path().join(name);
            std::fs::write(&path, wheel.pack()).expect("a file");
            path
        };
        let plain = Wheel::new("a", "1");
        let one = put("a-1-py3-none-any.whl", &plain);
        let same = Difference::between(&one, &one).expect("two wheels");
        assert!(same.is_none());
        let other = put("a-1-py2-none-any.whl", &plain.file("b.py", ""));
        let found = Difference::between(&one, &other).expect("two wheels");
        assert!(found.names.is_some() && found.ours.is_empty());
        assert_eq!(Vec::from_iter(&found.theirs), ["b.py"]);
        let words = "a-1-py3-none-any.whl instead of a-1-py2-none-any.whl -b.py";
        assert_eq!(found.words(), words);
        std::fs::write(&one, "no archive").expect("a file");
        assert!(Difference::between(&one, &other).is_err());
    }
}
