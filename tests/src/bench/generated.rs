//! Small sdists that are made here, as many as are wanted.

use crate::sdist::Sdist;

/// Returns the sdist number `number`: a project of one module, built by setuptools.
pub(super) fn tiny(number: usize) -> Sdist {
    let name = format!("tiny{number:03}");
    let pyproject = format!(
        "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n\
         [project]\nname = \"{name}\"\nversion = \"1.0\"\n[tool.setuptools]\npy-modules = [\"{name}\"]\n"
    );
    Sdist::bare(&name, "1.0")
        .file("pyproject.toml", pyproject)
        .file(&format!("{name}.py"), format!("NUMBER = {number}\n"))
}
