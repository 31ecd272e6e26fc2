//! The escape matrix: what is tried, what holds it off, and where that was seen.
//!
//! ```text
//! rows       tests/escape/rows.txt: attack -> layers, guarantee, deeds, tests
//! removal    a layer left out -> the harm that then is done
//! table      deeds tried in environments -> one word for each row
//! container  the same inside a container
//! page       docs/escape-matrix.md
//! ```

mod container;
mod page;
mod removal;
mod rows;
mod table;

pub use container::{contained, inside};
pub use page::{digest, page, pages_digest};
pub use removal::Removal;
pub use rows::{LAYERS, Row};
pub use table::{Cell, Column, at_once};
