//! Build requirements: resolved for real, installed without running their code, shared read-only.

use model::Code;
use tests::{Offer, Sdist, Setting, Wheel, World, search};

use crate::{site, world};

/// A project that writes down which modules it could import.
fn importer(requirements: &[&str], modules: &[&str]) -> Sdist {
    let modules = serde_json::to_string(modules).expect("strings are JSON");
    Sdist::hello("importer", "1.0").requires(requirements).hooks(&format!(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
         import importlib\n    \
         found = {{name: importlib.import_module(name).version for name in {modules}}}\n    \
         return wheel_file.write(wheel_directory, *project(), files={{'found.json': json.dumps(found).encode()}})"
    ))
}

fn found(world: &World<'_>, sdist: &Sdist) -> serde_json::Value {
    let text = search::member(&world.out().join(sdist.wheel()), "found.json");
    serde_json::from_slice(&text).expect("the backend writes JSON")
}

#[test]
fn build_requirements_are_resolved_with_markers_extras_and_ranges() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        for version in ["1.0", "1.5", "2.0"] {
            world.index.wheel(&Wheel::new("base", version));
        }
        world.index.wheel(
            &Wheel::new("tool", "1.0")
                .header("Requires-Dist: base<2")
                .header("Requires-Dist: never; python_version < '3'")
                .header("Provides-Extra: more")
                .header("Requires-Dist: further; extra == 'more'"),
        );
        world.index.wheel(&Wheel::new("further", "3.0"));
        let sdist = importer(&["tool[more]", "base>=1.0"], &["tool", "base", "further"]);
        world.build(&sdist).finish().built(&sdist.wheel());
        let expected = serde_json::json!({"tool": "1.0", "base": "1.5", "further": "3.0"});
        assert_eq!(found(&world, &sdist), expected);
        assert_eq!(
            world
                .index
                .requests("/files/tool-1.0-py3-none-any.whl.metadata"),
            1
        );
    }
}

#[test]
fn what_a_hook_asks_for_is_installed_too() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.wheel(&Wheel::new("early", "1.0"));
        world.index.wheel(&Wheel::new("late", "2.0"));
        let sdist = importer(&["early"], &["early", "late"]).hooks(
            "def get_requires_for_build_wheel(config_settings=None):\n    import early\n    return ['late>=1']",
        );
        world.build(&sdist).finish().built(&sdist.wheel());
        assert_eq!(
            found(&world, &sdist),
            serde_json::json!({"early": "1.0", "late": "2.0"})
        );
    }
}

#[test]
fn constraints_and_hashes_bind_what_a_hook_asks_for_too() {
    let world = World::new(site(), Setting::PLAIN);
    let late = ["1.0", "2.0"].map(|version| Wheel::new("late", version));
    late.iter().for_each(|wheel| {
        world.index.wheel(wheel);
    });
    let sdist = importer(&[], &["late"])
        .hooks("def get_requires_for_build_wheel(config_settings=None):\n    return ['late>=1']");
    let run = |lines: &str, flags: &[&str]| {
        world.file("work/b.txt", lines);
        let run = world.build(&sdist).args(["-b", "b.txt"]).args(flags);
        run.finish()
    };
    let version = |done: &tests::Outcome<'_, '_>| {
        done.built(&sdist.wheel());
        let found = found(&world, &sdist);
        std::fs::remove_file(world.out().join(sdist.wheel())).expect("it is delivered");
        found["late"].clone()
    };
    assert_eq!(version(&run("", &[])), "2.0");
    assert_eq!(version(&run("late<2\n", &[])), "1.0");
    let strict = ["--require-build-hashes"];
    run("late<2\n", &strict).fails_with(Code::HashMissing);
    let hashed = |wheel: &Wheel| {
        let digest = search::sha256(&wheel.pack());
        format!("late==1.0 --hash=sha256:{digest}\n")
    };
    run(&hashed(&late[1]), &strict).fails_with(Code::HashWrong);
    assert_eq!(version(&run(&hashed(&late[0]), &strict)), "1.0");
}

#[test]
fn hooks_are_called_in_their_order_and_each_once() {
    let world = World::new(site(), Setting::PLAIN);
    let mut sdist = Sdist::hello("thing", "1.0");
    for name in ["build_sdist", "build_wheel"] {
        sdist = sdist.hooks(&format!(
            "def get_requires_for_{name}(config_settings=None):\n    print('called: requires for {name}')\n    return []"
        ));
    }
    let sdist = sdist
        .hooks("import tarfile")
        .hooks(
            "def build_sdist(sdist_directory, config_settings=None):\n    \
                 print('called: build_sdist')\n    \
                 with tarfile.open(os.path.join(sdist_directory, 'thing-1.0.tar.gz'), 'w:gz') as archive:\n        \
                     for name in sorted(os.listdir('.')):\n            \
                         if os.path.isfile(name):\n                \
                             archive.add(name, 'thing-1.0/' + name)\n    \
                 return 'thing-1.0.tar.gz'",
        )
        .hooks("plain = build_wheel")
        .hooks(
            "def build_wheel(*arguments, **named):\n    \
                 print('called: build_wheel')\n    \
                 return plain(*arguments, **named)",
        );
    let called = |done: &tests::Outcome<'_, '_>| -> Vec<String> {
        done.succeeds();
        let lines = done.stderr.lines();
        let called = lines.filter_map(|line| line.split_once("called: "));
        called.map(|(_, what)| what.to_owned()).collect()
    };
    let tree = world.lay("tree", &sdist);
    let both = world.run(["build".as_ref(), tree.as_os_str()]).places();
    assert_eq!(
        called(&both.args(["-v"]).finish()),
        [
            "requires for build_sdist",
            "build_sdist",
            "requires for build_wheel",
            "build_wheel"
        ]
    );
    let wheel = world.build(&sdist).args(["-v"]);
    assert_eq!(
        called(&wheel.finish()),
        ["requires for build_wheel", "build_wheel"]
    );
}

#[test]
fn a_requirement_that_exists_only_as_source_is_built_first() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let base = Sdist::hello("base", "1.0").hooks(
            "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
             return wheel_file.write(wheel_directory, *project(), files={'base.py': b\"version = '1.0'\\n\"})",
        );
        world.index.sdist(&base);
        let sdist = importer(&["base"], &["base"]);
        world.build(&sdist).finish().built(&sdist.wheel());
        assert_eq!(found(&world, &sdist), serde_json::json!({"base": "1.0"}));
        assert_eq!(
            world.delivered(),
            [sdist.wheel()],
            "what was built on the way is not delivered"
        );
    }
}

#[test]
fn a_package_names_no_url_unless_the_caller_lets_it() {
    let world = world();
    let tool = Sdist::hello("tool", "1.0");
    world
        .index
        .offer(Offer::new("x", "master.tar.gz", tool.tar_gz()));
    let url = world.index.file_url("master.tar.gz");
    let by_url = format!("tool @ {url}");
    let sdist = Sdist::hello("thing", "1.0").requires(&[&by_url]);
    let failure = world.build(&sdist).finish().fails_with(Code::BuildRequires);
    assert!(
        failure.message.contains("--allow-url-build-requires"),
        "{failure:?}"
    );
    let flag = ["--allow-url-build-requires"];
    world
        .build(&sdist)
        .args(flag)
        .finish()
        .built(&sdist.wheel());
    assert_eq!(world.index.requests("/files/master.tar.gz"), 1);
    for elsewhere in [
        "https://169.254.169.254/x.tar.gz",
        "https://localhost/x.tar.gz",
        "file:///etc/x.tar.gz",
    ] {
        let wanted = format!("tool @ {elsewhere}");
        let sdist = Sdist::hello("other", "1.0").requires(&[&wanted]);
        let world = World::new(site(), Setting::PLAIN);
        world
            .build(&sdist)
            .args(flag)
            .finish()
            .fails_with(Code::BuildRequires);
    }
}

#[test]
fn a_circle_of_build_requirements_is_named() {
    let world = world();
    world
        .index
        .sdist(&Sdist::hello("egg", "1.0").requires(&["hen"]));
    world
        .index
        .sdist(&Sdist::hello("hen", "1.0").requires(&["egg"]));
    let done = world.wheel("egg==1.0").finish();
    done.fails_with(Code::BuildCycle);
    assert!(
        done.stderr.contains("egg needs hen 1.0 needs egg"),
        "{done}"
    );
    world
        .index
        .sdist(&Sdist::hello("self", "1.0").requires(&["self"]));
    world
        .wheel("self==1.0")
        .finish()
        .fails_with(Code::BuildCycle);
}

#[test]
fn requirements_that_contradict_each_other_are_explained() {
    let world = world();
    world
        .index
        .wheel(&Wheel::new("base", "1.0"))
        .wheel(&Wheel::new("base", "2.0"));
    world
        .index
        .wheel(&Wheel::new("left", "1.0").header("Requires-Dist: base<2"));
    world
        .index
        .wheel(&Wheel::new("right", "1.0").header("Requires-Dist: base>=2"));
    let done = world.build(&importer(&["left", "right"], &[])).finish();
    done.fails_with(Code::Unresolvable);
    assert!(
        ["left", "right", "base"]
            .iter()
            .all(|name| done.stderr.contains(name)),
        "{done}"
    );
}

#[test]
fn a_build_requirement_that_nobody_has_is_named() {
    let world = world();
    let done = world.build(&importer(&["nobody-has-this"], &[])).finish();
    assert!(matches!(done.code, Some(7)), "{done}");
    assert!(done.stderr.contains("nobody-has-this"), "{done}");
}

#[test]
fn two_builds_with_the_same_requirements_share_one_environment() {
    let world = world();
    world.index.wheel(&Wheel::new("base", "1.0"));
    for name in ["first", "second"] {
        let sdist = Sdist::hello(name, "1.0").requires(&["base"]);
        world.build(&sdist).out(name).finish().built(&sdist.wheel());
    }
    let environments =
        std::fs::read_dir(world.cache().join("environments-v1")).expect("environments");
    let with_base = environments.flatten().filter(|entry| {
        search::files(&entry.path())
            .iter()
            .any(|file| file.ends_with("base.py"))
    });
    assert_eq!(with_base.count(), 1);
    assert_eq!(world.index.requests("/files/base-1.0-py3-none-any.whl"), 1);
}

#[test]
fn scripts_data_and_bytecode_of_a_requirement_are_there() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let tool = Wheel::new("tool", "1.0")
            .file(
                "tool.py",
                "version = '1.0'\n\n\ndef main():\n    print('from the tool')\n",
            )
            .file(
                "tool-1.0.dist-info/entry_points.txt",
                "[console_scripts]\nrun-tool = tool:main\n",
            )
            .file(
                "tool-1.0.data/scripts/old-tool",
                "#!python\nprint('from the script')\n",
            )
            .file("tool-1.0.data/data/share/tool.txt", "shared\n");
        world.index.wheel(&tool);
        let sdist = Sdist::hello("user", "1.0").requires(&["tool"]).hooks(concat!(
            "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n",
            "    import subprocess, sys, tool\n",
            "    found = {name: subprocess.check_output([name], text=True) for name in ('run-tool', 'old-tool')}\n",
            "    found['shared'] = open(os.path.join(sys.prefix, 'share', 'tool.txt')).read()\n",
            "    found['bytecode'] = os.path.exists(tool.__cached__)\n",
            "    found['child'] = subprocess.check_output([sys.executable, '-c', 'import tool; print(tool.version)'], text=True)\n",
            "    return wheel_file.write(wheel_directory, *project(), files={'found.json': json.dumps(found).encode()})",
        ));
        let done = world.build(&sdist).finish();
        done.built(&sdist.wheel());
        let expected = serde_json::json!({
            "run-tool": "from the tool\n", "old-tool": "from the script\n", "shared": "shared\n", "bytecode": true,
            "child": "1.0\n",
        });
        assert_eq!(found(&world, &sdist), expected, "{done}");
    }
}

#[test]
fn a_requirement_runs_no_code_while_it_is_installed() {
    let world = world();
    let trap = "import os; os.environ; open('/tmp/never', 'w') if False else None\nraise SystemExit('ran')\n";
    let wheel = Wheel::new("trap", "1.0")
        .file("trap.py", "raise RuntimeError('imported')\n")
        .file("trap.pth", trap);
    world.index.wheel(&wheel);
    // The `.pth` runs when the build's own Python starts, inside of the sandbox, and breaks it there.
    let sdist = Sdist::hello("trapped", "1.0").requires(&["trap"]);
    let done = world.build(&sdist).finish_anyhow();
    done.is_tidy();
    assert_ne!(
        done.code,
        Some(70),
        "a broken requirement is no bug of fumehood: {done}"
    );
}

#[test]
fn a_requirement_with_a_wrong_digest_or_a_broken_wheel_is_refused() {
    let world = world();
    let wheel = Wheel::new("base", "1.0");
    world
        .index
        .offer(Offer::new("base", &wheel.filename(), wheel.pack()).digest(&"1".repeat(64)));
    world
        .build(&importer(&["base"], &[]))
        .finish()
        .fails_with(Code::IndexLied);
    let world = crate::world();
    let bad = wheel.file("../climbs.py", "");
    world
        .index
        .offer(Offer::new("base", &bad.filename(), bad.pack()));
    world
        .build(&importer(&["base"], &[]))
        .finish()
        .fails_with(Code::BadWheel);
}

#[test]
fn legacy_projects_build_with_setuptools() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.real(site().inputs());
        let sdist = Sdist::bare("legacy", "1.0")
            .file("setup.py", "from setuptools import setup\nsetup(name='legacy', version='1.0', py_modules=['legacy'])\n")
            .file("legacy.py", "word = 'hello'\n");
        let done = world.build(&sdist).finish();
        done.built(&sdist.wheel());
    }
}

#[test]
fn a_setup_script_is_as_confined_as_a_backend() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.real(site().inputs());
        let secret = tests::decoy::secret();
        let key = world.file("home/.ssh/id_rsa", &secret);
        let script = format!(
            "import os\ntry:\n    word = open({key:?}).read()\nexcept OSError as error:\n    word = str(error.errno)\n\
             open('legacy.py', 'w').write('word = %r' % word)\n\
             from setuptools import setup\nsetup(name='legacy', version='1.0', py_modules=['legacy'])\n"
        );
        let sdist = Sdist::bare("legacy", "1.0").file("setup.py", script);
        let done = world.build(&sdist).finish();
        done.built(&sdist.wheel());
        assert_eq!(done.tells(&secret), None, "{done}");
    }
}
