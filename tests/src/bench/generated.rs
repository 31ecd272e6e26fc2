//! Small sdists that are made here, as many as are wanted.

use std::collections::BTreeSet;

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

/// Returns projects that require what others do for their builds, and nothing else of theirs: who builds them has
/// the build requirements in its cache, and no source or wheel of the others.
pub(super) fn forerunners(needs: &BTreeSet<Needs>) -> Vec<Sdist> {
    let one = |(number, needs): (usize, &Needs)| {
        let requires: Vec<_> = needs.requires.iter().map(String::as_str).collect();
        let asked = serde_json::to_string(&needs.asked).expect("strings are JSON");
        let hook =
            format!("def get_requires_for_build_wheel(config_settings=None):\n    return {asked}");
        Sdist::hello(&format!("forerunner{number:02}"), "1.0")
            .requires(&requires)
            .hooks(&hook)
    };
    needs.iter().enumerate().map(one).collect()
}

/// What a build requires.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Needs {
    /// `build-system.requires` of its `pyproject.toml`, or what PEP 518 says where it is silent.
    pub requires: Vec<String>,
    /// What its backend asks for besides.
    pub asked: Vec<String>,
}
