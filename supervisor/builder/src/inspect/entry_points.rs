//! `entry_points.txt`: installers make programs of it, so its text ends up in file names and in code.
//!
//! Two readers are in use, which disagree on indented lines; where they do, programs are refused.

use std::collections::BTreeMap;

use model::WheelFilename;

use super::contents::Contents;
use super::error::shown;
use super::{BadWheel, notes::Notes, oddities};

const CAP: u64 = 1 << 20;

/// Groups whose entries become programs.
const PROGRAMS: [&str; 2] = ["console_scripts", "gui_scripts"];

/// Checks the file, if there is one, and returns the programs with the functions that they call.
pub(super) fn check(
    contents: &mut Contents<'_>,
    folder: &str,
    wheel: &WheelFilename,
    notes: &mut Notes,
) -> Result<BTreeMap<String, String>, BadWheel> {
    let Some(bytes) = contents.read(&format!("{folder}/entry_points.txt"), CAP)? else {
        return Ok(BTreeMap::new());
    };
    let programs = programs(&bytes, notes)?;
    for program in programs.keys() {
        oddities::check_program(program, wheel, notes)?;
    }
    Ok(programs)
}

/// Returns the programs and their functions.
fn programs(bytes: &[u8], notes: &mut Notes) -> Result<BTreeMap<String, String>, BadWheel> {
    let text = std::str::from_utf8(bytes).map_err(|_| bad(1, "the file is not UTF-8", ""))?;
    let mut group: Option<&str> = None;
    let mut programs = BTreeMap::new();
    for (number, line) in text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .lines()
        .enumerate()
    {
        let refuse = |why| Err(bad(number + 1, why, line));
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if trimmed
            .chars()
            .any(|letter| letter.is_control() && letter != '\t')
        {
            return refuse("a control character");
        }
        let in_programs = group.is_some_and(|group| PROGRAMS.contains(&group));
        if line.starts_with(char::is_whitespace) && in_programs {
            return refuse("an indented line, which readers understand in two ways");
        }
        if let Some(name) = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            if !is_group(name) {
                return refuse("not the name of a group");
            }
            group = Some(name);
            continue;
        }
        if group.is_none() {
            return refuse("a line before the first group");
        }
        let parts = trimmed
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()));
        match parts {
            Some((name, value)) if in_programs => {
                if !is_program(name) {
                    return refuse("not the name of a program");
                }
                if !is_reference(value) {
                    return refuse("not a function of a module (`package.module:function`)");
                }
                let twice = programs.insert(name.to_owned(), value.to_owned());
                if twice.is_some() {
                    return refuse("a program that is named twice");
                }
            }
            None if in_programs => return refuse("no `=`"),
            Some((name, _)) if !name.is_empty() => {}
            _ => notes.note(format!(
                "entry_points.txt, line {}, is not understood: `{}`",
                number + 1,
                shown(trimmed)
            )),
        }
    }
    Ok(programs)
}

/// Letters, digits, `_` and `-` between dots.
fn is_group(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'))
    };
    name.len() <= 255 && name.split('.').all(part)
}

/// A plain file name that no shell and no installer takes for something else.
fn is_program(name: &str) -> bool {
    let plain = |letter: char| {
        letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '+' | '@' | ' ')
    };
    !name.is_empty()
        && name.len() <= 255
        && !name.starts_with(['-', '.'])
        && name.chars().all(plain)
}

/// `package.module:object.attribute`, extras behind it; installers write the parts into code.
fn is_reference(value: &str) -> bool {
    let (object, extras) = match value.split_once('[') {
        Some((object, extras)) => (object.trim_end(), Some(extras)),
        None => (value, None),
    };
    let identifier = |part: &str| {
        let part = part.trim_matches(' ');
        part.chars()
            .next()
            .is_some_and(|first| first.is_alphabetic() || first == '_')
            && part
                .chars()
                .all(|letter| letter.is_alphanumeric() || letter == '_')
    };
    let dotted = |text: &str| text.split('.').all(identifier);
    let extra =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | ',' | ' ');
    let extras_fit = extras.is_none_or(|extras| {
        extras
            .strip_suffix(']')
            .is_some_and(|inner| inner.chars().all(extra))
    });
    object
        .split_once(':')
        .is_some_and(|(module, function)| dotted(module) && dotted(function))
        && extras_fit
}

fn bad(line: usize, why: &'static str, text: &str) -> BadWheel {
    BadWheel::EntryPoint {
        line,
        why,
        text: shown(text),
    }
}
