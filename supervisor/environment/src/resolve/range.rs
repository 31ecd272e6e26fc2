//! Version specifiers (PEP 440) as sets that can be intersected.
//!
//! `pep440_rs` converts them too, but without local versions (`==1.0` has to match `1.0+cpu`), and
//! with sums that overflow on hostile numbers. So the ends that lie after local versions are made
//! here, and numbers too large are refused.

use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use version_ranges::Ranges;

/// The set of versions that specifiers allow.
pub(super) type Range = Ranges<Version>;

/// The largest number in a version that can be counted on from, as no honest version has it.
const LARGEST_NUMBER: u64 = u64::MAX / 2;

/// The specifiers hold a number that no version has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Returns the versions that satisfy all of `specifiers`.
pub(super) fn of(specifiers: &VersionSpecifiers) -> Result<Range, TooLarge> {
    let mut range = Range::full();
    for specifier in specifiers.iter() {
        range = range.intersection(&of_one(specifier)?);
    }
    Ok(range)
}

fn of_one(specifier: &VersionSpecifier) -> Result<Range, TooLarge> {
    let version = specifier.version();
    if !is_countable(version) {
        return Err(TooLarge);
    }
    let local = !version.local().is_empty();
    Ok(match specifier.operator() {
        Operator::Equal if !local => with_locals(version),
        Operator::NotEqual if !local => with_locals(version).complement(),
        Operator::LessThanEqual if !local => Range::strictly_lower_than(after_locals(version)),
        // Before a post-release lies its release, which the crate's conversion leaves out.
        Operator::LessThan if version.is_post() && !version.is_dev() => {
            Range::strictly_lower_than(version.clone().with_dev(Some(0)))
        }
        _ => Range::from(specifier.clone()),
    })
}

/// Returns the version and all its local versions.
fn with_locals(version: &Version) -> Range {
    Range::from_range_bounds(version.clone()..after_locals(version))
}

/// Returns the first version that sorts after every local version of `version`, which has none.
fn after_locals(version: &Version) -> Version {
    let next = version.clone();
    if let Some(dev) = version.dev() {
        next.with_dev(Some(dev + 1))
    } else if let Some(post) = version.post() {
        next.with_post(Some(post + 1)).with_dev(Some(0))
    } else {
        next.with_post(Some(0)).with_dev(Some(0))
    }
}

fn is_countable(version: &Version) -> bool {
    version
        .release()
        .iter()
        .copied()
        .chain([version.epoch()])
        .chain(version.pre().map(|pre| pre.number))
        .chain(version.post())
        .chain(version.dev())
        .all(|number| number < LARGEST_NUMBER)
}

/// Whether the specifiers name a pre-release, which allows all of the project's.
pub(super) fn names_prerelease(specifiers: &VersionSpecifiers) -> bool {
    specifiers
        .iter()
        .any(|specifier| specifier.any_prerelease() && *specifier.operator() != Operator::NotEqual)
}

/// Returns the version that is named exactly (`==` without a star, or `===`).
pub(super) fn pinned(specifiers: &VersionSpecifiers) -> Option<&Version> {
    specifiers
        .iter()
        .find(|specifier| matches!(specifier.operator(), Operator::Equal | Operator::ExactEqual))
        .map(VersionSpecifier::version)
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use proptest::prelude::*;

    use super::*;

    fn contains(specifiers: &str, version: &str) -> bool {
        of(&VersionSpecifiers::from_str(specifiers).unwrap())
            .unwrap()
            .contains(&Version::from_str(version).unwrap())
    }

    #[test]
    fn local_versions_match_the_public_version() {
        assert!(contains("==1.0", "1.0+cpu"));
        assert!(contains("<=1.0", "1.0+cpu"));
        assert!(!contains("!=1.0", "1.0+cpu"));
        assert!(!contains(">1.0", "1.0+cpu"));
        assert!(contains("==1.0+cpu", "1.0+cpu"));
        assert!(!contains("==1.0+cpu", "1.0"));
        assert!(!contains("==1.0", "1.0.post1"));
        assert!(!contains("==1.0", "1.0.post0.dev0"));
        assert!(contains("==1.0.post1", "1.0.post1+x"));
        assert!(!contains("==1.0.post1", "1.0.post2.dev0"));
        assert!(contains("==1.0.dev3", "1.0.dev3+x"));
        assert!(contains("==1.0a1", "1.0a1+x"));
        assert!(!contains("==1.0a1", "1.0a1.post1"));
    }

    #[test]
    fn a_release_lies_before_its_post_releases() {
        assert!(contains("<1.0.post2", "1.0"));
        assert!(contains("<1.0.post2", "1.0.post1+l"));
        assert!(!contains("<1.0.post2", "1.0.post2"));
        assert!(!contains("<1.0.post2", "1.0.post2.dev1"));
        assert!(!contains(">1.0", "1.0.post1"));
        assert!(!contains("<1.0", "1.0rc1"));
    }

    #[test]
    fn numbers_that_would_overflow_are_refused() {
        for text in [
            "==18446744073709551615.*",
            "~=1.18446744073709551615.1",
            ">1.0.post18446744073709551615",
            "==1.0.dev18446744073709551615",
        ] {
            if let Ok(specifiers) = VersionSpecifiers::from_str(text) {
                assert_eq!(of(&specifiers), Err(TooLarge), "{text}");
            }
        }
    }

    proptest! {
        /// The set and the specifier agree on every version without odd corners: the crate's own
        /// `contains` has another view of pre-releases at the border of `<`.
        #[test]
        fn a_set_agrees_with_its_specifier(
            operator in prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">=", "~="]),
            wanted in "[0-3]\\.[0-3](\\.[0-2])?",
            version in "[0-3]\\.[0-3](\\.[0-2])?(\\+[a-c])?",
        ) {
            let specifiers = VersionSpecifiers::from_str(&format!("{operator}{wanted}")).unwrap();
            let parsed = Version::from_str(&version).unwrap();
            prop_assert_eq!(of(&specifiers).unwrap().contains(&parsed), specifiers.contains(&parsed));
        }
    }
}
