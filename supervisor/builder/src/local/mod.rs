//! The executor that starts workers on this host.

mod conversation;
mod ended;
mod group;
mod heard;
mod host;
mod live;
mod log;
mod meter;
mod mount_table;
mod neutral;
mod orphans;
mod outside;
mod session;
mod slot;
mod spawn;
mod uid;
mod usage;

pub use host::{Host, LocalExecutor};
pub use mount_table::unescaped;
pub use neutral::neutralised;
pub(crate) use slot::{Lease, Terms};
pub use spawn::WorkerProgram;
pub(crate) use uid::UidLease;
