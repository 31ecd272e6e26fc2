//! The choice among the files of a page: which versions fit, and which file of each. Pure.
//!
//! The order of the page never matters: everything is sorted by parsed version, tag, build tag and,
//! where all that is equal, by name and address.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{PackageName, TagSet, Version, VersionSpecifiers};
use pep440_rs::Operator;

use crate::{File, FileKind, FormatControl};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    /// The project.
    pub name: &'a PackageName,
    /// Which versions; the empty list fits every one.
    pub specifiers: &'a VersionSpecifiers,
    /// Which wheels the interpreter can use.
    pub tags: &'a TagSet,
    /// The interpreter's full version.
    pub python: &'a Version,
    /// Which kinds of file may be used.
    pub formats: &'a FormatControl,
    /// Pre-releases are as good as releases.
    pub pre: bool,
    /// Only files that were uploaded before this moment.
    pub exclude_newer: Option<Timestamp>,
}

/// A version that fits, with the files to take it from; at least one is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The version, as the first of its files by name spells it.
    pub version: Version,
    /// The wheel that the interpreter likes best.
    pub wheel: Option<File>,
    /// The sdist.
    pub sdist: Option<File>,
}

/// Why a file can not be used, in the order in which the reasons are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Unfit {
    Version,
    Format,
    Tags,
    Python,
    Untimed,
    Newer,
    Yanked,
    PreRelease,
}

/// Returns the versions that fit, the newest first.
///
/// Yanked files (PEP 592) count only for a version that is pinned with `==` or `===` and has no
/// other file. Pre-releases (PEP 440) count if asked for, if a specifier names one, or if no
/// release fits.
#[must_use]
pub fn choose(files: &[File], choice: &Choice<'_>) -> Vec<Candidate> {
    let versions = versions(files, choice);
    let with_pre = pre_releases_count(&versions, choice);
    versions
        .into_iter()
        .rev()
        .filter(|(version, _)| with_pre || !version.any_prerelease())
        .filter_map(|(version, files)| candidate(version, &files, choice))
        .collect()
}

/// Returns why files of the project were left out, one line a reason, with counts.
#[must_use]
pub fn left_out(files: &[File], choice: &Choice<'_>) -> Vec<String> {
    let with_pre = pre_releases_count(&versions(files, choice), choice);
    let mut counts: BTreeMap<Unfit, usize> = BTreeMap::new();
    for file in files.iter().filter(|file| file.name() == choice.name) {
        let reason = unfit(file, choice)
            .or_else(|| {
                (file.yanked.is_some() && !is_pinned(file.version(), choice))
                    .then_some(Unfit::Yanked)
            })
            .or_else(|| {
                (file.version().any_prerelease() && !with_pre).then_some(Unfit::PreRelease)
            });
        if let Some(reason) = reason {
            *counts.entry(reason).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .map(|(reason, count)| {
            let files = if count == 1 { "file" } else { "files" };
            format!("{count} {files} left out: {}", words(reason, choice))
        })
        .collect()
}

/// Groups the usable files by version. The files are sorted first, so that of two spellings of a
/// version the same one is taken whatever the order of the page.
fn versions<'a>(files: &'a [File], choice: &Choice<'_>) -> BTreeMap<&'a Version, Vec<&'a File>> {
    let mut usable: Vec<&File> = files
        .iter()
        .filter(|file| file.name() == choice.name && unfit(file, choice).is_none())
        .collect();
    usable.sort_by_key(|file| (&file.filename, file.url.as_str()));
    let mut versions: BTreeMap<&Version, Vec<&File>> = BTreeMap::new();
    for file in usable {
        versions.entry(file.version()).or_default().push(file);
    }
    versions.retain(|version, files| {
        // A version may be half yanked; the rest of it is as good as ever.
        if files.iter().any(|file| file.yanked.is_none()) {
            files.retain(|file| file.yanked.is_none());
            return true;
        }
        is_pinned(version, choice)
    });
    versions
}

fn candidate(version: &Version, files: &[&File], choice: &Choice<'_>) -> Option<Candidate> {
    let best_wheel = files
        .iter()
        .filter_map(|file| match &file.kind {
            FileKind::Wheel(wheel) => {
                let rank = choice.tags.rank(wheel)?;
                Some(((rank, Reverse(wheel.build_order())), *file))
            }
            FileKind::Sdist(_) => None,
        })
        .min_by(|(left, _), (right, _)| left.cmp(right));
    let best_sdist = files
        .iter()
        .filter_map(|file| match &file.kind {
            FileKind::Sdist(sdist) => Some((sdist.extension, *file)),
            FileKind::Wheel(_) => None,
        })
        .min_by_key(|(extension, _)| *extension);
    let found = Candidate {
        version: version.clone(),
        wheel: best_wheel.map(|(_, file)| file.clone()),
        sdist: best_sdist.map(|(_, file)| file.clone()),
    };
    (found.wheel.is_some() || found.sdist.is_some()).then_some(found)
}

/// Judges one file by itself; yanking and pre-releases depend on the other files.
fn unfit(file: &File, choice: &Choice<'_>) -> Option<Unfit> {
    if !choice.specifiers.contains(file.version()) {
        return Some(Unfit::Version);
    }
    match &file.kind {
        FileKind::Wheel(_) if !choice.formats.allows_wheel(choice.name) => {
            return Some(Unfit::Format);
        }
        FileKind::Sdist(_) if !choice.formats.allows_sdist(choice.name) => {
            return Some(Unfit::Format);
        }
        FileKind::Wheel(wheel) if choice.tags.rank(wheel).is_none() => return Some(Unfit::Tags),
        _ => {}
    }
    // A pre-release of Python counts as the release that it becomes.
    let python = choice.python.only_release();
    if file
        .requires_python
        .as_ref()
        .is_some_and(|needed| !needed.contains(&python))
    {
        return Some(Unfit::Python);
    }
    match (choice.exclude_newer, file.uploaded) {
        (Some(_), None) => Some(Unfit::Untimed),
        (Some(limit), Some(uploaded)) if uploaded >= limit => Some(Unfit::Newer),
        _ => None,
    }
}

fn is_pinned(version: &Version, choice: &Choice<'_>) -> bool {
    choice.specifiers.iter().any(|specifier| {
        matches!(specifier.operator(), Operator::Equal | Operator::ExactEqual)
            && specifier.contains(version)
    })
}

fn pre_releases_count(versions: &BTreeMap<&Version, Vec<&File>>, choice: &Choice<'_>) -> bool {
    choice.pre
        || choice.specifiers.iter().any(|specifier| {
            // `!=1.0rc1` names one without asking for it.
            specifier.any_prerelease() && !matches!(specifier.operator(), Operator::NotEqual)
        })
        || versions.keys().all(|version| version.any_prerelease())
}

fn words(reason: Unfit, choice: &Choice<'_>) -> String {
    match reason {
        Unfit::Version => format!("their version does not fit `{}`", choice.specifiers),
        Unfit::Format => "--no-binary or --only-binary excludes their kind".to_owned(),
        Unfit::Tags => "this Python can not use these wheels".to_owned(),
        Unfit::Python => format!("they need another Python than {}", choice.python),
        Unfit::Untimed => "the index does not tell when they were uploaded".to_owned(),
        Unfit::Newer => "they are newer than --exclude-newer allows".to_owned(),
        Unfit::Yanked => "they were yanked".to_owned(),
        Unfit::PreRelease => "they are pre-releases (--pre allows them)".to_owned(),
    }
}

#[cfg(test)]
mod tests;
