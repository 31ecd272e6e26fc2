//! From a spec to a wheel: the forms of a spec, the answer, the cache.

use model::Code;
use tests::{Offer, Sdist, Setting, World, search};

use crate::{site, world};

#[test]
fn a_build_lands_in_the_output_folder_and_in_the_cache_in_every_setting() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("hello", "1.0");
        world.index.sdist(&sdist);
        let done = world.wheel("hello==1.0").finish();
        let wheel = done.built(&sdist.wheel());
        assert_eq!(
            (wheel.name.as_str(), wheel.version.as_str()),
            ("hello", "1.0"),
            "{done}"
        );
        let source = wheel.source.expect("a built wheel has a source");
        assert_eq!(
            (source.kind.as_str(), source.sha256),
            ("index", search::sha256(&sdist.tar_gz())),
            "{done}"
        );
        assert!(wheel.seconds > 0.0 && wheel.seconds < 60.0, "{done}");
        let record = std::fs::read_to_string(wheel.record.expect("a built wheel has a record"))
            .expect("the record");
        let record: serde_json::Value = serde_json::from_str(&record).expect("a record is JSON");
        assert!(
            record.to_string().contains(&wheel.sha256),
            "the record names the wheel's digest: {record}"
        );

        let asked = world.index.all_requests().len();
        std::fs::remove_dir_all(world.out()).expect("the output folder is there");
        let done = world.wheel("hello==1.0").finish();
        let again = done.cached(&sdist.wheel());
        assert_eq!(again.sha256, wheel.sha256);
        assert_eq!(
            world.index.all_requests().len(),
            asked,
            "an exact version in the cache asks nobody: {done}"
        );
    }
}

#[test]
fn a_cached_wheel_comes_without_starting_python() {
    let world = world();
    let sdist = Sdist::hello("hello", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    let mut running = world.build(&sdist).start();
    let own = running.pid();
    while !running.has_ended() {
        let others: Vec<_> = running
            .family()
            .into_iter()
            .filter(|process| process.pid != own)
            .collect();
        assert!(others.is_empty(), "a process was started: {others:?}");
    }
    running.finish().cached(&sdist.wheel());
}

#[test]
fn every_form_of_a_spec_is_understood() {
    let world = world();
    let of = |kind: &str| Sdist::hello("forms", "1.0").file("kind", kind);
    let archive = world.archive(&of("archive"));
    let digest = |kind: &str| search::sha256(&of(kind).tar_gz());
    let tree = world.lay("tree", &of("directory"));
    let by_url = of("url");
    world
        .index
        .offer(Offer::new("x", "master.tar.gz", by_url.tar_gz()));
    world.index.offer(Offer::new("x", "download", by_url.zip()));
    world
        .index
        .offer(Offer::new("x", "thing.tar.gz", by_url.tar_gz()));
    world.index.sdist(&of("index"));
    let url = |name: &str| world.index.file_url(name);
    let specs = [
        ("archive", archive.display().to_string()),
        ("archive", format!("file://{}", archive.display())),
        ("archive", format!("forms @ file://{}", archive.display())),
        (
            "archive",
            format!("file://{}#sha256={}", archive.display(), digest("archive")),
        ),
        ("directory", tree.display().to_string()),
        ("url", url("thing.tar.gz")),
        ("url", url("master.tar.gz")),
        ("url", url("download?archive=zip&x=%20y")),
        ("url", format!("forms @ {}", url("master.tar.gz"))),
        (
            "url",
            format!("{}#sha256={}", url("thing.tar.gz"), digest("url")),
        ),
        ("index", "forms".into()),
        ("index", "Forms>=0.9,<2".into()),
        ("index", "forms==1.0; python_version >= '3.0'".into()),
    ];
    for (number, (kind, spec)) in specs.iter().enumerate() {
        let out = format!("out-{number}");
        let done = world.wheel(spec).out(&out).finish();
        let wheel = done.wheel();
        assert_eq!(
            wheel.filename, "forms-1.0-py3-none-any.whl",
            "{spec}: {done}"
        );
        assert_eq!(
            wheel.source.expect("it was built").kind,
            *kind,
            "{spec}: {done}"
        );
    }
}

#[test]
fn a_spec_that_names_nothing_is_an_error() {
    let world = world();
    let sdist = Sdist::hello("forms", "1.0");
    let archive = world.archive(&sdist);
    let wrong = format!("file://{}#sha256={}", archive.display(), "0".repeat(64));
    let cases = [
        ("./not-there", Code::BadSpec),
        ("not a spec!", Code::BadSpec),
        ("hg+https://example.invalid/x", Code::BadSpec),
        (wrong.as_str(), Code::HashMismatch),
    ];
    for (spec, code) in cases {
        world.wheel(spec).finish().exits_with(code);
    }
    let other = format!("other @ file://{}", archive.display());
    world.wheel(&other).finish().fails_with(Code::WrongName);
}

#[test]
fn an_sdist_whose_metadata_names_another_project_is_refused() {
    let world = world();
    let liar = Sdist::hello("liar", "2.0");
    world
        .index
        .offer(Offer::new("thing", "thing-1.0.tar.gz", liar.tar_gz()));
    world
        .wheel("thing==1.0")
        .finish()
        .fails_with(Code::WrongName);
}

#[test]
fn a_folder_is_built_as_it_is_and_stays_as_it_was() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("tree", "1.0");
        let tree = world.lay("tree", &sdist);
        let before = tests::decoy::states(&tree);
        world.wheel(&tree).finish().built(&sdist.wheel());
        assert_eq!(
            tests::decoy::changes(&before, &tests::decoy::states(&tree)),
            Vec::<String>::new()
        );
        // The output inside of the tree does not make it another tree.
        let done = world.wheel(&tree).directory(&tree).out("dist").finish();
        assert_eq!(done.report().wheels[0].origin, "cached", "{done}");
        world
            .wheel(&tree)
            .directory(&tree)
            .out("dist")
            .finish()
            .succeeds();
        world.file("tree/forgotten.py", "");
        world.wheel(&tree).finish().built(&sdist.wheel());
    }
}

#[test]
fn the_build_command_builds_the_present_folder() {
    let world = world();
    let sdist = Sdist::hello("tree", "1.0");
    let tree = world.lay("tree", &sdist);
    let done = world
        .run(["build", "--wheel"])
        .places()
        .report()
        .directory(&tree)
        .finish();
    done.built(&sdist.wheel());
}

#[test]
fn text_on_standard_output_is_one_path_a_wheel() {
    let world = world();
    let (one, two) = (Sdist::hello("one", "1.0"), Sdist::hello("two", "1.0"));
    let done = world
        .wheels([world.archive(&one), world.archive(&two)])
        .without(&["--output-format", "json"])
        .finish();
    done.succeeds();
    let lines: Vec<_> = done.stdout.lines().collect();
    let expected =
        [one.wheel(), two.wheel()].map(|name| world.out().join(name).display().to_string());
    assert_eq!(lines, expected, "{done}");
    let last = done.stderr.lines().last().expect("there is talk");
    assert!(last.contains("2 built"), "{done}");
    let quiet = world
        .wheel(world.archive(&one))
        .without(&["--output-format", "json"])
        .args(["-q"])
        .finish();
    assert_eq!(
        (quiet.stdout.as_str(), quiet.stderr.as_str()),
        (format!("{}\n", expected[0]).as_str(), ""),
        "{quiet}"
    );
}

#[test]
fn the_log_of_a_build_holds_its_output_and_v_shows_it_live() {
    let world = world();
    let sdist = Sdist::hello("talker", "1.0").prologue("print('a line of the backend')");
    let done = world.build(&sdist).finish();
    done.built(&sdist.wheel());
    assert!(!done.stderr.contains("a line of the backend"), "{done}");
    let found = search::find(&world.cache().join("logs-v1"), b"a line of the backend");
    assert!(found.is_some(), "the log keeps the output: {done}");

    let waiting = Sdist::fixture("waits")
        .targets(&serde_json::json!({}))
        .prologue("print('a line of the backend', flush=True)");
    let mut running = world.build(&waiting).args(["-v"]).start();
    let folder = running.wait_until_ready();
    running.wait_until("the line was shown", |running| {
        running
            .stderr()
            .contains("a line of the backend")
            .then_some(())
    });
    tests::release(&folder, "{}");
    running.finish().succeeds();
}

#[test]
fn config_settings_reach_the_backend_and_make_another_wheel() {
    let world = world();
    let sdist = Sdist::hello("settings", "1.0").hooks(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
         return wheel_file.write(wheel_directory, *project(), files={'told.json': json.dumps(config_settings).encode()})",
    );
    let build = |flags: &[&str]| world.build(&sdist).args(flags).finish();
    let told = |flags: &[&str]| -> serde_json::Value {
        build(flags).succeeds();
        let text = search::member(&world.out().join(sdist.wheel()), "told.json");
        serde_json::from_slice(&text).expect("the backend writes JSON")
    };
    assert_eq!(
        told(&["-C", "a=1", "-C", "b=x", "-C", "b=y"]),
        serde_json::json!({"a": "1", "b": ["x", "y"]})
    );
    assert_eq!(told(&["-C", "a=2"]), serde_json::json!({"a": "2"}));
    build(&["-C", "a=2"]).cached(&sdist.wheel());
}

#[test]
fn a_build_sees_a_short_constant_place_and_a_clean_environment() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("looker", "1.0").hooks(
            "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
             seen = json.dumps({'cwd': os.getcwd(), 'environment': dict(os.environ)}).encode()\n    \
             return wheel_file.write(wheel_directory, *project(), files={'seen.json': seen})",
        );
        let done = world
            .build(&sdist)
            .env("LD_PRELOAD", "")
            .env("PYTHONPATH", "/nowhere")
            .finish();
        done.built(&sdist.wheel());
        let text = search::member(&world.out().join(sdist.wheel()), "seen.json");
        let seen: serde_json::Value =
            serde_json::from_slice(&text).expect("the backend writes JSON");
        let cwd = seen["cwd"].as_str().expect("text");
        assert!(
            cwd.len() <= world.cache().as_os_str().len() + 12,
            "{cwd} is long: {done}"
        );
        let environment = seen["environment"].as_object().expect("an object");
        for name in ["PYTHONPATH", "LD_PRELOAD"] {
            assert!(!environment.contains_key(name), "{name}: {done}");
        }
        for name in ["HOME", "TMPDIR"] {
            let value = environment[name].as_str().expect("text");
            assert!(value.len() <= 60, "{name} is {value}: {done}");
            assert_ne!(
                value,
                world.home().to_str().expect("plain names"),
                "{name}: {done}"
            );
        }
    }
}
