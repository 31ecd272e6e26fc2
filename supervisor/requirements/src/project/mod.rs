//! What a `pyproject.toml` asks for: dependencies and extras (PEP 621), dependency groups (PEP 735).
//!
//! Nothing of the project is built for it.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;

use model::{ConfigSettings, ExtraName, Hashes, LinePlace, PackageName, lenient};

use crate::RequirementsError;
use crate::collect::{Line, Stated};
use crate::toml_text::{Item, Table, TomlText};

/// Which optional dependencies are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// `--extra`
    pub names: BTreeSet<ExtraName>,
    /// `--all-extras`
    pub all: bool,
}

impl Extras {
    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && !self.all
    }
}

/// Returns the dependencies of a project, with those of the extras, and what is not heard.
pub(crate) fn dependencies(
    text: &str,
    file: &Arc<Path>,
    extras: &Extras,
) -> Result<(Vec<Line>, Vec<String>), RequirementsError> {
    let toml = TomlText::parse(text, file)?;
    let top = toml.top();
    let Some(project) = top.table("project")? else {
        let what = "there is no `[project]`, so what it depends on is not known before it is built";
        return Err(RequirementsError::line(&top.place(), what)
            .with(None, Some("name its folder instead: ./FOLDER")));
    };
    let dynamic = project.texts("dynamic")?;
    for key in ["dependencies", "optional-dependencies"] {
        let matters = key == "dependencies" || !extras.is_empty();
        if let Some((_, place)) = dynamic.iter().find(|(one, _)| *one == key && matters) {
            let what = format!("`{key}` is dynamic: its backend says what it is, in a build");
            return Err(RequirementsError::line(place, what)
                .with(None, Some("name its folder instead: ./FOLDER")));
        }
    }
    let mut walk = Walk {
        own: project
            .text("name")?
            .and_then(|name| PackageName::from_str(name).ok()),
        optional: project.table("optional-dependencies")?,
        seen: BTreeSet::new(),
        lines: Vec::new(),
    };
    for (text, place) in project.texts("dependencies")? {
        walk.requirement(text, place)?;
    }
    if extras.all {
        for key in walk.keys() {
            walk.extra(&key?, &project.place())?;
        }
    }
    for extra in &extras.names {
        walk.extra(extra, &project.place())?;
    }
    let sources = top
        .table("tool")?
        .and_then(|tool| tool.table("uv").ok().flatten());
    let sources = sources.filter(|uv| uv.has("sources")).map(|uv| {
        format!(
            "{}: not heard: a project's file does not say where packages come from",
            uv.place_of("sources")
        )
    });
    Ok((walk.lines, sources.into_iter().collect()))
}

/// One way through dependencies and extras.
struct Walk<'d> {
    own: Option<PackageName>,
    optional: Option<Table<'d>>,
    seen: BTreeSet<ExtraName>,
    lines: Vec<Line>,
}

impl Walk<'_> {
    fn keys(&self) -> Vec<Result<ExtraName, RequirementsError>> {
        let optional = self.optional.iter();
        let keys = optional.flat_map(|table| table.keys().map(move |key| (table, key)));
        keys.map(|(table, key)| {
            ExtraName::from_str(key).map_err(|_| table.unfit(key, "is not the name of an extra"))
        })
        .collect()
    }

    fn extra(&mut self, extra: &ExtraName, asked_at: &LinePlace) -> Result<(), RequirementsError> {
        if !self.seen.insert(extra.clone()) {
            return Ok(());
        }
        let found = self.optional.clone().and_then(|table| {
            let key = table
                .keys()
                .find(|key| ExtraName::from_str(key).is_ok_and(|one| one == *extra))?;
            Some((table, key))
        });
        let Some((table, key)) = found else {
            let known: Vec<_> = self.optional.iter().flat_map(Table::keys).collect();
            let fix = match known.as_slice() {
                [] => "it has no `optional-dependencies`".to_owned(),
                known => format!("it has: {}", known.join(", ")),
            };
            return Err(
                RequirementsError::line(asked_at, format!("there is no extra `{extra}`"))
                    .with(None, Some(&fix)),
            );
        };
        for (text, place) in table.texts(key)? {
            self.requirement(text, place)?;
        }
        Ok(())
    }

    /// Takes a dependency; extras of the project itself are what they stand for.
    fn requirement(&mut self, text: &str, place: LinePlace) -> Result<(), RequirementsError> {
        let line = line(text, place)?;
        if let Stated::Requirement(requirement) = &line.stated
            && self.own.as_ref() == Some(&requirement.name)
        {
            for extra in requirement.extras.clone() {
                self.extra(&extra, &line.place)?;
            }
            return Ok(());
        }
        self.lines.push(line);
        Ok(())
    }
}

/// Returns what a dependency group holds, with what it includes.
pub(crate) fn group(
    text: &str,
    file: &Arc<Path>,
    name: &str,
) -> Result<Vec<Line>, RequirementsError> {
    let toml = TomlText::parse(text, file)?;
    let top = toml.top();
    let groups = top.table("dependency-groups")?;
    let Some(groups) = groups else {
        let what = format!(
            "there is no dependency group `{}`: the file has no `[dependency-groups]`",
            lenient::printable(name)
        );
        return Err(RequirementsError::line(&top.place(), what));
    };
    let mut lines = Vec::new();
    include(&groups, name, &groups.place(), &mut Vec::new(), &mut lines)?;
    Ok(lines)
}

/// Groups within each other at most.
const DEEPEST: usize = 50;
/// Requirements of a group at most, with what it includes.
const MOST: usize = 10_000;

fn include(
    groups: &Table<'_>,
    name: &str,
    asked_at: &LinePlace,
    chain: &mut Vec<PackageName>,
    lines: &mut Vec<Line>,
) -> Result<(), RequirementsError> {
    let shown = lenient::printable(name);
    // Names of groups are normalised as those of projects are.
    let wanted = PackageName::from_str(name).map_err(|_| {
        RequirementsError::line(asked_at, format!("`{shown}` is not the name of a group"))
    })?;
    let is_it = |key: &&str| PackageName::from_str(key).is_ok_and(|one| one == wanted);
    let mut keys = groups.keys().filter(is_it);
    let Some(key) = keys.next() else {
        let known: Vec<_> = groups.keys().collect();
        let fix = format!("there is: {}", lenient::printable(&known.join(", ")));
        return Err(RequirementsError::line(
            asked_at,
            format!("there is no dependency group `{shown}`"),
        )
        .with(None, Some(&fix)));
    };
    if keys.next().is_some() {
        return Err(groups.unfit(key, "and another group have the same name"));
    }
    if chain.contains(&wanted) {
        let way: Vec<_> = chain
            .iter()
            .chain([&wanted])
            .map(ToString::to_string)
            .collect();
        let what = format!("the group includes itself: {}", way.join(" includes "));
        return Err(RequirementsError::line(asked_at, what));
    }
    if chain.len() >= DEEPEST || lines.len() > MOST {
        return Err(RequirementsError::line(asked_at, "groups include too much"));
    }
    chain.push(wanted);
    for item in groups.list(key)? {
        match item {
            Item::Text(text, place) => lines.push(line(text, place)?),
            Item::Table(table) => {
                let only: Vec<_> = table.keys().collect();
                if only != ["include-group"] {
                    let what = "an entry is a requirement or `{include-group = \"NAME\"}`";
                    return Err(RequirementsError::line(&table.place(), what));
                }
                let name = table.required("include-group")?;
                include(groups, name, &table.place(), chain, lines)?;
            }
            Item::Other(place) => {
                let what = "an entry is a requirement or `{include-group = \"NAME\"}`";
                return Err(RequirementsError::line(&place, what));
            }
        }
    }
    chain.pop();
    Ok(())
}

/// Reads one requirement of PEP 508.
fn line(text: &str, place: LinePlace) -> Result<Line, RequirementsError> {
    let requirement = lenient::requirement(text)
        .map_err(|error| RequirementsError::line(&place, error.to_string()))?;
    let stated = match requirement.version_or_url {
        Some(model::VersionOrUrl::Url(_)) => Stated::Text(text.to_owned()),
        _ => Stated::Requirement(requirement),
    };
    Ok(Line {
        stated,
        written: text.to_owned(),
        place,
        hashes: Hashes::default(),
        settings: ConfigSettings::default(),
    })
}
