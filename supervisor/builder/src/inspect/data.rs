//! `.data`: members that are installed outside site-packages, each by its scheme (PEP 427).

use std::collections::BTreeMap;

use model::WheelFilename;

use super::error::shown;
use super::member::Member;
use super::{BadWheel, dist_info, notes::Notes};

/// The folders below `.data` that installers know.
const SCHEMES: [&str; 5] = ["purelib", "platlib", "headers", "scripts", "data"];

/// Checks every member below a `.data` folder; names themselves were judged before.
pub(super) fn check(
    members: &BTreeMap<String, Member>,
    wheel: &WheelFilename,
    notes: &mut Notes,
) -> Result<(), BadWheel> {
    let mut outside = 0_u64;
    let mut first = None;
    for name in members.keys() {
        let Some((top, rest)) = name.split_once('/') else {
            continue;
        };
        if !top.to_ascii_lowercase().ends_with(".data") {
            continue;
        }
        let bad = |why| {
            Err(BadWheel::Data {
                member: shown(name),
                why,
            })
        };
        if !dist_info::belongs(top, ".data", (&wheel.name, &wheel.version)) {
            return bad("lies in a `.data` folder that is not the wheel's own");
        }
        match rest.split_once('/') {
            None => return bad("lies in `.data` itself, where nothing is installed from"),
            Some((scheme, _)) if !SCHEMES.contains(&scheme) => {
                return bad("lies in a folder of `.data` that no installer knows");
            }
            Some(("data", file)) => {
                outside += 1;
                first.get_or_insert_with(|| shown(file));
            }
            Some(_) => {}
        }
    }
    match first {
        Some(first) => notes.oddity(format!(
            "it installs {outside} files anywhere below the environment, `{first}` first"
        )),
        None => Ok(()),
    }
}

/// Returns a member's path below site-packages, if it is installed there.
pub(super) fn below_site_packages(name: &str) -> Option<&str> {
    match name.split_once('/') {
        Some((top, rest)) if top.to_ascii_lowercase().ends_with(".data") => {
            let (scheme, file) = rest.split_once('/')?;
            ["purelib", "platlib"].contains(&scheme).then_some(file)
        }
        _ => Some(name),
    }
}

/// Returns a member's path below the scripts' folder, if it is installed there.
pub(super) fn below_scripts(name: &str) -> Option<&str> {
    let (top, rest) = name.split_once('/')?;
    let (scheme, file) = rest.split_once('/')?;
    (top.to_ascii_lowercase().ends_with(".data") && scheme == "scripts").then_some(file)
}
