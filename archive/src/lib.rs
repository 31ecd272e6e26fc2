//! The guarded reader, unpacker and packer of source archives, used by both halves.
//!
//! An archive is a stranger's: it is walked twice, first to judge every member and to plan the
//! whole tree, then to lay it down. What an archive means (metadata, build systems) is not here.

mod budget;
mod decoder;
mod exclusions;
mod guard;
mod kind;
mod links;
mod member;
mod pack;
mod peek;
mod plan;
mod refusal;
mod stream;
mod tar;
mod top;
mod tree;
mod unpack;
mod walk;
mod zip;

#[cfg(test)]
mod tests;

pub use budget::Budget;
pub use exclusions::Exclusions;
pub use kind::Kind;
pub use pack::{Listing, PackError, Packed, listing, pack, pack_checkout, pack_with_repository};
pub use peek::{MAX_PEEKED, peek, survey};
pub use refusal::Refusal;
pub use stream::pieces;
pub use top::Top;
pub use unpack::{Unpacked, unpack};
pub use zip::check as check_zip;
