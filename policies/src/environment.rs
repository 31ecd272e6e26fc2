//! The variables of a policy: what is set, what may come from the caller, and the folders of `PATH`.

use std::collections::BTreeMap;

use protocol::AbsPath;

use crate::PolicyError;
use crate::document::Section;
use crate::guard;

/// The variables that a build sees, beside those that the builder itself decides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    pub(crate) path: Vec<Folder>,
    pub(crate) path_why: String,
    pub(crate) set: BTreeMap<String, Setting>,
    /// Names that the caller's environment fills, with the reason.
    pub(crate) pass: BTreeMap<String, String>,
}

/// One variable with a fixed value.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) value: String,
    pub(crate) why: String,
}

/// One folder of `PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    /// `bin` of the build environment.
    Environment,
    /// A folder of the host.
    Path(AbsPath),
}

/// Reads `[environment]` over what is already set.
pub(crate) fn read(
    section: &Section<'_>,
    environment: &mut Environment,
) -> Result<(), PolicyError> {
    section.only(&["path", "set", "pass"])?;
    if let Some(path) = section.table("path")? {
        read_path(&path, environment)?;
    }
    if let Some(all) = section.table("set")? {
        for name in all.keys() {
            check_name(&all, name)?;
            let one = table(&all, name)?;
            one.only(&["value", "why"])?;
            let value = one
                .text("value")?
                .ok_or_else(|| one.fail("value", "it is missing", "write value = \"...\""))?;
            if value.chars().any(char::is_control) || value.len() > 4096 {
                let problem = "control characters, or more than 4,096 bytes";
                return Err(one.fail("value", problem, "write one plain line"));
            }
            let setting = Setting {
                value: value.to_owned(),
                why: why(&one)?,
            };
            environment.pass.remove(name);
            environment.set.insert(name.to_owned(), setting);
        }
    }
    if let Some(all) = section.table("pass")? {
        for name in all.keys() {
            check_name(&all, name)?;
            let one = table(&all, name)?;
            one.only(&["why"])?;
            environment.set.remove(name);
            environment.pass.insert(name.to_owned(), why(&one)?);
        }
    }
    Ok(())
}

fn read_path(section: &Section<'_>, environment: &mut Environment) -> Result<(), PolicyError> {
    section.only(&["folders", "why"])?;
    let instead = "write folders = [\"environment\", \"/usr/bin\"]";
    let words = section
        .texts("folders")?
        .ok_or_else(|| section.fail("folders", "it is missing", instead))?;
    environment.path_why = why(section)?;
    environment.path = words
        .into_iter()
        .map(|word| match word {
            "environment" => Ok(Folder::Environment),
            _ if word.contains(':') => {
                Err(section.fail("folders", "a folder of PATH holds `:`", instead))
            }
            _ => guard::path_of_a_policy(word)
                .map(Folder::Path)
                .map_err(|(problem, _)| section.fail("folders", &problem, instead)),
        })
        .collect::<Result<_, _>>()?;
    Ok(())
}

fn table<'d>(all: &Section<'d>, name: &str) -> Result<Section<'d>, PolicyError> {
    all.table(name)?
        .ok_or_else(|| all.fail(name, "it is missing", "write a table of its own"))
}

fn why(section: &Section<'_>) -> Result<String, PolicyError> {
    let instead = "write why = \"...\": each variable has a reason";
    section.required("why", instead).map(str::to_owned)
}

fn check_name(section: &Section<'_>, name: &str) -> Result<(), PolicyError> {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if name.is_empty() || !plain || name.as_bytes()[0].is_ascii_digit() || name.len() > 256 {
        let instead = "write letters, digits and `_`, a letter or `_` first";
        return Err(section.fail(name, "not the name of a variable", instead));
    }
    let (problem, instead) = match name {
        "PATH" => (
            "PATH is made of folders",
            "write [environment.path] with folders = [...] and why = \"...\"",
        ),
        "HOME" | "TMPDIR" | "TMP" | "TEMP" | "PWD" => (
            "this is always a folder of the build itself",
            "leave it out",
        ),
        "LD_PRELOAD" | "LD_AUDIT" => (
            "it puts code into every program of the build, Python included",
            "leave it out",
        ),
        _ if name.starts_with("PYTHON") || name.starts_with("XDG_") => {
            ("the builder decides it", "leave it out")
        }
        _ if name.starts_with("FUMEHOOD_") => ("it would steer fumehood itself", "leave it out"),
        _ => return Ok(()),
    };
    Err(section.fail(name, problem, instead))
}
