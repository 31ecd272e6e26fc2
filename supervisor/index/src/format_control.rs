//! Which kinds of file may be used for which project: `--no-binary` and `--only-binary`, as in pip.

use std::collections::BTreeSet;
use std::str::FromStr;

use model::PackageName;

/// A value of `--no-binary` or `--only-binary` is neither `:all:` nor `:none:` nor a project's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither :all: nor :none: nor the name of a project")]
pub struct BadFormatControl(String);

/// Projects by kind; a project in neither set may use both kinds. Built up in the order of the
/// flags: the last word about a project wins, and `:all:` forgets what was said before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FormatControl {
    no_binary: Names,
    only_binary: Names,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Names {
    all: bool,
    names: BTreeSet<PackageName>,
}

impl Names {
    fn clear(&mut self) {
        *self = Self::default();
    }
}

impl FormatControl {
    /// Adds one `--no-binary` with its comma-separated value.
    ///
    /// # Errors
    /// If a part of it is no name.
    pub fn no_binary(&mut self, value: &str) -> Result<(), BadFormatControl> {
        add(value, &mut self.no_binary, &mut self.only_binary)
    }

    /// Adds one `--only-binary` with its comma-separated value.
    ///
    /// # Errors
    /// If a part of it is no name.
    pub fn only_binary(&mut self, value: &str) -> Result<(), BadFormatControl> {
        add(value, &mut self.only_binary, &mut self.no_binary)
    }

    /// Returns whether wheels of a project may be used.
    #[must_use]
    pub fn allows_wheel(&self, name: &PackageName) -> bool {
        self.said(name) != Some(false)
    }

    /// Returns whether sdists of a project may be used.
    #[must_use]
    pub fn allows_sdist(&self, name: &PackageName) -> bool {
        self.said(name) != Some(true)
    }

    /// Returns the same without what `:all:` said: projects that are named keep their rule.
    ///
    /// `:all:` speaks of what was asked for; what that is built with is found by the usual rules.
    #[must_use]
    pub fn without_all(&self) -> Self {
        let named = |names: &Names| Names {
            all: false,
            names: names.names.clone(),
        };
        Self {
            no_binary: named(&self.no_binary),
            only_binary: named(&self.only_binary),
        }
    }

    /// Returns true for wheels only, false for sdists only; names come before `:all:`.
    fn said(&self, name: &PackageName) -> Option<bool> {
        if self.only_binary.names.contains(name) {
            Some(true)
        } else if self.no_binary.names.contains(name) {
            Some(false)
        } else if self.only_binary.all {
            Some(true)
        } else if self.no_binary.all {
            Some(false)
        } else {
            None
        }
    }
}

fn add(value: &str, target: &mut Names, other: &mut Names) -> Result<(), BadFormatControl> {
    for part in value.split(',').map(str::trim) {
        match part {
            ":all:" => {
                other.clear();
                target.clear();
                target.all = true;
            }
            ":none:" => target.clear(),
            "" => return Err(BadFormatControl(String::new())),
            name => {
                let bad = |_| BadFormatControl(name.escape_debug().to_string());
                let name = PackageName::from_str(name).map_err(bad)?;
                other.names.remove(&name);
                target.names.insert(name);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(control: &FormatControl, name: &str) -> (bool, bool) {
        let name = PackageName::from_str(name).expect(name);
        (control.allows_wheel(&name), control.allows_sdist(&name))
    }

    #[test]
    fn nothing_said_allows_both() {
        assert_eq!(allowed(&FormatControl::default(), "a"), (true, true));
    }

    #[test]
    fn the_last_word_wins_and_names_come_before_all() {
        let mut control = FormatControl::default();
        control.no_binary(":all:").expect("ok");
        control.only_binary("Foo_Bar, b").expect("ok");
        assert_eq!(allowed(&control, "a"), (false, true));
        assert_eq!(allowed(&control, "foo-bar"), (true, false));
        control.no_binary("b").expect("ok");
        assert_eq!(allowed(&control, "b"), (false, true));
        control.only_binary(":all:").expect("ok");
        assert_eq!(allowed(&control, "b"), (true, false));
        control.only_binary(":none:").expect("ok");
        assert_eq!(allowed(&control, "b"), (true, true));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let mut control = FormatControl::default();
        for value in ["", "a,,b", ":some:", "-a", "a b"] {
            assert!(control.no_binary(value).is_err(), "{value}");
        }
    }
}
