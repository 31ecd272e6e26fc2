//! Kill points: system calls of the supervisor, chosen from outside, at which it is ended.
//!
//! A good run is traced first and every call that changes something in the cache or the output folder gets a
//! name ([`add_steps`]). Then a run is ended at one of them ([`Target`]), entering the call or leaving it. What watches
//! and kills is the program `killer`, which traces the supervisor's threads and nothing that it starts.

mod installation;
mod round;
mod shape;
mod steps;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use installation::{Became, Upgrade};
pub use round::{Ended, Scenario, one_round, trace};
pub use shape::shape;
pub use steps::{Step, add_steps};

/// What the killer is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// Where it writes the calls that it sees, one [`Seen`] a line.
    pub log: PathBuf,
    /// Calls that touch these folders count, each with the word that stands for it.
    pub places: Vec<(PathBuf, String)>,
    /// As whom the program runs; nothing for the killer's own user.
    pub uid: Option<u32>,
    /// Where to kill; nothing to watch only.
    pub target: Option<Target>,
}

/// A system call at which the program ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The call.
    pub call: String,
    /// Its paths, without what differs from run to run.
    pub shape: String,
    /// Which of those that look so, from 1.
    pub number: usize,
    /// After the kernel did it; else before.
    pub leaving: bool,
}

/// A call that the killer saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The call.
    pub call: String,
    /// Its paths as they were.
    pub paths: Vec<PathBuf>,
    /// Its paths, without what differs from run to run.
    pub shape: String,
    /// Here the program was ended.
    pub killed: bool,
}
