//! Why a commit could not be had.

use std::path::PathBuf;

use model::Code;
use sources::BadGitUrl;

/// A source in a git repository could not be acquired.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no git on this host.
    #[error("git is wanted, and none of the system's program folders has it")]
    NoGit,
    /// A git command failed.
    #[error("git could not {doing} `{url}` ({ending})")]
    Failed {
        /// The repository, without credentials.
        url: String,
        /// What it was to do.
        doing: &'static str,
        /// How it ended.
        ending: String,
        /// What it said last, neutralised.
        #[source]
        said: Said,
    },
    /// git answered with something that makes no sense.
    #[error("git's answer about `{url}` makes no sense: {why}")]
    Answer {
        /// The repository, without credentials.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The repository has no such branch, tag or commit.
    #[error("`{url}` has no branch, tag or commit `{reference}`")]
    NoReference {
        /// The repository, without credentials.
        url: String,
        /// As asked.
        reference: String,
    },
    /// The network is off and the repository is not in the cache.
    #[error("`{url}` would have to be fetched, and the network is off")]
    Offline {
        /// The repository, without credentials.
        url: String,
    },
    /// A submodule leads where none may lead.
    #[error("the submodule `{path}` of `{url}` is refused")]
    Submodule {
        /// The repository, without credentials.
        url: String,
        /// The submodule's folder, neutralised.
        path: String,
        /// Why.
        #[source]
        source: BadGitUrl,
    },
    /// A folder's `.git` leads to a repository that is not its own.
    #[error("the `.git` of `{}` is not followed: {why}", folder.display())]
    Elsewhere {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Submodules in submodules, or too many.
    #[error("`{url}` has more than {most} submodules, or they lie too deep")]
    TooManySubmodules {
        /// The repository, without credentials.
        url: String,
        /// How many are taken.
        most: usize,
    },
}

/// The last lines of what git said.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Said(pub String);

impl Said {
    /// What to do about what git said; of its words, those that stayed the same for many years.
    fn hint(&self) -> &'static str {
        let says = |words: &str| self.0.contains(words);
        if says("Host key verification failed") {
            "the host's key has to stand in ~/.ssh/known_hosts: connect once by `ssh HOST` and \
             compare the fingerprint, or add it by `ssh-keyscan HOST`"
        } else if says("Permission denied (publickey") {
            "a key without a passphrase is taken from ~/.ssh: id_ed25519, id_ecdsa or id_rsa; an \
             agent and the settings in ~/.ssh/config are not used"
        } else if says("certificate") {
            "name the certificates to trust: SSL_CERT_FILE=FILE"
        } else {
            "git asks nobody: a private repository needs credentials in its URL or in the netrc \
             file, or a key in ~/.ssh and the host in ~/.ssh/known_hosts"
        }
    }
}

impl GitError {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NoGit => Code::NoGit,
            Self::Failed { .. } | Self::Answer { .. } => Code::GitFailed,
            Self::NoReference { .. } => Code::NoReference,
            Self::Offline { .. } => Code::Offline,
            Self::Submodule { .. } | Self::TooManySubmodules { .. } | Self::Elsewhere { .. } => {
                Code::GitRefused
            }
        }
    }

    /// Returns what to do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoGit => Some("install git, or give the URL of an archive of the commit"),
            Self::NoReference { .. } => Some("write NAME @ git+URL@BRANCH, @TAG or @COMMIT"),
            Self::Failed { said, .. } => Some(said.hint()),
            Self::Submodule { .. } => Some(
                "submodules are fetched by https or ssh; from this machine only for a repository \
                 that is on this machine",
            ),
            Self::Elsewhere { .. } => Some(
                "a work tree or submodule that was moved is mended by `git worktree repair` or \
                 `git submodule absorbgitdirs`",
            ),
            Self::Answer { .. } | Self::Offline { .. } | Self::TooManySubmodules { .. } => None,
        }
    }
}
