//! URLs as people may see them: without user information, query and control characters.

use model::lenient;
use url::Url;

use crate::names::printable;

/// Returns a URL without user information, query (which may hold signatures) and fragment.
pub(crate) fn shown_url(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    printable(&lenient::without_credentials(url.as_str()))
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
