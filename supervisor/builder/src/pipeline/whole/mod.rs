//! A whole set of requirements: planned first, then carried out.
//!
//! ```text
//! settle      what is no bare requirement: which project and version it is      settle.rs
//! resolve     one version of every project                                      window.rs
//! plan        what the wheel of each would be                                   plan.rs
//! carry out   fetched or built, each as far as it goes                          carry_out.rs
//! fetch       or only fetched, with all that the builds will need               fetch.rs
//! ```

mod carry_out;
mod fetch;
mod plan;
mod settle;
mod window;

pub use carry_out::carry_out;
pub use fetch::fetch;
pub use plan::plan;
