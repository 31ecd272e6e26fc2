//! Which folders an interpreter needs: to be asked, and to be run by a build.
//!
//! Never a whole prefix: `/usr` or a home folder may be one. So whoever grants should grant these
//! lists, and not `PythonFacts::base_prefix`.

use std::path::{Path, PathBuf};

use model::PythonFacts;

use super::Found;

/// What an installation keeps below its prefix.
pub(super) const ROOMS: &[&str] = &["bin", "lib", "lib64", "lib-python", "lib_pypy"];

/// Where an installation keeps its headers.
pub(super) const HEADERS: &str = "include";

/// Where distributions keep the wheel of pip for their `ensurepip`.
pub(super) const WHEEL_FOLDERS: &[&str] =
    &["/usr/share/python-wheels", "/usr/share/python3-wheels"];

/// Returns the folders that a worker must be able to read and execute to ask the interpreter.
///
/// Besides the base installation these are the distribution's wheels and the environment's own
/// folder, both only to look for pip's default index. All exist; sorted, without duplicates.
#[must_use]
pub fn folders_to_ask(found: &Found) -> Vec<PathBuf> {
    let mut folders = rooms(&found.base_prefix);
    folders.extend(found.base.parent().map(Path::to_owned));
    if found.base_prefix == Path::new("/usr") {
        folders.push("/usr/local/lib".into()); // where Debian's pip installs
    }
    folders.extend(WHEEL_FOLDERS.iter().map(PathBuf::from));
    folders.extend(found.environment.as_ref().map(|root| root.join("lib")));
    tidy(folders)
}

/// Returns the folders that a build must be able to read and execute to run the interpreter: its
/// program, standard library, shared libraries and headers. All exist; sorted, without
/// duplicates.
#[must_use]
pub fn folders_to_run(facts: &PythonFacts) -> Vec<PathBuf> {
    let mut folders = rooms(&facts.base_prefix);
    folders.extend(rooms(&facts.base_exec_prefix));
    folders.push(facts.base_prefix.join(HEADERS));
    folders.push(facts.base_exec_prefix.join(HEADERS));
    folders.extend(facts.executable.parent().map(Path::to_owned));
    folders.extend(facts.library_folders.iter().cloned());
    tidy(folders)
}

fn rooms(prefix: &Path) -> Vec<PathBuf> {
    ROOMS.iter().map(|room| prefix.join(room)).collect()
}

fn tidy(mut folders: Vec<PathBuf>) -> Vec<PathBuf> {
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    folders.dedup();
    folders
}
