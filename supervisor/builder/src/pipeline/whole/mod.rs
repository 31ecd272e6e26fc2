//! A whole set of requirements: planned first, then carried out.
//!
//! ```text
//! settle      what is no bare requirement: which project and version it is      settle.rs
//! resolve     one version of every project                                      window.rs
//! plan        what the wheel of each would be                                   plan.rs
//! carry out   fetched or built, each as far as it goes                          carry_out.rs
//! ```

mod carry_out;
mod plan;
mod settle;
mod window;

pub use carry_out::carry_out;
pub use plan::plan;
