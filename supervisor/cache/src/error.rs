//! What can go wrong in the cache, with codes and remedies.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::{Code, Sha256};

/// An operation on the cache failed.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The root holds files and is not marked as ours.
    #[error("`{}` is neither empty nor a fumehood cache", root.display())]
    NotOurs {
        /// The root.
        root: PathBuf,
    },
    /// The root belongs to someone who is neither root nor the caller.
    #[error("the cache directory `{}` belongs to user {owner}, you are user {caller}", root.display())]
    ForeignOwner {
        /// The root.
        root: PathBuf,
        /// Its owner's uid.
        owner: u32,
        /// The effective uid of this process.
        caller: u32,
    },
    /// Others may write the root, and so could decide what is installed.
    #[error("the cache directory `{}` can be written by others (mode {mode:04o})", root.display())]
    OpenToOthers {
        /// The root.
        root: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The root can not be made, read or written.
    #[error("the cache directory `{}` can not be used", root.display())]
    Place {
        /// The root.
        root: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A cache that is only read can not be read.
    #[error("the read-only cache `{}` can not be used", root.display())]
    Layer {
        /// The directory.
        root: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Scratches can not be made in a directory.
    #[error("the directory `{}` can not be used for scratches", path.display())]
    ScratchPlace {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A directory's file system has no symbolic links, of which every build environment has some.
    #[error("`{}` is on a file system without symbolic links, as FAT and exFAT are", path.display())]
    NoLinks {
        /// The directory.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// No space, no inodes or no quota.
    #[error("there is no space left for `{}`", path.display())]
    DiskFull {
        /// What was written.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
    /// The output directory can not be made or written.
    #[error("the output directory `{}` can not be written", path.display())]
    OutDir {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process holds a lock for longer than this one may wait.
    #[error("another process has held the lock of {name} for more than {} s", waited.as_secs())]
    LockTimeout {
        /// What people call that which is locked.
        name: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Something was removed while it was needed.
    #[error("`{}` was removed from the cache before it was delivered", path.display())]
    Gone {
        /// What.
        path: PathBuf,
    },
    /// Something has other bytes than it had when it was kept.
    #[error("`{}` was changed in the cache: it has the SHA-256 {found}, {expected} was kept", path.display())]
    Changed {
        /// What.
        path: PathBuf,
        /// Its digest when it was kept.
        expected: Sha256,
        /// Its digest now.
        found: Sha256,
    },
    /// A path that was to be written is not inside the cache, or has `..` in it.
    #[error("`{}` is not a path inside the cache", path.display())]
    Outside {
        /// The path.
        path: PathBuf,
    },
    /// A name that has to be one plain path component is not.
    #[error("`{name}` is not a plain file name")]
    Name {
        /// The name, neutralised.
        name: String,
    },
    /// A record can not be written as JSON.
    #[error("the record `{}` can not be written as JSON", path.display())]
    Encode {
        /// The record.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Some entries could not be removed.
    #[error("{count} entries of `{}` could not be removed, the first is `{first}`", path.display())]
    Left {
        /// The tree.
        path: PathBuf,
        /// How many are left.
        count: u64,
        /// The first of them, relative to the tree, neutralised.
        first: String,
        /// Why the first is left.
        #[source]
        source: io::Error,
    },
    /// Any other operation of the file system.
    #[error("could not {doing} `{}`", path.display())]
    Io {
        /// What was tried, as a verb phrase.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: io::Error,
    },
}

impl CacheError {
    /// Wraps an error of the file system; a full disk is told apart whatever was being done.
    pub(crate) fn io(doing: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        let (path, source) = (path.to_owned(), source.into());
        if is_full(&source) {
            Self::DiskFull { path, source }
        } else {
            Self::Io {
                doing,
                path,
                source,
            }
        }
    }

    /// Wraps an error of writing to something unfinished; a full disk is told apart.
    #[must_use]
    pub fn writing(path: &Path, source: io::Error) -> Self {
        Self::io("write", path, source)
    }

    /// Wraps an error that makes the whole root unusable.
    pub(crate) fn place(root: &Path, source: impl Into<io::Error>) -> Self {
        let (root, source) = (root.to_owned(), source.into());
        if is_full(&source) {
            Self::DiskFull { path: root, source }
        } else {
            Self::Place { root, source }
        }
    }

    /// Wraps an error that makes an output directory unusable.
    pub(crate) fn out_dir(path: &Path, source: impl Into<io::Error>) -> Self {
        let (path, source) = (path.to_owned(), source.into());
        if is_full(&source) {
            Self::DiskFull { path, source }
        } else {
            Self::OutDir { path, source }
        }
    }

    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotOurs { .. } | Self::ForeignOwner { .. } | Self::OpenToOthers { .. } => {
                Code::CacheRefused
            }
            Self::Place { .. }
            | Self::Layer { .. }
            | Self::ScratchPlace { .. }
            | Self::NoLinks { .. } => Code::CachePlace,
            Self::DiskFull { .. } => Code::DiskFull,
            Self::OutDir { .. } => Code::OutDir,
            Self::Gone { .. } => Code::Removed,
            Self::Changed { .. } => Code::HashMismatch,
            Self::LockTimeout { .. } => Code::LockTimeout,
            Self::Outside { .. } | Self::Name { .. } | Self::Encode { .. } => Code::Bug,
            Self::Left { .. } | Self::Io { .. } => Code::Io,
        }
    }

    /// Returns what to do about it, where there is something to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NotOurs { root } => format!(
                "name an empty or a new directory, for example --cache-dir {}",
                root.join("fumehood").display()
            ),
            Self::ForeignOwner { .. } => {
                "whoever owns a cache decides what you install; name a directory of your own \
                 with --cache-dir"
                    .to_owned()
            }
            Self::OpenToOthers { root, .. } => format!(
                "whoever can write a cache decides what you install; `chmod go-w` it, or name a \
                 directory inside it that only you can write: --cache-dir {}",
                root.join("fumehood").display()
            ),
            Self::Place { .. } => {
                "name a directory that you can write with --cache-dir or FUMEHOOD_CACHE_DIR; one \
                 writable mount is enough"
                    .to_owned()
            }
            Self::Layer { .. } => {
                "name a directory that exists and that you can read with --cache-readonly, or leave \
                 the flag out"
                    .to_owned()
            }
            Self::ScratchPlace { .. } => {
                "name a directory that exists and that you can write with --scratch-dir; it is not \
                 made"
                    .to_owned()
            }
            Self::NoLinks { .. } => {
                "name a directory on another file system with --cache-dir, and for scratches with \
                 --scratch-dir; this one can take finished wheels (--out-dir) and serve as a cache \
                 that is only read (--cache-readonly)"
                    .to_owned()
            }
            Self::DiskFull { .. } => {
                "make room there (`fumehood cache size` shows what the cache holds), or name another \
                 place: --cache-dir, --scratch-dir, --out-dir"
                    .to_owned()
            }
            Self::OutDir { .. } => "name a directory that you can write with --out-dir".to_owned(),
            Self::LockTimeout { .. } => {
                "wait for the other process or end it, or wait longer with --lock-timeout; --force \
                 makes environments and wheels beside it, not git repositories"
                    .to_owned()
            }
            Self::Gone { .. } => "run it again: what is missing is made anew".to_owned(),
            Self::Changed { .. } => {
                "`fumehood cache check --repair` removes what is damaged; then run it again".to_owned()
            }
            _ => return None,
        };
        Some(text)
    }
}

/// Whether the error says that space, inodes or quota are used up.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
