//! A file that somebody names with its index, project and digest, as a lock does: no page is asked.

use std::collections::BTreeMap;
use std::path::Path;

use model::{PackageName, SdistFilename, Sha256, WheelFilename};
use url::Url;

use crate::{File, FileKind, IndexUrl};

/// What is named.
#[derive(Clone, Copy)]
pub struct NamedFile<'a> {
    /// Its name.
    pub filename: &'a str,
    /// The project.
    pub project: &'a PackageName,
    /// A URL; may hold credentials.
    pub url: &'a str,
    /// The index that it came from, if that is known.
    pub index: Option<&'a str>,
    /// What it has to be, if that is known.
    pub sha256: Option<Sha256>,
    /// Bytes.
    pub size: Option<u64>,
}

impl std::fmt::Debug for NamedFile<'_> {
    /// A URL may hold credentials.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "NamedFile({})", self.filename.escape_debug())
    }
}

impl NamedFile<'_> {
    /// Returns it as if a page had listed it.
    ///
    /// # Errors
    /// In words, if its name is none of a file of the project, or its address is none.
    pub fn file(&self) -> Result<File, String> {
        let mut url =
            Url::parse(self.url).map_err(|error| format!("its address is not a URL: {error}"))?;
        match url.scheme() {
            "https" | "http" => {}
            "file" if url.to_file_path().is_ok() => {}
            _ => return Err("its address is not https, http or file".to_owned()),
        }
        let kind = if self.filename.ends_with(".whl") {
            let wheel = WheelFilename::parse(self.filename).map_err(|error| error.to_string())?;
            if wheel.name != *self.project {
                return Err(format!("it is a wheel of {}", wheel.name));
            }
            FileKind::Wheel(wheel)
        } else {
            let sdist = SdistFilename::parse(self.filename, self.project);
            FileKind::Sdist(sdist.map_err(|error| error.to_string())?)
        };
        let index = match self.index {
            Some(index) => IndexUrl::parse(index).map_err(|error| error.to_string())?,
            // Whoever serves the file stands for the index, with its credentials.
            None => {
                let mut folder = url.clone();
                folder.set_query(None);
                folder.set_path(url.path().rsplit_once('/').map_or("", |(folder, _)| folder));
                IndexUrl::of_page(folder)
            }
        };
        // The client takes credentials from the index.
        if url.set_username("").is_err() || url.set_password(None).is_err() {
            let is_local = url.scheme() == "file";
            if !is_local {
                return Err("its address can not be used".to_owned());
            }
        }
        url.set_fragment(None);
        Ok(File {
            filename: self.filename.to_owned(),
            url,
            sha256: self.sha256,
            other_hashes: BTreeMap::new(),
            size: self.size,
            requires_python: None,
            yanked: None,
            metadata: None,
            uploaded: None,
            index,
            kind,
        })
    }
}

/// Returns the URL of an absolute path.
#[must_use]
pub fn file_url(path: &Path) -> Option<String> {
    Url::from_file_path(path).ok().map(String::from)
}
