//! The digest of what a policy means: it enters the key of every wheel that is built under it.
//!
//! Names, reasons, comments, order and spelling do not enter.

use sha2::Digest as _;

use crate::Policy;
use crate::environment::Folder;
use crate::grant::Target;
use crate::limits::KEYS;

impl Policy {
    /// Returns the SHA-256 of what the policy means, together with those it extends.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut items = Items(sha2::Sha256::new());
        items.add("fumehood policy 1");
        for (target, terms) in &self.grants {
            match target {
                Target::Interpreter => items.add("interpreter"),
                Target::Environment => items.add("environment"),
                Target::Path { path, unless } => {
                    items.add("path");
                    items.add(path.to_string());
                    items.add(unless.len().to_string());
                    for other in unless {
                        items.add(other.to_string());
                    }
                }
            }
            items.add(terms.rights.words());
            items.add(if terms.optional {
                "optional"
            } else {
                "required"
            });
        }
        items.add("PATH");
        for folder in &self.environment.path {
            match folder {
                Folder::Environment => items.add("environment"),
                Folder::Path(path) => items.add(path.to_string()),
            }
        }
        items.add("set");
        for (name, setting) in &self.environment.set {
            items.add(name);
            items.add(&setting.value);
        }
        items.add("pass");
        for name in self.environment.pass.keys() {
            items.add(name);
        }
        items.add("limits");
        for key in &KEYS {
            items.add((key.of)(&self.limits).to_string());
        }
        items.0.finalize().into()
    }
}

/// A list of texts, each preceded by its length so that no two lists look the same.
struct Items(sha2::Sha256);

impl Items {
    fn add(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
    }
}
