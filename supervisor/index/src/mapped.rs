//! A project that is mapped to one index: it is looked for there, and nowhere else.

use model::PackageName;

use crate::IndexUrl;

/// The one index that a project is looked for on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The index's name.
    pub name: String,
    /// The index; none where no index is to be asked.
    pub index: Option<IndexUrl>,
    /// Where it was said, in words.
    pub origin: String,
}

impl Mapped {
    /// Says that `project` is not there, and why that is the end.
    #[must_use]
    pub fn misses(&self, project: &PackageName) -> String {
        match self.index {
            Some(_) => format!(
                "the index `{}` does not know the project `{project}`, which is looked for there alone ({})",
                self.name, self.origin
            ),
            None => {
                format!("the project `{project}` is looked for on {self}, and --no-index asks none")
            }
        }
    }
}

impl std::fmt::Display for Mapped {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "the index `{}` alone ({})", self.name, self.origin)
    }
}
