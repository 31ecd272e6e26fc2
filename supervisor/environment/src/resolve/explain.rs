//! Why there is no solution, as facts in words that name requirements as they were written.
//!
//! pubgrub proves it by a tree of derivations. People need its leaves: which requirement comes from
//! where, and what there is to choose from.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use model::{PackageName, Version};
use pubgrub::{DerivationTree, External};

use super::ResolveError;
use super::package::Package;
use super::projects::{Missing, Project, is_yanked};
use super::range::Range;
use super::solver::{Solver, root_version};

type Tree = DerivationTree<Package, Range, String>;
type Leaf = External<Package, Range, String>;

/// The most facts that are told.
const MAX_FACTS: usize = 24;
/// The most versions that are named in one fact.
const MAX_VERSIONS: usize = 5;

/// Returns the error for a tree that proves that there is no solution.
pub(super) fn no_solution(tree: &Tree, solver: &Solver<'_>) -> ResolveError {
    let leaves = leaves(tree);
    let mut facts: Vec<String> = Vec::new();
    for leaf in &leaves {
        for fact in facts_of(leaf, solver) {
            if !facts.contains(&fact) {
                facts.push(fact);
            }
        }
    }
    // What was asked for comes first: the reader knows it.
    facts.sort_by_key(|fact| !fact.starts_with('`'));
    let more = facts.len().saturating_sub(MAX_FACTS);
    facts.truncate(MAX_FACTS);
    if more > 0 {
        facts.push(format!("and {more} more facts of this kind"));
    }
    facts.extend(places(&leaves, solver));
    match only_project(&leaves) {
        Some(name) => match solver.project(name).ok().and_then(|it| it.missing.clone()) {
            Some(Missing::Unknown(reason)) => ResolveError::UnknownProject {
                name: name.clone(),
                reason,
            },
            _ => ResolveError::NoVersion {
                name: name.clone(),
                facts,
            },
        },
        None => ResolveError::Contradiction { facts },
    }
}

/// Returns the leaves of the tree, each once, from left to right.
fn leaves(tree: &Tree) -> Vec<&Leaf> {
    let mut leaves = Vec::new();
    let mut seen = HashSet::new();
    let mut todo = vec![tree];
    while let Some(next) = todo.pop() {
        match next {
            DerivationTree::External(leaf) => leaves.push(leaf),
            DerivationTree::Derived(derived) => {
                for cause in [&derived.cause2, &derived.cause1] {
                    if seen.insert(Arc::as_ptr(cause)) {
                        todo.push(cause);
                    }
                }
            }
        }
    }
    leaves
}

/// Returns the project if what was asked for, and what there is of it, is the whole story.
fn only_project<'a>(leaves: &[&'a Leaf]) -> Option<&'a PackageName> {
    let mut only = None;
    for leaf in leaves {
        let name = match leaf {
            External::NotRoot(..) => continue,
            External::FromDependencyOf(Package::Root, _, wanted, _) => wanted.name(),
            External::FromDependencyOf(
                Package::Extra(extra_of, _),
                _,
                Package::Project(name),
                _,
            ) if extra_of == name => Some(name),
            External::FromDependencyOf(..) => None,
            External::NoVersions(package, _) | External::Custom(package, _, _) => package.name(),
        };
        let name = name?;
        if only.is_some_and(|known| known != name) {
            return None;
        }
        only = Some(name);
    }
    only
}

/// Says of each project that is looked for in one place which one that is.
fn places(leaves: &[&Leaf], solver: &Solver<'_>) -> Vec<String> {
    let names = leaves.iter().flat_map(|leaf| match leaf {
        External::FromDependencyOf(package, _, wanted, _) => [package.name(), wanted.name()],
        External::NotRoot(package, _)
        | External::NoVersions(package, _)
        | External::Custom(package, _, _) => [package.name(), None],
    });
    let names: BTreeSet<_> = names.flatten().collect();
    let place = |name| {
        Some(format!(
            "{name} is looked for on {}",
            solver.projects.place(name)?
        ))
    };
    names.into_iter().filter_map(place).collect()
}

fn facts_of(leaf: &Leaf, solver: &Solver<'_>) -> Vec<String> {
    match leaf {
        External::NotRoot(..) => Vec::new(),
        External::FromDependencyOf(Package::Extra(extra_of, _), _, Package::Project(name), _)
            if extra_of == name =>
        {
            Vec::new()
        }
        External::FromDependencyOf(Package::Root, _, wanted, _) => {
            words(solver, &Package::Root, &root_version(), wanted)
        }
        External::FromDependencyOf(package, versions, wanted, _) => {
            requirements(solver, package, versions, wanted)
        }
        External::NoVersions(package, range) => match package.name() {
            None => Vec::new(),
            Some(name) => what_there_is(solver, name, range).into_iter().collect(),
        },
        External::Custom(package, versions, reason) => {
            let versions = known_versions(solver, package, versions);
            vec![format!("{package} {}: {reason}", list(&versions))]
        }
    }
}

/// Returns one fact for each way in which versions of `package` require `wanted`.
fn requirements(
    solver: &Solver<'_>,
    package: &Package,
    versions: &Range,
    wanted: &Package,
) -> Vec<String> {
    let mut grouped: Vec<(Vec<String>, Vec<Version>)> = Vec::new();
    for version in known_versions(solver, package, versions) {
        let words = words(solver, package, &version, wanted);
        match grouped.iter_mut().find(|(known, _)| *known == words) {
            _ if words.is_empty() => {}
            Some((_, of)) => of.push(version),
            None => grouped.push((words, vec![version])),
        }
    }
    grouped
        .into_iter()
        .map(|(words, of)| {
            let verb = if of.len() == 1 { "requires" } else { "require" };
            format!("{package} {} {verb} `{}`", list(&of), words.join("` and `"))
        })
        .collect()
}

/// Returns the versions in `range` that were looked at, newest first.
fn known_versions(solver: &Solver<'_>, package: &Package, range: &Range) -> Vec<Version> {
    let mut versions: Vec<_> = match package.name().and_then(|name| solver.project(name).ok()) {
        Some(project) => project
            .usable
            .iter()
            .map(|one| one.version.clone())
            .collect(),
        None => Vec::new(),
    };
    versions.retain(|version| range.contains(version));
    versions
}

fn words(
    solver: &Solver<'_>,
    package: &Package,
    version: &Version,
    wanted: &Package,
) -> Vec<String> {
    solver
        .wants
        .borrow()
        .get(&(package.clone(), version.clone()))
        .and_then(|wants| wants.get(wanted))
        .cloned()
        .unwrap_or_default()
}

/// Says which versions of a project there are, and why those in `range` can not be taken.
fn what_there_is(solver: &Solver<'_>, name: &PackageName, range: &Range) -> Option<String> {
    let project = solver.project(name).ok()?;
    if let Some(Missing::Unknown(reason) | Missing::Excluded(reason)) = &project.missing {
        return Some(format!("{name}: {reason}"));
    }
    let mut parts = Vec::new();
    let usable: Vec<_> = project
        .usable
        .iter()
        .filter(|one| solver.is_allowed(name, &project, one))
        .map(|one| one.version.clone())
        .collect();
    parts.push(if usable.is_empty() {
        format!("of {name} there is no usable version")
    } else {
        format!("of {name} there is {}", list(&usable))
    });
    parts.extend(held_back(solver, name, &project, range));
    let rejected: Vec<_> = project
        .rejected
        .iter()
        .filter(|(version, _)| range.contains(version))
        .collect();
    for (version, reason) in rejected.iter().take(MAX_VERSIONS) {
        parts.push(format!("not {version}: {reason}"));
    }
    if rejected.len() > MAX_VERSIONS {
        parts.push(format!("nor {} others", rejected.len() - MAX_VERSIONS));
    }
    Some(parts.join("; "))
}

fn held_back(
    solver: &Solver<'_>,
    name: &PackageName,
    project: &Project,
    range: &Range,
) -> Vec<String> {
    let held: Vec<_> = project
        .usable
        .iter()
        .filter(|one| range.contains(&one.version) && !solver.is_allowed(name, project, one))
        .collect();
    held.iter()
        .take(MAX_VERSIONS)
        .map(|one| {
            let why = if is_yanked(one) {
                "it is yanked and not pinned"
            } else {
                "it is a pre-release that no requirement names"
            };
            format!("not {}: {why}", one.version)
        })
        .collect()
}

fn list(versions: &[Version]) -> String {
    let mut text = versions
        .iter()
        .take(MAX_VERSIONS)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if versions.len() > MAX_VERSIONS {
        text.push_str(&format!(" and {} older", versions.len() - MAX_VERSIONS));
    }
    text
}
