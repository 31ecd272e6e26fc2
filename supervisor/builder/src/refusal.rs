//! Files and programs that a traced build was refused, each with what would allow it.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use policies::{OffLimits, Remedy, remedy};
use protocol::{AbsPath, Access, Touch, Trace, Verdict};
use serde::{Deserialize, Serialize};

use crate::diagnosis;
use crate::hook_failure::HookFailure;
use crate::local::neutralised;

/// Refusals that are kept of one build.
const MOST: usize = 100;

/// One refused file or program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What was wanted of it.
    pub touch: Touch,
    /// It as text, with links resolved and nothing in it that moves a cursor.
    pub path: String,
    /// How often.
    pub count: u64,
    /// Whether the build named it when it failed.
    pub decisive: bool,
    /// What would allow it.
    pub fix: Fix,
}

/// What would allow a refused touch, as it is kept and reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fix {
    /// `--allow-read PATH`
    AllowRead(String),
    /// `--allow-exec PATH`
    AllowExec(String),
    /// `--policy NAME`
    Policy(String),
    /// Nothing that is proposed; the reason.
    Never(String),
}

impl Fix {
    /// Returns the flag that allows it, if one is proposed.
    #[must_use]
    pub fn flag(&self) -> Option<String> {
        match self {
            Self::AllowRead(path) => Some(format!("--allow-read {}", quoted(path))),
            Self::AllowExec(path) => Some(format!("--allow-exec {}", quoted(path))),
            Self::Policy(name) => Some(format!("--policy {name}")),
            Self::Never(_) => None,
        }
    }

    /// Returns why the touch was refused.
    fn why(&self) -> &str {
        match self {
            Self::AllowRead(_) | Self::AllowExec(_) => "the policy does not grant it",
            Self::Policy(_) => "the policy does not grant it, another one does",
            Self::Never(why) => why,
        }
    }

    /// Returns the grant, if it is one that can be approved for one source.
    #[must_use]
    pub fn grant(&self) -> Option<(AbsPath, Access)> {
        match self {
            Self::AllowRead(path) => Some((AbsPath::new(path).ok()?, Access::Read)),
            Self::AllowExec(path) => Some((AbsPath::new(path).ok()?, Access::ReadExecute)),
            Self::Policy(_) | Self::Never(_) => None,
        }
    }
}

impl Refusal {
    /// Returns what was tried in words.
    #[must_use]
    pub fn sentence(&self) -> String {
        let times = if self.count == 1 { "time" } else { "times" };
        format!(
            "{} {} ({} {times})",
            self.touch.word(),
            self.path,
            self.count
        )
    }
}

/// Refusals that an error shows; `fumehood log --denials` shows all.
const SHOWN: usize = 5;

/// Says what was tried and why it was refused: what was decisive, or else the latest.
pub(crate) fn details(failure: &HookFailure) -> Vec<(&'static str, String)> {
    let decisive: Vec<_> = failure.decisive().take(SHOWN).collect();
    let mut details = Vec::new();
    if decisive.is_empty() {
        let latest = failure.refusals.iter().take(SHOWN);
        details.extend(latest.map(|one| ("tried", one.sentence())));
        if !details.is_empty() {
            let why = "it was refused these, and named none of them when it failed";
            details.push(("why", why.to_owned()));
        }
        return details;
    }
    details.extend(decisive.iter().map(|one| ("tried", one.sentence())));
    let mut whys: Vec<&str> = decisive.iter().map(|one| one.fix.why()).collect();
    whys.dedup();
    details.extend(whys.into_iter().map(|why| ("why", why.to_owned())));
    details
}

/// Says which flags would allow what was decisive; nothing where one of it is never offered.
pub(crate) fn hint(failure: &HookFailure, build: Option<&str>) -> Option<String> {
    let mut flags: Vec<_> = failure
        .decisive()
        .filter_map(|one| one.fix.flag())
        .collect();
    flags.dedup();
    if flags.is_empty() {
        return None;
    }
    let for_good = failure.decisive().any(|one| one.fix.grant().is_some());
    let flags = flags.join(" ");
    Some(match build.filter(|_| for_good) {
        Some(build) => {
            format!("{flags}; or for this source for good: fumehood policy approve {build}")
        }
        None => flags,
    })
}

/// Picks what was refused out of a trace: the decisive ones first, then the latest. `said` is what the
/// build said when it failed. Looks at the host, for what a build of level `ns` is refused is not there for it.
pub(crate) fn refusals(traces: &[Trace], said: &str, off_limits: &OffLimits) -> Vec<Refusal> {
    let mut refused: Vec<_> = traces
        .iter()
        .filter(|trace| match trace.verdict {
            Verdict::Granted => false,
            Verdict::Refused => true,
            Verdict::Hidden => fs::symlink_metadata(trace.path.as_path()).is_ok(),
        })
        .map(|trace| {
            let decisive = diagnosis::names(said, &trace.path, trace.touch);
            (trace, decisive)
        })
        .collect();
    refused.sort_by_key(|(trace, decisive)| std::cmp::Reverse((*decisive, trace.last)));
    refused.truncate(MOST);
    refused
        .into_iter()
        .map(|(trace, decisive)| {
            let path = resolved(trace.path.as_path()).unwrap_or_else(|| trace.path.clone());
            Refusal {
                touch: trace.touch,
                fix: fix(trace.touch, path.as_path(), off_limits),
                path: shown(&path),
                count: trace.count,
                decisive,
            }
        })
        .collect()
}

/// The name that a grant would have: what the path leads to on the host. Nothing of `/proc` is looked at.
fn resolved(path: &Path) -> Option<AbsPath> {
    if path.starts_with("/proc") {
        return None;
    }
    AbsPath::new(fs::canonicalize(path).ok()?).ok()
}

fn fix(touch: Touch, path: &Path, off_limits: &OffLimits) -> Fix {
    let kind = fs::symlink_metadata(path).map(|found| found.file_type());
    if kind.is_ok_and(|kind| kind.is_socket()) {
        return Fix::Never("it is a socket of the host".to_owned());
    }
    match remedy(touch, path, off_limits) {
        Remedy::Grant {
            path,
            access: Access::ReadExecute,
        } => Fix::AllowExec(path.to_string()),
        Remedy::Grant { path, .. } => Fix::AllowRead(path.to_string()),
        Remedy::Policy(name) => Fix::Policy(name.to_owned()),
        Remedy::Never(why) => Fix::Never(why.to_owned()),
    }
}

fn shown(path: &AbsPath) -> String {
    neutralised(path.to_string().as_bytes())
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let text = neutralised(path.as_bytes());
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%,=".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(verdict: Verdict, path: &Path, last: u64) -> Trace {
        Trace {
            touch: Touch::Read,
            verdict,
            path: AbsPath::new(path).unwrap(),
            count: 2,
            last,
        }
    }

    #[test]
    fn what_is_hidden_counts_only_where_the_host_has_it_and_the_named_one_comes_first() {
        let place = tempfile::tempdir().unwrap();
        let there = place.path().canonicalize().unwrap().join("there.txt");
        fs::write(&there, "x").unwrap();
        let found = refusals(
            &[
                trace(Verdict::Hidden, &there, 1),
                trace(Verdict::Hidden, &there.with_file_name("not.txt"), 2),
                trace(Verdict::Granted, Path::new("/usr"), 3),
                trace(Verdict::Refused, Path::new("/proc/1/environ"), 4),
            ],
            &format!("No such file or directory: '{}'", there.display()),
            &OffLimits::default(),
        );
        let short: Vec<_> = found
            .iter()
            .map(|one| (Path::new(&one.path), one.decisive))
            .collect();
        assert_eq!(
            short,
            [
                (there.as_path(), true),
                (Path::new("/proc/1/environ"), false)
            ]
        );
        let flag = format!("--allow-read {}", there.display());
        assert_eq!(found[0].fix.flag(), Some(flag));
        assert_eq!(found[1].fix.flag(), None);
    }

    #[test]
    fn no_socket_is_offered() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().canonicalize().unwrap().join("s");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let found = refusals(
            &[trace(Verdict::Refused, &path, 1)],
            "",
            &OffLimits::default(),
        );
        assert!(matches!(found[0].fix, Fix::Never(_)), "{found:?}");
    }

    #[test]
    fn a_flag_is_quoted_for_a_shell() {
        let flag = Fix::AllowRead("/opt/it's here".to_owned()).flag();
        assert_eq!(flag.as_deref(), Some("--allow-read '/opt/it'\\''s here'"));
    }
}
