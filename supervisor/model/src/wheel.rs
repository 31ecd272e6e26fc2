//! Names of wheel files (PEP 427): project, version, build and compatibility tags.
//!
//! Whether a wheel fits an interpreter is decided by [`crate::TagSet`].

use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;

use crate::lenient;

/// Bytes; what file systems allow.
const LONGEST: usize = 255;

/// The name of a wheel, taken apart; compressed tag sets are expanded, tags are lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WheelFilename {
    /// The project.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// The build tag, which breaks ties between equal wheels.
    pub build: Option<String>,
    /// Python tags: `py2`, `py3`, `cp311`.
    pub python: Vec<String>,
    /// ABI tags: `none`, `abi3`, `cp311`.
    pub abi: Vec<String>,
    /// Platform tags: `any`, `manylinux_2_17_x86_64`.
    pub platform: Vec<String>,
}

/// The name of a file is not that of a wheel or an sdist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not the name of a distribution: {why}", filename.escape_debug())]
pub struct BadFilename {
    /// The name as it was given, cut at 255 bytes.
    pub filename: String,
    /// Why, in words.
    pub why: String,
}

impl BadFilename {
    pub(crate) fn new(filename: &str, why: impl Into<String>) -> Self {
        let end = filename
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .take_while(|end| *end <= LONGEST)
            .last()
            .unwrap_or(0);
        Self {
            filename: filename[..end].to_owned(),
            why: why.into(),
        }
    }
}

/// Refuses names that are no plain file name.
pub(crate) fn check_plain(filename: &str) -> Result<(), BadFilename> {
    if filename.len() > LONGEST {
        return Err(BadFilename::new(filename, "it is too long"));
    }
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | '\\' | '"' | '\'' | '*' | '?');
    if !filename.chars().all(plain) {
        return Err(BadFilename::new(
            filename,
            "it contains a character that has no place in a file name",
        ));
    }
    Ok(())
}

impl WheelFilename {
    /// Takes the name of a wheel apart.
    ///
    /// # Errors
    /// If it does not have the five or six parts of PEP 427 or one of them is not valid.
    pub fn parse(filename: &str) -> Result<Self, BadFilename> {
        check_plain(filename)?;
        let bad = |why: &str| BadFilename::new(filename, why);
        let stem = filename
            .strip_suffix(".whl")
            .ok_or_else(|| bad("it does not end with .whl"))?;
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version, build, [python, abi, platform]) = match parts[..] {
            [name, version, python, abi, platform] => {
                (name, version, None, [python, abi, platform])
            }
            [name, version, build, python, abi, platform] => {
                (name, version, Some(build), [python, abi, platform])
            }
            _ => return Err(bad("it does not have five or six parts")),
        };
        if build.is_some_and(|build| !build.starts_with(|c: char| c.is_ascii_digit())) {
            return Err(bad("its build tag does not begin with a digit"));
        }
        Ok(Self {
            name: project(name).ok_or_else(|| bad("it does not begin with a project's name"))?,
            version: lenient::version(version)
                // Older tools wrote `_` where the version has a `-`.
                .or_else(|_| lenient::version(&version.replace('_', "-")))
                .map_err(|error| bad(&error.to_string()))?,
            build: build.map(str::to_owned),
            python: tags(python).ok_or_else(|| bad("its Python tag is not valid"))?,
            abi: tags(abi).ok_or_else(|| bad("its ABI tag is not valid"))?,
            platform: tags(platform).ok_or_else(|| bad("its platform tag is not valid"))?,
        })
    }

    /// Returns the build tag as it is ordered: the number, then the rest; no tag is lowest.
    #[must_use]
    pub fn build_order(&self) -> Option<(u64, &str)> {
        let build = self.build.as_deref()?;
        let end = build
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(build.len());
        Some((build[..end].parse().unwrap_or(u64::MAX), &build[end..]))
    }
}

impl std::fmt::Display for WheelFilename {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}-{}", self.name.as_dist_info_name(), self.version)?;
        if let Some(build) = &self.build {
            write!(out, "-{build}")?;
        }
        write!(
            out,
            "-{}-{}-{}.whl",
            self.python.join("."),
            self.abi.join("."),
            self.platform.join(".")
        )
    }
}

impl FromStr for WheelFilename {
    type Err = BadFilename;
    fn from_str(filename: &str) -> Result<Self, BadFilename> {
        Self::parse(filename)
    }
}

/// Reads a project's name; the parser behind it takes an empty one.
pub(crate) fn project(name: &str) -> Option<PackageName> {
    if name.is_empty() {
        return None;
    }
    PackageName::from_str(name).ok()
}

fn tags(text: &str) -> Option<Vec<String>> {
    let valid =
        |tag: &str| !tag.is_empty() && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    text.split('.')
        .map(|tag| valid(tag).then(|| tag.to_ascii_lowercase()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_name_are_found_and_compressed_tags_expanded() {
        let read = WheelFilename::parse(
            "Flask_Login-0.6.3.post1-2b-py2.py3-none-manylinux1_x86_64.MANYLINUX2010_x86_64.whl",
        )
        .expect("a wheel");
        assert_eq!(read.name.as_ref(), "flask-login");
        assert_eq!(read.version.to_string(), "0.6.3.post1");
        assert_eq!(read.build_order(), Some((2, "b")));
        assert_eq!(read.python, ["py2", "py3"]);
        assert_eq!(read.platform, ["manylinux1_x86_64", "manylinux2010_x86_64"]);
        assert_eq!(
            read.to_string(),
            "flask_login-0.6.3.post1-2b-py2.py3-none-manylinux1_x86_64.manylinux2010_x86_64.whl"
        );
    }

    #[test]
    fn local_versions_and_legacy_underscores_are_read() {
        let version = |name| WheelFilename::parse(name).expect(name).version.to_string();
        assert_eq!(version("a-1.0+cu118-py3-none-any.whl"), "1.0+cu118");
        assert_eq!(version("a-1.0_1-py3-none-any.whl"), "1.0.post1");
    }

    #[test]
    fn what_is_no_wheel_is_refused() {
        for name in [
            "a-1.0.tar.gz",
            "a-1.0-py3-none.whl",
            "a-1.0-x-py3-none-any.whl",
            "-1.0-py3-none-any.whl",
            "a_-1.0-py3-none-any.whl",
            "a-2004d-py3-none-any.whl",
            "a-1.0-py3..py2-none-any.whl",
            "a-1.0-py3-none-a/b.whl",
            "../a-1.0-py3-none-any.whl",
            "a-1.0-py3-none-any\n.whl",
            "a-1.0-1-2-py3-none-any.whl",
            &format!("{}-1.0-py3-none-any.whl", "a".repeat(250)),
        ] {
            assert!(WheelFilename::parse(name).is_err(), "{name}");
        }
    }
}
