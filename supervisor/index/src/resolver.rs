//! Name resolution for hosts that a public host led to: private answers are dropped.
//!
//! It is asked when a connection is made, so an answer can not change between check and use. Where
//! an HTTP proxy is in between, the proxy resolves and this can not help.

use std::collections::HashSet;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::is_private;

/// A name stands for private addresses only.
#[derive(Debug, thiserror::Error)]
#[error("the name has private addresses only")]
struct PrivateAnswer;

/// Resolves names as the system does and drops private answers.
#[derive(Debug)]
pub(crate) struct PublicOnly {
    /// Proxies, which the user named and which are private more often than not.
    pub(crate) exempt: HashSet<String>,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let exempt = self.exempt.contains(&host.to_ascii_lowercase());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            let kept = if exempt { found } else { public(found)? };
            Ok(Box::new(kept.into_iter()) as Addrs)
        })
    }
}

fn public(found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, PrivateAnswer> {
    let any = !found.is_empty();
    let kept: Vec<SocketAddr> = found
        .into_iter()
        .filter(|address| !is_private(address.ip()))
        .collect();
    if any && kept.is_empty() {
        return Err(PrivateAnswer);
    }
    Ok(kept)
}

/// Returns whether every address of a host is private; false if it can not be resolved.
pub(crate) async fn is_private_host(host: &str) -> bool {
    let Ok(found) = tokio::net::lookup_host((host, 0)).await else {
        return false;
    };
    public(found.collect()).is_err()
}

/// Returns whether a failure of the HTTP library is our own refusal.
pub(crate) fn is_private_answer(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<PrivateAnswer>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter()
            .map(|ip| SocketAddr::new(ip.parse().expect(ip), 0))
            .collect()
    }

    #[test]
    fn private_answers_are_dropped_and_only_private_ones_refused() {
        let mixed = public(addresses(&["10.0.0.1", "192.0.2.1"])).expect("one is public");
        assert_eq!(mixed, addresses(&["192.0.2.1"]));
        assert!(public(addresses(&["127.0.0.1", "::1", "fd00::1"])).is_err());
        assert!(public(Vec::new()).expect("nothing").is_empty());
    }

    #[tokio::test]
    async fn a_real_connection_to_a_private_name_is_refused() {
        let guarded = reqwest::Client::builder()
            .no_proxy()
            .dns_resolver(std::sync::Arc::new(PublicOnly {
                exempt: HashSet::new(),
            }))
            .build()
            .expect("a client");
        let error = guarded
            .get("http://localhost:9/")
            .send()
            .await
            .expect_err("refused");
        assert!(is_private_answer(&error), "{error:?}");
        assert!(is_private_host("localhost").await);
    }
}
