//! The bench: the same work by this program and by its peers, in turns, with medians and ratios.
//!
//! ```text
//! inputs      sdists and wheels of build requirements, fetched once, served on the loopback
//! who         the programs and what each is told
//! measured    one run: wall, processor, memory
//! scenario    what is run, from which cache
//! full        caches of many entries
//! run         all of that at one time, kept in a file
//! table       medians and ratios as text
//! plot        the same as a picture
//! ```

mod full;
mod generated;
mod inputs;
mod measured;
mod plot;
mod run;
mod scenario;
mod table;
mod who;

pub use full::FULL;
pub use inputs::Batch;
pub use measured::{MEASURE, Measured, be_the_parent};
pub use plot::plot;
pub use run::{Run, told};
pub use scenario::{Bench, Result, Scenario};
pub use table::{machine, table};
pub use who::{Peers, Who};
