//! From what is missing to what to do about it, in one line.

use super::missing::Missing;
use super::packages::{Kind, Packages, find};
use super::refuser::Refuser;

/// Modules of builders whose project has another name, beyond `_` for `-`.
const PROJECTS: [(&str, &str); 4] = [
    ("Cython", "cython"),
    ("skbuild", "scikit-build"),
    ("mesonpy", "meson-python"),
    ("poetry", "poetry-core"),
];

/// What else serves where Rust is missing: rustup keeps its tool chains in homes.
const RUSTUP: &str = "or grant a tool chain of rustup, which no build sees by itself, with a policy of your own (docs/policies.md shows one)";

/// Says what to do for a build of `project`; `refuser` may have refused it a process.
pub(super) fn advice(missing: &Missing, project: &str, refuser: Refuser) -> String {
    match missing {
        Missing::Header(name) => installed(Kind::Header, name).unwrap_or_else(|| {
            format!(
                "install what brings the header {name} (Debian: apt-file search {name}; Fedora: dnf provides '*/{name}'), \
                 unless it belongs into the source itself"
            )
        }),
        Missing::Library(name) => installed(Kind::Library, name).unwrap_or_else(|| {
            format!(
                "install what brings the library lib{name}.so (Debian: apt-file search lib{name}.so; Fedora: dnf provides '*/lib{name}.so')"
            )
        }),
        Missing::Compiler(language) => {
            let installed = installed(Kind::Compiler, language);
            let installed = installed.unwrap_or_else(|| format!("install a compiler for {language}"));
            match *language {
                "rust" => format!("{installed}, {RUSTUP}"),
                _ => installed,
            }
        }
        Missing::Tool(name) => installed(Kind::Tool, name).unwrap_or_else(|| {
            format!(
                "install what brings the program {name} (Debian: apt-file search bin/{name}; Fedora: dnf provides '*/bin/{name}'), \
                 or add the project that does: --extra-build-dep {project}:PROJECT"
            )
        }),
        Missing::PkgConfig(name) => installed(Kind::PkgConfig, name).unwrap_or_else(|| unknown_module(name)),
        Missing::CMake(name) => installed(Kind::CMake, name).unwrap_or_else(|| {
            format!("install what brings {name} for CMake (Debian: apt-file search {name}Config.cmake)")
        }),
        Missing::Dependency(name) => installed(Kind::PkgConfig, name)
            .or_else(|| installed(Kind::CMake, name))
            .unwrap_or_else(|| unknown_module(name)),
        Missing::Module(name) => module(name, project),
        Missing::Process => refuser.advice(),
        Missing::Remedied(remedy) => {
            format!("{}: {}", remedy.wrong, remedy.cure.replace("{project}", project))
        }
    }
}

fn unknown_module(name: &str) -> String {
    format!(
        "install what brings {name}.pc (Debian: apt-file search {name}.pc; Fedora: dnf install 'pkgconfig({name})'; Alpine: apk add pc:{name})"
    )
}

fn installed(kind: Kind, name: &str) -> Option<String> {
    let Packages {
        debian,
        fedora,
        alpine,
    } = find(kind, name)?;
    let what = match kind {
        Kind::Header => format!("the header {name}"),
        Kind::Library => format!("the library {name}"),
        Kind::Compiler => match name {
            "c" => "a C compiler".to_owned(),
            "c++" => "a C++ compiler".to_owned(),
            "fortran" => "a Fortran compiler".to_owned(),
            "rust" => "a Rust compiler".to_owned(),
            other => format!("a compiler for {other}"),
        },
        Kind::Tool => format!("the program {name}"),
        Kind::PkgConfig | Kind::CMake => name.to_owned(),
    };
    Some(format!(
        "for {what}, install {debian} (Debian, Ubuntu), {fedora} (Fedora, RHEL) or {alpine} (Alpine)"
    ))
}

fn module(name: &str, project: &str) -> String {
    let top = name.split('.').next().unwrap_or(name);
    let known = PROJECTS.iter().find(|(module, _)| *module == top);
    let why = format!("the module `{name}` is not among the build requirements; add");
    match known {
        Some((_, wanted)) => format!("{why} it with --extra-build-dep {project}:{wanted}"),
        // The project of that name may be somebody else's.
        None => format!(
            "{why} the project that has it, maybe of the same name, with --extra-build-dep {project}:{top}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(missing: &Missing, project: &str) -> String {
        super::advice(missing, project, Refuser::default())
    }

    #[test]
    fn a_rust_compiler_is_installed_or_one_of_rustup_is_granted() {
        let said = advice(&Missing::Compiler("rust"), "x");
        assert!(
            said.starts_with("for a Rust compiler, install rustc cargo (Debian"),
            "{said}"
        );
        assert!(
            said.contains("rustup") && said.contains("docs/policies.md"),
            "{said}"
        );
    }

    #[test]
    fn what_is_known_is_told_by_the_packages_of_three_distributions() {
        let header = Missing::Header("ffi.h".to_owned());
        assert_eq!(
            advice(&header, "x"),
            "for the header ffi.h, install libffi-dev (Debian, Ubuntu), libffi-devel (Fedora, RHEL) or libffi-dev (Alpine)"
        );
        let compiler = Missing::Compiler("c++");
        assert!(advice(&compiler, "x").starts_with("for a C++ compiler, install g++ (Debian"));
        for language in ["c", "c++", "fortran", "rust"] {
            assert!(find(Kind::Compiler, language).is_some(), "{language}");
        }
    }

    #[test]
    fn what_is_not_known_is_told_by_how_to_look_for_it() {
        let header = Missing::Header("strange/x.h".to_owned());
        assert!(advice(&header, "x").contains("apt-file search strange/x.h"));
        let dependency = Missing::Dependency("strange".to_owned());
        assert!(advice(&dependency, "x").contains("pkgconfig(strange)"));
    }

    #[test]
    fn modules_are_told_by_the_project_that_has_them() {
        let missing = Missing::Module("Cython.Build".to_owned());
        assert!(advice(&missing, "lxml").ends_with("--extra-build-dep lxml:cython"));
        let missing = Missing::Module("numpy".to_owned());
        assert!(advice(&missing, "PKG").ends_with("--extra-build-dep PKG:numpy"));
    }
}
