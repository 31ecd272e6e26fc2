//! The evidence of a run, judged: what went wrong, in whose room. Pure.

use protocol::{Ending, Hook, HookReturn, Limit, Limits};
use rustix::process::Signal;

use crate::error::BuildError;
use crate::executor::Evidence;
use crate::hints::Hints;
use crate::hook::{Goal, HookOutcome, HookRequest, read};
use crate::hook_failure::{HookFailure, HookProblem};
use crate::limit::{Known, Reached, Stopped};
use crate::wants::Wants;

/// Judges what no hook can be asked about: the archive, a program that ended by itself.
pub(super) fn early(evidence: &Evidence, request: &HookRequest) -> Result<(), BuildError> {
    if let Some((rule, detail)) = &evidence.refused {
        return Err(BuildError::Archive {
            rule: rule.clone(),
            detail: detail.clone(),
        });
    }
    match evidence.claim.ending {
        Ending::Exited(code) => Err(failed(
            evidence,
            request,
            HookProblem::Died {
                how: format!("Python exited with status {code}"),
                signal: None,
            },
        )),
        Ending::Signalled(signal) => Err(failed(
            evidence,
            request,
            HookProblem::Died {
                how: format!("signal {signal} ended Python"),
                signal: Some(signal),
            },
        )),
        // A session turns what a worker says of limits into an error of its own.
        Ending::Reached(_) | Ending::Ended | Ending::Nothing => Ok(()),
    }
}

/// What the first hook asked for.
pub(super) fn asked_for(
    evidence: &Evidence,
    request: &HookRequest,
) -> Result<Vec<String>, BuildError> {
    let Some(returned) = find(evidence, request.goal.first()) else {
        return Ok(Vec::new());
    };
    match read(returned) {
        HookOutcome::List(asked) => Ok(asked),
        // The hook is optional (PEP 517).
        HookOutcome::NoHook => Ok(Vec::new()),
        other => Err(hook(evidence, request, returned, other)),
    }
}

/// Whether the hook that does the work returned, and which one that was. What it left is judged from its bytes,
/// not from what it says.
pub(super) fn done(evidence: &Evidence, request: &HookRequest) -> Result<Hook, BuildError> {
    if request.goal == Goal::Requirements {
        // What it asked for was read before; a backend without the hook asks for nothing.
        return Ok(Hook::GetRequiresForBuildWheel);
    }
    let did_work = |returned: &&HookReturn| returned.hook != request.goal.first();
    let Some(returned) = evidence.returns.iter().rfind(did_work) else {
        return Err(failed(
            evidence,
            request,
            HookProblem::Died {
                how: "it was not called".to_owned(),
                signal: None,
            },
        ));
    };
    match read(returned) {
        HookOutcome::Text(name) if is_plain(&name) => Ok(returned.hook),
        HookOutcome::Text(name) => {
            let what = format!("`{}`, a path", crate::local::neutralised(name.as_bytes()));
            Err(with(
                evidence,
                request,
                (returned.hook, returned.elapsed_ms),
                HookProblem::Returned(what),
            ))
        }
        other => Err(hook(evidence, request, returned, other)),
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', '\0'])
}

fn find(evidence: &Evidence, hook: Hook) -> Option<&HookReturn> {
    evidence
        .returns
        .iter()
        .find(|returned| returned.hook == hook)
}

fn hook(
    evidence: &Evidence,
    request: &HookRequest,
    returned: &HookReturn,
    outcome: HookOutcome,
) -> BuildError {
    let problem = match outcome {
        HookOutcome::List(_) => HookProblem::Returned("a list".to_owned()),
        HookOutcome::Text(_) => HookProblem::Returned("a string".to_owned()),
        HookOutcome::Other(kind) => HookProblem::Returned(format!("a value of type {kind}")),
        HookOutcome::NoHook => HookProblem::NoHook,
        HookOutcome::NoBackend { message, module } => HookProblem::NoBackend { message, module },
        HookOutcome::Raised {
            kind,
            message,
            module,
        } => HookProblem::Raised {
            kind,
            message,
            module,
        },
        HookOutcome::Exited(with) => HookProblem::Exited(with),
        HookOutcome::Died { how, signal } => HookProblem::Died { how, signal },
        HookOutcome::Unreadable(why) => HookProblem::Unreadable(why),
    };
    with(
        evidence,
        request,
        (returned.hook, returned.elapsed_ms),
        problem,
    )
}

fn with(
    evidence: &Evidence,
    request: &HookRequest,
    (hook, elapsed_ms): (Hook, u64),
    problem: HookProblem,
) -> BuildError {
    BuildError::Hook(Box::new(HookFailure {
        hook,
        backend: request.backend().to_owned(),
        elapsed_ms,
        problem,
        denials: evidence.denials.clone(),
        wants: Wants::default(),
        hints: Hints::default(),
        isolation: evidence.report.clone(),
        shared: false,
        traces: evidence.traces.clone(),
        refusals: Vec::new(),
        again: None,
    }))
}

/// A failure of whatever hook came after those that returned.
fn failed(evidence: &Evidence, request: &HookRequest, problem: HookProblem) -> BuildError {
    let running = request.goal.running(&evidence.returns);
    with(evidence, request, (running, 0), problem)
}

/// A run that a limit ended, in the words of its build.
pub(super) fn stopped(stopped: &Stopped, request: &HookRequest) -> BuildError {
    BuildError::Limit {
        reached: stopped.reached,
        place: place(request.goal.running(&stopped.returns), request.backend()),
    }
}

/// Turns the failure of a hook into that of a limit, where the hook failed with the very error or
/// signal that the kernel answers with at a limit.
pub(super) fn at_limit(error: BuildError, limits: &Limits) -> BuildError {
    let BuildError::Hook(failure) = &error else {
        return error;
    };
    let Some((limit, known)) = sign(&failure.problem) else {
        return error;
    };
    let allowed = limit.of(limits);
    BuildError::Limit {
        reached: Reached {
            limit,
            allowed,
            used: allowed,
            known,
        },
        place: place(failure.hook, &failure.backend),
    }
}

/// The limit whose sign a failure bears (setrlimit(2)), if it bears one. `EAGAIN` is none: it means
/// many things.
fn sign(problem: &HookProblem) -> Option<(Limit, Known)> {
    match problem {
        HookProblem::Raised { kind, message, .. } => {
            let limit = match kind.as_str() {
                "MemoryError" => Limit::Memory,
                "OSError" if message.starts_with("[Errno 24]") => Limit::OpenFiles,
                "OSError" if message.starts_with("[Errno 27]") => Limit::FileBytes,
                _ => return None,
            };
            Some((limit, Known::Said))
        }
        HookProblem::Died {
            signal: Some(signal),
            ..
        } => {
            let limit = match Signal::from_named_raw(*signal)? {
                Signal::XCPU => Limit::Cpu,
                Signal::XFSZ => Limit::FileBytes,
                _ => return None,
            };
            Some((limit, Known::Signal))
        }
        _ => None,
    }
}

/// A hook of a backend.
fn place(hook: Hook, backend: &str) -> String {
    let backend = crate::local::neutralised(backend.as_bytes());
    format!("{hook} of {backend}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raised(kind: &str, message: &str) -> HookProblem {
        HookProblem::Raised {
            kind: kind.to_owned(),
            message: message.to_owned(),
            module: None,
        }
    }

    fn died(signal: Option<i32>) -> HookProblem {
        HookProblem::Died {
            how: String::new(),
            signal,
        }
    }

    #[test]
    fn only_the_errors_of_a_limit_are_signs_of_one() {
        for (problem, limit) in [
            (raised("MemoryError", ""), Some(Limit::Memory)),
            (
                raised("OSError", "[Errno 24] Too many open files: 'x'"),
                Some(Limit::OpenFiles),
            ),
            (
                raised("OSError", "[Errno 27] File too large"),
                Some(Limit::FileBytes),
            ),
            (
                raised(
                    "BlockingIOError",
                    "[Errno 11] Resource temporarily unavailable",
                ),
                None,
            ),
            (raised("RuntimeError", "[Errno 24] said by hand"), None),
            (died(Some(24)), Some(Limit::Cpu)),
            (died(Some(25)), Some(Limit::FileBytes)),
            (died(Some(9)), None),
            (died(None), None),
        ] {
            assert_eq!(sign(&problem).map(|(limit, _)| limit), limit, "{problem:?}");
        }
    }
}
