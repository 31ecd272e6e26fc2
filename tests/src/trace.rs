//! System calls as `strace -f -y` writes them down: put together where threads came between, read into words.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One finished system call that did not fail.
#[derive(Clone, Debug)]
pub struct Call {
    /// The thread.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Its arguments as written, without the outer brackets.
    pub arguments: String,
    /// What it returned, with the path of a descriptor.
    pub answer: String,
    /// The line on which it began.
    pub began: usize,
    /// The line on which it ended.
    pub ended: usize,
}

/// Reads a trace. Calls that failed, signals and exits are left out.
///
/// # Panics
/// When the file can not be read.
#[must_use]
pub fn calls(log: &Path) -> Vec<Call> {
    let text = std::fs::read(log).expect("strace has written its log");
    let text = String::from_utf8_lossy(&text);
    let mut begun: BTreeMap<u32, (usize, String)> = BTreeMap::new();
    let mut calls = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some((pid, rest)) = line.trim_start().split_once(' ') else {
            continue;
        };
        let (Ok(pid), rest) = (pid.parse(), rest.trim_start()) else {
            continue;
        };
        if let Some(start) = rest.strip_suffix("<unfinished ...>") {
            begun.insert(pid, (number, start.to_owned()));
            continue;
        }
        let resumed = rest
            .strip_prefix("<... ")
            .and_then(|rest| rest.split_once(" resumed>"));
        let (began, whole) = match (resumed, begun.remove(&pid)) {
            (Some((_, end)), Some((began, start))) => (began, format!("{start}{end}")),
            (Some(_), None) => continue,
            (None, _) => (number, rest.to_owned()),
        };
        calls.extend(call(pid, &whole, (began, number)));
    }
    calls
}

fn call(pid: u32, text: &str, (began, ended): (usize, usize)) -> Option<Call> {
    let (head, answer) = text.rsplit_once(" = ")?;
    let (name, arguments) = head.trim_end().split_once('(')?;
    if answer.starts_with("-1 ") || answer.starts_with('?') {
        return None;
    }
    Some(Call {
        pid,
        name: name.to_owned(),
        arguments: arguments.strip_suffix(')')?.to_owned(),
        answer: answer.to_owned(),
        began,
        ended,
    })
}

impl Call {
    /// Returns the path of the descriptor that is the first argument: `fsync(5</a/b>)`.
    #[must_use]
    pub fn descriptor(&self) -> Option<PathBuf> {
        annotated(&self.arguments)
    }

    /// Returns the path of the descriptor that it returned.
    #[must_use]
    pub fn returned(&self) -> Option<PathBuf> {
        annotated(&self.answer)
    }

    /// Returns the paths that are named, each hung on the directory that goes with it: the descriptor before it,
    /// or `cwd`.
    #[must_use]
    pub fn paths(&self, cwd: &Path) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        let mut rest = self.arguments.as_str();
        while let Some(start) = rest.find('"') {
            let Some(length) = end_of(&rest[start + 1..]) else {
                break;
            };
            let before = rest[..start].trim_end_matches([' ', ',']);
            let base = before
                .rsplit(", ")
                .next()
                .and_then(annotated)
                .unwrap_or_else(|| cwd.to_owned());
            paths.push(plain(&base.join(&rest[start + 1..start + 1 + length])));
            rest = &rest[start + 2 + length..];
        }
        paths
    }

    /// Whether it can change what is at the paths that it names, or make something there.
    #[must_use]
    pub fn writes(&self) -> bool {
        const CHANGING: [&str; 26] = [
            "mkdir",
            "mkdirat",
            "rename",
            "renameat",
            "renameat2",
            "link",
            "linkat",
            "symlink",
            "symlinkat",
            "unlink",
            "unlinkat",
            "rmdir",
            "chmod",
            "fchmodat",
            "fchmodat2",
            "chown",
            "lchown",
            "fchownat",
            "truncate",
            "mknod",
            "mknodat",
            "creat",
            "utimensat",
            "setxattr",
            "lsetxattr",
            "removexattr",
        ];
        let opens = matches!(self.name.as_str(), "open" | "openat" | "openat2");
        let for_writing = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_TMPFILE"];
        CHANGING.contains(&self.name.as_str())
            || (opens && for_writing.iter().any(|flag| self.arguments.contains(flag)))
    }
}

/// Returns the path in `5</a/b>`, or in `AT_FDCWD</a/b>`.
fn annotated(text: &str) -> Option<PathBuf> {
    let (before, rest) = text.split_once('<')?;
    if before.contains(['"', ' ']) {
        return None;
    }
    let path = rest.split_once('>')?.0;
    path.starts_with('/').then(|| PathBuf::from(path))
}

/// Returns where a quoted text ends.
fn end_of(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, sign)| {
        let ends = sign == '"' && !escaped;
        escaped = sign == '\\' && !escaped;
        ends.then_some(at)
    })
}

/// Returns a path without `.` and `..`; no test has links on the way.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
