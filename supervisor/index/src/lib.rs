//! Ask: the client of package indexes.
//!
//! Pages, metadata and files come in here, bounded and checked; what to do with them is decided
//! elsewhere. The network is touched by this crate alone.

mod address;
mod body;
mod choose;
mod client;
mod credentials;
mod default_index;
mod document;
mod error;
mod file;
mod find_links;
mod format_control;
mod freshness;
mod html;
mod index_url;
mod json;
mod local;
mod page;
pub mod pip_configuration;
mod proxies;
mod redirect;
mod resolver;
mod retry;
mod settings;
mod store;
mod transport;

pub use choose::{Candidate, Choice, choose, left_out};
pub use client::Client;
pub use default_index::default_index;
pub use error::{BadIndexUrl, IndexError};
pub use file::{File, FileKind, MetadataFile, Page};
pub use find_links::FindLinks;
pub use format_control::{BadFormatControl, FormatControl};
pub use index_url::IndexUrl;
pub use pip_configuration::PipConfiguration;
pub use proxies::{BadProxy, Proxies};
pub use settings::ClientSettings;
