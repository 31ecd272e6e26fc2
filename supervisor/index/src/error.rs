//! What can go wrong with an index, with codes. No text here ever holds credentials or a query.

use std::io;
use std::path::PathBuf;

use cache::CacheError;
use model::{Code, Sha256};
use url::Url;

/// The text is not the address of an index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the address of a package index: {why}")]
pub struct BadIndexUrl {
    /// What was given, without credentials.
    pub text: String,
    /// Why, in words.
    pub why: String,
}

/// Asking an index failed.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The address is not one.
    #[error(transparent)]
    Address(#[from] BadIndexUrl),
    /// No index is known.
    #[error("no package index is known: name one with --default-index URL")]
    NoIndex,
    /// The server answered with a status that is no success.
    #[error("`{url}` answered with status {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server wants credentials, or others.
    #[error("`{url}` wants credentials (status {status})")]
    Unauthorized {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server wants credentials, and the program that was asked for them has none.
    #[error("`{url}` wants credentials (status {status}), and {why}")]
    Keyring {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// Why, in words.
        why: String,
    },
    /// The connection could not be made, or broke.
    #[error("`{url}` could not be fetched")]
    Transport {
        /// What was asked for.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The server did not go on within the time-out, or at a crawl.
    #[error("`{url}` did not answer in time")]
    TimedOut {
        /// What was asked for.
        url: String,
    },
    /// The answer is larger than it may be.
    #[error("the answer of `{url}` is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// The limit in bytes.
        limit: u64,
        /// Whether it is a page, not a file.
        page: bool,
    },
    /// The answer is not a project page.
    #[error("the answer of `{url}` is not a project page: {why}")]
    BadPage {
        /// What was asked for.
        url: String,
        /// Why, in words.
        why: String,
    },
    /// A redirect or a link leads where it must not.
    #[error("the way from `{from}` to `{to}` was refused: {why}")]
    Redirect {
        /// Who sent us.
        from: String,
        /// Where to.
        to: String,
        /// Why, in words.
        why: &'static str,
    },
    /// A public host's link leads to a name that stands for private addresses only.
    #[error(
        "`{url}` was refused: its host has private addresses only, and a public host led there"
    )]
    PrivateAddress {
        /// What was asked for.
        url: String,
    },
    /// The network is off and the cache does not have it.
    #[error("`{url}` is not in the cache and the network is off")]
    Offline {
        /// What was asked for.
        url: String,
    },
    /// The bytes are not those that were promised.
    #[error("the bytes of `{url}` have the digest {found}, not {expected}")]
    HashMismatch {
        /// What was asked for.
        url: String,
        /// The SHA-256 that was promised.
        expected: Box<Sha256>,
        /// The SHA-256 of what came.
        found: Box<Sha256>,
    },
    /// The bytes are not those that the index promises.
    #[error("the bytes of `{url}` have the digest {found}, and the index promises {expected}")]
    Lied {
        /// What was asked for.
        url: String,
        /// The SHA-256 that the index promises.
        expected: Box<Sha256>,
        /// The SHA-256 of what came.
        found: Box<Sha256>,
    },
    /// There are more or fewer bytes than were promised.
    #[error("`{url}` has {found} bytes, not {expected}")]
    SizeMismatch {
        /// What was asked for.
        url: String,
        /// Bytes promised.
        expected: u64,
        /// Bytes that came.
        found: u64,
    },
    /// A file of a local index, or a file with certificates, can not be read.
    #[error("could not read `{}`", path.display())]
    Local {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The HTTP client can not be made: certificates or proxies do not fit.
    #[error("the network client can not be set up ({what})")]
    Setup {
        /// What was being set up.
        what: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// A thread of this program ended while it was reading or writing.
    #[error("a task of fumehood ended early")]
    Lost {
        /// Why.
        #[source]
        source: tokio::task::JoinError,
    },
}

impl IndexError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Address(_) | Self::Setup { .. } => Code::BadFlag,
            Self::NoIndex => Code::NoIndex,
            Self::Status { .. } => Code::HttpStatus,
            Self::Unauthorized { .. } | Self::Keyring { .. } => Code::Unauthorized,
            Self::Transport { .. } | Self::TimedOut { .. } => Code::Transport,
            Self::TooLarge { page: false, .. } => Code::BadArchive,
            Self::TooLarge { .. } | Self::BadPage { .. } => Code::BadPage,
            Self::Redirect { .. } | Self::PrivateAddress { .. } => Code::Redirect,
            Self::Offline { .. } => Code::Offline,
            Self::HashMismatch { .. } | Self::SizeMismatch { .. } => Code::HashMismatch,
            Self::Lied { .. } => Code::IndexLied,
            Self::Local { .. } => Code::Io,
            Self::Cache(error) => error.code(),
            Self::Lost { .. } => Code::Bug,
        }
    }

    /// The same about a digest that an index promised.
    pub(crate) fn of_a_promise(self) -> Self {
        match self {
            Self::HashMismatch {
                url,
                expected,
                found,
            } => Self::Lied {
                url,
                expected,
                found,
            },
            other => other,
        }
    }

    /// Wraps an error of the HTTP library, whose own text would show the whole URL.
    pub(crate) fn transport(url: &Url, source: reqwest::Error) -> Self {
        let url = shown(url);
        if crate::resolver::is_private_answer(&source) {
            Self::PrivateAddress { url }
        } else if source.is_timeout() {
            Self::TimedOut { url }
        } else {
            Self::Transport {
                url,
                source: source.without_url(),
            }
        }
    }
}

/// Returns a URL as messages show it: no user information, no query (signatures), no fragment.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    model::lenient::without_credentials(url.as_str())
}
