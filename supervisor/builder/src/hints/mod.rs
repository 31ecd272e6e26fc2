//! What a failed build lacked, as its whole log tells, and what to install or to say so that it has it.
//!
//! ```text
//! log -> scan (bounded) -> said (a line) -> Missing -> advice, from packages.txt and remedies
//! ```
//!
//! A build writes its own log: nothing is decided by it, it explains. Names out of it are held to what names are made of.

mod advice;
mod missing;
mod packages;
mod refuser;
mod remedies;
mod said;
mod scan;

use std::path::Path;

use crate::local::neutralised;
use missing::Missing;
pub(crate) use refuser::Refuser;

/// Hints that an error shows.
const SHOWN: usize = 3;
/// Characters of a line of the log that an error shows.
const LONGEST_SHOWN: usize = 200;

/// What was missing, the likeliest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// For which project the flags are.
    project: Option<String>,
    /// Who may have refused it a process.
    refuser: Refuser,
    found: Vec<Found>,
}

/// One missing thing and the line of the log that tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    missing: Missing,
    /// Counted from 1; none if the exception alone tells it, which the error shows anyway.
    number: Option<u64>,
    line: String,
}

impl Hints {
    /// Reads the log of a build of `project` that failed with an exception which said `problem`. What can not be
    /// read tells nothing.
    pub(crate) fn of(log: &Path, problem: &str, project: Option<&str>) -> Self {
        Self {
            project: project.map(ToOwned::to_owned),
            refuser: Refuser::default(),
            found: scan::scan(log, problem),
        }
    }

    /// Says whose limits a refused process may have met.
    pub(crate) fn refused_by(self, refuser: Refuser) -> Self {
        Self { refuser, ..self }
    }

    /// Whether it lacked a Rust tool chain, which some backends would fetch.
    pub(crate) fn lacks_rust(&self) -> bool {
        let rust = Missing::Compiler("rust");
        self.found.iter().any(|found| found.missing == rust)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the lines of the log that tell what was missing, each with its number; if it is known to be a
    /// `module`, those that tell of that one.
    pub(crate) fn lines(&self, module: Option<&str>) -> impl Iterator<Item = String> {
        let told = self
            .found
            .iter()
            .filter(move |found| module.is_none_or(|name| found.missing == of_module(name)));
        told.take(SHOWN).filter_map(|found| {
            let number = found.number?;
            let line = neutralised(found.line.as_bytes());
            let mut shown: String = line.chars().take(LONGEST_SHOWN).collect();
            if shown.len() < line.len() {
                shown.push_str("...");
            }
            Some(format!("line {number} of the log: {}", shown.trim()))
        })
    }

    /// Returns what to do about each, a line each.
    pub(crate) fn advice(&self) -> Option<String> {
        let project = self.project();
        let mut lines: Vec<_> = self
            .found
            .iter()
            .take(SHOWN)
            .map(|found| advice::advice(&found.missing, project, self.refuser))
            .collect();
        lines.dedup();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Returns what to do about a Python module that an import missed.
    pub(crate) fn of_module(&self, module: &str) -> String {
        if Missing::module(module).is_none() {
            // Whoever raised it says what he likes, and a flag is typed into a shell.
            return format!("the module `{module}` is not among the build requirements");
        }
        advice::advice(&of_module(module), self.project(), self.refuser)
    }

    fn project(&self) -> &str {
        self.project.as_deref().unwrap_or("PKG")
    }
}

fn of_module(name: &str) -> Missing {
    let remedy = remedies::of_module(name).map(Missing::Remedied);
    remedy.unwrap_or_else(|| Missing::Module(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_log_is_searched_and_lines_are_told_by_number() {
        let place = tempfile::tempdir().expect("a folder");
        let log = place.path().join("log");
        let mut text = "a.c:1:10: fatal error: ffi.h: No such file or directory\n".to_owned();
        text.push_str(&"x".repeat(1 << 20));
        text.push_str(&"\nrunning\n".repeat(50_000));
        std::fs::write(&log, text).expect("a log");
        let hints = Hints::of(&log, "", Some("a"));
        let line = "line 1 of the log: a.c:1:10: fatal error: ffi.h: No such file or directory";
        assert_eq!(Vec::from_iter(hints.lines(None)), [line]);
        let advice = hints.advice().expect("advice");
        assert!(advice.contains("libffi-devel (Fedora"), "{advice}");
    }

    #[test]
    fn an_ordinary_log_and_none_give_no_hint() {
        let place = tempfile::tempdir().expect("a folder");
        let log = place.path().join("log");
        assert!(Hints::of(&log, "", None).is_empty());
        std::fs::write(
            &log,
            "running build_ext\nerror: command 'gcc' failed with exit code 1\n",
        )
        .expect("a log");
        let hints = Hints::of(&log, "", None);
        assert!(hints.is_empty() && hints.advice().is_none(), "{hints:?}");
    }

    #[test]
    fn a_module_that_is_no_name_gets_no_flag() {
        let advice = Hints::default().of_module("x; rm -rf ~");
        assert!(!advice.contains("--extra"), "{advice}");
        let advice = Hints::default().of_module("distutils.core");
        assert!(
            advice.contains("--extra-build-dep PKG:setuptools"),
            "{advice}"
        );
    }

    #[test]
    fn what_a_log_says_acts_on_no_terminal_and_is_cut() {
        let place = tempfile::tempdir().expect("a folder");
        let log = place.path().join("log");
        let long = format!(
            "\u{1b}[2J{}.c:1: fatal error: ffi.h: No such file or directory\n",
            "y".repeat(400)
        );
        std::fs::write(&log, long).expect("a log");
        let lines = Vec::from_iter(Hints::of(&log, "", None).lines(None));
        assert_eq!(lines.len(), 1);
        assert!(
            !lines[0].contains('\u{1b}') && lines[0].ends_with("..."),
            "{lines:?}"
        );
    }
}
