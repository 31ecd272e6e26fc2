//! The `.git` that goes with a local folder into its archive: made of the folder's own repository, which
//! is only read, kept under the name of what it holds, and told right from wrong by that name before each use.

use std::fs;
use std::io;
use std::path::Path;

use cache::{Bucket, Cache, Sealed};
use model::Sha256;
use serde::{Deserialize, Serialize};
use sources::GitUrl;
use url::Url;

use super::checkout::INDEX;
use super::command::{Command, Git};
use super::error::GitError;
use super::history::{Head, assemble, pack_objects};
use super::local::{LocalRepository, read_small};
use super::means::Means;
use super::store::Store;
use crate::error::BuildError;
use crate::pipeline::blocking;
use crate::settings::Settings;

/// What the record's form is called; a reader leaves others alone.
const SCHEMA: &str = "fumehood/git-folder/2";
/// References in tables: each change gives the list another name.
const TABLES: &str = "reftable/tables.list";
/// What the work trees of a repository share, besides the branch and the tags.
const SHARED: [&str; 4] = ["packed-refs", "shallow", "config", TABLES];
/// Tags that lie in files of their own.
const MOST_TAGS: usize = 50_000;

/// How `rev-parse --verify --quiet` ends where a name stands for nothing.
const NO_COMMIT: &str = "exit status 1";

/// Which stand-in the state of a repository leads to.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    schema: String,
    entry: Sha256,
}

/// Returns the stand-in for the `.git` of `folder`; none if it has none, or no commit yet.
pub(crate) async fn stand_in(
    settings: &Settings,
    folder: &Path,
) -> Result<Option<Sealed>, BuildError> {
    let Some(repository) = LocalRepository::of_work_tree(folder).map_err(BuildError::from)? else {
        return Ok(None);
    };
    let cache = settings.cache.clone();
    let state = fingerprint(&repository).map_err(|source| BuildError::Io {
        doing: "read the repository",
        path: repository.folder.clone(),
        source,
    })?;
    let record = cache
        .bucket(Bucket::Pointers)
        .join("git-folders")
        .join(format!("{state}.json"));
    let (kept_in, kept_by) = (cache.clone(), record.clone());
    let kept = blocking("look for a repository", move || {
        Ok(kept(&kept_in, &kept_by))
    });
    if let Some(kept) = kept.await? {
        return Ok(Some(kept));
    }
    let git = Git::new(Means::of(settings)).await?;
    let store = Store {
        url: address(&repository.folder)?,
        path: repository.folder.clone(),
        local: Some(repository),
    };
    let words = ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"];
    let commit = match git.attempt(store.read("read", &words)).await? {
        Ok(commit) => commit,
        Err((ending, _)) if ending == NO_COMMIT => return Ok(None),
        Err((ending, said)) => {
            return Err(BuildError::from(GitError::Failed {
                url: store.url.to_string(),
                doing: "read",
                ending,
                said,
                kept: None,
            }));
        }
    };
    let commit = store.object_name(commit.trim_ascii_end())?;
    let head = Head::of(&git, &store, &commit).await?;
    let words = ["read-tree", "--reset", &commit];
    let command = Command {
        index: Some(INDEX.to_owned()),
        work_tree: Some(String::new()),
        ..store.read("read the tree of", &words)
    };
    git.run(&store.url, command).await?;
    let cuts = pack_objects(&git, &store, &head).await?;
    let scratch = git.finish()?;
    let sealed = blocking("keep a repository", move || {
        let staged = cache.staging_dir()?;
        assemble(&staged.to_seal(), &scratch, &head, &cuts)?;
        let sealed = cache.seal(Bucket::Git, staged)?;
        let (schema, entry) = (SCHEMA.to_owned(), sealed.name);
        cache.write_record(&record, &Record { schema, entry })?;
        Ok(sealed)
    })
    .await?;
    Ok(Some(sealed))
}

/// Returns what stands in for the repository whose state has the record `record`, if it is there and sound.
fn kept(cache: &Cache, record: &Path) -> Option<Sealed> {
    cache.sealed(Bucket::Git, &read(cache, record)?.entry)
}

/// Whether the record at `path` is one of a folder.
pub(super) fn is_one(cache: &Cache, path: &Path) -> bool {
    read(cache, path).is_some()
}

fn read(cache: &Cache, path: &Path) -> Option<Record> {
    let known = cache.read_record::<Record>(path);
    known.filter(|known| known.schema == SCHEMA)
}

fn address(repository: &Path) -> Result<GitUrl, BuildError> {
    let url = Url::from_file_path(repository).ok();
    let url = url.and_then(|url| GitUrl::parse(url.as_str()).ok());
    url.ok_or_else(|| BuildError::Io {
        doing: "name the repository",
        path: repository.to_owned(),
        source: io::ErrorKind::InvalidInput.into(),
    })
}

/// A digest of all that decides the stand-in: `HEAD`, what it names, tags, where history is cut.
fn fingerprint(repository: &LocalRepository) -> io::Result<Sha256> {
    let LocalRepository { folder, common } = repository;
    let mut text = Vec::new();
    let mut add = |place: &Path, name: &str| -> io::Result<Vec<u8>> {
        let bytes = read_small(&place.join(name))?;
        text.extend(format!("{name}\0{}\0", bytes.len()).into_bytes());
        text.extend(&bytes);
        Ok(bytes)
    };
    let head = String::from_utf8_lossy(&add(folder, "HEAD")?).into_owned();
    if let Some(name) = head.trim().strip_prefix("ref: refs/")
        && !name.split('/').any(|part| matches!(part, "" | "." | ".."))
    {
        add(common, &format!("refs/{name}"))?;
    }
    for name in SHARED {
        add(common, name)?;
    }
    // A linked work tree has its `HEAD` here, where references are kept in tables.
    add(folder, TABLES)?;
    let mut tags = Vec::new();
    let mut folders = Vec::new();
    let is_folder =
        |name: &str| fs::symlink_metadata(common.join(name)).is_ok_and(|found| found.is_dir());
    if is_folder("refs") && is_folder("refs/tags") {
        folders.push("refs/tags".to_owned());
    }
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(common.join(&folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push(name);
            } else {
                tags.push(name);
            }
            if tags.len() + folders.len() > MOST_TAGS {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }
    tags.sort();
    for name in tags {
        add(common, &name)?;
    }
    Ok(Sha256::of(text))
}
