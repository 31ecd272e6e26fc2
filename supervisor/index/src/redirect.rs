//! Where a redirect or a link may lead. Pure; what only DNS can tell is checked in `resolver.rs`.

use url::Url;

use crate::address::is_private_literal;

/// Redirects that are followed one after another.
pub(crate) const MOST: usize = 10;

/// Where a host that was configured may lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It is itself private: it may lead anywhere.
    Anywhere,
    /// It is public: it may not lead to private addresses.
    PublicOnly,
}

impl Reach {
    /// Returns the reach of a host whose being private is known.
    pub(crate) fn of(private: bool) -> Self {
        if private {
            Self::Anywhere
        } else {
            Self::PublicOnly
        }
    }
}

/// Returns where a redirect leads.
///
/// # Errors
/// In words, if it must not be followed.
pub(crate) fn follow(
    from: &Url,
    location: &str,
    reach: Reach,
) -> Result<Url, (String, &'static str)> {
    let mut to = from
        .join(location)
        .map_err(|_| ("?".to_owned(), "it is not a URL"))?;
    // A redirect neither brings credentials nor is it allowed to hide ours in its own.
    let _ = to.set_username("");
    let _ = to.set_password(None);
    if to.fragment().is_none() {
        to.set_fragment(from.fragment());
    }
    check(from, &to, reach).map_err(|why| (crate::error::shown(&to), why))?;
    Ok(to)
}

/// Refuses what must not be followed from a page or an answer.
///
/// # Errors
/// In words, fit to follow "it" or "its link".
pub(crate) fn check(from: &Url, to: &Url, reach: Reach) -> Result<(), &'static str> {
    match (from.scheme(), to.scheme()) {
        ("https", "https") | ("http", "http" | "https") => {}
        ("file", "file" | "http" | "https") => return Ok(()),
        ("https", "http") => return Err("leads from https to http"),
        _ => return Err("has a scheme that is not https or http"),
    }
    let inside = from.origin() == to.origin();
    if reach == Reach::PublicOnly && !inside && is_private_literal(to) == Some(true) {
        return Err("leads from a public host to a private address");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow_from(from: &str, to: &str, reach: Reach) -> Result<String, &'static str> {
        follow(&Url::parse(from).expect(from), to, reach)
            .map(String::from)
            .map_err(|(_, why)| why)
    }

    #[test]
    fn a_public_host_does_not_lead_inside() {
        for to in [
            "http://127.0.0.1/",
            "http://localhost:8080/",
            "http://169.254.169.254/latest/meta-data",
            "http://10.0.0.1/",
            "http://100.64.0.1/",
            "http://[fd00::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://0x7f000001/",
        ] {
            let answer = follow_from("http://example.invalid/", to, Reach::PublicOnly);
            assert!(answer.is_err(), "{to}");
            assert!(follow_from("http://10.1.1.1/", to, Reach::Anywhere).is_ok());
        }
    }

    #[test]
    fn downgrades_and_foreign_schemes_are_refused_for_all() {
        for reach in [Reach::Anywhere, Reach::PublicOnly] {
            let from = "https://example.invalid/a";
            assert!(follow_from(from, "http://example.invalid/a", reach).is_err());
            assert!(follow_from(from, "file:///etc/passwd", reach).is_err());
            assert!(follow_from(from, "ftp://example.invalid/", reach).is_err());
            assert!(
                follow_from("http://example.invalid", "https://example.invalid", reach).is_ok()
            );
        }
    }

    #[test]
    fn relative_locations_and_fragments_work_and_user_information_goes() {
        assert_eq!(
            follow_from("https://a.invalid/x/y#sha256=1", "../z", Reach::PublicOnly).as_deref(),
            Ok("https://a.invalid/z#sha256=1")
        );
        assert_eq!(
            follow_from(
                "https://a.invalid/",
                "https://u:p@b.invalid/",
                Reach::PublicOnly
            )
            .as_deref(),
            Ok("https://b.invalid/")
        );
    }
}
