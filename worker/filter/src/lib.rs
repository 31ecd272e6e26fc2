//! The system-call filter of a build: rules as data, a compiler to classic BPF, its installation,
//! and the conversation about the calls that the filter leaves to the worker.
//!
//! ```text
//! rules (per stage)  --compile-->  Program  --install-->  kernel  --Request-->  Listener
//! ```
//!
//! Not here: what a notified call is answered (the worker's broker), Landlock, namespaces, limits.

mod arch;
mod disassembly;
mod emit;
#[cfg(feature = "leave-out")]
mod left_out;
mod notify;
mod rules;
mod spec;
mod sys;
mod table;
#[cfg(test)]
mod tests;

pub use arch::Arch;
pub use emit::{Instruction, Program, compile};
#[cfg(feature = "leave-out")]
pub use left_out::{Group, compile_without};
pub use notify::{Call, Listener, Request};
pub use spec::{Spec, Stage};
pub use sys::{install, read_memory};
