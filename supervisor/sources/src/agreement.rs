//! Whether two pieces of core metadata mean the same: what is installed beside a distribution, and
//! for which Pythons. Order, spelling, and how extras lead to each other are no difference.

use std::collections::BTreeSet;

use model::{ExtraName, Requirement, VersionOrUrl, VersionSpecifiers, lenient};
use pep508_rs::MarkerTree;

use crate::CoreMetadata;

/// Extras that are followed from one, each under its own condition; real ones are a handful.
const MOST_STEPS: usize = 200;

/// A field in which two pieces of metadata differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("before: {one}; in the wheel: {other}")]
pub struct Difference {
    /// The field.
    pub field: &'static str,
    /// What the one says, credentials left out.
    pub one: String,
    /// What the other says.
    pub other: String,
}

impl CoreMetadata {
    /// Returns the first field in which the other differs, of those that decide what is installed.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<Difference> {
        let differ = |field, one: String, other: String| {
            (one != other).then(|| Difference {
                field,
                one: lenient::without_credentials(&one),
                other: lenient::without_credentials(&other),
            })
        };
        differ("Name", self.name.to_string(), other.name.to_string())
            .or_else(|| {
                differ(
                    "Version",
                    self.version.to_string(),
                    other.version.to_string(),
                )
            })
            .or_else(|| differ("Requires-Python", self.pythons(), other.pythons()))
            .or_else(|| {
                // An extra that brings nothing is no difference, whether it is named or not.
                let extras = self.provides_extra.iter().chain(&other.provides_extra);
                let extras: BTreeSet<_> = extras.map(Some).chain([None]).collect();
                extras
                    .into_iter()
                    .find_map(|extra| self.differ_with(other, extra))
            })
    }

    fn differ_with(&self, other: &Self, extra: Option<&ExtraName>) -> Option<Difference> {
        let (one, two) = (self.brought(extra), other.brought(extra));
        if one == two {
            return None;
        }
        let only = |left: &BTreeSet<String>, right: &BTreeSet<String>| {
            let only: Vec<_> = left.difference(right).map(String::as_str).collect();
            let text = match only.as_slice() {
                [] => "nothing more".to_owned(),
                many => many.join(", "),
            };
            lenient::without_credentials(&text)
        };
        let is_there = |all: &[ExtraName]| extra.is_none_or(|extra| all.contains(extra));
        let field = if is_there(&self.provides_extra) && is_there(&other.provides_extra) {
            "Requires-Dist"
        } else {
            "Provides-Extra"
        };
        Some(Difference {
            field,
            one: only(&one, &two),
            other: only(&two, &one),
        })
    }

    fn pythons(&self) -> String {
        self.requires_python
            .as_ref()
            .map_or_else(String::new, sorted)
    }

    /// Returns what is installed beside it with an extra, or without any, in one spelling.
    fn brought(&self, extra: Option<&ExtraName>) -> BTreeSet<String> {
        let mut brought = BTreeSet::new();
        let mut open = vec![(extra.cloned(), MarkerTree::TRUE)];
        let mut seen = BTreeSet::new();
        while let Some((extra, under)) = open.pop() {
            let is_new = seen.insert((extra.clone(), under.try_to_string()));
            if !is_new || seen.len() > MOST_STEPS {
                continue;
            }
            let active: Vec<_> = extra.into_iter().collect();
            for requirement in &self.requires_dist {
                if !requirement.marker.evaluate_extras(&active) {
                    continue;
                }
                let mut marker = requirement.marker.clone().simplify_extras(&active);
                marker.and(under.clone());
                if requirement.name == self.name && !requirement.extras.is_empty() {
                    // Some backends write out what an extra of the project itself stands for.
                    let further = requirement.extras.iter().cloned().map(Some);
                    open.extend(further.map(|further| (further, marker.clone())));
                } else {
                    brought.insert(spelled(requirement, &marker));
                }
            }
        }
        brought
    }
}

fn spelled(requirement: &Requirement, marker: &MarkerTree) -> String {
    let extras: BTreeSet<_> = requirement.extras.iter().map(ToString::to_string).collect();
    let extras: Vec<_> = extras.into_iter().collect();
    let place = match &requirement.version_or_url {
        None => String::new(),
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => sorted(specifiers),
        Some(VersionOrUrl::Url(url)) => format!(" @ {url}"),
    };
    let extras = match extras.as_slice() {
        [] => String::new(),
        some => format!("[{}]", some.join(",")),
    };
    let marker = marker
        .try_to_string()
        .map_or_else(String::new, |text| format!("; {text}"));
    format!("{}{extras}{place}{marker}", requirement.name)
}

fn sorted(specifiers: &VersionSpecifiers) -> String {
    let texts: BTreeSet<_> = specifiers.iter().map(ToString::to_string).collect();
    texts.into_iter().collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(lines: &str) -> CoreMetadata {
        let text = format!("Metadata-Version: 2.2\nName: foo\nVersion: 1.0\n{lines}");
        CoreMetadata::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn order_and_spelling_are_no_difference() {
        let one = metadata(
            "Requires-Python: >=3.8,<4\nRequires-Dist: A_b (>=1,<2)\nRequires-Dist: c; extra == 'X_y'\n\
             Provides-Extra: X_y\nProvides-Extra: empty\n",
        );
        let two = metadata(
            "Requires-Python: <4, >=3.8\nRequires-Dist: c ; extra == \"x-y\"\nRequires-Dist: a-b<2,>=1\n\
             Provides-Extra: x-y\n",
        );
        assert_eq!(one.difference(&two), None);
    }

    #[test]
    fn an_extra_that_stands_for_others_may_be_written_out() {
        let short = metadata(
            "Requires-Dist: b; extra == 'b'\nRequires-Dist: c>1; extra == 'c'\n\
             Requires-Dist: foo[b,c]; extra == 'all'\n\
             Provides-Extra: all\nProvides-Extra: b\nProvides-Extra: c\n",
        );
        let long = metadata(
            "Requires-Dist: b; extra == 'b'\nRequires-Dist: c>1; extra == 'c'\n\
             Requires-Dist: b; extra == 'all'\nRequires-Dist: c>1; extra == 'all'\n\
             Provides-Extra: all\nProvides-Extra: b\nProvides-Extra: c\n",
        );
        assert_eq!(short.difference(&long), None);
        let circle = metadata("Requires-Dist: foo[a]; extra == 'a'\nProvides-Extra: a\n");
        assert_eq!(circle.difference(&metadata("")), None);
    }

    #[test]
    fn what_changes_an_installation_is_a_difference() {
        let base = metadata("Requires-Python: >=3.8\nRequires-Dist: a>=1\n");
        for (lines, field) in [
            (
                "Requires-Python: >=3.9\nRequires-Dist: a>=1\n",
                "Requires-Python",
            ),
            ("Requires-Dist: a>=1\n", "Requires-Python"),
            (
                "Requires-Python: >=3.8\nRequires-Dist: a>=2\n",
                "Requires-Dist",
            ),
            ("Requires-Python: >=3.8\n", "Requires-Dist"),
            (
                "Requires-Python: >=3.8\nRequires-Dist: a>=1; python_version < '3'\n",
                "Requires-Dist",
            ),
            (
                "Requires-Python: >=3.8\nRequires-Dist: a[x]>=1\n",
                "Requires-Dist",
            ),
            (
                "Requires-Python: >=3.8\nRequires-Dist: a>=1\nRequires-Dist: b; extra == 'x'\nProvides-Extra: x\n",
                "Provides-Extra",
            ),
        ] {
            let found = base.difference(&metadata(lines)).expect(lines);
            assert_eq!(found.field, field, "{lines}");
        }
        let mut other = base.clone();
        other.version = lenient::version("1.1").unwrap();
        assert_eq!(base.difference(&other).unwrap().field, "Version");
    }

    #[test]
    fn a_password_in_a_requirement_is_not_repeated() {
        let one = metadata("Requires-Dist: a @ https://me:s3cret@example.invalid/a.zip\n");
        let found = one.difference(&metadata("")).unwrap();
        assert!(!found.one.contains("s3cret"), "{found:?}");
    }
}
