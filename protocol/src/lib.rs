//! The words that supervisor and worker exchange: pure values, no I/O, no policy.
//!
//! ```text
//! supervisor                                   worker
//!     | ---- Order::Start(Assignment) ----------> |  read once, complete, absolute
//!     | <--- Event::Confined(IsolationReport) --- |  before any byte of a stranger is touched
//!     | <--- Event::Unpacked -------------------- |  only if the assignment unpacks
//!     | <--- Event::Ready ----------------------- |  the program runs and waits for a call
//!     | ---- Order::Call(HookCall) -------------> |  as often as the supervisor likes
//!     | <--- Event::Denied ---------------------- |  at any time, counted
//!     | <--- Event::Traced ---------------------- |  only if the assignment traces, counted
//!     | <--- Event::Returned -------------------- |  what the hook wrote into its result file
//!     | ---- Order::End ------------------------> |
//!     | <--- Event::Finished(Claim) ------------- |  "domain empty": no process of the build is left
//! ```
//!
//! A worker with a [`Slot`] serves several builds, and a part of this is said for each of them:
//!
//! ```text
//!     | <--- Event::Rested ---------------------- |  the interpreter stands still, a build waits to be told
//!     | ---- Order::Build, and an archive ------> |  the rooms are there
//!     | <--- Event::Unpacked, Ready ... Denied -- |  as above
//!     | ---- Order::End ------------------------> |
//!     | <--- Event::Built(Claim) ---------------- |  or `Finished`, if the slot is of no more use
//!     | ---- Order::Rest -----------------------> |  the rooms are gone
//! ```
//!
//! The link is a stream socket; when its far end closes, each half ends its work. A worker that can
//! not go on says [`Event::Faulted`]. What a worker says is a claim, never a fact.

mod assignment;
mod call;
mod claim;
mod confinement;
mod denial;
mod event;
mod fault;
mod frame;
mod isolation;
mod limits;
mod order;
mod path;
mod trace;

pub use assignment::{Assignment, Listing, Program, Rooms, Slot, SlotBuild, Top, Unpack};
pub use call::{Hook, HookCall, HookReturn};
pub use claim::{Claim, Ending, Usage};
pub use confinement::{Access, Confinement, Namespaces, Network, PathGrant};
pub use denial::Denial;
pub use event::Event;
pub use fault::{Fault, Step};
pub use frame::{FrameError, MAX_FRAME, PushDecoder, decode, encode};
pub use isolation::{Enforcement, Guarantee, Guarantees, IsolationReport, Level};
pub use limits::{Limit, Limits};
pub use order::Order;
pub use path::{AbsPath, PathError};
pub use trace::{Touch, Trace, Verdict};
