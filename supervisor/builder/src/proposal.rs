//! The policy that a traced build would have needed: the narrowest built-in one that has all it used, what it
//! used besides, and what it was refused and missed. `--policy` accepts it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::PythonFacts;
use policies::Policy;
use protocol::{AbsPath, Access, PathGrant, Touch, Trace, Verdict};

use crate::assignment::{ENVIRONMENT_AT, ROOMS_AT, compile};
use crate::refusal::Refusal;
use crate::settings::Settings;

/// Writes the policy down.
pub(crate) fn of(
    label: &str,
    settings: &Settings,
    traces: &[Trace],
    refused: &[Refusal],
) -> String {
    let root = settings.cache.root();
    let own = |path: &Path| {
        [
            Path::new(ROOMS_AT),
            Path::new(ENVIRONMENT_AT),
            Path::new("/proc"),
            root,
        ]
        .iter()
        .any(|own| path.starts_with(own))
    };
    let used: Vec<_> = traces
        .iter()
        .filter(|trace| trace.verdict == Verdict::Granted && !own(trace.path.as_path()))
        .collect();
    let (base, beyond) = narrowest(&used, &settings.facts);
    written(label, base, &beyond, refused)
}

/// Finds the built-in policy, and what of the trace none of them grants.
fn narrowest<'a>(used: &[&'a Trace], facts: &PythonFacts) -> (&'static str, Vec<&'a Trace>) {
    let mut best = (Policy::names()[0], used.to_vec());
    for name in Policy::names() {
        let grants = Policy::builtin(name)
            .and_then(|policy| compile(&policy, &[], facts, None).ok())
            .map(|compiled| names(&compiled.grants))
            .unwrap_or_default();
        let beyond: Vec<_> = used
            .iter()
            .copied()
            .filter(|trace| !covered(trace, &grants))
            .collect();
        if beyond.len() < best.1.len() || (*name == best.0 && beyond.len() <= best.1.len()) {
            best = (name, beyond);
        }
    }
    best
}

/// The grants by the names that the kernel gives them.
fn names(grants: &[PathGrant]) -> Vec<(PathBuf, Access)> {
    grants
        .iter()
        .map(|grant| {
            let path = grant.path.as_path();
            let name = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            (name, grant.access)
        })
        .collect()
}

fn covered(trace: &Trace, grants: &[(PathBuf, Access)]) -> bool {
    let path = trace.path.as_path();
    let name = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    grants.iter().any(|(grant, access)| {
        let enough = match trace.touch {
            Touch::Read => true,
            Touch::Write => matches!(access, Access::ReadWrite | Access::ReadWriteFile),
            Touch::Execute => matches!(access, Access::ReadExecute | Access::ReadWrite),
        };
        enough && (name.starts_with(grant) || path.starts_with(grant))
    })
}

fn written(label: &str, base: &str, beyond: &[&Trace], refused: &[Refusal]) -> String {
    let mut lines = vec![
        format!("# Proposed from a trace of {}.", one_line(label)),
        "# A trace shows what one run did on one machine, and a hostile build can lie to it:"
            .to_owned(),
        "# read each grant before you use this.".to_owned(),
        "name = \"traced\"".to_owned(),
        format!("extends = \"{base}\""),
        "summary = \"What a traced build used.\"".to_owned(),
    ];
    let mut grants: BTreeMap<AbsPath, (bool, &str)> = BTreeMap::new();
    let mut add = |path: AbsPath, executes: bool, why| {
        let held = grants.entry(path).or_insert((executes, why));
        held.0 |= executes;
    };
    for trace in beyond {
        if trace.touch == Touch::Write {
            lines.push(format!(
                "# wrote below {}: a policy grants no writing, --allow-write does for one run",
                one_line(&trace.path.to_string())
            ));
        } else {
            let executes = trace.touch == Touch::Execute;
            add(trace.path.clone(), executes, "the traced build used it");
        }
    }
    for refusal in refused {
        match refusal.fix.grant().filter(|_| refusal.decisive) {
            Some((path, access)) => {
                let executes = access == Access::ReadExecute;
                add(
                    path,
                    executes,
                    "the traced build was refused it, and failed",
                );
            }
            None => lines.push(format!("# refused: {}", one_line(&refusal.sentence()))),
        }
    }
    let grants = grants.iter();
    lines.extend(grants.map(|(path, (executes, why))| grant(path, *executes, why)));
    lines.join("\n") + "\n"
}

fn grant(path: &AbsPath, executes: bool, why: &str) -> String {
    let access = if executes {
        "[\"read\", \"execute\"]"
    } else {
        "[\"read\"]"
    };
    let path = toml::Value::String(path.to_string());
    format!("\n[[grant]]\npath = {path}\naccess = {access}\nwhy = \"{why}\"")
}

/// Text that ends no comment.
fn one_line(text: &str) -> String {
    crate::local::neutralised(text.as_bytes()).replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Fix;

    fn trace(touch: Touch, path: &str) -> Trace {
        Trace {
            touch,
            verdict: Verdict::Granted,
            path: AbsPath::new(path).unwrap(),
            count: 1,
            last: 1,
        }
    }

    #[test]
    fn what_is_proposed_is_a_policy_whatever_the_paths_are_called() {
        let used = [
            trace(Touch::Execute, "/opt/kit \"x\"/bin"),
            trace(Touch::Write, "/opt/out"),
        ];
        let refused = [
            Refusal {
                touch: Touch::Read,
                path: "/opt/data".to_owned(),
                count: 1,
                decisive: true,
                fix: Fix::AllowRead("/opt/data".to_owned()),
            },
            Refusal {
                touch: Touch::Read,
                path: "/root/x".to_owned(),
                count: 1,
                decisive: true,
                fix: Fix::Never("a home".to_owned()),
            },
        ];
        let beyond: Vec<_> = used.iter().collect();
        let text = written("evil\nextends = \"native\"", "pure", &beyond, &refused);
        let policy = Policy::parse(&text, "proposed").expect("it is one");
        assert_eq!(policy.extends(), Some("pure"));
        let explained = policy.explain();
        for path in ["/opt/kit \"x\"/bin", "/opt/data"] {
            assert!(explained.contains(path), "{explained}");
        }
        for path in ["/root/x", "/opt/out"] {
            assert!(!explained.contains(path), "{explained}");
        }
    }

    #[test]
    fn a_grant_is_covered_by_one_that_lies_above_it_and_allows_as_much() {
        let grants = [(PathBuf::from("/usr/lib"), Access::Read)];
        assert!(covered(&trace(Touch::Read, "/usr/lib/x"), &grants));
        assert!(!covered(&trace(Touch::Execute, "/usr/lib/x"), &grants));
        assert!(!covered(&trace(Touch::Read, "/usr/libx"), &grants));
    }
}
