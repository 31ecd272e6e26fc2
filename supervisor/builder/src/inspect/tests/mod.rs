//! Promises of judging: hostile outputs and hostile wheels, each beside an honest one that passes.

mod installs;
mod making;
mod outputs;
mod wheels;
