//! Worlds to test in: a cache in a fresh folder, and threads that are not root.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use cache::{Bucket, Cache};

/// A uid that owns nothing.
pub(crate) const NOBODY: u32 = 65534;

/// A fresh folder with a cache in it.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) cache: Cache,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = folder();
        let cache = Cache::open(&dir.path().join("cache")).unwrap();
        Self { dir, cache }
    }

    pub(crate) fn root(&self) -> &Path {
        self.cache.root()
    }

    /// Whatever is unfinished at the moment.
    pub(crate) fn staged(&self) -> Vec<String> {
        listing(&self.cache.bucket(Bucket::Staging))
    }

    /// Entries of the root that a fresh cache does not have.
    pub(crate) fn strangers(&self) -> Vec<String> {
        let ours: Vec<_> = Bucket::ALL.iter().map(|bucket| bucket.folder()).collect();
        listing(self.root())
            .into_iter()
            .filter(|name| !ours.contains(&name.as_str()))
            .filter(|name| !["fumehood", "CACHEDIR.TAG", ".gitignore"].contains(&name.as_str()))
            .collect()
    }
}

/// A fresh folder that everybody may pass through.
pub(crate) fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o755);
    dir
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn mode_of(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

pub(crate) fn listing(path: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Gives a path to the uid that owns nothing, if this process may.
pub(crate) fn give_away(path: &Path) {
    if is_root() {
        std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

/// Runs in a thread that is not root: as it is, or as the uid that owns nothing.
pub(crate) fn unprivileged<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let drop_root = is_root();
    std::thread::spawn(move || {
        if drop_root {
            let (uid, gid) = (
                rustix::fs::Uid::from_raw(NOBODY),
                rustix::fs::Gid::from_raw(NOBODY),
            );
            rustix::thread::set_thread_groups(&[]).unwrap();
            rustix::thread::set_thread_res_gid(gid, gid, gid).unwrap();
            rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
            assert!(!is_root(), "this thread is still root");
        }
        work()
    })
    .join()
    .unwrap()
}

/// A folder that the unprivileged thread owns.
pub(crate) fn folder_of_nobody() -> (tempfile::TempDir, PathBuf) {
    let dir = folder();
    let path = dir.path().join("theirs");
    std::fs::create_dir(&path).unwrap();
    set_mode(&path, 0o700);
    give_away(&path);
    (dir, path)
}

/// Says loudly that something was not tried, and why. Not by a macro, whose words a test that passes
/// keeps for itself.
pub(crate) fn not_run(what: &str) {
    let text = format!("NOT RUN: {what}\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// Delivers what is there.
pub(crate) fn deliver(file: &Path, out: &Path, name: &str) -> Result<PathBuf, cache::CacheError> {
    let digest = model::Sha256::of(std::fs::read(file).unwrap_or_default());
    cache::deliver(file, out, name, &digest)
}
