//! What compilers, linkers, shells, build tools and Python say when they do not find something, line by line. Pure.

use super::missing::{Missing, Weight};
use super::remedies;

use Weight::{Fatal, Likely, Perhaps};

type Said = (Weight, Missing);

/// Programs that are compilers, and of what.
const COMPILERS: [(&str, &str); 14] = [
    ("cc", "c"),
    ("gcc", "c"),
    ("c99", "c"),
    ("x86_64-linux-gnu-gcc", "c"),
    ("aarch64-linux-gnu-gcc", "c"),
    ("c++", "c++"),
    ("g++", "c++"),
    ("cc1plus", "c++"),
    ("x86_64-linux-gnu-g++", "c++"),
    ("aarch64-linux-gnu-g++", "c++"),
    ("gfortran", "fortran"),
    ("f95", "fortran"),
    ("rustc", "rust"),
    ("cargo", "rust"),
];

/// Returns what a line tells to be missing, and how sure that is.
pub(super) fn said(line: &str) -> Option<Said> {
    // What old and new programs put around a name.
    let line = line.replace(['\u{2018}', '\u{2019}', '`'], "'");
    let line = line.trim();
    let by = [
        process, remedy, header, library, compiler, pkg_config, meson, cmake, tool, module,
    ];
    by.iter().find_map(|told| told(line))
}

fn remedy(line: &str) -> Option<Said> {
    let found = remedies::of_line(line)?;
    Some((Fatal, Missing::Remedied(found)))
}

/// What programs say whom the kernel refuses a process or a thread (`EAGAIN`), which it says of other things as well. What
/// is tried again is not told.
fn process(line: &str) -> Option<Said> {
    let whole = [
        "BlockingIOError: [Errno 11] Resource temporarily unavailable",
        "can't start new thread",
    ];
    let told =
        whole.iter().any(|words| line.contains(words)) || line.ends_with(": Cannot fork") || {
            let (before, _) = line.split_once("Resource temporarily unavailable")?;
            let asks = ["fork: ", "posix_spawn: ", "hread creation failed: "];
            let threads = ["pthread_create", "spawn thread"];
            asks.iter().any(|words| before.ends_with(words))
                || threads.iter().any(|words| before.contains(words))
                || starts_for_make(before)
        };
    told.then_some((Likely, Missing::Process))
}

/// Whether make says of a program what follows: `make[1]: /bin/sh: `, but not `make: write error: `.
fn starts_for_make(before: &str) -> bool {
    let Some((speaker, program)) = before.split_once(": ") else {
        return false;
    };
    let program = program.strip_suffix(": ");
    let speaker = speaker.split('[').next();
    matches!(speaker, Some("make" | "gmake"))
        && program.is_some_and(|program| !program.is_empty() && !program.contains([' ', ':']))
}

/// gcc: `a.c:1:10: fatal error: ffi.h: No such file or directory`; clang: `fatal error: 'ffi.h' file not found`.
fn header(line: &str) -> Option<Said> {
    let (place, rest) = line.split_once("fatal error: ")?;
    let name = match rest.strip_suffix(": No such file or directory") {
        Some(name) => name,
        None => between(rest, "'", "' file not found")?,
    };
    // What configure scripts try out.
    let tried = ["conftest", "CMakeFiles/", "meson-private", "/tmp/"]
        .iter()
        .any(|part| place.contains(part));
    Some((if tried { Perhaps } else { Fatal }, Missing::header(name)?))
}

/// ld and gold: `cannot find -lffi`; lld: `unable to find library -lffi`; mold: `library not found: ffi`.
fn library(line: &str) -> Option<Said> {
    let marks = [
        "cannot find -l",
        "unable to find library -l",
        "library not found: ",
    ];
    let name = marks.iter().find_map(|mark| after(line, mark))?;
    Some((Fatal, Missing::library(first_word(name))?))
}

fn compiler(line: &str) -> Option<Said> {
    // gcc without the half for the language; cargo without a linker.
    if let Some(name) =
        between(line, "cannot execute '", "'").or_else(|| between(line, "linker '", "' not found"))
    {
        return program(name, Fatal);
    }
    let marks = [
        ("No CMAKE_C_COMPILER could be found", "c"),
        ("No CMAKE_CXX_COMPILER could be found", "c++"),
        ("No CMAKE_Fortran_COMPILER could be found", "fortran"),
        ("no acceptable C compiler found", "c"),
        ("C compiler cannot create executables", "c"),
        ("Unknown compiler(s): [['cc']", "c"),
        ("Unknown compiler(s): [['c++']", "c++"),
        ("Unknown compiler(s): [['gfortran']", "fortran"),
        ("Unknown compiler(s): [['rustc']", "rust"),
        ("can't find Rust compiler", "rust"),
        ("Cargo, the Rust package manager, is not installed", "rust"),
        // maturin and its helper, which would fetch one, and rustup's stand-ins without it.
        (
            "Rust not found, installing into a temporary directory",
            "rust",
        ),
        ("Downloading rustup-init from ", "rust"),
        ("rustup could not choose a version of ", "rust"),
    ];
    let (_, language) = marks.iter().find(|(words, _)| line.contains(words))?;
    Some((Fatal, Missing::Compiler(language)))
}

/// `No package 'x' found`, `Package x was not found in the pkg-config search path`, `Package 'x', required by ...`.
fn pkg_config(line: &str) -> Option<Said> {
    let name = between(line, "No package '", "' found")
        .or_else(|| {
            between(
                line,
                "Package ",
                " was not found in the pkg-config search path",
            )
        })
        .or_else(|| between(line, "Package '", "', required by "))?;
    Some((Likely, Missing::pkg_config(name.trim_matches('\''))?))
}

fn meson(line: &str) -> Option<Said> {
    if let Some(at) = line.find("ERROR: ") {
        let line = line[at..].replace('"', "'");
        if let Some(name) = between(&line, "Dependency '", "' not found")
            .or_else(|| between(&line, "Dependency lookup for ", " with method "))
        {
            return Some((Fatal, Missing::dependency(name)?));
        }
        if let Some(name) = between(&line, "library '", "' not found") {
            return Some((Fatal, Missing::library(name)?));
        }
        if let Some(name) = between(&line, "Program '", "' not found") {
            return program(first_word(name), Fatal);
        }
        return None;
    }
    if let Some(name) = between(line, "dependency ", " found: NO") {
        return Some((Perhaps, Missing::dependency(first_word(name))?));
    }
    let name = between(line, "Program ", " found: NO")?;
    program(first_word(name), Perhaps)
}

fn cmake(line: &str) -> Option<Said> {
    if let Some(name) = after(line, "Could NOT find ") {
        // A line that begins with a dash goes on.
        let weight = if line.starts_with("--") {
            Perhaps
        } else {
            Fatal
        };
        let name = first_word(name).trim_end_matches([',', ':', '.']);
        return Some((weight, Missing::cmake(name)?));
    }
    if let Some(name) = between(line, "package configuration file provided by \"", "\"") {
        return Some((Fatal, Missing::cmake(name)?));
    }
    let name = between(line, "build program corresponding to \"", "\"")?;
    let known = [("Ninja", "ninja"), ("Unix Makefiles", "make")];
    let (_, tool) = known.iter().find(|(generator, _)| *generator == name)?;
    Some((Fatal, Missing::tool(tool)?))
}

/// What shells, `env`, make, Python's `subprocess` and setup.py files say of a program.
fn tool(line: &str) -> Option<Said> {
    // Before `error: command`, for that is also what setuptools says of a compiler that failed.
    if let Some(name) = between(line, "unable to execute '", "': No such file")
        .or_else(|| between(line, "error: command '", "' failed: No such file"))
        .or_else(|| between(line, "exec: \"", "\": executable file not found"))
    {
        return program(name, Fatal);
    }
    if let Some(name) = between(
        line,
        "FileNotFoundError: [Errno 2] No such file or directory: '",
        "'",
    ) {
        // With a path it is a file; without one it may be a program or a file of the source.
        return (!name.contains(['/', '.'])).then(|| program(name, Likely))?;
    }
    if let Some(name) = line
        .strip_suffix(" executable not found.")
        .and_then(last_word)
    {
        return program(name, Fatal);
    }
    let missing = [
        ": command not found",
        ": not found",
        ": No such file or directory",
    ];
    let before = missing.iter().find_map(|end| line.strip_suffix(end))?;
    let name = before.rsplit(": ").next()?;
    if name.contains(char::is_whitespace) {
        return None;
    }
    let speaker = before.split(':').next()?.rsplit('/').next()?;
    let speaker = speaker.split(['[', ' ']).next()?;
    let speaks = [
        "sh", "bash", "dash", "ash", "env", "make", "gmake", "xargs", "busybox",
    ]
    .contains(&speaker);
    let found = line.ends_with(": command not found") || speaks;
    let name = name.trim_matches('\'');
    // A shell says the same of a script of the source, and make of a file.
    let own = name.contains('/') && !name.starts_with("/usr/bin/") && !name.starts_with("/bin/");
    (found && !own && name != speaker).then(|| program(name, Likely))?
}

/// `ModuleNotFoundError: No module named 'x'`, `ImportError: No module named x`, and Python's own word for `-m`.
fn module(line: &str) -> Option<Said> {
    let name = after(line, "No module named ")?;
    let name = name.trim_start_matches('\'');
    let end = name.find(['\'', ' ', ';', ',', ')']).unwrap_or(name.len());
    let missing = Missing::module(name[..end].trim_end_matches('.'))?;
    let sure = line.starts_with("ModuleNotFoundError: ") || line.starts_with("ImportError: ");
    Some((if sure { Likely } else { Perhaps }, missing))
}

/// A program that is missing, or a compiler of the language that it is for.
fn program(name: &str, weight: Weight) -> Option<Said> {
    let missing = Missing::tool(name)?;
    let Missing::Tool(base) = &missing else {
        return None;
    };
    let language = COMPILERS.iter().find(|(program, _)| program == base);
    Some((
        weight,
        language.map_or_else(
            || missing.clone(),
            |(_, language)| Missing::Compiler(language),
        ),
    ))
}

fn after<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    line.split_once(mark).map(|(_, rest)| rest)
}

fn between<'a>(line: &'a str, before: &str, behind: &str) -> Option<&'a str> {
    after(line, before)?
        .split_once(behind)
        .map(|(name, _)| name)
}

fn first_word(text: &str) -> &str {
    let end = text
        .find([' ', ':', ',', ';', '\'', '"', '('])
        .unwrap_or(text.len());
    &text[..end]
}

fn last_word(text: &str) -> Option<&str> {
    text.rsplit([' ', ':']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: &[(&str, &str)] = &[
        (
            "a.c:1:10: fatal error: ffi.h: No such file or directory",
            "ffi.h",
        ),
        (
            "src/a.cpp:3:10: fatal error: 'openssl/ssl.h' file not found",
            "openssl/ssl.h",
        ),
    ];
    const LIBRARIES: &[(&str, &str)] = &[
        ("/usr/bin/ld: cannot find -lffi", "ffi"),
        (
            "/usr/bin/ld: cannot find -lffi: No such file or directory",
            "ffi",
        ),
        ("ld.lld: error: unable to find library -lssl", "ssl"),
        ("mold: fatal: library not found: xml2", "xml2"),
        (
            "meson.build:9:0: ERROR: C shared or static library 'foo' not found",
            "foo",
        ),
    ];
    const LANGUAGES: &[(&str, &str)] = &[
        (
            "gcc: fatal error: cannot execute 'cc1plus': execvp: No such file or directory",
            "c++",
        ),
        (
            "error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory",
            "c",
        ),
        ("error: linker `cc` not found", "c"),
        ("No CMAKE_CXX_COMPILER could be found.", "c++"),
        (
            "configure: error: no acceptable C compiler found in $PATH",
            "c",
        ),
        (
            "../meson.build:1:0: ERROR: Unknown compiler(s): [['cc'], ['gcc'], ['clang']]",
            "c",
        ),
        ("error: can't find Rust compiler", "rust"),
        (
            "Cargo, the Rust package manager, is not installed or is not on PATH.",
            "rust",
        ),
        (
            "Rust not found, installing into a temporary directory",
            "rust",
        ),
        (
            "Downloading rustup-init from https://rust.invalid/rustup-init",
            "rust",
        ),
        (
            "error: rustup could not choose a version of cargo to run, because one wasn't specified explicitly",
            "rust",
        ),
        ("/bin/sh: 1: gcc: not found", "c"),
        ("make: g++: No such file or directory", "c++"),
    ];
    const TOOLS: &[(&str, &str)] = &[
        (
            "unable to execute 'swig': No such file or directory",
            "swig",
        ),
        ("sh: 1: cmake: not found", "cmake"),
        ("/bin/sh: line 3: swig: command not found", "swig"),
        ("bash: autoreconf: command not found", "autoreconf"),
        ("make[1]: bison: No such file or directory", "bison"),
        ("env: ‘perl’: No such file or directory", "perl"),
        ("/usr/bin/env: ‘node’: No such file or directory", "node"),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'pg_config'",
            "pg_config",
        ),
        ("Error: pg_config executable not found.", "pg_config"),
        ("exec: \"go\": executable file not found in $PATH", "go"),
        (
            "meson.build:4:0: ERROR: Program 'swig' not found or not executable",
            "swig",
        ),
        ("Program nasm found: NO", "nasm"),
        (
            "CMake Error: CMake was unable to find a build program corresponding to \"Ninja\".",
            "ninja",
        ),
    ];
    const MODULES_OF_PKG_CONFIG: &[(&str, &str)] = &[
        ("No package 'libffi' found", "libffi"),
        (
            "Package libffi was not found in the pkg-config search path.",
            "libffi",
        ),
        (
            "Package 'glib-2.0', required by 'virtual:world', not found",
            "glib-2.0",
        ),
    ];
    const DEPENDENCIES: &[(&str, &str)] = &[
        (
            "meson.build:2:0: ERROR: Dependency \"openblas\" not found, tried pkgconfig and cmake",
            "openblas",
        ),
        (
            "../m.build:3:4: ERROR: Dependency lookup for ZLIB with method 'pkgconfig' failed: no",
            "ZLIB",
        ),
        (
            "Run-time dependency zlib found: NO (tried pkgconfig and cmake)",
            "zlib",
        ),
    ];
    const PACKAGES_OF_CMAKE: &[(&str, &str)] = &[
        (
            "  Could NOT find ZLIB (missing: ZLIB_LIBRARY ZLIB_INCLUDE_DIR)",
            "ZLIB",
        ),
        ("-- Could NOT find SWIG (missing: SWIG_EXECUTABLE)", "SWIG"),
        (
            "  Could not find a package configuration file provided by \"Eigen3\" with any",
            "Eigen3",
        ),
    ];
    const MODULES: &[(&str, &str)] = &[
        ("ModuleNotFoundError: No module named 'numpy'", "numpy"),
        (
            "ModuleNotFoundError: No module named 'numpy.distutils'; 'numpy' is not a package",
            "numpy.distutils",
        ),
        ("ImportError: No module named Cython.Build", "Cython.Build"),
        ("/usr/bin/python3: No module named build", "build"),
    ];

    /// Sees that each line tells of what its name makes.
    fn tells(lines: &[(&str, &str)], make: impl Fn(&str) -> Option<Missing>) {
        for (line, name) in lines {
            let missing = make(name).expect("a name");
            assert_eq!(
                said(line).map(|(_, missing)| missing),
                Some(missing),
                "{line}"
            );
        }
    }

    #[test]
    fn what_programs_say_of_missing_things_is_understood() {
        tells(HEADERS, Missing::header);
        tells(LIBRARIES, Missing::library);
        tells(TOOLS, Missing::tool);
        tells(MODULES_OF_PKG_CONFIG, Missing::pkg_config);
        tells(DEPENDENCIES, Missing::dependency);
        tells(PACKAGES_OF_CMAKE, Missing::cmake);
        tells(MODULES, Missing::module);
        for (line, language) in LANGUAGES {
            assert_eq!(
                said(line).map(|(_, missing)| missing),
                Some(Missing::Compiler(language)),
                "{line}"
            );
        }
    }

    #[test]
    fn a_refused_process_is_told_from_what_else_is_unavailable_for_a_while() {
        for line in [
            "BlockingIOError: [Errno 11] Resource temporarily unavailable",
            "RuntimeError: can't start new thread",
            "gcc: fatal error: cannot execute \u{2018}/usr/lib/gcc/cc1\u{2019}: vfork: Resource temporarily unavailable",
            "make: /bin/sh: Resource temporarily unavailable",
            "make[2]: gcc: Resource temporarily unavailable",
            "bash: fork: Resource temporarily unavailable",
            "sh: 1: Cannot fork",
            "xargs: cannot fork: Resource temporarily unavailable",
            "ninja: fatal: posix_spawn: Resource temporarily unavailable",
            "libgomp: Thread creation failed: Resource temporarily unavailable",
            "OpenBLAS blas_thread_init: pthread_create failed for thread 1 of 2: Resource temporarily unavailable",
            "failed to spawn thread: Os { code: 11, kind: WouldBlock, message: \"Resource temporarily unavailable\" }",
        ] {
            assert_eq!(said(line), Some((Likely, Missing::Process)), "{line}");
        }
        for line in [
            "bash: fork: retry: Resource temporarily unavailable",
            "make: write error: Resource temporarily unavailable",
            "make: write error: stdout: Resource temporarily unavailable",
            "read: Resource temporarily unavailable",
            "Resource temporarily unavailable",
        ] {
            assert_eq!(said(line), None, "{line}");
        }
    }

    #[test]
    fn what_may_be_lived_without_weighs_less() {
        let weight = |line: &str| said(line).map(|(weight, _)| weight);
        assert_eq!(
            weight("conftest.c:1:10: fatal error: ffi.h: No such file or directory"),
            Some(Perhaps)
        );
        assert_eq!(
            weight("-- Could NOT find ZLIB (missing: ZLIB_LIBRARY)"),
            Some(Perhaps)
        );
        assert_eq!(
            weight("  Could NOT find ZLIB (missing: ZLIB_LIBRARY)"),
            Some(Fatal)
        );
        assert_eq!(
            weight("ModuleNotFoundError: No module named 'x'"),
            Some(Likely)
        );
    }

    #[test]
    fn what_is_no_such_word_is_none() {
        for line in [
            "",
            "running build_ext",
            "error: command 'gcc' failed with exit code 1",
            "error: command '/usr/bin/gcc' failed with exit code 1",
            "cat: README.md: No such file or directory",
            "sh: 1: ./configure: not found",
            "sh: 1: /opt/kit/bin/gen: not found",
            "FileNotFoundError: [Errno 2] No such file or directory: 'README.md'",
            "FileNotFoundError: [Errno 2] No such file or directory: '/etc/x'",
            "fatal error: $(touch x): No such file or directory",
            "a.c:1:1: fatal error: too many errors emitted",
            "page not found",
            "url: https://x.invalid: not found",
            "No module named ''",
        ] {
            assert_eq!(said(line), None, "{line}");
        }
    }
}
