//! What is to be asked again, however fresh the last answer is.

use std::collections::BTreeSet;

use model::PackageName;

/// What `--refresh` and `--refresh-package` name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refresh {
    /// Everything.
    pub all: bool,
    /// These projects.
    pub packages: BTreeSet<PackageName>,
}

impl Refresh {
    /// Everything.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            all: true,
            packages: BTreeSet::new(),
        }
    }

    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.all && self.packages.is_empty()
    }

    /// Whether what is known of `name` is to be asked again. What has no name may be any project,
    /// so it is covered as soon as one is named.
    #[must_use]
    pub fn covers(&self, name: Option<&PackageName>) -> bool {
        self.all
            || match name {
                Some(name) => self.packages.contains(name),
                None => !self.packages.is_empty(),
            }
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    #[test]
    fn a_named_project_is_covered_and_so_is_what_may_be_any() {
        let name = |text| PackageName::from_str(text).expect("a name");
        let one = Refresh {
            packages: [name("Foo.Bar")].into(),
            ..Refresh::default()
        };
        assert!(one.covers(Some(&name("foo-bar"))) && one.covers(None));
        assert!(!one.covers(Some(&name("other"))) && !one.is_empty());
        assert!(Refresh::everything().covers(Some(&name("other"))));
        assert!(!Refresh::default().covers(None) && Refresh::default().is_empty());
    }
}
