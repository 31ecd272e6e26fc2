//! Errors for people: what, where, why and how to fix, always in the same shape.
//!
//! ```text
//! error[F0301]: foo 1.2 did not build: the backend was refused a network connection
//!   in:    build_wheel of setuptools.build_meta, after 3.1 s
//!   tried: connect TCP 192.0.2.3:443
//!   why:   builds have no network; this is the default policy
//!   fix:   take the wheel instead (drop --no-binary foo)
//!   log:   fumehood log 7f3a2c
//! ```

use std::error::Error;

use model::Code;

use super::paint::{DIM, ERROR, paint};
use crate::neutralise;

/// One error as it is shown and reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The stable code.
    pub(crate) code: Code,
    /// What happened, one line.
    pub(crate) message: String,
    /// Labelled lines in the order shown: `in`, `tried`, `why`.
    pub(crate) details: Vec<(&'static str, String)>,
    /// How to fix it.
    pub(crate) hint: Option<String>,
    /// The id of the build whose log says more.
    pub(crate) log: Option<String>,
}

/// Lines that one detail may have: enough for an explanation of a resolver, not for a log.
const MAX_LINES: usize = 40;

impl Problem {
    /// Makes a problem that has nothing but a message.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
            hint: None,
            log: None,
        }
    }

    /// Makes a problem of an error; its causes, if it has any, become the reason.
    pub(crate) fn of(code: Code, error: &(dyn Error + 'static)) -> Self {
        let problem = Self::new(code, error.to_string());
        match causes(error) {
            why if why.is_empty() => problem,
            why => problem.why(why),
        }
    }

    /// Adds the reason.
    pub(crate) fn why(mut self, why: impl Into<String>) -> Self {
        self.details.push(("why", why.into()));
        self
    }

    /// Adds how to fix it.
    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.hint = Some(fix.into());
        self
    }

    /// Returns the text, coloured, without a line break at its end.
    pub(crate) fn render(&self) -> String {
        let head = format!("error[{}]", self.code);
        let mut text = format!(
            "{}: {}",
            paint(ERROR, &head),
            neutralise::line(&self.message)
        );
        for (label, detail) in &self.details {
            labelled(&mut text, label, detail);
        }
        if let Some(hint) = &self.hint {
            labelled(&mut text, "fix", hint);
        }
        if let Some(log) = &self.log {
            labelled(&mut text, "log", &format!("fumehood log {log}"));
        }
        text
    }
}

/// Appends `  label: detail`; further lines of the detail stand below its first.
fn labelled(text: &mut String, label: &str, detail: &str) {
    let detail = neutralise::text(detail.trim_end());
    let mut lines = detail.lines();
    let label = format!("{label}:");
    text.push_str(&format!(
        "\n  {} {}",
        paint(DIM, &format!("{label:<6}")),
        lines.next().unwrap_or_default()
    ));
    for (at, line) in lines.enumerate() {
        if at + 1 == MAX_LINES {
            text.push_str("\n         [...]");
            break;
        }
        text.push_str(&format!("\n         {line}"));
    }
}

/// Returns the chain of causes in one line. A cause that its parent quotes already is left out.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !text.is_empty() && !said.contains(&text) {
            causes.push(text.clone());
            said = text;
        }
        next = cause.source();
    }
    causes.join(": ")
}
