//! The folders of an environment, as PEP 405 and `sysconfig`'s `venv` scheme have them.

use model::PythonFacts;

use super::InstallError;
use super::tree::{OWNER, Tree};

/// Where programs lie.
pub(crate) const SCRIPTS: &str = "bin";

/// Returns the folder of the standard library's name below `lib`: `python3.11`, `python3.13t`,
/// `pypy3.10`.
pub(crate) fn library_name(facts: &PythonFacts) -> String {
    let (major, minor, _) = facts.version;
    if facts.implementation == "pypy" {
        return format!("pypy{major}.{minor}");
    }
    let threads = if facts.free_threaded { "t" } else { "" };
    format!("python{major}.{minor}{threads}")
}

/// Returns the folder that packages are installed in, relative to the environment.
#[must_use]
pub fn site_packages(facts: &PythonFacts) -> String {
    format!("lib/{}/site-packages", library_name(facts))
}

/// Returns the folder that the folders of headers are in, one a distribution.
pub(crate) fn headers(facts: &PythonFacts) -> String {
    format!("include/site/{}", library_name(facts))
}

/// Lays out the empty environment: links to the base interpreter and `pyvenv.cfg`.
pub(super) fn lay_out(tree: &mut Tree, facts: &PythonFacts) -> Result<(), InstallError> {
    let (major, minor, patch) = facts.version;
    tree.folder(&site_packages(facts))?;
    tree.link("bin/python", &facts.executable)?;
    let mut names = vec!["python3".to_owned(), format!("python{major}.{minor}")];
    if facts.free_threaded {
        names.push(format!("python{major}.{minor}t"));
    }
    if facts.implementation == "pypy" {
        names.extend([
            "pypy".to_owned(),
            "pypy3".to_owned(),
            format!("pypy{major}.{minor}"),
        ]);
    }
    for name in names {
        tree.link(&format!("{SCRIPTS}/{name}"), std::path::Path::new("python"))?;
    }
    let home = facts.executable.parent().unwrap_or(&facts.base_prefix);
    let configuration = format!(
        "home = {}\nimplementation = {}\nversion = {major}.{minor}.{patch}\ninclude-system-site-packages = false\n",
        home.display(),
        facts.markers.platform_python_implementation(),
    );
    tree.put("pyvenv.cfg", configuration.as_bytes(), false, OWNER)?;
    Ok(())
}
