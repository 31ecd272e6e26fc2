//! Which index is asked if none is named on the command line. No index is spelled in this program.

use crate::{IndexError, IndexUrl, PipConfiguration};

/// Chooses the default index: what was named, else pip's configuration, else what is built into the
/// pip at hand. Each comes with its origin in words; returns the address and where it came from.
///
/// # Errors
/// If none is known, or the first that is named is no index.
pub fn default_index(
    explicit: Option<(&str, &str)>,
    configuration: &PipConfiguration,
    built_in: Option<(&str, &str)>,
) -> Result<(IndexUrl, String), IndexError> {
    let configured = configuration
        .index_url
        .as_ref()
        .map(|(url, origin)| (url.as_str(), origin.as_str()));
    let (url, origin) = explicit
        .or(configured)
        .or(built_in)
        .ok_or(IndexError::NoIndex)?;
    Ok((IndexUrl::parse(url)?, origin.to_owned()))
}

#[cfg(test)]
mod tests {
    use model::Code;

    use super::*;

    #[test]
    fn the_nearest_word_wins_and_none_is_an_error() {
        let empty = PipConfiguration::default();
        let configured = PipConfiguration {
            index_url: Some(("https://pip.invalid/simple".to_owned(), "a file".to_owned())),
            ..PipConfiguration::default()
        };
        let flag = Some(("https://flag.invalid/", "--default-index"));
        let pip = Some(("https://built-in.invalid", "pip"));
        let choose = |explicit, configuration, built_in| {
            default_index(explicit, configuration, built_in).map(|(_, origin)| origin)
        };
        assert_eq!(
            choose(flag, &configured, pip).expect("one"),
            "--default-index"
        );
        assert_eq!(choose(None, &configured, pip).expect("one"), "a file");
        assert_eq!(choose(None, &empty, pip).expect("one"), "pip");
        let error = choose(None, &empty, None).expect_err("none");
        assert_eq!(error.code(), Code::NoIndex);
        assert!(choose(Some(("nonsense", "flag")), &empty, pip).is_err());
    }
}
