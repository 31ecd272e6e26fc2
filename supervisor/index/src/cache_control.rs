//! How long answers of an index may be used, said by the user instead of the index.

use crate::IndexUrl;

/// The text is no override.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not INDEX=DIRECTIVES, such as `corp=max-age=600`: {why}")]
pub struct BadCacheControl {
    /// What was given, without credentials.
    pub text: String,
    /// Why, in words.
    pub why: &'static str,
}

/// For one index, what stands in place of the `Cache-Control` that it sends (RFC 9111).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheControl {
    /// The index's name, or its canonical address.
    index: String,
    /// What counts.
    directives: String,
}

impl CacheControl {
    /// Reads `NAME=DIRECTIVES` or `URL=DIRECTIVES`; the directives are `max-age=SECONDS`,
    /// `no-cache` and `no-store`, separated by commas.
    ///
    /// # Errors
    /// If it is something else.
    pub fn parse(text: &str) -> Result<Self, BadCacheControl> {
        let bad = |why| BadCacheControl {
            text: model::lenient::without_credentials(text)
                .escape_debug()
                .to_string(),
            why,
        };
        // A URL may have `=` in it, and so has `max-age=600`: the directives begin behind the
        // last `=` that does not belong to them.
        let at = ["=max-age=", "=no-cache", "=no-store"]
            .iter()
            .filter_map(|mark| text.find(mark))
            .min()
            .ok_or_else(|| bad("it has neither max-age nor no-cache nor no-store"))?;
        let (index, directives) = (text[..at].trim(), text[at + 1..].trim());
        if index.is_empty() {
            return Err(bad("it names no index"));
        }
        let known = |directive: &str| match directive.trim().split_once('=') {
            Some(("max-age", seconds)) => seconds.parse::<u64>().is_ok(),
            Some(_) => false,
            None => matches!(directive.trim(), "no-cache" | "no-store"),
        };
        if !directives.split(',').all(known) {
            return Err(bad(
                "a directive is not max-age=SECONDS, no-cache or no-store",
            ));
        }
        let index = match IndexUrl::parse(index) {
            Ok(url) => url.canonical(),
            Err(_) if index.contains("://") => return Err(bad("the address is not one")),
            Err(_) => index.to_owned(),
        };
        Ok(Self {
            index,
            directives: directives.to_owned(),
        })
    }

    /// Returns the directives for `index` out of all overrides; the first that fits counts.
    pub(crate) fn of<'a>(all: &'a [Self], index: &IndexUrl) -> Option<&'a str> {
        all.iter()
            .find(|one| index.name() == Some(&one.index) || index.canonical() == one.index)
            .map(|one| one.directives.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_is_for_a_name_or_an_address() {
        let all = [
            CacheControl::parse("corp=max-age=600, no-store").expect("by name"),
            CacheControl::parse("https://me:secret@b.invalid/simple/=no-cache").expect("by URL"),
        ];
        assert!(!format!("{all:?}").contains("secret"));
        let of = |text: &str| CacheControl::of(&all, &IndexUrl::parse(text).expect(text));
        assert_eq!(of("corp=https://a.invalid/"), Some("max-age=600, no-store"));
        assert_eq!(of("https://b.invalid/simple"), Some("no-cache"));
        assert_eq!(of("https://a.invalid/"), None);
    }

    #[test]
    fn what_is_no_override_is_refused_without_showing_secrets() {
        for text in [
            "corp",
            "corp=600",
            "=max-age=600",
            "corp=max-age=soon",
            "corp=max-age=1,public",
            "https://me:secret@ex ample/=no-store",
        ] {
            let error = CacheControl::parse(text).expect_err(text);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
