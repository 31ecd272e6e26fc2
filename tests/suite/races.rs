//! Names that change their meaning while a call is under way: whoever acts for the build must not be led astray.

use crate::site;
use tests::prey::Lured;
use tests::{Setting, hostile_in};

#[test]
fn a_build_that_exchanges_names_under_the_broker_gets_nothing_changed_and_nobody_answers() {
    // Elsewhere no broker acts for a build.
    let settings = Setting::all(site());
    hostile_in(site(), &settings, "swaps_paths", Lured::lay);
}
