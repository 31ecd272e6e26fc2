//! The key of a built wheel: everything *asked* that may change it. Pure.
//!
//! What the build requirements resolved to is in the record, not here: the key is needed before
//! anything is resolved, so it holds what decides the resolution instead.

use std::collections::BTreeMap;

use index::IndexUrl;
use model::{PackageName, Requirement, Sha256, SourceId};
use serde::Serialize;

use crate::error::BuildError;
use crate::settings::Settings;

/// Raised when the meaning of a key changes.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Key<'a> {
    version: u32,
    source: &'a Sha256,
    subdirectory: Option<&'a str>,
    python: String,
    config_settings: &'a model::ConfigSettings,
    extra_build_deps: Vec<String>,
    /// What is not chosen yet; nothing is built under such a key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    match_runtime: Vec<String>,
    package_settings: Vec<(&'a str, &'a model::ConfigSettings)>,
    build_constraints: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    build_hashes: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    require_build_hashes: bool,
    indexes: Vec<String>,
    /// Projects with the digest of the one index that they are looked for on; any may be a build requirement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mapped: Vec<(&'a str, Option<String>)>,
    find_links: Vec<String>,
    formats: String,
    pre: bool,
    url_build_requires: bool,
    exclude_newer: Option<String>,
    source_date_epoch: Option<u64>,
    variables: Vec<(String, Sha256)>,
    policy: Sha256,
    extras: Vec<String>,
    strict_output: bool,
}

/// Computes the key of building `source`. Of what is said for single packages only that counts which is for
/// this one; all of it, while it is not known which package the source holds.
///
/// # Errors
/// If it can not be written down.
pub(crate) fn key_of(
    source: &SourceId,
    settings: &Settings,
    package: Option<&PackageName>,
) -> Result<Sha256, BuildError> {
    let is_meant = |name: &PackageName| package.is_none_or(|package| package == name);
    let meant = |deps: &BTreeMap<PackageName, Vec<Requirement>>| {
        let deps = deps.iter().filter(|(name, _)| is_meant(name));
        let mut texts: Vec<_> = deps
            .flat_map(|(name, deps)| deps.iter().map(move |dep| format!("{name}: {dep}")))
            .collect();
        texts.sort();
        texts
    };
    let mut build_constraints: Vec<_> = settings
        .build_constraints
        .iter()
        .map(ToString::to_string)
        .collect();
    build_constraints.sort();
    let policy = Sha256::from_bytes(settings.policy.digest());
    // A value may be a secret: its hash is keyed with the policy, so that equal values of unlike
    // settings do not look alike.
    let hashed = |name: &str, value: &str| Sha256::of(format!("{policy}\0{name}\0{value}"));
    let own_variables = settings.package_variables.iter();
    let own_variables = own_variables
        .filter(|(package, _)| is_meant(package))
        .flat_map(|(package, variables)| {
            variables
                .iter()
                .map(move |(name, value)| (format!("{package}:{name}"), value))
        });
    let variables = settings.variables.iter();
    let variables = variables
        .map(|(name, value)| (name.clone(), value))
        .chain(own_variables)
        .map(|(name, value)| {
            let hash = hashed(&name, value);
            (name, hash)
        });
    let key = Key {
        version: VERSION,
        source: &source.digest.sha256,
        subdirectory: source.subdirectory.as_deref(),
        python: settings.facts.identity(),
        config_settings: &settings.config_settings,
        extra_build_deps: meant(&settings.extra_build_deps),
        match_runtime: meant(&settings.match_runtime.wanted),
        package_settings: settings
            .package_settings
            .iter()
            .filter(|(name, _)| is_meant(name))
            .map(|(name, own)| (name.as_ref(), own))
            .collect(),
        build_constraints,
        build_hashes: settings.build_hashes.lines(),
        require_build_hashes: settings.build_hashes.required.is_some(),
        indexes: settings
            .indexes
            .iter()
            .map(|index| index.digest().to_string())
            .collect(),
        mapped: mapped(settings),
        find_links: settings
            .find_links
            .iter()
            .map(ToString::to_string)
            .collect(),
        // What `:all:` says is about the request, not about its build requirements.
        formats: format!("{:?}", settings.formats.without_all()),
        pre: settings.pre,
        url_build_requires: settings.allow_url_build_requires,
        exclude_newer: settings.exclude_newer.map(|time| time.to_string()),
        source_date_epoch: settings.source_date_epoch,
        variables: variables.collect(),
        policy,
        extras: settings
            .extras_of(source)
            .iter()
            .map(|extra| format!("{extra:?}"))
            .collect(),
        strict_output: settings.strict_output,
    };
    digest_of(&key)
}

/// The digest of everything in a key. What can not be written down has none: it must never be that of another.
fn digest_of<T: Serialize>(key: &T) -> Result<Sha256, BuildError> {
    match serde_json::to_vec(key) {
        Ok(bytes) => Ok(Sha256::of(bytes)),
        Err(error) => {
            tracing::error!(%error, "the key of a build can not be written down");
            Err(BuildError::Task {
                doing: "write down the key of a build",
            })
        }
    }
}

/// The mapped projects, each with the digest of its index: what the index is called changes nothing.
fn mapped(settings: &Settings) -> Vec<(&str, Option<String>)> {
    let digest = |index: &IndexUrl| index.digest().to_string();
    let mapped = settings.mapped.iter();
    mapped
        .map(|(name, mapped)| (name.as_ref(), mapped.index.as_ref().map(digest)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_written_down_has_no_key() {
        // JSON has no such name of a field.
        let keyless = BTreeMap::from([(Vec::from([1_u8]), "value")]);
        let refused = digest_of(&keyless);
        assert!(
            matches!(refused, Err(BuildError::Task { .. })),
            "{refused:?}"
        );
        let one = digest_of(&["a"]).ok();
        assert!(one.is_some() && one != digest_of(&["b"]).ok());
    }
}
