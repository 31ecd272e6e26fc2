//! What was asked for, as a person writes it: a requirement, a URL, an archive or a folder.
//!
//! The forms are those of pip and uv. Getting what a spec names is the business of `acquire`.

mod error;
mod fragment;
mod local;
mod shown;
mod wheel;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use model::{PackageName, Requirement, Sha256, lenient};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::git_url::{GitUrl, Reference};
use crate::names::{self, printable};
use crate::shown::{last_segment, shown_text};
pub use error::SpecError;
use fragment::Fragment;
use local::{local, looks_like_path};
pub use wheel::WheelFile;

/// Bytes; nobody writes longer ones.
const LONGEST: usize = 8 * 1024;
/// Prefixes of version control systems.
const VCS: [&str; 3] = ["hg+", "svn+", "bzr+"];
/// What begins the address of a git repository (PEP 440, PEP 610).
const GIT: &str = "git+";

/// One thing to build. Neither `Debug` nor `Display` shows credentials.
#[derive(Clone, PartialEq, Eq)]
pub enum Spec {
    /// `NAME[extras] specifiers; markers`: an index knows where it is.
    Named(Requirement),
    /// A file of an index that was named with its digest, as a lock does: a wheel or an sdist.
    Listed(Box<index::File>),
    /// An archive, or a wheel, behind an http or https URL.
    Url {
        /// From `NAME @`, `#egg=` or the name of a wheel; the metadata must agree.
        name: Option<PackageName>,
        /// Without its fragment; may hold credentials.
        url: Url,
        /// If it is a wheel: its name.
        wheel: Option<Box<WheelFile>>,
        /// From `#sha256=`.
        sha256: Option<Sha256>,
        /// From `#sha384=` and `#sha512=`.
        hashes: BTreeMap<String, String>,
        /// From `#subdirectory=`: relative, plain.
        subdirectory: Option<String>,
    },
    /// A local archive, or a wheel.
    Archive {
        /// From `NAME @`, `#egg=` or the name of a wheel; the metadata must agree.
        name: Option<PackageName>,
        /// Absolute, links resolved.
        path: PathBuf,
        /// If it is a wheel: its name, as it was written.
        wheel: Option<Box<WheelFile>>,
        /// From `#sha256=`.
        sha256: Option<Sha256>,
        /// From `#sha384=` and `#sha512=`.
        hashes: BTreeMap<String, String>,
        /// From `#subdirectory=`: relative, plain.
        subdirectory: Option<String>,
    },
    /// A commit of a git repository.
    Git {
        /// From `NAME @` or `#egg=`; the metadata must agree.
        name: Option<PackageName>,
        /// Where the repository is; may hold credentials.
        url: GitUrl,
        /// From `@` at the end of the path; the remote's own choice where `None`.
        reference: Option<Reference>,
        /// From `#subdirectory=`: relative, plain.
        subdirectory: Option<String>,
    },
    /// A local folder.
    Directory {
        /// From `NAME @` or `#egg=`; the metadata must agree.
        name: Option<PackageName>,
        /// Absolute, links resolved.
        path: PathBuf,
        /// From `#subdirectory=`: relative, plain.
        subdirectory: Option<String>,
    },
}

impl Spec {
    /// Reads what was asked for; relative paths are relative to `cwd`.
    ///
    /// # Errors
    /// If it is nothing that can be built, with the reason in words.
    pub fn parse(text: &str, cwd: &Path) -> Result<Self, SpecError> {
        let text = text.trim();
        check_text(text)?;
        if VCS.iter().any(|prefix| has_prefix(text, prefix)) {
            return Err(SpecError::Repository {
                text: shown_text(text),
            });
        }
        if let Some((name, address)) = split_at_sign(text) {
            return named_address(text, name, address);
        }
        if has_scheme(text) || has_prefix(text, GIT) {
            return address(text, None);
        }
        // What looks like a URL in a place where none may be is no path either.
        if looks_like_path(text) && !text.contains("://") {
            return local::read(text, cwd);
        }
        match lenient::requirement(text) {
            Ok(requirement) if requirement.version_or_url.is_none() || !text.contains("://") => {
                Ok(Self::Named(requirement))
            }
            Ok(_) => Err(SpecError::Unsupported {
                text: shown_text(text),
                what: "a URL in a place where none is expected",
            }),
            Err(source) => Err(SpecError::Requirement { source }),
        }
    }

    /// Returns what is at a path, an archive or a folder, of a project whose name is known.
    ///
    /// # Errors
    /// If there is nothing that can be built.
    pub fn local(
        name: PackageName,
        path: &Path,
        subdirectory: Option<String>,
    ) -> Result<Self, SpecError> {
        let fragment = Fragment {
            name: Some(name),
            subdirectory,
            ..Fragment::default()
        };
        local(&path.to_string_lossy(), path, fragment)
    }

    /// Returns the project's name, where the spec has one.
    #[must_use]
    pub fn name(&self) -> Option<&PackageName> {
        match self {
            Self::Named(requirement) => Some(&requirement.name),
            Self::Listed(file) => Some(file.name()),
            Self::Url { name, .. }
            | Self::Archive { name, .. }
            | Self::Git { name, .. }
            | Self::Directory { name, .. } => name.as_ref(),
        }
    }

    /// Returns the name of the wheel that was named by its place, if it is one.
    #[must_use]
    pub fn wheel(&self) -> Option<&WheelFile> {
        match self {
            Self::Url { wheel, .. } | Self::Archive { wheel, .. } => wheel.as_deref(),
            _ => None,
        }
    }
}

fn check_text(text: &str) -> Result<(), SpecError> {
    if text.is_empty() {
        return Err(SpecError::Empty);
    }
    if text.len() > LONGEST {
        return Err(SpecError::TooLong {
            text: shown_text(text),
            bytes: text.len(),
        });
    }
    if text
        .chars()
        .any(|letter| letter.is_control() && letter != '\t')
    {
        return Err(SpecError::Control {
            text: shown_text(text),
        });
    }
    Ok(())
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Splits `NAME[extras] @ URL`; the part before must be nothing but a name with extras.
fn split_at_sign(text: &str) -> Option<(&str, &str)> {
    let (before, after) = text.split_once('@')?;
    let name = before.split('[').next().unwrap_or_default().trim();
    let extras = before.trim().strip_prefix(name)?.trim();
    let extras_fit = extras.is_empty() || (extras.starts_with('[') && extras.ends_with(']'));
    (names::is_name(name) && extras_fit).then_some((before.trim(), after.trim()))
}

fn named_address(text: &str, before: &str, after: &str) -> Result<Spec, SpecError> {
    let shown = || shown_text(text);
    if VCS.iter().any(|prefix| has_prefix(after, prefix)) {
        return Err(SpecError::Repository { text: shown() });
    }
    if before.contains('[') {
        return Err(SpecError::Unsupported {
            text: shown(),
            what: "extras before a URL",
        });
    }
    let Some(name) = names::project(before) else {
        return Err(SpecError::Url {
            text: shown(),
            why: "what is before the `@` is not a name".to_owned(),
        });
    };
    if !has_scheme(after) && !has_prefix(after, GIT) {
        return Err(SpecError::Url {
            text: shown(),
            why: "a URL has to follow the `@`".to_owned(),
        });
    }
    let end = after.find(char::is_whitespace).unwrap_or(after.len());
    let (url, rest) = after.split_at(end);
    if rest.trim_start().starts_with(';') {
        return Err(SpecError::Unsupported {
            text: shown(),
            what: "a marker behind a URL",
        });
    }
    if !rest.is_empty() {
        return Err(SpecError::Url {
            text: shown(),
            why: "it has spaces in it".to_owned(),
        });
    }
    address(url, Some(name))
}

/// Whether the text begins with the scheme of a URL.
fn has_scheme(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'));
    is_scheme && (rest.starts_with("//") || scheme.eq_ignore_ascii_case("file"))
}

/// Reads a URL with its fragment.
fn address(text: &str, name: Option<PackageName>) -> Result<Spec, SpecError> {
    let refused = |why: String| SpecError::Url {
        text: shown_text(text),
        why,
    };
    if text.contains(char::is_whitespace) {
        return Err(refused("it has spaces in it".to_owned()));
    }
    if has_prefix(text, GIT) {
        return repository(text, name);
    }
    let mut url = Url::parse(text).map_err(|error| refused(error.to_string()))?;
    let mut fragment = Fragment::parse(text, url.fragment().unwrap_or_default(), name)?;
    url.set_fragment(None);
    match url.scheme() {
        "http" | "https" => {
            let wheel = wheel::read(text, &last_segment(&url), &mut fragment)?;
            Ok(Spec::Url {
                name: fragment.name,
                url,
                wheel,
                sha256: fragment.sha256,
                hashes: fragment.hashes,
                subdirectory: fragment.subdirectory,
            })
        }
        "file" => {
            let path = url
                .to_file_path()
                .map_err(|()| refused("a file URL has no host and an absolute path".to_owned()))?;
            local(text, &path, fragment)
        }
        scheme => Err(refused(format!(
            "`{}` is not https, http or file",
            printable(scheme)
        ))),
    }
}

/// Reads `git+URL[@REFERENCE][#FRAGMENT]`. The reference follows the last `@` of the path.
fn repository(text: &str, name: Option<PackageName>) -> Result<Spec, SpecError> {
    let refused = |why: String| SpecError::Git {
        text: shown_text(text),
        why,
    };
    let bare = &text[GIT.len()..];
    let (address, fragment) = bare.split_once('#').unwrap_or((bare, ""));
    let fragment = Fragment::parse(text, fragment, name)?;
    if fragment.sha256.is_some() {
        return Err(SpecError::Unsupported {
            text: shown_text(text),
            what: "a digest for a repository, whose commit says what it is",
        });
    }
    let path_at = address
        .find("://")
        .and_then(|at| Some(at + 3 + address[at + 3..].find('/')?));
    let (address, reference) = match path_at.and_then(|at| Some(at + address[at..].rfind('@')?)) {
        Some(at) => (&address[..at], Some(&address[at + 1..])),
        None => (address, None),
    };
    let reference = reference
        .map(|text| {
            let decoded = percent_decode_str(text).decode_utf8_lossy();
            Reference::from_str(&decoded).map_err(|error| refused(error.to_string()))
        })
        .transpose()?;
    Ok(Spec::Git {
        name: fragment.name,
        url: GitUrl::parse(address)
            .map_err(|error| refused(format!("the address {}", error.why)))?,
        reference,
        subdirectory: fragment.subdirectory,
    })
}

#[cfg(test)]
mod tests;
