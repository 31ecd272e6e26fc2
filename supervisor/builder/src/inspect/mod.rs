//! Judging what a build left behind: is this file the wheel that was asked for?
//!
//! ```text
//! o/dist --take_output--> a copy that the build never had open --inspect--> a wheel, or a refusal
//! ```
//!
//! Only the bytes count: nothing that a backend says about its output is asked. The caller ends the
//! build's last process first. Installing a wheel is the business of `environment`.
//!
//! People look through the same eyes (`fumehood inspect`): [`examine`] at wheels, [`inspect_sdist`] at sdists.

mod contents;
mod data;
mod dist_info;
mod entry_points;
mod error;
mod file;
mod made_sdist;
mod member;
mod notes;
mod oddities;
mod output;
mod prepared;
mod record;
mod sdist;
#[cfg(test)]
mod tests;
mod wheel;

pub use error::{BadWheel, OutputRefused};
pub use file::open_file;
pub use made_sdist::BadSdist;
pub(crate) use made_sdist::{ExpectedSdist, judge_sdist};
pub use output::take_output;
pub(crate) use prepared::take_metadata;
pub use sdist::{InspectedSdist, Workers, inspect_sdist};
pub(crate) use wheel::read_metadata;
pub use wheel::{Examined, Expected, Inspected, examine, inspect};
