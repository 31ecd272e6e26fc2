//! `fumehood policy`: what builds may touch, as written and in words.

use policies::Policy;

use super::{Surroundings, approve};
use crate::args::PolicyCommand;
use crate::render::Problem;
use crate::{compose, data};

/// Prints what was asked for.
pub(super) fn run(command: &PolicyCommand, around: &Surroundings) -> Result<(), Problem> {
    match command {
        PolicyCommand::List => data::put(&list()),
        PolicyCommand::Show { policy } => {
            let policy = compose::policy(policy)?;
            data::put(&with_end(policy.source()))
        }
        PolicyCommand::Approve(args) => approve::run(args, around),
        PolicyCommand::Explain { policy } => {
            let policy = compose::policy(policy)?;
            data::put(&with_end(&policy.explain()))
        }
        PolicyCommand::Check { file } => check(file),
    }
}

/// Returns one line for each policy that is built in.
fn list() -> String {
    Policy::names()
        .iter()
        .filter_map(|name| Some((name, Policy::builtin(name)?)))
        .map(|(name, policy)| format!("{name:<8} {}\n", policy.summary()))
        .collect()
}

/// Prints what a file means, and against which of the built-in policies it is narrower.
fn check(file: &str) -> Result<(), Problem> {
    // A plain word would be the name of a policy.
    let path = match file.contains('/') {
        true => file.to_owned(),
        false => format!("./{file}"),
    };
    let policy = compose::policy(&path)?;
    let mut text = format!("{}\n", policy.explain().trim_end());
    for name in Policy::names() {
        let Some(above) = Policy::builtin(name) else {
            continue;
        };
        text.push_str(&match policy.narrower(&above) {
            Ok(()) => format!("\nIt allows nothing that `{name}` does not."),
            Err(wider) => format!("\n{wider}"),
        });
    }
    data::put(&with_end(&text))
}

fn with_end(text: &str) -> String {
    format!("{}\n", crate::neutralise::text(text.trim_end()))
}
