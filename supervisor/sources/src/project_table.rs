//! The `[project]` table of `pyproject.toml`: what it fixes, so that no backend may say otherwise
//! (PEP 621, PEP 808).
//!
//! Reading only, and leniently: a table that breaks a rule fixes nothing, and the backend says why.

use model::{ExtraName, PackageName, Requirement, Version, lenient};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::{CoreMetadata, names, pyproject};

/// Entries of one list; real projects have some hundreds.
const MOST: usize = 5_000;
/// The fields that decide what is installed beside a project.
const DEPENDENCIES: [&str; 3] = ["dependencies", "optional-dependencies", "requires-python"];

/// What a `[project]` table fixes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectTable {
    /// `name`, which is never dynamic.
    pub name: PackageName,
    /// `version`, unless it is dynamic.
    pub version: Option<Version>,
    /// `dependencies`, `optional-dependencies` and `requires-python`, unless the backend may say
    /// something of them as well.
    pub dependencies: Option<Dependencies>,
    /// What is dynamic, in small letters.
    pub dynamic: Vec<String>,
}

/// What is installed beside a project, as core metadata writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependencies {
    requires_python: Option<String>,
    requires_dist: Vec<String>,
    provides_extra: Vec<ExtraName>,
}

impl ProjectTable {
    /// Reads the table. `has_setup` says whether a `setup.py` or `setup.cfg` lies beside it: setuptools took
    /// from there what the table left out, for years.
    #[must_use]
    pub fn read(text: &[u8], has_setup: bool) -> Option<Self> {
        let document = pyproject::parse(text).ok()?;
        let project = document.get("project")?.as_table()?;
        let dynamic = dynamic(project)?;
        let is_dynamic = |field: &str| dynamic.iter().any(|one| one == field);
        let name = names::project(project.get("name")?.as_str()?)?;
        if is_dynamic("name") {
            return None;
        }
        let version = match project.get("version") {
            Some(text) => Some(lenient::version(text.as_str()?).ok()?),
            None => None,
        };
        let others_add = |field: &&str| {
            // A list that is dynamic as well is "at least this" (PEP 808).
            is_dynamic(field)
                || (!project.contains_key(*field)
                    && ((has_setup && is_setuptools(&document)) || is_poetry(&document)))
        };
        let dependencies = if DEPENDENCIES.iter().any(others_add) {
            None
        } else {
            Some(Dependencies::read(project)?)
        };
        Some(Self {
            name,
            version: version.filter(|_| !is_dynamic("version")),
            dependencies,
            dynamic,
        })
    }

    /// Returns the metadata that every wheel of this project has, if all of it is fixed; a version
    /// that is dynamic is the one that the sdist's place fixes.
    #[must_use]
    pub fn metadata(&self, version: Option<&Version>) -> Option<CoreMetadata> {
        let Dependencies {
            requires_python,
            requires_dist,
            provides_extra,
        } = self.dependencies.as_ref()?;
        Some(CoreMetadata {
            metadata_version: "2.2".to_owned(),
            name: self.name.clone(),
            version: self.version.as_ref().or(version)?.clone(),
            requires_python: requires_python
                .as_deref()
                .map(lenient::specifiers)
                .transpose()
                .ok()?,
            requires_dist: requires_dist
                .iter()
                .map(|text| lenient::requirement(text).ok())
                .collect::<Option<_>>()?,
            provides_extra: provides_extra.clone(),
            dynamic: Vec::new(),
        })
    }
}

impl Dependencies {
    fn read(project: &Table) -> Option<Self> {
        let requires_python = match project.get("requires-python") {
            Some(text) => Some(lenient::specifiers(text.as_str()?).ok()?.to_string()),
            None => None,
        };
        let mut requires_dist = Vec::new();
        for requirement in list(project.get("dependencies"))? {
            requires_dist.push(requirement.to_string());
        }
        let mut provides_extra = Vec::new();
        let groups = match project.get("optional-dependencies") {
            Some(groups) => groups.as_table()?,
            None => &Table::new(),
        };
        for (group, requirements) in groups {
            let extra = names::extra(group)?;
            for requirement in list(Some(requirements))? {
                requires_dist.push(requirement.with_extra_marker(&extra).to_string());
            }
            provides_extra.push(extra);
        }
        (requires_dist.len() <= MOST && provides_extra.len() <= MOST).then_some(Self {
            requires_python,
            requires_dist,
            provides_extra,
        })
    }
}

fn dynamic(project: &Table) -> Option<Vec<String>> {
    let Some(list) = project.get("dynamic") else {
        return Some(Vec::new());
    };
    let fields = list.as_array()?.iter().take(MOST);
    fields
        .map(|field| Some(field.as_str()?.to_ascii_lowercase()))
        .collect()
}

fn list(value: Option<&Value>) -> Option<Vec<Requirement>> {
    let Some(value) = value else {
        return Some(Vec::new());
    };
    let entries = value.as_array()?;
    if entries.len() > MOST {
        return None;
    }
    entries
        .iter()
        .map(|entry| {
            // What stands in braces is a backend's own language.
            let text = entry.as_str().filter(|text| !text.contains(['{', '}']))?;
            lenient::requirement(text).ok()
        })
        .collect()
}

/// Whether setuptools builds it, named or by default.
fn is_setuptools(document: &Table) -> bool {
    let system = document.get("build-system").and_then(Value::as_table);
    let backend = system.and_then(|table| table.get("build-backend")?.as_str());
    backend.is_none_or(|backend| backend.split([':', '.']).next() == Some("setuptools"))
}

/// Whether poetry may take dependencies from a table of its own.
fn is_poetry(document: &Table) -> bool {
    let tool = document.get("tool").and_then(Value::as_table);
    tool.is_some_and(|tool| tool.contains_key("poetry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(text: &str, has_setup: bool) -> Option<CoreMetadata> {
        ProjectTable::read(text.as_bytes(), has_setup)?.metadata(None)
    }

    #[test]
    fn a_table_that_leaves_nothing_open_is_metadata() {
        let text = "[project]\nname = \"Foo.Bar\"\nversion = \"1.0\"\nrequires-python = \">=3.8\"\n\
                    dependencies = [\"a>=1\"]\n[project.optional-dependencies]\nFast = [\"b; python_version < '3'\"]\n";
        let found = fixed(text, true).unwrap();
        assert_eq!(found.name.as_ref(), "foo-bar");
        assert_eq!(found.requires_python.unwrap().to_string(), ">=3.8");
        let requires: Vec<_> = found
            .requires_dist
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            requires,
            ["a>=1", "b ; python_full_version < '3' and extra == 'fast'"]
        );
        assert_eq!(found.provides_extra.len(), 1);
    }

    #[test]
    fn what_a_backend_may_add_to_is_not_fixed() {
        let head = "[project]\nname = \"foo\"\n";
        for (tail, why) in [
            ("dynamic = [\"version\"]\n", "the version is dynamic"),
            ("version = \"1\"\ndynamic = [\"dependencies\"]\n", "dynamic"),
            (
                "version = \"1\"\ndependencies = [\"a\"]\ndynamic = [\"Dependencies\"]\n",
                "partly dynamic (PEP 808)",
            ),
            (
                "version = \"1\"\ndynamic = [\"requires-python\"]\n",
                "dynamic",
            ),
            (
                "version = \"1\"\ndynamic = [\"optional-dependencies\"]\n",
                "dynamic",
            ),
            ("version = \"1\"\n[tool.poetry]\n", "poetry's own table"),
            ("version = \"x\"\n", "no version"),
            (
                "version = \"1\"\ndependencies = [\"a @ {root:uri}/a\"]\n",
                "a backend's language",
            ),
            (
                "version = \"1\"\ndependencies = [\"no requirement!\"]\n",
                "no requirement",
            ),
            ("version = \"1\"\ndependencies = \"a\"\n", "no list"),
        ] {
            assert_eq!(fixed(&format!("{head}{tail}"), false), None, "{why}");
        }
        let plain = format!("{head}version = \"1\"\n");
        assert!(fixed(&plain, false).is_some());
        assert_eq!(fixed(&plain, true), None, "setup.py may say more");
        let other =
            format!("{plain}[build-system]\nrequires = []\nbuild-backend = \"flit_core\"\n");
        assert!(fixed(&other, true).is_some());
        assert_eq!(fixed("[build-system]\nrequires = []\n", false), None);
        assert_eq!(fixed("[project", false), None);
    }

    #[test]
    fn a_dynamic_version_is_that_of_the_place() {
        let table = ProjectTable::read(
            b"[project]\nname = \"foo\"\ndynamic = [\"version\"]\n",
            false,
        );
        let version = lenient::version("1.5").unwrap();
        let found = table.unwrap().metadata(Some(&version)).unwrap();
        assert_eq!(found.version, version);
    }
}
