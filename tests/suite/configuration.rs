//! Configuration files: who is heard about what. Nothing that came with a project widens anything.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use model::Code;
use tests::decoy::secret;
use tests::{Outcome, Run, Sdist, Setting, World};

use crate::{site, world};

/// A project whose build says which of these variables it sees.
fn telling(variables: &[&str]) -> Sdist {
    let names = serde_json::to_string(variables).expect("strings are JSON");
    Sdist::hello("telling", "1.0").prologue(&format!(
        "import os\nfor name in {names}:\n    print('sees', name, os.environ.get(name))"
    ))
}

/// Everything that would widen, one key a line.
const WIDE: &str = "policy = 'native'\n\
    min-isolation = 'ns-only'\n\
    memory = '64G'\n\
    timeout = '9h'\n\
    allow-read = ['/root']\n\
    allow-env = ['SECRET']\n\
    allow-url-build-requires = true\n\
    worker = '/bin/true'\n\
    default-index = 'https://index.example.invalid/simple'\n\
    find-links = ['links']\n\
    python = './bin/python3'\n\
    cache-dir = 'elsewhere'\n\
    scratch-dir = 'elsewhere'\n";

fn keys(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.split(" = ").next())
}

/// Builds with a variable that must not get in.
fn run<'world, 'site>(
    world: &'world World<'site>,
    sdist: &Sdist,
    marker: &str,
) -> Run<'world, 'site> {
    world.build(sdist).args(["-v"]).env("SECRET", marker)
}

/// The build ran as if no file were there: the wheel is the one that a run without files has in the cache.
#[track_caller]
fn is_as_without(done: &Outcome<'_, '_>, world: &World<'_>, sdist: &Sdist, marker: &str) {
    done.built(&sdist.wheel());
    assert!(done.stderr.contains("sees SECRET None"), "{done}");
    assert_eq!(done.tells(marker), None, "{done}");
    let plain = run(world, sdist, marker).args(["--no-config"]).finish();
    plain.cached(&sdist.wheel());
}

#[test]
fn a_project_that_widens_is_noted_line_by_line_and_changes_nothing() {
    for name in ["fumehood.toml", "pyproject.toml"] {
        let (world, marker) = (world(), secret());
        let head = match name {
            "pyproject.toml" => "[project]\nname = 'x'\n[tool.fumehood]\n",
            _ => "",
        };
        let file = world.file(format!("work/{name}"), format!("{head}{WIDE}"));
        let sdist = telling(&["SECRET"]);
        let done = run(&world, &sdist, &marker).finish();
        for (at, key) in keys(WIDE).enumerate() {
            let line = head.lines().count() + at + 1;
            let place = format!("{}:{line}: `{key}` is not heard", file.display());
            assert!(done.stderr.contains(&place), "{key}: {done}");
        }
        assert!(!world.folder("work").join("elsewhere").exists());
        is_as_without(&done, &world, &sdist, &marker);
    }
}

#[test]
fn a_project_narrows_and_what_is_typed_wins() {
    let world = world();
    let sdist = Sdist::hello("loud", "1.0").prologue("print('x' * 100_000)");
    world.file("work/fumehood.toml", "log-limit = '10k'\n");
    let below = world.folder("work/deeper/down");
    let run = || world.build(&sdist).directory(&below);
    run().finish_anyhow().says(Code::LogLimit);
    let done = run().args(["--log-limit", "1M"]).finish();
    done.built(&sdist.wheel());
    // The top of a repository is the end of a project.
    world.folder("work/deeper/.git");
    let done = run().finish();
    assert_eq!(done.wheel().filename, sdist.wheel(), "{done}");
}

#[test]
fn a_project_narrows_the_policy_by_a_file_of_its_own_and_not_by_a_wider_one() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    world.file("work/fumehood.toml", "policy = 'policy.toml'\n");
    let policy = |base: &str, more: &str| {
        let text = format!("name = 'mine'\nsummary = 'x'\nextends = '{base}'\n{more}");
        world.file("work/policy.toml", text);
    };
    // A wider one changes nothing, so the wheel is still the cached one.
    policy(
        "strict",
        "[[grant]]\npath = '/opt'\naccess = ['read']\noptional = true\nwhy = 'x'\n",
    );
    let done = world.build(&sdist).finish();
    done.cached(&sdist.wheel());
    assert!(
        done.stderr
            .contains("fumehood.toml:1: `policy` is not heard"),
        "{done}"
    );
    assert!(done.stderr.contains("/opt"), "{done}");
    // A narrower one does.
    policy("pure", "[limits]\nwall_seconds = 60\n");
    world.build(&sdist).finish().built(&sdist.wheel());
}

#[test]
fn nothing_inside_a_source_tree_is_configuration_unless_one_goes_there() {
    let world = world();
    let bad = "[tool.fumehood]\nno-such-key = 1\n";
    let sdist = Sdist::hello("hello", "1.0");
    let backend = sdist
        .files()
        .find(|(name, _)| *name == "pyproject.toml")
        .map(|(_, text)| String::from_utf8_lossy(text).into_owned())
        .expect("the fixture has one");
    let sdist = sdist
        .file("fumehood.toml", "no-such-key = 1\n")
        .file("pyproject.toml", format!("{backend}\n{bad}"));
    let tree = world.lay("tree", &sdist);
    for spec in [tree.clone(), world.archive(&sdist)] {
        let done = world.wheel(&spec).finish();
        assert_eq!(done.wheel().filename, sdist.wheel(), "{done}");
        assert!(!done.stderr.contains("no-such-key"), "{done}");
    }
    let inside = || world.wheel(&tree).directory(&tree);
    let done = inside().finish();
    done.says(Code::Configuration);
    assert!(done.stderr.contains("fumehood.toml, line 1"), "{done}");
    std::fs::remove_file(tree.join("fumehood.toml")).expect("an own file");
    let done = inside().finish();
    done.says(Code::Configuration);
    assert!(done.stderr.contains("pyproject.toml, line"), "{done}");
    let done = inside().args(["--no-config"]).finish();
    assert_eq!(done.wheel().filename, sdist.wheel(), "{done}");
}

#[test]
fn variables_that_lead_to_a_file_do_not_make_it_the_users() {
    let text = "memory = '64G'\nallow-env = ['SECRET']\nworker = '/bin/true'\npolicy = 'native'\n";
    for (variable, place) in [
        ("XDG_CONFIG_HOME", "work/planted/fumehood/fumehood.toml"),
        ("HOME", "work/planted/.config/fumehood/fumehood.toml"),
    ] {
        let (world, marker) = (world(), secret());
        world.file(place, text);
        let sdist = telling(&["SECRET"]);
        let done = run(&world, &sdist, &marker)
            .env(variable, world.folder("work/planted"))
            .finish();
        for key in keys(text) {
            assert!(
                done.stderr.contains(&format!("`{key}` is not heard")),
                "{key}: {done}"
            );
        }
        is_as_without(&done, &world, &sdist, &marker);
    }
}

#[test]
fn the_users_own_file_widens() {
    for setting in Setting::all(site()) {
        the_users_own_file_widens_in(&World::new(site(), setting));
    }
}

fn the_users_own_file_widens_in(world: &World<'_>) {
    let marker = secret();
    world.file(
        "home/.config/fumehood/fumehood.toml",
        "allow-env = ['SECRET']\n",
    );
    let sdist = telling(&["SECRET"]);
    let user = || run(world, &sdist, &marker).on_system("");
    let done = user().finish();
    assert_ne!(done.code, Some(71), "the mounts could not be made: {done}");
    done.built(&sdist.wheel());
    // The build sees it; its value is hidden in what is shown.
    assert!(done.stderr.contains("sees SECRET [hidden]"), "{done}");
    // A file that others can write is not the user's alone.
    for (name, mode) in [("fumehood.toml", 0o666), ("", 0o777)] {
        let path = world.home().join(".config/fumehood").join(name);
        let before = std::fs::metadata(&path).expect("it is there").permissions();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("an own file");
        user().finish().says(Code::Configuration);
        std::fs::set_permissions(&path, before).expect("an own file");
    }
}

#[test]
fn no_variable_widens_or_names_a_file_or_a_worker() {
    let (world, marker) = (world(), secret());
    let file = world.file("wide.toml", WIDE);
    let sdist = telling(&["SECRET"]);
    let variables = [
        ("FUMEHOOD_POLICY", "native"),
        ("FUMEHOOD_ALLOW_ENV", "SECRET"),
        ("FUMEHOOD_ALLOW_READ", "/"),
        ("FUMEHOOD_ALLOW_WRITE", "/"),
        ("FUMEHOOD_ALLOW_EXEC", "/"),
        ("FUMEHOOD_MIN_ISOLATION", "none"),
        ("FUMEHOOD_ALLOW_URL_BUILD_REQUIRES", "1"),
        ("FUMEHOOD_NO_CONFIG", "1"),
        ("FUMEHOOD_WORKER", "/bin/true"),
        ("FUMEHOOD_CONFIG_FILE", file.to_str().expect("a plain path")),
    ];
    let done = variables
        .iter()
        .fold(run(&world, &sdist, &marker), |run, (name, value)| {
            run.env(name, value)
        })
        .finish();
    for (name, _) in variables {
        assert!(
            done.stderr.contains(&format!("{name} is not read")),
            "{name}: {done}"
        );
    }
    is_as_without(&done, &world, &sdist, &marker);
    for (name, value) in [
        ("FUMEHOOD_MEMORY", "64G"),
        ("FUMEHOOD_TIMEOUT", "9h"),
        ("FUMEHOOD_IDLE_TIMEOUT", "9h"),
        ("FUMEHOOD_DISK", "999G"),
        ("FUMEHOOD_PROCESSES", "99999"),
        ("FUMEHOOD_LOG_LIMIT", "999G"),
    ] {
        let done = run(&world, &sdist, &marker).env(name, value).finish();
        done.exits_with(Code::BadFlag);
        assert!(done.stderr.contains(name), "{done}");
    }
}

#[test]
fn a_project_names_no_file_outside_of_its_folder_and_errors_show_none() {
    let (world, marker) = (world(), secret());
    let outside = world.file("secrets/netrc", format!("{marker} = 1\n"));
    let sdist = Sdist::hello("hello", "1.0");
    let link = world.folder("work").join("link.txt");
    symlink(&outside, &link).expect("a link can be made");
    for text in [
        format!("build-constraint = [{outside:?}]\n"),
        format!("policy = {outside:?}\nbuild-constraint = ['../secrets/netrc', 'link.txt']\n"),
    ] {
        world.file("work/fumehood.toml", text);
        let done = world.build(&sdist).finish();
        assert_eq!(done.wheel().filename, sdist.wheel(), "{done}");
        assert!(done.stderr.contains("is not heard"), "{done}");
        assert_eq!(done.tells(&marker), None, "{done}");
    }
    // The file itself may be such a link.
    let file = world.folder("work").join("fumehood.toml");
    std::fs::remove_file(&file).expect("an own file");
    symlink(&outside, &file).expect("a link can be made");
    let done = world.build(&sdist).finish();
    assert_eq!(done.wheel().filename, sdist.wheel(), "{done}");
    assert!(done.stderr.contains("leads out of its folder"), "{done}");
    assert_eq!(done.tells(&marker), None, "{done}");
}

#[test]
fn a_file_that_anyone_can_put_there_is_not_the_projects() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    let open = world.folder("open");
    let below = world.folder("open/below");
    world.file("open/fumehood.toml", "no-such-key = 1\n");
    world
        .build(&sdist)
        .directory(&below)
        .finish()
        .says(Code::Configuration);
    std::fs::set_permissions(&open, Permissions::from_mode(0o1777)).expect("an own folder");
    let done = world.build(&sdist).directory(&below).finish();
    assert_eq!(done.wheel().filename, sdist.wheel(), "{done}");
    assert!(
        done.stderr.contains("everybody can write its folder"),
        "{done}"
    );
}

#[test]
fn a_policy_file_is_checked_without_a_build() {
    let world = world();
    let good = "name = 'mine'\nsummary = 'x'\nextends = 'pure'\n";
    world.file("work/mine.toml", good);
    let done = world.run(["policy", "check", "mine.toml"]).finish();
    done.succeeds();
    assert!(
        done.stdout.contains("allows nothing that `pure` does not"),
        "{done}"
    );
    world.file("work/mine.toml", format!("{good}\n[limits]\nmemory = 1\n"));
    let done = world.run(["policy", "check", "mine.toml"]).finish();
    done.says(Code::BadPolicy);
    assert!(done.stderr.contains("line 6"), "{done}");
    // A broken configuration file is no matter of commands without settings.
    world.file("work/fumehood.toml", "no-such-key = 1\n");
    world.run(["policy", "list"]).finish().succeeds();
    world
        .run(["cache", "dir"])
        .finish()
        .says(Code::Configuration);
}
