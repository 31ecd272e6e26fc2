//! Read: files of requirements as pip reads them, locks (PEP 751), and what a `pyproject.toml` asks for
//! (PEP 621, PEP 735).
//!
//! Pure but for one seam: [`Means`] hands out the text of a file and the value of a variable. What the
//! words of a requirement stand for is the business of `sources`; what options mean, that of the caller.

mod collect;
mod error;
mod file;
mod lock;
mod project;
mod toml_text;

pub use collect::{Asked, Collected, Constraint, Line, Means, Stated, Wish, collect};
pub use error::RequirementsError;
pub use file::{Format, Options, Placed};
pub use lock::{Form, Location, Lock, LockedFile, LockedPackage, Selection};
pub use project::Extras;

#[cfg(test)]
mod tests;
