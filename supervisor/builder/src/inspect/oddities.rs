//! What a wheel may bring that acts without being asked, or in another project's name.

use std::collections::{BTreeMap, BTreeSet};

use model::WheelFilename;

use super::error::shown;
use super::member::Member;
use super::{BadWheel, data, notes::Notes};

/// Top-level names that everybody has installed, and whose they are.
const FOREIGN: [(&str, &str); 7] = [
    ("pip", "pip"),
    ("setuptools", "setuptools"),
    ("pkg_resources", "setuptools"),
    ("_distutils_hack", "setuptools"),
    ("wheel", "wheel"),
    ("_virtualenv", "virtualenv"),
    ("_pytest", "pytest"),
];

/// Programs of an environment that no package should replace.
const ENVIRONMENT_PROGRAMS: [&str; 7] = [
    "activate",
    "activate_this.py",
    "env",
    "sh",
    "bash",
    "pip",
    "pip3",
];

/// Looks at every member.
pub(super) fn look(
    members: &BTreeMap<String, Member>,
    wheel: &WheelFilename,
    notes: &mut Notes,
) -> Result<(), BadWheel> {
    let mut tops = BTreeSet::new();
    for name in members.keys() {
        if let Some(file) = data::below_site_packages(name) {
            match file.split_once('/') {
                None => look_at_file(file, notes)?,
                Some((folder, _)) => {
                    tops.insert(folder);
                }
            }
            tops.insert(file.split(['/', '.']).next().unwrap_or(file));
        }
        if let Some(program) = data::below_scripts(name) {
            check_program(program, wheel, notes)?;
        }
    }
    for top in tops {
        if top == "sitecustomize" || top == "usercustomize" {
            notes.oddity(format!("`{top}` runs at every start of Python"))?;
        }
        if top.ends_with(".egg-info") {
            notes.oddity(format!(
                "it brings the folder `{}` of another kind of installation",
                shown(top)
            ))?;
        }
        let owner = FOREIGN.iter().find(|(foreign, _)| *foreign == top);
        if let Some((_, owner)) = owner
            && wheel.name.as_ref() != *owner
        {
            notes.oddity(format!("it brings `{top}`, which belongs to {owner}"))?;
        }
    }
    look_for_programs(members, wheel, notes)
}

/// Judges the name of a program that would stand in the environment's `bin`.
pub(super) fn check_program(
    program: &str,
    wheel: &WheelFilename,
    notes: &mut Notes,
) -> Result<(), BadWheel> {
    let version = program
        .strip_prefix("python")
        .or_else(|| program.strip_prefix("pypy"));
    let is_python = version.is_some_and(|rest| {
        rest.chars()
            .all(|letter| letter.is_ascii_digit() || letter == '.')
    });
    let is_pip = program.starts_with("pip") && wheel.name.as_ref() == "pip";
    if is_python || (ENVIRONMENT_PROGRAMS.contains(&program) && !is_pip) {
        notes.oddity(format!(
            "it replaces the program `{}` of the environment",
            shown(program)
        ))?;
    }
    Ok(())
}

fn look_at_file(file: &str, notes: &mut Notes) -> Result<(), BadWheel> {
    let lower = file.to_ascii_lowercase();
    if lower.ends_with(".pth") || lower.ends_with(".start") {
        notes.oddity(format!(
            "`{}` is read, and may run code, at every start of Python",
            shown(file)
        ))?;
    }
    Ok(())
}

/// A wheel for every platform that holds machine code says the wrong thing about itself.
fn look_for_programs(
    members: &BTreeMap<String, Member>,
    wheel: &WheelFilename,
    notes: &mut Notes,
) -> Result<(), BadWheel> {
    if wheel.platform.iter().any(|platform| platform != "any") {
        return Ok(());
    }
    let is_binary = |name: &&String| {
        let name = name.to_ascii_lowercase();
        [".so", ".pyd", ".dll", ".dylib", ".exe"]
            .iter()
            .any(|end| name.ends_with(end))
            || name.contains(".so.")
    };
    let binaries: Vec<_> = members.keys().filter(is_binary).collect();
    match binaries.first() {
        Some(first) => notes.oddity(format!(
            "it is for every platform and holds {} files of machine code, `{}` first",
            binaries.len(),
            shown(first)
        )),
        None => Ok(()),
    }
}
