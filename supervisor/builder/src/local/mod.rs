//! The executor that starts workers on this host.

mod host;
mod live;
mod log;
mod neutral;
mod orphans;
mod outside;
mod session;
mod spawn;
mod uid;

pub use host::{Host, LocalExecutor};
pub use neutral::neutralised;
pub use spawn::WorkerProgram;
pub(crate) use uid::UidLease;
