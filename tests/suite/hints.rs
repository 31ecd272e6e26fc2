//! A build that lacks something: the error says what to install, or which flag helps, and shows the line of the log.

use model::Code;
use serde_json::json;
use tests::{Companion, Namespaces, Outcome, Run, Sdist, Setting, World};

use crate::{site, world};

/// A project whose backend runs a line of a shell and fails with it, far above the end of its log.
fn running(name: &str, line: &str) -> Sdist {
    let python = format!(
        "import subprocess\n\
         done = subprocess.run(['/bin/sh', '-c', {line:?}])\n\
         for number in range(3000):\n    print('still here', number)\n\
         done.check_returncode()\n"
    );
    Sdist::hello(name, "1.0").prologue(&python)
}

/// Sees that a project failed with a hint that holds some words, and that the line that tells it was shown: of the log,
/// or in the exception's own message.
fn hints(done: &Outcome<'_, '_>, name: &str, words: &str, line: &str) {
    let report = done.report();
    let mut failures = report.failures.iter();
    let failure = failures.find(|failure| {
        let spec = failure.spec.as_deref().unwrap_or_default();
        spec.contains(&format!("/{name}-1.0"))
    });
    let failure = failure.unwrap_or_else(|| panic!("{name} did not fail: {done}"));
    let hint = failure.hint.as_deref().unwrap_or_default();
    assert!(hint.contains(words), "{name}: {hint}\n{done}");
    let mut seen = done.stderr.lines().filter(|text| text.contains("seen:"));
    let shown = seen.any(|text| text.contains(line)) || failure.message.contains(line);
    assert!(shown, "{name}: {line}\n{done}");
}

fn together<'world>(
    world: &'world tests::World<'static>,
    sdists: &[&Sdist],
) -> Run<'world, 'static> {
    let paths = sdists.iter().map(|sdist| world.archive(sdist));
    // What was refused is no matter here.
    world
        .wheels(paths.collect::<Vec<_>>())
        .args(["--no-retrace"])
}

#[test]
fn what_compilers_linkers_shells_and_python_miss_is_named_with_the_packages_that_bring_it() {
    let world = world();
    let header = running("header", "gcc -nostdinc -I. -c a.c").file("a.c", "#include <ffi.h>\n");
    let library = running("library", "ld -nostdlib -o x -lxml2");
    let compiler = running("compiler", "PATH=/nowhere; gcc -c a.c");
    let rust = running("rust", "PATH=/nowhere; cargo build");
    let tool = running("tool", "PATH=/nowhere; swig -python a.i");
    let config = running(
        "config",
        "PKG_CONFIG_LIBDIR=/nowhere pkg-config --cflags openssl",
    );
    let module = Sdist::hello("module", "1.0").prologue(
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import Cython'], check=True)",
    );
    let own = Sdist::hello("own", "1.0").prologue("import numpy_nowhere.core");
    let resources = Sdist::hello("resources", "1.0").prologue("import pkg_resources");
    // As it is on a Python without it.
    let distutils = Sdist::hello("distutils", "1.0").prologue(
        "import sys\npath = sys.path[:]\nsys.path[:] = []\n\
         try:\n    import distutils\nfinally:\n    sys.path[:] = path",
    );
    let python = Sdist::hello("python", "1.0").prologue("exec(open('old.py').read())");
    let python = python.file("old.py", "print 'for Python 2'\n");
    let has_config = world.has_program("pkg-config");
    let mut all = vec![
        &header, &library, &compiler, &rust, &tool, &module, &own, &resources, &distutils, &python,
    ];
    all.extend(has_config.then_some(&config));
    let done = together(&world, &all).finish();
    let says = |name: &str, words: &str, line: &str| hints(&done, name, words, line);
    says(
        "header",
        "libffi-dev (Debian, Ubuntu), libffi-devel (Fedora, RHEL) or libffi-dev (Alpine)",
        "fatal error: ffi.h: No such file or directory",
    );
    says("library", "libxml2-devel (Fedora", "cannot find -lxml2");
    says(
        "compiler",
        "for a C compiler, install build-essential (Debian",
        "gcc: ",
    );
    says(
        "rust",
        "for a Rust compiler, install rustc cargo (Debian",
        "cargo: ",
    );
    says("rust", "of rustup", "cargo: ");
    says(
        "tool",
        "for the program swig, install swig (Debian",
        "swig: ",
    );
    says(
        "module",
        "--extra-build-dep module:cython",
        "No module named 'Cython'",
    );
    says(
        "own",
        "--extra-build-dep own:numpy_nowhere",
        "No module named 'numpy_nowhere'",
    );
    says(
        "resources",
        "'resources:setuptools<81'",
        "No module named 'pkg_resources'",
    );
    says(
        "distutils",
        "--extra-build-dep distutils:setuptools",
        "No module named 'distutils'",
    );
    says(
        "python",
        "the source is for Python 2",
        "Missing parentheses in call to 'print'",
    );
    if has_config {
        says("config", "libssl-dev (Debian", "openssl");
    }
}

#[test]
fn what_setuptools_meson_and_cmake_miss_is_named() {
    let world = world();
    world.index.real(site().inputs());
    let project = |name: &str, requires: &str, backend: &str| {
        let text = format!(
            "[build-system]\nrequires = [{requires}]\nbuild-backend = '{backend}'\n[project]\nname = '{name}'\nversion = '1.0'\n"
        );
        Sdist::bare(name, "1.0").file("pyproject.toml", text)
    };
    let old = Sdist::bare("old", "1.0").file(
        "setup.py",
        "from setuptools import setup\nsetup(name='old', version='1.0', use_2to3=True)\n",
    );
    let meson = project("meson", "'meson-python'", "mesonpy").file(
        "meson.build",
        "project('meson', 'c')\ndependency('fumehood-nowhere')\n",
    );
    let cmake = project(
        "cmake",
        "'scikit-build-core', 'cmake', 'ninja'",
        "scikit_build_core.build",
    )
    .file(
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.15)\nproject(cmake LANGUAGES NONE)\n\
             find_package(Eigen3 REQUIRED CONFIG PATHS /nowhere NO_DEFAULT_PATH)\n",
    );
    let done = together(&world, &[&old, &meson, &cmake]).finish();
    hints(&done, "old", "'old:setuptools<58'", "use_2to3 is invalid");
    hints(
        &done,
        "meson",
        "pkgconfig(fumehood-nowhere)",
        "Dependency \"fumehood-nowhere\" not found",
    );
    hints(
        &done,
        "cmake",
        "install libeigen3-dev (Debian",
        "provided by \"Eigen3\"",
    );
}

#[test]
fn a_rust_tool_chain_that_a_build_would_fetch_is_told_as_what_is_missing() {
    let world = world();
    let connects = "import socket\nsocket.create_connection(('192.0.2.1', 443))";
    // What maturin does where it finds no cargo.
    let fetches = format!(
        "print('Rust not found, installing into a temporary directory', flush=True)\n{connects}"
    );
    let hint = |name: &str, prologue: &str| {
        let sdist = Sdist::hello(name, "1.0").prologue(prologue);
        let done = world.build(&sdist).finish();
        let hint = done.fails_with(Code::DeniedNetwork).hint;
        (hint.expect("it says what helps"), done.stderr.clone())
    };
    let (rust, said) = hint("rust", &fetches);
    for words in [
        "install rustc cargo (Debian",
        "of rustup",
        "docs/policies.md",
    ] {
        assert!(rust.contains(words), "{rust}");
    }
    assert!(said.contains("of the log: Rust not found"), "{said}");
    assert!(said.contains("builds have no network"), "{said}");
    let (other, said) = hint("other", connects);
    assert!(
        other.contains("take the wheel") && !said.contains("Rust"),
        "{said}"
    );
}

/// Starts one process after the other, never two at once, until one is refused to it.
const ONE_BY_ONE: &str = "
def get_requires_for_build_wheel(config_settings=None):
    import subprocess, sys, time
    open('ready', 'w').close()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        subprocess.run([sys.executable, '-I', '-S', '-c', ''], check=True)
    return []
";

#[test]
fn a_build_that_is_refused_a_process_by_what_its_user_starts_elsewhere_is_told_both_limits_that_it_may_be()
 {
    // Nobody but a uid that is shared is refused a process for others'.
    let is_shared =
        |setting: &Setting| setting.namespaces == Namespaces::Denied && setting.identity.uid() != 0;
    let settings = Setting::all(site()).into_iter().filter(is_shared);
    for setting in settings {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("crowded", "1.0").hooks(ONE_BY_ONE);
        let mut running = world
            .build(&sdist)
            .args(["--processes", "200", "--no-retrace"])
            .start();
        running.wait_until_ready();
        let crowd = Companion::start(&world, "crowd.py", &["300"], &json!({}));
        let done = running.finish();
        drop(crowd);
        // Its own would have been counted; the kernel refused it one for those of others.
        let failure = done.fails_with(Code::Backend);
        assert!(failure.message.contains("BlockingIOError"), "{done}");
        let hint = failure.hint.expect("it says what may have refused it");
        for words in [
            "limit of 200 processes, among which others",
            "--processes 400",
        ] {
            assert!(hint.contains(words), "{hint}\n{done}");
        }
    }
}
