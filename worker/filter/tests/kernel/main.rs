//! The filters on the running kernel. Each case starts this program again as a child that puts
//! itself behind a filter; nothing is shared with other tests, and nothing is faked.
//!
//! Not here: single rules (the unit tests run all of them through an interpreter).
#![expect(
    clippy::unwrap_used,
    reason = "clippy knows tests by libtest's attribute alone"
)]

mod attempts;
mod boundaries;
mod child;
mod harness;
mod listening;
mod requests;
mod sys;
mod work;

use std::process::ExitCode;

const CASES: &[(&str, fn())] = &[
    (
        "what_the_rules_refuse_is_refused",
        attempts::what_the_rules_refuse_is_refused,
    ),
    (
        "descriptors_opened_for_reading_change_nothing",
        requests::descriptors_opened_for_reading_change_nothing,
    ),
    (
        "unpacking_has_files_and_nothing_else",
        boundaries::unpacking_has_files_and_nothing_else,
    ),
    (
        "the_32_bit_entry_ends_the_process",
        boundaries::the_32_bit_entry_ends_the_process,
    ),
    (
        "another_architecture_ends_the_process",
        boundaries::another_architecture_ends_the_process,
    ),
    (
        "a_filter_wants_no_new_privileges",
        boundaries::a_filter_wants_no_new_privileges,
    ),
    (
        "a_connect_is_reported_with_its_address",
        listening::a_connect_is_reported_with_its_address,
    ),
    ("metadata_is_brokered", listening::metadata_is_brokered),
    (
        "opening_and_starting_is_recorded_and_goes_on",
        listening::opening_and_starting_is_recorded_and_goes_on,
    ),
    (
        "a_descriptor_is_replaced",
        listening::a_descriptor_is_replaced,
    ),
    (
        "a_caller_that_dies_is_no_error",
        listening::a_caller_that_dies_is_no_error,
    ),
    ("memory_ends_at_a_page", listening::memory_ends_at_a_page),
    ("ordinary_programs_work", work::ordinary_programs_work),
    (
        "ordinary_programs_work_with_a_listener",
        work::ordinary_programs_work_with_a_listener,
    ),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("child") => child::main(&arguments[1..]),
        _ => harness::main(CASES, &arguments),
    }
}
