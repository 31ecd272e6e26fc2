//! Builds that would fetch something: what is in the source serves, what is missing is told by name and count.

use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Code;
use tests::{Identity, Sdist, Setting, World};

use crate::site;

/// The Rust tool chain that builds this suite: whoever runs it has one.
fn toolchain() -> PathBuf {
    let cargo = Path::new(env!("CARGO"));
    let folder = cargo.parent().and_then(Path::parent);
    folder
        .expect("cargo lies in a tool chain's folder")
        .to_owned()
}

/// A policy with that tool chain, as a person would write it.
fn policy(world: &World<'_>) -> PathBuf {
    let place = toolchain();
    let place = place.display();
    let text = format!(
        "name = \"rust\"\nextends = \"strict\"\nsummary = \"strict, and a Rust tool chain\"\n\
         [[grant]]\npath = \"{place}\"\naccess = [\"read\", \"execute\"]\nwhy = \"cargo, rustc and what they read\"\n\
         [environment.path]\nfolders = [\"environment\", \"{place}/bin\", \"/usr/bin\", \"/bin\"]\n\
         why = \"cargo lies in no folder of the system\"\n"
    );
    world.file("rust.toml", text)
}

/// A backend that has cargo build a program, which needs one crate.
fn program() -> Sdist {
    let build = "import subprocess\n\
                 done = subprocess.run(['cargo', 'build'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)\n\
                 print(done.stdout, flush=True)\n\
                 if done.returncode:\n    raise SystemExit('cargo failed')\n\
                 assert subprocess.run(['target/debug/answer'], capture_output=True).stdout == b'42'\n";
    Sdist::hello("answer", "1.0")
        .prologue(build)
        .file(
            "Cargo.toml",
            "[package]\nname = \"answer\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[dependencies]\ngiven = \"1\"\n",
        )
        .file("src/main.rs", "fn main() { print!(\"{}\", given::answer()); }\n")
}

/// Everyone who can read the tool chain, with and without namespaces.
fn settings() -> impl Iterator<Item = Setting> {
    let all = Setting::all(site()).into_iter();
    all.filter(|setting| setting.identity == Identity::Caller)
}

#[test]
fn crates_that_the_source_holds_are_built() {
    let sdist = program()
        .file(
            "vendor/given/Cargo.toml",
            "[package]\nname = \"given\"\nversion = \"1.0.0\"\nedition = \"2021\"\n",
        )
        .file("vendor/given/src/lib.rs", "pub fn answer() -> u32 { 42 }\n")
        .file("vendor/given/.cargo-checksum.json", "{\"files\":{}}")
        .file(
            ".cargo/config.toml",
            "[source.crates-io]\nreplace-with = \"held\"\n[source.held]\ndirectory = \"vendor\"\n",
        );
    for setting in settings() {
        let world = World::new(site(), setting);
        let policy = policy(&world);
        // Around the cache lies what is the user's, as in a home, and what cargo would take for its own.
        world.file("k/.cargo/config.toml", "[build]\ntarget-dir = 1\n");
        world.file("k/Cargo.toml", "[workspace]\nmembers = [\"nothing\"]\n");
        let done = world
            .build(&sdist)
            .args(["--policy".as_ref(), policy.as_os_str()])
            .finish();
        done.built(&sdist.wheel());
    }
}

#[test]
fn crates_that_nobody_gave_are_told_by_name_and_count() {
    let entry = |name: &str| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \"registry+https://registry.invalid/index\"\nchecksum = \"{}\"\n",
            "0".repeat(64)
        )
    };
    let own = "[[package]]\nname = \"answer\"\nversion = \"1.0.0\"\ndependencies = [\"given\"]\n";
    let given = entry("given").replace("checksum", "dependencies = [\"more\"]\nchecksum");
    let lock = format!("version = 4\n\n{own}\n{given}\n{}", entry("more"));
    let sdist = program().file("Cargo.lock", lock);
    for setting in settings() {
        let world = World::new(site(), setting);
        let policy = policy(&world);
        let done = world
            .build(&sdist)
            .args(["--policy".as_ref(), policy.as_os_str()])
            .finish();
        let failure = done.fails_with(Code::Backend);
        assert!(
            done.stderr
                .contains("wanted: 2 crates: given 1.0.0, more 1.0.0"),
            "{done}"
        );
        assert!(
            failure
                .hint
                .is_some_and(|hint| hint.contains("cargo vendor")),
            "{done}"
        );
    }
}

#[test]
fn sources_that_cmake_would_fetch_are_told_by_name_and_count() {
    let cmake = "cmake_minimum_required(VERSION 3.15)\nproject(answer LANGUAGES NONE)\ninclude(FetchContent)\n\
                 FetchContent_Declare(given URL https://sources.invalid/given-1.0.tar.gz)\n\
                 FetchContent_MakeAvailable(given)\n";
    let sdist = Sdist::bare("answer", "1.0")
        .file(
            "pyproject.toml",
            "[build-system]\nrequires = ['scikit-build-core', 'cmake', 'ninja']\n\
             build-backend = 'scikit_build_core.build'\n[project]\nname = 'answer'\nversion = '1.0'\n",
        )
        .file("CMakeLists.txt", cmake);
    for setting in settings() {
        let world = World::new(site(), setting);
        world.index.real(site().inputs());
        // CMake waits between its attempts.
        let patience = Duration::from_secs(400);
        let done = world.build(&sdist).limit(patience).finish_anyhow();
        assert!(matches!(done.code, Some(1 | 3)), "{done}");
        let said = "wanted: 1 source: https://sources.invalid/given-1.0.tar.gz";
        assert!(done.stderr.contains(said), "{done}");
    }
}
