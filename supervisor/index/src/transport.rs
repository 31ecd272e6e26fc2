//! HTTP requests: redirects followed by hand, credentials for one origin only, guarded names.
//!
//! What answers mean is the business of `client.rs`; where a redirect may lead is in `redirect.rs`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Response, StatusCode};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use crate::address::is_private_literal;
use crate::clients::{Clients, Variant};
use crate::credentials::{Credentials, Netrc};
use crate::error::shown;
use crate::keyring::Answers;
use crate::redirect::{self, Reach};
use crate::resolver;
use crate::{ClientSettings, IndexError, IndexUrl, retry};

/// Requests at the same time, over all hosts.
const MOST_AT_ONCE: usize = 24;

/// Whose word a request goes back to: what the user configured.
#[derive(Clone, Debug)]
pub(crate) struct Configured {
    pub(crate) url: Url,
    pub(crate) credentials: Option<Credentials>,
}

impl Configured {
    /// An index is itself configured.
    pub(crate) fn index(index: &IndexUrl) -> Self {
        Self {
            url: index.url().clone(),
            credentials: index.credentials().cloned(),
        }
    }

    /// A URL that the user gave, whose user information is taken out.
    pub(crate) fn url(mut url: Url) -> Self {
        let credentials = Credentials::take(&mut url);
        Self { url, credentials }
    }
}

/// An answer and the URL that gave it after all redirects.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: Response,
    pub(crate) url: Url,
}

/// Sends requests.
pub(crate) struct Transport {
    pub(crate) settings: ClientSettings,
    clients: Clients,
    netrc: OnceLock<Netrc>,
    keyring: Answers,
    reaches: Mutex<HashMap<String, Reach>>,
    permits: Semaphore,
    requests: AtomicU64,
}

impl std::fmt::Debug for Transport {
    /// The HTTP library's clients would show the passwords of proxies.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Transport")
            .field("settings", &self.settings)
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}

impl Transport {
    pub(crate) fn new(settings: ClientSettings) -> Self {
        Self {
            settings,
            clients: Clients::default(),
            netrc: OnceLock::new(),
            keyring: Answers::default(),
            reaches: Mutex::default(),
            permits: Semaphore::new(MOST_AT_ONCE),
            requests: AtomicU64::new(0),
        }
    }

    /// Returns how many requests were sent, redirects and repetitions included.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Waits for a place among the requests of this moment.
    pub(crate) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so this always is a permit.
        self.permits.acquire().await.ok()
    }

    /// Waits before another attempt.
    ///
    /// # Errors
    /// The error itself if there should not be one.
    pub(crate) async fn pause(
        &self,
        attempt: &mut u32,
        error: IndexError,
    ) -> Result<(), IndexError> {
        let Some(pause) = retry::pause(*attempt, self.settings.retries, &error) else {
            return Err(error);
        };
        tracing::debug!(%error, attempt, "trying again");
        *attempt += 1;
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Gets a URL, following redirects; `from` is what the user configured.
    pub(crate) async fn get(
        &self,
        url: &Url,
        from: &Configured,
        headers: &HeaderMap,
    ) -> Result<Answer, IndexError> {
        let mut url = url.clone();
        if url.origin() != from.url.origin() {
            redirect::check(&from.url, &url, self.reach(&from.url).await)
                .map_err(|why| refused(&from.url, shown(&url), why))?;
        }
        for _ in 0..=redirect::MOST {
            let response = self.send(&url, from, headers).await?;
            let Some(location) = location(&response) else {
                return Ok(Answer { response, url });
            };
            let reach = self.reach(&from.url).await;
            url = redirect::follow(&url, &location, reach)
                .map_err(|(to, why)| refused(&url, to, why))?;
        }
        Err(refused(
            &from.url,
            shown(&url),
            "there are too many redirects",
        ))
    }

    async fn send(
        &self,
        url: &Url,
        from: &Configured,
        headers: &HeaderMap,
    ) -> Result<Response, IndexError> {
        let own = url.origin() == from.url.origin();
        let variant = Variant {
            reach: if own {
                Reach::Anywhere
            } else {
                self.reach(&from.url).await
            },
            unchecked: self.is_trusted(url),
            plain: url.scheme() == "http" && self.settings.proxy.is_none(),
        };
        let request = async |credentials: Option<&Credentials>| {
            let client = self.clients.get(variant, &self.settings)?;
            let mut request = client.get(url.clone()).headers(headers.clone());
            if let Some(credentials) = credentials {
                request = request.basic_auth(credentials.username(), credentials.password());
            }
            self.requests.fetch_add(1, Ordering::Relaxed);
            let response = request.send().await;
            response.map_err(|error| IndexError::transport(url, error))
        };
        let known = self.credentials(from).filter(|_| own);
        let has_password = |known: &Credentials| known.password().is_some();
        let response = request(known.as_ref()).await?;
        match &self.settings.keyring {
            Some(keyring)
                if own
                    && matches!(response.status().as_u16(), 401 | 403)
                    && !known.as_ref().is_some_and(has_password) =>
            {
                let username = known.as_ref().map(Credentials::username);
                let answer = self.keyring.ask(keyring, &from.url, username).await;
                let credentials = answer.map_err(|why| IndexError::Keyring {
                    url: shown(url),
                    status: response.status().as_u16(),
                    why,
                })?;
                request(Some(&credentials)).await
            }
            _ => Ok(response),
        }
    }

    /// Returns what the netrc file says of a host by its name.
    pub(crate) fn netrc(&self, host: &str) -> Option<Credentials> {
        let path = self.settings.netrc.as_deref()?;
        self.netrc
            .get_or_init(|| Netrc::read(path))
            .find_named(host)
    }

    /// Whether credentials for a place are known.
    pub(crate) fn has_login(&self, from: &Configured) -> bool {
        self.credentials(from).is_some()
    }

    fn credentials(&self, from: &Configured) -> Option<Credentials> {
        let own = from.credentials.as_ref();
        if own.is_some_and(|own| own.password().is_some()) {
            return own.cloned();
        }
        let in_netrc = || {
            let path = self.settings.netrc.as_deref()?;
            let host = from.url.host_str()?;
            self.netrc.get_or_init(|| Netrc::read(path)).find(host)
        };
        let found = match own {
            Some(_) => None,
            None => in_netrc(),
        };
        let in_keyring = || {
            self.settings.keyring.as_ref()?;
            let username = own.map(Credentials::username);
            self.keyring.known(&from.url, username)
        };
        found.or_else(in_keyring).or_else(|| own.cloned())
    }

    /// Returns where a configured host may lead. A name is private if all its addresses are.
    pub(crate) async fn reach(&self, configured: &Url) -> Reach {
        if let Some(private) = is_private_literal(configured) {
            return Reach::of(private);
        }
        let Some(host) = configured
            .host_str()
            .filter(|_| configured.scheme() != "file")
        else {
            return Reach::Anywhere;
        };
        let known = |map: &Mutex<HashMap<String, Reach>>| {
            let map = map.lock().unwrap_or_else(PoisonError::into_inner);
            map.get(host).copied()
        };
        if let Some(reach) = known(&self.reaches) {
            return reach;
        }
        // Where only a proxy can resolve names, this may take as long as it likes.
        let patience = self.settings.connect_timeout;
        let asked = tokio::time::timeout(patience, resolver::is_private_host(host)).await;
        let reach = Reach::of(asked.unwrap_or(false));
        let mut map = self.reaches.lock().unwrap_or_else(PoisonError::into_inner);
        // The first answer stands: a host can not become private later to lead inside.
        *map.entry(host.to_owned()).or_insert(reach)
    }

    fn is_trusted(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else {
            return false;
        };
        let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
        let trusted = &self.settings.trusted_hosts;
        trusted
            .iter()
            .any(|entry| entry.eq_ignore_ascii_case(host) || entry.eq_ignore_ascii_case(&with_port))
    }
}

fn refused(from: &Url, to: String, why: &'static str) -> IndexError {
    IndexError::Redirect {
        from: shown(from),
        to,
        why,
    }
}

fn location(response: &Response) -> Option<String> {
    let redirects = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    let location = response.headers().get(LOCATION)?;
    redirects
        .contains(&response.status())
        .then(|| String::from_utf8_lossy(location.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use model::Code;

    use super::*;

    fn configured(url: &str) -> Configured {
        Configured::url(Url::parse(url).expect(url))
    }

    #[tokio::test]
    async fn a_name_that_a_public_host_led_to_is_resolved_with_a_guard() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        listener.set_nonblocking(true).expect("set");
        let transport = Transport::new(ClientSettings::default());
        let inside = Url::parse(&format!("http://localhost:{port}/")).expect("a URL");
        let public = configured("http://192.0.2.1/simple");
        let error = transport
            .send(&inside, &public, &HeaderMap::new())
            .await
            .expect_err("refused");
        assert!(
            matches!(error, IndexError::PrivateAddress { .. }),
            "{error:?}"
        );
        assert_eq!(error.code(), Code::Redirect);
        assert!(listener.accept().is_err(), "a connection was made");
    }

    #[tokio::test]
    async fn hosts_are_private_by_their_addresses() {
        let transport = Transport::new(ClientSettings::default());
        let reach = async |url: &str| transport.reach(&configured(url).url).await;
        assert_eq!(reach("http://127.0.0.1/").await, Reach::Anywhere);
        assert_eq!(reach("http://localhost/").await, Reach::Anywhere);
        assert_eq!(reach("file:///srv").await, Reach::Anywhere);
        assert_eq!(reach("https://192.0.2.1/").await, Reach::PublicOnly);
        assert_eq!(reach("https://none.invalid/").await, Reach::PublicOnly);
    }

    #[test]
    fn trusted_hosts_are_named_with_or_without_port() {
        let trusted_hosts = vec!["A.invalid".to_owned(), "b.invalid:8443".to_owned()];
        let transport = Transport::new(ClientSettings {
            trusted_hosts,
            ..ClientSettings::default()
        });
        let trusts = |url: &str| transport.is_trusted(&Url::parse(url).expect(url));
        assert!(trusts("https://a.invalid/x"));
        assert!(trusts("https://a.invalid:99/x"));
        assert!(trusts("https://b.invalid:8443/x"));
        assert!(!trusts("https://b.invalid/x"));
        assert!(!trusts("https://sub.a.invalid/x"));
    }
}
