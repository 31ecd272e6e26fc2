//! The `.git` that goes into the archive: enough that `git describe`, `git log`, `git status`,
//! `git ls-files` and `git archive` answer as in a clone, and nothing else.
//!
//! ```text
//! HEAD                  the commit, detached
//! config                a few lines of ours
//! packed-refs           the tags that the commit can see
//! shallow               where the repository itself is cut
//! index                 the commit's tree
//! objects/pack/*        every commit back to the first without its files, the tags, and the commit's
//!                       own trees and files
//! ```
//!
//! Commits go back to the first because a version may count all of them, and which tag counts is
//! the project's to say. Never in it: remotes, hooks, settings, other branches, logs.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use cache::Scratch;

use super::answer::open_output;
use super::checkout::INDEX;
use super::command::{Command, Git};
use super::local::read_small;
use super::store::Store;
use crate::error::BuildError;

const CONFIGURATION: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = false\n";
/// The beginning of the pack's name, in room `o`.
const PACK: &str = "pack";

/// The commit at the head of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Its name.
    pub(super) commit: String,
    /// The name of its tree.
    pub(super) tree: String,
    /// When it was committed, in Unix seconds.
    pub(super) time: i64,
    /// How many letters of a name the repository thinks are enough: fewer are in the archive, so there
    /// fewer would do, and a version would be another than in the clone.
    pub(super) short: usize,
    /// The tags that it can see, as `packed-refs` holds them.
    pub(super) tags: Vec<Tag>,
}

/// One tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// `refs/tags/...`
    name: String,
    /// What it names.
    object: String,
    /// The commit, if what it names is a tag object.
    peeled: Option<String>,
}

impl Head {
    /// Asks for all of it.
    pub(super) async fn of(git: &Git<'_>, store: &Store, commit: &str) -> Result<Self, BuildError> {
        let words = [
            "log",
            "--max-count=1",
            "--no-color",
            "--no-show-signature",
            "--format=%T %ct %h",
            "--end-of-options",
            commit,
        ];
        let text = git.run(&store.url, store.read("read", &words)).await?;
        let (tree, time, short) = facts(&String::from_utf8_lossy(&text))
            .ok_or_else(|| store.nonsense("a commit without a tree or a time"))?;
        let merged = format!("--merged={commit}");
        let words = [
            "for-each-ref",
            &merged,
            "--format=%(objectname) %(objecttype) %(*objectname) %(refname)",
            "refs/tags",
        ];
        let tags = git
            .run(&store.url, store.read("list the tags of", &words))
            .await?;
        Ok(Self {
            commit: commit.to_owned(),
            tree,
            time,
            short,
            tags: tags_of(store, &String::from_utf8_lossy(&tags))?,
        })
    }

    /// What names the source: the commit and the tags, which decide its version.
    pub(super) fn identity(&self) -> String {
        format!("{}\n{}", self.commit, self.packed_refs())
    }

    fn packed_refs(&self) -> String {
        let mut text = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
        for tag in &self.tags {
            text.push_str(&format!("{} {}\n", tag.object, tag.name));
            if let Some(peeled) = &tag.peeled {
                text.push_str(&format!("^{peeled}\n"));
            }
        }
        text
    }
}

/// Reads `<tree> <time> <abbreviated name>`; all but the name are as long as they have to be.
fn facts(text: &str) -> Option<(String, i64, usize)> {
    let words: Vec<_> = text.trim_end().split(' ').collect();
    let &[tree, time, short] = words.as_slice() else {
        return None;
    };
    let hexadecimal = |text: &str| text.bytes().all(|c| c.is_ascii_hexdigit());
    let fits = tree.len() == 40 && (4..=40).contains(&short.len());
    let fits = fits && hexadecimal(tree) && hexadecimal(short);
    fits.then_some((tree.to_owned(), time.parse().ok()?, short.len()))
}

/// Reads what `for-each-ref` says, sorted by name.
fn tags_of(store: &Store, text: &str) -> Result<Vec<Tag>, BuildError> {
    let mut tags = Vec::new();
    for line in text.lines() {
        let words: Vec<_> = line.splitn(4, ' ').collect();
        let &[object, kind, peeled, name] = words.as_slice() else {
            return Err(store.nonsense("a tag without a name"));
        };
        if !name.starts_with("refs/tags/") || name.contains(char::is_control) {
            return Err(store.nonsense("a tag with an odd name"));
        }
        let peeled = match (kind, peeled.is_empty()) {
            ("tag", false) => Some(store.object_name(peeled.as_bytes())?),
            ("commit", true) => None,
            // A tag of a tree or a file says nothing of a version.
            _ => continue,
        };
        tags.push(Tag {
            name: name.to_owned(),
            object: store.object_name(object.as_bytes())?,
            peeled,
        });
    }
    tags.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(tags)
}

/// Has git write the objects into room `o`; returns where the history is cut.
pub(super) async fn pack_objects(
    git: &Git<'_>,
    store: &Store,
    head: &Head,
) -> Result<Vec<String>, BuildError> {
    let words = ["rev-list", "--end-of-options", &head.commit];
    let commits = git
        .run(&store.url, store.read("list the history of", &words))
        .await?;
    let words = [
        "rev-list",
        "--objects",
        "--no-object-names",
        "--end-of-options",
        &head.tree,
    ];
    let files = git
        .run(&store.url, store.read("list the files of", &words))
        .await?;
    let mut commits = names(store, &commits)?;
    let cut = cuts(store, &commits)?;
    commits.extend(names(store, &files)?);
    commits.extend(head.tags.iter().map(|tag| tag.object.clone()));
    let mut list: String = commits.into_iter().fold(String::new(), |mut list, name| {
        list.push_str(&name);
        list.push('\n');
        list
    });
    if list.is_empty() {
        list.push('\n');
    }
    // Neither deltas nor compression, and by a repository without tags or settings, which decide the
    // order of objects and the form of the index: then the pack depends on its objects alone.
    let target = git.room('o')?.join(PACK)?.to_string();
    let words = [
        "pack-objects",
        "--quiet",
        "--window=0",
        "--depth=0",
        "--compression=0",
        "--threads=1",
        "--no-reuse-delta",
        "--no-reuse-object",
        &target,
    ];
    let command = Command {
        input: Some(list.into_bytes()),
        objects_only: true,
        ..store.read("pack the objects of", &words)
    };
    git.run(&store.url, command).await?;
    Ok(cut)
}

/// The names in a list of git's, sorted.
fn names(store: &Store, list: &[u8]) -> Result<BTreeSet<String>, BuildError> {
    list.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| store.object_name(line))
        .collect()
}

/// Where a repository that is shallow itself is cut, among `commits`.
fn cuts(store: &Store, commits: &BTreeSet<String>) -> Result<Vec<String>, BuildError> {
    let path = store.objects_of().join("shallow");
    let text = read_small(&path).map_err(|source| BuildError::Io {
        doing: "read where history is cut in",
        path,
        source,
    })?;
    let mut cuts: Vec<_> = String::from_utf8_lossy(&text)
        .lines()
        .filter(|line| commits.contains(*line))
        .map(ToOwned::to_owned)
        .collect();
    cuts.sort();
    Ok(cuts)
}

/// Puts the `.git` together at `tree`, a folder that no worker ever saw.
pub(super) fn assemble(
    tree: &Path,
    scratch: &Scratch,
    head: &Head,
    cuts: &[String],
) -> Result<(), BuildError> {
    let failed = |source| BuildError::Io {
        doing: "put a repository together in",
        path: tree.to_owned(),
        source,
    };
    let lay = || -> io::Result<()> {
        for folder in ["objects/pack", "objects/info", "refs/heads", "refs/tags"] {
            fs::create_dir_all(tree.join(folder))?;
        }
        fs::write(tree.join("HEAD"), format!("{}\n", head.commit))?;
        let abbreviated = format!("{CONFIGURATION}\tabbrev = {}\n", head.short);
        fs::write(tree.join("config"), abbreviated)?;
        fs::write(tree.join("packed-refs"), head.packed_refs())?;
        if !cuts.is_empty() {
            fs::write(tree.join("shallow"), cuts.join("\n") + "\n")?;
        }
        Ok(())
    };
    lay().map_err(failed)?;
    let copy = |name: &str, to: &Path| -> Result<(), BuildError> {
        let mut from = open_output(scratch, name)?;
        let mut to = fs::File::create_new(tree.join(to)).map_err(failed)?;
        io::copy(&mut from, &mut to).map(drop).map_err(failed)
    };
    copy(INDEX, Path::new("index"))?;
    let names = fs::read_dir(scratch.path().join("o")).map_err(failed)?;
    for entry in names {
        let name = entry.map_err(failed)?.file_name();
        let Some(name) = name.to_str().filter(|name| is_pack(name)) else {
            continue;
        };
        copy(name, &Path::new("objects/pack").join(name))?;
    }
    Ok(())
}

/// `pack-<40 hexadecimal digits>.pack` and its `.idx`.
fn is_pack(name: &str) -> bool {
    let stem = name
        .strip_suffix(".pack")
        .or_else(|| name.strip_suffix(".idx"));
    stem.and_then(|stem| stem.strip_prefix("pack-"))
        .is_some_and(|hex| hex.len() == 40 && hex.bytes().all(|c| c.is_ascii_hexdigit()))
}

/// Whether it is the name of a pack's index.
pub(super) fn is_index(name: &str) -> bool {
    is_pack(name) && name.ends_with(".idx")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_a_commit_are_a_tree_a_time_and_a_length() {
        let tree = "0123456789abcdef0123456789abcdef01234567";
        let text = format!("{tree} 1600000000 0123456\n");
        assert_eq!(facts(&text), Some((tree.to_owned(), 1_600_000_000, 7)));
        for text in [
            "",
            "x 1 abcd",
            &format!("{tree} now abcd"),
            &format!("{tree} 1 ab"),
        ] {
            assert_eq!(facts(text), None, "{text}");
        }
    }

    #[test]
    fn only_packs_are_taken_from_a_worker() {
        let hex = "0123456789abcdef0123456789abcdef01234567";
        assert!(is_pack(&format!("pack-{hex}.pack")));
        assert!(is_pack(&format!("pack-{hex}.idx")));
        for name in ["index", "pack-x.pack", "answer", "pack-..pack"] {
            assert!(!is_pack(name), "{name}");
        }
        assert!(!is_pack(&format!("pack-{hex}.keep")));
    }
}
