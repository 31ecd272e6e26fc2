//! What people read: problems, progress, the last line. All of it goes to standard error.
//!
//! Texts are written with colours always; [`Talk`] takes them out where they do not belong.

mod display;
mod paint;
mod problem;
mod sheet;
mod size;
mod summary;
mod talk;
#[cfg(test)]
mod tests;
mod watch;

pub(crate) use problem::Problem;
pub(crate) use sheet::Sheet;
pub(crate) use size::bytes;
#[cfg(test)]
use size::seconds;
pub(crate) use summary::last_line;
pub(crate) use talk::Talk;
