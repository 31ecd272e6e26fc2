//! Broken backends and projects, one fault each: every one ends with its own code and leaves nothing.

use model::Code;
use tests::{Sdist, Setting, World};

use crate::{site, world};

/// A project whose `build_wheel` does something else.
fn with_hook(name: &str, body: &str) -> Sdist {
    let hook = format!(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    {body}"
    );
    Sdist::hello(name, "1.0").hooks(&hook)
}

macro_rules! broken {
    ($($name:ident: $sdist:expr => $code:ident;)*) => {
        $(#[test] fn $name() {
            for setting in Setting::all(site()) {
                let world = World::new(site(), setting);
                world.build(&$sdist).finish().fails_with(Code::$code);
            }
        })*
    };
}

fn pyproject(text: &str) -> Sdist {
    Sdist::hello("broken", "1.0").file("pyproject.toml", text)
}

broken! {
    a_hook_that_raises_fails: with_hook("raises", "raise RuntimeError('the reason')") => Backend;
    a_hook_that_exits_fails: with_hook("exits", "raise SystemExit(3)") => Backend;
    a_hook_that_exits_well_without_a_wheel_fails: with_hook("leaves", "raise SystemExit(0)") => Backend;
    a_hook_whose_process_ends_fails: with_hook("ends", "os._exit(0)") => BackendDied;
    a_hook_that_is_killed_fails: with_hook("killed", "os.kill(os.getpid(), 11)") => BackendDied;
    a_hook_that_returns_nothing_fails: with_hook("returns-none", "return None") => HookResult;
    a_hook_that_returns_a_number_fails: with_hook("returns-number", "return 1") => HookResult;
    a_hook_that_returns_a_path_fails:
        with_hook("returns-path", "return os.path.join(wheel_directory, wheel_file.write(wheel_directory, *project()))")
        => HookResult;
    a_hook_that_returns_a_climbing_name_fails:
        with_hook("climbs", "return '../' + wheel_file.write(wheel_directory, *project())") => HookResult;
    a_backend_without_the_hook_fails: Sdist::hello("hookless", "1.0").hooks("del build_wheel") => HookResult;
    a_backend_that_does_not_import_fails: Sdist::hello("absent", "1.0").without("in_tree.py") => BackendMissing;
    a_backend_that_needs_what_is_not_there_fails:
        Sdist::hello("needy", "1.0").prologue("import a_module_that_nobody_has") => BackendMissing;
    a_backend_that_raises_on_import_fails: Sdist::hello("nervous", "1.0").prologue("1 / 0") => Backend;
    a_pyproject_that_is_not_toml_fails: pyproject("[build-system\n") => BadPyproject;
    a_pyproject_that_is_not_text_fails:
        Sdist::hello("broken", "1.0").file("pyproject.toml", b"[build-system]\n\xff\xfe") => BadPyproject;
    requires_that_is_not_a_list_fails:
        pyproject("[build-system]\nrequires = 'setuptools'\nbuild-backend = 'in_tree'\n") => BadPyproject;
    requires_with_a_number_fails: pyproject("[build-system]\nrequires = [1]\n") => BadPyproject;
    a_build_system_without_requires_fails: pyproject("[build-system]\nbuild-backend = 'in_tree'\n") => BadPyproject;
    a_backend_that_is_a_list_fails: pyproject("[build-system]\nrequires = []\nbuild-backend = ['in_tree']\n") => BadPyproject;
    a_backend_path_that_leads_out_fails:
        pyproject("[build-system]\nrequires = []\nbuild-backend = 'in_tree'\nbackend-path = ['../outside']\n") => BadPyproject;
    an_absolute_backend_path_fails:
        pyproject("[build-system]\nrequires = []\nbuild-backend = 'in_tree'\nbackend-path = ['/tmp']\n") => BadPyproject;
    a_build_requirement_that_is_none_fails:
        pyproject("[build-system]\nrequires = ['not a requirement']\n") => BadPyproject;
    a_build_requirement_with_a_url_fails:
        pyproject("[build-system]\nrequires = ['thing @ https://example.invalid/thing-1.0.tar.gz']\n") => BuildRequires;
    a_build_requirement_with_a_path_fails:
        pyproject("[build-system]\nrequires = ['thing @ file:///tmp/thing']\n") => BuildRequires;
    an_index_option_as_build_requirement_fails:
        pyproject("[build-system]\nrequires = ['--index-url=https://example.invalid/']\n") => BadPyproject;
    a_build_requirement_from_a_hook_with_a_url_fails:
        Sdist::hello("asks", "1.0").hooks(
            "def get_requires_for_build_wheel(config_settings=None):\n    return ['thing @ https://example.invalid/t.zip']")
        => BuildRequires;
    a_hook_that_wants_a_number_fails:
        Sdist::hello("asks", "1.0").hooks("def get_requires_for_build_wheel(config_settings=None):\n    return [7]")
        => HookResult;
    a_hook_that_wants_very_much_fails:
        Sdist::hello("asks", "1.0").hooks(
            "def get_requires_for_build_wheel(config_settings=None):\n    return ['a%d' % n for n in range(2000)]")
        => HookResult;
}

#[test]
fn what_lies_in_the_output_folder_counts_and_not_the_name_that_a_hook_returns() {
    let sdist = with_hook(
        "long",
        "wheel_file.write(wheel_directory, *project()); return 'x' * (8 << 20)",
    );
    world().build(&sdist).finish().built(&sdist.wheel());
}

#[test]
fn a_failure_names_hook_and_backend_and_its_log_can_be_shown() {
    let world = world();
    let sdist = with_hook(
        "raises",
        "print('a line of the backend'); raise RuntimeError('the reason')",
    );
    let done = world.build(&sdist).finish();
    let failure = done.fails_with(Code::Backend);
    assert!(failure.message.contains("the reason"), "{done}");
    assert!(done.stderr.contains("build_wheel of in_tree"), "{done}");
    let build = failure.log.expect("a failure of a backend has a log");
    assert!(
        done.stderr.contains(&format!("fumehood log {build}")),
        "{done}"
    );
    let cache = world.cache();
    let shown = world
        .run(["log", &build])
        .args(["--cache-dir".as_ref(), cache.as_os_str()])
        .finish();
    shown.succeeds();
    assert!(shown.stdout.contains("a line of the backend"), "{shown}");
}

#[test]
fn a_build_that_never_ends_is_ended_with_all_its_processes() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let body =
            "import time, subprocess\n    subprocess.Popen(['sleep', '600'])\n    time.sleep(600)";
        let done = world
            .build(&with_hook("endless", body))
            .args(["--timeout", "1s"])
            .finish();
        done.fails_with(Code::WallLimit);
        assert!(
            done.stderr.contains("--timeout"),
            "the error names the flag: {done}"
        );
    }
}

#[test]
fn a_backend_that_never_imports_is_ended() {
    let sdist = Sdist::hello("sleepy", "1.0").prologue("import time; time.sleep(600)");
    world()
        .build(&sdist)
        .args(["--timeout", "1s"])
        .finish()
        .fails_with(Code::WallLimit);
}

#[test]
fn megabytes_of_output_are_kept_or_end_the_build_as_asked() {
    let world = world();
    let body = "print('x' * (3 << 20)); return wheel_file.write(wheel_directory, *project())";
    let sdist = with_hook("talks", body);
    let done = world.build(&sdist).args(["--log-limit", "1M"]).finish();
    done.fails_with(Code::LogLimit);
    let done = world.build(&sdist).finish();
    done.built(&sdist.wheel());
    assert!(
        done.stderr.len() < 1 << 20,
        "without -v the output is not shown"
    );
}

#[test]
fn a_backend_that_writes_to_every_descriptor_confuses_nobody() {
    let body = "for n in range(0, 64):\n        try:\n            os.write(n, b'\\x00\\xff{}' * 500)\n        except OSError:\n            pass\n    return wheel_file.write(wheel_directory, *project())";
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = with_hook("chatty", body);
        world.build(&sdist).finish().built(&sdist.wheel());
    }
}

#[test]
fn a_backend_that_fills_its_scratch_is_ended() {
    let world = world();
    let body = "data = b'x' * (1 << 20)\n    n = 0\n    while True:\n        open('filler-%d' % n, 'wb').write(data); n += 1";
    let done = world
        .build(&with_hook("filler", body))
        .args(["--disk", "20M"])
        .finish();
    done.fails_with(Code::ScratchLimit);
}

#[test]
fn a_scratch_that_can_hardly_be_removed_is_removed() {
    let body = concat!(
        "path = 'deep'\n    for n in range(300):\n        os.mkdir('d' * 200); os.chdir('d' * 200)\n    ",
        "os.chmod('.', 0)\n    raise RuntimeError('done')"
    );
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world
            .build(&with_hook("deep", body))
            .finish()
            .fails_with(Code::Backend);
    }
}

#[test]
fn one_failure_does_not_keep_the_others_from_being_built() {
    let world = world();
    let (good, bad) = (
        Sdist::hello("good", "1.0"),
        with_hook("bad", "raise RuntimeError('no')"),
    );
    let done = world
        .wheels([world.archive(&bad), world.archive(&good)])
        .finish();
    done.exits_with(Code::Backend);
    let report = done.report();
    assert_eq!(
        (report.wheels.len(), report.failures.len()),
        (1, 1),
        "{done}"
    );
    assert_eq!(report.wheels[0].filename, good.wheel(), "{done}");
    assert_eq!(world.delivered(), [good.wheel()], "{done}");
}
