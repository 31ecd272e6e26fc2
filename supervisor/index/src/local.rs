//! Indexes and links in local folders: read as pages are, without a server.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use url::Url;

use crate::document::{Document, Entry, MOST_ENTRIES};
use crate::{IndexError, html};

/// Reads a folder of the simple layout: its `index.html`, or else the files in it. None if there is
/// no such folder.
pub(crate) fn page(folder: &Path, limit: u64) -> Result<Option<Document>, IndexError> {
    let page = folder.join("index.html");
    match File::open(&page) {
        Ok(file) => html_page(file, &page, limit).map(Some),
        Err(error) if is_missing(&error) => self::folder(folder),
        Err(error) => Err(local(&page, error)),
    }
}

/// Reads a place with links: an HTML file, a distribution, or a folder of distributions. None if
/// there is no such place.
pub(crate) fn links(path: &Path, limit: u64) -> Result<Option<Document>, IndexError> {
    if !path.is_file() {
        return folder(path);
    }
    if path
        .extension()
        .is_some_and(|end| end == "html" || end == "htm")
    {
        let file = File::open(path).map_err(|error| local(path, error))?;
        return html_page(file, path, limit).map(Some);
    }
    let Some((parent, name)) = path.parent().zip(path.file_name()) else {
        return Ok(None);
    };
    let names = name.to_str().map(str::to_owned).into_iter().collect();
    listing(parent, names).map(Some)
}

/// Lists a folder of files. None if there is no such folder.
fn folder(folder: &Path) -> Result<Option<Document>, IndexError> {
    let mut names = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(local(folder, error)),
    };
    for entry in entries.take(MOST_ENTRIES) {
        let entry = entry.map_err(|error| local(folder, error))?;
        // Names that are not UTF-8 are not names of distributions.
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    listing(folder, names).map(Some)
}

fn listing(folder: &Path, mut names: Vec<String>) -> Result<Document, IndexError> {
    names.sort();
    let absolute = std::path::absolute(folder).map_err(|error| local(folder, error))?;
    let entries = names
        .into_iter()
        .filter_map(|filename| {
            let url = Url::from_file_path(absolute.join(&filename)).ok()?;
            Some(Entry {
                url: url.into(),
                filename,
                ..Entry::default()
            })
        })
        .collect();
    Ok(Document {
        url: Url::from_directory_path(&absolute).map_or_else(|()| String::new(), String::from),
        entries,
        notes: Vec::new(),
    })
}

/// Opens a file that a `file:` URL names.
pub(crate) fn open(url: &Url) -> Result<(File, std::path::PathBuf), IndexError> {
    let path = url.to_file_path().unwrap_or_default();
    // Looked at first: opening a pipe would wait for somebody to write.
    let metadata = fs::metadata(&path).map_err(|error| local(&path, error))?;
    if !metadata.is_file() {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
        return Err(local(&path, error));
    }
    let file = File::open(&path).map_err(|error| local(&path, error))?;
    Ok((file, path))
}

fn html_page(file: File, path: &Path, limit: u64) -> Result<Document, IndexError> {
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| local(path, error))?;
    let shown = path.display().to_string();
    if bytes.len() as u64 > limit {
        return Err(IndexError::TooLarge {
            url: shown,
            limit,
            page: true,
        });
    }
    let absolute = std::path::absolute(path).map_err(|error| local(path, error))?;
    let url = Url::from_file_path(absolute).map_err(|()| IndexError::BadPage {
        url: shown.clone(),
        why: "its path is no URL".to_owned(),
    })?;
    html::parse(&bytes, &url).map_err(|why| IndexError::BadPage { url: shown, why })
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

pub(crate) fn local(path: &Path, source: io::Error) -> IndexError {
    IndexError::Local {
        path: path.to_owned(),
        source,
    }
}
