//! Which packages of the distributions bring what: the table `packages.txt`, read once.

use std::collections::HashMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("packages.txt");

/// What to install.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packages {
    pub(super) debian: &'static str,
    pub(super) fedora: &'static str,
    pub(super) alpine: &'static str,
}

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Header,
    Library,
    Compiler,
    Tool,
    PkgConfig,
    CMake,
}

static PACKAGES: LazyLock<HashMap<(Kind, String), Packages>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(line).flatten().collect()
});

/// Finds what brings a thing.
pub(super) fn find(kind: Kind, name: &str) -> Option<Packages> {
    PACKAGES.get(&(kind, key(kind, name))).copied()
}

/// CMake's names are written in any case.
fn key(kind: Kind, name: &str) -> String {
    match kind {
        Kind::CMake => name.to_ascii_lowercase(),
        _ => name.to_owned(),
    }
}

fn line(line: &'static str) -> Option<Vec<((Kind, String), Packages)>> {
    let mut columns = line.split(" | ");
    let packages = Packages {
        debian: columns.next()?,
        fedora: columns.next()?,
        alpine: columns.next()?,
    };
    let brings = columns.next()?.split(' ').map(|word| {
        let (kind, name) = word.split_once(':')?;
        let kind = match kind {
            "h" => Kind::Header,
            "l" => Kind::Library,
            "c" => Kind::Compiler,
            "t" => Kind::Tool,
            "p" => Kind::PkgConfig,
            "m" => Kind::CMake,
            _ => return None,
        };
        Some(((kind, key(kind, name)), packages))
    });
    let brings = brings.collect::<Option<Vec<_>>>()?;
    columns.next().is_none().then_some(brings)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_line_of_the_table_is_read_and_no_name_stands_twice() {
        let mut seen = HashSet::new();
        for text in TABLE.lines().filter(|text| !text.starts_with('#')) {
            let brings = line(text).unwrap_or_else(|| panic!("{text}"));
            assert!(!brings.is_empty(), "{text}");
            for (name, packages) in brings {
                assert!(seen.insert(name.clone()), "{name:?}");
                for package in [packages.debian, packages.fedora, packages.alpine] {
                    let plain = |c: char| c.is_ascii_alphanumeric() || " +.-_".contains(c);
                    assert!(!package.is_empty() && package.chars().all(plain), "{text}");
                }
            }
        }
        assert!(seen.len() > 400, "{}", seen.len());
    }

    #[test]
    fn names_are_found_by_their_kind() {
        let ffi = find(Kind::Header, "ffi.h").expect("known");
        assert_eq!(ffi.debian, "libffi-dev");
        assert_eq!(
            find(Kind::CMake, "OPENSSL"),
            find(Kind::PkgConfig, "openssl")
        );
        assert_eq!(find(Kind::Library, "ffi.h"), None);
    }
}
