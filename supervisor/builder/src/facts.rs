//! Asking an interpreter about itself, inside a worker.

use std::fs::File;
use std::io::Read;

use cache::Cache;
use environment::{Found, QUESTION, folders_to_ask, remember, remembered, understand};
use model::PythonFacts;
use protocol::{AbsPath, Access, Ending, Level, Limits, PathGrant, Program};
use rustix::fs::{Mode, OFlags, openat};

use crate::assignment::{Layout, readable};
use crate::error::BuildError;
use crate::executor::{ExecuteError, Executor, Floor, Job};
use crate::furnished::{furnished, is_full};
use crate::local::{LocalExecutor, UidLease};

/// The largest answer that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// What every program needs of the system to start at all.
const SYSTEM: [&str; 8] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/nix/store",
    "/gnu/store",
];

/// Returns what `found` says about itself: remembered, or asked in a worker.
///
/// # Errors
/// If it can not be asked or gives no sensible answer.
pub async fn ask_interpreter(
    cache: &Cache,
    executor: &LocalExecutor,
    found: &Found,
) -> Result<PythonFacts, BuildError> {
    if let Some(facts) = remembered(cache, found) {
        return Ok(facts);
    }
    let answer = ask(cache, executor, found).await?;
    let facts = understand(&answer, found)?;
    remember(cache, found, &facts)?;
    Ok(facts)
}

async fn ask(
    cache: &Cache,
    executor: &LocalExecutor,
    found: &Found,
) -> Result<Vec<u8>, BuildError> {
    let host = executor.host().await?;
    let lease = executor.lease_uid(host).await?;
    let scratch = furnished(cache)?;
    let uid = lease.as_ref().map(UidLease::uid);
    let layout = Layout::new(host, uid, scratch.path(), cache.root())?;
    let program = Program {
        path: AbsPath::new(&found.base)?,
        arguments: arguments(found, &layout)?,
        environment: layout.variables()?,
        directory: layout.room('t')?,
        takes_calls: false,
        input: None,
        output: None,
        talks: false,
    };
    let job = Job {
        assignment: layout.assignment(grants(found)?, limits(), None, Some(program))?,
        scratch,
        dialogue: Box::new(|_| None),
        // The user's own program: any isolation is more than it has elsewhere.
        floor: Floor {
            level: Level::NsOnly,
            require: Vec::new(),
        },
        log: None,
        lines: None,
        redactor: crate::redact::Redactor::default(),
        watched: true,
        stream: None,
    };
    let facts = |scratch: &cache::Scratch, why: String| {
        // An answer that found no room says nothing about the interpreter.
        if is_full(scratch) {
            return BuildError::DiskFull;
        }
        BuildError::Facts {
            python: found.executable.clone(),
            why,
        }
    };
    let (evidence, scratch) = match executor.execute(job).await {
        Err(ExecuteError::Limit(stopped)) => {
            return Err(facts(&stopped.scratch, stopped.reached.to_string()));
        }
        outcome => outcome?,
    };
    let facts = |why: String| facts(&scratch, why);
    match evidence.claim.ending {
        Ending::Exited(0) => {}
        Ending::Exited(code) => return Err(facts(format!("it exited with status {code}"))),
        Ending::Signalled(signal) => return Err(facts(format!("signal {signal} ended it"))),
        Ending::Reached(_) | Ending::Ended | Ending::Nothing => {
            return Err(facts("it did not answer in time".to_owned()));
        }
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(
        scratch.dir(),
        "o",
        OFlags::DIRECTORY | OFlags::NOFOLLOW,
        Mode::empty(),
    )
    .and_then(|room| openat(&room, "facts.json", flags, Mode::empty()))
    .map_err(|errno| facts(format!("its answer could not be opened: {errno}")))?;
    let file = File::from(file);
    if !file
        .metadata()
        .is_ok_and(|found| found.is_file() && found.len() <= LARGEST)
    {
        return Err(facts(
            "its answer is not a file of sensible size".to_owned(),
        ));
    }
    let mut answer = Vec::new();
    file.take(LARGEST)
        .read_to_end(&mut answer)
        .map_err(|error| facts(format!("its answer could not be read: {error}")))?;
    Ok(answer)
}

fn arguments(found: &Found, layout: &Layout) -> Result<Vec<String>, BuildError> {
    let answer = layout.room('o')?.join("facts.json")?.to_string();
    // Where the program lies tells it where it is installed: PyPy does not look further than here.
    let program = AbsPath::new(&found.base)?.to_string();
    let mut arguments = [&program, "-I", "-S", "-c", QUESTION, &answer]
        .map(str::to_owned)
        .to_vec();
    arguments.extend(
        found
            .environment
            .as_ref()
            .map(|path| path.display().to_string()),
    );
    Ok(arguments)
}

fn grants(found: &Found) -> Result<Vec<PathGrant>, BuildError> {
    let mut grants = vec![
        readable("/dev/null".as_ref(), Access::ReadWriteFile)?,
        readable("/dev/urandom".as_ref(), Access::Read)?,
        readable(&found.base, Access::ReadExecute)?,
    ];
    for path in SYSTEM {
        grants.push(PathGrant {
            optional: true,
            ..readable(path.as_ref(), Access::ReadExecute)?
        });
    }
    for path in folders_to_ask(found) {
        grants.push(readable(&path, Access::ReadExecute)?);
    }
    grants.sort();
    grants.dedup();
    Ok(grants)
}

fn limits() -> Limits {
    Limits {
        wall_ms: 60_000,
        silence_ms: 60_000,
        cpu_seconds: 60,
        memory_bytes: 2 << 30,
        processes: 16,
        open_files: 256,
        file_bytes: 16 << 20,
        scratch_bytes: 64 << 20,
        scratch_inodes: 1000,
        log_bytes: 1 << 20,
    }
}
