//! A policy: as written, and what it means together with those it extends.

use protocol::Limits;

use crate::document::{Document, Section};
use crate::environment::{self, Environment};
use crate::grant::{self, Grants, Target, Written};
use crate::{PolicyError, builtin, limits};

/// What a build may touch. A value that exists is valid.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) name: String,
    pub(crate) summary: String,
    pub(crate) extends: Option<String>,
    source: String,
    /// Own grants and inherited ones, the inherited first.
    pub(crate) written: Vec<Written>,
    pub(crate) grants: Grants,
    pub(crate) environment: Environment,
    pub(crate) limits: Limits,
    /// Whether builds may share an interpreter, one after the other.
    pub(crate) reuses: bool,
}

impl Policy {
    /// Returns the policy of that name that is compiled in.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        let text = builtin::text(name)?;
        let policy = Self::parse(text, &format!("the built-in policy {name}"));
        Some(policy.expect("a test reads the files that are compiled in"))
    }

    /// Returns the names of the policies that are compiled in, the narrowest first.
    #[must_use]
    pub fn names() -> &'static [&'static str] {
        builtin::NAMES
    }

    /// Reads a policy; `file` is what errors call it.
    ///
    /// A file may extend one of the built-in policies (`extends = "strict"`) or stand alone. It may
    /// grant more than any built-in policy: whoever names it on the command line decides.
    ///
    /// # Errors
    /// Names file, line, table and key, and says what to write instead.
    pub fn parse(text: &str, file: &str) -> Result<Self, PolicyError> {
        let document = Document::parse(text, file)?;
        let top = document.top();
        top.only(&[
            "name",
            "summary",
            "extends",
            "grant",
            "environment",
            "limits",
            "reuse",
        ])?;
        let name = name(&top)?;
        let mut policy = match top.text("extends")? {
            None => Self::empty(),
            Some(base) => base_of(&top, name, base)?,
        };
        policy.extends = top.text("extends")?.map(str::to_owned);
        policy.summary = summary(&top)?;
        policy.source = text.to_owned();
        for section in top.tables("grant")? {
            let written = grant::read(&section, name)?;
            grant::merge(&mut policy.grants, &written);
            policy.written.push(written);
        }
        name.clone_into(&mut policy.name);
        if let Some(section) = top.table("environment")? {
            environment::read(&section, &mut policy.environment)?;
        }
        if let Some(section) = top.table("limits")? {
            limits::read(&section, &mut policy.limits)?;
        }
        policy.reuses = match top.text("reuse")? {
            None => policy.reuses,
            Some("never") => false,
            Some("allowed") => true,
            Some(_) => {
                let instead = "write reuse = \"never\" or reuse = \"allowed\"";
                return Err(top.fail("reuse", "not a word for it", instead));
            }
        };
        match policy.grants.get(&Target::Interpreter) {
            Some(terms) if terms.rights.execute => Ok(policy),
            _ => Err(PolicyError::NoInterpreter {
                file: file.to_owned(),
            }),
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what it is for, in one line.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// Returns the name of the built-in policy that it extends.
    #[must_use]
    pub fn extends(&self) -> Option<&str> {
        self.extends.as_deref()
    }

    /// Returns the TOML that it was read from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the limits in effect.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether an interpreter that has served a build may serve another. Not part of what a wheel is built
    /// with, and of no key.
    #[must_use]
    pub fn reuses(&self) -> bool {
        self.reuses
    }

    fn empty() -> Self {
        Self {
            name: String::new(),
            summary: String::new(),
            extends: None,
            source: String::new(),
            written: Vec::new(),
            grants: Grants::new(),
            environment: Environment::default(),
            limits: limits::defaults(),
            reuses: true,
        }
    }
}

fn base_of(top: &Section<'_>, name: &str, base: &str) -> Result<Policy, PolicyError> {
    let instead = format!(
        "write one of {}, or leave it out",
        Policy::names().join(", ")
    );
    if name == base {
        return Err(top.fail("extends", "a policy can not extend itself", &instead));
    }
    Policy::builtin(base)
        .ok_or_else(|| top.fail("extends", "no built-in policy of that name", &instead))
}

fn name<'d>(top: &Section<'d>) -> Result<&'d str, PolicyError> {
    let instead = "write name = \"...\": lower-case letters, digits and `-`, at most 40";
    let name = top.required("name", instead)?;
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    match plain && name.len() <= 40 {
        true => Ok(name),
        false => Err(top.fail("name", "not a name for a policy", instead)),
    }
}

fn summary(top: &Section<'_>) -> Result<String, PolicyError> {
    let instead = "write summary = \"...\": one line that says whom it is for";
    let summary = top.required("summary", instead)?;
    match summary.chars().any(char::is_control) {
        true => Err(top.fail("summary", "more than one line", instead)),
        false => Ok(summary.to_owned()),
    }
}
