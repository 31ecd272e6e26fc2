//! Names for the calls of a good run: what they work on, and what they do to it.
//!
//! What has a staging name is called by what becomes of it later in the run.

use std::collections::BTreeMap;

use super::{Scenario, Seen, Target};

/// A named step and the calls of it that good runs made.
#[derive(Clone, Debug)]
pub struct Step {
    /// `environment: rename`.
    pub name: String,
    /// One target a call, killed before the kernel does it.
    pub targets: Vec<(Scenario, Target)>,
}

/// Adds the calls of a good run to the steps of their names, in the order of their first calls.
pub fn add_steps(steps: &mut Vec<Step>, scenario: Scenario, trace: &[Seen]) {
    let fates = fates(trace);
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for call in trace {
        let number = seen.entry((&call.call, &call.shape)).or_default();
        *number += 1;
        let target = Target {
            call: call.call.clone(),
            shape: call.shape.clone(),
            number: *number,
            leaving: false,
        };
        let name = name(call, &fates);
        match steps.iter_mut().find(|step| step.name == name) {
            Some(step) => step.targets.push((scenario, target)),
            None => steps.push(Step {
                name,
                targets: vec![(scenario, target)],
            }),
        }
    }
}

/// Returns what becomes of each staging name.
fn fates(trace: &[Seen]) -> BTreeMap<String, String> {
    let mut fates = BTreeMap::new();
    // Backwards: a file may be moved into a folder that is moved later.
    for call in trace.iter().rev().filter(|call| call.call == "rename") {
        let ([from, to], Some((from_shape, to_shape))) =
            (call.paths.as_slice(), call.shape.split_once(" -> "))
        else {
            continue;
        };
        match (
            staging_name(&from.to_string_lossy()),
            staging_name(&to.to_string_lossy()),
        ) {
            (Some(name), Some(later)) => {
                let fate = fates.get(&later).cloned();
                fates
                    .entry(name)
                    .or_insert_with(|| fate.unwrap_or_else(|| "unfinished".into()));
            }
            (Some(name), None) => {
                fates
                    .entry(name)
                    .or_insert_with(|| thing(to_shape).to_owned());
            }
            (None, Some(name)) => {
                fates
                    .entry(name)
                    .or_insert_with(|| format!("removal of {}", thing(from_shape)));
            }
            (None, None) => {}
        }
    }
    fates
}

/// Returns the name below the staging bucket that a path has.
fn staging_name(path: &str) -> Option<String> {
    let (_, rest) = path.split_once("/staging-v1/")?;
    rest.split('/').next().map(str::to_owned)
}

fn name(call: &Seen, fates: &BTreeMap<String, String>) -> String {
    let (first, last) = call
        .shape
        .split_once(" -> ")
        .unwrap_or((&call.shape, &call.shape));
    let staged = call
        .paths
        .iter()
        .find_map(|path| fates.get(&staging_name(&path.to_string_lossy())?));
    let thing = staged.map_or_else(|| thing(last), String::as_str);
    let is_staged = first.contains("/staging-v1/");
    if call.call == "mkdir" && !is_staged && !first.contains('<') && first.ends_with("-v1") {
        return "root: make a bucket".to_owned();
    }
    if thing.starts_with("removal of")
        && !matches!(call.call.as_str(), "rename" | "unlink" | "rmdir")
    {
        return "removal: lease".to_owned();
    }
    if call.call == "mkdir" && !is_staged && first.contains("-v1/") {
        return "entry: make a folder above".to_owned();
    }
    let deed = match call.call.as_str() {
        "mkdir" => "make a folder",
        "sync" if is_folder(first) => "sync the folder",
        "rename" if !is_staged && last.contains("/staging-v1/") => "move out",
        "unlink" | "rmdir" => "remove",
        "create" | "chmod" | "truncate" => "write",
        other => other,
    };
    format!("{thing}: {deed}")
}

/// Whether a shape outside of staging is that of a folder in which entries lie.
fn is_folder(shape: &str) -> bool {
    !["/staging-v1/", ".json", "<nameless>", "<unfinished>"]
        .iter()
        .any(|part| shape.contains(part))
}

/// Returns what people call what lies at a path.
fn thing(shape: &str) -> &'static str {
    const THINGS: [(&str, &str); 20] = [
        ("cache/sources-v1", "source"),
        ("cache/downloads-v1", "download"),
        ("cache/simple-v1", "page"),
        ("cache/pointers-v1", "pointer"),
        ("cache/revisions-v1", "revision record"),
        ("cache/interpreters-v1", "interpreter record"),
        ("cache/environments-v1", "environment"),
        ("cache/wheels-v1/by-key", "wheel's key"),
        ("cache/wheels-v1", "wheel"),
        ("cache/logs-v1", "log"),
        ("cache/locks-v1", "lock"),
        ("cache/git-v1", "git repository"),
        ("cache/staging-v1", "unfinished"),
        ("cache/<scratch>", "scratch"),
        ("cache/fumehood", "mark"),
        ("cache/.fumehood-", "mark"),
        ("cache/CACHEDIR.TAG", "mark"),
        ("cache/.gitignore", "mark"),
        ("cache", "root"),
        ("out", "delivery"),
    ];
    THINGS
        .iter()
        .find(|(prefix, _)| shape.starts_with(prefix))
        .map_or("elsewhere", |(_, thing)| thing)
}
