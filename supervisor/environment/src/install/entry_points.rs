//! `entry_points.txt`: which functions become programs.

use super::tree::check_path;

/// The most programs of one wheel.
const MAX_PROGRAMS: usize = 1_000;

/// A function that becomes a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) module: String,
    pub(crate) attribute: String,
}

/// Returns the programs that `console_scripts` and `gui_scripts` name; the error says what is wrong
/// with the file.
pub(crate) fn programs(text: &str) -> Result<Vec<Program>, String> {
    let mut programs: Vec<Program> = Vec::new();
    let mut wanted = false;
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            wanted = matches!(section.trim(), "console_scripts" | "gui_scripts");
        } else if wanted {
            let program = program(line)?;
            if programs.iter().all(|known| known.name != program.name) {
                programs.push(program);
            }
            if programs.len() > MAX_PROGRAMS {
                return Err("it names too many programs".to_owned());
            }
        }
    }
    Ok(programs)
}

/// Parses `name = module:attribute [extras]`.
fn program(line: &str) -> Result<Program, String> {
    let bad = |why: &str| format!("an entry point {why}: `{}`", super::tree::printable(line));
    let (name, target) = line.split_once('=').ok_or_else(|| bad("has no target"))?;
    let target = target.split('[').next().unwrap_or_default();
    let (module, attribute) = target
        .split_once(':')
        .ok_or_else(|| bad("names no function"))?;
    let name = name.trim();
    if name.contains('/') || check_path(name).is_err() {
        return Err(bad("has a name that is no file name"));
    }
    let (module, attribute) = (module.trim(), attribute.trim());
    if !is_dotted(module) || !is_dotted(attribute) {
        return Err(bad("names something that is no module and function"));
    }
    Ok(Program {
        name: name.to_owned(),
        module: module.to_owned(),
        attribute: attribute.to_owned(),
    })
}

/// Whether the text is identifiers with dots between.
fn is_dotted(text: &str) -> bool {
    text.split('.').all(|part| {
        let mut letters = part.chars();
        letters
            .next()
            .is_some_and(|c| c == '_' || c.is_alphabetic())
            && letters.all(|c| c == '_' || c.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_scripts_are_programs_and_nothing_else_is() {
        let text = "[console_scripts]\nfoo = foo.cli:main\nbar=foo:Bar.run [color]\n\n[x.y]\na = b:c\n[gui_scripts]\nwin = foo.gui:main\n";
        let names: Vec<_> = programs(text)
            .unwrap()
            .into_iter()
            .map(|it| it.name)
            .collect();
        assert_eq!(names, ["foo", "bar", "win"]);
        assert_eq!(programs(text).unwrap()[1].attribute, "Bar.run");
    }

    #[test]
    fn names_that_leave_the_folder_and_targets_that_are_code_are_refused() {
        for line in [
            "../x = a:b",
            "x/y = a:b",
            "x = a:b();import os",
            "x = a",
            ". = a:b",
            " = a:b",
        ] {
            assert!(
                programs(&format!("[console_scripts]\n{line}\n")).is_err(),
                "{line}"
            );
        }
    }
}
