//! Places with loose files: folders, HTML files and pages of links (`--find-links`).

use std::path::{Path, PathBuf};

use url::Url;

use crate::IndexUrl;
use crate::error::BadIndexUrl;

/// A place with links to files of any project. `Display` and `Debug` never show credentials.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FindLinks {
    /// A folder of files, an HTML file or one distribution; none for a page on a server.
    path: Option<PathBuf>,
    address: IndexUrl,
}

impl FindLinks {
    /// Reads a path or a URL. Relative paths begin at the working directory.
    ///
    /// # Errors
    /// If it is a URL of another scheme than https, http or file, or an empty path.
    pub fn parse(text: &str) -> Result<Self, BadIndexUrl> {
        let text = text.trim();
        let bad = |why: String| BadIndexUrl {
            text: model::lenient::without_credentials(text)
                .escape_debug()
                .to_string(),
            why,
        };
        if text.contains("://") || text.starts_with("file:") {
            let url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
            let path = match url.scheme() {
                "https" | "http" => None,
                "file" => {
                    let path = url.to_file_path();
                    Some(path.map_err(|()| bad("a file URL has no host".to_owned()))?)
                }
                _ => return Err(bad("its scheme is not https, http or file".to_owned())),
            };
            let address = IndexUrl::of_page(url);
            return Ok(Self { path, address });
        }
        let path = std::path::absolute(text).map_err(|error| bad(error.to_string()))?;
        let url = Url::from_file_path(&path).map_err(|()| bad("it is not a path".to_owned()))?;
        Ok(Self {
            path: Some(path),
            address: IndexUrl::of_page(url),
        })
    }

    /// Returns what stands for the place in keys.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.address.canonical()
    }

    /// Returns the path of a local place.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the address that the files of the place name as their index.
    pub(crate) fn address(&self) -> &IndexUrl {
        &self.address
    }
}

impl std::fmt::Display for FindLinks {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.path {
            Some(path) => write!(out, "{}", path.display()),
            None => write!(out, "{}", self.address),
        }
    }
}

impl std::fmt::Debug for FindLinks {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "FindLinks({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls_are_told_apart() {
        let place = |text| FindLinks::parse(text).expect("a place");
        let path = |text| place(text).path().map(Path::to_owned);
        assert_eq!(path("/opt/wheels"), Some("/opt/wheels".into()));
        assert_eq!(path("file:///opt/a%20b"), Some("/opt/a b".into()));
        assert!(path("wheels").is_some_and(|path| path.is_absolute()));
        let page = place("https://me:secret@example.invalid/links.html#x");
        assert_eq!(page.path(), None);
        assert_eq!(page.to_string(), "https://example.invalid/links.html");
        assert!(!format!("{page:?}").contains("secret"));
        assert!(FindLinks::parse("ftp://example.invalid/").is_err());
        assert!(FindLinks::parse("").is_err());
    }
}
