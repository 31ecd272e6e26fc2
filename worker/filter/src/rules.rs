//! The form of a rule, and which rules make up a filter. Not here: the rules themselves
//! (`processes`, `files`, `requests`, `host`, `network`, `metadata`, `trace`, `unpack`) and their translation (`emit`).
//!
//! A refusal answers what programs are ready for: `ENOSYS` where C libraries have a fallback, `ENOTTY`
//! for requests that many file systems do not know either, otherwise `EPERM` or `EACCES`.
//! The first rule of a call whose conditions all hold decides; a call without such a rule passes.

pub(crate) mod files;
pub(crate) mod host;
pub(crate) mod metadata;
mod network;
pub(crate) mod processes;
pub(crate) mod requests;
mod trace;
mod unpack;

use crate::spec::{Spec, Stage};

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The kernel carries it out.
    Allow,
    /// The caller gets this errno.
    Errno(i32),
    /// The listener decides.
    Notify,
    /// The process ends with SIGSYS.
    Kill,
}

/// A test of one argument register.
///
/// All but [`Test::Null`] read the low 32 bits alone: the kernel declares these parameters as `int`,
/// `unsigned int` or a 16-bit mode and drops the rest, so a caller must not be able to hide from a
/// test behind a bit that the kernel ignores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    /// The value is this one.
    Is(u32),
    /// The value is another one.
    IsNot(u32),
    /// At least one bit of the mask is set.
    AnyOf(u32),
    /// The bits under the mask have this value.
    Field { mask: u32, value: u32 },
    /// All 64 bits are zero: a pointer that is not there.
    Null,
}

/// A test and the argument it reads, counted from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) argument: u8,
    pub(crate) test: Test,
}

/// One decision about one or more calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The calls by name; one that an architecture lacks is skipped there.
    pub(crate) calls: &'static [&'static str],
    /// Holds when all of these hold; empty means always.
    pub(crate) when: &'static [Condition],
    pub(crate) action: Action,
    /// Why the rule exists, for whoever reads the list.
    pub(crate) why: &'static str,
}

/// Shortens the lists of rules: a condition on the argument at a place.
const fn argument(argument: u8, test: Test) -> Condition {
    Condition { argument, test }
}

/// Refuses calls whatever their arguments are.
const fn refuse(calls: &'static [&'static str], errno: i32, why: &'static str) -> Rule {
    Rule {
        calls,
        when: &[],
        action: Action::Errno(errno),
        why,
    }
}

/// Refuses calls when all conditions hold.
const fn refuse_when(
    calls: &'static [&'static str],
    when: &'static [Condition],
    errno: i32,
    why: &'static str,
) -> Rule {
    Rule {
        calls,
        when,
        action: Action::Errno(errno),
        why,
    }
}

/// Returns the rules of a filter in the order in which they are tried.
pub(crate) fn of(spec: &Spec) -> Vec<Rule> {
    let everywhere = [
        processes::RULES,
        files::RULES,
        requests::RULES,
        host::RULES,
        network::FAST_OPEN,
    ]
    .concat();
    match spec.stage {
        Stage::Unpack => [unpack::RULES, &everywhere].concat(),
        stage @ (Stage::Program | Stage::Fetch) => {
            let mut rules = everywhere;
            let network = match stage {
                Stage::Fetch => network::FETCH,
                _ if spec.local_sockets => network::RULES,
                _ => network::PAIRS_ONLY,
            };
            rules.extend(network.iter().map(|rule| network::adapt(*rule, spec)));
            if spec.notifies() && spec.broker_metadata {
                rules.extend(metadata::RULES);
            }
            if spec.notifies() && spec.trace {
                rules.extend(trace::RULES);
            }
            rules
        }
    }
}
