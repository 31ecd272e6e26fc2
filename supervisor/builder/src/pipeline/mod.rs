//! The pipeline: from what was asked to a wheel in the cache.
//!
//! ```text
//! identify    the bytes: an index's file, a URL, an archive, a directory      identify.rs
//! hold        its hashes: those that somebody gave                            hold.rs
//! given       a wheel that was named by its place goes no further             given.rs
//! look up     where its project is looked for                             lookup.rs
//! find        kept already under this key?                                    ../shelf.rs
//! look        pyproject.toml, through the guards                              look.rs
//! equip       build requirements -> one immutable environment                 equip.rs, provider.rs
//! abreast     how many requests are under way                             abreast.rs
//! queue       which of those that are ready goes next                         queue.rs
//! make        a worker: unpack, hooks                                         make.rs, run.rs, warm.rs
//! describe    the metadata alone: what is fixed, what is kept, a hook         describe.rs, wheel_metadata.rs
//! retrace     what a failed build was refused: a second run with the trace on    retrace.rs
//! judge       the evidence                                                    judge.rs
//! sdist       of a folder, and a wheel from it                             sdist.rs
//! publish     copy, inspect, record, shelf                                    publish.rs
//! ```
//!
//! `whole/` plans for a set of requirements with everything that they need, and sends each down this corridor.

mod abreast;
mod bytecode;
mod corridor;
mod describe;
mod dialogue;
mod direct;
mod equip;
mod given;
mod hold;
mod identify;
mod jobs;
mod judge;
mod keep;
mod look;
mod lookup;
mod make;
mod needs;
mod pinned;
mod provider;
mod publish;
mod queue;
mod repository;
mod requirements;
mod retrace;
mod run;
mod sdist;
mod turn;
mod warm;
mod wheel_metadata;
mod whole;

pub use bytecode::{Compiled, Mode, compile_bytecode};
pub use corridor::wheels;
pub(crate) use corridor::{Builds, blocking};
pub(crate) use describe::Told;
pub use describe::metadata;
pub(crate) use equip::Memo;
pub(crate) use given::GivenWheel;
pub(crate) use identify::specifiers_of;
pub(crate) use retrace::PROPOSAL;
pub use sdist::build;
pub(crate) use turn::Turns;
pub use whole::{carry_out, fetch, plan};
