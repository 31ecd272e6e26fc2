//! The escape matrix: each attack has what holds it, the page is current, and each layer holds something.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use protocol::Guarantee;
use tests::escape::{LAYERS, Removal, Row, at_once, contained, digest, pages_digest};
use tests::prey::{
    Bounds, Deed, Facts, Granted, Inherited, Kernel, Orders, Tenants, Tried, Watched,
};
use tests::{Sdist, Setting, World, hostile, hostile_in};

use crate::promises::{functions, repository};
use crate::site;

/// Every test of this repository.
fn tests_there() -> BTreeSet<String> {
    let rooms = [
        "archive",
        "fuzz",
        "policies",
        "protocol",
        "supervisor",
        "tests",
        "worker",
    ];
    rooms
        .iter()
        .flat_map(|folder| functions(&repository().join(folder)))
        .collect()
}

#[test]
fn every_attack_has_a_test_or_a_reason_and_every_test_is_there() {
    let rows = Row::all();
    let numbers: Vec<_> = rows.iter().map(|row| row.number.clone()).collect();
    let of = |prefix: &str, last: u32| {
        (1..=last)
            .map(move |number| format!("{prefix}{number}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers, [of("", 125), of("G", 1), of("A", 44)].concat());
    let there = tests_there();
    for row in &rows {
        assert!(!row.attack.is_empty(), "{row:?}");
        for layer in &row.layers {
            assert!(LAYERS.contains(&layer.as_str()), "{layer} in {row:?}");
        }
        for same in &row.same {
            assert!(numbers.contains(same), "{same} in {row:?}");
        }
        for (fixture, ways) in &row.deeds {
            assert_eq!(Deed::named(fixture).fixture, fixture);
            assert!(!ways.is_empty(), "{row:?}");
        }
        for name in &row.tests {
            assert!(there.contains(name), "{name} in {row:?}");
        }
        let is_held = !row.deeds.is_empty() || !row.tests.is_empty() || !row.same.is_empty();
        assert!(is_held || row.reason.is_some(), "nothing holds {row:?}");
    }
    let accepted = rows.iter().filter(|row| row.reason.is_some());
    let accepted: Vec<_> = accepted.map(|row| row.number.as_str()).collect();
    assert_eq!(accepted, ["17", "18", "30", "32", "53", "A35"]);
}

/// Rows that are open in part or everywhere, and say why.
const OPEN: [&str; 2] = ["17", "30"];

#[test]
fn the_page_of_the_matrix_is_current_and_no_row_is_open_here() {
    let path = repository().join("docs/escape-matrix.md");
    let page = fs::read_to_string(path).expect("the page");
    assert_eq!(
        pages_digest(&page),
        Some(digest().as_str()),
        "rows or deeds have changed: cargo run -p tests --bin escape -- --write"
    );
    let header = page.lines().find(|line| line.starts_with("| # | attack |"));
    let header = header.expect("the table of rows has a header");
    let is_own = |cell: &str| cell.trim().starts_with("uid ");
    let own: Vec<_> = header.split('|').map(is_own).collect();
    assert!(own.contains(&true), "{header}");
    for row in Row::all() {
        let beginning = format!("| {} | {} |", row.number, row.attack);
        let line = page.lines().find(|line| line.starts_with(&beginning));
        let line = line.unwrap_or_else(|| panic!("{row:?} is not on the page"));
        let is_accepted = OPEN.contains(&row.number.as_str()) && row.reason.is_some();
        if !row.number.starts_with('A') && !is_accepted {
            let cells = line.split('|').zip(&own).filter(|(_, is_own)| **is_own);
            for (cell, _) in cells {
                assert!(!cell.contains("open"), "{line}");
            }
        }
    }
}

#[test]
fn each_guarantee_that_is_printed_as_enforced_has_a_row_that_would_show_otherwise() {
    let rows = Row::all();
    for setting in [Setting::all(site()), Setting::lower(site())].concat() {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("honest", "1.0");
        let done = world.build(&sdist).finish();
        let isolation = done
            .built(&sdist.wheel())
            .isolation
            .expect("a built wheel tells its isolation");
        for guarantee in Guarantee::ALL {
            let is_printed = isolation.guarantees[guarantee.word()] == "enforced";
            let is_shown = rows.iter().any(|row| {
                let is_tried = !row.deeds.is_empty() || !row.tests.is_empty();
                row.guarantee == Some(guarantee) && is_tried
            });
            assert!(!is_printed || is_shown, "{}: {setting}", guarantee.word());
        }
    }
}

#[test]
fn inside_a_container_with_the_refusals_of_docker_no_row_is_open() {
    let deeds = [
        "calls_the_kernel",
        "changes_metadata",
        "connects_to_ports",
        "connects_to_unix_sockets",
        "reads_processes",
        "reads_secrets",
        "writes_outside",
    ]
    .map(Deed::named);
    let program = Path::new(env!("CARGO_BIN_EXE_escape"));
    let Some(columns) = contained(site(), program, &deeds) else {
        return;
    };
    let rows = Row::all();
    let (own, alone): (Vec<_>, Vec<_>) = columns.iter().partition(|column| column.is_own);
    assert!(!own.is_empty() && !alone.is_empty());
    for column in own {
        assert_eq!(column.level(), Some("confined"), "{}", column.name);
        assert_eq!(column.broken_words(&rows), [], "{}", column.name);
        for (fixture, tried) in column.all_tried() {
            let Tried {
                built, harm, said, ..
            } = tried;
            assert!(*built && harm.is_empty(), "{fixture} did {harm:?}: {said}");
        }
    }
    // What the container keeps from builds itself is not this program's doing.
    for column in alone {
        for (fixture, tried) in column.all_tried() {
            assert!(!tried.harm.is_empty(), "{fixture}: {}", tried.said);
        }
    }
}

#[test]
fn each_layer_that_is_left_out_lets_named_harm_be_done_or_another_one_holds_as_well() {
    let mut wrong = Vec::new();
    let all = Removal::all();
    let came = at_once(&all, |removal| (removal.clone(), removal.attempt(site())));
    for (removal, tried) in came {
        let Some(tried) = tried else {
            site()
                .unrun
                .note(&format!("a setting without {}", removal.layers));
            continue;
        };
        wrong.extend(removal.mistake(&tried));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn no_descriptor_of_the_caller_reaches_a_build() {
    hostile(site(), "reads_descriptors", Inherited::lay);
}

#[test]
fn a_build_that_watches_a_folder_learns_no_names() {
    hostile(site(), "watches_files", Watched::lay);
}

#[test]
fn every_limit_of_a_build_is_below_that_of_the_caller() {
    hostile(site(), "waits", |_, _| Bounds::default());
}

#[test]
fn a_build_that_asks_the_kernel_for_what_no_build_needs_gets_nothing() {
    hostile(site(), "calls_the_kernel", |world, _| Kernel::lay(world));
}

#[test]
fn a_build_that_goes_after_another_one_gets_and_leaves_nothing() {
    hostile_in(site(), &Setting::all(site()), "robs_tenants", Tenants::lay);
}

#[test]
fn a_build_that_was_given_files_to_read_changes_nothing_about_them() {
    hostile(site(), "writes_what_it_may_read", Granted::lay);
}

#[test]
fn what_commands_terminals_never_leaves_the_program() {
    // What shows the output is the same in every setting.
    hostile_in(
        site(),
        &[Setting::PLAIN],
        "commands_the_terminal",
        |_, _| Orders::default(),
    );
}

#[test]
fn a_build_that_reads_what_identifies_the_host_gets_nothing() {
    let settings = Setting::all(site());
    hostile_in(site(), &settings, "reads_the_host", |world, _| {
        Facts::lay(world)
    });
}
