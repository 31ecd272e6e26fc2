//! Sources that are for another Python or another setuptools, by what they then say.

/// What is wrong and what helps. `{project}` in the cure is the project's name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Remedy {
    /// What a line of the log holds.
    says: &'static str,
    /// What is wrong.
    pub(super) wrong: &'static str,
    /// What helps.
    pub(super) cure: &'static str,
}

const OLDER_PYTHON: &str = "build for an older Python (-p), or take a newer version of {project}";
const OLD_C: &str = "its C code was generated for an older Python";
const PYTHON_312: &str = "the source uses a module that Python 3.12 removed";
const BEFORE_312: &str = "build for Python 3.11 (-p 3.11), or take a newer version of {project}";

/// Modules that are missing for a known reason, by name.
const MODULES: [(&str, Remedy); 9] = [
    (
        "pkg_resources",
        Remedy {
            says: "No module named 'pkg_resources'",
            wrong: "the source uses `pkg_resources`, which setuptools has removed",
            cure: "--extra-build-dep '{project}:setuptools<81'",
        },
    ),
    (
        "distutils",
        Remedy {
            says: "No module named 'distutils",
            wrong: "the source uses `distutils`, which Python 3.12 removed and setuptools stands in for",
            cure: "--extra-build-dep {project}:setuptools, or build for Python 3.11 (-p 3.11)",
        },
    ),
    (
        "setuptools.command.test",
        Remedy {
            says: "No module named 'setuptools.command.test'",
            wrong: "the source uses `setup.py test`, which setuptools 72 removed",
            cure: "--extra-build-dep '{project}:setuptools<72'",
        },
    ),
    (
        "imp",
        Remedy {
            says: "No module named 'imp'",
            wrong: PYTHON_312,
            cure: BEFORE_312,
        },
    ),
    (
        "asyncore",
        Remedy {
            says: "No module named 'asyncore'",
            wrong: PYTHON_312,
            cure: BEFORE_312,
        },
    ),
    (
        "asynchat",
        Remedy {
            says: "No module named 'asynchat'",
            wrong: PYTHON_312,
            cure: BEFORE_312,
        },
    ),
    (
        "cgi",
        Remedy {
            says: "No module named 'cgi'",
            wrong: "the source uses a module that Python 3.13 removed",
            cure: "build for Python 3.12 (-p 3.12), or take a newer version of {project}",
        },
    ),
    (
        "pipes",
        Remedy {
            says: "No module named 'pipes'",
            wrong: "the source uses a module that Python 3.13 removed",
            cure: "build for Python 3.12 (-p 3.12), or take a newer version of {project}",
        },
    ),
    (
        "ConfigParser",
        Remedy {
            says: "No module named 'ConfigParser'",
            wrong: "the source is for Python 2",
            cure: "take a newer version of {project}",
        },
    ),
];

/// What else is known, by what it says.
const REMEDIES: [Remedy; 24] = [
    Remedy {
        says: "use_2to3 is invalid",
        wrong: "the source wants `use_2to3`, which setuptools 58 removed",
        cure: "--extra-build-dep '{project}:setuptools<58'",
    },
    Remedy {
        says: "cannot import name 'Feature' from 'setuptools'",
        wrong: "the source wants `Feature`, which setuptools 46 removed",
        cure: "--extra-build-dep '{project}:setuptools<46'",
    },
    Remedy {
        says: "cannot import name 'test' from 'setuptools.command'",
        wrong: "the source uses `setup.py test`, which setuptools 72 removed",
        cure: "--extra-build-dep '{project}:setuptools<72'",
    },
    Remedy {
        says: "Multiple top-level packages discovered in a flat-layout",
        wrong: "the source does not name its packages, and setuptools 61 and later do not guess",
        cure: "--extra-build-dep '{project}:setuptools<61', if its pyproject.toml allows it",
    },
    Remedy {
        says: "Multiple top-level modules discovered in a flat-layout",
        wrong: "the source does not name its modules, and setuptools 61 and later do not guess",
        cure: "--extra-build-dep '{project}:setuptools<61', if its pyproject.toml allows it",
    },
    Remedy {
        says: "invalid command 'bdist_wheel'",
        wrong: "this setuptools needs the package `wheel` to make wheels",
        cure: "--extra-build-dep {project}:wheel",
    },
    Remedy {
        says: "module 'pkgutil' has no attribute 'ImpImporter'",
        wrong: "the build requirements bring a setuptools that is too old for this Python",
        cure: "--extra-build-dep '{project}:setuptools>=66.1', or build for Python 3.11 (-p 3.11)",
    },
    Remedy {
        says: "Missing parentheses in call to 'print'",
        wrong: "the source is for Python 2",
        cure: "take a newer version of {project}",
    },
    Remedy {
        says: "name 'unicode' is not defined",
        wrong: "the source is for Python 2",
        cure: "take a newer version of {project}",
    },
    Remedy {
        says: "cannot import name 'Mapping' from 'collections'",
        wrong: "the source is for Python 3.9 or older",
        cure: "build for Python 3.9 (-p 3.9), or take a newer version of {project}",
    },
    Remedy {
        says: "cannot import name 'MutableMapping' from 'collections'",
        wrong: "the source is for Python 3.9 or older",
        cure: "build for Python 3.9 (-p 3.9), or take a newer version of {project}",
    },
    Remedy {
        says: "module 'collections' has no attribute",
        wrong: "the source is for Python 3.9 or older",
        cure: "build for Python 3.9 (-p 3.9), or take a newer version of {project}",
    },
    Remedy {
        says: "module 'inspect' has no attribute 'getargspec'",
        wrong: "the source is for Python 3.10 or older",
        cure: "build for Python 3.10 (-p 3.10), or take a newer version of {project}",
    },
    Remedy {
        says: "module 'configparser' has no attribute 'SafeConfigParser'",
        wrong: "the source has a versioneer that is for Python 3.11 or older",
        cure: BEFORE_312,
    },
    Remedy {
        says: "fatal error: longintrepr.h: No such file",
        wrong: OLD_C,
        cure: OLDER_PYTHON,
    },
    Remedy {
        says: "has no member named 'ob_digit'",
        wrong: OLD_C,
        cure: OLDER_PYTHON,
    },
    Remedy {
        says: "has no member named 'tp_print'",
        wrong: OLD_C,
        cure: OLDER_PYTHON,
    },
    Remedy {
        says: "has no member named 'curexc_type'",
        wrong: OLD_C,
        cure: OLDER_PYTHON,
    },
    Remedy {
        says: "has no member named 'exc_type'",
        wrong: OLD_C,
        cure: OLDER_PYTHON,
    },
    Remedy {
        says: "has no member named 'use_tracing'",
        wrong: OLD_C,
        cure: OLDER_PYTHON,
    },
    Remedy {
        says: "is newer than PyO3's maximum supported version",
        wrong: "its PyO3 does not know so new a Python",
        cure: OLDER_PYTHON,
    },
    Remedy {
        says: "Cannot install on Python version",
        wrong: "the source is not for this Python",
        cure: "build for a Python that the line names (-p)",
    },
    Remedy {
        says: "package requires Python version",
        wrong: "the source is not for this Python",
        cure: "build for a Python that the line names (-p)",
    },
    Remedy {
        says: "requires a different Python",
        wrong: "the source is not for this Python",
        cure: "build for a Python that the line names (-p)",
    },
];

/// Finds what a line tells.
pub(super) fn of_line(line: &str) -> Option<&'static Remedy> {
    // Compilers and old Pythons use other quotes for the same words.
    let line = line.replace(['\u{2018}', '\u{2019}', '`', '"'], "'");
    let modules = MODULES.iter().map(|(_, remedy)| remedy);
    REMEDIES
        .iter()
        .chain(modules)
        .find(|remedy| line.contains(remedy.says))
}

/// Finds what is known of a module that was not found, or of the package that it is in.
pub(super) fn of_module(module: &str) -> Option<&'static Remedy> {
    let known = |name: &str| {
        let mut all = MODULES.iter();
        all.find_map(|(one, remedy)| (*one == name).then_some(remedy))
    };
    known(module).or_else(|| known(module.split('.').next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_remedy_is_found_by_its_own_words() {
        let modules = MODULES.iter().map(|(_, remedy)| remedy);
        for remedy in REMEDIES.iter().chain(modules) {
            let line = format!("x.c:3: error: {} and more", remedy.says);
            assert_eq!(of_line(&line).map(|one| one.says), Some(remedy.says));
        }
        for (name, remedy) in &MODULES {
            assert_eq!(of_module(name), Some(remedy));
        }
        assert_eq!(of_module("distutils.core"), of_module("distutils"));
        assert_eq!(of_module("numpy"), None);
        assert_eq!(of_line("running build_ext"), None);
    }

    #[test]
    fn quotes_of_compilers_are_quotes() {
        let line =
            "error: \u{2018}PyLongObject\u{2019} has no member named \u{2018}ob_digit\u{2019}";
        assert!(of_line(line).is_some());
    }
}
