//! The harness of the suite: worlds, a package index, archives, decoys and victims.
//!
//! The promises themselves stand in `tests/suite`. Everything here looks at the program from outside.

pub mod bench;
pub mod corpus;
pub mod decoy;
pub mod escape;
pub mod forged;
pub mod index;
pub mod killpoint;
pub mod machine;
pub mod prey;
pub mod processes;
pub mod publication;
pub mod search;
pub mod trace;

mod archives;
mod command;
mod companion;
mod excess;
mod git;
mod git_server;
mod hostile;
mod inputs;
mod listener;
mod outcome;
mod podman;
mod report;
mod runner;
mod running;
mod screen;
mod sdist;
mod setting;
mod site;
mod ssh_server;
mod unrun;
mod uv;
mod venv;
mod wheel;
mod world;

pub use archives::Flaw;
pub use command::Run;
pub use companion::Companion;
pub use excess::Excess;
pub use git::{FileServer, Repository};
pub use git_server::{Authority, GitServer};
pub use hostile::{Held, Prey, builders, hostile, hostile_in, release};
pub use index::{Fault, Gate, Index, Offer};
pub use inputs::Inputs;
pub use listener::Ear;
pub use outcome::Outcome;
pub use podman::{Contained, Filter, IMAGE, Podman};
pub use report::{Denial, Failure, Isolation, Report, Source, Wheel as BuiltWheel};
pub use runner::Runner;
pub use running::Running;
pub use screen::Screen;
pub use sdist::{Sdist, backends, gzip};
pub use setting::{Identity, Lacking, Namespaces, Setting};
pub use site::{Python, Site, script};
pub use ssh_server::SshServer;
pub use unrun::Unrun;
pub use venv::{Venv, everything, site_packages};
pub use wheel::Wheel;
pub use world::{World, scratches};
