//! What lies here: a folder, an archive or a wheel, by its path.

use std::path::Path;

use super::fragment::Fragment;
use super::{Spec, SpecError, wheel};
use crate::shown::shown_text;

/// How archives end. Without a slash, a name that ends so is a file.
const ARCHIVES: [&str; 6] = [".tar.gz", ".tgz", ".zip", ".tar.bz2", ".tar.xz", ".tar"];

/// Whether the text is a path: it begins with a dot, has a slash before any marker, or ends as
/// archives do. So `foo` is a name also where a folder `foo` is, as it is for pip.
pub(super) fn looks_like_path(text: &str) -> bool {
    let before_marker = text.split(';').next().unwrap_or_default();
    let before_fragment = text.split('#').next().unwrap_or_default();
    text.starts_with('.') || before_marker.contains('/') || is_file_name(before_fragment)
}

fn is_file_name(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    !text.contains([' ', ';', '=', '<', '>', '[', '@'])
        && (wheel::is_called_wheel(&text) || ARCHIVES.iter().any(|ending| text.ends_with(ending)))
}

/// Reads a path with a fragment; a name may have `#` in it, so the whole is tried first.
pub(super) fn read(text: &str, cwd: &Path) -> Result<Spec, SpecError> {
    let whole = cwd.join(text);
    if whole.symlink_metadata().is_ok() {
        return local(text, &whole, Fragment::default());
    }
    let (path, fragment) = text.split_once('#').unwrap_or((text, ""));
    let path = match path.split_once('[') {
        Some((path, extras)) if extras.ends_with(']') && cwd.join(path).exists() => {
            return Err(SpecError::Unsupported {
                text: shown_text(text),
                what: "extras behind a path",
            });
        }
        _ => cwd.join(path),
    };
    local(text, &path, Fragment::parse(text, fragment, None)?)
}

/// Returns what is at a path.
pub(super) fn local(text: &str, path: &Path, mut fragment: Fragment) -> Result<Spec, SpecError> {
    let failed = |source| SpecError::Path {
        path: path.to_owned(),
        source,
    };
    let real = path.canonicalize().map_err(failed)?;
    let found = real.metadata().map_err(failed)?;
    if found.is_dir() {
        if fragment.sha256.is_some() || !fragment.hashes.is_empty() {
            return Err(SpecError::Unsupported {
                text: shown_text(text),
                what: "a digest for a folder",
            });
        }
        Ok(Spec::Directory {
            name: fragment.name,
            path: real,
            subdirectory: fragment.subdirectory,
        })
    } else if !found.is_file() {
        Err(SpecError::NotAFile { path: real })
    } else {
        // A link may have another name than what it leads to.
        let filename = path.file_name().unwrap_or_default().to_string_lossy();
        let wheel = wheel::read(text, &filename, &mut fragment)?;
        Ok(Spec::Archive {
            name: fragment.name,
            wheel,
            path: real,
            sha256: fragment.sha256,
            hashes: fragment.hashes,
            subdirectory: fragment.subdirectory,
        })
    }
}
