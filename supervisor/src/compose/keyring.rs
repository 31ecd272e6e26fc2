//! The caller's `keyring` program: found on PATH, and what it gets to see of the environment.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use builder::LocalExecutor;
use index::Keyring;

use super::account_home;
use super::interpreter::Wish;
use super::tools::is_program;
use crate::settings::IndexSettings;

/// For one answer: long enough to unlock a keyring in a window.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a keyring needs: whose it is, how to reach and show it, and how to reach the network where the
/// secrets are kept there. Nothing that loads code.
const VARIABLES: [&str; 25] = [
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_CURRENT_DESKTOP",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "PYTHON_KEYRING_BACKEND",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "SSL_CERT_FILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];

/// What backends of keyring are set with.
const PREFIX: &str = "KEYRING_PROPERTY_";

/// Returns the program to ask for logins, if the settings want one. It runs beside the workers.
pub(crate) fn keyring(
    settings: &IndexSettings,
    wish: Wish<'_>,
    executor: &LocalExecutor,
) -> Option<Keyring> {
    if !settings.keyring {
        return None;
    }
    executor.has_company();
    let home = account_home();
    let directory = &wish.places.directory;
    let strange = trees(directory, wish.sources, home.as_deref());
    let path = wish.environment.raw("PATH").unwrap_or_default();
    let (program, path) = on_path(path, &strange);
    let mut environment: BTreeMap<_, _> = wish.environment.texts();
    environment.retain(|name, value| {
        let known = VARIABLES.contains(&name.as_str()) || name.starts_with(PREFIX);
        known && !value.is_empty()
    });
    environment.insert("PATH".to_owned(), path);
    Some(Keyring {
        program,
        environment,
        patience: PATIENCE,
    })
}

/// Returns the trees from which no program is taken: the working directory and what is to be built.
/// A home that one stands in is nobody else's work.
fn trees(directory: &Path, sources: &[PathBuf], home: Option<&Path>) -> Vec<PathBuf> {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (directory, home) = (real(directory), home.map(real));
    let is_home = home.is_some_and(|home| home.starts_with(&directory));
    let is_root = directory.parent().is_none();
    let here = (!is_home && !is_root).then_some(directory);
    let sources = sources
        .iter()
        .map(|source| real(source))
        .filter(|source| source.parent().is_some());
    sources.chain(here).collect()
}

/// Returns the program and the folders that it may find its own programs in.
fn on_path(path: &OsStr, strange: &[PathBuf]) -> (Option<PathBuf>, String) {
    let is_strange = |path: &Path| {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let within = |tree: &PathBuf| real.starts_with(tree) || path.starts_with(tree);
        strange.iter().any(within)
    };
    let folders: Vec<&Path> = path
        .as_bytes()
        .split(|byte| *byte == b':')
        .map(|folder| Path::new(OsStr::from_bytes(folder)))
        // An entry such as `.` would let the folder we stand in choose the program.
        .filter(|folder| folder.is_absolute() && !is_strange(folder))
        .collect();
    let program = folders
        .iter()
        .map(|folder| folder.join("keyring"))
        .find(|program| is_program(program) && !is_strange(program));
    let folders: Vec<&str> = folders
        .iter()
        .filter_map(|folder| folder.to_str())
        .collect();
    (program, folders.join(":"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn program(folder: &Path) -> PathBuf {
        fs::create_dir_all(folder).unwrap();
        let program = folder.join("keyring");
        fs::write(&program, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    #[test]
    fn no_program_of_a_tree_that_is_worked_on_is_taken_not_even_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let (tree, links, own) = (root.join("tree"), root.join("links"), root.join("own"));
        let inside = program(&tree.join("bin"));
        fs::create_dir(&links).unwrap();
        symlink(&inside, links.join("keyring")).unwrap();
        symlink(tree.join("bin"), root.join("linked")).unwrap();
        let all = [tree.join("bin"), root.join("linked"), links.clone()];
        let path = std::env::join_paths(&all).unwrap();
        let strange = trees(&tree, &[], Some(&root.join("home")));
        let words = |paths: &[&Path]| std::env::join_paths(paths).unwrap();
        assert_eq!(on_path(&path, &strange).0, None);
        let own = program(&own);
        let outside = own.parent().unwrap();
        let path = words(&[Path::new("."), Path::new(""), &all[0], &links, outside]);
        let (found, folders) = on_path(&path, &strange);
        assert_eq!(found, Some(own.clone()));
        assert_eq!(folders, words(&[&links, outside]).to_str().unwrap());
        // The same where the tree is what is to be built.
        let strange = trees(Path::new("/"), std::slice::from_ref(&tree), None);
        assert_eq!(on_path(&path, &strange).0, Some(own));
        assert_eq!(on_path(&words(&[&all[0]]), &strange).0, None);
    }

    #[test]
    fn the_home_of_the_account_is_no_tree_that_is_worked_on() {
        let (home, root) = (Path::new("/home/none"), Path::new("/"));
        assert!(trees(home, &[], Some(home)).is_empty());
        assert!(trees(root, &[], None).is_empty());
        assert_eq!(trees(&home.join("work"), &[], Some(home)).len(), 1);
    }
}
