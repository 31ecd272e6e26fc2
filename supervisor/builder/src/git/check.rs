//! Whether what git has in the cache is whole: its records, and its repositories, which git itself reads in a
//! worker as ever.

use std::fs;
use std::path::Path;

use cache::{Bucket, Cache, Unsound};
use model::Sha256;

use super::command::{Command, Git};
use super::error::Said;
use super::history::is_index;
use super::means::Means;
use super::{acquire, folder, reference};
use crate::error::BuildError;
use crate::executor::Floor;
use crate::local::LocalExecutor;

/// Looks whether a file holds what is known of a commit, of a reference or of the repository of a folder.
///
/// # Errors
/// If not.
pub fn check_pointer(cache: &Cache, path: &Path) -> Result<(), String> {
    let is_sound = acquire::is_one(cache, path)
        || reference::is_one(cache, path)
        || folder::is_one(cache, path);
    let wrong = || "it is not what is written here".to_owned();
    is_sound.then_some(()).ok_or_else(wrong)
}

/// Checks the repository that is named by the digest of its address: every byte of its packs, every object in
/// them by its own name, and that nothing is missing that its branches and tags lead to. Nothing is changed.
///
/// # Errors
/// If it is damaged, or can not be read: because there is no git, no worker can be started, or another process
/// fetches into it.
pub async fn check_repository(
    cache: &Cache,
    executor: &LocalExecutor,
    floor: &Floor,
    name: &Sha256,
) -> Result<(), Unsound> {
    let unread = |why: String| Unsound::Unread(why);
    let lock = cache.lock_if_free(&format!("git {name}"));
    let _lock = lock
        .map_err(|error| unread(error.to_string()))?
        .ok_or_else(|| unread("another process fetches into it".to_owned()))?;
    let means = Means {
        cache,
        executor,
        floor,
    };
    let path = cache.bucket(Bucket::Git).join(name.to_string());
    let in_words = |error: BuildError| unread(error.to_string());
    let git = Git::new(means).await.map_err(in_words)?;
    let packs = indexes(&path).map_err(|error| Unsound::Damaged(error.to_string()))?;
    let seen = git.repository(&path).map_err(in_words)?;
    let packs = packs.into_iter();
    let packs = packs.map(|pack| format!("{seen}/objects/pack/{pack}"));
    let mut commands: Vec<_> = packs
        .map(|pack| vec!["verify-pack".to_owned(), pack])
        .collect();
    let words = [
        "fsck",
        "--connectivity-only",
        "--no-dangling",
        "--no-progress",
    ];
    commands.push(words.map(str::to_owned).into());
    for words in commands {
        let command = Command {
            words,
            doing: "check",
            repository: path.clone(),
            ..Command::default()
        };
        let outcome = git.attempt(command).await.map_err(in_words)?;
        if let Err((ending, Said(said))) = outcome {
            let last = said.lines().last().unwrap_or_default();
            let about = format!("git says: {last} ({ending})");
            return Err(match ending.starts_with("exit status") {
                true => Unsound::Damaged(about),
                false => unread(about),
            });
        }
    }
    Ok(())
}

/// The indexes of a repository's packs.
fn indexes(repository: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(repository.join("objects/pack"))? {
        let name = entry?.file_name().into_string().unwrap_or_default();
        if is_index(&name) {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}
