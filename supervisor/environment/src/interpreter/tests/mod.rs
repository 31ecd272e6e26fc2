//! The search on made-up installations, the question on a real one.

mod answer;
mod place;
mod search;

pub(crate) use place::real_python;
