//! Whole sets: one version of everything that is needed, and no wheel built that is not.

use std::time::Duration;

use model::Code;
use serde_json::Value;
use tests::{Index, Offer, Outcome, Run, Sdist, Wheel, World, search};

use crate::world;

/// Makes what is asked for with all it needs; wheels of the index count.
pub(crate) fn whole<'w>(world: &'w World<'static>, specs: &[&str]) -> Run<'w, 'static> {
    world.run(["wheel"]).args(specs).places().report()
}

/// Tells what would be made.
fn planned(world: &World<'static>, words: &[&str]) -> Value {
    let outcome = whole(world, words).args(["--dry-run"]).finish();
    outcome.succeeds();
    serde_json::from_str(&outcome.stdout).expect("a plan is JSON")
}

/// Returns `NAME VERSION ORIGIN` of each wheel, and sees that each was delivered.
#[track_caller]
pub(crate) fn made(outcome: &Outcome<'_, '_>) -> Vec<String> {
    let report = outcome.report();
    for wheel in &report.wheels {
        outcome.holds(wheel);
    }
    let wheels = report.wheels.iter();
    wheels
        .map(|wheel| format!("{} {} {}", wheel.name, wheel.version, wheel.origin))
        .collect()
}

/// Returns `NAME VERSION WHAT` of each project of a plan.
pub(crate) fn pins(plan: &Value) -> Vec<String> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let planned = plan["planned"].as_array().expect("a plan has projects");
    planned
        .iter()
        .map(|one| ["name", "version", "would_be"].map(|key| text(one, key)))
        .map(|words| words.join(" "))
        .collect()
}

/// A project that says nothing of its requirements before it is built.
pub(crate) fn secretive(name: &str, version: &str, requires: &[&str]) -> Sdist {
    let headers: String = requires
        .iter()
        .map(|one| format!("Requires-Dist: {one}\\n"))
        .collect();
    Sdist::hello(name, version).prologue(&format!(
        "import wheel_file\nbare = wheel_file.metadata\nwheel_file.metadata = lambda name, version: bare(name, version) + b\"{headers}\""
    ))
}

/// A project whose pyproject.toml says all of its requirements.
pub(crate) fn open(name: &str, version: &str, requires: &[&str]) -> Sdist {
    let sdist = secretive(name, version, requires);
    let list = serde_json::to_string(requires).expect("strings are JSON");
    let build =
        "[build-system]\nrequires = []\nbuild-backend = \"in_tree\"\nbackend-path = [\".\"]\n";
    sdist.file(
        "pyproject.toml",
        format!(
            "{build}[project]\nname = \"{name}\"\nversion = \"{version}\"\ndependencies = {list}\n"
        ),
    )
}

/// Every member of each entry is described in a schema, and all that it promises is there.
#[track_caller]
fn is_described(answer: &Value, schema: &str, entries: &str) {
    let schema: Value = serde_json::from_str(schema).expect("a schema is JSON");
    let rule = &schema["$defs"][entries];
    let promised = rule["required"].as_array().expect("a schema promises");
    for entry in answer[entries].as_array().expect("the answer has entries") {
        let entry = entry.as_object().expect("an entry is an object");
        for name in entry.keys() {
            assert!(rule["properties"].get(name).is_some(), "{name}");
        }
        for name in promised {
            let name = name.as_str().expect("a name is text");
            assert!(entry.contains_key(name), "{name}");
        }
    }
}

/// Counts the times that code of a source ran: each has a log.
pub(crate) fn builds(world: &World<'_>) -> usize {
    let logs = search::files(&world.cache().join("logs-v1"));
    logs.iter().filter(|path| path.ends_with("log")).count()
}

#[test]
fn what_is_needed_is_made_too_and_told_in_order() {
    let world = world();
    world.index.sdist(&secretive(
        "app",
        "1.0",
        &["lib>=1", "deep", "never; python_version < '3'"],
    ));
    world.index.sdist(&Sdist::hello("deep", "2.0"));
    world.index.wheel(&Wheel::new("lib", "1.5"));
    let outcome = whole(&world, &["app"]).finish();
    assert_eq!(
        made(outcome.succeeds()),
        ["app 1.0 built", "deep 2.0 built", "lib 1.5 downloaded"]
    );
    assert_eq!(builds(&world), 2, "{outcome}");
    let outcome = whole(&world, &["deep", "app"]).finish();
    assert_eq!(
        made(outcome.succeeds()),
        ["deep 2.0 cached", "app 1.0 cached", "lib 1.5 downloaded"]
    );
    let outcome = whole(&world, &["app", "--no-deps"]).out("alone").finish();
    assert_eq!(made(outcome.succeeds()), ["app 1.0 cached"]);
}

#[test]
fn extras_also_of_oneself_and_markers_decide_what_is_needed() {
    let world = world();
    world.index.wheel(
        &Wheel::new("app", "1.0")
            .header("Provides-Extra: all")
            .header("Provides-Extra: web")
            .header("Provides-Extra: old")
            .header("Requires-Dist: app[web]; extra == 'all'")
            .header("Requires-Dist: web>=1; extra == 'web'")
            .header("Requires-Dist: legacy; extra == 'old' and python_version >= '3'"),
    );
    for name in ["web", "legacy"] {
        world.index.wheel(&Wheel::new(name, "1.0"));
    }
    let pins = |spec: &str| pins(&planned(&world, &[spec]));
    assert_eq!(pins("app"), ["app 1.0 wheel"]);
    assert_eq!(pins("app[all]"), ["app 1.0 wheel", "web 1.0 wheel"]);
    assert_eq!(pins("app[old]"), ["app 1.0 wheel", "legacy 1.0 wheel"]);
    assert_eq!(pins("app[web]; python_version < '3'"), [""; 0]);
    let outcome = whole(&world, &["app[nothing]"]).finish();
    outcome.succeeds();
    assert!(
        outcome
            .stderr
            .contains("app 1.0 does not have the extra `nothing`"),
        "{outcome}"
    );
}

#[test]
fn a_conflict_names_both_requirements_and_where_they_are_from() {
    let world = world();
    for version in ["1.0", "2.0"] {
        world.index.wheel(&Wheel::new("base", version));
    }
    world
        .index
        .wheel(&Wheel::new("app", "1.0").header("Requires-Dist: base>=2"));
    let outcome = whole(&world, &["app", "base<2"]).finish();
    let _ = outcome.fails_with(Code::Unresolvable);
    for words in [
        "`app` is asked for",
        "`base<2` is asked for",
        "app 1.0 requires `base>=2`",
    ] {
        assert!(outcome.stderr.contains(words), "{words}: {outcome}");
    }
}

#[test]
fn no_wheel_is_built_that_is_not_needed() {
    let world = world();
    // Of what says its requirements, nothing is built to learn them.
    world.index.sdist(&open("told", "2.0", &["base>=2"]));
    world.index.sdist(&open("told", "1.0", &["base"]));
    // What says nothing is decided last, when what others want of it is known.
    world.index.sdist(&secretive("silent", "2.0", &[]));
    world.index.sdist(&secretive("silent", "1.0", &[]));
    world
        .index
        .wheel(&Wheel::new("app", "1.0").header("Requires-Dist: silent<2"));
    for version in ["1.0", "2.0"] {
        world.index.wheel(&Wheel::new("base", version));
    }
    let plan = planned(&world, &["silent", "told", "app", "base<2"]);
    assert_eq!(
        pins(&plan),
        [
            "silent 1.0 cached",
            "told 1.0 source",
            "app 1.0 wheel",
            "base 1.0 wheel"
        ]
    );
    assert_eq!(builds(&world), 1, "only `silent 1.0` had to be asked");
    assert_eq!(plan["planned"][1]["policy"], "strict");
    is_described(
        &plan,
        include_str!("../../docs/schema/plan.schema.json"),
        "planned",
    );
    assert_eq!(world.delivered(), [""; 0]);
    let outcome = whole(&world, &["silent", "told", "app", "base<2"]).finish();
    assert_eq!(
        made(outcome.succeeds()),
        [
            "silent 1.0 cached",
            "told 1.0 built",
            "app 1.0 downloaded",
            "base 1.0 downloaded"
        ]
    );
    assert_eq!(builds(&world), 2);
}

#[test]
fn the_first_index_that_knows_a_project_serves_it_also_for_dependencies() {
    let world = world();
    let first = Index::start();
    first.wheel(&Wheel::new("base", "1.0"));
    world.index.wheel(&Wheel::new("base", "9.0"));
    world
        .index
        .wheel(&Wheel::new("app", "1.0").header("Requires-Dist: base"));
    let name = format!("corp={}", first.url());
    let plan = planned(&world, &["app", "--index", &name]);
    assert_eq!(pins(&plan), ["app 1.0 wheel", "base 1.0 wheel"]);
    assert_eq!(world.index.requests("/simple/base/"), 0);
    world
        .index
        .wheel(&Wheel::new("app", "2.0").header("Requires-Dist: base>=9"));
    let plan = planned(&world, &["app", "--index", &name]);
    assert_eq!(
        pins(&plan),
        ["app 1.0 wheel", "base 1.0 wheel"],
        "what the first index does not have is not looked for elsewhere"
    );
}

#[test]
fn a_dependency_that_fails_does_not_keep_the_others_from_being_made() {
    let world = world();
    world.index.wheel(
        &Wheel::new("app", "1.0")
            .header("Requires-Dist: broken")
            .header("Requires-Dist: sound")
            .header("Requires-Dist: base"),
    );
    world
        .index
        .sdist(&Sdist::hello("broken", "1.0").prologue("raise SystemExit(3)"));
    world.index.sdist(&Sdist::hello("sound", "1.0"));
    world.index.wheel(&Wheel::new("base", "1.0"));
    let outcome = whole(&world, &["app", "nosuch"]).finish();
    assert_eq!(
        made(&outcome),
        [
            "app 1.0 downloaded",
            "base 1.0 downloaded",
            "sound 1.0 built"
        ]
    );
    let failures = outcome.report().failures;
    let told: Vec<_> = failures
        .iter()
        .map(|one| (one.spec.as_deref().unwrap_or_default(), one.code.as_str()))
        .collect();
    assert_eq!(told.len(), 2, "{outcome}");
    assert_eq!(told[0], ("nosuch", Code::UnknownProject.text()));
    assert_eq!(told[1].0, "broken 1.0");
    outcome.exits_with(Code::UnknownProject);
}

#[test]
fn constraints_pre_releases_and_yanked_versions_count_as_people_know_them() {
    let world = world();
    for version in ["1.0", "2.0", "3.0rc1"] {
        world.index.wheel(&Wheel::new("base", version));
    }
    let yanked = Wheel::new("base", "1.5");
    let offer = Offer::new("base", &yanked.filename(), yanked.pack());
    world
        .index
        .offer(offer.metadata(yanked.metadata()).yanked("bad"));
    world.index.wheel(&Wheel::new("early", "1.0b1"));
    world
        .index
        .wheel(&Wheel::new("app", "1.0").header("Requires-Dist: base"));
    let file = world.file("work/c.txt", "# narrows\nbase<2\nunasked==7\n");
    let file = file.to_str().expect("a path of ours is text");
    let pins = |words: &[&str]| pins(&planned(&world, words));
    assert_eq!(pins(&["app"]), ["app 1.0 wheel", "base 2.0 wheel"]);
    assert_eq!(
        pins(&["app", "--pre"]),
        ["app 1.0 wheel", "base 3.0rc1 wheel"]
    );
    assert_eq!(pins(&["base>=3.0rc1"]), ["base 3.0rc1 wheel"]);
    assert_eq!(pins(&["early"]), ["early 1.0b1 wheel"]);
    assert_eq!(
        pins(&["app", "-c", file]),
        ["app 1.0 wheel", "base 1.0 wheel"]
    );
    assert_eq!(
        pins(&["app", "base==1.5"]),
        ["app 1.0 wheel", "base 1.5 wheel"]
    );
    let impossible = world.file("work/impossible.txt", "base<2\n");
    let outcome = whole(&world, &["base>=2"])
        .args(["-c".as_ref(), impossible.as_os_str()])
        .finish();
    let _ = outcome.fails_with(Code::NoVersion);
    assert!(
        outcome
            .stderr
            .contains("the constraint `base<2` excludes it"),
        "{outcome}"
    );
}

#[test]
fn a_package_names_no_url_unless_the_caller_names_the_same() {
    let world = world();
    let tool = Sdist::hello("tool", "1.0");
    world
        .index
        .offer(Offer::new("x", "master.tar.gz", tool.tar_gz()));
    let by_url = format!("tool @ {}", world.index.file_url("master.tar.gz"));
    world
        .index
        .wheel(&Wheel::new("app", "1.0").header(&format!("Requires-Dist: {by_url}")));
    let outcome = whole(&world, &["app"]).finish();
    let _ = outcome.fails_with(Code::NoVersion);
    assert!(
        outcome.stderr.contains("packages may not name URLs"),
        "{outcome}"
    );
    assert_eq!(world.index.requests("/files/master.tar.gz"), 0);
    let outcome = whole(&world, &["app", &by_url]).finish();
    assert_eq!(
        made(outcome.succeeds()),
        ["app 1.0 downloaded", "tool 1.0 built"]
    );
}

#[test]
fn urls_archives_and_folders_settle_a_project_and_have_extras() {
    let world = world();
    let app = open("app", "1.0", &["lib"]);
    let pyproject = String::from_utf8(
        app.files()
            .find(|(name, _)| *name == "pyproject.toml")
            .map(|(_, content)| content.to_vec())
            .expect("the project has one"),
    )
    .expect("it is text");
    let more = format!("{pyproject}[project.optional-dependencies]\nmore = [\"further\"]\n");
    let app = app.file("pyproject.toml", more).prologue(
        "wheel_file.metadata = (lambda under: lambda name, version: under(name, version) + b\"Provides-Extra: more\\nRequires-Dist: further; extra == 'more'\\n\")(wheel_file.metadata)",
    );
    world.lay("work/tree", &app);
    world
        .index
        .offer(Offer::new("x", "main.tar.gz", app.tar_gz()));
    for name in ["lib", "further"] {
        world.index.wheel(&Wheel::new(name, "1.0"));
    }
    // Another app, which the index has and nobody takes.
    world.index.wheel(&Wheel::new("app", "9.0"));
    let url = format!("app[more] @ {}", world.index.file_url("main.tar.gz"));
    for spec in ["./tree[more]", &url] {
        assert_eq!(
            pins(&planned(&world, &[spec])),
            ["app 1.0 source", "further 1.0 wheel", "lib 1.0 wheel"],
            "{spec}"
        );
    }
    let none = pins(&planned(&world, &[&format!("{url} ; os_name == 'nt'")]));
    assert_eq!(none, [""; 0]);
    let outcome = whole(&world, &["./tree", &url]).finish();
    let _ = outcome.fails_with(Code::Unresolvable);
    assert!(outcome.stderr.contains("is asked for"), "{outcome}");
}

#[test]
fn after_a_fetch_everything_is_made_without_a_request() {
    let world = world();
    // One of each kind: a wheel, an open source, a secretive one, what hooks ask for, and what that needs.
    world
        .index
        .wheel(&Wheel::new("lib", "1.5").header("Requires-Dist: deep"));
    let asking = "def get_requires_for_build_wheel(config_settings=None):\n    return ['late>=1']";
    world
        .index
        .sdist(&open("app", "1.0", &["lib>=1", "silent"]).hooks(asking));
    world.index.sdist(&secretive("silent", "1.0", &[]));
    world
        .index
        .sdist(&Sdist::hello("deep", "1.0").requires(&["tool"]));
    world.index.sdist(&Sdist::hello("tool", "1.0"));
    world.index.wheel(&Wheel::new("late", "2.0"));
    let fetch = |words: &[&str]| {
        world
            .run(["fetch", "app"])
            .args(words)
            .places()
            .report()
            .finish()
    };
    let outcome = fetch(&[]);
    outcome.succeeds();
    assert_eq!(world.delivered(), [""; 0], "nothing is made");
    let told: Value = serde_json::from_str(&outcome.stdout).expect("the answer is JSON");
    is_described(
        &told,
        include_str!("../../docs/schema/fetch.schema.json"),
        "fetched",
    );
    let asked = &told["fetched"][0];
    assert_eq!(
        (&asked["name"], &asked["kind"]),
        (&"app".into(), &"source".into()),
        "{outcome}"
    );
    assert_eq!(asked["asked_by_hook"], serde_json::json!(["late>=1"]));
    assert_eq!(asked["build_requires"], serde_json::json!({"late": "2.0"}));
    let before = world.index.all_requests().len();
    let outcome = whole(&world, &["app"]).args(["--offline"]).finish();
    assert_eq!(
        made(outcome.succeeds()),
        [
            "app 1.0 built",
            "deep 1.0 cached",
            "lib 1.5 downloaded",
            "silent 1.0 cached"
        ]
    );
    assert_eq!(
        world.index.all_requests().len(),
        before,
        "no request was made"
    );
    fetch(&["--offline"]).succeeds();
    let outcome = fetch(&["--no-cache"]);
    outcome.exits_with(Code::BadFlag);
}

#[test]
fn after_a_fetch_of_a_file_or_a_lock_everything_is_made_without_a_request() {
    let world = world();
    let (app, lib) = (open("app", "1.0", &["lib"]), Wheel::new("lib", "1.5"));
    let tool = open("tool", "1.0", &[]);
    // It says what it requires, and is built with something that has to be built.
    let app = app.file(
        "pyproject.toml",
        "[build-system]\nrequires = [\"tool\"]\nbuild-backend = \"in_tree\"\nbackend-path = [\".\"]\n[project]\nname = \"app\"\nversion = \"1.0\"\ndependencies = [\"lib\"]\n",
    );
    world.index.sdist(&app);
    world.index.wheel(&lib).wheel(&Wheel::new("lib", "2.0"));
    world.index.sdist(&tool);
    world.file("work/c.txt", "lib<2\n");
    world.file(
        "work/r.txt",
        "-c c.txt\napp\nnever ; python_version < '3'\n",
    );
    world.file(
        "work/pylock.toml",
        format!(
            "lock-version = '1.0'\ncreated-by = 'a test'\n[[packages]]\nname = 'lib'\nversion = '1.5'\nwheels = [{{ url = '{}', hashes = {{ sha256 = '{}' }} }}]\n[[packages]]\nname = 'tool'\nversion = '1.0'\nsdist = {{ url = '{}', hashes = {{ sha256 = '{}' }} }}\n",
            world.index.file_url(&lib.filename()),
            search::sha256(&lib.pack()),
            world.index.file_url(&tool.filename("tar.gz")),
            search::sha256(&tool.tar_gz()),
        ),
    );
    let fetched = |words: &[&str]| -> Vec<String> {
        let outcome = world.run(["fetch"]).args(words).places().report().finish();
        outcome.succeeds();
        let told: Value = serde_json::from_str(&outcome.stdout).expect("the answer is JSON");
        let fetched = told["fetched"].as_array().expect("a list").iter();
        fetched
            .map(|one| {
                format!(
                    "{} {}",
                    one["name"].as_str().unwrap(),
                    one["kind"].as_str().unwrap()
                )
            })
            .collect()
    };
    for (file, brought, wheels) in [
        (
            "pylock.toml",
            ["lib wheel", "tool source"],
            ["lib 1.5 downloaded", "tool 1.0 built"],
        ),
        (
            "r.txt",
            ["app source", "lib wheel"],
            ["app 1.0 built", "lib 1.5 downloaded"],
        ),
    ] {
        assert_eq!(fetched(&["-r", file]), brought);
        assert_eq!(world.delivered().len(), 0, "nothing is made");
        let before = world.index.all_requests().len();
        let outcome = whole(&world, &["-r", file, "--offline"])
            .out(&format!("out-{file}"))
            .finish();
        assert_eq!(made(outcome.succeeds()), wheels);
        assert_eq!(world.index.all_requests().len(), before, "{outcome}");
    }
}

#[test]
fn what_a_hook_asks_for_and_nobody_has_is_named_by_fetch() {
    let world = world();
    let asking =
        "def get_requires_for_build_wheel(config_settings=None):\n    return ['nowhere>=7']";
    world
        .index
        .sdist(&open("app", "1.0", &["lib"]).hooks(asking));
    world.index.wheel(&Wheel::new("lib", "1.0"));
    let outcome = world.run(["fetch", "app"]).places().report().finish();
    outcome.exits_with(Code::UnknownProject);
    let told: Value = serde_json::from_str(&outcome.stdout).expect("the answer is JSON");
    assert_eq!(told["fetched"][0]["name"], "lib", "{outcome}");
    assert!(outcome.stderr.contains("nowhere"), "{outcome}");
}

#[test]
fn one_build_at_a_time_is_enough_for_builds_inside_builds() {
    let world = world();
    let asking = |name: &str| {
        format!("def get_requires_for_build_wheel(config_settings=None):\n    return ['{name}']")
    };
    world
        .index
        .sdist(&Sdist::hello("outer", "1.0").hooks(&asking("middle")));
    world
        .index
        .sdist(&Sdist::hello("middle", "1.0").hooks(&asking("inner")));
    world.index.sdist(&Sdist::hello("inner", "1.0"));
    let outcome = whole(&world, &["outer", "middle", "inner", "-j", "1"]).finish();
    assert_eq!(
        made(outcome.succeeds()),
        ["outer 1.0 built", "middle 1.0 built", "inner 1.0 built"]
    );
}

#[test]
fn two_that_ask_for_each_other_wait_for_nobody_and_the_cycle_is_named() {
    let world = world();
    let asking = |name: &str, other: &str| {
        let hook = format!(
            "def get_requires_for_build_wheel(config_settings=None):\n    return ['{other}']"
        );
        open(name, "1.0", &[]).hooks(&hook)
    };
    // Two; two with one between them that both need; three.
    for (pair, middle) in [
        ("two", None),
        ("via", Some("middle")),
        ("odd", Some("third")),
    ] {
        let name = |which: &str| format!("{pair}-{which}");
        let [one, other] = ["one", "other"].map(name);
        let between = middle.map_or_else(|| other.clone(), &name);
        let back = if pair == "via" { &between } else { &one };
        world.index.sdist(&asking(&one, &between));
        world.index.sdist(&asking(&other, back));
        if let Some(middle) = middle {
            world.index.sdist(&asking(&name(middle), &other));
        }
        for course in [&["--no-deps"][..], &[]] {
            let outcome = whole(&world, &[&one, &other])
                .args(course)
                .limit(Duration::from_secs(120))
                .finish();
            let failures = outcome.report().failures;
            assert_eq!(failures.len(), 2, "{outcome}");
            for failure in failures {
                assert_eq!(failure.code, Code::BuildCycle.text(), "{outcome}");
            }
            let told = outcome.stderr.lines();
            let chains: Vec<_> = told
                .filter_map(|line| line.split("building it needs itself: ").nth(1))
                .collect();
            assert_eq!(chains.len(), 2, "{outcome}");
            for chain in chains {
                let links: Vec<_> = chain.split(" needs ").collect();
                let project = |link: &str| link.split(' ').next().map(str::to_owned);
                let last = links.last().copied().and_then(project);
                let before = &links[..links.len() - 1];
                let closes = before.iter().any(|link| project(link) == last);
                assert!(closes && links.len() > 2, "{chain}: {outcome}");
            }
        }
    }
}
