//! The confined half: one process a build, or a slot for several, blocking, single-threaded, no network code.
//!
//! ```text
//! run.rs       the corridor: order -> confine -> unpack -> program -> reap -> claim
//! link.rs      frames over the inherited socket (descriptor 0)
//! confine/     the order of the steps, and each step
//! unpack.rs    a stranger's archive, read by a child that may do nothing else
//! program.rs   the child that becomes the build
//! reaper.rs    waits on everything at once, ends the domain, proves it empty
//! slot/        one interpreter for several builds, stopped and looked at
//! broker/      answers the calls that the filter hands over
//! left_out.rs  layers that a test build lacks
//! clock.rs     when a test build has passed which step
//! sys.rs       the only file with `unsafe`
//! ```

mod broker;
mod clock;
mod confine;
mod error;
mod left_out;
mod link;
mod program;
mod reaper;
mod rooms;
mod run;
mod slot;
mod sockets;
mod sys;
mod unpack;

#[cfg(feature = "clock")]
pub use clock::tell_steps;
#[cfg(feature = "leave-out")]
pub use left_out::main_without;
pub use run::{main, main_up_to};
