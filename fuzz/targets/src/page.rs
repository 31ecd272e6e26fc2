//! Pages of an index: whatever they say, links lead nowhere inside, and names are of the project.

use std::str::FromStr as _;

use index::{FileKind, IndexUrl, PageForm, read_page};
use model::PackageName;

/// Reads a page in JSON.
pub(crate) fn json(bytes: &[u8]) {
    read(PageForm::Json, bytes);
}

/// Reads a page in HTML.
pub(crate) fn html(bytes: &[u8]) {
    read(PageForm::Html, bytes);
}

fn read(form: PageForm, bytes: &[u8]) {
    let index = IndexUrl::parse("https://index.example/simple/foo/").expect("a URL");
    let project = PackageName::from_str("foo").expect("a name");
    let Ok(page) = read_page(form, bytes, &index, &project) else {
        return;
    };
    for file in &page.files {
        assert_eq!(file.url.scheme(), "https", "{}", file.url);
        assert!(
            !file.filename.contains(['/', '\\', '\0']),
            "{:?}",
            file.filename
        );
        let name = match &file.kind {
            FileKind::Wheel(wheel) => &wheel.name,
            FileKind::Sdist(sdist) => &sdist.name,
        };
        assert_eq!(*name, project);
    }
    for note in &page.notes {
        assert!(!note.chars().any(char::is_control), "{note:?}");
    }
}
