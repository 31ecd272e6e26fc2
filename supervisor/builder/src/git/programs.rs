//! What git is on this host: its programs, the files of the system that it reads, and settings that
//! leave it nothing to run, ask or remember. Not here: running it.

use std::path::{Path, PathBuf};

use protocol::{AbsPath, Access, PathGrant};
use sources::Transport;

use super::error::GitError;
use crate::error::BuildError;

/// Where programs of the system lie; a folder that a user put on PATH is none of them.
const FOLDERS: [&str; 6] = [
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
    "/run/current-system/sw/bin",
    "/run/current-system/profile/bin",
    "/home/linuxbrew/.linuxbrew/bin",
];
/// Libraries, and what they read. Read, not executed: mapping a library needs no more.
const LIBRARIES: [&str; 8] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/nix/store",
    "/gnu/store",
];
/// The programs that start programs.
const LOADERS: [&str; 6] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
    "/nix/store",
    "/gnu/store",
];
/// How names become addresses, and whose certificates are trusted.
const NETWORK: [&str; 16] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/gnutls",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/share/crypto-policies",
    "/run/systemd/resolve",
];
/// The programs.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    /// git itself, links resolved.
    pub(super) git: PathBuf,
    /// The folder of its parts.
    pub(super) parts: PathBuf,
}

impl Programs {
    /// Finds git.
    pub(super) fn find() -> Result<Self, GitError> {
        FOLDERS
            .iter()
            .filter_map(|folder| Path::new(folder).join("git").canonicalize().ok())
            .find_map(|git| {
                let prefix = git.parent()?.parent()?;
                let parts = ["libexec/git-core", "lib/git-core"]
                    .iter()
                    .map(|folder| prefix.join(folder))
                    .find(|folder| folder.join("git").is_file())?;
                Some(Self { git, parts })
            })
            .ok_or(GitError::NoGit)
    }

    /// What every git command may reach.
    pub(super) fn grants(&self) -> Result<Vec<PathGrant>, BuildError> {
        let mut grants = vec![
            grant("/dev/null", Access::ReadWriteFile)?,
            grant("/dev/urandom", Access::Read)?,
            grant(&self.git, Access::ReadExecute)?,
            grant(&self.parts, Access::ReadExecute)?,
        ];
        for path in LIBRARIES {
            grants.push(optional(path, Access::Read)?);
        }
        for path in LOADERS {
            grants.push(optional(path, Access::ReadExecute)?);
        }
        Ok(grants)
    }

    /// What one that fetches may reach besides.
    pub(super) fn fetching(transport: Transport) -> Result<Vec<PathGrant>, BuildError> {
        let mut grants = Vec::new();
        match transport {
            // git starts its other half, `git-upload-pack FOLDER`, by the shell.
            Transport::File => grants.push(optional("/bin/sh", Access::ReadExecute)?),
            Transport::Https | Transport::Http | Transport::Ssh => {
                for path in NETWORK {
                    grants.push(optional(path, Access::Read)?);
                }
            }
        }
        Ok(grants)
    }

    /// The environment of every git command, but for what says where things are.
    pub(super) fn variables(&self, transport: Option<Transport>) -> Vec<(String, String)> {
        let parts = self.parts.display().to_string();
        [
            ("PATH", parts.as_str()),
            ("GIT_EXEC_PATH", parts.as_str()),
            ("LC_ALL", "C"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            // An empty word is "nobody"; without it the user's own helper is looked for.
            ("GIT_ASKPASS", ""),
            ("SSH_ASKPASS", ""),
            ("SSH_ASKPASS_REQUIRE", "never"),
            ("GIT_SSH_VARIANT", "ssh"),
            (
                "GIT_ALLOW_PROTOCOL",
                transport.map_or("none", Transport::word),
            ),
            ("GIT_PROTOCOL_FROM_USER", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_LFS_SKIP_SMUDGE", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}

/// Settings above those of any repository, as `GIT_CONFIG_COUNT` takes them.
pub(super) fn settings(transport: Option<Transport>, writes: bool) -> Vec<(String, String)> {
    // git before 2.36 knows no such setting: it syncs packs and no references.
    let sync = if writes { "all" } else { "none" };
    let mut settings: Vec<_> = [
        ("core.hooksPath", "/dev/null"),
        ("core.attributesFile", "/dev/null"),
        ("core.excludesFile", "/dev/null"),
        ("core.fsmonitor", "false"),
        ("core.untrackedCache", "false"),
        // What a command leaves in its scratch is read at once and never again.
        ("core.fsync", sync),
        ("core.fsyncMethod", "fsync"),
        ("core.symlinks", "true"),
        ("core.fileMode", "true"),
        ("core.autocrlf", "false"),
        ("core.logAllRefUpdates", "false"),
        ("credential.helper", ""),
        ("filter.lfs.smudge", ""),
        ("filter.lfs.process", ""),
        ("filter.lfs.required", "false"),
        ("gc.auto", "0"),
        ("maintenance.auto", "false"),
        ("fetch.recurseSubmodules", "false"),
        ("submodule.recurse", "false"),
        ("fetch.unpackLimit", "1"),
        ("pack.threads", "1"),
        ("pack.writeReverseIndex", "false"),
        ("pack.packSizeLimit", "0"),
        ("index.version", "2"),
        ("index.threads", "1"),
        ("http.lowSpeedLimit", "1"),
        ("http.lowSpeedTime", "60"),
        ("safe.directory", "*"),
        ("protocol.allow", "never"),
        ("protocol.ext.allow", "never"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    // `http` is for this machine only, and a server could lead on to another.
    if transport == Some(Transport::Http) {
        settings.push(("http.followRedirects".to_owned(), "false".to_owned()));
    }
    if let Some(transport) = transport {
        settings.push((
            format!("protocol.{}.allow", transport.word()),
            "always".to_owned(),
        ));
    }
    settings
}

/// Puts settings into the variables that git reads them from.
pub(super) fn as_variables(settings: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut variables = vec![("GIT_CONFIG_COUNT".to_owned(), settings.len().to_string())];
    for (at, (name, value)) in settings.into_iter().enumerate() {
        variables.push((format!("GIT_CONFIG_KEY_{at}"), name));
        variables.push((format!("GIT_CONFIG_VALUE_{at}"), value));
    }
    variables
}

/// A grant of what has to be there.
pub(super) fn grant(path: impl Into<PathBuf>, access: Access) -> Result<PathGrant, BuildError> {
    Ok(PathGrant {
        path: AbsPath::new(path)?,
        seen_as: None,
        access,
        optional: false,
    })
}

/// A grant of what may be missing.
pub(super) fn optional(path: impl Into<PathBuf>, access: Access) -> Result<PathGrant, BuildError> {
    Ok(PathGrant {
        optional: true,
        ..grant(path, access)?
    })
}
