//! The work tree of a commit in room `s`, with its submodules in place.
//!
//! A submodule is fetched like any repository that somebody asks for, by an address that its parent
//! may lead to ([`GitUrl::submodule`]): git's own command for submodules is not used.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::BoxFuture;
use model::Sha256;
use sources::{GitUrl, Reference};

use super::command::{Command, Git};
use super::error::GitError;
use super::store::{OnWait, Store};
use crate::error::BuildError;
use crate::local::neutralised;
use crate::settings::Settings;

/// Submodules of one source, all levels together.
const MOST_SUBMODULES: usize = 200;
/// Submodules in submodules.
const DEEPEST: usize = 10;
/// The index of the work tree at the top, in room `o`.
pub(super) const INDEX: &str = "index";

/// What checking out has found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Commits of submodules by folder.
    pub(super) submodules: BTreeMap<String, String>,
    /// The repositories of submodules, by what names them in the cache.
    pub(super) repositories: BTreeSet<Sha256>,
    /// Files that say which files are kept by Git LFS, relative to the work tree.
    pub(super) attributes: Vec<String>,
    /// What somebody may want to know.
    pub(super) notes: Vec<String>,
}

/// One folder of the work tree that is to be filled.
#[derive(Clone, Debug)]
struct Place {
    store: Store,
    commit: String,
    /// Relative to room `s`; empty at the top.
    folder: String,
    depth: usize,
}

/// An entry of a commit's tree that is of interest.
enum Entry {
    Submodule { path: String, commit: String },
    Attributes { path: String },
    Modules,
}

/// Checks `commit` out, all of it.
pub(super) async fn check_out(
    settings: &Settings,
    git: &Git<'_>,
    store: &Store,
    commit: &str,
    on_wait: &OnWait,
) -> Result<Found, BuildError> {
    let mut found = Found::default();
    let top = Place {
        store: store.clone(),
        commit: commit.to_owned(),
        folder: String::new(),
        depth: 0,
    };
    fill((settings, git), top, on_wait, &mut found).await?;
    Ok(found)
}

fn fill<'a>(
    (settings, git): (&'a Settings, &'a Git<'_>),
    place: Place,
    on_wait: &'a OnWait,
    found: &'a mut Found,
) -> BoxFuture<'a, Result<(), BuildError>> {
    Box::pin(async move {
        let Place {
            store,
            commit,
            folder,
            depth,
        } = &place;
        let words = ["ls-tree", "-r", "-z", "--full-tree", "--", commit];
        let tree = git.run(&store.url, store.read("list", &words)).await?;
        let entries = entries(store, &tree)?;
        lay_down(git, store, commit, folder).await?;
        let mut addresses = BTreeMap::new();
        if entries.iter().any(|one| matches!(one, Entry::Modules)) {
            addresses = submodule_addresses(git, store, commit).await?;
        }
        for entry in entries {
            let (path, child) = match entry {
                Entry::Submodule { path, commit } => (path, commit),
                Entry::Attributes { path } => {
                    found.attributes.push(joined(folder, &path));
                    continue;
                }
                Entry::Modules => continue,
            };
            let inside = joined(folder, &path);
            let Some(address) = addresses.get(&path) else {
                let shown = neutralised(inside.as_bytes());
                found.notes.push(format!(
                    "`{shown}` is a submodule without an address and stays empty"
                ));
                continue;
            };
            found.submodules.insert(inside.clone(), child.clone());
            if found.submodules.len() > MOST_SUBMODULES || *depth >= DEEPEST {
                return Err(BuildError::from(GitError::TooManySubmodules {
                    url: store.url.to_string(),
                    most: MOST_SUBMODULES,
                }));
            }
            let url = allowed(store, &inside, address)?;
            found.repositories.insert(url.digest());
            let below = Store::of(settings, &url);
            let reference: Reference = child
                .parse()
                .map_err(|_| store.nonsense("a submodule without a commit"))?;
            let commit = below.have(settings, git, Some(&reference), on_wait).await?;
            let next = Place {
                store: below,
                commit,
                folder: inside,
                depth: depth + 1,
            };
            fill((settings, git), next, on_wait, found).await?;
        }
        Ok(())
    })
}

fn allowed(store: &Store, path: &str, address: &str) -> Result<GitUrl, BuildError> {
    store.url.submodule(address).map_err(|source| {
        BuildError::from(GitError::Submodule {
            url: store.url.to_string(),
            path: neutralised(path.as_bytes()),
            source,
        })
    })
}

/// Fills an index and lays the files down. Filters, of which no configuration knows any, stay off:
/// a file that Git LFS keeps elsewhere is the small file that says so.
async fn lay_down(
    git: &Git<'_>,
    store: &Store,
    commit: &str,
    folder: &str,
) -> Result<(), BuildError> {
    let index = if folder.is_empty() {
        INDEX
    } else {
        "index-below"
    };
    let with_index = |command: Command<'static>| Command {
        index: Some(index.to_owned()),
        work_tree: Some(folder.to_owned()),
        ..command
    };
    let words = ["read-tree", "--reset", commit];
    let read = with_index(store.read("read the tree of", &words));
    git.run(&store.url, read).await?;
    let words = ["checkout-index", "--all", "--quiet", "--force"];
    let lay = with_index(store.read("check out", &words));
    git.run(&store.url, lay).await.map(drop)
}

/// Reads what `ls-tree -z` says: `<mode> <type> <name>\t<path>`, each ended by NUL.
fn entries(store: &Store, tree: &[u8]) -> Result<Vec<Entry>, BuildError> {
    let mut entries = Vec::new();
    for line in tree.split(|byte| *byte == 0).filter(|one| !one.is_empty()) {
        let tab = line.iter().position(|byte| *byte == b'\t');
        let (head, path) = match tab {
            Some(tab) => (&line[..tab], &line[tab + 1..]),
            None => return Err(store.nonsense("a tree without names")),
        };
        let mut words = head.split(|byte| *byte == b' ');
        let (mode, _, name) = (words.next(), words.next(), words.next());
        if mode == Some(b"160000") {
            let path = plain(path)
                .ok_or_else(|| store.nonsense("a submodule in a place that is no folder"))?;
            let commit = store.object_name(name.unwrap_or_default())?;
            entries.push(Entry::Submodule { path, commit });
        } else if path == b".gitmodules" && mode != Some(b"120000") {
            entries.push(Entry::Modules);
        } else if path.rsplit(|byte| *byte == b'/').next() == Some(b".gitattributes")
            && let Some(path) = plain(path)
        {
            entries.push(Entry::Attributes { path });
        }
    }
    Ok(entries)
}

/// A relative path of ordinary names.
fn plain(path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok()?;
    let ordinary = |part: &str| !matches!(part, "" | "." | ".." | ".git");
    path.split('/').all(ordinary).then(|| path.to_owned())
}

fn joined(folder: &str, path: &str) -> String {
    if folder.is_empty() {
        path.to_owned()
    } else {
        format!("{folder}/{path}")
    }
}

/// Reads `.gitmodules` of a commit: addresses by folder.
async fn submodule_addresses(
    git: &Git<'_>,
    store: &Store,
    commit: &str,
) -> Result<BTreeMap<String, String>, BuildError> {
    let blob = format!("--blob={commit}:.gitmodules");
    let words = ["config", &blob, "--null", "--list"];
    let command = store.read("read the submodules of", &words);
    let answer = git.run(&store.url, command).await?;
    Ok(addresses(&String::from_utf8_lossy(&answer)))
}

/// Reads what `git config -z --list` says: `submodule.<name>.<key>\n<value>`, each ended by NUL.
fn addresses(text: &str) -> BTreeMap<String, String> {
    let mut by_name: BTreeMap<&str, (Option<&str>, Option<&str>)> = BTreeMap::new();
    for entry in text.split('\0') {
        let Some((key, value)) = entry.split_once('\n') else {
            continue;
        };
        let Some((name, key)) = key
            .strip_prefix("submodule.")
            .and_then(|rest| rest.rsplit_once('.'))
        else {
            continue;
        };
        let slot = by_name.entry(name).or_default();
        match key {
            "path" => slot.0 = Some(value),
            "url" => slot.1 = Some(value),
            _ => {}
        }
    }
    by_name
        .into_values()
        .filter_map(|(path, url)| Some((path?.trim_end_matches('/').to_owned(), url?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn submodules_are_known_by_their_folder() {
        let text = "submodule.a.b.path\nlib/a\0submodule.a.b.url\n../a\0\
                    submodule.c.url\nhttps://example.invalid/c\0core.sshcommand\nid\0";
        let found = addresses(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found["lib/a"], "../a");
    }

    #[test]
    fn places_of_submodules_are_plain() {
        assert_eq!(plain(b"lib/a").as_deref(), Some("lib/a"));
        for path in ["../a", "/a", "a//b", "a/.git", "", "a/./b"] {
            assert_eq!(plain(path.as_bytes()), None, "{path}");
        }
        assert_eq!(plain(b"a\xff"), None);
    }
}
