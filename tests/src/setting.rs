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

/// One place to run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Who runs the program.
    pub identity: Identity,
    /// Whether it may make namespaces.
    pub namespaces: Namespaces,
}

impl Setting {
    /// The plainest setting: the caller on the host as it is.
    pub const PLAIN: Self = Self {
        identity: Identity::Caller,
        namespaces: Namespaces::Allowed,
    };

    /// As in a container: no namespaces.
    pub const DENIED: Self = Self {
        identity: Identity::Caller,
        namespaces: Namespaces::Denied,
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
                });
            } else {
                site.unrun
                    .note(&format!("user namespaces for uid {}", identity.uid()));
            }
            if python.landlock() >= 6 {
                settings.push(Self {
                    identity,
                    namespaces: Namespaces::Denied,
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

    /// Returns the level that the program must report here.
    #[must_use]
    pub fn level(self) -> Level {
        match self.namespaces {
            Namespaces::Allowed => Level::Ns,
            Namespaces::Denied => Level::Confined,
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "uid {}, {}", self.identity.uid(), self.level())
    }
}
