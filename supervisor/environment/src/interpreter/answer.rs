//! The question to an interpreter, and what is made of its answer.
//!
//! The answer comes out of a worker in which a program ran that anyone may have put there: what
//! was read from the file system beforehand wins over it, and no folder outside the installation
//! is taken from it.

use std::path::{Component, Path, PathBuf};

use model::{MarkerEnvironment, PythonFacts};
use serde::Deserialize;

use super::places::{HEADERS, ROOMS};
use super::{Found, InterpreterError};

/// The Python text to run with `-I -S -c`; `argv[1]` is the file to write the answer to, `argv[2]`
/// (optional) the virtual environment in which pip is looked for first.
pub const QUESTION: &str = include_str!("question.py");

/// The oldest Python that builds are made with.
pub const OLDEST: (u64, u64) = (3, 9);

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 256 * 1024;
/// The longest text in an answer, in bytes.
const MAX_TEXT: usize = 4096;

#[derive(Deserialize)]
struct Answer {
    markers: MarkerEnvironment,
    version: (u64, u64, u64),
    implementation: String,
    cache_tag: Option<String>,
    soabi: Option<String>,
    abiflags: String,
    debug: bool,
    free_threaded: bool,
    platform: String,
    machine: String,
    libc: Option<(String, u32, u32)>,
    executable: PathBuf,
    base_prefix: PathBuf,
    base_exec_prefix: PathBuf,
    library_folders: Vec<PathBuf>,
    pip_default_index: Option<String>,
    pip_default_origin: Option<String>,
}

/// Returns the facts that `answer` (the document [`QUESTION`] wrote) states about `found`.
///
/// # Errors
/// If it is no answer, contradicts what was found, or is of a Python that is too old.
pub fn understand(answer: &[u8], found: &Found) -> Result<PythonFacts, InterpreterError> {
    let bad = |reason: String| InterpreterError::BadAnswer {
        executable: found.executable.clone(),
        reason,
    };
    if answer.len() > MAX_ANSWER {
        return Err(bad(format!(
            "{} bytes are too long an answer",
            answer.len()
        )));
    }
    let answer: Answer = serde_json::from_slice(answer).map_err(|error| bad(error.to_string()))?;
    let (major, minor, patch) = answer.version;
    if (major, minor) < OLDEST {
        return Err(InterpreterError::TooOld {
            executable: found.executable.clone(),
            version: format!("{major}.{minor}.{patch}"),
        });
    }
    check_words(&answer).map_err(&bad)?;
    if answer.executable != found.base {
        tracing::debug!(said = %answer.executable.display(), found = %found.base.display(), "the interpreter names another program");
    }
    for prefix in [&answer.base_prefix, &answer.base_exec_prefix] {
        if !is_prefix(prefix, found) {
            return Err(bad(format!(
                "it says that it is installed in `{}`",
                prefix.display()
            )));
        }
    }
    let mut library_folders = answer.library_folders;
    library_folders.retain(|folder| is_library(folder, found));
    library_folders.sort();
    library_folders.dedup();
    let index = answer.pip_default_index.filter(|url| is_index(url));
    Ok(PythonFacts {
        markers: answer.markers,
        version: answer.version,
        implementation: answer.implementation,
        cache_tag: answer.cache_tag,
        soabi: answer.soabi,
        abiflags: answer.abiflags,
        debug: answer.debug,
        free_threaded: answer.free_threaded,
        platform: answer.platform,
        machine: answer.machine,
        libc: answer.libc,
        executable: found.base.clone(),
        base_prefix: answer.base_prefix,
        base_exec_prefix: answer.base_exec_prefix,
        library_folders,
        pip_default_origin: index.as_ref().and(answer.pip_default_origin),
        pip_default_index: index,
    })
}

/// Refuses words that would be unsafe in names of files and lines of keys.
fn check_words(answer: &Answer) -> Result<(), String> {
    let tag = answer.cache_tag.as_deref().unwrap_or_default();
    let soabi = answer.soabi.as_deref().unwrap_or_default();
    let libc = answer.libc.as_ref().map_or("", |(name, _, _)| name);
    let words = [
        ("implementation", answer.implementation.as_str()),
        ("cache_tag", tag),
        ("soabi", soabi),
        ("abiflags", &answer.abiflags),
        ("platform", &answer.platform),
        ("machine", &answer.machine),
        ("libc", libc),
    ];
    for (name, word) in words {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
        if word.len() > 200 || !word.chars().all(plain) {
            return Err(format!("`{name}` is not a plain word"));
        }
    }
    if answer.implementation.is_empty() || answer.machine.is_empty() {
        return Err("it does not say what it is".to_owned());
    }
    let origin = answer.pip_default_origin.as_deref().unwrap_or_default();
    if origin.len() > MAX_TEXT || origin.chars().any(char::is_control) {
        return Err("the origin of its index is not a line of text".to_owned());
    }
    Ok(())
}

/// Whether the installation may be in this folder: where it was found, or a place of the system.
fn is_prefix(folder: &Path, found: &Found) -> bool {
    folder == found.base_prefix || is_of_the_system(folder)
}

/// Whether a folder may be part of the installation. It is granted to builds, and the prefix may
/// be someone's home: only what an installation has below its prefix counts.
fn is_library(folder: &Path, found: &Found) -> bool {
    let room = |inside: &Path| {
        let mut parts = inside.components();
        let first = parts.next().and_then(|part| part.as_os_str().to_str());
        first.is_some_and(|first| first == HEADERS || ROOMS.contains(&first))
            && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    folder.strip_prefix(&found.base_prefix).is_ok_and(room) || is_of_the_system(folder)
}

fn is_of_the_system(folder: &Path) -> bool {
    let places = ["/usr", "/lib", "/lib64", "/nix/store", "/gnu/store"];
    places.iter().any(|place| folder.starts_with(place))
        && folder.components().all(|part| part != Component::ParentDir)
}

/// Whether the text may be an index's URL; the index client judges it further.
fn is_index(url: &str) -> bool {
    url.len() <= MAX_TEXT
        && ["https://", "http://", "file://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}
