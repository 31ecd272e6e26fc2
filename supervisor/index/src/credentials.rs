//! Credentials: out of URLs, out of netrc, never into anything that is printed.

use std::io::Read as _;
use std::path::Path;

use percent_encoding::percent_decode_str;
use url::Url;

/// Bytes of a netrc file; real ones are tiny.
const LARGEST_NETRC: u64 = 1024 * 1024;

/// A user name and perhaps a password. Its `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Credentials {
    username: String,
    password: Option<String>,
}

impl Credentials {
    /// Takes the user information out of a URL.
    pub(crate) fn take(url: &mut Url) -> Option<Self> {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let username = decode(url.username());
        let password = url.password().map(decode);
        // Both fail only for URLs that can not have user information.
        let cleared = url.set_username("").is_ok() && url.set_password(None).is_ok();
        (cleared && (!username.is_empty() || password.is_some()))
            .then_some(Self { username, password })
    }

    /// Makes them of a name and a password.
    pub(crate) fn new(username: &str, password: &str) -> Self {
        Self {
            username: username.to_owned(),
            password: Some(password.to_owned()),
        }
    }

    pub(crate) fn username(&self) -> &str {
        &self.username
    }

    pub(crate) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Credentials(..)")
    }
}

/// What a netrc file says. Its `Debug` shows nothing of it.
#[derive(Default)]
pub(crate) struct Netrc(netrc::Netrc);

impl Netrc {
    /// Reads a file; one that is missing or can not be understood has no credentials, for it
    /// belongs to other programs too.
    pub(crate) fn read(path: &Path) -> Self {
        let mut text = String::new();
        let read = std::fs::File::open(path)
            .and_then(|file| file.take(LARGEST_NETRC).read_to_string(&mut text));
        if let Err(error) = read {
            tracing::debug!(path = %path.display(), %error, "netrc is not read");
            return Self::default();
        }
        // The parser's error may quote a password: it is not shown.
        Self(text.parse().unwrap_or_else(|_| {
            tracing::debug!(path = %path.display(), "netrc can not be understood");
            netrc::Netrc::default()
        }))
    }

    /// Returns the entry of a host, else the default entry.
    pub(crate) fn find(&self, host: &str) -> Option<Credentials> {
        self.find_named(host).or_else(|| self.find_named("default"))
    }

    /// Returns the entry of a host.
    pub(crate) fn find_named(&self, host: &str) -> Option<Credentials> {
        let entry = self.0.hosts.get(host)?;
        (!entry.login.is_empty() || !entry.password.is_empty()).then(|| Credentials {
            username: entry.login.clone(),
            password: Some(entry.password.clone()),
        })
    }
}

impl std::fmt::Debug for Netrc {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Netrc(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_information_leaves_the_url_and_shows_nowhere() {
        let mut url = Url::parse("https://me:s%40cret@example.invalid/simple").expect("a URL");
        let credentials = Credentials::take(&mut url).expect("credentials");
        assert_eq!(url.as_str(), "https://example.invalid/simple");
        assert_eq!(credentials.username(), "me");
        assert_eq!(credentials.password(), Some("s@cret"));
        assert_eq!(format!("{credentials:?}"), "Credentials(..)");
        assert_eq!(Credentials::take(&mut url), None);
    }

    #[test]
    fn netrc_is_read_by_host_and_forgiven() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("netrc");
        std::fs::write(&path, "machine a.invalid login me password secret\n").expect("written");
        let netrc = Netrc::read(&path);
        assert_eq!(netrc.find("a.invalid").expect("found").username(), "me");
        assert_eq!(netrc.find("b.invalid"), None);
        assert!(!format!("{netrc:?}").contains("secret"));
        std::fs::write(&path, "garbage secret").expect("written");
        assert_eq!(Netrc::read(&path).find("a.invalid"), None);
        assert_eq!(Netrc::read(&folder.path().join("none")).find("a"), None);
    }
}
