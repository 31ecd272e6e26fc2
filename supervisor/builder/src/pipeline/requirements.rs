//! Requirements that come from a package: names and versions only, bounded, read leniently.

use environment::Environment;
use model::{MarkerEnvironment, Requirement, lenient};

use super::identify::specifiers_of;
use crate::error::BuildError;
use crate::local::neutralised;

/// How many a package may have, and how long one may be.
const MOST: usize = 500;
const LONGEST: usize = 1000;

/// Reads requirements that stand in `origin`; with `urls` they may name URLs.
pub(super) fn read(
    texts: &[String],
    origin: &'static str,
    urls: bool,
) -> Result<Vec<Requirement>, BuildError> {
    let refuse = |text: &str, why: String| BuildError::BuildRequires {
        requirement: neutralised(text.as_bytes()).chars().take(200).collect(),
        origin,
        why,
    };
    if texts.len() > MOST {
        return Err(refuse(
            "",
            format!("{} requirements; at most {MOST} are taken", texts.len()),
        ));
    }
    texts
        .iter()
        .map(|text| {
            if text.len() > LONGEST {
                return Err(refuse(
                    text,
                    format!("it is longer than {LONGEST} characters"),
                ));
            }
            let requirement =
                lenient::requirement(text).map_err(|error| refuse(text, error.to_string()))?;
            let is_url = matches!(
                requirement.version_or_url,
                Some(pep508_rs::VersionOrUrl::Url(_))
            );
            if is_url && !urls {
                let why = "a package does not decide where its build requirements come from, unless --allow-url-build-requires lets it"
                    .to_owned();
                return Err(refuse(text, why));
            }
            Ok(requirement)
        })
        .collect()
}

/// Whether `environment` holds what `requirement` asks for already.
pub(super) fn satisfied(
    requirement: &Requirement,
    environment: &Environment,
    markers: &MarkerEnvironment,
) -> bool {
    if !requirement.marker.evaluate(markers, &[]) {
        return true;
    }
    // What an extra brings is known to the resolver alone.
    requirement.extras.is_empty()
        && environment.packages.iter().any(|(name, version)| {
            *name == requirement.name && specifiers_of(requirement).contains(version)
        })
}
