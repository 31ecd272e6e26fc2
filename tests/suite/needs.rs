//! What honest builds need and a strict sandbox could break; `docs/policies.md` says which policy serves it.

use model::Code;
use tests::search::members;
use tests::{Identity, Namespaces, Sdist, Setting, World, backends};

use crate::site;

/// A project whose backend first does what an honest build would do.
fn needing(need: &str) -> Sdist {
    let place = backends().join("needs").join(format!("{need}.py"));
    let text = std::fs::read_to_string(place).expect("a need is written down");
    Sdist::hello("needing", "1.0").prologue(&text)
}

/// Builds it under a policy in every setting.
fn is_served(need: &str, policy: &str) {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = needing(need);
        let done = world.build(&sdist).args(["--policy", policy]).finish();
        done.built(&sdist.wheel());
    }
}

/// Whether it fails under a policy, so that the table may not say less than is true.
fn is_not_served(need: &str, policy: &str, code: Code) {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let done = world
            .build(&needing(need))
            .args(["--policy", policy])
            .finish();
        done.fails_with(code);
    }
}

#[test]
fn what_a_build_asks_of_the_system_is_answered_by_every_policy() {
    is_served("asks_the_system", "pure");
}

#[test]
fn processes_and_their_pipes_work_under_every_policy() {
    is_served("starts_processes", "pure");
}

#[test]
fn compilers_make_and_their_like_work_under_the_default_policy_and_not_under_pure() {
    is_served("compiles", "strict");
    is_not_served("compiles", "pure", Code::Backend);
}

#[test]
fn pools_and_locks_between_processes_work_under_native_and_by_default_where_memory_is_private() {
    is_served("shares_memory", "native");
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = needing("shares_memory");
        let done = world.build(&sdist).finish();
        match setting.namespaces {
            Namespaces::Allowed => drop(done.built(&sdist.wheel())),
            Namespaces::Denied => drop(done.fails_with(Code::Backend)),
        }
    }
}

#[test]
fn facts_about_the_processor_are_there_under_native_and_not_by_default() {
    is_served("reads_the_processor", "native");
    is_not_served("reads_the_processor", "strict", Code::DeniedFile);
}

/// Builds a real project of a real backend at every level; the wheel holds an extension module.
fn compiles_with(sdist: &Sdist) {
    // What another user may do differs in nothing that compilers need: `is_served` asks for all of them.
    let settings = Setting::all(site()).into_iter();
    for setting in settings.filter(|setting| setting.identity == Identity::Caller) {
        let world = World::new(site(), setting);
        world.index.real(site().inputs());
        let done = world.build(sdist).finish();
        done.succeeds();
        let wheel = done.wheel();
        assert_eq!(wheel.origin, "built", "{done}");
        let extension = members(&world.out().join(&wheel.filename))
            .into_iter()
            .any(|name| name.ends_with(".so"));
        assert!(extension, "{setting}: {done}");
    }
}

/// A project of one extension module, `answer`, that a backend builds.
fn extension(requires: &str, backend: &str) -> Sdist {
    Sdist::bare("answer", "1.0").file(
        "pyproject.toml",
        format!(
            "[build-system]\nrequires = [{requires}]\nbuild-backend = '{backend}'\n\
             [project]\nname = 'answer'\nversion = '1.0'\n"
        ),
    )
}

/// An extension module in C.
const MODULE: &str = "
#include <Python.h>
static struct PyModuleDef answer = {PyModuleDef_HEAD_INIT, \"answer\", 0, -1, 0};
PyMODINIT_FUNC PyInit_answer(void) { return PyModule_Create(&answer); }
";

#[test]
fn an_extension_in_cython_builds_by_default() {
    let setup = "from setuptools import setup\nfrom Cython.Build import cythonize\n\
                 setup(ext_modules=cythonize('answer.pyx'))\n";
    let sdist = extension("'setuptools', 'cython'", "setuptools.build_meta")
        .file("setup.py", setup)
        .file(
            "answer.pyx",
            "def answer(int given):\n    return given + 1\n",
        );
    compiles_with(&sdist);
}

#[test]
fn an_extension_by_cffi_builds_by_default() {
    let setup =
        "from setuptools import setup\nsetup(cffi_modules=['make.py:maker'], setup_requires=[])\n";
    let make = "import cffi\nmaker = cffi.FFI()\nmaker.cdef('int answer(int);')\n\
                maker.set_source('_answer', 'static int answer(int given) { return given + 1; }')\n";
    let sdist = extension("'setuptools', 'cffi'", "setuptools.build_meta")
        .file("setup.py", setup)
        .file("make.py", make);
    compiles_with(&sdist);
}

#[test]
fn an_extension_by_meson_builds_by_default() {
    let meson = "project('answer', 'c')\npython = import('python').find_installation(pure: false)\n\
                 python.extension_module('answer', 'answer.c', install: true)\n";
    let sdist = extension("'meson-python'", "mesonpy")
        .file("meson.build", meson)
        .file("answer.c", MODULE);
    compiles_with(&sdist);
}

#[test]
fn an_extension_by_cmake_and_ninja_of_the_index_builds_by_default() {
    let cmake = "cmake_minimum_required(VERSION 3.15)\nproject(answer LANGUAGES C)\n\
                 find_package(Python COMPONENTS Interpreter Development.Module REQUIRED)\n\
                 Python_add_library(answer MODULE answer.c WITH_SOABI)\n\
                 install(TARGETS answer DESTINATION .)\n";
    let sdist = extension(
        "'scikit-build-core', 'cmake', 'ninja'",
        "scikit_build_core.build",
    )
    .file("CMakeLists.txt", cmake)
    .file("answer.c", MODULE);
    compiles_with(&sdist);
}
