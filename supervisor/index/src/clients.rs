//! The clients of the HTTP library: one for each way of being careful, made when first needed.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use reqwest::Client;
use reqwest::tls::{Certificate, Identity};

use crate::local::local;
use crate::redirect::Reach;
use crate::resolver::PublicOnly;
use crate::{ClientSettings, IndexError, Proxies};

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) reach: Reach,
    /// The host's certificate is not asked for.
    pub(crate) unchecked: bool,
    /// There is no certificate to check, so none of the system's is loaded: that takes longer than all else that a run
    /// served by the cache has to do.
    pub(crate) plain: bool,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Clients {
    made: [OnceLock<Client>; 8],
    making: Mutex<()>,
}

impl Clients {
    /// Returns the one for `variant`.
    pub(crate) fn get(
        &self,
        variant: Variant,
        settings: &ClientSettings,
    ) -> Result<&Client, IndexError> {
        let place = usize::from(variant.plain) * 4
            + usize::from(variant.reach == Reach::PublicOnly) * 2
            + usize::from(variant.unchecked);
        let cell = &self.made[place];
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        // Who comes meanwhile waits: making it twice would take twice as long.
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let client = make(variant, settings)?;
        Ok(cell.get_or_init(|| client))
    }
}

fn make(variant: Variant, settings: &ClientSettings) -> Result<Client, IndexError> {
    let own = match &settings.ca_file {
        Some(path) => certificates(path)?,
        None => Vec::new(),
    };
    let without = |own: Vec<Certificate>| {
        let client = builder(variant, settings)?.tls_certs_only(own).build();
        client.map_err(setup("certificates"))
    };
    // A bundle that somebody gave is looked at all the same: it may be broken.
    if variant.plain {
        return without(own);
    }
    let client = builder(variant, settings)?.tls_certs_merge(own.clone());
    match client.build() {
        Ok(client) => Ok(client),
        // A container without any certificates can still use a plain or local index; https
        // then fails with its own words.
        Err(error) if own.is_empty() => {
            tracing::debug!(%error, "the system has no certificates");
            without(own)
        }
        Err(error) => Err(setup("certificates")(error)),
    }
}

fn builder(
    variant: Variant,
    settings: &ClientSettings,
) -> Result<reqwest::ClientBuilder, IndexError> {
    let mut builder = Client::builder()
        .user_agent(concat!("fumehood/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // Undone by hand: a file must arrive as the bytes that its digest is of.
        .gzip(false)
        .no_proxy()
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.read_timeout)
        .tls_danger_accept_invalid_certs(variant.unchecked);
    let proxies = settings.proxy.as_ref().map(Proxies::rules).transpose();
    for proxy in proxies.map_err(setup("proxy"))?.into_iter().flatten() {
        builder = builder.proxy(proxy);
    }
    if let Some(path) = &settings.client_cert {
        builder = builder.identity(identity(path)?);
    }
    if variant.reach == Reach::PublicOnly {
        let hosts = settings
            .proxy
            .as_ref()
            .map(|proxies| proxies.hosts().collect());
        let exempt: HashSet<String> = hosts.unwrap_or_default();
        builder = builder.dns_resolver(Arc::new(PublicOnly { exempt }));
    }
    Ok(builder)
}

fn setup(what: &str) -> impl Fn(reqwest::Error) -> IndexError + use<'_> {
    move |source| IndexError::Setup {
        what: what.to_owned(),
        source: source.without_url(),
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, IndexError> {
    let pem = std::fs::read(path).map_err(|error| local(path, error))?;
    let what = path.display().to_string();
    Certificate::from_pem_bundle(&pem).map_err(setup(&what))
}

fn identity(path: &Path) -> Result<Identity, IndexError> {
    let pem = std::fs::read(path).map_err(|error| local(path, error))?;
    let what = path.display().to_string();
    Identity::from_pem(&pem).map_err(setup(&what))
}
