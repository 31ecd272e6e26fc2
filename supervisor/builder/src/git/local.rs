//! Repositories on this machine: where one is, and whether the `.git` of a folder may be followed there.
//!
//! A folder may be a stranger's. So a `.git` that is a file is followed only to a repository that names the
//! folder in turn, as `git worktree add` and `git submodule` write it: nobody's repository is read for a
//! folder that it knows nothing of.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use protocol::{Access, PathGrant};
use rustix::fs::OFlags;
use sources::{GitUrl, Transport};

use super::error::GitError;
use super::programs::{grant, optional};
use crate::error::BuildError;

/// Bytes of a small file of a repository.
const SMALL: u64 = 64 << 20;
/// Lines of `objects/info/alternates`.
const MOST_ALTERNATES: usize = 8;

/// A repository of the user's, which is only read, in its own place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LocalRepository {
    /// `HEAD` and `index` lie here.
    pub(super) folder: PathBuf,
    /// Objects, tags and settings lie here: the same folder, but for a linked work tree.
    pub(super) common: PathBuf,
}

impl LocalRepository {
    /// Finds the repository of a work tree; none if it has none.
    ///
    /// # Errors
    /// If its `.git` leads to a repository that does not lead back.
    pub(super) fn of_work_tree(tree: &Path) -> Result<Option<Self>, GitError> {
        let place = tree.join(".git");
        let Ok(found) = fs::symlink_metadata(&place) else {
            return Ok(None);
        };
        if found.is_dir() {
            return Ok(place
                .join("HEAD")
                .is_file()
                .then(|| Self::alone(place.clone())));
        }
        if !found.is_file() {
            return Ok(None);
        }
        let refused = |why| GitError::Elsewhere {
            folder: tree.to_owned(),
            why,
        };
        let text = read_small(&place).map_err(|_| refused("it can not be read"))?;
        let Some(path) = text.strip_prefix(b"gitdir:") else {
            return Err(refused("it is a file and names no repository"));
        };
        let folder = tree
            .join(as_path(path))
            .canonicalize()
            .ok()
            .filter(|folder| folder.join("HEAD").is_file())
            .ok_or_else(|| refused("it leads to no repository"))?;
        Self::leading_back(folder, tree)
            .ok_or_else(|| refused("it leads to a repository that does not lead back"))
            .map(Some)
    }

    /// Returns the repository that a `file:` address names: a work tree's, or the folder itself.
    ///
    /// # Errors
    /// As [`Self::of_work_tree`].
    pub(super) fn of_address(folder: &Path) -> Result<Self, GitError> {
        let inside = Self::of_work_tree(folder)?;
        Ok(inside.unwrap_or_else(|| Self::alone(folder.to_owned())))
    }

    fn alone(folder: PathBuf) -> Self {
        Self {
            common: folder.clone(),
            folder,
        }
    }

    /// Accepts a repository if it is of the work tree `tree`.
    fn leading_back(folder: PathBuf, tree: &Path) -> Option<Self> {
        let tree = tree.canonicalize().ok()?;
        let text = read_small(&folder.join("commondir")).ok()?;
        if text.is_empty() {
            // A submodule's: it names its work tree.
            let worktree = work_tree_of(&folder)?;
            let back = folder.join(worktree).canonicalize().ok()?;
            return (back == tree).then(|| Self::alone(folder));
        }
        let common = folder.join(as_path(&text)).canonicalize().ok()?;
        let back = read_small(&folder.join("gitdir")).ok()?;
        let back = folder.join(as_path(&back)).canonicalize().ok()?;
        let is_linked = folder.parent() == Some(common.join("worktrees").as_path());
        (is_linked && back == tree.join(".git")).then_some(Self { folder, common })
    }

    /// What git has to read of it.
    pub(super) fn grants(&self) -> Result<Vec<PathGrant>, BuildError> {
        let mut grants = vec![
            optional(&self.folder, Access::Read)?,
            optional(&self.common, Access::Read)?,
        ];
        for objects in self.alternates() {
            grants.push(grant(objects, Access::Read)?);
        }
        Ok(grants)
    }

    /// Where a clone by `--shared` or `--reference` has its objects: folders of objects, for what
    /// stands in the file may be a stranger's wish.
    fn alternates(&self) -> Vec<PathBuf> {
        let objects = self.common.join("objects");
        let text = read_small(&objects.join("info/alternates")).unwrap_or_default();
        text.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .take(MOST_ALTERNATES)
            .filter_map(|line| objects.join(OsStr::from_bytes(line)).canonicalize().ok())
            .filter(|place| place.ends_with("objects") && place.join("pack").is_dir())
            .collect()
    }
}

/// Reads `core.worktree`, which git itself writes, in its plainest form.
fn work_tree_of(folder: &Path) -> Option<PathBuf> {
    ["config.worktree", "config"].iter().find_map(|name| {
        let text = String::from_utf8(read_small(&folder.join(name)).ok()?).ok()?;
        let mut in_core = false;
        let mut found = None;
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                in_core = line.eq_ignore_ascii_case("[core]");
            } else if in_core
                && let Some((key, value)) = line.split_once('=')
                && key.trim().eq_ignore_ascii_case("worktree")
            {
                found = Some(PathBuf::from(value.trim()));
            }
        }
        found
    })
}

/// The path in a file of one line.
fn as_path(text: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(text.trim_ascii()))
}

/// Reads a file of a repository; one that is missing is empty, and a link is where it points to, as text.
pub(super) fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found?,
    };
    if found.is_symlink() {
        return Ok(fs::read_link(path)?.into_os_string().into_encoded_bytes());
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::new();
    file.take(SMALL + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SMALL {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// What git reads of a repository on this machine: the repository, not the work tree around it.
pub(super) fn grants_of(remote: &GitUrl) -> Result<Vec<PathGrant>, BuildError> {
    match remote.folder() {
        Some(folder) if remote.transport() == Transport::File => {
            let repository = LocalRepository::of_address(&folder).map_err(BuildError::from)?;
            // git looks at the work tree's own `.git` first.
            let mut grants = repository.grants()?;
            grants.push(optional(folder.join(".git"), Access::Read)?);
            Ok(grants)
        }
        _ => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lay(root: &Path, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    #[test]
    fn a_linked_work_tree_is_followed_and_only_there_and_back() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        let linked = "main/.git/worktrees/w";
        lay(
            &root,
            &[
                ("w/.git", "gitdir: ../main/.git/worktrees/w\n"),
                ("thief/.git", "gitdir: ../main/.git/worktrees/w\n"),
                ("bold/.git", "gitdir: ../main/.git\n"),
                ("main/.git/HEAD", "ref: refs/heads/main\n"),
                (&format!("{linked}/HEAD"), "ref: refs/heads/w\n"),
                (&format!("{linked}/commondir"), "../..\n"),
                (
                    &format!("{linked}/gitdir"),
                    &format!("{}/w/.git\n", root.display()),
                ),
            ],
        );
        let found = LocalRepository::of_work_tree(&root.join("w"))
            .unwrap()
            .unwrap();
        assert_eq!(found.folder, root.join(linked));
        assert_eq!(found.common, root.join("main/.git"));
        for other in ["thief", "bold"] {
            let refused = LocalRepository::of_work_tree(&root.join(other));
            assert!(
                matches!(refused, Err(GitError::Elsewhere { .. })),
                "{other}"
            );
        }
        // A repository of one's own that says that it is a work tree of somebody's.
        lay(
            &root,
            &[
                ("own/.git", "gitdir: repository\n"),
                ("own/repository/HEAD", "ref: refs/heads/main\n"),
                ("own/repository/commondir", "../../main/.git\n"),
                ("own/repository/gitdir", "../.git\n"),
            ],
        );
        let refused = LocalRepository::of_work_tree(&root.join("own"));
        assert!(matches!(refused, Err(GitError::Elsewhere { .. })));
    }

    #[test]
    fn a_submodule_is_followed_and_only_there_and_back() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        lay(
            &root,
            &[
                ("top/lib/.git", "gitdir: ../.git/modules/lib\n"),
                ("thief/.git", "gitdir: ../top/.git/modules/lib\n"),
                ("top/.git/modules/lib/HEAD", "ref: refs/heads/main\n"),
                (
                    "top/.git/modules/lib/config",
                    "[user]\n\tworktree = ../../../../thief\n[core]\n\tbare = false\n\tworktree = ../../../lib\n",
                ),
            ],
        );
        let found = LocalRepository::of_work_tree(&root.join("top/lib")).unwrap();
        let place = root.join("top/.git/modules/lib");
        assert_eq!(found, Some(LocalRepository::alone(place)));
        let refused = LocalRepository::of_work_tree(&root.join("thief"));
        assert!(matches!(refused, Err(GitError::Elsewhere { .. })));
    }

    #[test]
    fn objects_elsewhere_are_objects() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        lay(
            &root,
            &[
                (
                    "a/objects/info/alternates",
                    "../../b/objects\n../../secrets\n/etc\n../../objects\n",
                ),
                ("b/objects/pack/x", ""),
                ("secrets/pack/x", ""),
                ("objects/x", ""),
            ],
        );
        let found = LocalRepository::alone(root.join("a")).alternates();
        assert_eq!(found, [root.join("b/objects")]);
    }

    #[test]
    fn nothing_of_a_repository_is_followed_or_waited_for() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        std::os::unix::fs::symlink("/dev/zero", root.join("shallow")).unwrap();
        assert_eq!(read_small(&root.join("shallow")).unwrap(), b"/dev/zero");
        let fifo = root.join("fifo");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, mode).unwrap();
        assert!(read_small(&fifo).is_err());
        assert_eq!(read_small(&root.join("missing")).unwrap(), b"");
    }
}
