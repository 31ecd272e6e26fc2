//! The bare repository of one address in the cache: made, locked, fetched into, asked.
//!
//! It is never edited by hand but for its configuration, which is looked at before each use and written anew
//! if it is not ours: git would run what stands there. What git writes is synced, file by file by git itself
//! and then the folders that have the names.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use cache::{Bucket, Lock, Published};
use rustix::fs::OFlags;
use sources::{GitUrl, Reference};

use super::command::{Command, Git};
use super::error::GitError;
use super::local::{LocalRepository, read_small};
use super::means::Remote;
use crate::error::BuildError;
use crate::pipeline::blocking;
use crate::settings::Settings;

/// All that a bare repository has to say of itself.
const CONFIGURATION: &str =
    "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";
/// Where the remote's own choice is kept.
const DEFAULT: &str = "refs/fumehood/default";
/// Where a reference that is neither branch nor tag is kept.
const ASKED: &str = "refs/fumehood/asked";

/// A repository of the cache.
#[derive(Clone, Debug)]
pub(super) struct Store {
    /// The address.
    pub(super) url: GitUrl,
    /// The folder.
    pub(super) path: PathBuf,
    /// The same, if it is the user's and not the cache's.
    pub(super) local: Option<LocalRepository>,
}

/// Hears that another process holds a repository's lock.
pub(crate) type OnWait = std::sync::Arc<dyn Fn(&str) + Send + Sync>;

impl Store {
    /// Names the repository of an address.
    pub(super) fn of(settings: &Settings, url: &GitUrl) -> Self {
        let name = url.digest().to_string();
        let path = settings.cache.bucket(Bucket::Git).join(name);
        // No removal takes it while this run lasts.
        settings.cache.hold(&path);
        Self {
            url: url.clone(),
            path,
            local: None,
        }
    }

    /// Has the commit that `reference` names in the repository, fetching unless it is there for sure,
    /// and returns its name. A repository that turns out to be damaged is fetched anew, once.
    pub(super) async fn have(
        &self,
        settings: &Settings,
        git: &Git<'_>,
        reference: Option<&Reference>,
        on_wait: &OnWait,
    ) -> Result<String, BuildError> {
        let _lock = self.lock(settings, on_wait).await?;
        let existed = self.prepare(settings)?;
        match self.update(settings, git, reference).await {
            Err(BuildError::Git(error))
                if existed
                    && !settings.client.settings().offline
                    && matches!(*error, GitError::Failed { .. } | GitError::Answer { .. }) =>
            {
                tracing::debug!(%error, "a repository of the cache is fetched anew");
                settings.cache.remove(&self.path)?;
                self.prepare(settings)?;
                self.update(settings, git, reference).await
            }
            outcome => outcome,
        }
    }

    /// Throws the repository away, for the next use to fetch it anew.
    pub(super) async fn forget(
        &self,
        settings: &Settings,
        on_wait: &OnWait,
    ) -> Result<(), BuildError> {
        let _lock = self.lock(settings, on_wait).await?;
        Ok(settings.cache.remove(&self.path)?)
    }

    /// Takes the lock under which the repository may change. git has locks too, but its answer to a
    /// lock of another process is to fail.
    async fn lock(&self, settings: &Settings, on_wait: &OnWait) -> Result<Lock, BuildError> {
        let (cache, wait) = (settings.cache.clone(), settings.lock_timeout);
        let (label, on_wait) = (self.url.to_string(), std::sync::Arc::clone(on_wait));
        let name = format!("git {}", self.url.digest());
        blocking("lock a repository", move || {
            let what = format!("the repository {label}");
            Ok(cache.lock(&name, &what, wait, &mut || on_wait(&label))?)
        })
        .await
    }

    /// Makes the repository if it is not there, and puts what is there in order. Returns whether it
    /// was there. Called under the lock.
    fn prepare(&self, settings: &Settings) -> Result<bool, BuildError> {
        let cache = &settings.cache;
        let config = self.path.join("config");
        let existed = self.path.join("HEAD").is_file() && !config.is_dir();
        if !existed {
            cache.remove(&self.path)?;
            let staged = cache.staging_dir()?;
            let tree = staged.path().to_owned();
            lay_out(&tree).map_err(|source| failed("make", &tree, source))?;
            let Published::New = cache.publish_dir(staged, &self.path)? else {
                return Ok(true);
            };
        }
        if !read_small(&config).is_ok_and(|text| text == CONFIGURATION.as_bytes()) {
            let mut file = cache.staging_file()?;
            file.write_all(CONFIGURATION.as_bytes())
                .map_err(|source| failed("write", file.path(), source))?;
            cache.replace_file(file, &config)?;
        }
        cache.touch(&self.path);
        let write = || {
            // Nothing of these has a use here, and git reads or runs what is in them.
            for name in ["objects/info/alternates", "info/attributes", "hooks"] {
                let path = self.path.join(name);
                fs::remove_file(&path)
                    .or_else(ignore_missing)
                    .or_else(|_| fs::remove_dir_all(&path))?;
            }
            remove_locks(&self.path, 0)
        };
        write().map_err(|source| failed("put in order", &self.path, source))?;
        Ok(existed)
    }

    async fn update(
        &self,
        settings: &Settings,
        git: &Git<'_>,
        reference: Option<&Reference>,
    ) -> Result<String, BuildError> {
        let full = reference.and_then(Reference::full_commit);
        let known = match full {
            Some(commit) => self.commit(git, commit).await?,
            None => None,
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let offline = settings.client.settings().offline;
        if !offline {
            let mut refspecs = vec!["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
            let default = format!("+HEAD:{DEFAULT}");
            if reference.is_none() {
                refspecs.push(&default);
            }
            git.run(&self.url, self.fetch(settings, &refspecs)).await?;
            self.sync().await?;
        }
        if let Some(found) = self.find(git, reference).await? {
            return Ok(found);
        }
        let Some(reference) = reference else {
            return Err(self.missing("HEAD", offline));
        };
        // Neither branch nor tag: a commit that no branch holds any more, or `pull/7/head`.
        let name = match reference.as_str() {
            commit if full.is_some() => commit.to_owned(),
            name if name.starts_with("refs/") => name.to_owned(),
            name => format!("refs/{name}"),
        };
        if !offline {
            let fetch = self.fetch(settings, &[&format!("+{name}:{ASKED}")]);
            let outcome = git.attempt(fetch).await?;
            self.sync().await?;
            if outcome.is_ok()
                && let Some(found) = self.commit(git, ASKED).await?
            {
                return Ok(found);
            }
        }
        Err(self.missing(reference.as_str(), offline))
    }

    /// Syncs the folders in which a fetch made names; git has synced what they name.
    async fn sync(&self) -> Result<(), BuildError> {
        let path = self.path.clone();
        blocking("sync a repository", move || {
            sync_folders(&path).map_err(|source| failed("sync", &path, source))
        })
        .await
    }

    fn missing(&self, reference: &str, offline: bool) -> BuildError {
        let (url, reference) = (self.url.to_string(), reference.to_owned());
        let kept = None;
        BuildError::from(if offline {
            GitError::Offline {
                url,
                reference,
                kept,
            }
        } else {
            GitError::NoReference {
                url,
                reference,
                kept,
            }
        })
    }

    fn fetch<'a>(&self, settings: &'a Settings, refspecs: &[&str]) -> Command<'a> {
        let mut words: Vec<String> = [
            "fetch",
            "--quiet",
            "--force",
            "--prune",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
            "--update-shallow",
        ]
        .map(str::to_owned)
        .into();
        words.push(self.url.address());
        words.extend(refspecs.iter().map(|&refspec| refspec.to_owned()));
        Command {
            words,
            doing: "fetch",
            repository: self.path.clone(),
            writes: true,
            remote: Some(Remote {
                url: self.url.clone(),
                settings,
            }),
            ..Command::default()
        }
    }

    /// Asks for a commit by branch, then tag, then the beginning of its name.
    async fn find(
        &self,
        git: &Git<'_>,
        reference: Option<&Reference>,
    ) -> Result<Option<String>, BuildError> {
        let Some(reference) = reference else {
            return self.commit(git, DEFAULT).await;
        };
        let name = reference.as_str();
        let mut names = vec![format!("refs/heads/{name}"), format!("refs/tags/{name}")];
        if name.starts_with("refs/heads/") || name.starts_with("refs/tags/") {
            names.insert(0, name.to_owned());
        }
        if reference.is_hexadecimal() {
            names.push(name.to_owned());
        }
        for name in names {
            if let Some(found) = self.commit(git, &name).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Returns the commit of a name that git knows.
    async fn commit(&self, git: &Git<'_>, name: &str) -> Result<Option<String>, BuildError> {
        let asked = format!("{name}^{{commit}}");
        let words = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &asked,
        ];
        let outcome = git.attempt(self.read("look up a name in", &words)).await?;
        let Ok(answer) = outcome else { return Ok(None) };
        self.object_name(answer.trim_ascii_end()).map(Some)
    }

    /// A command that only reads the repository.
    pub(super) fn read(&self, doing: &'static str, words: &[&str]) -> Command<'static> {
        Command {
            words: words.iter().map(|&word| word.to_owned()).collect(),
            doing,
            repository: self.path.clone(),
            local: self.local.clone(),
            ..Command::default()
        }
    }

    /// Returns the folder with the objects, and with where history is cut.
    pub(super) fn objects_of(&self) -> &Path {
        let local = self.local.as_ref();
        local.map_or(&self.path, |local| &local.common)
    }

    /// Checks the name of an object.
    pub(super) fn object_name(&self, text: &[u8]) -> Result<String, BuildError> {
        let is_name = text.len() == 40 && text.iter().all(u8::is_ascii_hexdigit);
        let name = is_name.then(|| String::from_utf8_lossy(text).into_owned());
        name.ok_or_else(|| self.nonsense("not the name of an object"))
    }

    /// An answer that git does not give.
    pub(super) fn nonsense(&self, why: &'static str) -> BuildError {
        let url = self.url.to_string();
        BuildError::from(GitError::Answer { url, why })
    }
}

/// Makes an empty repository.
pub(super) fn lay_out(tree: &Path) -> std::io::Result<()> {
    for folder in ["objects/pack", "objects/info", "refs/heads", "refs/tags"] {
        fs::create_dir_all(tree.join(folder))?;
    }
    fs::write(tree.join("config"), CONFIGURATION)?;
    fs::write(tree.join("HEAD"), "ref: refs/heads/fumehood-has-none\n")
}

/// Syncs the folders of a repository but for those of loose objects, which a fetch makes none of.
fn sync_folders(repository: &Path) -> std::io::Result<()> {
    let packs = repository.join("objects/pack");
    let mut folders = vec![repository.to_owned(), packs, repository.join("refs")];
    while let Some(folder) = folders.pop() {
        let open = File::options()
            .read(true)
            .custom_flags((OFlags::DIRECTORY | OFlags::NOFOLLOW).bits() as i32)
            .open(&folder);
        match open {
            // Removed by force meanwhile: whoever asks for the commit next notices.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            open => open?.sync_all()?,
        }
        if folder.starts_with(repository.join("refs")) {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
    }
    Ok(())
}

/// Removes locks that a git that was killed left behind; nobody else is here.
fn remove_locks(folder: &Path, depth: usize) -> std::io::Result<()> {
    const DEEPEST: usize = 12;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_folder = entry.file_type()?.is_dir();
        if is_folder && depth < DEEPEST && entry.file_name() != "objects" {
            remove_locks(&entry.path(), depth + 1)?;
        } else if !is_folder && entry.path().extension().is_some_and(|end| end == "lock") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn ignore_missing(error: std::io::Error) -> std::io::Result<()> {
    match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

fn failed(doing: &'static str, path: &Path, source: std::io::Error) -> BuildError {
    BuildError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}
