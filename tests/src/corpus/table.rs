//! The table of results: for a terminal, and as a page.

use super::Difference;
use super::row::{Made, Row};

/// Returns the table as plain text, with a last line that counts.
#[must_use]
pub fn text(rows: &[Row]) -> String {
    let mut lines = vec![line(&[
        "name", "result", "seconds", "uv", "seconds", "level", "wheels", "denials",
    ])];
    lines.extend(
        rows.iter()
            .map(|row| line(&cells(row).each_ref().map(String::as_str))),
    );
    lines.push(counts(rows));
    lines.join("\n")
}

/// Returns the table in Markdown.
#[must_use]
pub fn page(rows: &[Row]) -> String {
    let mut text = "| name | result | seconds | uv | seconds | level | wheels | denials |\n\
                    |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for row in rows {
        let cells = cells(row).map(|cell| cell.replace('|', "\\|"));
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text.push_str(&format!("\n{}\n", counts(rows)));
    text
}

fn line(cells: &[&str; 8]) -> String {
    let [name, result, seconds, uv, theirs, level, wheels, denials] = cells;
    let line = format!(
        "{name:<34} {result:<8} {seconds:>8} {uv:<7} {theirs:>8}  {level:<9} {wheels}  {denials}"
    );
    line.trim_end().to_owned()
}

fn cells(row: &Row) -> [String; 8] {
    let seconds = |made: &Made| format!("{:.2}", made.seconds);
    let theirs = row.theirs.as_ref();
    let mut wheels = row
        .difference
        .as_ref()
        .map_or(String::new(), Difference::words);
    for note in &row.notes {
        wheels.push_str(&format!(" ({note})"));
    }
    [
        row.requirement.clone(),
        row.ours.result.clone(),
        seconds(&row.ours),
        theirs.map_or(String::new(), |made| made.result.clone()),
        theirs.map_or(String::new(), seconds),
        row.ours.level.clone().unwrap_or_default(),
        wheels,
        row.ours.denials.join(", "),
    ]
}

fn counts(rows: &[Row]) -> String {
    let built = rows.iter().filter(|row| row.ours.is_built()).count();
    let both: Vec<_> = rows
        .iter()
        .filter(|row| row.ours.is_built())
        .filter_map(|row| Some((row, row.theirs.as_ref().filter(|made| made.is_built())?)))
        .collect();
    let same = both
        .iter()
        .filter(|(row, _)| row.difference.as_ref().is_some_and(Difference::is_none))
        .count();
    let ours: f64 = both.iter().map(|(row, _)| row.ours.seconds).sum();
    let theirs: f64 = both.iter().map(|(_, made)| made.seconds).sum();
    let mut text = format!("{built} of {} built", rows.len());
    if !both.is_empty() {
        text.push_str(&format!(
            "; {} by both: {same} with the same name and members, in {ours:.1} s and {theirs:.1} s",
            both.len()
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(requirement: &str, result: &str, theirs: Option<&str>) -> Row {
        let made = |result: &str| Made {
            result: result.to_owned(),
            seconds: 1.5,
            ..Made::default()
        };
        let both = result == "built" && theirs == Some("built");
        Row {
            requirement: requirement.to_owned(),
            ours: made(result),
            theirs: theirs.map(made),
            difference: both.then(Difference::default),
            notes: Vec::new(),
        }
    }

    #[test]
    fn what_failed_is_counted_as_such() {
        let rows = [
            row("a==1", "built", Some("built")),
            row("b==1", "F0303", Some("built")),
            row("c==1", "built", None),
        ];
        let expected =
            "2 of 3 built; 1 by both: 1 with the same name and members, in 1.5 s and 1.5 s";
        assert_eq!(text(&rows).lines().last(), Some(expected));
        assert!(page(&rows).contains("| b==1 | F0303 | 1.50 | built | 1.50 |  |  |  |"));
    }
}
