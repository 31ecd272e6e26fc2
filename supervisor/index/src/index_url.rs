//! Where an index is: `[NAME=]URL`, https, http or a local folder in simple layout.

use std::path::PathBuf;
use std::str::FromStr;

use model::{PackageName, Sha256};
use url::Url;

use crate::credentials::Credentials;
use crate::error::BadIndexUrl;

/// The address of an index. Neither `Display` nor `Debug` shows credentials.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IndexUrl {
    name: Option<String>,
    /// Without user information, query, fragment and trailing slash.
    url: Url,
    credentials: Option<Credentials>,
}

impl IndexUrl {
    /// Reads `[NAME=]URL`; an absolute path stands for its `file:` URL.
    ///
    /// # Errors
    /// If it is no URL, has a scheme other than https, http or file, or a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, BadIndexUrl> {
        let text = text.trim();
        let bad = |why: &str| BadIndexUrl {
            text: model::lenient::without_credentials(text)
                .escape_debug()
                .to_string(),
            why: why.to_owned(),
        };
        let (name, address) = match text.split_once('=') {
            Some((name, address)) if Self::is_name(name) => (Some(name.to_owned()), address),
            _ => (None, text),
        };
        let mut url = if address.starts_with('/') {
            Url::from_file_path(address).map_err(|()| bad("it is not a path"))?
        } else {
            Url::parse(address).map_err(|error| bad(&error.to_string()))?
        };
        match url.scheme() {
            "https" | "http" => {}
            "file" if url.to_file_path().is_ok() => {}
            "file" => return Err(bad("a file URL has no host")),
            _ => return Err(bad("its scheme is not https, http or file")),
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("an index has no query and no fragment"));
        }
        let credentials = Credentials::take(&mut url);
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self {
            name,
            url,
            credentials,
        })
    }

    /// Whether an index can have this name: letters, digits, `-`, `_` and `.`.
    #[must_use]
    pub fn is_name(text: &str) -> bool {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    }

    /// Makes the address of a page of links, which has a fragment or a query at times.
    pub(crate) fn of_page(mut url: Url) -> Self {
        let credentials = Credentials::take(&mut url);
        url.set_fragment(None);
        Self {
            name: None,
            url,
            credentials,
        }
    }

    /// Returns the name before the `=`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the address without name, credentials and trailing slash: what enters keys.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.url.as_str().trim_end_matches('/').to_owned()
    }

    /// Returns the digest of the canonical address.
    #[must_use]
    pub fn digest(&self) -> Sha256 {
        Sha256::of(self.canonical())
    }

    /// Returns the folder of a local index.
    #[must_use]
    pub fn folder(&self) -> Option<PathBuf> {
        (self.url.scheme() == "file")
            .then(|| self.url.to_file_path().ok())
            .flatten()
    }

    /// Returns the address without credentials.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Returns the address of a project's page (PEP 503).
    pub(crate) fn project(&self, name: &PackageName) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!(
            "{}/{name}/",
            self.url.path().trim_end_matches('/')
        ));
        url
    }
}

impl FromStr for IndexUrl {
    type Err = BadIndexUrl;
    fn from_str(text: &str) -> Result<Self, BadIndexUrl> {
        Self::parse(text)
    }
}

impl std::fmt::Display for IndexUrl {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.canonical())
    }
}

impl std::fmt::Debug for IndexUrl {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "IndexUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_never_show_and_never_enter_keys() {
        let with = IndexUrl::parse("corp=https://me:secret@example.invalid/simple/").expect("ok");
        let without = IndexUrl::parse("https://example.invalid/simple").expect("ok");
        assert_eq!(with.name(), Some("corp"));
        assert_eq!(with.digest(), without.digest());
        assert_eq!(with.to_string(), "https://example.invalid/simple");
        assert!(!format!("{with:?}").contains("secret"));
        assert!(with.credentials().is_some());
        let name = PackageName::from_str("Foo.Bar").expect("a name");
        assert_eq!(
            with.project(&name).as_str(),
            "https://example.invalid/simple/foo-bar/"
        );
    }

    #[test]
    fn what_is_no_index_is_refused_without_showing_secrets() {
        for text in [
            "ftp://me:secret@example.invalid/",
            "https://me:secret@example.invalid/?a=b",
            "https://me:secret@exa mple/",
            "file://me:secret@host/path",
            "relative/path",
            "",
        ] {
            let error = IndexUrl::parse(text).expect_err(text);
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
    }

    #[test]
    fn folders_are_indexes_too() {
        let index = IndexUrl::parse("/srv/simple/").expect("a folder");
        assert_eq!(index.folder(), Some("/srv/simple".into()));
        assert_eq!(index.canonical(), "file:///srv/simple");
        assert_eq!(
            IndexUrl::parse("https://a.invalid").expect("ok").folder(),
            None
        );
    }
}
