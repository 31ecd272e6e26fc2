//! The corridor of a git source: address and reference to one blob of the cache.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufWriter, Read as _};
use std::path::{Path, PathBuf};

use cache::{Bucket, Cache, Scratch, Standing};
use futures::future::BoxFuture;
use model::{Digest, Sha256, SourceId, SourceKind};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use sources::{GitUrl, Located, Reference};
use std::os::unix::fs::OpenOptionsExt as _;

use super::checkout::{Found, check_out};
use super::command::Git;
use super::error::GitError;
use super::history::{Head, assemble, pack_objects};
use super::means::Means;
use super::reference::{Stands, follow, last};
use super::store::{OnWait, Store};
use crate::error::BuildError;
use crate::pipeline::blocking;
use crate::settings::Settings;

/// What the record's form is called; a reader leaves others alone.
const SCHEMA: &str = "fumehood/git-pointer/1";
/// Bytes of a `.gitattributes` that are read.
const MOST_ATTRIBUTES: u64 = 1 << 20;

/// What is wanted.
pub(crate) struct Asked<'a> {
    /// The repository.
    pub(crate) url: &'a GitUrl,
    /// The commit; the remote's own choice where `None`.
    pub(crate) reference: Option<&'a Reference>,
    /// As somebody wrote it, if what it stands for was found out before.
    pub(crate) written: Option<&'a Reference>,
    /// The project's folder in it.
    pub(crate) subdirectory: Option<&'a str>,
    /// What people call it.
    pub(crate) label: String,
    /// Whether what is known is asked for again.
    pub(crate) again: bool,
    /// Whether a wheel of the source is kept: then its bytes are not missed.
    pub(crate) is_built: IsBuilt<'a>,
}

/// Answers whether a wheel of a source is kept.
pub(crate) type IsBuilt<'a> =
    &'a (dyn Fn(SourceId) -> BoxFuture<'a, Result<bool, BuildError>> + Send + Sync);

/// Which blob a commit is, and what is to be said of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pointer {
    schema: String,
    /// The digest of commit and tags.
    identity: Sha256,
    commit: String,
    /// For people.
    #[serde(default)]
    url: String,
    submodules: BTreeMap<String, String>,
    /// The repositories of the submodules, by their names in the cache.
    #[serde(default)]
    repositories: BTreeSet<Sha256>,
    /// Whether files are kept by Git LFS, and so are not here.
    lfs: bool,
    notes: Vec<String>,
    digest: Digest,
}

/// Acquires a commit, and returns what somebody may want to know of it.
pub(crate) async fn acquire(
    settings: &Settings,
    asked: &Asked<'_>,
    on_wait: &OnWait,
) -> Result<(Located, Vec<String>), BuildError> {
    let pointer = match find(settings, asked, on_wait).await {
        Err(BuildError::Git(error)) => unreached(settings, asked, *error).await?,
        outcome => outcome?,
    };
    let (cache, url) = (settings.cache.clone(), asked.url.clone());
    let reference = asked.written.cloned();
    let pointer = blocking("note what a reference stands for", move || {
        let now = Stands {
            commit: &pointer.commit,
            digest: pointer.digest,
            repositories: &pointer.repositories,
        };
        follow(
            &cache,
            &pointers_of(&cache, &url),
            (&url, reference.as_ref()),
            &now,
        )?;
        Ok(pointer)
    })
    .await?;
    Ok(located(asked, pointer))
}

/// What serves where a repository can not be reached: without the network, what the reference stood for last, if
/// that is kept.
async fn unreached(
    settings: &Settings,
    asked: &Asked<'_>,
    error: GitError,
) -> Result<Pointer, BuildError> {
    let (cache, url) = (settings.cache.clone(), asked.url.clone());
    let reference = asked.written.cloned();
    let commit = blocking("look what a reference stood for", move || {
        Ok(last(&cache, &pointers_of(&cache, &url), reference.as_ref()))
    });
    let commit = commit.await?;
    if let (GitError::Offline { .. }, Some(commit)) = (&error, &commit) {
        let store = Store::of(settings, asked.url);
        if let Some(pointer) = kept(settings, &store, commit, asked).await? {
            return Ok(pointer);
        }
    }
    let url = asked.url.to_string();
    Err(BuildError::from(error.knowing(&url, commit)))
}

/// Finds the commit and has it packed. A repository of the cache that is damaged or gone is fetched anew.
async fn find(
    settings: &Settings,
    asked: &Asked<'_>,
    on_wait: &OnWait,
) -> Result<Pointer, BuildError> {
    match attempt(settings, asked, on_wait).await {
        // A repository of the cache that git can not read is fetched anew, once.
        Err(BuildError::Git(error))
            if matches!(*error, GitError::Failed { doing, .. } if doing != "fetch")
                && !settings.client.settings().offline =>
        {
            tracing::debug!(%error, "a repository of the cache is fetched anew");
            Store::of(settings, asked.url)
                .forget(settings, on_wait)
                .await?;
            attempt(settings, asked, on_wait).await
        }
        Err(BuildError::Removed { what }) if !settings.client.settings().offline => {
            tracing::debug!(
                what,
                "a repository of the cache was removed and is fetched anew"
            );
            attempt(settings, asked, on_wait).await
        }
        outcome => outcome,
    }
}

async fn attempt(
    settings: &Settings,
    asked: &Asked<'_>,
    on_wait: &OnWait,
) -> Result<Pointer, BuildError> {
    let store = Store::of(settings, asked.url);
    if let Some(commit) = asked.reference.and_then(Reference::full_commit)
        && !asked.again
        && let Some(pointer) = kept(settings, &store, commit, asked).await?
    {
        return Ok(pointer);
    }
    let git = Git::new(Means::of(settings)).await?;
    let commit = store.have(settings, &git, asked.reference, on_wait).await?;
    let repository = Standing::of(&store.path);
    let head = Head::of(&git, &store, &commit).await?;
    let identity = Sha256::of(head.identity());
    if let Some(pointer) = kept(settings, &store, &commit, asked).await?
        && pointer.identity == identity
    {
        return Ok(pointer);
    }
    let found = check_out(settings, &git, &store, &commit, on_wait).await?;
    let cuts = pack_objects(&git, &store, &head).await?;
    // Where a repository goes away, git may have found some of the tags and not all.
    if !repository.is_some_and(|seen| seen.stands()) {
        let what = asked.url.to_string();
        return Err(BuildError::Removed { what });
    }
    let scratch = git.finish()?;
    let cache = settings.cache.clone();
    let (url, path) = (asked.url.clone(), pointer_path(settings, &store, &commit));
    blocking("pack a commit", move || {
        let repository = cache.staging_dir()?;
        assemble(repository.path(), &scratch, &head, &cuts)?;
        let digest = pack(&cache, &scratch, repository.path(), head.time, &url)?;
        let pointer = Pointer {
            schema: SCHEMA.to_owned(),
            identity,
            commit: head.commit,
            url: url.to_string(),
            repositories: found.repositories.clone(),
            lfs: uses_lfs(&scratch, &found),
            submodules: found.submodules,
            notes: found.notes,
            digest,
        };
        cache.write_record(&path, &pointer)?;
        Ok(pointer)
    })
    .await
}

/// Returns what a commit was packed to, if that is there and sound, or was built already.
async fn kept(
    settings: &Settings,
    store: &Store,
    commit: &str,
    asked: &Asked<'_>,
) -> Result<Option<Pointer>, BuildError> {
    let cache = settings.cache.clone();
    let path = pointer_path(settings, store, commit);
    let wanted = commit.to_owned();
    let found = blocking("look for a commit", move || {
        let pointer = read(&cache, &path).filter(|pointer| pointer.commit == wanted);
        Ok(pointer.map(|pointer| {
            let is_here = cache.blob(Bucket::Sources, &pointer.digest).is_some();
            (pointer, is_here)
        }))
    })
    .await?;
    match found {
        Some((pointer, true)) => Ok(Some(pointer)),
        Some((pointer, false)) if (asked.is_built)(id(asked, &pointer)).await? => Ok(Some(pointer)),
        _ => Ok(None),
    }
}

fn id(asked: &Asked<'_>, pointer: &Pointer) -> SourceId {
    SourceId {
        kind: SourceKind::Git,
        digest: pointer.digest,
        subdirectory: asked.subdirectory.map(ToOwned::to_owned),
    }
}

/// Whether the record at `path` is one of a commit.
pub(super) fn is_one(cache: &Cache, path: &Path) -> bool {
    read(cache, path).is_some()
}

fn read(cache: &Cache, path: &Path) -> Option<Pointer> {
    let known = cache.read_record::<Pointer>(path);
    known.filter(|known| known.schema == SCHEMA)
}

/// `pointers-v1/git/<digest of the address>/<commit>.json`
fn pointer_path(settings: &Settings, store: &Store, commit: &str) -> PathBuf {
    pointers_of(&settings.cache, &store.url).join(format!("{commit}.json"))
}

/// Where the pointers of a repository are.
fn pointers_of(cache: &Cache, url: &GitUrl) -> PathBuf {
    let git = cache.bucket(Bucket::Pointers).join("git");
    git.join(url.digest().to_string())
}

fn located(asked: &Asked<'_>, pointer: Pointer) -> (Located, Vec<String>) {
    let id = id(asked, &pointer);
    let mut notes = pointer.notes;
    if pointer.lfs {
        notes.push("files that Git LFS keeps elsewhere are the small files that say so".to_owned());
    }
    let label = asked.label.clone();
    (Located::packed(id, label, pointer.commit), notes)
}

/// Packs the work tree and the repository that goes with it.
fn pack(
    cache: &Cache,
    scratch: &Scratch,
    repository: &Path,
    time: i64,
    url: &GitUrl,
) -> Result<Digest, BuildError> {
    let tree = scratch.path().join("s");
    let staged = cache.staging_file()?;
    let place = staged.path().to_owned();
    let mut out = BufWriter::with_capacity(256 * 1024, staged);
    archive::pack_checkout(&tree, repository, time, &mut out).map_err(|source| {
        sources::SourceError::Pack {
            path: url.to_string().into(),
            source,
        }
    })?;
    let staged = out
        .into_inner()
        .map_err(|error| cache::CacheError::writing(&place, error.into_error()))?;
    Ok(cache.put_blob(Bucket::Sources, staged)?)
}

/// Whether any `.gitattributes` gives files to the filter `lfs`.
fn uses_lfs(scratch: &Scratch, found: &Found) -> bool {
    let tree = scratch.path().join("s");
    found.attributes.iter().any(|path| {
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
        let opened = File::options()
            .read(true)
            .custom_flags(i32::try_from(flags).unwrap_or(0))
            .open(tree.join(path));
        let read = |file: File| -> io::Result<bool> {
            let mut text = Vec::new();
            file.take(MOST_ATTRIBUTES).read_to_end(&mut text)?;
            Ok(text
                .split(|c| c.is_ascii_whitespace())
                .any(|word| word == b"filter=lfs"))
        };
        opened.and_then(read).unwrap_or(false)
    })
}
