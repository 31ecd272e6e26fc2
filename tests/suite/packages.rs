//! Settings of one package: its hooks and its builds get them, no others do, and they make another wheel.

use serde_json::{Value, json};
use tests::{Sdist, World, search};

use crate::world;

/// A project whose wheel tells what its hooks were given.
fn telling(name: &str) -> Sdist {
    Sdist::hello(name, "1.0").hooks(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
             told = {'settings': config_settings, 'variable': os.environ.get('DECLARED')}\n    \
             return wheel_file.write(wheel_directory, *project(), files={'told.json': json.dumps(told).encode()})",
    )
}

fn told(world: &World<'_>, sdist: &Sdist) -> Value {
    let text = search::member(&world.out().join(sdist.wheel()), "told.json");
    serde_json::from_slice(&text).expect("the backend writes JSON")
}

#[test]
fn settings_of_a_package_reach_its_hooks_alone_and_win() {
    let world = world();
    let (one, two) = (telling("one"), telling("two"));
    world.index.sdist(&one);
    world.index.sdist(&two);
    let specs = ["one==1.0", "two==1.0"];
    let flags = ["-C", "a=1", "-C", "b=2"];
    world.wheels(specs).args(flags).finish().succeeds();
    let own = ["--config-settings-package", "One:a=3"];
    let done = world.wheels(specs).args(flags).args(own).finish();
    done.succeeds();
    assert_eq!(told(&world, &one)["settings"], json!({"a": "3", "b": "2"}));
    assert_eq!(told(&world, &two)["settings"], json!({"a": "1", "b": "2"}));
    let origins: Vec<_> = done
        .report()
        .wheels
        .into_iter()
        .map(|wheel| wheel.origin)
        .collect();
    assert_eq!(origins, ["built", "cached"], "{done}");
    // Also where the name is known from the archive or its table alone.
    let table = "[build-system]\nrequires = []\nbuild-backend = 'in_tree'\nbackend-path = ['.']\n\
                 [project]\nname = 'one'\ndynamic = ['version']\n";
    let place = world.lay("one", &one.clone().file("pyproject.toml", table));
    world
        .wheel(&place)
        .args(flags)
        .args(own)
        .finish()
        .succeeds();
    assert_eq!(told(&world, &one)["settings"], json!({"a": "3", "b": "2"}));
    world
        .wheel(&place)
        .args(flags)
        .args(own)
        .finish()
        .cached(&one.wheel());
    let archive = world.archive(&one);
    world
        .wheel(&archive)
        .args(flags)
        .args(own)
        .finish()
        .succeeds();
    assert_eq!(told(&world, &one)["settings"], json!({"a": "3", "b": "2"}));
}

#[test]
fn a_variable_of_a_package_reaches_its_builds_alone_and_appears_nowhere() {
    let world = world();
    let (one, two) = (telling("one"), telling("two"));
    world.index.sdist(&one);
    world.index.sdist(&two);
    let specs = ["one==1.0", "two==1.0"];
    for value in ["first", "second"] {
        let done = world
            .wheels(specs)
            .args(["--allow-env", "one:DECLARED"])
            .env("DECLARED", value)
            .finish();
        done.succeeds();
        assert_eq!(told(&world, &one)["variable"], value, "{done}");
        assert_eq!(told(&world, &two)["variable"], Value::Null, "{done}");
        let first = &done.report().wheels[0];
        assert_eq!(
            first.origin, "built",
            "another value, another wheel: {done}"
        );
        let record = first.record.as_ref().expect("a record");
        let record = std::fs::read_to_string(record).expect("it can be read");
        assert!(!record.contains(value), "{record}");
    }
    let done = world
        .wheels(specs)
        .args(["--allow-env", "one:DECLARED"])
        .env("DECLARED", "first")
        .finish();
    done.succeeds();
    let origins: Vec<_> = done
        .report()
        .wheels
        .into_iter()
        .map(|wheel| wheel.origin)
        .collect();
    assert_eq!(origins, ["cached", "cached"], "{done}");
}

#[test]
fn a_project_s_file_sets_settings_of_a_package_and_hands_it_no_variable() {
    let world = world();
    let one = telling("one");
    world.index.sdist(&one);
    world.file(
        "work/fumehood.toml",
        "allow-env = ['one:DECLARED']\n[config-settings-package]\none = ['a=1', 'b=2']\n",
    );
    let done = world
        .wheel("one==1.0")
        .env("DECLARED", "something")
        .finish();
    done.succeeds();
    let told = told(&world, &one);
    assert_eq!(told["settings"], json!({"a": "1", "b": "2"}), "{done}");
    assert_eq!(told["variable"], Value::Null, "{done}");
    assert!(done.stderr.contains("`allow-env` is not heard"), "{done}");
}
