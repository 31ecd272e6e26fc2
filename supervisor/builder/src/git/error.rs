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
        /// The commit that the reference stood for last, if that is known.
        kept: Option<String>,
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
        /// The commit that it stood for last, if that is known.
        kept: Option<String>,
    },
    /// The network is off and the repository is not in the cache.
    #[error("`{url}` would have to be fetched for `{reference}`, and the network is off")]
    Offline {
        /// The repository, without credentials.
        url: String,
        /// As asked.
        reference: String,
        /// The commit that it stood for last, if that is known.
        kept: Option<String>,
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
        } else if says("not found") || says("does not appear to be a git repository") {
            "there is none, or none any more, or it is private: check the address; git asks nobody, so \
             credentials have to stand in the URL or in the netrc file"
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

    /// Adds which commit the reference stood for last, if this is about the repository `url`.
    pub(super) fn knowing(mut self, url: &str, commit: Option<String>) -> Self {
        match &mut self {
            Self::Failed {
                url: about, kept, ..
            }
            | Self::NoReference {
                url: about, kept, ..
            }
            | Self::Offline {
                url: about, kept, ..
            } if about == url => *kept = commit,
            _ => {}
        }
        self
    }

    /// Returns what to do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoGit => "install git, or give the URL of an archive of the commit".to_owned(),
            Self::NoReference { url, kept, .. } => format!(
                "write NAME @ git+URL@BRANCH, @TAG or @COMMIT; {}",
                served(url, kept.as_deref())
            ),
            Self::Failed {
                url,
                doing: "fetch",
                said,
                kept,
                ..
            } => format!("{}; {}", said.hint(), served(url, kept.as_deref())),
            Self::Failed { said, .. } => said.hint().to_owned(),
            Self::Offline { url, kept, .. } => format!(
                "run once without --offline; {}",
                served(url, kept.as_deref())
            ),
            Self::Submodule { .. } => {
                "submodules are fetched by https or ssh; from this machine only for a repository \
                 that is on this machine"
                    .to_owned()
            }
            Self::Elsewhere { .. } => {
                "a work tree or submodule that was moved is mended by `git worktree repair` or \
                 `git submodule absorbgitdirs`"
                    .to_owned()
            }
            Self::Answer { .. } | Self::TooManySubmodules { .. } => return None,
        })
    }
}

/// What is not lost where a repository can not be reached.
fn served(url: &str, kept: Option<&str>) -> String {
    let commit = kept.unwrap_or("COMMIT");
    format!(
        "wheels that were built from one of its commits are still served, as NAME @ {url}@{commit}: only a \
         build that has no wheel yet needs the repository"
    )
}
