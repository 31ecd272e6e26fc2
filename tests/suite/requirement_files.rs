//! Files of requirements, locks and projects, and the hashes in them.

use model::Code;
use sha2::Digest;
use tests::search::sha256;
use tests::{Offer, Outcome, Run, Sdist, Wheel, World};

use crate::world;

/// `fumehood wheel` for what files say, in the world's places.
fn wheel<'world, 'site>(world: &'world World<'site>, words: &[&str]) -> Run<'world, 'site> {
    world
        .run(["wheel", "--no-deps"])
        .args(words)
        .places()
        .report()
}

#[track_caller]
fn made(done: &Outcome<'_, '_>) -> Vec<(String, String)> {
    done.succeeds();
    let wheels = done.report().wheels.into_iter();
    wheels.map(|wheel| (wheel.filename, wheel.origin)).collect()
}

fn both(filename: &str, origin: &str) -> (String, String) {
    (filename.to_owned(), origin.to_owned())
}

fn offer(sdist: &Sdist) -> String {
    sha256(&sdist.tar_gz())
}

#[test]
fn what_files_ask_for_is_made_in_their_order_and_what_is_for_others_left_out() {
    let world = world();
    for (name, version) in [
        ("one", "1.0"),
        ("two", "1.0"),
        ("two", "2.0"),
        ("three", "1.0"),
    ] {
        world.index.sdist(&Sdist::hello(name, version));
    }
    let tree = world.lay("work/reqs/tree", &Sdist::hello("tree", "1.0"));
    world.file(
        "work/reqs/all.txt",
        "# everything\n-r sub/more.txt\n-c narrow.txt\none \\\n  == 1.0  # pinned\nthree ; python_version < '3'\n./reqs/tree\n",
    );
    world.file("work/reqs/sub/more.txt", "two\n");
    world.file("work/reqs/narrow.txt", "two<2\nnobody==7\n");
    let done = wheel(&world, &["-r", "reqs/all.txt"]).finish();
    assert_eq!(
        made(&done),
        [
            both("two-1.0-py3-none-any.whl", "built"),
            both("one-1.0-py3-none-any.whl", "built"),
            both("tree-1.0-py3-none-any.whl", "built"),
        ]
    );
    let note = "note: reqs/all.txt:6: three is left out";
    assert!(done.stderr.contains(note), "{done}");
    assert_eq!(world.index.requests("/simple/three/"), 0);
    assert!(tree.join("PKG-INFO").exists());
}

#[test]
fn mistakes_are_named_with_file_line_and_column_before_anything_is_asked() {
    for (text, code, said) in [
        ("one\n\ntwo >= 1, <\n", Code::BadSpec, "r.txt:3:10: "),
        (
            "one\n-e ./tree\n",
            Code::Editable,
            "r.txt:2: `./tree` is an editable",
        ),
        (
            "one\n--hash=sha256:00\n",
            Code::BadRequirements,
            "r.txt:2: `--hash`",
        ),
        (
            "-r r.txt\n",
            Code::BadRequirements,
            "r.txt:1: `r.txt` includes itself",
        ),
        (
            "one @ https://${ME}/x\n",
            Code::BadRequirements,
            "r.txt:1: the variable ME is not set",
        ),
        ("./one-1.0-py3.whl\n", Code::BadSpec, "r.txt:1: "),
    ] {
        let world = world();
        world.file("work/r.txt", text);
        let done = wheel(&world, &["-r", "r.txt"]).finish();
        done.says(code);
        assert!(done.stderr.contains(said), "{text}: {done}");
        assert!(
            done.stderr.contains("fix:") || code == Code::BadRequirements || code == Code::BadSpec,
            "{done}"
        );
        assert_eq!(world.index.all_requests().len(), 0, "{done}");
    }
    let typed = world();
    let done = wheel(&typed, &["two >= 1, <"]).finish();
    done.says(Code::BadSpec);
    assert!(done.stderr.contains("(column 10)"), "{done}");
}

#[test]
fn the_index_of_a_file_is_asked_unless_one_is_typed_and_the_ceiling_bounds_it() {
    let world = world();
    world.index.wheel(&Wheel::new("thing", "1.0"));
    let url = world.index.url();
    world.file("work/r.txt", format!("-i {url}\nthing\n"));
    let run = |words: &[&str]| {
        let cache = world.cache();
        let run = world
            .run(["wheel", "--no-deps", "-r", "r.txt", "-o", "out"])
            .args(words);
        run.flag("--cache-dir", cache)
            .flag("-p", &world.python().path)
            .report()
    };
    assert_eq!(
        made(&run(&[]).finish()),
        [both("thing-1.0-py3-none-any.whl", "downloaded")]
    );
    run(&[
        "--default-index",
        "https://index.example.invalid/simple",
        "--offline",
    ])
    .finish_anyhow()
    .exits_with(Code::Offline);
    let bound =
        run(&[]).on_system("[ceiling]\nindexes = ['https://index.example.invalid/simple']\n");
    bound.finish_anyhow().says(Code::Ceiling);
    world.file("work/r.txt", "--trusted-host example.invalid\nthing\n");
    let bound = run(&[]).on_system("[ceiling]\nindexes = []\n");
    let done = bound.finish_anyhow();
    done.says(Code::Ceiling);
    assert!(
        done.stderr.contains("r.txt:1: trusting `example.invalid`"),
        "{done}"
    );
}

#[test]
fn the_value_of_a_variable_in_a_file_appears_nowhere() {
    let world = world();
    let secret = "s3cret-of-a-file";
    world.index.sdist(&Sdist::hello("thing", "1.0"));
    let url = world.index.url().replace("http://", "http://me:${TOKEN}@");
    world.file("work/r.txt", format!("-i {url}\nthing\n"));
    let run = || {
        let run = world.run(["wheel", "--no-deps", "-v", "-r", "r.txt", "-o", "out"]);
        let run = run
            .flag("--cache-dir", world.cache())
            .flag("-p", &world.python().path);
        run.env("TOKEN", secret).report()
    };
    let done = run().finish();
    assert_eq!(done.report().wheels.len(), 1, "{done}");
    assert_eq!(done.tells(secret), None, "{done}");
    let asked = world.index.all_requests();
    assert!(!asked.is_empty());
    world.file("work/r.txt", "thing @ ${TOKEN} ; ]\n");
    let done = run().finish_anyhow();
    done.says(Code::BadSpec);
    assert!(done.stderr.contains("`thing @ ${TOKEN} ; ]`"), "{done}");
    assert_eq!(done.tells(secret), None, "{done}");
}

#[test]
fn a_hash_decides_between_wheel_and_sdist_and_a_wrong_one_runs_nothing() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    let packed = Wheel::new("thing", "1.0");
    world.index.sdist(&sdist).wheel(&packed);
    let (source, binary) = (offer(&sdist), sha256(&packed.pack()));
    let sha512 = hex::encode(sha2::Sha512::digest(sdist.tar_gz()));
    let line = |hash: &str| {
        world.file(
            "work/r.txt",
            format!("# one\nthing==1.0 \\\n  --hash={hash}\n"),
        );
        wheel(&world, &["-r", "r.txt"])
    };
    let name = "thing-1.0-py3-none-any.whl";
    assert_eq!(
        made(&line(&format!("sha256:{source}")).finish()),
        [both(name, "built")]
    );
    assert_eq!(
        made(&line(&format!("sha256:{binary}")).out("b").finish()),
        [both(name, "downloaded")]
    );
    // The index tells no SHA-512: the wheel comes first, and is another file.
    let done = line(&format!("sha512:{sha512}")).out("c").finish_anyhow();
    done.says(Code::HashWrong);
    let done = line(&format!("sha512:{sha512}"))
        .args(["--no-binary", "thing"])
        .out("c");
    assert_eq!(made(&done.finish()), [both(name, "built")]);
    let done = line(&format!("sha256:{}", "0".repeat(64)))
        .out("d")
        .finish_anyhow();
    let failure = &done.report().failures[0];
    assert_eq!(failure.code, Code::HashWrong.text());
    assert!(failure.message.contains("r.txt:2: "), "{done}");
    assert!(
        failure.message.contains(&binary),
        "the hash that it has is told: {done}"
    );
    assert_eq!(failure.log, None, "nothing was built: {done}");
    // Given as a constraint, for what is typed.
    world.file(
        "work/c.txt",
        format!("thing==1.0 --hash=sha256:{}\n", "0".repeat(64)),
    );
    let done = wheel(&world, &["thing", "-c", "c.txt"])
        .out("e")
        .finish_anyhow();
    done.says(Code::HashWrong);
    assert!(done.stderr.contains("c.txt:1: "), "{done}");
}

#[test]
fn a_hash_is_demanded_of_everything_where_one_is_given_or_required() {
    let world = world();
    let (one, two) = (Sdist::hello("one", "1.0"), Sdist::hello("two", "1.0"));
    world.index.sdist(&one).sdist(&two);
    world.file(
        "work/r.txt",
        format!("one==1.0 --hash=sha256:{}\ntwo==1.0\n", offer(&one)),
    );
    let done = wheel(&world, &["-r", "r.txt"]).finish_anyhow();
    let report = done.report();
    assert_eq!(report.wheels.len(), 1, "{done}");
    assert_eq!(report.failures[0].code, Code::HashMissing.text(), "{done}");
    assert!(report.failures[0].message.contains("r.txt:2: "), "{done}");
    assert!(done.stderr.contains("the --hash at r.txt:1"), "{done}");
    assert_eq!(world.index.requests("/files/two-1.0.tar.gz"), 0);
    let tree = world.lay("work/tree", &one);
    let archive = world.archive(&two);
    let pinned = format!("{}#sha256={}", archive.display(), offer(&two));
    for (spec, code) in [
        ("one", Some(Code::HashMissing)),
        (tree.to_str().unwrap(), Some(Code::HashMissing)),
        (archive.to_str().unwrap(), Some(Code::HashMissing)),
        (pinned.as_str(), None),
    ] {
        let done = wheel(&world, &[spec, "--require-hashes"])
            .out("o")
            .finish_anyhow();
        match code {
            Some(code) => {
                done.says(code);
            }
            None => assert_eq!(done.report().wheels.len(), 1, "{done}"),
        }
    }
    // A project's file may demand, and no variable takes it back.
    world.file("work/fumehood.toml", "require-hashes = true\n");
    let run = wheel(&world, &["one"])
        .out("p")
        .env("FUMEHOOD_REQUIRE_HASHES", "0");
    run.finish_anyhow().says(Code::HashMissing);
}

#[test]
fn a_hash_of_any_strong_algorithm_holds_what_is_built_and_what_is_downloaded() {
    let world = world();
    let (sdist, packed) = (Sdist::hello("source", "1.0"), Wheel::new("packed", "1.0"));
    world.index.sdist(&sdist).wheel(&packed);
    let sha384 = |bytes: &[u8]| hex::encode(sha2::Sha384::digest(bytes));
    let (source, binary) = (sha384(&sdist.tar_gz()), sha384(&packed.pack()));
    let run = |source: &str, out: &str| {
        world.file(
            "work/r.txt",
            format!(
                "source==1.0 --hash=sha384:{source}\npacked==1.0 --hash sha384:{binary} --hash=sha512:{}\n",
                "0".repeat(128)
            ),
        );
        let words = ["wheel", "-r", "r.txt", "--require-hashes"];
        world.run(words).places().out(out).report().finish_anyhow()
    };
    assert_eq!(
        made(&run(&source, "a")),
        [
            both("source-1.0-py3-none-any.whl", "built"),
            both("packed-1.0-py3-none-any.whl", "downloaded"),
        ]
    );
    let done = run(&"0".repeat(96), "b");
    let failures = &done.report().failures;
    assert_eq!(failures.len(), 1, "{done}");
    assert_eq!(failures[0].code, Code::HashWrong.text(), "{done}");
    assert!(failures[0].message.contains("r.txt:1: "), "{done}");
    // A lock speaks of them too.
    for (hash, code) in [
        (binary.clone(), None),
        ("0".repeat(96), Some(Code::HashWrong)),
    ] {
        let url = world.index.file_url(&packed.filename());
        world.file(
            "work/pylock.toml",
            format!("lock-version = '1.0'\ncreated-by = 'a test'\n[[packages]]\nname = 'packed'\nversion = '1.0'\nwheels = [{{ url = '{url}', hashes = {{ sha384 = '{hash}' }} }}]\n"),
        );
        let done = wheel(&world, &["-r", "pylock.toml"])
            .out("c")
            .finish_anyhow();
        match code {
            Some(code) => {
                done.says(code);
            }
            None => assert_eq!(made(&done).len(), 1),
        }
    }
}

/// A project that needs a wheel, and an sdist that needs a wheel itself.
fn needing(world: &World<'_>) -> (Sdist, Wheel) {
    let base = Wheel::new("base", "1.0");
    let tool = Sdist::hello("tool", "2.0").requires(&["deep"]);
    let deep = Wheel::new("deep", "3.0");
    world.index.wheel(&base).wheel(&deep).sdist(&tool);
    let sdist = Sdist::hello("needing", "1.0").requires(&["base", "tool"]);
    world.index.sdist(&sdist);
    (tool, base)
}

/// The lines of a file of constraints that are no remarks.
fn pins(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

#[test]
fn what_a_build_used_is_written_as_a_file_that_the_build_can_be_held_to() {
    let world = world();
    let (tool, base) = needing(&world);
    let done = world.run(["lock-build", "needing==1.0"]).places().finish();
    done.succeeds();
    let lock = pins(&done.stdout).join("\n");
    assert!(
        lock.contains(&format!(
            "base==1.0 \\\n    --hash=sha256:{}",
            sha256(&base.pack())
        )),
        "{done}"
    );
    // Of what was built for it the source is pinned, and what that was built with.
    assert!(
        lock.contains(&format!("tool==2.0 \\\n    --hash=sha256:{}", offer(&tool))),
        "{done}"
    );
    assert!(lock.contains("deep==3.0"), "{done}");
    assert_eq!(world.delivered(), Vec::<String>::new(), "{done}");
    world.file("work/b.txt", &done.stdout);
    // Newer ones come: the file holds the build to what it was.
    world.index.wheel(&Wheel::new("base", "1.1"));
    let held = || {
        wheel(
            &world,
            &[
                "needing==1.0",
                "--no-binary",
                "needing",
                "-b",
                "b.txt",
                "--require-build-hashes",
            ],
        )
    };
    held().finish().built("needing-1.0-py3-none-any.whl");
    held().finish().cached("needing-1.0-py3-none-any.whl");
    // From the record, without a build.
    let again = world
        .run([
            "lock-build",
            "needing==1.0",
            "-b",
            "b.txt",
            "--require-build-hashes",
        ])
        .places()
        .finish();
    assert_eq!(pins(&again.stdout), pins(&done.stdout), "{again}");
    let text = done.stdout;
    for name in ["base==1.0", "tool==2.0", "deep==3.0"] {
        let at = text.find(name).expect("it is pinned")
            + text[text.find(name).unwrap()..].find("sha256:").unwrap()
            + 7;
        let mut changed = text.clone();
        let other = if &text[at..=at] == "0" { "1" } else { "0" };
        changed.replace_range(at..=at, other);
        world.file("work/b.txt", &changed);
        let done = held().out("changed").finish_anyhow();
        done.says(Code::HashWrong);
        assert!(done.stderr.contains("b.txt:"), "{name}: {done}");
    }
    let without = pins(&text).into_iter();
    let without: Vec<_> = without.filter(|line| !line.starts_with("deep")).collect();
    let without = without.join("\n");
    let deep = sha256(&Wheel::new("deep", "3.0").pack());
    world.file(
        "work/b.txt",
        without.replace(&format!("    --hash=sha256:{deep}\n"), ""),
    );
    held()
        .out("without")
        .finish_anyhow()
        .says(Code::HashMissing);
}

#[test]
fn an_index_that_lies_about_a_hash_is_told_from_a_wrong_hash_in_a_file() {
    let world = world();
    let packed = Wheel::new("thing", "1.0");
    let lie = "1".repeat(64);
    world
        .index
        .offer(Offer::new("thing", &packed.filename(), packed.pack()).digest(&lie));
    world.file("work/r.txt", format!("thing==1.0 --hash=sha256:{lie}\n"));
    let done = wheel(&world, &["-r", "r.txt"]).finish_anyhow();
    done.says(Code::IndexLied);
    world.file(
        "work/r.txt",
        format!("thing==1.0 --hash=sha256:{}\n", sha256(&packed.pack())),
    );
    let done = wheel(&world, &["-r", "r.txt"]).finish_anyhow();
    done.says(Code::IndexLied);
}

/// A lock of a wheel, an sdist and an archive beside it.
fn lock(world: &World<'_>, top: &str) -> String {
    let (packed, sdist, local) = (
        Wheel::new("packed", "1.0"),
        Sdist::hello("source", "1.0"),
        Sdist::hello("local", "1.0"),
    );
    world.index.wheel(&packed).sdist(&sdist);
    world.file("work/locked/local-1.0.tar.gz", local.tar_gz());
    format!(
        "lock-version = '1.0'\ncreated-by = 'a test'\n{top}\n
[[packages]]\nname = 'packed'\nversion = '1.0'\nindex = '{}'\nwheels = [\n  {{ name = 'packed-1.0-cp27-cp27m-win32.whl', url = 'https://example.invalid/no.whl', hashes = {{ sha256 = '{}' }} }},\n  {{ url = '{}', size = {}, hashes = {{ sha256 = '{}' }} }},\n]\n
[[packages]]\nname = 'source'\nversion = '1.0'\nsdist = {{ name = 'source-1.0.tar.gz', url = '{}', hashes = {{ sha256 = '{}' }} }}\n
[[packages]]\nname = 'local'\narchive = {{ path = 'local-1.0.tar.gz', hashes = {{ sha512 = '{}' }} }}\n
[[packages]]\nname = 'others'\nmarker = \"sys_platform == 'win32'\"\ndirectory = {{ path = '../nowhere' }}\n
[[packages]]\nname = 'tree'\nmarker = \"'dev' in dependency_groups\"\ndirectory = {{ path = 'tree' }}\n",
        world.index.url(),
        "0".repeat(64),
        world.index.file_url(&packed.filename()),
        packed.pack().len(),
        sha256(&packed.pack()),
        world.index.file_url("source-1.0.tar.gz"),
        sha256(&sdist.tar_gz()),
        hex::encode(sha2::Sha512::digest(local.tar_gz())),
    )
}

#[test]
fn a_lock_names_files_and_no_page_is_asked() {
    let world = world();
    let text = lock(&world, "dependency-groups = ['dev']");
    world.file("work/locked/pylock.toml", &text);
    world.lay("work/locked/tree", &Sdist::hello("tree", "1.0"));
    let run = |words: &[&str]| wheel(&world, &["-r", "locked/pylock.toml"]).args(words);
    let wheels = |names: &[(&str, &str)]| -> Vec<_> {
        names
            .iter()
            .map(|(name, origin)| both(&format!("{name}-1.0-py3-none-any.whl"), origin))
            .collect()
    };
    assert_eq!(
        made(&run(&[]).finish()),
        wheels(&[
            ("local", "built"),
            ("packed", "downloaded"),
            ("source", "built")
        ])
    );
    let pages = world
        .index
        .all_requests()
        .into_iter()
        .filter(|asked| asked.path.starts_with("/simple/"));
    assert_eq!(pages.count(), 0);
    let before = world.index.all_requests().len();
    // A folder has no hash.
    let strict = run(&["--group", "dev", "--require-hashes"])
        .out("dev")
        .finish_anyhow();
    strict.says(Code::HashMissing);
    assert_eq!(strict.report().wheels.len(), 3, "{strict}");
    assert_eq!(
        made(&run(&["--group", "dev"]).out("dev2").finish()),
        wheels(&[
            ("local", "cached"),
            ("packed", "downloaded"),
            ("source", "cached"),
            ("tree", "built")
        ])
    );
    assert_eq!(
        world.index.all_requests().len(),
        before,
        "everything is in the cache"
    );
}

#[test]
fn a_lock_for_others_or_with_other_hashes_is_refused() {
    let world = world();
    for top in [
        "environments = [\"sys_platform == 'win32'\"]",
        "requires-python = '<3'",
    ] {
        let text = lock(&world, top);
        world.file("work/locked/pylock.toml", text);
        let done = wheel(&world, &["-r", "locked/pylock.toml"]).finish_anyhow();
        done.says(Code::LockElsewhere);
        assert!(done.stderr.contains("locked/pylock.toml:3: "), "{done}");
    }
    let text = lock(&world, "");
    for (from, to) in [
        (sha256(&Wheel::new("packed", "1.0").pack()), "1".repeat(64)),
        (offer(&Sdist::hello("source", "1.0")), "1".repeat(64)),
        (
            hex::encode(sha2::Sha512::digest(Sdist::hello("local", "1.0").tar_gz())),
            "1".repeat(128),
        ),
    ] {
        world.file("work/locked/pylock.toml", text.replace(&from, &to));
        let done = wheel(&world, &["-r", "locked/pylock.toml"])
            .out(&to[..3])
            .finish_anyhow();
        let report = done.report();
        assert_eq!(report.failures.len(), 1, "{done}");
        assert_eq!(report.failures[0].code, Code::HashWrong.text(), "{done}");
        assert!(
            report.failures[0].message.contains("locked/pylock.toml:"),
            "{done}"
        );
    }
}

#[test]
fn dependencies_and_groups_of_a_project_are_asked_for_without_building_it() {
    let world = world();
    for name in ["one", "two", "three"] {
        world.index.wheel(&Wheel::new(name, "1.0"));
    }
    world.file(
        "work/pyproject.toml",
        "[project]\nname = 'mine'\nversion = '1'\ndependencies = ['one']\n[project.optional-dependencies]\nmore = ['two']\n[build-system]\nrequires = []\nbuild-backend = 'nothing'\n[dependency-groups]\ntest = ['three', {include-group = 'Base']\n"
            .replace("'Base']", "'Base'}]\nbase = ['two==1.0']"),
    );
    let names = |done: &Outcome<'_, '_>| -> Vec<String> {
        done.succeeds();
        done.report()
            .wheels
            .into_iter()
            .map(|wheel| wheel.name)
            .collect()
    };
    let run = |words: &[&str], out: &str| names(&wheel(&world, words).out(out).finish_anyhow());
    assert_eq!(run(&["-r", "pyproject.toml"], "a"), ["one"]);
    assert_eq!(
        run(&["-r", "pyproject.toml", "--extra", "more"], "b"),
        ["one", "two"]
    );
    assert_eq!(
        run(&["-r", "pyproject.toml", "--all-extras"], "c"),
        ["one", "two"]
    );
    assert_eq!(run(&["--group", "test"], "d"), ["three", "two"]);
    let done = wheel(&world, &["one", "--extra", "more"]).finish_anyhow();
    done.says(Code::BadFlag);
}

#[test]
fn settings_of_a_line_reach_the_hooks_of_its_project_and_no_other() {
    let world = world();
    let telling = |name: &str| {
        Sdist::hello(name, "1.0").hooks(
            "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
             return wheel_file.write(wheel_directory, *project(), files={'told.json': json.dumps(config_settings).encode()})",
        )
    };
    let first = telling("first").requires(&["below"]);
    world
        .index
        .sdist(&first)
        .sdist(&telling("second"))
        .sdist(&telling("below"));
    world.file(
        "work/r.txt",
        "first --config-settings b=line --config-settings='c=x y'\nsecond\nbelow\n",
    );
    let run = || wheel(&world, &["-r", "r.txt", "-C", "a=1", "-C", "b=typed"]);
    run().finish().succeeds();
    let told = |name: &str| -> serde_json::Value {
        let wheel = world.out().join(format!("{name}-1.0-py3-none-any.whl"));
        let text = tests::search::member(&wheel, "told.json");
        serde_json::from_slice(&text).expect("the backend writes JSON")
    };
    let typed = serde_json::json!({"a": "1", "b": "typed"});
    assert_eq!(
        told("first"),
        serde_json::json!({"a": "1", "b": "line", "c": "x y"})
    );
    assert_eq!(told("second"), typed);
    assert_eq!(told("below"), typed);
    let again = run().out("again").finish();
    let origins: Vec<_> = made(&again).into_iter().map(|(_, origin)| origin).collect();
    assert_eq!(origins, ["cached"; 3], "{again}");
}

#[test]
fn what_files_ask_for_is_resolved_together_and_held_to_hashes_down_to_the_last() {
    let world = world();
    let leaf = Sdist::hello("leaf", "1.0");
    world.index.sdist(&leaf).sdist(&Sdist::hello("leaf", "2.0"));
    for version in ["1.0", "2.0"] {
        let top = Wheel::new("top", version).header("Requires-Dist: leaf");
        world.index.wheel(&top);
    }
    let top = sha256(
        &Wheel::new("top", "1.0")
            .header("Requires-Dist: leaf")
            .pack(),
    );
    let run = |words: &[&str]| world.run(["wheel"]).args(words).places().report();
    // A constraint narrows what nobody asked for; without a hash it is refused where one is given.
    world.file("work/c.txt", "leaf<2\n");
    world.file("work/r.txt", "top<2\n");
    assert_eq!(
        made(&run(&["-r", "r.txt", "-c", "c.txt"]).finish()),
        [
            both("top-1.0-py3-none-any.whl", "downloaded"),
            both("leaf-1.0-py3-none-any.whl", "built"),
        ]
    );
    world.file("work/r.txt", format!("top<2 --hash=sha256:{top}\n"));
    let done = run(&["-r", "r.txt", "-c", "c.txt"])
        .out("a")
        .finish_anyhow();
    let report = done.report();
    assert_eq!(report.failures.len(), 1, "{done}");
    assert_eq!(report.failures[0].code, Code::HashMissing.text(), "{done}");
    assert!(report.failures[0].message.contains("leaf"), "{done}");
    world.file(
        "work/r.txt",
        format!(
            "top<2 --hash=sha256:{top}\nleaf==1.0 --hash=sha256:{}\n",
            "0".repeat(64)
        ),
    );
    let done = run(&["-r", "r.txt"]).out("b").finish_anyhow();
    let failure = &done.report().failures[0];
    assert_eq!(failure.code, Code::HashWrong.text(), "{done}");
    assert!(failure.message.contains("r.txt:2: "), "{done}");
    world.file(
        "work/c.txt",
        format!("leaf==1.0 --hash=sha256:{}\n", offer(&leaf)),
    );
    world.file("work/r.txt", format!("top<2 --hash=sha256:{top}\n"));
    let done = run(&["-r", "r.txt", "-c", "c.txt"]).out("c").finish();
    assert_eq!(made(&done).len(), 2, "{done}");
    // Where two lines contradict each other, both are named.
    world.file("work/r.txt", "top<2\ntop>=2\n");
    let done = run(&["-r", "r.txt"]).out("d").finish_anyhow();
    done.says(Code::NoVersion);
    for line in ["in r.txt, line 1", "in r.txt, line 2"] {
        assert!(done.stderr.contains(line), "{done}");
    }
    // An older wheel comes before a newer source.
    world.index.wheel(&Wheel::new("leaf", "0.5"));
    world.file("work/r.txt", "--prefer-binary\nleaf\n");
    assert_eq!(
        made(&run(&["-r", "r.txt"]).out("e").finish()),
        [both("leaf-0.5-py3-none-any.whl", "downloaded")]
    );
}
