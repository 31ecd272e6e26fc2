//! The inventory: what is in the cache, entry by entry, each understood from what it holds.
//!
//! Removal is decided from it and from nothing else. An entry whose record can not be read is
//! damaged, what stands where nothing of ours would is a stranger, and neither is guessed at.

mod buckets;
mod item;
mod pointer;
pub(crate) mod records;
mod walk;

/// The record in an environment's folder.
pub(crate) const ENVIRONMENT_RECORD: &str = "environment.json";

pub use item::{Built, Installed, Inventory, Item, Page, Pointer, What};
