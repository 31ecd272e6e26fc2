//! Addresses of git repositories and references in them: what git may be asked for, and nothing else.
//!
//! git understands more than addresses: `ext::` runs a program, a word that begins with a dash is an
//! option. So only what is listed here gets through. Running git is the business of the builder.

use std::path::PathBuf;
use std::str::FromStr;

use model::Sha256;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::names::printable;
use crate::shown::{shown_text, shown_url};

/// Bytes; nobody writes longer ones.
const LONGEST: usize = 4 * 1024;
/// Bytes of a reference; git's own file names end here.
const LONGEST_REFERENCE: usize = 250;

/// How a repository is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// `https:`
    Https,
    /// `http:`, on this machine only.
    Http,
    /// `ssh:`
    Ssh,
    /// `file:`
    File,
}

impl Transport {
    /// Returns git's word for it, as `GIT_ALLOW_PROTOCOL` takes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Ssh => "ssh",
            Self::File => "file",
        }
    }
}

/// The address of a repository. Neither `Debug` nor `Display` shows credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct GitUrl {
    url: Url,
    transport: Transport,
}

/// The text is no address that git is asked about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {why}")]
pub struct BadGitUrl {
    /// As written, without credentials.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl GitUrl {
    /// Reads an address, without `git+` before it.
    ///
    /// # Errors
    /// If it is none of https, ssh, file, and http on this machine, or has something in it that git or
    /// ssh could take for more than an address.
    pub fn parse(text: &str) -> Result<Self, BadGitUrl> {
        let refused = |why: &str| BadGitUrl {
            text: shown_text(text),
            why: why.to_owned(),
        };
        if text.len() > LONGEST || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(refused("is too long, or has spaces or control characters"));
        }
        // `HELPER::ADDRESS` starts a program of that name.
        if text.contains("::") && !text.contains("://[") {
            return Err(refused("names a remote helper, and those run programs"));
        }
        let url = Url::parse(text).map_err(|error| refused(&format!("is not a URL: {error}")))?;
        Self::of(url).map_err(|why| refused(&why))
    }

    fn of(url: Url) -> Result<Self, String> {
        let transport = match url.scheme() {
            "https" => Transport::Https,
            "http" if is_loopback(&url) => Transport::Http,
            "http" => return Err("is not encrypted; http is taken on this machine only".to_owned()),
            "ssh" => Transport::Ssh,
            "file" => Transport::File,
            other => {
                let scheme = printable(other);
                return Err(format!("is `{scheme}`, which is not https, ssh or file"));
            }
        };
        if url.query().is_some() {
            return Err("has a query, which repositories do not have".to_owned());
        }
        if transport == Transport::Ssh {
            check_ssh(&url)?;
        }
        if transport == Transport::File && url.to_file_path().is_err() {
            return Err("is a file URL with a host or without an absolute path".to_owned());
        }
        if matches!(url.path(), "" | "/") {
            return Err("names no repository".to_owned());
        }
        let parts = [
            url.username(),
            url.password().unwrap_or_default(),
            url.path(),
        ];
        for part in parts {
            if percent_decode_str(part).any(|byte| byte.is_ascii_control()) {
                return Err("has control characters in its path or login".to_owned());
            }
        }
        Ok(Self { url, transport })
    }

    /// Returns how it is reached.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Returns what git is told: without password, and for https without user name.
    #[must_use]
    pub fn address(&self) -> String {
        let mut url = self.url.clone();
        url.set_fragment(None);
        // Both fail only for URLs that can not have user information.
        let _ = url.set_password(None);
        if self.transport != Transport::Ssh {
            let _ = url.set_username("");
        }
        url.into()
    }

    /// Returns the user name and password of an https address, decoded.
    #[must_use]
    pub fn credentials(&self) -> Option<(String, String)> {
        if self.transport == Transport::Ssh || self.url.username().is_empty() {
            return None;
        }
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let password = self.url.password().unwrap_or_default();
        Some((decode(self.url.username()), decode(password)))
    }

    /// Returns scheme, host and port: what credentials are for.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}/", self.url.origin().ascii_serialization())
    }

    /// Returns the host's name.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.url.host_str()
    }

    /// Returns the folder of a file address.
    #[must_use]
    pub fn folder(&self) -> Option<PathBuf> {
        self.url.to_file_path().ok()
    }

    /// Returns what names the repository in the cache; credentials are no part of it.
    #[must_use]
    pub fn digest(&self) -> Sha256 {
        let address = self.address();
        Sha256::of(address.trim_end_matches('/').trim_end_matches(".git"))
    }

    /// Reads the address of a submodule of this repository, which may be relative to it. What the
    /// parent's author wrote may not reach further than the parent itself did: a local repository only
    /// from a local one, plain http only from http or a local one.
    ///
    /// # Errors
    /// If it is no address, or leads where a submodule may not lead.
    pub fn submodule(&self, text: &str) -> Result<Self, BadGitUrl> {
        let refused = |why: &str| BadGitUrl {
            text: shown_text(text),
            why: why.to_owned(),
        };
        let child = if text.starts_with("./") || text.starts_with("../") {
            Self::parse(
                &self
                    .relative(text)
                    .ok_or_else(|| refused("climbs too far"))?,
            )?
        } else if text.starts_with('/') && self.transport == Transport::File {
            let url = Url::from_file_path(text).map_err(|()| refused("is no path"))?;
            Self::parse(url.as_str())?
        } else if let Some(url) = from_scp(text) {
            Self::parse(&url)?
        } else {
            Self::parse(text)?
        };
        let allowed = match child.transport {
            Transport::Https | Transport::Ssh => true,
            Transport::Http => matches!(self.transport, Transport::Http | Transport::File),
            Transport::File => self.transport == Transport::File,
        };
        if allowed {
            Ok(child)
        } else {
            Err(refused(
                "leads into this machine, which a repository from elsewhere may not",
            ))
        }
    }

    /// Resolves `./` and `../` as git does: below the repository's own address. Credentials stay.
    fn relative(&self, text: &str) -> Option<String> {
        let mut base = self.url.as_str().trim_end_matches('/').to_owned();
        let root = base.len() - self.url.path().trim_end_matches('/').len();
        let mut rest = text;
        loop {
            if let Some(shorter) = rest.strip_prefix("./") {
                rest = shorter;
            } else if let Some(shorter) = rest.strip_prefix("../") {
                let cut = base.rfind('/').filter(|cut| *cut >= root)?;
                base.truncate(cut);
                rest = shorter;
            } else {
                break;
            }
        }
        Some(format!("{base}/{rest}"))
    }
}

impl std::fmt::Display for GitUrl {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "git+{}", shown_url(&self.url))
    }
}

impl std::fmt::Debug for GitUrl {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "GitUrl({self})")
    }
}

/// Returns what `user@host:path` stands for, which is how submodules are often written.
fn from_scp(text: &str) -> Option<String> {
    let (host, path) = text.split_once(':')?;
    let is_host = !host.is_empty() && !host.contains('/');
    let is_path = !path.is_empty() && !path.starts_with(':') && !path.starts_with("//");
    (is_host && is_path).then(|| format!("ssh://{host}/{}", path.trim_start_matches('/')))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// ssh takes host and user as words of its own command line.
fn check_ssh(url: &Url) -> Result<(), String> {
    let plain = |text: &str| {
        !text.starts_with('-')
            && text
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b"-._~[]:".contains(&c))
    };
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() || !plain(host) || !plain(url.username()) {
        return Err("has a host or user that ssh could take for something else".to_owned());
    }
    if url.password().is_some() {
        return Err("has a password; ssh takes keys".to_owned());
    }
    Ok(())
}

/// A branch, tag, full reference or commit, as somebody wrote it: never an option of git, never an
/// expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference(String);

/// The text is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the name of a branch, tag or commit: it {why}")]
pub struct BadReference {
    /// As written, neutralised.
    pub text: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Reference {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the commit, if it is the full name of one.
    #[must_use]
    pub fn full_commit(&self) -> Option<&str> {
        (self.0.len() == 40 && self.is_hexadecimal()).then_some(&self.0)
    }

    /// Whether it may be the beginning of a commit's name.
    #[must_use]
    pub fn is_hexadecimal(&self) -> bool {
        let lower = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        (4..=40).contains(&self.0.len()) && self.0.bytes().all(lower)
    }
}

impl FromStr for Reference {
    type Err = BadReference;

    /// Checks a reference by the rules of `git check-ref-format`, and some more.
    fn from_str(text: &str) -> Result<Self, BadReference> {
        let why = if text.is_empty() {
            "is empty"
        } else if text.len() > LONGEST_REFERENCE {
            "is too long"
        } else if text.starts_with('-') {
            "begins with a dash"
        } else if text
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c))
        {
            "has a character that no reference has"
        } else if text.contains("..") || text.contains("@{") || text.contains("//") {
            "is an expression"
        } else if text
            .split('/')
            .any(|part| part.is_empty() || part.starts_with('.') || part.ends_with(".lock"))
            || text.ends_with('.')
            || text == "@"
        {
            "has a part that no reference has"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(BadReference {
            text: printable(text),
            why,
        })
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&printable(&self.0))
    }
}

#[cfg(test)]
mod tests;
