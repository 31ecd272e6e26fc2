//! Environments of wheels made here, run by a real Python.

mod bytecode;
mod layout;
mod refusals;
mod verify;
pub(crate) mod world;
