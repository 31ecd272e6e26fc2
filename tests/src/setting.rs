//! Where a build runs: as whom, and whether the host gives namespaces.

use std::fmt;

use protocol::Level;

use crate::site::Site;

/// The uid that a suite run by root also takes.
const NOBODY: u32 = 65534;

/// Who runs the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Whoever runs the suite.
    Caller,
    /// An unprivileged user; only root can become one.
    Unprivileged,
}

impl Identity {
    /// Returns the uid to change to, or nothing for the caller.
    #[must_use]
    pub fn other_uid(self) -> Option<u32> {
        match self {
            Self::Caller => None,
            Self::Unprivileged => Some(NOBODY),
        }
    }

    /// Returns the uid under which the program runs.
    #[must_use]
    pub fn uid(self) -> u32 {
        self.other_uid()
            .unwrap_or_else(|| nix::unistd::geteuid().as_raw())
    }
}

/// Whether the program may make namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// As the host has it.
    Allowed,
    /// Refused by a filter around the program, as in a container.
    Denied,
}

/// What else the host lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// Nothing.
    Nothing,
    /// Landlock's scopes: the worker is a build of it that takes no more than ABI 5.
    Scopes,
    /// Landlock, refused by a filter around the program.
    Landlock,
    /// Listeners of filters, refused by a filter around the program.
    Listener,
    /// A listener for the program: the filter around it has one already.
    FreeListener,
}

/// One place to run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Who runs the program.
    pub identity: Identity,
    /// Whether it may make namespaces.
    pub namespaces: Namespaces,
    /// What else is missing.
    pub lacking: Lacking,
}

impl Setting {
    /// The plainest setting: the caller on the host as it is.
    pub const PLAIN: Self = Self {
        identity: Identity::Caller,
        namespaces: Namespaces::Allowed,
        lacking: Lacking::Nothing,
    };

    /// As in a container: no namespaces.
    pub const DENIED: Self = Self {
        identity: Identity::Caller,
        namespaces: Namespaces::Denied,
        lacking: Lacking::Nothing,
    };

    /// Lists the settings that this host has; each that is missing is noted as not run.
    #[must_use]
    pub fn all(site: &Site) -> Vec<Self> {
        let mut settings = Vec::new();
        let root = Identity::Caller.uid() == 0;
        for identity in [Identity::Caller, Identity::Unprivileged] {
            if identity == Identity::Unprivileged && !root {
                continue;
            }
            let Some(python) = site.find_python(identity) else {
                site.unrun
                    .note(&format!("a python3 that uid {} can start", identity.uid()));
                continue;
            };
            if identity.uid() == 0 || python.can("user namespaces") {
                settings.push(Self {
                    identity,
                    namespaces: Namespaces::Allowed,
                    lacking: Lacking::Nothing,
                });
            } else {
                site.unrun
                    .note(&format!("user namespaces for uid {}", identity.uid()));
            }
            if python.landlock() >= 6 {
                settings.push(Self {
                    identity,
                    namespaces: Namespaces::Denied,
                    lacking: Lacking::Nothing,
                });
            } else {
                site.unrun.note(&format!(
                    "Landlock ABI 6, this kernel has {}",
                    python.landlock()
                ));
            }
        }
        settings
    }

    /// Lists what hosts of lower levels are like, for the least privileged identity that this host has.
    #[must_use]
    pub fn lower(site: &Site) -> Vec<Self> {
        let all = Self::all(site);
        let with = |namespaces, lacking| {
            let whole = all
                .iter()
                .rfind(|setting| setting.namespaces == namespaces)?;
            Some(Self { lacking, ..*whole })
        };
        [
            with(Namespaces::Denied, Lacking::Listener),
            with(Namespaces::Denied, Lacking::Scopes),
            with(Namespaces::Allowed, Lacking::Landlock),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Returns the same setting for whoever runs the suite.
    #[must_use]
    pub fn of_caller(self) -> Self {
        Self {
            identity: Identity::Caller,
            ..self
        }
    }

    /// Returns the level that the program must report here.
    #[must_use]
    pub fn level(self) -> Level {
        match (self.namespaces, self.lacking) {
            (Namespaces::Allowed, Lacking::Landlock) => Level::NsOnly,
            (Namespaces::Allowed, _) => Level::Ns,
            (Namespaces::Denied, Lacking::Landlock) => Level::None,
            (Namespaces::Denied, Lacking::Scopes) => Level::Reduced,
            // Nothing holds the metadata of what root owns.
            (Namespaces::Denied, Lacking::Listener | Lacking::FreeListener)
                if self.identity.uid() == 0 =>
            {
                Level::Reduced
            }
            (Namespaces::Denied, _) => Level::Confined,
        }
    }

    /// Whether something keeps builds from changing the metadata of foreign files here.
    #[must_use]
    pub fn holds_metadata(self) -> bool {
        self.namespaces == Namespaces::Allowed
            || !matches!(self.lacking, Lacking::Listener | Lacking::FreeListener)
    }

    /// Names what `scripts/deny.py` shall refuse, nothing where the host is as it is.
    pub(crate) fn denied(self) -> Option<String> {
        let namespaces = (self.namespaces == Namespaces::Denied).then_some("namespaces");
        let more = match self.lacking {
            Lacking::Nothing | Lacking::Scopes => None,
            Lacking::Landlock => Some("landlock"),
            Lacking::Listener => Some("listener"),
            Lacking::FreeListener => Some("another-listener"),
        };
        let words: Vec<_> = namespaces.into_iter().chain(more).collect();
        (!words.is_empty()).then(|| words.join(","))
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "uid {}, {}", self.identity.uid(), self.level())?;
        match self.lacking {
            Lacking::Nothing => Ok(()),
            lacking => write!(out, " without {lacking:?}"),
        }
    }
}
