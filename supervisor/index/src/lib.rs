//! Ask: the client of package indexes.
//!
//! Pages, metadata and files come in here, bounded and checked; what to do with them is decided
//! elsewhere. The network is touched by this crate alone.

mod address;
mod body;
mod cache_control;
mod choose;
mod client;
mod clients;
mod credentials;
mod default_index;
mod document;
mod error;
mod file;
mod find_links;
mod flights;
mod format_control;
mod freshness;
mod html;
mod index_url;
mod json;
mod keyring;
mod local;
mod mapped;
mod named;
mod page;
pub mod pip_configuration;
mod proxies;
mod redirect;
mod refresh;
mod resolver;
mod retry;
mod settings;
mod store;
mod transport;

pub use cache_control::{BadCacheControl, CacheControl};
pub use choose::{Candidate, Choice, choose, left_out};
pub use client::{Client, Fetched};
pub use default_index::default_index;
pub use error::{BadIndexUrl, IndexError};
pub use file::{File, FileKind, MetadataFile, Page};
pub use find_links::FindLinks;
pub use format_control::{BadFormatControl, FormatControl};
pub use freshness::Freshness;
pub use index_url::IndexUrl;
pub use keyring::Keyring;
pub use mapped::Mapped;
pub use named::{NamedFile, file_url};
pub use page::{PageForm, read_page};
pub use pip_configuration::PipConfiguration;
pub use proxies::{BadProxy, Proxies};
pub use refresh::Refresh;
pub use settings::ClientSettings;
pub use store::check_page;
