//! Names of builds: short, random, never used twice while their log is kept.

use std::io;
use std::path::{Path, PathBuf};

use cache::{Bucket, Cache};

/// The log's name in its folder, and that of the file that says what became of the build.
pub(crate) const LOG: &str = "log";
pub(crate) const SUMMARY: &str = "build.json";

/// Tries until a free name is found; one collides once in millions.
const TRIES: usize = 16;

/// One run of one build; names its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildId {
    name: String,
    folder: PathBuf,
}

impl BuildId {
    /// Takes a free name and makes the folder of its log.
    pub(crate) fn take(cache: &Cache) -> io::Result<Self> {
        let logs = cache.bucket(Bucket::Logs);
        std::fs::create_dir_all(&logs)?;
        for _ in 0..TRIES {
            let mut random = [0; 4];
            getrandom::fill(&mut random).map_err(io::Error::other)?;
            let name = model::Sha256::of(random).to_string()[..8].to_owned();
            let folder = logs.join(&name);
            match std::fs::create_dir(&folder) {
                Ok(()) => {
                    // It is young, and may be large already while the build goes on.
                    cache.hold(&folder);
                    return Ok(Self { name, folder });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the log file.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    /// Returns the file that says what the build was and what became of it.
    #[must_use]
    pub fn summary(&self) -> PathBuf {
        self.folder.join(SUMMARY)
    }

    /// Returns the folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
