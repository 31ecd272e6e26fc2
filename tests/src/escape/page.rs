//! `docs/escape-matrix.md`: made by a run, checked to be current.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use protocol::Guarantee;
use sha2::{Digest, Sha256};

use super::removal::Removal;
use super::rows::Row;
use super::table::Column;
use crate::prey::Tried;
use crate::search;

/// Begins the line that says of which rows and deeds the page was made.
const MADE_OF: &str = "Rows and deeds: ";

/// Returns the digest of the rows and of every deed.
///
/// # Panics
/// When the suite's own files can not be read.
#[must_use]
pub fn digest() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut whole = Sha256::new();
    for folder in ["backends", "escape"] {
        let files = search::files(&root.join(folder));
        let sources = files
            .iter()
            .filter(|path| !path.to_string_lossy().contains("__pycache__"));
        for path in sources {
            let name = path.strip_prefix(root).expect("a file of this crate");
            whole.update(name.as_os_str().as_encoded_bytes());
            whole.update(std::fs::read(path).expect("the suite's own files can be read"));
        }
    }
    hex::encode(whole.finalize())[..16].to_owned()
}

/// Returns the digest that a page was made of.
#[must_use]
pub fn pages_digest(page: &str) -> Option<&str> {
    let line = page.lines().find_map(|line| line.strip_prefix(MADE_OF))?;
    Some(line.trim_matches(['`', '.']))
}

/// Writes the page.
#[must_use]
pub fn page(
    rows: &[Row],
    host: &str,
    columns: &[Column],
    removals: &[(Removal, Option<Tried>)],
) -> String {
    let mut text = include_str!("../../escape/head.md").to_owned();
    let _ = writeln!(text, "Made on: {host}.\n{MADE_OF}`{}`.\n", digest());
    matrix(&mut text, rows, columns);
    past(&mut text, rows);
    layers(&mut text, rows, removals);
    guarantees(&mut text, rows, columns, removals);
    text
}

fn matrix(text: &mut String, rows: &[Row], columns: &[Column]) {
    text.push_str("## Rows\n\n| # | attack | stopped by | guarantee |");
    for column in columns {
        let _ = write!(text, " {} |", column.name);
    }
    text.push_str(" held by |\n|---|---|---|---|");
    text.push_str(&"---|".repeat(columns.len() + 1));
    text.push('\n');
    for row in rows.iter().filter(|row| !is_past(row)) {
        let guarantee = row.guarantee.map_or("", |one| one.word());
        let _ = write!(
            text,
            "| {} | {} | {} | {guarantee} |",
            row.number,
            row.attack,
            row.layers.join(", ")
        );
        for column in columns {
            let _ = write!(text, " {} |", column.cell(row));
        }
        let _ = writeln!(text, " {} |", held_by(row));
    }
    text.push('\n');
}

/// The deeds and tests of a row, or why it has none.
fn held_by(row: &Row) -> String {
    let deeds = row.deeds.iter().map(|(fixture, _)| fixture.clone());
    let tests = row.tests.iter().map(|name| format!("`{name}`"));
    let mut words: Vec<_> = deeds.chain(tests).collect();
    words.extend(
        row.reason
            .iter()
            .map(|reason| format!("accepted: {reason}")),
    );
    words.join(", ")
}

fn past(text: &mut String, rows: &[Row]) {
    text.push_str("## What the malware of the past did\n\n| # | behaviour | rows | held by |\n|---|---|---|---|\n");
    for row in rows.iter().filter(|row| is_past(row)) {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            row.number,
            row.attack,
            row.same.join(", "),
            held_by(row)
        );
    }
    text.push('\n');
}

fn is_past(row: &Row) -> bool {
    row.number.starts_with('A')
}

fn layers(text: &mut String, rows: &[Row], removals: &[(Removal, Option<Tried>)]) {
    text.push_str(
        "## Layers left out\n\n| left out | level | deed | harm that is done then | rows |\n|---|---|---|---|---|\n",
    );
    for (removal, tried) in removals {
        let harm: Vec<_> = tried.iter().flat_map(|tried| &tried.harm).collect();
        let told = match (tried, harm.is_empty()) {
            (None, _) => "not tried on this host".to_owned(),
            (Some(tried), true) if !tried.built => {
                format!("none: nothing is built; {} holds as well", removal.behind)
            }
            (Some(_), true) => format!("none: {} holds as well", removal.behind),
            (Some(_), false) => removal.opens.join(", "),
        };
        let opened = rows.iter().filter(|row| is_opened(row, removal, tried));
        let opened: Vec<_> = opened.map(|row| row.number.clone()).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {told} | {} |",
            removal.layers,
            removal.level(),
            removal.fixture,
            opened.join(", ")
        );
    }
}

/// Whether a row is one of those that a removal opened.
fn is_opened(row: &Row, removal: &Removal, tried: &Option<Tried>) -> bool {
    let harm: Vec<_> = tried.iter().flat_map(|tried| &tried.harm).collect();
    row.deeds.iter().any(|(fixture, ways)| {
        *fixture == removal.fixture
            && ways
                .iter()
                .any(|way| harm.iter().any(|harm| super::table::is(way, harm)))
    })
}

/// For each guarantee the rows that show it, and what of them opened when it was broken on purpose.
fn guarantees(
    text: &mut String,
    rows: &[Row],
    columns: &[Column],
    removals: &[(Removal, Option<Tried>)],
) {
    text.push_str(GUARANTEES);
    for guarantee in Guarantee::ALL {
        let of: Vec<_> = rows
            .iter()
            .filter(|row| row.guarantee == Some(guarantee) && !is_past(row))
            .collect();
        let is_tried = |row: &&&Row| {
            let own = columns.iter().filter(|column| column.is_own);
            own.into_iter()
                .any(|column| column.cell(row) == super::Cell::Closed)
        };
        let numbers = |rows: Vec<&&Row>| {
            let numbers: Vec<_> = rows.iter().map(|row| row.number.as_str()).collect();
            numbers.join(", ")
        };
        let tried: Vec<_> = of.iter().filter(is_tried).collect();
        let tested: Vec<_> = of.iter().filter(|row| !is_tried(row)).collect();
        let breaks = removals.iter().filter_map(|(removal, tried)| {
            let opened = of.iter().filter(|row| is_opened(row, removal, tried));
            let opened = numbers(opened.collect());
            (!opened.is_empty()).then(|| format!("{} ({opened})", removal.layers))
        });
        let breaks: BTreeSet<_> = breaks.collect();
        let breaks = match breaks.is_empty() {
            true => "no removal; the tests of the rows fail when it is false".to_owned(),
            false => breaks.into_iter().collect::<Vec<_>>().join("; "),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {breaks} |",
            guarantee.word(),
            numbers(tried),
            numbers(tested)
        );
    }
}

const GUARANTEES: &str = "
## Guarantees

Each entry of the vector stands or falls with these rows: the program must not print `enforced` where one of them is open, and the run that
writes this page fails if it does. The last column names the layers without which rows of the entry were open.

| guarantee | rows tried by a deed | rows held by named tests | falls without |
|---|---|---|---|
";
