//! The ceiling of the system, and what a hostile project puts around a run: nothing exceeds, nothing runs.

use std::process::Command;

use model::Code;
use protocol::Level;
use tests::{Run, Sdist, Setting, World};

use crate::retrace::{given, reading};
use crate::{site, world};

/// A build on a system with this ceiling.
fn under<'world, 'site>(world: &'world World<'site>, ceiling: &str) -> Run<'world, 'site> {
    world
        .build(&Sdist::hello("hello", "1.0"))
        .on_system(&format!("[ceiling]\n{ceiling}\n"))
}

#[track_caller]
fn is_refused(run: Run<'_, '_>, code: Code) {
    let done = run.finish();
    assert_ne!(done.code, Some(71), "the mounts could not be made: {done}");
    done.says(code);
    let line = "/etc/fumehood/fumehood.toml:2";
    assert!(done.stderr.contains(line), "the line is named: {done}");
}

#[test]
fn no_flag_exceeds_the_ceiling() {
    let world = world();
    let folder = world.folder("granted");
    let granted = folder.to_str().expect("a plain path");
    for (ceiling, flags) in [
        ("policies = ['strict']", vec!["--policy", "native"]),
        ("policies = ['pure']", vec![]),
        ("allow-read = ['/opt']", vec!["--allow-read", granted]),
        ("allow-read = ['/tmp']", vec!["--allow-write", granted]),
        ("allow-env = []", vec!["--allow-env", "LANG"]),
        ("memory = '1G'", vec!["--memory", "2G"]),
        ("timeout = '1m'", vec!["--timeout", "2m"]),
        ("indexes = []", vec!["--allow-url-build-requires"]),
        (
            "indexes = ['https://packages.example.invalid/simple']",
            vec![],
        ),
        ("indexes = []", vec!["--no-index", "--find-links", granted]),
    ] {
        is_refused(under(&world, ceiling).args(flags), Code::Ceiling);
    }
}

#[test]
fn no_flag_goes_below_the_lowest_level() {
    let floor = "min-isolation = 'ns'";
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        for level in ["none", "confined"] {
            let flags = ["--min-isolation", level];
            is_refused(under(&world, floor).args(flags), Code::CeilingIsolation);
        }
        // The default is as high as the ceiling has it.
        let done = under(&world, floor).finish();
        match setting.level() {
            Level::Ns => assert_eq!(done.wheel().version, "1.0", "{done}"),
            _ => {
                done.fails_with(Code::Isolation);
            }
        }
    }
}

#[test]
fn no_file_and_no_choice_of_files_exceeds_the_ceiling() {
    let world = world();
    let named = world.file("named.toml", "memory = '2G'\n");
    let memory = "memory = '1G'";
    let by_file = under(&world, memory).args(["--config-file".as_ref(), named.as_os_str()]);
    is_refused(by_file, Code::Ceiling);
    let without = under(&world, memory).args(["--no-config", "--memory", "2G"]);
    is_refused(without, Code::Ceiling);
    world.file(
        "home/.config/fumehood/fumehood.toml",
        "min-isolation = 'confined'\n",
    );
    is_refused(
        under(&world, "min-isolation = 'ns'"),
        Code::CeilingIsolation,
    );
    world.file("home/.config/fumehood/fumehood.toml", "policy = 'native'\n");
    is_refused(under(&world, "policies = ['strict']"), Code::Ceiling);
}

#[test]
fn no_variable_and_no_setting_of_pip_exceeds_the_list_of_indexes() {
    let world = world();
    let url = world.index.url();
    let list = format!("indexes = ['{url}']");
    let more = "https://more.example.invalid/simple";
    for variable in [
        "FUMEHOOD_INDEX",
        "FUMEHOOD_FIND_LINKS",
        "PIP_EXTRA_INDEX_URL",
        "PIP_FIND_LINKS",
    ] {
        is_refused(under(&world, &list).env(variable, more), Code::Ceiling);
    }
    let bare = || under(&world, &list).without(&["--default-index", &url]);
    for variable in ["FUMEHOOD_DEFAULT_INDEX", "PIP_INDEX_URL"] {
        is_refused(bare().env(variable, more), Code::Ceiling);
    }
    let allowed = bare().env("PIP_INDEX_URL", &url).finish();
    assert_eq!(allowed.wheel().version, "1.0", "{allowed}");
}

#[test]
fn defaults_come_down_to_the_ceiling_and_what_is_below_it_is_free() {
    let world = world();
    let sdist = Sdist::hello("loud", "1.0").prologue("print('x' * 100_000)");
    let system = "[ceiling]\nlog-limit = '10k'\nallow-read = ['/tmp']\n";
    let run = || world.build(&sdist).on_system(system);
    run().finish_anyhow().says(Code::LogLimit);
    let quiet = Sdist::hello("hello", "1.0");
    let folder = world.folder("granted");
    let done = world
        .build(&quiet)
        .on_system(system)
        .args(["--allow-read".as_ref(), folder.as_os_str()])
        .finish();
    done.built(&quiet.wheel());
}

#[test]
fn a_ceiling_that_can_not_be_understood_or_trusted_stops_every_run() {
    let world = world();
    is_refused_for_the_file(under(&world, "polices = ['strict']"));
    let broken = under(&world, "memory = '1G'");
    let file = world.folder("etc/fumehood").join("fumehood.toml");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    std::fs::set_permissions(&file, mode).expect("an own file");
    is_refused_for_the_file(broken.args(["--no-config"]));
}

#[track_caller]
fn is_refused_for_the_file(run: Run<'_, '_>) {
    let done = run.finish();
    done.says(Code::Configuration);
    assert!(
        done.stderr.contains("/etc/fumehood/fumehood.toml"),
        "{done}"
    );
}

#[test]
fn no_approval_exceeds_the_ceiling() {
    let world = world();
    let path = given(&world);
    let sdist = reading(&path);
    let system = |ceiling: &'static str| world.build(&sdist).on_system(ceiling);
    let approve = |build: &str, ceiling: &'static str| {
        let run = world.run(["policy", "approve", build]).places();
        run.on_system(ceiling).finish()
    };
    let narrow = "[ceiling]\nallow-read = ['/opt']\n";
    let failure = system("").finish().fails_with(Code::DeniedFile);
    let build = failure.log.expect("a build has a log");
    // Not even for the proof.
    approve(&build, narrow).says(Code::Ceiling);
    approve(&build, "").succeeds();
    let done = system(narrow).finish();
    done.fails_with(Code::DeniedFile);
    assert!(done.stderr.contains("an approval: a grant of"), "{done}");
    system("").finish().cached(&sdist.wheel());
}

#[test]
fn doctor_shows_the_files_what_is_not_heard_in_them_and_the_ceiling() {
    let world = world();
    let project = world.file("work/fumehood.toml", "jobs = 3\ntimeout = '1m'\n");
    world.file("home/.config/fumehood/fumehood.toml", "jobs = 2\n");
    let (cache, url) = (world.cache(), world.index.url());
    let doctor = || {
        world
            .run(["doctor", "--default-index", &url, "--cache-dir"])
            .args([
                cache.as_os_str(),
                "-p".as_ref(),
                world.python().path.as_os_str(),
            ])
            .on_system("[ceiling]\nmin-isolation = 'confined'\n")
    };
    let done = doctor().finish();
    done.succeeds();
    let user = world.home().join(".config/fumehood/fumehood.toml");
    for said in [
        "/etc/fumehood/fumehood.toml (the system's file)".to_owned(),
        format!("{} (the user's file)", user.display()),
        format!("{} (the project's file)", project.display()),
        format!("{}:1: `jobs` is not heard", project.display()),
        "no level below confined".to_owned(),
    ] {
        assert!(done.stdout.contains(&said), "{said}: {done}");
    }
    let done = doctor().report().finish();
    let document: serde_json::Value = serde_json::from_str(&done.stdout).expect("JSON");
    let configuration = &document["configuration"];
    assert_eq!(
        configuration["files"].as_array().map(Vec::len),
        Some(3),
        "{done}"
    );
    assert_eq!(
        configuration["ceiling"][0], "no level below confined",
        "{done}"
    );
}

/// Compiles a program that leaves a mark, or none where there is no compiler.
fn marking(world: &World<'_>) -> Option<(Vec<u8>, std::path::PathBuf)> {
    if !world.has_program("cc") {
        return None;
    }
    let mark = world.folder("marks").join("ran");
    let source = world.file(
        "marking.c",
        format!("#include <fcntl.h>\nint main(void) {{ return creat({mark:?}, 0644) < 0; }}\n"),
    );
    let program = world.folder("").join("marking");
    let built = Command::new("cc")
        .args(["-o".as_ref(), program.as_os_str(), source.as_os_str()])
        .status();
    assert!(built.is_ok_and(|status| status.success()), "cc works");
    let control = Command::new(&program).status();
    assert!(control.is_ok_and(|status| status.success()) && mark.exists());
    std::fs::remove_file(&mark).expect("an own file");
    Some((std::fs::read(&program).expect("it was made"), mark))
}

#[test]
fn programs_that_a_project_plants_are_never_started_outside_a_worker() {
    let world = world();
    let Some((program, mark)) = marking(&world) else {
        return;
    };
    let planted = [
        "bin/python3",
        "bin/python",
        "bin/git",
        "bin/cc",
        ".venv/bin/python",
        ".venv/bin/python3",
    ];
    for name in planted {
        let file = world.file(format!("work/{name}"), &program);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(file, mode).expect("an own file");
    }
    // What makes the folders look like installations of Python.
    world.file("work/lib/python3.11/os.py", "");
    world.file("work/.venv/lib/python3.11/os.py", "");
    let bin = world.folder("work/bin");
    world.file(
        "work/.venv/pyvenv.cfg",
        format!("home = {}\nversion = 3.11.4\n", bin.display()),
    );
    let sdist = Sdist::hello("hello", "1.0");
    let python = world.python().path.display().to_string();
    let mut path = std::ffi::OsString::from(format!("{}:", bin.display()));
    path.push(std::env::var_os("PATH").expect("a PATH"));
    let run = |variables: &[(&str, String)]| {
        let run = world
            .build(&sdist)
            .without(&["-p", &python])
            .args(["--refresh"]);
        let run = run.env("PATH", &path);
        let run = variables
            .iter()
            .fold(run, |run, (name, value)| run.env(name, value));
        let done = run.finish();
        assert!(!mark.exists(), "a planted program ran unconfined: {done}");
        done
    };
    let done = run(&[]);
    assert_eq!(done.wheel().filename, sdist.wheel(), "{done}");
    let venv = world.folder("work/.venv").display().to_string();
    let done = run(&[("VIRTUAL_ENV", venv)]);
    assert_eq!(done.wheel().filename, sdist.wheel(), "{done}");
    for (name, value) in [
        ("FUMEHOOD_PYTHON", "./bin/python3"),
        ("FUMEHOOD_WORKER", "/nowhere"),
    ] {
        run(&[(name, value.to_owned())]);
    }
}

#[test]
fn an_environment_that_a_project_sets_runs_nothing_and_reaches_no_build() {
    let world = world();
    // Where any of these runs, that Python ends at once, and with it the question or the build.
    let trap = "import os\nos._exit(9)\n";
    for name in [
        "sitecustomize.py",
        "usercustomize.py",
        "json.py",
        "pip.py",
        "startup.py",
    ] {
        world.file(format!("work/{name}"), trap);
    }
    world.file("work/trap.pth", "import os; os._exit(9)\n");
    for version in 9..20 {
        let folder = format!("home/.local/lib/python3.{version}/site-packages");
        world.file(format!("{folder}/usercustomize.py"), trap);
        world.file(format!("{folder}/trap.pth"), "import os; os._exit(9)\n");
    }
    let hostile = world.folder("work").display().to_string();
    let variables = [
        ("PYTHONPATH", hostile.clone()),
        ("PYTHONHOME", hostile.clone()),
        ("PYTHONSTARTUP", format!("{hostile}/startup.py")),
        ("PYTHONINSPECT", "1".to_owned()),
        ("PYTHONUSERBASE", format!("{hostile}/../home/.local")),
        ("GIT_DIR", hostile.clone()),
        ("GIT_EXEC_PATH", hostile.clone()),
        ("GIT_CONFIG_GLOBAL", format!("{hostile}/gitconfig")),
        ("GIT_SSH_COMMAND", "false".to_owned()),
        ("PIP_PYTHON", format!("{hostile}/bin/python3")),
        ("PIP_REQUIRE_VIRTUALENV", "1".to_owned()),
        ("BASH_ENV", format!("{hostile}/startup.py")),
        ("LD_LIBRARY_PATH", hostile.clone()),
        ("CC", format!("{hostile}/cc")),
        ("XDG_DATA_HOME", hostile.clone()),
        ("TMPDIR", hostile.clone()),
    ];
    let names: Vec<_> = variables.iter().map(|(name, _)| *name).collect();
    let names = serde_json::to_string(&names).expect("strings are JSON");
    let sdist = Sdist::hello("hello", "1.0").prologue(&format!(
        "import os\nseen = [name for name in {names} if {hostile:?} in os.environ.get(name, '')]\nprint('seen', seen)"
    ));
    let run = world.build(&sdist).args(["-v"]);
    let run = variables
        .iter()
        .fold(run, |run, (name, value)| run.env(name, value));
    let done = run.finish();
    done.built(&sdist.wheel());
    assert!(done.stderr.contains("seen []"), "{done}");
}

#[test]
fn a_python_of_the_project_is_taken_when_it_is_active_or_named_and_the_report_says_so() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    let python = world.python().path.display().to_string();
    let venv = world.folder("work/.venv");
    let made = Command::new(&python)
        .args(["-I", "-m", "venv", "--without-pip"])
        .arg(&venv)
        .status();
    assert!(made.is_ok_and(|status| status.success()), "venv works");
    let run = || {
        let run = world.build(&sdist).without(&["-p", &python]);
        run.args(["-C", "told=again"])
    };
    let says = "lies in the working directory";
    let path = world.python().path.parent().expect("a folder").to_owned();
    let done = run().env("PATH", &path).finish();
    let wheel = done.built(&sdist.wheel());
    assert!(!done.stderr.contains(says), "{done}");
    assert_eq!(wheel.notes, Vec::<String>::new(), "{done}");
    let active = run().env("VIRTUAL_ENV", &venv);
    let named = run().args(["-p", ".venv"]);
    for (at, run) in [active, named].into_iter().enumerate() {
        let done = run
            .args(["-C", &format!("told={at}")])
            .env("PATH", &path)
            .finish();
        let wheel = done.built(&sdist.wheel());
        assert!(done.stderr.contains(says), "{done}");
        assert!(wheel.notes.iter().any(|note| note.contains(says)), "{done}");
    }
}
