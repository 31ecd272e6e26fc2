//! What marks a root as ours: the file `fumehood`, `CACHEDIR.TAG` and `.gitignore`.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::{lease, names, publish};

/// The file that says that a directory is a cache of ours.
const MARKER: &str = "fumehood";
const MARKER_TEXT: &str = "fumehood cache 1\n";
/// How unfinished files begin that are not in the staging bucket; a crash may leave one in an
/// otherwise empty root, or in an output directory.
pub(crate) const UNFINISHED: &str = ".fumehood-";

const TAG_TEXT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # This directory is a cache of fumehood. See https://bford.info/cachedir/ about this file.\n";

/// What makes a root a cache, in the order in which it is written: the marker first.
const FILES: [(&str, &str); 3] = [
    (MARKER, MARKER_TEXT),
    ("CACHEDIR.TAG", TAG_TEXT),
    (".gitignore", "*\n"),
];

/// What a directory is, before it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    Marked,
    Empty,
    Foreign,
}

/// Looks at a directory without changing it.
pub(crate) fn look(root: &Path) -> io::Result<Ownership> {
    // The order counts: of ours the marker comes first, so if anything of ours was listed, the
    // marker is there when it is read afterwards, also while another process is marking.
    let mut empty = true;
    for entry in fs::read_dir(root)? {
        let name = entry?.file_name();
        // A fresh volume of ext4 has its `lost+found`.
        // A run without a cache has its folder here, or left it when it was killed.
        let ignored = name == "lost+found"
            || name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
            || (name.to_str().is_some_and(names::may_be_scratch)
                && lease::lies_in(&root.join(&name)));
        if !ignored {
            empty = false;
            break;
        }
    }
    if is_marked(root)? {
        Ok(Ownership::Marked)
    } else if empty {
        Ok(Ownership::Empty)
    } else {
        Ok(Ownership::Foreign)
    }
}

fn is_marked(root: &Path) -> io::Result<bool> {
    let path = root.join(MARKER);
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    }
    let mut head = Vec::new();
    File::open(&path)?.take(64).read_to_end(&mut head)?;
    Ok(head.starts_with(b"fumehood cache "))
}

/// Marks a directory that is empty or ours; of ours only what a crash left out is written. Two
/// processes may do so at once.
pub(crate) fn mark(root: &Path) -> io::Result<()> {
    let mut missing = FILES.map(|(name, text)| (root.join(name), text)).to_vec();
    missing.retain(|(path, _)| fs::symlink_metadata(path).is_err());
    for (path, text) in &missing {
        put(root, path, text)?;
    }
    if !missing.is_empty() {
        File::open(root)?.sync_all()?;
    }
    Ok(())
}

/// Writes a file under an unfinished name and moves it to its own.
fn put(root: &Path, path: &Path, text: &str) -> io::Result<()> {
    let unfinished = root.join(format!("{UNFINISHED}{}", names::staging()?));
    let moved = write_new(&unfinished, text).and_then(|()| publish::move_file(&unfinished, path));
    if !matches!(moved, Ok(publish::Published::New)) {
        // Either another process was faster, or it failed and the error counts.
        let _ = fs::remove_file(&unfinished);
    }
    match moved {
        // One that was faster swept it.
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.exists() => Ok(()),
        other => other.map(drop),
    }
}

/// Whether an entry of a root, besides its buckets and scratches, is there because of us, or is no
/// reason to take the root for anybody's.
pub(crate) fn is_ours(name: &str) -> bool {
    FILES.iter().any(|(ours, _)| *ours == name) || name == "lost+found" || may_be_unfinished(name)
}

/// Whether a root entry is called as an unfinished file is.
pub(crate) fn may_be_unfinished(name: &str) -> bool {
    name.strip_prefix(UNFINISHED)
        .is_some_and(names::may_be_staging)
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
