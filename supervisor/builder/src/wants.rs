//! What a failed build would have fetched, as the log and the `Cargo.lock` files in its source tell: crates and
//! sources, by name and count. A build writes both, so nothing is decided by them; they explain.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use serde::Deserialize;

/// Bytes of a log that are read; no log is longer by default.
const LONGEST_LOG: u64 = 64 << 20;
/// Bytes of a `Cargo.lock` that are read.
const LONGEST_LOCK: u64 = 4 << 20;
/// Folders that are looked into for a `Cargo.lock`.
const MOST_FOLDERS: usize = 2_000;
/// Names of one kind that are kept, so that an error stays an error and no list.
const MOST: usize = 10_000;
/// Names of one kind that people are shown.
const SHOWN: usize = 5;

/// What cargo says when it may not fetch, which it never may in a build.
const OFFLINE: [&str; 3] = [
    "offline mode (--offline)",
    "--offline was specified",
    "in the offline mode",
];
/// What stands before and behind the name of a crate or the address of a source that was not fetched.
const CRATES: [(&str, &str); 2] = [
    ("no matching package named `", "`"),
    ("failed to download `", "`"),
];
const SOURCES: [(&str, &str); 3] = [
    ("error: downloading '", "' failed"),
    ("Failed to clone repository: '", "'"),
    ("fatal: unable to access '", "'"),
];

/// What a build would have fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Crates, as `name version` where a lock file says it.
    pub crates: BTreeSet<String>,
    /// Addresses of archives and repositories.
    pub sources: BTreeSet<String>,
}

/// One package of a `Cargo.lock`.
#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    /// Where it comes from; a member of the workspace comes from nowhere.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Package>,
}

impl Wants {
    /// Reads the log of a build that failed and, where cargo speaks in it, the lock files below `source`. What
    /// can not be read wants nothing.
    pub(crate) fn of(log: &Path, source: &Path) -> Self {
        let Ok(log) = fs::File::open(log) else {
            return Self::default();
        };
        let (mut wants, offline) = Self::told(BufReader::new(log.take(LONGEST_LOG)));
        if offline {
            let locked: BTreeSet<_> = locks(source).iter().flat_map(|text| listed(text)).collect();
            if !locked.is_empty() {
                wants.crates = locked.into_iter().take(MOST).collect();
            }
        } else {
            wants.crates.clear();
        }
        wants
    }

    /// Whether it wanted nothing that is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.crates.is_empty() && self.sources.is_empty()
    }

    /// Returns a sentence for each kind: how many, and the first of them.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let kinds = [("crate", &self.crates), ("source", &self.sources)];
        let wanted = kinds.iter().filter(|(_, names)| !names.is_empty());
        wanted.map(|(kind, names)| counted(kind, names)).collect()
    }

    /// Reads a log; says also whether cargo missed the network.
    fn told(log: impl BufRead) -> (Self, bool) {
        let mut wants = Self::default();
        let mut offline = false;
        for line in log.split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            offline |= OFFLINE.iter().any(|words| line.contains(words));
            take(&line, &CRATES, &mut wants.crates);
            take(&line, &SOURCES, &mut wants.sources);
        }
        (wants, offline)
    }
}

/// Keeps what stands in a line between two marks.
fn take(line: &str, marks: &[(&str, &str)], names: &mut BTreeSet<String>) {
    for (before, behind) in marks {
        let found = line
            .split_once(before)
            .and_then(|(_, rest)| rest.split_once(behind));
        if let Some((name, _)) = found
            && names.len() < MOST
        {
            names.insert(name.to_owned());
        }
    }
}

fn counted(kind: &str, names: &BTreeSet<String>) -> String {
    let shown: Vec<_> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = if names.len() > SHOWN { ", ..." } else { "" };
    let plural = if names.len() == 1 { "" } else { "s" };
    format!("{} {kind}{plural}: {}{more}", names.len(), shown.join(", "))
}

/// The crates in a lock file that come from somewhere.
fn listed(text: &str) -> Vec<String> {
    let lock: Lock = toml::from_str(text).unwrap_or(Lock {
        package: Vec::new(),
    });
    let fetched = lock.package.into_iter().filter(|one| one.source.is_some());
    fetched
        .map(|one| format!("{} {}", one.name, one.version))
        .collect()
}

/// The texts of all `Cargo.lock` files below a folder in which nothing runs any more. No link is followed.
fn locks(source: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![source.to_owned()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        seen += 1;
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let is_lock = entry.file_name() == "Cargo.lock";
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && seen + folders.len() < MOST_FOLDERS => {
                    folders.push(entry.path());
                }
                Ok(kind) if kind.is_file() && is_lock => {
                    let mut text = String::new();
                    let read = fs::File::open(entry.path())
                        .and_then(|file| file.take(LONGEST_LOCK).read_to_string(&mut text));
                    found.extend(read.ok().map(|_| text));
                }
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\
        [[package]]\nname = \"libc\"\nversion = \"0.2.1\"\nsource = \"registry+https://crates.invalid/index\"\n\
        [[package]]\nname = \"patched\"\nversion = \"1.0.0\"\nsource = \"git+https://git.invalid/x#abc\"\n";

    fn told(log: &str) -> (Wants, bool) {
        Wants::told(log.as_bytes())
    }

    #[test]
    fn what_cargo_and_cmake_miss_is_told_by_name_and_count() {
        let (wants, offline) = told(
            "error: no matching package named `dep` found\nAs a reminder, you're using offline mode (--offline)\n\
             error: downloading 'https://a.invalid/x.tar.gz' failed\nFailed to clone repository: 'https://b.invalid/y'\n",
        );
        assert!(offline);
        let said = [
            "1 crate: dep",
            "2 sources: https://a.invalid/x.tar.gz, https://b.invalid/y",
        ];
        assert_eq!(wants.sentences(), said);
    }

    #[test]
    fn an_ordinary_log_wants_nothing() {
        let (wants, offline) =
            told("running build_ext\nerror: command 'gcc' failed\nfailed to download nothing\n");
        assert!(!offline && wants.is_empty() && wants.sentences().is_empty());
    }

    #[test]
    fn a_lock_file_lists_what_comes_from_elsewhere() {
        assert_eq!(listed(LOCK), ["libc 0.2.1", "patched 1.0.0"]);
        assert_eq!(listed("not = [toml"), Vec::<String>::new());
    }

    #[test]
    fn many_names_are_counted_and_a_few_are_shown() {
        let crates = (0..7).map(|number| format!("c{number}")).collect();
        let wants = Wants {
            crates,
            ..Wants::default()
        };
        assert_eq!(wants.sentences(), ["7 crates: c0, c1, c2, c3, c4, ..."]);
    }

    #[test]
    fn lock_files_are_found_below_and_links_are_not_followed() {
        let place = tempfile::tempdir().expect("a folder");
        let deep = place.path().join("s/src/rust");
        fs::create_dir_all(&deep).expect("folders");
        fs::write(deep.join("Cargo.lock"), LOCK).expect("a file");
        fs::write(place.path().join("outside"), LOCK.replace("libc", "other")).expect("a file");
        let link = place.path().join("s/Cargo.lock");
        std::os::unix::fs::symlink("../outside", link).expect("a link");
        let log = place.path().join("log");
        fs::write(&log, "--offline was specified\n").expect("a file");
        let wants = Wants::of(&log, &place.path().join("s"));
        assert_eq!(wants.sentences(), ["2 crates: libc 0.2.1, patched 1.0.0"]);
    }
}
