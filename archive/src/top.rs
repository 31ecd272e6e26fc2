//! What may stand at the top of an archive, and which folder is stripped.

use crate::Refusal;
use crate::guard::shown;

/// What stands at the top of a source archive. The folder's name is never checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Top {
    /// Exactly one folder of any name, which is stripped (an index's sdist).
    OneFolder,
    /// One folder is stripped; anything else is taken as it is (URLs, local archives).
    Any,
    /// Nothing is stripped (a folder that was packed here).
    Bare,
}

/// Watches the first component of each member.
#[derive(Debug, Default)]
pub(crate) struct TopWatch {
    folder: Option<String>,
    other: Option<String>,
    noise: Vec<String>,
}

impl TopWatch {
    /// Takes note of one member; `is_folder` is about the member itself.
    pub(crate) fn see(&mut self, path: &str, is_folder: bool) {
        let (first, below) = path
            .split_once('/')
            .map_or((path, false), |(first, _)| (first, true));
        if !below && !is_folder {
            if is_noise(path) {
                self.noise.push(path.to_owned());
            } else {
                self.other.get_or_insert_with(|| path.to_owned());
            }
            return;
        }
        match &self.folder {
            None => self.folder = Some(first.to_owned()),
            Some(known) if known == first => {}
            Some(_) => {
                self.other.get_or_insert_with(|| first.to_owned());
            }
        }
    }

    /// Returns the first folder seen so far, which is the one to strip if any is.
    pub(crate) fn first_folder(&self) -> Option<&str> {
        self.folder.as_deref()
    }

    /// Decides which folder is stripped and which members beside it are left out.
    pub(crate) fn decide(self, top: Top) -> Result<(Option<String>, Vec<String>), Refusal> {
        match (top, self.folder, self.other) {
            (Top::Bare, ..) => Ok((None, Vec::new())),
            (_, Some(folder), None) => Ok((Some(folder), self.noise)),
            (Top::Any, ..) => Ok((None, Vec::new())),
            (Top::OneFolder, Some(folder), Some(other)) => Err(Refusal::Top {
                found: format!(
                    "`{}` and `{}`",
                    shown(folder.as_bytes()),
                    shown(other.as_bytes())
                ),
            }),
            (Top::OneFolder, None, other) => Err(Refusal::Top {
                found: other.or_else(|| self.noise.into_iter().next()).map_or_else(
                    || "nothing".to_owned(),
                    |other| format!("the file `{}`", shown(other.as_bytes())),
                ),
            }),
        }
    }
}

/// Left-overs of other tools beside the folder: git's comment as a file, macOS resource forks.
pub(crate) fn is_noise(path: &str) -> bool {
    path == "pax_global_header" || path.starts_with("._")
}
