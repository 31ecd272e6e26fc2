//! Names of sdist files: `{name}-{version}.tar.gz` of PEP 625, and the older ways to write it.

use pep440_rs::Version;
use pep508_rs::PackageName;

use crate::lenient;
use crate::wheel::{BadFilename, check_plain, project};

/// How an sdist's file name ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SdistExtension {
    /// `.tar.gz`, the one that PEP 625 wants.
    TarGz,
    /// `.tgz`
    Tgz,
    /// `.zip`
    Zip,
    /// `.tar.bz2`
    TarBz2,
    /// `.tar.xz`
    TarXz,
}

impl SdistExtension {
    /// Every extension, the one to prefer first.
    pub const ALL: &'static [Self] =
        &[Self::TarGz, Self::Tgz, Self::Zip, Self::TarBz2, Self::TarXz];

    /// Returns the extension with its dot.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::TarGz => ".tar.gz",
            Self::Tgz => ".tgz",
            Self::Zip => ".zip",
            Self::TarBz2 => ".tar.bz2",
            Self::TarXz => ".tar.xz",
        }
    }

    /// Splits a file name into its stem and its extension.
    #[must_use]
    pub fn split(filename: &str) -> Option<(&str, Self)> {
        Self::ALL
            .iter()
            .find_map(|extension| Some((filename.strip_suffix(extension.text())?, *extension)))
    }
}

/// The name of an sdist, taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SdistFilename {
    /// The project.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// The kind of archive.
    pub extension: SdistExtension,
}

impl SdistFilename {
    /// Takes the name of an sdist of the project `expected` apart.
    ///
    /// Names and versions may both contain dashes, so the project must be known.
    ///
    /// # Errors
    /// If it is not an sdist of that project or its version is not one.
    pub fn parse(filename: &str, expected: &PackageName) -> Result<Self, BadFilename> {
        let (stem, extension) = stem(filename)?;
        let version = stem
            .match_indices('-')
            .find(|(at, _)| project(&stem[..*at]).as_ref() == Some(expected))
            .map(|(at, _)| &stem[at + 1..])
            .ok_or_else(|| {
                BadFilename::new(filename, format!("it does not begin with `{expected}-`"))
            })?;
        Ok(Self {
            name: expected.clone(),
            version: lenient::version(version)
                .map_err(|error| BadFilename::new(filename, error.to_string()))?,
            extension,
        })
    }

    /// Takes the name of an sdist of an unknown project apart: the longest version wins.
    ///
    /// # Errors
    /// If no dash has a project's name before and a version behind it.
    pub fn guess(filename: &str) -> Result<Self, BadFilename> {
        let (stem, extension) = stem(filename)?;
        stem.match_indices('-')
            .find_map(|(at, _)| {
                Some(Self {
                    name: project(&stem[..at])?,
                    version: lenient::version(&stem[at + 1..]).ok()?,
                    extension,
                })
            })
            .ok_or_else(|| BadFilename::new(filename, "it has no version"))
    }
}

impl std::fmt::Display for SdistFilename {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "{}-{}{}",
            self.name.as_dist_info_name(),
            self.version,
            self.extension.text()
        )
    }
}

fn stem(filename: &str) -> Result<(&str, SdistExtension), BadFilename> {
    check_plain(filename)?;
    SdistExtension::split(filename)
        .ok_or_else(|| BadFilename::new(filename, "it does not end as sdists do"))
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn parse(filename: &str, expected: &str) -> Result<String, BadFilename> {
        let expected = PackageName::from_str(expected).expect("a name");
        SdistFilename::parse(filename, &expected).map(|read| read.version.to_string())
    }

    #[test]
    fn legacy_names_with_dashes_are_read() {
        assert_eq!(
            parse("docopt-0.6.2.tar.gz", "docopt").as_deref(),
            Ok("0.6.2")
        );
        assert_eq!(parse("Foo-Bar-1.0.zip", "foo-bar").as_deref(), Ok("1.0"));
        assert_eq!(parse("foo.bar-1.0.tgz", "foo-bar").as_deref(), Ok("1.0"));
        assert_eq!(parse("foo_bar-1.0.tar.xz", "foo-bar").as_deref(), Ok("1.0"));
        assert_eq!(parse("foo-2-1.0.tar.bz2", "foo-2").as_deref(), Ok("1.0"));
        assert_eq!(parse("foo-1.0-1.tar.gz", "foo").as_deref(), Ok("1.0.post1"));
    }

    #[test]
    fn what_is_no_sdist_of_the_project_is_refused() {
        for name in [
            "docopt-0.6.2.tar.Z",
            "docopt-0.6.2-py3-none-any.whl",
            "docopt.tar.gz",
            "docopt-0.1.0-SNAPSHOT.tar.gz",
            "other-1.0.tar.gz",
            "docopt-.tar.gz",
            "../docopt-1.0.tar.gz",
            ".tar.gz",
        ] {
            assert!(parse(name, "docopt").is_err(), "{name}");
        }
    }

    #[test]
    fn without_a_project_the_longest_version_wins() {
        let guess = |name| {
            let read = SdistFilename::guess(name).expect(name);
            (read.name.to_string(), read.version.to_string())
        };
        let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(guess("foo-bar-1.0.tar.gz"), pair("foo-bar", "1.0"));
        assert_eq!(guess("foo-2-1.0.tar.gz"), pair("foo-2", "1.0"));
        assert_eq!(guess("foo-1.0-1.zip"), pair("foo", "1.0.post1"));
        assert!(SdistFilename::guess("foo.tar.gz").is_err());
    }
}
