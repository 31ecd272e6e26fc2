//! The document of `metadata`, described in `docs/schema/metadata.schema.json`.

use builder::{Described, MetadataOrigin};
use serde::Serialize;
use serde_json::Value;

use super::{DenialEntry, SourceEntry, entries};
use crate::neutralise;

/// The name of this form.
const SCHEMA: &str = "fumehood-metadata/1";

/// The answer of `metadata`.
#[derive(Debug, Serialize)]
pub(crate) struct DescribedEntry {
    schema: &'static str,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) requires_python: Option<String>,
    pub(crate) requires_dist: Vec<String>,
    pub(crate) provides_extra: Vec<String>,
    /// `static`, `hook`, `wheel`
    origin: MetadataOrigin,
    /// The file or hook that says it.
    pub(crate) place: String,
    /// The source; null for a wheel of an index.
    source: Option<SourceEntry>,
    /// The isolation that code ran in to say it; null if none ran.
    isolation: Option<Value>,
    denials: Vec<DenialEntry>,
}

impl DescribedEntry {
    /// Makes the answer; what strangers wrote is made visible.
    pub(crate) fn new(described: &Described) -> Self {
        let clean = |text: &dyn ToString| neutralise::line(&text.to_string()).into_owned();
        let metadata = &described.metadata;
        Self {
            schema: SCHEMA,
            name: metadata.name.to_string(),
            version: clean(&metadata.version),
            requires_python: metadata.requires_python.as_ref().map(|one| clean(one)),
            requires_dist: metadata
                .requires_dist
                .iter()
                .map(|one| model::lenient::without_credentials(&clean(one)))
                .collect(),
            provides_extra: metadata
                .provides_extra
                .iter()
                .map(|one| clean(one))
                .collect(),
            origin: described.origin,
            place: clean(&described.place),
            source: described.source.as_ref().map(SourceEntry::new),
            isolation: described
                .isolation
                .as_ref()
                .and_then(|isolation| serde_json::to_value(isolation).ok()),
            denials: entries(&described.denials),
        }
    }
}
