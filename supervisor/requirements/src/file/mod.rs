//! One file of requirements, from its bytes to what its lines say.

mod lines;
mod option;
mod reading;
mod text;
mod words;

use lines::logical;
pub(crate) use option::Meaning;
#[cfg(test)]
pub(crate) use option::ROWS;
pub use option::{Format, Options, Placed};
pub(crate) use reading::{Said, read};
use text::decode;
