//! The access words of a grant and the access that the worker is told.

use std::path::Path;

use protocol::Access;

/// What a grant allows: `["read"]`, `["read", "execute"]` or `["read", "write"]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rights {
    pub(crate) execute: bool,
    pub(crate) write: bool,
}

impl Rights {
    /// Understands the words of a grant; the error is what is wrong and what to write instead.
    pub(crate) fn of(words: &[&str]) -> Result<Self, (String, &'static str)> {
        const INSTEAD: &str = "write access = [\"read\"], [\"read\", \"execute\"] or, for a device, [\"read\", \"write\"]";
        if let Some(word) = words
            .iter()
            .find(|word| !["read", "execute", "write"].contains(word))
        {
            let word: String = word.escape_debug().take(40).collect();
            return Err((format!("`{word}` is not an access word"), INSTEAD));
        }
        let rights = Self {
            execute: words.contains(&"execute"),
            write: words.contains(&"write"),
        };
        if !words.contains(&"read") {
            return Err(("every grant is at least for reading".to_owned(), INSTEAD));
        }
        if rights.execute && rights.write {
            let problem = "nothing may be both written and executed by a grant";
            return Err((problem.to_owned(), INSTEAD));
        }
        Ok(rights)
    }

    /// Returns what both allow together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            execute: self.execute || other.execute,
            write: self.write || other.write,
        }
    }

    /// Whether `self` allows nothing that `other` does not.
    pub(crate) fn within(self, other: Self) -> bool {
        (!self.execute || other.execute) && (!self.write || other.write)
    }

    /// Returns the rights in words.
    pub(crate) fn words(self) -> &'static str {
        match (self.execute, self.write) {
            (false, false) => "read",
            (true, false) => "read and execute",
            (false, true) => "read and write",
            (true, true) => "read, write and execute",
        }
    }

    /// Returns the accesses that the worker is told for `path`.
    pub(crate) fn accesses(self, path: &Path) -> Vec<Access> {
        let written = match path == Path::new(crate::guard::SHARED_MEMORY) {
            true => Access::ReadWrite,
            false => Access::ReadWriteFile,
        };
        match (self.execute, self.write) {
            (false, false) => vec![Access::Read],
            (true, false) => vec![Access::ReadExecute],
            (false, true) => vec![written],
            (true, true) => vec![Access::ReadExecute, written],
        }
    }
}
