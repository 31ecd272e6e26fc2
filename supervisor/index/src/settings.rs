//! What the client is told. Nothing here is read from the environment; that is done once, elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use crate::{CacheControl, Keyring, Proxies, Refresh};

/// Settings of a client; `Default` has the usual limits, no credentials and no proxy.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Send nothing; use what the cache has, also when it is stale.
    pub offline: bool,
    /// What is asked about again, whatever its age.
    pub refresh: Refresh,
    /// What counts in place of the `Cache-Control` of an index; the first that fits.
    pub cache_control: Vec<CacheControl>,
    /// A netrc file to take credentials from.
    pub netrc: Option<PathBuf>,
    /// The program to ask for a login that nothing else has.
    pub keyring: Option<Keyring>,
    /// Proxies of the environment or of pip's configuration.
    pub proxy: Option<Proxies>,
    /// A PEM bundle of certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// A PEM file with a certificate and its key, to show to servers that ask.
    pub client_cert: Option<PathBuf>,
    /// For making a connection.
    pub connect_timeout: Duration,
    /// For the head of an answer, and then for each piece of it.
    pub read_timeout: Duration,
    /// Attempts after the first.
    pub retries: u32,
    /// `HOST` or `HOST:PORT` whose certificates are not checked (pip's trusted-host).
    pub trusted_hosts: Vec<String>,
    /// Bytes of a page, also after decompression.
    pub max_page_bytes: u64,
    /// Bytes of a file.
    pub max_file_bytes: u64,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            offline: false,
            refresh: Refresh::default(),
            cache_control: Vec::new(),
            netrc: None,
            keyring: None,
            proxy: None,
            ca_file: None,
            client_cert: None,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            retries: 3,
            trusted_hosts: Vec::new(),
            max_page_bytes: 64 * 1024 * 1024,
            max_file_bytes: 4 * 1024 * 1024 * 1024,
        }
    }
}
