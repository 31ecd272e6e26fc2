//! What is going to be moved, written down before it is: whoever comes after an interruption reads it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::TargetError;
use super::beneath::Beneath;
use crate::install::tree::check_path;

/// The folder in which everything is laid out, moved aside and written down; in the target's root.
pub(super) const WORK: &str = ".fumehood";
/// The journal in it.
const JOURNAL: &str = ".fumehood/journal.json";
const SCHEMA: &str = "fumehood/installation/1";
/// The largest journal that is read, in bytes.
const MAX_JOURNAL: u64 = 256 * 1024 * 1024;

/// One rename, or a pair of them. Paths are relative to the target; what is staged lies at the same
/// path below [`Entry::staged`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Step {
    /// Something new comes to a name that is free.
    Put {
        /// Where.
        path: String,
    },
    /// Something new and what is there take each other's place.
    Exchange {
        /// What is staged.
        staged: String,
        /// What is there.
        path: String,
        /// The name that the new gets afterwards; a `.dist-info` folder is called after its version.
        becomes: Option<String>,
        /// The inode of the new, by which it is known on either side.
        inode: u64,
    },
    /// A file comes over another, of which a copy is kept: where nothing can be exchanged.
    Over {
        /// Where.
        path: String,
        /// The number of the copy.
        kept: usize,
    },
    /// Something old goes.
    Take {
        /// What.
        path: String,
        /// The number under which it is kept.
        kept: usize,
    },
}

/// The steps of one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Which package, among those of the run.
    pub(super) number: usize,
    /// In order.
    pub(super) steps: Vec<Step>,
    /// The step that makes the new version the installed one: before it an interruption is taken back,
    /// after it the rest is done.
    pub(super) commit: usize,
    /// Folders that may be empty afterwards, inner ones first.
    pub(super) emptied: Vec<String>,
}

impl Entry {
    /// Returns the folders of the target in which names come and go.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        let steps = self.steps.iter().map(|step| match step {
            Step::Put { path }
            | Step::Exchange { path, .. }
            | Step::Over { path, .. }
            | Step::Take { path, .. } => path,
        });
        let paths = steps.chain(&self.emptied);
        paths.map(|path| path.rsplit_once('/').map_or("", |(folder, _)| folder))
    }

    /// Returns the path of something staged.
    pub(super) fn staged(&self, path: &str) -> String {
        format!("{}/{path}", staged(self.number))
    }

    /// Returns the path of something that was moved aside.
    pub(super) fn kept(&self, kept: usize) -> String {
        format!("{}/{kept}", kept_in(self.number))
    }
}

/// Returns the folder with what comes of a package.
pub(super) fn staged(number: usize) -> String {
    format!("{WORK}/new-{number}")
}

/// Returns the folder with what goes of a package.
pub(super) fn kept_in(number: usize) -> String {
    format!("{WORK}/old-{number}")
}

/// The journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    schema: String,
    pub(super) entries: Vec<Entry>,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            entries: Vec::new(),
        }
    }

    /// Reads the journal of an interrupted run; none if it had come to no rename yet.
    pub(super) fn read(beneath: &Beneath) -> Result<Option<Self>, TargetError> {
        let nonsense = |reason: String| TargetError::Journal {
            path: beneath.full(JOURNAL),
            reason,
        };
        if !beneath.has(JOURNAL)? {
            return Ok(None);
        }
        let text = beneath
            .read(JOURNAL, MAX_JOURNAL)?
            .ok_or_else(|| nonsense("it is no file of sensible size".to_owned()))?;
        let journal: Self =
            serde_json::from_slice(&text).map_err(|error| nonsense(error.to_string()))?;
        if journal.schema != SCHEMA {
            return Err(nonsense(format!("`{}` is not known", journal.schema)));
        }
        journal.check().map_err(|why| nonsense(why.to_owned()))?;
        Ok(Some(journal))
    }

    /// Whether every path is one below the target.
    fn check(&self) -> Result<(), &'static str> {
        for entry in &self.entries {
            if entry.commit >= entry.steps.len() {
                return Err("a package has no step that commits");
            }
            for path in &entry.emptied {
                check_path(path)?;
            }
            for step in &entry.steps {
                match step {
                    Step::Put { path } | Step::Over { path, .. } | Step::Take { path, .. } => {
                        check_path(path)?;
                    }
                    Step::Exchange {
                        staged,
                        path,
                        becomes,
                        ..
                    } => {
                        check_path(staged)?;
                        check_path(path)?;
                        becomes.as_deref().map_or(Ok(()), check_path)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes the journal, in place of the one before, and makes it durable.
    pub(super) fn write(&self, beneath: &Beneath) -> Result<(), TargetError> {
        let path = beneath.full(JOURNAL);
        let unfinished = path.with_extension("json.new");
        let failed = |error: std::io::Error| TargetError::io("write", &path)(error);
        let text = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        File::create(&unfinished)
            .and_then(|mut file| {
                file.write_all(&text)?;
                file.sync_all()
            })
            .map_err(failed)?;
        beneath.put_over(&format!("{JOURNAL}.new"), JOURNAL)?;
        beneath.sync(WORK)
    }
}

/// Removes the journal and everything beside it: the run is over.
pub(super) fn clear(beneath: &Beneath) -> Result<(), TargetError> {
    let gone = |path: &Path, done: std::io::Result<()>| match done {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(TargetError::io("remove", path)),
    };
    // The journal first: without it the rest is nobody's.
    let journal = beneath.full(JOURNAL);
    if beneath.has(JOURNAL)? {
        gone(&journal, fs::remove_file(&journal))?;
        beneath.sync(WORK)?;
    }
    let work = beneath.full(WORK);
    gone(&work, fs::remove_dir_all(&work))
}
