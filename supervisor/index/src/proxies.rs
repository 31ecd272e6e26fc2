//! HTTP proxies, from a snapshot of the environment or from pip's configuration.

use std::collections::BTreeMap;

use url::Url;

/// A variable that names a proxy does not hold a URL that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin} does not name an HTTP proxy: {why}")]
pub struct BadProxy {
    /// The variable or key; its value may hold a password and is not shown.
    pub origin: String,
    /// Why, in words.
    pub why: String,
}

/// Proxies by the scheme of what is fetched. Its `Debug` shows no user information.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    http: Option<Url>,
    https: Option<Url>,
    /// Hosts to reach without a proxy, as in `NO_PROXY`.
    no_proxy: Option<String>,
}

impl Proxies {
    /// Reads `http_proxy`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`; lower case wins.
    ///
    /// # Errors
    /// If one of them is not the URL of an HTTP proxy.
    pub fn from_environment(variables: &BTreeMap<String, String>) -> Result<Self, BadProxy> {
        let get = |names: &[&str]| {
            names.iter().find_map(|name| {
                let value = variables.get(*name)?.trim();
                (!value.is_empty()).then(|| ((*name).to_owned(), value.to_owned()))
            })
        };
        // A CGI server hands over a header `Proxy:` as HTTP_PROXY: there it is a stranger's word.
        let http: &[&str] = if variables.contains_key("REQUEST_METHOD") {
            &["http_proxy", "all_proxy"]
        } else {
            &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        };
        let https = &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
        let read = |found: Option<(String, String)>| {
            found
                .map(|(name, value)| address(&name, &value))
                .transpose()
        };
        Ok(Self {
            http: read(get(http))?,
            https: read(get(https))?,
            no_proxy: get(&["no_proxy", "NO_PROXY"]).map(|(_, value)| value),
        })
    }

    /// Uses one proxy for everything, as pip's `proxy` does; `NO_PROXY` stays in force.
    ///
    /// # Errors
    /// If it is not the URL of an HTTP proxy.
    pub fn with_all(self, origin: &str, proxy: &str) -> Result<Self, BadProxy> {
        let url = address(origin, proxy)?;
        Ok(Self {
            http: Some(url.clone()),
            https: Some(url),
            ..self
        })
    }

    /// Returns whether no proxy is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.http.is_none() && self.https.is_none()
    }

    /// Returns the variables that tell them to another program, passwords and all.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let url = |url: &Option<Url>| url.as_ref().map(ToString::to_string);
        let said = [
            ("http_proxy", url(&self.http)),
            ("https_proxy", url(&self.https)),
            ("no_proxy", self.no_proxy.clone()),
        ];
        let said = said.into_iter();
        said.filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// Returns the passwords in their addresses, as they stand there and as they are meant.
    #[must_use]
    pub fn passwords(&self) -> Vec<String> {
        let written = [&self.http, &self.https].into_iter().flatten();
        let written = written.filter_map(|url| url.password());
        let both = written.flat_map(|text| {
            let meant = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
            [text.to_owned(), meant.into_owned()]
        });
        both.collect()
    }

    /// Returns the hosts of the proxies themselves.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = String> {
        let urls = [&self.http, &self.https];
        urls.into_iter()
            .flatten()
            .filter_map(|url| url.host_str().map(str::to_ascii_lowercase))
    }

    /// Returns the proxies as the HTTP library wants them.
    pub(crate) fn rules(&self) -> reqwest::Result<Vec<reqwest::Proxy>> {
        let except = || {
            self.no_proxy
                .as_deref()
                .and_then(reqwest::NoProxy::from_string)
        };
        let http = self.http.clone().map(reqwest::Proxy::http);
        let https = self.https.clone().map(reqwest::Proxy::https);
        [http, https]
            .into_iter()
            .flatten()
            .map(|proxy| proxy.map(|proxy| proxy.no_proxy(except())))
            .collect()
    }
}

fn address(origin: &str, value: &str) -> Result<Url, BadProxy> {
    let bad = |why: &str| BadProxy {
        origin: origin.to_owned(),
        why: why.to_owned(),
    };
    let text = if value.contains("://") {
        value.to_owned()
    } else {
        format!("http://{value}")
    };
    let url = Url::parse(&text).map_err(|error| bad(&error.to_string()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(bad("only http and https proxies are known")),
    }
}

impl std::fmt::Debug for Proxies {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |url: &Option<Url>| url.as_ref().map(crate::error::shown);
        out.debug_struct("Proxies")
            .field("http", &shown(&self.http))
            .field("https", &shown(&self.https))
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Proxies, BadProxy> {
        let variables = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Proxies::from_environment(&variables)
    }

    #[test]
    fn variables_are_read_and_secrets_not_shown() {
        let proxies = read(&[
            ("HTTP_PROXY", "http://me:secret@proxy.invalid:3128"),
            ("https_proxy", "proxy2.invalid:3128"),
            ("HTTPS_PROXY", "ignored.invalid"),
            ("NO_PROXY", "127.0.0.1"),
        ])
        .expect("proxies");
        let hosts: Vec<String> = proxies.hosts().collect();
        assert_eq!(hosts, ["proxy.invalid", "proxy2.invalid"]);
        assert!(!format!("{proxies:?}").contains("secret"));
        assert_eq!(proxies.rules().expect("rules").len(), 2);
        assert!(read(&[("ALL_PROXY", "")]).expect("none").is_empty());
    }

    #[test]
    fn a_cgi_request_can_not_set_the_proxy() {
        let proxies = read(&[
            ("HTTP_PROXY", "http://a.invalid"),
            ("REQUEST_METHOD", "GET"),
        ]);
        assert!(proxies.expect("ok").is_empty());
    }

    #[test]
    fn other_proxies_are_refused_by_name() {
        let error = read(&[("all_proxy", "socks5://me:secret@a.invalid")]).expect_err("refused");
        assert!(error.to_string().contains("all_proxy"));
        assert!(!error.to_string().contains("secret"));
        assert!(Proxies::default().with_all("pip", "http://").is_err());
    }
}
