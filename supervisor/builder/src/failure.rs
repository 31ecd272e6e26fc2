//! From an error to words for people: one sentence, labelled details, a fix.

use std::error::Error;

use index::Mapped;
use model::{Code, PackageName};
use protocol::Denial;

use crate::error::BuildError;
use crate::executor::ExecuteError;
use crate::hook_failure::{HookFailure, HookProblem};
use crate::inspect::BadWheel;
use crate::limit::{Known, Reached};
use crate::local::neutralised;
use crate::outcome::Failure;
use crate::redact::Redactor;
use crate::refusal;

impl Failure {
    /// Puts `error`, which ended the work on `spec`, into words.
    #[must_use]
    pub fn of(spec: &str, error: &BuildError) -> Self {
        let (inner, build) = error.innermost();
        let mut details = Vec::new();
        if let BuildError::Hook(failure) = inner {
            details.extend(hook_details(failure));
        }
        if let BuildError::Wheel(_) = inner {
            details.extend(tried(error.denials()));
        }
        if let BuildError::Limit { reached, place } = inner {
            details.push(("in", place.clone()));
            details.push(("used", reached.evidence()));
        }
        if let BuildError::Execute(ExecuteError::Limit(stopped)) = inner {
            details.push(("used", stopped.reached.evidence()));
        }
        if let BuildError::NoVersion { left_out, .. } = inner {
            details.extend(left_out.iter().take(10).map(|one| ("why", safe(one))));
        }
        if let BuildError::HashMissing { why, .. } = inner {
            details.push(("why", safe(why)));
        }
        if let BuildError::HashWrong { given, .. } = inner {
            details.push(("given", given.join("\n")));
        }
        for cause in causes(inner) {
            details.push(("why", cause));
        }
        Self {
            spec: spec.to_owned(),
            code: error.code(),
            message: message(spec, inner),
            details,
            hint: hint(inner, build),
            log: build.map(ToOwned::to_owned),
            denials: error.denials().to_vec(),
            refusals: error.refusals().to_vec(),
        }
    }
}

impl Failure {
    /// Takes hidden values out of everything that a build may have said.
    pub(crate) fn without(mut self, redactor: &Redactor) -> Self {
        self.message = redactor.hide(&self.message);
        for (_, text) in &mut self.details {
            *text = redactor.hide(text);
        }
        self.hint = self.hint.map(|text| redactor.hide(&text));
        self
    }
}

fn message(spec: &str, error: &BuildError) -> String {
    let sentence = safe(&error.to_string());
    match error {
        BuildError::Hook(failure) if failure.code() == Code::DeniedNetwork => {
            format!(
                "{spec} did not build: the backend failed after it was refused a network connection"
            )
        }
        BuildError::Hook(failure) if failure.code() == Code::DeniedFile => {
            format!(
                "{spec} did not build: the backend failed after it was refused a file or a program"
            )
        }
        BuildError::Hook(_) | BuildError::Limit { .. } => {
            format!("{spec} did not build: {sentence}")
        }
        _ => format!("{spec}: {sentence}"),
    }
}

/// The chain of causes, without what the first sentence says already.
fn causes(error: &BuildError) -> Vec<String> {
    let mut said = error.to_string();
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !said.contains(&text) {
            causes.extend(text.lines().map(safe));
            said.push_str(&text);
        }
        next = cause.source();
    }
    causes
}

fn hook_details(failure: &HookFailure) -> Vec<(&'static str, String)> {
    let seconds = failure.elapsed_ms / 1000;
    let tenths = failure.elapsed_ms % 1000 / 100;
    let place = format!(
        "{} of {}, after {seconds}.{tenths} s",
        failure.hook,
        safe(&failure.backend)
    );
    let mut details = vec![("in", place)];
    details.extend(tried(&failure.denials));
    details.extend(refusal::details(failure));
    let wanted = failure.wants.sentences();
    details.extend(wanted.iter().map(|sentence| ("wanted", safe(sentence))));
    if failure.code() == Code::DeniedNetwork {
        details.push((
            "why",
            "builds have no network; this is the default policy".to_owned(),
        ));
    }
    if matches!(failure.code(), Code::DeniedNetwork | Code::DeniedFile) {
        details.push(("said", safe(&failure.problem.to_string())));
    }
    let told_otherwise = match failure.code() {
        Code::DeniedFile => true,
        Code::DeniedNetwork => !failure.hints.lacks_rust(),
        _ => false,
    };
    if !told_otherwise && failure.wants.is_empty() {
        let lines = failure.hints.lines(failure.problem.module());
        details.extend(lines.map(|line| ("seen", line)));
    }
    details.extend(failure.again.iter().map(|again| ("again", safe(again))));
    details
}

fn tried(denials: &[Denial]) -> impl Iterator<Item = (&'static str, String)> {
    denials.iter().take(5).map(|denial| {
        let target = safe(&denial.target);
        let text = format!("{} {target} ({} times)", denial.what, denial.count);
        ("tried", text)
    })
}

fn hint(error: &BuildError, build: Option<&str>) -> Option<String> {
    let text = match error {
        BuildError::Hook(failure) => return hook_hint(failure, build),
        BuildError::Git(error) if error.hint().is_some() => return error.hint(),
        BuildError::Limit { reached, .. } => raise(reached),
        BuildError::Execute(ExecuteError::Limit(stopped)) => raise(&stopped.reached),
        BuildError::UnknownProject { name, mapped } => unknown(name, mapped.as_deref()),
        BuildError::Requirements(environment::ResolveError::Contradiction { .. }) => {
            "loosen one of these requirements, or ask for another version of what brings it"
                .to_owned()
        }
        BuildError::Requirements(environment::ResolveError::NoVersion { .. })
        | BuildError::NoVersion { .. }
        | BuildError::Marker { .. } => {
            "ask for another version, or for another Python with -p".to_owned()
        }
        BuildError::Source(error) if error.hint().is_some() => return error.hint(),
        BuildError::Cache(error) if error.hint().is_some() => return error.hint(),
        BuildError::NoSource { .. } => {
            "change --no-binary or --only-binary for this project".to_owned()
        }
        BuildError::Unfit { .. } => {
            "take another file of it, its source, or another Python with -p".to_owned()
        }
        BuildError::Wheel(BadWheel::Decoy { .. }) => {
            "do not use this package before you know why it wants them; `fumehood log` tells more"
                .to_owned()
        }
        BuildError::Disagrees(_) => {
            "take another version, or a wheel that the project made; `fumehood cache clean NAME` forgets what was served"
                .to_owned()
        }
        BuildError::HashMismatch { .. } => {
            "the file changed or was tampered with; compare the digest with the project's own"
                .to_owned()
        }
        BuildError::BuildRequires { .. } => {
            "the project's pyproject.toml has to be changed; names and versions alone are taken"
                .to_owned()
        }
        BuildError::MatchRuntime {
            package,
            requirement,
            is_resolved: true,
        } => format!(
            "ask for `{requirement}` too, or name the version: --extra-build-dep '{package}:{requirement}==VERSION'"
        ),
        BuildError::MatchRuntime {
            package,
            requirement,
            ..
        } => format!(
            "dependencies have to be resolved (`wheel` without --no-deps, `install`), and what {package} requires known without a build; or name the version: --extra-build-dep '{package}:{requirement}==VERSION'"
        ),
        BuildError::Execute(ExecuteError::Floor { report, floor }) if report.level >= floor.level => {
            "`fumehood doctor` says what is enforced here; run it elsewhere, or ask for less with --require"
                .to_owned()
        }
        BuildError::NotAProject { .. } => {
            "check that it is a Python project; #subdirectory=FOLDER names one that lies deeper".to_owned()
        }
        BuildError::Execute(ExecuteError::Floor { report, .. }) => format!(
            "run it where the kernel gives more (`fumehood doctor` names what is missing), or accept less: --min-isolation {}",
            report.level
        ),
        BuildError::TooOld { .. } => WITHOUT_NAMESPACES.to_owned(),
        BuildError::Removed { .. } => {
            "run it again; whoever says `cache clean --force` or `cache prune --force` takes what others use"
                .to_owned()
        }
        BuildError::Facts { .. } => "name another interpreter with -p".to_owned(),
        BuildError::Archive { .. } => {
            "nothing of it was used; report it to the project, and do not unpack it by hand"
                .to_owned()
        }
        _ => return hint_of(error.code()).map(str::to_owned),
    };
    Some(text)
}

/// What to do about a project that is not where it was looked for.
fn unknown(name: &PackageName, mapped: Option<&Mapped>) -> String {
    match mapped {
        None => format!("check the spelling of `{name}`, or name its index with --index"),
        Some(Mapped { index: Some(_), .. }) => {
            format!("check the spelling of `{name}`, or map it to the index that has it")
        }
        Some(_) => format!("leave --no-index out, or do not map `{name}`"),
    }
}

/// What to do where namespaces are refused and Landlock is too old without them.
const WITHOUT_NAMESPACES: &str = "let this user make namespaces (in a container: docs/containers.md), or run it on Linux 6.12 or later";

/// What to do about an error of a code, whatever led to it.
fn hint_of(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::HashWrong => {
            "do not use the file before you know why it is another one; if the version or the file is meant to be new, lock again"
        }
        Code::HashMissing => {
            "give one with --hash=sha256:DIGITS in a file of requirements or constraints; `fumehood lock-build` writes them for build requirements"
        }
        Code::IndexLied => {
            "the index or something on the way to it changed the file: do not use it, and tell whoever runs the index"
        }
        Code::DiskFull => "make room, or move the cache with --cache-dir",
        Code::Offline => {
            "run once without --offline; what was built already is still served by its exact version"
        }
        _ => return None,
    })
}

fn raise(reached: &Reached) -> String {
    if reached.known == Known::Room {
        return "make room, or have scratches on another file system with --scratch-dir".to_owned();
    }
    format!(
        "raise it with {}, if the build deserves it",
        reached.raised_with()
    )
}

fn hook_hint(failure: &HookFailure, build: Option<&str>) -> Option<String> {
    Some(match &failure.problem {
        _ if failure.code() == Code::DeniedFile => return refusal::hint(failure, build),
        _ if !failure.wants.crates.is_empty() => {
            "have the crates in the source (`cargo vendor`), or in a folder: --allow-read FOLDER --allow-env CARGO_HOME"
                .to_owned()
        }
        _ if !failure.wants.sources.is_empty() => {
            "give the build what it wants: --allow-read FOLDER, and the variable or setting of the project that names it"
                .to_owned()
        }
        // What it would have fetched, maturin does, is a tool chain.
        _ if failure.code() == Code::DeniedNetwork && failure.hints.lacks_rust() => {
            return failure.hints.advice();
        }
        _ if failure.code() == Code::DeniedNetwork => {
            "take the wheel instead (drop --no-binary), or give the build the file that it wants with --allow-read"
                .to_owned()
        }
        HookProblem::NoBackend { module: Some(module), .. } | HookProblem::Raised { module: Some(module), .. } => {
            failure.hints.of_module(&safe(module))
        }
        HookProblem::Raised { .. } | HookProblem::Exited(_) | HookProblem::Died { .. } if !failure.hints.is_empty() => {
            return failure.hints.advice();
        }
        HookProblem::NoBackend { .. } => {
            "`build-system.requires` in pyproject.toml has to name the backend; add it with --extra-build-dep"
                .to_owned()
        }
        _ => return None,
    })
}

fn safe(text: &str) -> String {
    neutralised(text.as_bytes())
}
