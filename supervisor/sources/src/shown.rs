//! URLs as people may see them: without user information, query and control characters.

use model::lenient;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::names::printable;

/// Returns a URL without user information, query (which may hold signatures) and fragment.
pub(crate) fn shown_url(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    printable(&lenient::without_credentials(url.as_str()))
}

/// Returns the last part of a URL's path, decoded: a name for guessing only, and as a stranger wrote it.
pub(crate) fn last_segment(url: &Url) -> String {
    let segment = url
        .path_segments()
        .and_then(|segments| segments.rev().find(|segment| !segment.is_empty()))
        .unwrap_or_default();
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// Returns what somebody typed, the same way; it need not be a URL.
pub(crate) fn shown_text(text: &str) -> String {
    let clean = lenient::without_credentials(text);
    let clean = match clean.split_once('?') {
        Some((before, _)) if before.contains("://") => format!("{before}?..."),
        _ => clean,
    };
    printable(&clean)
}
