//! Projects: dependencies, extras, dependency groups.

use super::{World, lines, texts};
use crate::Wish;

const PROJECT: &str = r#"
[project]
name = "My.Project"
version = "1"
dependencies = [
  "six>=1",
  "attrs ; python_version > '3'",
]

[project.optional-dependencies]
fast = ["cython<3"]
All = ["my-project[fast,docs]", "rich"]
docs = ["sphinx @ https://example.invalid/s.zip", "my_project[all]"]

[dependency-groups]
test = ["pytest", {include-group = "Base_Group"}]
base-group = ["coverage<8"]
loop = [{include-group = "pool"}]
pool = [{include-group = "loop"}]
odd = [{include-group = "test", else = 1}]
bad = ["foo>="]
number = [1]
"#;

fn world() -> World {
    World::default().file("p/pyproject.toml", PROJECT)
}

fn group(world: &World, name: &str) -> Result<Vec<String>, String> {
    let collected = world.collect(&[Wish::Group(name.to_owned())]);
    collected
        .map(|all| texts(&all))
        .map_err(|error| error.to_string())
}

#[test]
fn dependencies_are_those_of_the_project_with_their_lines() {
    let collected = world().requirements("p/pyproject.toml").unwrap();
    assert_eq!(
        texts(&collected),
        ["six>=1", "attrs ; python_full_version >= '3.1'"].map(|text| {
            // As the library spells it.
            text.parse::<model::Requirement>().unwrap().to_string()
        })
    );
    assert_eq!(lines(&collected)[1].place.to_string(), "p/pyproject.toml:7");
}

#[test]
fn an_extra_may_name_others_of_its_own_project_in_circles() {
    let collected = world()
        .extra(&["all"])
        .requirements("p/pyproject.toml")
        .unwrap();
    let texts = texts(&collected);
    assert_eq!(
        texts[2..],
        ["cython<3", "sphinx @ https://example.invalid/s.zip", "rich"]
    );
    let error = world()
        .extra(&["nope"])
        .requirements("p/pyproject.toml")
        .unwrap_err();
    assert!(error.to_string().contains("no extra `nope`"), "{error}");
    assert!(error.hint().unwrap().contains("fast"));
}

#[test]
fn what_only_a_build_knows_is_refused_with_its_line() {
    let text = "[project]\nname = 'x'\ndynamic = [\n 'dependencies']\n";
    let error = World::default()
        .file("pyproject.toml", text)
        .error("pyproject.toml");
    assert!(
        error.starts_with("pyproject.toml:4: `dependencies` is dynamic"),
        "{error}"
    );
    let error = World::default()
        .file("pyproject.toml", "[tool.x]\n")
        .error("pyproject.toml");
    assert!(error.contains("there is no `[project]`"), "{error}");
}

#[test]
fn sources_of_a_tool_are_not_heard_and_that_is_said() {
    let text = "[project]\nname = 'x'\n[tool.uv.sources]\nsix = { path = 'six' }\n";
    let world = World::default().file("pyproject.toml", text);
    let notes = world.requirements("pyproject.toml").unwrap().notes;
    assert!(notes[0].contains("not heard"), "{notes:?}");
}

#[test]
fn groups_include_groups_whatever_the_spelling_of_their_names() {
    let world = world();
    assert_eq!(
        group(&world, "p/pyproject.toml:Test").unwrap(),
        ["pytest", "coverage<8"]
    );
    for (name, why) in [
        (
            "loop",
            "p/pyproject.toml:19: the group includes itself: loop includes pool includes loop",
        ),
        ("odd", "p/pyproject.toml:20: an entry is a requirement or"),
        ("bad", "p/pyproject.toml:21: `foo>=` is not a requirement"),
        (
            "number",
            "p/pyproject.toml:22: an entry is a requirement or",
        ),
        ("none", "there is no dependency group `none`"),
    ] {
        let error = group(&world, &format!("p/pyproject.toml:{name}")).unwrap_err();
        assert!(error.contains(why), "{name}: {error}");
    }
    let error = group(&world, "bad").unwrap_err();
    assert!(error.contains("could not read `pyproject.toml`"), "{error}");
    let error = group(&world, "other.toml:bad").unwrap_err();
    assert!(error.contains("`other.toml` is not read"), "{error}");
}

#[test]
fn two_groups_of_one_name_are_an_error() {
    let text = "[dependency-groups]\na-b = []\nA_B = []\n";
    let world = World::default().file("pyproject.toml", text);
    let error = group(&world, "a.b").unwrap_err();
    assert!(
        error.contains("another group have the same name"),
        "{error}"
    );
}
