//! Requirements that come from a package: names and versions only, bounded, read leniently.

use std::collections::BTreeMap;

use environment::Environment;
use index::Mapped;
use model::{MarkerEnvironment, PackageName, Requirement, lenient};

use super::identify::specifiers_of;
use crate::error::BuildError;
use crate::local::neutralised;
use crate::settings::Settings;

/// How many a package may have, and how long one may be.
const MOST: usize = 500;
const LONGEST: usize = 1000;

/// Which of them may name a URL.
#[derive(Clone, Debug)]
pub(super) struct Urls {
    allowed: bool,
    mapped: BTreeMap<PackageName, Mapped>,
}

impl Urls {
    /// What the caller allows.
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            allowed: settings.allow_url_build_requires,
            mapped: settings.mapped.clone(),
        }
    }

    /// Says why `requirement` may not name one.
    fn refusal(&self, requirement: &Requirement) -> Option<String> {
        if !self.allowed {
            return Some("a package does not decide where its build requirements come from, unless --allow-url-build-requires lets it".to_owned());
        }
        let mapped = self.mapped.get(&requirement.name)?;
        Some(format!("this project is taken from {mapped}"))
    }
}

/// Reads requirements that stand in `origin`.
pub(super) fn read(
    texts: &[String],
    origin: &'static str,
    urls: &Urls,
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
            match urls.refusal(&requirement) {
                Some(why) if is_url => Err(refuse(text, why)),
                _ => Ok(requirement),
            }
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
