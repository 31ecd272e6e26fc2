//! Projects that are mapped to one index: they come from there, for run time and builds, and from nowhere else.

use model::Code;
use tests::{Index, Outcome, Run, Sdist, Wheel, World, search};

use crate::dependencies::{made, pins, whole};
use crate::world;

/// The project that the tests map, at another version on each index.
fn base(version: &str) -> Wheel {
    Wheel::new("base", version)
}

/// `NAME=URL`
fn named(name: &str, index: &Index) -> String {
    format!("{name}={}", index.url())
}

/// A world whose default index has an application and the newest `base`, and an index with an older one.
fn two_indexes() -> (World<'static>, Index) {
    let world = world();
    world
        .index
        .wheel(&Wheel::new("app", "1.0").header("Requires-Dist: base"))
        .wheel(&base("9.0"));
    let corp = Index::start();
    corp.wheel(&base("1.0"));
    (world, corp)
}

/// The projects whose pages an index was asked for, each once, and sorted.
fn asked(index: &Index) -> Vec<String> {
    let requests = index.all_requests().into_iter();
    let mut projects: Vec<_> = requests
        .filter_map(|request| Some(request.path.strip_prefix("/simple/")?.to_owned()))
        .collect();
    projects.sort();
    projects.dedup();
    projects
}

#[track_caller]
fn refused(run: Run<'_, '_>, code: Code, said: &[&str]) {
    let done = run.finish_anyhow();
    done.says(code);
    for text in said {
        assert!(done.stderr.contains(text), "`{text}` is not said: {done}");
    }
}

/// A source whose wheel tells the version of `base` that it was built with.
fn telling(name: &str) -> Sdist {
    Sdist::hello(name, "1.0").requires(&["base"]).hooks(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
         import base\n    \
         return wheel_file.write(wheel_directory, *project(), files={'told.txt': base.version.encode()})",
    )
}

#[track_caller]
fn built_with(world: &World<'_>, done: &Outcome<'_, '_>, origin: &str, version: &str) {
    assert_eq!(done.wheel().origin, origin, "{done}");
    assert_eq!(told(world, &done.wheel().filename), version, "{done}");
}

/// The version of `base` that a wheel was built with.
fn told(world: &World<'_>, wheel: &str) -> String {
    let text = search::member(&world.out().join(wheel), "told.txt");
    String::from_utf8(text).expect("it is text")
}

#[test]
fn a_mapped_project_comes_from_its_index_although_the_first_has_a_newer_one() {
    for flag in ["--index", "--explicit-index"] {
        let (world, corp) = two_indexes();
        let first = Index::start();
        first.wheel(&base("5.0"));
        let loose = base("7.0");
        world.file(format!("work/loose/{}", loose.filename()), loose.pack());
        let run = |words: &[&str]| {
            let run = whole(&world, &["app", "--find-links", "loose"]).args(words);
            made(run.finish().succeeds())
        };
        let (first_named, corp_named) = (named("first", &first), named("corp", &corp));
        let indexes = ["--index", &first_named, flag, &corp_named];
        assert_eq!(run(&indexes), ["app 1.0 downloaded", "base 7.0 downloaded"]);
        assert_eq!(first.requests("/simple/base/"), 1);
        let mapped = run(&[&indexes[..], &["--index-package", "Base:corp", "--refresh"]].concat());
        assert_eq!(mapped, ["app 1.0 downloaded", "base 1.0 downloaded"]);
        let others = [&first, &world.index].map(|index| index.requests("/simple/base/"));
        assert_eq!(others, [1, 0], "{flag}");
    }
}

#[test]
fn what_the_index_of_a_mapped_project_lacks_is_looked_for_nowhere_else() {
    let (world, corp) = two_indexes();
    world
        .index
        .wheel(&Wheel::new("other", "1.0").header("Requires-Dist: base>=9"))
        .wheel(&Wheel::new("gone", "3.0"));
    let loose = Wheel::new("gone", "4.0");
    world.file(format!("work/loose/{}", loose.filename()), loose.pack());
    let url = named("corp", &corp);
    let run = |words: &[&str]| {
        let maps = [
            "--index-package",
            "base:corp",
            "--index-package",
            "gone:corp",
        ];
        let links = ["--find-links", "loose", "--explicit-index", &url];
        whole(&world, words).args(maps).args(links)
    };
    let alone = "looked for there alone (`--index-package`)";
    for words in [&["gone"][..], &["gone", "--no-deps"]] {
        let unknown = "the index `corp` does not know the project `gone`";
        refused(run(words), Code::UnknownProject, &[unknown, alone]);
    }
    let there = "it is looked for on the index `corp` alone";
    let words = ["base>=9", "--no-deps"];
    refused(run(&words), Code::NoVersion, &["there is: 1.0", there]);
    let place = "base is looked for on the index `corp` alone (`--index-package`)";
    refused(run(&["base>=9"]), Code::NoVersion, &["1.0", "`corp`"]);
    let requires = "other 1.0 requires `base>=9`";
    refused(
        run(&["other"]),
        Code::Unresolvable,
        &[requires, "of base there is 1.0", place],
    );
    world
        .index
        .wheel(&Wheel::new("last", "1.0").header("Requires-Dist: gone"));
    refused(
        run(&["last"]),
        Code::Unresolvable,
        &["last 1.0 requires `gone`", alone],
    );
    refused(
        run(&["gone", "--no-index"]),
        Code::UnknownProject,
        &["the index `corp` alone", "--no-index asks none"],
    );
    assert_eq!(world.index.requests("/simple/gone/"), 0);
}

#[test]
fn an_explicit_index_is_asked_for_nothing_but_what_is_mapped_to_it() {
    let (world, corp) = two_indexes();
    world.index.sdist(&telling("made"));
    corp.wheel(&Wheel::new("app", "9.0"));
    let url = named("corp", &corp);
    let explicit = ["--explicit-index", &url];
    let without = whole(&world, &["app"]).args(explicit).finish();
    assert_eq!(
        made(without.succeeds()),
        ["app 1.0 downloaded", "base 9.0 downloaded"]
    );
    let note = "the explicit index `corp` is asked for nothing";
    assert!(without.stderr.contains(note), "{without}");
    assert_eq!(corp.all_requests().len(), 0);
    let mapped = [&explicit[..], &["--index-package", "base:corp"]].concat();
    refused(
        whole(&world, &["app", "made", "nobody"]).args(&mapped),
        Code::UnknownProject,
        &["no index knows the project `nobody`"],
    );
    assert_eq!(asked(&corp), ["base/"]);
}

#[test]
fn a_build_requirement_comes_from_the_index_that_it_is_mapped_to_and_makes_another_wheel() {
    let (world, corp) = two_indexes();
    world.index.sdist(&telling("made"));
    let (url, renamed) = (named("corp", &corp), named("other", &corp));
    let run = |words: &[&str]| world.wheel("made").args(words).finish();
    let mapped = ["--explicit-index", &url, "--index-package", "base:corp"];
    built_with(&world, &run(&[]), "built", "9.0");
    built_with(&world, &run(&mapped), "built", "1.0");
    built_with(&world, &run(&[]), "cached", "9.0");
    built_with(&world, &run(&mapped), "cached", "1.0");
    // What an index is called changes no wheel.
    let other = [
        "--index-package",
        "base:other",
        "--explicit-index",
        &renamed,
    ];
    built_with(&world, &run(&other), "cached", "1.0");
    // A package that names a URL does not get around it.
    let by_url = format!("base @ {}", world.index.file_url("base-9.0.tar.gz"));
    world.index.sdist(&Sdist::hello("base", "9.0"));
    world
        .index
        .sdist(&Sdist::hello("sly", "1.0").requires(&[&by_url]));
    let sly = || world.wheel("sly").args(["--allow-url-build-requires"]);
    sly().finish().built("sly-1.0-py3-none-any.whl");
    refused(
        sly().args(mapped),
        Code::BuildRequires,
        &["the index `corp` alone"],
    );
}

#[test]
fn after_a_fetch_with_maps_everything_is_made_without_a_request() {
    let (world, corp) = two_indexes();
    // Its metadata is fixed, so that nothing has to be built before it is asked for.
    let project = "[project]\nname = 'made'\nversion = '1.0'\n[build-system]\nrequires = ['base']\n\
                   build-backend = 'in_tree'\nbackend-path = ['.']\n";
    world
        .index
        .sdist(&telling("made").file("pyproject.toml", project));
    let url = named("corp", &corp);
    let mapped = ["--explicit-index", &url, "--index-package", "base:corp"];
    let fetch = world.run(["fetch", "app", "made"]).args(mapped);
    fetch.places().report().finish().succeeds();
    let requests = || world.index.all_requests().len() + corp.all_requests().len();
    let before = requests();
    let offline = ["--offline"];
    let run = whole(&world, &["app", "made"]).args(mapped).args(offline);
    assert_eq!(
        made(run.finish().succeeds()),
        [
            "app 1.0 downloaded",
            "made 1.0 built",
            "base 1.0 downloaded"
        ]
    );
    assert_eq!(told(&world, "made-1.0-py3-none-any.whl"), "1.0");
    // Without the map the answers are others, and they are not there.
    let unmapped = whole(&world, &["app"]).args(offline);
    refused(unmapped, Code::Offline, &["/simple/base/"]);
    assert_eq!(requests(), before);
}

#[test]
fn a_wheel_that_was_built_from_another_index_does_not_stand_for_the_mapped_one() {
    let (world, corp) = two_indexes();
    world.index.sdist(&telling("made"));
    corp.sdist(&telling("made").prologue("# corp's own"));
    let url = named("corp", &corp);
    let run = |words: &[&str]| world.wheel("made==1.0").args(words).finish();
    built_with(&world, &run(&[]), "built", "9.0");
    let mapped = ["--explicit-index", &url, "--index-package", "made:corp"];
    built_with(&world, &run(&mapped), "built", "9.0");
    assert_eq!(corp.requests("/files/made-1.0.tar.gz"), 1);
    built_with(&world, &run(&mapped), "cached", "9.0");
}

#[test]
fn files_map_projects_unless_they_came_with_the_project() {
    let (world, corp) = two_indexes();
    let url = named("corp", &corp);
    let text = format!("explicit-index = '{url}'\n[index-package]\nbase = 'corp'\n");
    let run = || whole(&world, &["app", "--dry-run"]);
    let chosen = |run: Run<'_, '_>| {
        let done = run.finish();
        done.succeeds();
        let plan = serde_json::from_str(&done.stdout).expect("a plan is JSON");
        (pins(&plan)[1].clone(), done.stderr.clone())
    };
    let from_corp = "base 1.0 wheel";
    for (name, head) in [
        ("fumehood.toml", ""),
        ("pyproject.toml", "[project]\nname = 'x'\n[tool.fumehood]\n"),
    ] {
        let text = text.replace(
            "[index",
            if head.is_empty() {
                "[index"
            } else {
                "[tool.fumehood.index"
            },
        );
        let file = world.file(format!("work/{name}"), format!("{head}{text}"));
        let (pin, stderr) = chosen(run());
        assert_eq!(pin, "base 9.0 wheel", "{stderr}");
        for key in ["explicit-index", "index-package"] {
            let note = format!("`{key}` is not heard");
            assert!(stderr.contains(&note), "{stderr}");
        }
        std::fs::remove_file(file).expect("an own file can be removed");
    }
    assert_eq!(corp.all_requests().len(), 0);
    let other = world.file("named.toml", &text);
    let by_name = run().args(["--config-file".as_ref(), other.as_os_str()]);
    assert_eq!(chosen(by_name).0, from_corp);
    let variables = run()
        .env("FUMEHOOD_EXPLICIT_INDEX", &url)
        .env("FUMEHOOD_INDEX_PACKAGE", "base:corp other:corp");
    assert_eq!(chosen(variables).0, from_corp);
    world.file("home/.config/fumehood/fumehood.toml", &text);
    assert_eq!(chosen(run()).0, from_corp);
    // What is typed of a project takes the place of what a file says of it.
    let second = named("second", &corp);
    let typed = [
        "--explicit-index",
        &second,
        "--index-package",
        "base:second",
    ];
    let (pin, stderr) = chosen(run().args(typed));
    assert_eq!(pin, from_corp, "{stderr}");
}

#[test]
fn no_map_leads_past_the_ceiling() {
    let (world, corp) = two_indexes();
    let url = named("corp", &corp);
    let ceiling = |more: &str| format!("[ceiling]\nindexes = ['{}'{more}]\n", world.index.url());
    let mapped = ["--explicit-index", &url, "--index-package", "base:corp"];
    let run = |ceiling: &str| whole(&world, &["app"]).args(mapped).on_system(ceiling);
    refused(
        run(&ceiling("")),
        Code::Ceiling,
        &[
            corp.url().trim_end_matches('/'),
            "/etc/fumehood/fumehood.toml:2",
        ],
    );
    assert_eq!(corp.all_requests().len(), 0);
    let allowed = run(&ceiling(&format!(", '{}'", corp.url()))).finish();
    assert_eq!(
        made(allowed.succeeds()),
        ["app 1.0 downloaded", "base 1.0 downloaded"]
    );
}

#[test]
fn what_is_no_map_is_refused_and_says_what_would_be_one() {
    let (world, corp) = two_indexes();
    let (url, bare) = (named("corp", &corp), corp.url());
    let default = named("corp", &world.index);
    let twice = named("again", &world.index);
    for (words, said) in [
        (
            &["--index-package", "base:crop", "--index", &url][..],
            &[
                "`base`",
                "`crop`",
                "the names are `corp`",
                "--explicit-index crop=URL",
            ][..],
        ),
        (
            &["--index-package", "base:corp"],
            &["no index has a name", "--index corp=URL"],
        ),
        (
            &["--index-package", "base"],
            &["`--index-package`", "PKG:NAME"],
        ),
        (
            &["--index-package", &format!("base:{bare}")],
            &["PKG:NAME, such as"],
        ),
        (
            &["--index-package", "base:a", "--index-package", "Base:b"],
            &["the index `b` and to the index `a`"],
        ),
        (
            &["--explicit-index", &bare],
            &["`--explicit-index`", "has no name", "NAME=URL"],
        ),
        (
            &["--explicit-index", &url, "--index", &default],
            &["two indexes have the name `corp`"],
        ),
        (
            &["--explicit-index", &twice],
            &["asked for everything as well", "leave it out"],
        ),
    ] {
        refused(whole(&world, &["app"]).args(words), Code::BadFlag, said);
    }
    assert_eq!(corp.all_requests().len(), 0);
    let doctor = world
        .run([
            "doctor",
            "--explicit-index",
            &url,
            "--index-package",
            "base:corp",
        ])
        .flag("--default-index", world.index.url())
        .flag("--cache-dir", world.cache())
        .flag("-p", &world.python().path);
    let done = doctor.finish();
    for text in [
        "for nothing but what is mapped to it",
        "base from `corp` alone",
    ] {
        assert!(done.stdout.contains(text), "{done}");
    }
}
