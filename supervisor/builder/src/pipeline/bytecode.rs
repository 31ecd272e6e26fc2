//! Byte-compiling a tree of packages: base interpreter, in a worker that reads the tree and writes elsewhere.
//! Whoever asks takes of what it wrote only the names that it expects.

use std::path::{Path, PathBuf};

use cache::Scratch;
use environment::COMPILE;
use protocol::{AbsPath, Access, PathGrant, Program};

use super::corridor::blocking;
use crate::assignment::{ENVIRONMENT_AT, Layout};
use crate::error::BuildError;
use crate::executor::{ExecuteError, Executor, Job};
use crate::furnished::furnished;
use crate::jobs::processors;
use crate::settings::Settings;

/// By what bytecode is taken for that of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By nothing: the source never changes.
    Unchecked,
    /// By its time and size: users may edit it.
    Timestamp,
}

impl Mode {
    fn word(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked-hash",
            Self::Timestamp => "timestamp",
        }
    }
}

/// Bytecode that nobody has looked at yet; it goes when this is dropped.
#[derive(Debug)]
pub struct Compiled(Scratch);

impl Compiled {
    /// Returns the folder that it lies in, laid out as the tree is.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.0.path().join("o")
    }
}

/// Compiles every source below `tree`; nothing of it is imported. None if a limit was reached.
///
/// # Errors
/// If no worker could do it.
pub async fn compile_bytecode(
    settings: &Settings,
    tree: &Path,
    mode: Mode,
) -> Result<Option<Compiled>, BuildError> {
    let host = settings.executor.host().await?;
    let lease = settings.executor.lease_uid(host).await?;
    let cache = settings.cache.clone();
    let scratch = blocking("make a scratch", move || furnished(&cache)).await?;
    let uid = lease.as_ref().map(crate::local::UidLease::uid);
    let layout = Layout::new(host, uid, scratch.path(), settings.cache.root())?;
    let place = AbsPath::new(tree)?;
    let seen_as = layout.environment(tree)?;
    let policy = policies::Policy::builtin("pure").ok_or(BuildError::Task {
        doing: "find the policy",
    })?;
    let compiled = crate::assignment::compile(&policy, &[], &settings.facts, None)?;
    let mut grants = compiled.grants;
    grants.push(PathGrant {
        path: place,
        seen_as: (seen_as.as_path() == std::path::Path::new(ENVIRONMENT_AT))
            .then(|| seen_as.clone()),
        access: Access::Read,
        optional: false,
    });
    let mut variables = compiled.environment;
    variables.extend(layout.variables()?);
    variables.sort();
    let workers = processors().min(8);
    let output = layout.room('o')?;
    let python = AbsPath::new(&settings.facts.executable)?;
    let program = Program {
        arguments: [
            &python.to_string(),
            "-I",
            "-S",
            "-c",
            COMPILE,
            &seen_as.to_string(),
            &output.to_string(),
            &workers.to_string(),
            mode.word(),
        ]
        .map(str::to_owned)
        .to_vec(),
        path: python,
        environment: variables,
        directory: layout.room('t')?,
        takes_calls: false,
        input: None,
        output: None,
        talks: false,
    };
    let limits = settings.limits.over(&compiled.limits);
    let job = Job {
        assignment: layout.assignment(grants, limits, None, Some(program))?,
        scratch,
        dialogue: Box::new(|_| None),
        floor: settings.floor.clone(),
        log: None,
        lines: None,
        redactor: crate::redact::Redactor::default(),
        watched: true,
        stream: None,
    };
    let (evidence, scratch) = match settings.executor.execute(job).await {
        Err(ExecuteError::Limit(stopped)) => {
            tracing::warn!(limit = %stopped.reached, "nothing was byte-compiled");
            return Ok(None);
        }
        outcome => outcome?,
    };
    if evidence.claim.ending != protocol::Ending::Exited(0) {
        tracing::warn!(ending = ?evidence.claim.ending, "nothing was byte-compiled");
    }
    Ok(Some(Compiled(scratch)))
}
