//! What a scratch that is kept was confined by: enough to be confined by the same once more.
//!
//! It lies beside the build's log, where no build can write, and holds no value of a variable that the
//! caller declared: those may be secrets, and are not kept anywhere.

use std::path::{Path, PathBuf};

use model::{PythonFacts, SourceId};
use policies::{Compiled, Extra};
use protocol::{AbsPath, Access, Guarantee, Level, Limits, Namespaces, PathError};
use serde::{Deserialize, Serialize};

use crate::build_id::BuildId;
use crate::error::BuildError;
use crate::executor::Floor;

/// The schema that this program writes, and the only one that it reads.
const SCHEMA: &str = "fumehood-kept/1";
/// The file beside a log.
pub(crate) const NAME: &str = "kept.json";

/// `logs-v1/<id>/kept.json`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptBuild {
    schema: String,
    /// The build's id.
    pub build: String,
    /// What was built, for people.
    pub label: String,
    /// Where it was built.
    pub scratch: PathBuf,
    /// The policy's file.
    pub policy: String,
    /// What the policy lets a build see of Python.
    pub facts: PythonFacts,
    /// Names of variables that the caller gave the build besides those of the policy.
    pub declared: Vec<String>,
    pub(crate) namespaces: Namespaces,
    pub(crate) landlock: bool,
    pub(crate) uid: Option<u32>,
    pub(crate) environment: PathBuf,
    pub(crate) subdirectory: Option<String>,
    /// What was enforced of limits.
    pub limits: Limits,
    extras: Vec<(PathBuf, Access)>,
    level: Level,
    require: Vec<Guarantee>,
}

/// What is known of a build besides its policy's words.
pub(crate) struct Confined<'a> {
    pub(crate) label: &'a str,
    pub(crate) scratch: &'a Path,
    pub(crate) layout: &'a crate::assignment::Layout,
    pub(crate) environment: &'a Path,
    pub(crate) source: &'a SourceId,
    pub(crate) compiled: &'a Compiled,
}

impl KeptBuild {
    /// Writes down what the build `build` is confined by.
    pub(crate) fn write(
        settings: &crate::Settings,
        build: &BuildId,
        confined: &Confined<'_>,
    ) -> Result<(), BuildError> {
        let declared = settings.variables.keys();
        let declared = declared.filter(|name| !confined.compiled.passed.contains(name));
        let extras = settings.extras_of(confined.source).into_iter();
        let kept = Self {
            schema: SCHEMA.to_owned(),
            build: build.name().to_owned(),
            label: confined.label.to_owned(),
            scratch: confined.scratch.to_owned(),
            policy: settings.policy.source().to_owned(),
            facts: settings.facts.clone(),
            declared: declared.cloned().collect(),
            namespaces: confined.layout.namespaces,
            landlock: confined.layout.landlock,
            uid: confined.layout.build_uid,
            environment: confined.environment.to_owned(),
            subdirectory: confined.source.subdirectory.clone(),
            limits: settings.limits.over(&confined.compiled.limits),
            extras: extras
                .map(|extra| (extra.path.as_path().to_owned(), extra.access))
                .collect(),
            level: settings.floor.level,
            require: settings.floor.require.clone(),
        };
        let file = build.folder().join(NAME);
        settings.cache.write_record(&file, &kept)?;
        Ok(())
    }

    /// Reads what was written beside the log of `build`.
    #[must_use]
    pub fn read(cache: &cache::Cache, build: &str) -> Option<Self> {
        let file = cache.bucket(cache::Bucket::Logs).join(build).join(NAME);
        let kept: Self = cache.read_record(&file)?;
        (kept.schema == SCHEMA && kept.build == build).then_some(kept)
    }

    /// Returns the grants beyond the policy's.
    ///
    /// # Errors
    /// If the record is no record of ours.
    pub fn extras(&self) -> Result<Vec<Extra>, PathError> {
        let extras = self.extras.iter().map(|(path, access)| {
            Ok(Extra {
                path: AbsPath::new(path)?,
                access: *access,
            })
        });
        extras.collect()
    }

    /// Returns the least isolation that was accepted of the build. Who looks around in a scratch is not
    /// watched as a build is, so that one guarantee is not asked for.
    #[must_use]
    pub fn floor(&self) -> Floor {
        let require = self.require.iter().copied();
        Floor {
            level: self.level,
            require: require.filter(|one| *one != Guarantee::Reporting).collect(),
        }
    }
}

/// Returns the command that enters the scratch of a build again.
pub(crate) fn command(build: &str, root: &Path) -> String {
    let root = root.display().to_string();
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "/._-+@%:,=~".contains(sign);
    let root = if root.chars().all(is_plain) {
        root
    } else {
        format!("'{}'", root.replace('\'', r"'\''"))
    };
    format!("fumehood shell {build} --cache-dir {root}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_of_any_name_is_one_word_of_the_command() {
        let of = |root: &str| command("1a2b", root.as_ref());
        assert_eq!(of("/var/c"), "fumehood shell 1a2b --cache-dir /var/c");
        assert_eq!(of("/a b"), "fumehood shell 1a2b --cache-dir '/a b'");
        assert_eq!(of("/it's$"), r"fumehood shell 1a2b --cache-dir '/it'\''s$'");
    }
}
