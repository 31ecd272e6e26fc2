//! A thing that a build did not find.

use super::remedies::Remedy;

/// What was not found. Names are made of what such names are made of, nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// A C or C++ header, as it was included.
    Header(String),
    /// A library, as after `-l`.
    Library(String),
    /// A compiler for a language: `c`, `c++`, `fortran`, `rust`.
    Compiler(&'static str),
    /// A program.
    Tool(String),
    /// A module of pkg-config.
    PkgConfig(String),
    /// A package of CMake.
    CMake(String),
    /// A dependency of meson, which looks by pkg-config first and by CMake then.
    Dependency(String),
    /// A Python module.
    Module(String),
    /// A process or a thread, which the kernel refused.
    Process,
    /// Something else that is known, with its cure: a wrong Python, a wrong setuptools.
    Remedied(&'static Remedy),
}

/// How sure it is that the build ended because of it; the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// No build goes on after this.
    Fatal,
    /// Most do not.
    Likely,
    /// Builds look for things that they can do without.
    Perhaps,
}

impl Missing {
    /// A header, if `name` is the name of one. Paths from the root are files of somebody's own.
    pub(super) fn header(name: &str) -> Option<Self> {
        is_name(name, "_./+-").then(|| Self::Header(name.to_owned()))
    }

    /// A library.
    pub(super) fn library(name: &str) -> Option<Self> {
        is_name(name, "_.+-").then(|| Self::Library(name.to_owned()))
    }

    /// A program, or the compiler that it is.
    pub(super) fn tool(name: &str) -> Option<Self> {
        let name = name.rsplit('/').next()?;
        is_name(name, "_.+-").then(|| Self::Tool(name.to_owned()))
    }

    /// A module of pkg-config.
    pub(super) fn pkg_config(name: &str) -> Option<Self> {
        is_name(name, "_.+-").then(|| Self::PkgConfig(name.to_owned()))
    }

    /// A package of CMake.
    pub(super) fn cmake(name: &str) -> Option<Self> {
        is_name(name, "_.+-").then(|| Self::CMake(name.to_owned()))
    }

    /// A dependency of meson.
    pub(super) fn dependency(name: &str) -> Option<Self> {
        is_name(name, "_.+-").then(|| Self::Dependency(name.to_owned()))
    }

    /// A Python module.
    pub(super) fn module(name: &str) -> Option<Self> {
        is_name(name, "_.").then(|| Self::Module(name.to_owned()))
    }
}

/// Whether `name` begins with a letter, a digit or `_` and holds nothing but those and `also`.
fn is_name(name: &str, also: &str) -> bool {
    let first = name.chars().next();
    first.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= 100
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_nothing_but_names() {
        assert!(Missing::header("openssl/ssl.h").is_some());
        assert!(Missing::tool("/usr/bin/x86_64-linux-gnu-g++").is_some());
        for bad in [
            "",
            "-rf",
            "a b",
            "$(x)",
            "a;b",
            "`x`",
            "../x",
            "ü",
            &"x".repeat(101),
        ] {
            assert!(Missing::header(bad).is_none(), "{bad}");
            assert!(Missing::library(bad).is_none(), "{bad}");
            assert!(Missing::module(bad).is_none(), "{bad}");
        }
    }
}
