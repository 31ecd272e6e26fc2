//! Core metadata: the headers of `PKG-INFO` and `METADATA`.
//!
//! Read as Python's own reader does, so that nobody can show one thing here and another to pip:
//! any of the three line ends counts, and the headers stop at the first line that is none.

use model::{Code, ExtraName, PackageName, Requirement, Version, VersionSpecifiers, lenient};
use model::{NotARequirement, NotAVersion, NotSpecifiers};

use crate::names;

/// Bytes. Descriptions are long, and stand in the headers of old files.
const LONGEST: usize = 4 * 1024 * 1024;
/// Headers of one file; the largest real ones have some hundreds.
const MOST_HEADERS: usize = 20_000;
/// Requirements of one file.
const MOST_REQUIREMENTS: usize = 5_000;

/// What a distribution says of itself (PEP 241, 314, 345, 566, 643).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreMetadata {
    /// `Metadata-Version`, for example `2.1`.
    pub metadata_version: String,
    /// `Name`
    pub name: PackageName,
    /// `Version`
    pub version: Version,
    /// `Requires-Python`
    pub requires_python: Option<VersionSpecifiers>,
    /// `Requires-Dist`
    pub requires_dist: Vec<Requirement>,
    /// `Provides-Extra`; names that are none are left out.
    pub provides_extra: Vec<ExtraName>,
    /// `Dynamic`, in small letters.
    pub dynamic: Vec<String>,
}

/// The bytes are no core metadata that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// It is longer than any real one.
    #[error("the metadata has {bytes} bytes, at most {LONGEST} are read")]
    TooLong {
        /// Bytes.
        bytes: usize,
    },
    /// It has more headers or requirements than any real one.
    #[error("the metadata has more than {most} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        most: usize,
    },
    /// A header that has to be there is not.
    #[error("the metadata has no `{field}`")]
    Missing {
        /// The header.
        field: &'static str,
    },
    /// A header that has to be there once is there more often.
    #[error("the metadata has more than one `{field}`")]
    Repeated {
        /// The header.
        field: &'static str,
    },
    /// It is of a version that is not known.
    #[error("the metadata has version `{version}`, known are 1 and 2")]
    Unknown {
        /// `Metadata-Version`, neutralised.
        version: String,
    },
    /// The name is not one.
    #[error("`{name}` is not the name of a project")]
    Name {
        /// The name, neutralised.
        name: String,
    },
    /// The version is not one.
    #[error("the metadata has a version that is none")]
    Version {
        /// Why.
        #[source]
        source: NotAVersion,
    },
    /// `Requires-Python` can not be read.
    #[error("the metadata has a `Requires-Python` that can not be read")]
    RequiresPython {
        /// Why.
        #[source]
        source: NotSpecifiers,
    },
    /// `Requires-Dist` can not be read.
    #[error("the metadata has a `Requires-Dist` that can not be read")]
    RequiresDist {
        /// Why.
        #[source]
        source: NotARequirement,
    },
}

impl MetadataError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::BadWheel
    }
}

impl CoreMetadata {
    /// Reads the headers.
    ///
    /// # Errors
    /// If a header that counts is missing, doubled or not understood, or there is too much of
    /// anything.
    pub fn parse(bytes: &[u8]) -> Result<Self, MetadataError> {
        if bytes.len() > LONGEST {
            return Err(MetadataError::TooLong { bytes: bytes.len() });
        }
        let text = unify_line_ends(bytes);
        let headers = Headers::of(&text)?;
        let metadata_version = headers.one("Metadata-Version")?;
        check_version(&metadata_version)?;
        let name = headers.one("Name")?;
        let name = names::project(&name).ok_or_else(|| MetadataError::Name {
            name: names::printable(&name),
        })?;
        let version = lenient::version(&headers.one("Version")?)
            .map_err(|source| MetadataError::Version { source })?;
        let requires_python = headers
            .at_most_one("Requires-Python")?
            .map(|text| lenient::specifiers(&text))
            .transpose()
            .map_err(|source| MetadataError::RequiresPython { source })?;
        Ok(Self {
            metadata_version,
            name,
            version,
            requires_python,
            requires_dist: headers.requirements()?,
            provides_extra: headers
                .all("Provides-Extra")
                .filter_map(|text| names::extra(&text))
                .collect(),
            dynamic: headers
                .all("Dynamic")
                .map(|text| text.to_ascii_lowercase())
                .collect(),
        })
    }
}

fn check_version(text: &str) -> Result<(), MetadataError> {
    let major = text.split('.').next().unwrap_or_default();
    if matches!(major, "1" | "2") {
        Ok(())
    } else {
        Err(MetadataError::Unknown {
            version: names::printable(text),
        })
    }
}

/// The headers in their order: name and raw value.
struct Headers<'a>(Vec<mailparse::MailHeader<'a>>);

impl<'a> Headers<'a> {
    fn of(text: &'a [u8]) -> Result<Self, MetadataError> {
        let mut headers = Vec::new();
        let mut rest = text;
        while is_header(rest) {
            // It begins with a name and a colon, so it is read; an error would end the headers.
            let Ok((header, length)) = mailparse::parse_header(rest) else {
                break;
            };
            if headers.len() == MOST_HEADERS {
                return Err(MetadataError::TooMany {
                    what: "headers",
                    most: MOST_HEADERS,
                });
            }
            headers.push(header);
            rest = &rest[length..];
        }
        Ok(Self(headers))
    }

    /// Returns the values of a header, on one line each and trimmed.
    fn all(&self, field: &'static str) -> impl Iterator<Item = String> + '_ {
        self.0
            .iter()
            .filter(move |header| header.get_key_raw().eq_ignore_ascii_case(field.as_bytes()))
            .map(|header| {
                let value = String::from_utf8_lossy(header.get_value_raw());
                let lines: Vec<_> = value.lines().map(str::trim).collect();
                lines.join(" ").trim().to_owned()
            })
    }

    fn at_most_one(&self, field: &'static str) -> Result<Option<String>, MetadataError> {
        let mut values = self.all(field);
        let value = values.next();
        match values.next() {
            Some(_) => Err(MetadataError::Repeated { field }),
            None => Ok(value),
        }
    }

    fn one(&self, field: &'static str) -> Result<String, MetadataError> {
        self.at_most_one(field)?
            .filter(|value| !value.is_empty())
            .ok_or(MetadataError::Missing { field })
    }

    fn requirements(&self) -> Result<Vec<Requirement>, MetadataError> {
        let mut requirements = Vec::new();
        for text in self.all("Requires-Dist") {
            if requirements.len() == MOST_REQUIREMENTS {
                return Err(MetadataError::TooMany {
                    what: "requirements",
                    most: MOST_REQUIREMENTS,
                });
            }
            let requirement = lenient::requirement(&text)
                .map_err(|source| MetadataError::RequiresDist { source })?;
            requirements.push(requirement);
        }
        Ok(requirements)
    }
}

/// Whether the text begins with a name of printable letters and a colon.
fn is_header(text: &[u8]) -> bool {
    let name = text
        .iter()
        .position(|byte| *byte == b':' || !byte.is_ascii_graphic());
    name.is_some_and(|end| end > 0 && text[end] == b':')
}

/// Makes every line end with a single line feed.
fn unify_line_ends(bytes: &[u8]) -> Vec<u8> {
    let mut unified = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\r' {
            bytes.next_if_eq(&b'\n');
            unified.push(b'\n');
        } else {
            unified.push(byte);
        }
    }
    unified
}

#[cfg(test)]
mod tests;
