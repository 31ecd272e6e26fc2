//! Keep: buckets, scratch, locks, publishing.
//!
//! Everything that fumehood writes lies under one root, and this crate alone writes there. What
//! the entries of a bucket *mean* is the business of the crates that ask for them.

mod blob;
mod bucket;
mod carry_out;
mod check;
mod deliver;
mod discard;
mod entry_lease;
mod error;
mod inventory;
mod layer;
mod lease;
mod lock;
mod mark;
mod names;
mod place;
mod plan;
mod publish;
mod recall;
mod record;
mod removal;
mod root;
mod scratch;
mod sealed;
mod shelf;
mod size;
mod spread;
mod staging;
mod standing;
mod sweep;
mod tidy;

pub use bucket::Bucket;
pub use carry_out::{CarriedOut, InUse};
pub use check::{CheckEntry, CheckRepository, Checked, Checks, Damage, Repaired, Unsound};
pub use deliver::{Delivery, check_out_dir, deliver, deliver_all};
pub use error::CacheError;
pub use inventory::{Built, Installed, Inventory, Item, Page, Pointer, What};
pub use layer::Layer;
pub use lock::{Lock, lock_file};
pub use place::{Fresh, Place};
pub use plan::{Clean, Keeping, Kinds, Plan, Prune, Reason, Removal};
pub use publish::{Published, sync_tree};
pub use root::{Budget, Cache, PathBudget, make_dirs};
pub use scratch::{Kept, Scratch};
pub use sealed::Sealed;
pub use size::Size;
pub use staging::{StagingDir, StagingFile};
pub use standing::Standing;
pub use sweep::Swept;
