//! What git commands are run with, and how those that fetch reach others.

use cache::Cache;
use index::Proxies;
use sources::GitUrl;

use super::credentials::Login;
use crate::executor::Floor;
use crate::local::LocalExecutor;
use crate::settings::Settings;

/// What git is run with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Means<'a> {
    /// Where its scratch is made.
    pub(super) cache: &'a Cache,
    /// What runs it.
    pub(super) executor: &'a LocalExecutor,
    /// The least isolation that is accepted.
    pub(super) floor: &'a Floor,
}

impl<'a> Means<'a> {
    /// Those of a pipeline.
    pub(super) fn of(settings: &'a Settings) -> Self {
        Self {
            cache: &settings.cache,
            executor: &settings.executor,
            floor: &settings.floor,
        }
    }
}

/// Whom a command talks to, and how a pipeline reaches others.
#[derive(Clone, Debug)]
pub(super) struct Remote<'a> {
    /// The address.
    pub(super) url: GitUrl,
    /// Proxies, logins, certificates, keys.
    pub(super) settings: &'a Settings,
}

impl Remote<'_> {
    /// The login that it has for the address.
    pub(super) fn login(&self) -> Option<Login> {
        Login::of(&self.url, &self.settings.client)
    }

    /// The proxies that were named.
    pub(super) fn proxies(&self) -> Option<&Proxies> {
        self.settings.client.settings().proxy.as_ref()
    }
}
