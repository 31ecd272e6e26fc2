//! The evidence of a run, judged: what went wrong, in whose room. Pure.

use model::Code;
use protocol::{Ending, Hook, HookReturn, Limit, Limits};

use crate::error::{BuildError, HookFailure, HookProblem};
use crate::executor::Evidence;
use crate::hook::{HookOutcome, HookRequest, read};
use crate::wants::Wants;

/// Judges what no hook can be asked about: the archive, limits, a program that ended by itself.
pub(super) fn early(
    evidence: &Evidence,
    request: &HookRequest,
    limits: &Limits,
) -> Result<(), BuildError> {
    if let Some((rule, detail)) = &evidence.refused {
        return Err(BuildError::Archive {
            rule: rule.clone(),
            detail: detail.clone(),
        });
    }
    match evidence.claim.ending {
        Ending::Reached(limit) => Err(reached(limit, limits, place(evidence, request))),
        Ending::Exited(code) => Err(failed(
            evidence,
            request,
            HookProblem::Died(format!("Python exited with status {code}")),
        )),
        Ending::Signalled(signal) => Err(failed(
            evidence,
            request,
            HookProblem::Died(format!("signal {signal} ended Python")),
        )),
        Ending::Ended | Ending::Nothing => Ok(()),
    }
}

/// What `get_requires_for_build_wheel` asked for.
pub(super) fn asked_for(
    evidence: &Evidence,
    request: &HookRequest,
) -> Result<Vec<String>, BuildError> {
    let Some(returned) = find(evidence, Hook::GetRequiresForBuildWheel) else {
        return Ok(Vec::new());
    };
    match read(returned) {
        HookOutcome::List(asked) => Ok(asked),
        // The hook is optional (PEP 517).
        HookOutcome::NoHook => Ok(Vec::new()),
        other => Err(hook(evidence, request, returned, other)),
    }
}

/// Whether `build_wheel` returned. What it left is judged from its bytes, not from what it says.
pub(super) fn built(evidence: &Evidence, request: &HookRequest) -> Result<(), BuildError> {
    let Some(returned) = find(evidence, Hook::BuildWheel) else {
        return Err(failed(
            evidence,
            request,
            HookProblem::Died("it was not called".to_owned()),
        ));
    };
    match read(returned) {
        HookOutcome::Text(name) if is_plain(&name) => Ok(()),
        HookOutcome::Text(name) => {
            let what = format!("`{}`, a path", crate::local::neutralised(name.as_bytes()));
            Err(with(
                evidence,
                request,
                returned,
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
        HookOutcome::Died(how) => HookProblem::Died(how),
        HookOutcome::Unreadable(why) => HookProblem::Unreadable(why),
    };
    with(evidence, request, returned, problem)
}

fn with(
    evidence: &Evidence,
    request: &HookRequest,
    returned: &HookReturn,
    problem: HookProblem,
) -> BuildError {
    BuildError::Hook(Box::new(HookFailure {
        hook: returned.hook,
        backend: request.backend().to_owned(),
        elapsed_ms: returned.elapsed_ms,
        problem,
        denials: evidence.denials.clone(),
        wants: Wants::default(),
    }))
}

/// A failure of whatever hook came after those that returned.
fn failed(evidence: &Evidence, request: &HookRequest, problem: HookProblem) -> BuildError {
    BuildError::Hook(Box::new(HookFailure {
        hook: running(evidence),
        backend: request.backend().to_owned(),
        elapsed_ms: 0,
        problem,
        denials: evidence.denials.clone(),
        wants: Wants::default(),
    }))
}

/// Which hook was running, of which backend.
fn place(evidence: &Evidence, request: &HookRequest) -> String {
    format!(
        "{} of {}",
        running(evidence),
        crate::local::neutralised(request.backend().as_bytes())
    )
}

/// The hook after those that returned.
fn running(evidence: &Evidence) -> Hook {
    if find(evidence, Hook::GetRequiresForBuildWheel).is_some() {
        Hook::BuildWheel
    } else {
        Hook::GetRequiresForBuildWheel
    }
}

fn reached(limit: Limit, limits: &Limits, place: String) -> BuildError {
    let (limit, allowed, flag, code) = match limit {
        Limit::Wall => (
            "time",
            format!("{} s", limits.wall_ms / 1000),
            "--timeout",
            Code::WallLimit,
        ),
        Limit::Cpu => (
            "processor time",
            format!("{} s", limits.cpu_seconds),
            "--timeout",
            Code::ResourceLimit,
        ),
        Limit::Memory => (
            "memory",
            format!("{} MiB", limits.memory_bytes >> 20),
            "--memory",
            Code::ResourceLimit,
        ),
        Limit::Processes => (
            "processes",
            limits.processes.to_string(),
            "--processes",
            Code::ResourceLimit,
        ),
        Limit::ScratchBytes => (
            "disk space",
            format!("{} MiB", limits.scratch_bytes >> 20),
            "--disk",
            Code::ScratchLimit,
        ),
        Limit::ScratchInodes => (
            "files",
            format!("{} files", limits.scratch_inodes),
            "--disk",
            Code::ScratchLimit,
        ),
        Limit::LogBytes => (
            "output",
            format!("{} bytes", limits.log_bytes),
            "--log-limit",
            Code::LogLimit,
        ),
    };
    BuildError::Limit {
        limit,
        allowed,
        flag,
        code,
        place,
    }
}
