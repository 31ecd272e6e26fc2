//! Real packages by the list: built by the program from a warmed cache without network, by uv beside it, and compared.

mod compare;
mod kept;
mod list;
mod ours;
mod row;
mod table;
mod theirs;

pub use compare::Difference;
pub use kept::Kept;
pub use list::{Entry, entries};
pub use ours::Ours;
pub use row::{Made, Row};
pub use table::{page, text};
pub use theirs::Theirs;
