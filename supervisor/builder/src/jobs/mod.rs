//! Jobs: how much work a host is asked for at a time, over all processes of one cache.
//!
//! ```text
//! account     what this process holds of the host, and what uses it; pure         account.rs
//! host        slots as locks, and runs of hooks that wait for one                 host.rs
//! lender      when a token is lent to a build, and when it is taken back; pure    lender.rs
//! server      the fifo of one build, and lending while it runs                    fifo.rs, server.rs
//! variables   what a build is told, and what `make` on this host understands      variables.rs
//! ```

mod account;
mod fifo;
mod host;
mod lender;
mod server;
mod variables;

pub(crate) use fifo::{FIFO, Fifo};
pub use host::processors;
pub(crate) use host::{Jobs, Use};
pub use variables::Sharing;
pub(crate) use variables::variables;
