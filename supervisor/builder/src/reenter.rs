//! A program of a person's choice in the scratch of a build that is over, confined as the build was.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use cache::{Cache, Scratch};
use policies::Policy;
use protocol::{AbsPath, Claim, Denial, Level, Program};

use crate::assignment::{Layout, compile};
use crate::error::BuildError;
use crate::executor::{Executor, Job};
use crate::hand_over::hand_over;
use crate::kept_build::KeptBuild;
use crate::local::{LocalExecutor, UidLease};
use crate::redact::Redactor;

/// How long a person may stay, in milliseconds: the clocks of a build are not theirs.
const STAY_MS: u64 = 24 * 60 * 60 * 1000;
/// The shell, which every build has.
const SHELL: &str = "/bin/sh";

/// What is done in a scratch.
#[derive(Debug)]
pub struct Visit {
    /// The cache.
    pub cache: Cache,
    /// Runs the worker.
    pub executor: Arc<LocalExecutor>,
    /// The scratch. It stays where it is.
    pub scratch: Scratch,
    /// What it is confined by.
    pub kept: KeptBuild,
    /// Its policy, read from there.
    pub policy: Policy,
    /// Values of variables that the policy passes on from whoever calls, and those of the terminal.
    pub variables: Vec<(String, String)>,
    /// The words of a command; none for a shell to type into.
    pub command: Vec<String>,
    /// What the program reads and writes: a terminal or a socket.
    pub stream: OwnedFd,
}

/// What became of it.
#[derive(Debug)]
pub struct Visited {
    /// The worker's last word.
    pub claim: Claim,
    /// What was refused.
    pub denials: Vec<Denial>,
    /// The level that was reached.
    pub level: Level,
}

impl Visit {
    /// Runs the program to its end.
    ///
    /// # Errors
    /// If it can not be confined as the build was, or a limit was reached.
    pub async fn run(self) -> Result<Visited, BuildError> {
        let kept = &self.kept;
        let uid = match kept.uid {
            Some(uid) => Some(own(uid, &self.scratch)?),
            None => None,
        };
        let layout = Layout {
            namespaces: kept.namespaces,
            landlock: kept.landlock,
            build_uid: uid.as_ref().map(UidLease::uid),
            scratch: AbsPath::new(self.scratch.path())?,
            must_not_open: AbsPath::new(self.cache.root().join("CACHEDIR.TAG"))?,
            trace: false,
            in_slot: false,
        };
        if !kept.environment.is_dir() {
            return Err(BuildError::Removed {
                what: "the build environment".to_owned(),
            });
        }
        let seen_as = layout.environment(&kept.environment)?;
        let environment = Some((AbsPath::new(&kept.environment)?, seen_as));
        let compiled = compile(&self.policy, &kept.extras()?, &kept.facts, environment)?;
        let mut variables = compiled.environment;
        variables.extend(layout.variables()?);
        variables.extend(self.variables);
        let variables: std::collections::BTreeMap<_, _> = variables.into_iter().collect();
        let mut limits = kept.limits.clone();
        (limits.wall_ms, limits.silence_ms) = (STAY_MS, STAY_MS);
        let program = Program {
            path: AbsPath::new(SHELL)?,
            arguments: arguments(self.command),
            environment: variables.into_iter().collect(),
            directory: directory(&layout, &self.scratch, kept.subdirectory.as_deref())?,
            takes_calls: false,
            input: None,
            output: None,
            talks: true,
        };
        let job = Job {
            assignment: layout.assignment(compiled.grants, limits, None, Some(program))?,
            scratch: self.scratch,
            dialogue: Box::new(|_| None),
            floor: kept.floor(),
            log: None,
            lines: None,
            redactor: Redactor::default(),
            watched: false,
            stream: Some(self.stream),
        };
        let (evidence, _stays) = self.executor.execute(job).await?;
        Ok(Visited {
            claim: evidence.claim,
            denials: evidence.denials,
            level: evidence.report.level,
        })
    }
}

/// Leases a uid, that of the build if it is free, and makes what is in the rooms its own.
fn own(uid: u32, scratch: &Scratch) -> Result<UidLease, BuildError> {
    let lease = UidLease::take_this(uid).or_else(UidLease::take);
    let lease = lease.ok_or(BuildError::NoUid)?;
    hand_over(scratch, lease.uid()).map_err(|source| BuildError::Io {
        doing: "hand over what is in",
        path: scratch.path().to_owned(),
        source,
    })?;
    Ok(lease)
}

/// What the shell is told: to be one, or to become a command that is found as it finds commands.
fn arguments(command: Vec<String>) -> Vec<String> {
    let words: &[&str] = match command.is_empty() {
        true => &["sh"],
        false => &["sh", "-c", "exec \"$@\"", "sh"],
    };
    let words = words.iter().map(|word| (*word).to_owned());
    words.chain(command).collect()
}

/// The project's folder, or the room of the source where the build never made it. Only whether it is
/// there is asked of the host; the worker enters it behind every lock.
fn directory(
    layout: &Layout,
    scratch: &Scratch,
    subdirectory: Option<&str>,
) -> Result<AbsPath, BuildError> {
    let room = layout.room('s')?;
    match subdirectory {
        Some(below) if scratch.path().join("s").join(below).is_dir() => Ok(room.join(below)?),
        _ => Ok(room),
    }
}
