//! Project pages in JSON and HTML, and the files behind them.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::http::Answer;
use crate::search::sha256;

/// One offered file.
#[derive(Clone, Debug)]
pub struct Offer {
    project: String,
    filename: String,
    content: Vec<u8>,
    sha256: Option<String>,
    metadata: Option<Vec<u8>>,
    requires_python: Option<String>,
    yanked: Option<String>,
}

impl Offer {
    /// A file of a project, with its digest on the page.
    #[must_use]
    pub fn new(project: &str, filename: &str, content: Vec<u8>) -> Self {
        Self {
            project: project.to_lowercase().replace(['_', '.'], "-"),
            filename: filename.into(),
            sha256: Some(sha256(&content)),
            content,
            metadata: None,
            requires_python: None,
            yanked: None,
        }
    }

    /// Puts another digest on the page.
    #[must_use]
    pub fn digest(mut self, sha256: &str) -> Self {
        self.sha256 = Some(sha256.into());
        self
    }

    /// Puts no digest on the page.
    #[must_use]
    pub fn without_digest(mut self) -> Self {
        self.sha256 = None;
        self
    }

    /// Serves the metadata beside the file (PEP 658).
    #[must_use]
    pub fn metadata(mut self, metadata: &[u8]) -> Self {
        self.metadata = Some(metadata.to_vec());
        self
    }

    /// Sets `requires-python`.
    #[must_use]
    pub fn requires_python(mut self, specifiers: &str) -> Self {
        self.requires_python = Some(specifiers.into());
        self
    }

    /// Marks the file as yanked.
    #[must_use]
    pub fn yanked(mut self, reason: &str) -> Self {
        self.yanked = Some(reason.into());
        self
    }

    /// Returns the file's name.
    pub(super) fn filename(&self) -> &str {
        &self.filename
    }

    fn json(&self) -> Value {
        let mut file = Map::new();
        file.insert("filename".into(), json!(self.filename));
        file.insert("url".into(), json!(format!("/files/{}", self.filename)));
        file.insert("size".into(), json!(self.content.len()));
        file.insert(
            "hashes".into(),
            self.sha256
                .as_ref()
                .map_or(json!({}), |sha256| json!({"sha256": sha256})),
        );
        if let Some(metadata) = &self.metadata {
            file.insert("core-metadata".into(), json!({"sha256": sha256(metadata)}));
        }
        if let Some(specifiers) = &self.requires_python {
            file.insert("requires-python".into(), json!(specifiers));
        }
        file.insert(
            "yanked".into(),
            self.yanked
                .as_ref()
                .map_or(json!(false), |reason| json!(reason)),
        );
        Value::Object(file)
    }

    fn html(&self) -> String {
        let mut anchor = format!("<a href=\"/files/{}", self.filename);
        if let Some(sha256) = &self.sha256 {
            let _ = write!(anchor, "#sha256={sha256}");
        }
        anchor.push('"');
        if let Some(specifiers) = &self.requires_python {
            let escaped = specifiers.replace('<', "&lt;").replace('>', "&gt;");
            let _ = write!(anchor, " data-requires-python=\"{escaped}\"");
        }
        if let Some(reason) = &self.yanked {
            let _ = write!(anchor, " data-yanked=\"{reason}\"");
        }
        if let Some(metadata) = &self.metadata {
            let _ = write!(
                anchor,
                " data-core-metadata=\"sha256={}\"",
                sha256(metadata)
            );
        }
        anchor + &format!(">{}</a><br>\n", self.filename)
    }
}

/// Answers for a project's page.
pub(super) fn project(offers: &[Offer], project: &str, json: bool) -> Answer {
    let files: Vec<_> = offers
        .iter()
        .filter(|offer| offer.project == project)
        .collect();
    if files.is_empty() {
        return Answer::status(404);
    }
    let (kind, body) = if json {
        let files: Vec<_> = files.into_iter().map(Offer::json).collect();
        let page = json!({"meta": {"api-version": "1.1"}, "name": project, "files": files});
        ("application/vnd.pypi.simple.v1+json", page.to_string())
    } else {
        let anchors: String = files.into_iter().map(Offer::html).collect();
        (
            "text/html",
            format!("<!DOCTYPE html>\n<html><body>\n{anchors}</body></html>\n"),
        )
    };
    let tag = format!("\"{}\"", sha256(body.as_bytes()));
    Answer::ok(kind, body.into_bytes())
        .header("ETag", &tag)
        .header("Cache-Control", "max-age=0")
}

/// Answers for a file, or for the metadata beside it.
pub(super) fn file(offers: &[Offer], name: &str) -> Answer {
    let of = |filename: &str| offers.iter().find(|offer| offer.filename == filename);
    if let Some(offer) = of(name) {
        let tag = format!("\"{}\"", sha256(&offer.content));
        return Answer::ok("application/octet-stream", offer.content.clone()).header("ETag", &tag);
    }
    let beside = name
        .strip_suffix(".metadata")
        .and_then(of)
        .and_then(|offer| offer.metadata.clone());
    beside.map_or(Answer::status(404), |metadata| {
        Answer::ok("text/plain", metadata)
    })
}
