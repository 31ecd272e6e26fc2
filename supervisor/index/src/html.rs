//! Project pages in HTML: PEP 503, with PEP 592 (yanked), PEP 629 (version), PEP 658 and 714
//! (metadata). A standard tokenizer decodes entities and forgives what browsers forgive.

use std::collections::BTreeMap;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{HtmlString, Spanned, Token, Tokenizer};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::document::{self, Document, Entry, MOST_ENTRIES};

/// The attributes of one tag.
struct Attributes(BTreeMap<HtmlString, Spanned<HtmlString, ()>>);

impl Attributes {
    fn get(&self, name: &str) -> Option<String> {
        let value = self.0.get(name.as_bytes())?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// Reads a page that came from `url`.
///
/// # Errors
/// In words: if it has no tag at all, too many links, or an unknown major version.
pub(crate) fn parse(bytes: &[u8], url: &Url) -> Result<Document, String> {
    let text = String::from_utf8_lossy(bytes);
    let mut emitter = DefaultEmitter::default();
    // Links inside of scripts are not links.
    emitter.naively_switch_states(true);
    let mut base = None;
    let mut broken = 0;
    let mut tags = 0_usize;
    let mut read = Document {
        url: url.to_string(),
        ..Document::default()
    };
    for token in Tokenizer::new_with_emitter(&*text, emitter) {
        let Ok(token) = token;
        let tag = match token {
            Token::StartTag(tag) => tag,
            Token::Doctype(_) => {
                tags += 1;
                continue;
            }
            _ => continue,
        };
        tags += 1;
        let attributes = Attributes(tag.attributes);
        match tag.name.as_slice() {
            // Only the first base counts, and it is itself relative to the page.
            b"base" if base.is_none() => {
                base = attributes
                    .get("href")
                    .and_then(|href| url.join(href.trim()).ok());
            }
            b"meta" if attributes.get("name").as_deref() == Some("pypi:repository-version") => {
                if let Some(version) = attributes.get("content") {
                    document::check_api_version(&version)?;
                }
            }
            b"a" => match entry(&attributes, base.as_ref().unwrap_or(url)) {
                Some(entry) => read.entries.push(entry),
                None => broken += 1,
            },
            _ => {}
        }
        if read.entries.len() > MOST_ENTRIES {
            return Err(format!("it lists more than {MOST_ENTRIES} files"));
        }
    }
    if tags == 0 {
        return Err("it contains no HTML".to_owned());
    }
    read.note_broken(broken);
    Ok(read)
}

fn entry(attributes: &Attributes, base: &Url) -> Option<Entry> {
    let (url, hashes) = document::resolve(base, &attributes.get("href")?)?;
    let last = url.path_segments()?.next_back()?;
    let filename = percent_decode_str(last).decode_utf8().ok()?.into_owned();
    let metadata = attributes
        .get("data-core-metadata")
        .or_else(|| attributes.get("data-dist-info-metadata"))
        .filter(|value| value != "false")
        .map(|value| document::hash(&value).into_iter().collect());
    Some(Entry {
        filename,
        url: url.into(),
        hashes,
        size: None,
        requires_python: attributes.get("data-requires-python"),
        yanked: attributes.get("data-yanked"),
        metadata,
        uploaded: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        Url::parse("https://example.invalid/simple/foo/").expect("a URL")
    }

    #[test]
    fn attributes_entities_and_fragments_are_read() {
        let page = br#"<!DOCTYPE html><html><head>
            <meta name="pypi:repository-version" content="1.0"></head><body>
            <!-- <a href="foo-0.tar.gz">no</a> --><script>"<a href='foo-9.tar.gz'>"</script>
            <A HREF="/files/foo-1%2Bx.tar.gz#sha256=aa&amp;egg=foo" DATA-REQUIRES-PYTHON="&gt;=3.6,&lt;4"
               data-yanked data-dist-info-metadata="sha256=bb">foo</A>
            <a data-core-metadata=true href=foo-2.tar.gz>foo</a><a>none</a></body></html>"#;
        let read = parse(page, &base()).expect("a page");
        let [first, second] = &read.entries[..] else {
            panic!("two entries: {read:?}");
        };
        assert_eq!(first.filename, "foo-1+x.tar.gz");
        assert_eq!(first.url, "https://example.invalid/files/foo-1%2Bx.tar.gz");
        assert_eq!(
            first.hashes,
            BTreeMap::from([("sha256".into(), "aa".into())])
        );
        assert_eq!(first.requires_python.as_deref(), Some(">=3.6,<4"));
        assert_eq!(first.yanked.as_deref(), Some(""));
        assert_eq!(first.metadata.as_ref().expect("metadata")["sha256"], "bb");
        assert_eq!(
            second.url,
            "https://example.invalid/simple/foo/foo-2.tar.gz"
        );
        assert_eq!(second.metadata, Some(BTreeMap::new()));
        assert_eq!(second.yanked, None);
        assert_eq!(read.notes.len(), 1);
    }

    #[test]
    fn the_first_base_moves_the_links() {
        let page = br#"<base href="../../mirror/"><base href="/other/"><a href="foo-1.zip">x</a>"#;
        let read = parse(page, &base()).expect("a page");
        assert_eq!(
            read.entries[0].url,
            "https://example.invalid/mirror/foo-1.zip"
        );
    }

    #[test]
    fn garbage_and_unknown_versions_are_errors() {
        assert!(parse(b"", &base()).is_err());
        assert!(parse(b"\x00\xff just bytes", &base()).is_err());
        let page = br#"<meta name="pypi:repository-version" content="2.0">"#;
        assert!(parse(page, &base()).is_err());
    }
}
