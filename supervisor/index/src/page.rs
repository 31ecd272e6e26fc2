//! From what a page says to files that can be chosen from. Pure; nothing here is ever fatal.

use std::str::FromStr;

use jiff::Timestamp;
use model::{PackageName, SdistExtension, SdistFilename, Sha256, WheelFilename, lenient};
use url::Url;

use crate::document::{Document, Entry};
use crate::redirect::{self, Reach};
use crate::{File, FileKind, IndexUrl, MetadataFile, Page, html, json};

/// Notes of one page; a hostile page could ask for any number.
const MOST_NOTES: usize = 20;

/// What the reader of a page knows besides the page.
pub(crate) struct Reading<'a> {
    /// Whose page it is.
    pub(crate) index: &'a IndexUrl,
    /// The project, if the page is of one.
    pub(crate) project: Option<&'a PackageName>,
    /// Where its links may lead.
    pub(crate) reach: Reach,
}

/// Which of its two forms a page has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageForm {
    /// PEP 691
    Json,
    /// PEP 503
    Html,
}

/// Reads the page of a project as `index` answered it, without a network: the way of every page from
/// bytes to files.
///
/// # Errors
/// In words: if the bytes are no such page.
pub fn read_page(
    form: PageForm,
    bytes: &[u8],
    index: &IndexUrl,
    project: &PackageName,
) -> Result<Page, String> {
    let document = match form {
        PageForm::Json => json::parse(bytes, index.url()),
        PageForm::Html => html::parse(bytes, index.url()),
    }?;
    let reading = Reading {
        index,
        project: Some(project),
        reach: Reach::PublicOnly,
    };
    Ok(understand(document, &reading))
}

/// Understands every entry; what can not be used is left out with a note.
pub(crate) fn understand(document: Document, reading: &Reading<'_>) -> Page {
    let base = Url::parse(&document.url).ok();
    let mut notes = document.notes;
    let mut files = Vec::with_capacity(document.entries.len());
    for entry in document.entries {
        let filename = entry.filename.clone();
        match file(entry, base.as_ref(), reading, &mut notes) {
            Ok(Some(file)) => files.push(file),
            Ok(None) => {}
            Err(why) => notes.push(format!("`{}` is left out: {why}", neutral(&filename))),
        }
    }
    if notes.len() > MOST_NOTES {
        let more = notes.len() - MOST_NOTES;
        notes.truncate(MOST_NOTES);
        notes.push(format!("and {more} more"));
    }
    Page { files, notes }
}

fn file(
    entry: Entry,
    base: Option<&Url>,
    reading: &Reading<'_>,
    notes: &mut Vec<String>,
) -> Result<Option<File>, String> {
    let Some(kind) = kind(&entry.filename, reading.project)? else {
        return Ok(None);
    };
    let url = Url::parse(&entry.url).map_err(|error| format!("its link is not a URL: {error}"))?;
    let base = base.unwrap_or(reading.index.url());
    redirect::check(base, &url, reading.reach).map_err(|why| format!("its link {why}"))?;
    let requires_python = match entry.requires_python.as_deref().map(lenient::specifiers) {
        None => None,
        Some(Ok(specifiers)) => (!specifiers.is_empty()).then_some(specifiers),
        Some(Err(error)) => {
            // As pip: a Python requirement that nobody can read is none.
            let filename = neutral(&entry.filename);
            notes.push(format!(
                "the Python requirement of `{filename}` is ignored: {error}"
            ));
            None
        }
    };
    let mut other_hashes = entry.hashes;
    let sha256 = other_hashes
        .remove("sha256")
        .map(|text| Sha256::from_str(&text).map_err(|error| error.to_string()))
        .transpose()?;
    let metadata = entry
        .metadata
        .map(|mut hashes| {
            let sha256 = hashes.remove("sha256");
            let sha256 = sha256.map(|text| Sha256::from_str(&text)).transpose();
            sha256.map(|sha256| MetadataFile { sha256 })
        })
        .transpose()
        .map_err(|error| format!("its metadata: {error}"))?;
    Ok(Some(File {
        filename: entry.filename,
        url,
        sha256,
        other_hashes,
        size: entry.size,
        requires_python,
        yanked: entry.yanked,
        metadata,
        uploaded: entry
            .uploaded
            .and_then(|text| Timestamp::from_str(&text).ok()),
        index: reading.index.clone(),
        kind,
    }))
}

/// Tells what a file is; none for the kinds that are of no use here (eggs, signatures, installers).
fn kind(filename: &str, project: Option<&PackageName>) -> Result<Option<FileKind>, String> {
    let kind = if filename.ends_with(".whl") {
        FileKind::Wheel(WheelFilename::parse(filename).map_err(|error| error.why)?)
    } else if SdistExtension::split(filename).is_some() {
        let sdist = match project {
            Some(project) => SdistFilename::parse(filename, project),
            None => SdistFilename::guess(filename),
        };
        FileKind::Sdist(sdist.map_err(|error| error.why)?)
    } else {
        return Ok(None);
    };
    match (&kind, project) {
        (FileKind::Wheel(wheel), Some(project)) if wheel.name != *project => {
            Err(format!("it is a wheel of `{}`", wheel.name))
        }
        _ => Ok(Some(kind)),
    }
}

fn neutral(text: &str) -> String {
    text.chars()
        .take(120)
        .collect::<String>()
        .escape_debug()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(filename: &str) -> Entry {
        Entry {
            filename: filename.to_owned(),
            url: format!("https://files.invalid/{filename}"),
            ..Entry::default()
        }
    }

    fn read(entries: Vec<Entry>, reach: Reach) -> Page {
        let index = IndexUrl::parse("https://example.invalid/simple").expect("an index");
        let project = PackageName::from_str("foo").expect("a name");
        let document = Document {
            url: "https://example.invalid/simple/foo/".to_owned(),
            entries,
            notes: Vec::new(),
        };
        understand(
            document,
            &Reading {
                index: &index,
                project: Some(&project),
                reach,
            },
        )
    }

    #[test]
    fn what_does_not_parse_is_left_out_with_a_note() {
        let page = read(
            vec![
                entry("foo-1.0.tar.gz"),
                entry("foo-2004d.tar.gz"),
                entry("foo-1.0-py3-none-any.whl"),
                entry("bar-1.0-py3-none-any.whl"),
                entry("foo-1.0-py3-none.whl"),
                entry("foo-1.0-py3.egg"),
                entry("foo-1.0.tar.gz.asc"),
                Entry {
                    hashes: [("sha256".to_owned(), "zz".to_owned())].into(),
                    ..entry("foo-2.zip")
                },
            ],
            Reach::PublicOnly,
        );
        let names: Vec<&str> = page.files.iter().map(|file| &*file.filename).collect();
        assert_eq!(names, ["foo-1.0.tar.gz", "foo-1.0-py3-none-any.whl"]);
        assert_eq!(page.notes.len(), 4, "{:?}", page.notes);
    }

    #[test]
    fn a_python_requirement_is_repaired_or_ignored_with_a_note() {
        let with = |text: &str| Entry {
            requires_python: Some(text.to_owned()),
            ..entry("foo-1.zip")
        };
        let page = read(
            vec![with(">=3.6.*"), with("what?"), with("")],
            Reach::PublicOnly,
        );
        let read: Vec<Option<String>> = page
            .files
            .iter()
            .map(|file| file.requires_python.as_ref().map(ToString::to_string))
            .collect();
        assert_eq!(read, [Some(">=3.6".to_owned()), None, None]);
        assert_eq!(page.notes.len(), 1);
    }

    #[test]
    fn links_lead_neither_down_nor_inside() {
        let to = |url: &str| Entry {
            url: url.to_owned(),
            ..entry("foo-1.zip")
        };
        let urls = || {
            vec![
                to("http://files.invalid/foo-1.zip"),
                to("file:///etc/foo-1.zip"),
                to("https://127.0.0.1/foo-1.zip"),
                to("https://169.254.169.254/foo-1.zip"),
                to("https://localhost/foo-1.zip"),
            ]
        };
        assert_eq!(read(urls(), Reach::PublicOnly).files.len(), 0);
        assert_eq!(read(urls(), Reach::Anywhere).files.len(), 3);
    }

    #[test]
    fn notes_are_bounded() {
        let page = read(
            (0..100).map(|n| entry(&format!("foo-x{n}.zip"))).collect(),
            Reach::Anywhere,
        );
        assert_eq!(page.notes.len(), MOST_NOTES + 1);
    }
}
