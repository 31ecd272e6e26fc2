//! `fumehood build`: an sdist from a source tree, judged like a wheel, and a wheel from that sdist.

use model::Code;
use tests::decoy::secret;
use tests::search::member;
use tests::{Ear, Run, Sdist, Setting, Wheel, World, search};

use crate::{site, world};

/// A hook that packs the tree, but for one file, after something was done to the archive's members.
fn hook(deed: &str) -> String {
    format!(
        "def build_sdist(sdist_directory, config_settings=None):\n    \
             import io, tarfile\n    \
             name, version = project()\n    \
             top = '%s-%s' % (name.replace('-', '_'), version)\n    \
             filename = top + '.tar.gz'\n    \
             members = {{}}\n    \
             for one in sorted(os.listdir('.')):\n        \
                 if os.path.isfile(one) and one != 'left-out':\n            \
                     members[top + '/' + one] = open(one, 'rb').read()\n    \
             links = {{}}\n    \
             def pack():\n        \
                 with tarfile.open(os.path.join(sdist_directory, filename), 'w:gz') as archive:\n            \
                     for member, content in members.items():\n                \
                         info = tarfile.TarInfo(member)\n                \
                         info.size = len(content)\n                \
                         archive.addfile(info, io.BytesIO(content))\n            \
                     for member, target in links.items():\n                \
                         info = tarfile.TarInfo(member)\n                \
                         info.type = tarfile.SYMTYPE\n                \
                         info.linkname = target\n                \
                         archive.addfile(info)\n    \
             {deed}\n    \
             pack()\n    \
             return filename"
    )
}

/// A hook whose wheel lists the files that it was built beside.
const LISTING: &str = "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
    names = ' '.join(sorted(os.listdir('.')))\n    \
    return wheel_file.write(wheel_directory, *project(), files={'listing': names.encode()})";

/// A tree with a file that its sdist leaves out.
fn tree(name: &str, deed: &str) -> Sdist {
    Sdist::hello(name, "1.0")
        .hooks(LISTING)
        .hooks(&hook(deed))
        .file("left-out", "of the sdist\n")
}

/// Prepares `fumehood build` of a tree.
fn build<'w, 's>(world: &'w World<'s>, sdist: &Sdist) -> Run<'w, 's> {
    let tree = world.lay(&format!("trees/{}", sdist.name()), sdist);
    world.run(["build".as_ref(), tree.as_os_str()]).places()
}

#[test]
fn an_sdist_is_made_and_a_wheel_from_that_sdist() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let done = build(&world, &tree("thing", "")).report().finish();
        let wheel = done.wheel();
        let report = done.report();
        let [sdist] = report.sdists.as_slice() else {
            panic!("one sdist: {done}");
        };
        assert_eq!(sdist.filename, "thing-1.0.tar.gz", "{done}");
        let bytes = std::fs::read(world.out().join(&sdist.filename)).expect("it is delivered");
        assert_eq!(search::sha256(&bytes), sdist.sha256, "{done}");
        let isolation = sdist.isolation.as_ref().expect("it was made in a worker");
        assert_eq!(isolation.level, setting.level().word(), "{done}");
        let source = wheel.source.expect("it was built");
        assert_eq!(source.sha256, sdist.sha256, "{done}");
        let listing = member(&world.out().join(&wheel.filename), "listing");
        let listing = String::from_utf8_lossy(&listing).into_owned();
        assert!(listing.contains("PKG-INFO"), "{listing}");
        assert!(!listing.contains("left-out"), "{listing}");
    }
}

#[test]
fn the_paths_are_printed_the_sdist_first() {
    let world = world();
    let done = build(&world, &tree("thing", "")).finish();
    done.succeeds();
    let lines: Vec<_> = done.stdout.lines().collect();
    let out = world.out();
    let paths = ["thing-1.0.tar.gz", "thing-1.0-py3-none-any.whl"].map(|name| out.join(name));
    assert_eq!(
        lines,
        paths.map(|path| path.display().to_string()),
        "{done}"
    );
    assert!(done.stderr.contains("1 sdist, 1 built"), "{done}");
}

#[test]
fn one_of_them_or_both_from_the_tree_are_made_when_asked_for() {
    let world = world();
    let sdist = tree("thing", "");
    for (flags, names, left_out) in [
        (&["--sdist"][..], &["thing-1.0.tar.gz"][..], None),
        (&["--wheel"], &["thing-1.0-py3-none-any.whl"], Some(true)),
        (
            &["--sdist", "--wheel"],
            &["thing-1.0-py3-none-any.whl", "thing-1.0.tar.gz"],
            Some(true),
        ),
        (
            &[],
            &["thing-1.0-py3-none-any.whl", "thing-1.0.tar.gz"],
            Some(false),
        ),
    ] {
        let done = build(&world, &sdist).args(flags).finish();
        done.succeeds();
        assert_eq!(world.delivered(), names, "{flags:?}: {done}");
        if let Some(from_tree) = left_out {
            let wheel = world.out().join("thing-1.0-py3-none-any.whl");
            let listing = String::from_utf8_lossy(&member(&wheel, "listing")).into_owned();
            assert_eq!(listing.contains("left-out"), from_tree, "{flags:?}: {done}");
        }
        std::fs::remove_dir_all(world.out()).expect("the output is ours");
    }
}

#[test]
fn an_sdist_is_made_of_no_sdist() {
    let world = world();
    let archive = world.archive(&Sdist::hello("thing", "1.0"));
    for flags in [&[][..], &["--sdist"]] {
        let done = world
            .run(["build".as_ref(), archive.as_os_str()])
            .args(flags)
            .places()
            .finish();
        done.says(Code::BadFlag);
        assert!(done.stderr.contains("build --wheel"), "{done}");
    }
    let done = world
        .run(["build".as_ref(), archive.as_os_str()])
        .args(["--wheel"])
        .places()
        .report()
        .finish();
    done.built("thing-1.0-py3-none-any.whl");
}

#[test]
fn what_the_hook_for_sdists_asks_for_is_there_and_the_hook_for_wheels_is_not_asked() {
    let world = world();
    world.index.wheel(&Wheel::new("late", "1.0"));
    let asks = "def get_requires_for_build_sdist(config_settings=None):\n    return ['late>=1']";
    let refuses = "def get_requires_for_build_wheel(config_settings=None):\n    raise SystemExit('asked for a wheel')";
    let sdist = tree("thing", "import late").hooks(asks).hooks(refuses);
    let done = build(&world, &sdist).args(["--sdist"]).finish();
    done.succeeds();
    assert_eq!(world.delivered(), ["thing-1.0.tar.gz"], "{done}");
}

#[test]
fn a_backend_without_the_hook_is_told_by_its_name() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    let done = build(&world, &sdist).report().finish();
    done.fails_with(Code::HookResult);
    assert!(done.stderr.contains("build_sdist of in_tree"), "{done}");
}

#[test]
fn an_sdist_that_is_not_what_it_should_be_is_refused() {
    let world = world();
    let target = world.file("outside/thing.tar.gz", secret());
    let link = format!(
        "os.symlink({:?}, os.path.join(sdist_directory, filename)); return filename",
        target.display().to_string()
    );
    let place = "os.path.join(sdist_directory, filename)";
    let inside = format!(
        "pack(); kept = os.path.dirname(sdist_directory) + '/kept'; os.rename({place}, kept); os.symlink(kept, {place}); return filename"
    );
    let linked = format!(
        "pack(); os.link({place}, os.path.dirname(sdist_directory) + '/second'); return filename"
    );
    let zip = format!(
        "import zipfile; zipfile.ZipFile({place}, 'w').writestr(top + '/PKG-INFO', members[top + '/PKG-INFO']); return filename"
    );
    for (number, (deed, code)) in [
        (link.as_str(), Code::OutputRefused),
        (&inside, Code::OutputRefused),
        (&linked, Code::OutputRefused),
        ("return filename", Code::OutputRefused),
        (
            "open(os.path.join(sdist_directory, 'second'), 'w').close()",
            Code::OutputRefused,
        ),
        ("filename = top + '.zip'", Code::BadSdist),
        (&zip, Code::BadSdist),
        ("filename = 'other-1.0.tar.gz'", Code::BadSdist),
        ("filename = filename.replace('1.0', '2.0')", Code::WrongName),
        (
            "members[top + '/PKG-INFO'] = b'Metadata-Version: 2.1\\nName: other\\nVersion: 1.0\\n'",
            Code::BadSdist,
        ),
        (
            "members[top + '/PKG-INFO'] = b'no metadata'",
            Code::BadSdist,
        ),
        ("del members[top + '/PKG-INFO']", Code::BadSdist),
        ("del members[top + '/pyproject.toml']", Code::BadSdist),
        ("members[top + '/../../climbs'] = b'x'", Code::BadSdist),
        ("members['/tmp/absolute'] = b'x'", Code::BadSdist),
        ("members['beside/file'] = b'x'", Code::BadSdist),
        ("links[top + '/out'] = '../../outside'", Code::BadSdist),
        ("links[top + '/passwd'] = '/etc/passwd'", Code::BadSdist),
        (
            "members[top + '/found'] = open(os.path.expanduser('~/.netrc'), 'rb').read()",
            Code::Canary,
        ),
        ("return '../' + filename", Code::HookResult),
    ]
    .into_iter()
    .enumerate()
    {
        let sdist = tree(&format!("bad{number}"), deed);
        let done = build(&world, &sdist).report().finish();
        let failure = done.fails_with(code);
        assert!(failure.log.is_some(), "{deed}: {done}");
    }
    let kept = search::files(&world.cache().join("wheels-v1"));
    assert!(kept.is_empty(), "no wheel comes of it: {kept:?}");
}

#[test]
fn an_odd_name_is_put_right_with_a_note_or_refused_as_asked() {
    let world = world();
    let sdist = tree("odd-name", "filename = 'Odd.Name-1.0.tar.gz'");
    let done = build(&world, &sdist)
        .args(["--strict-output"])
        .report()
        .finish();
    done.fails_with(Code::BadSdist);
    let done = build(&world, &sdist).report().finish();
    let _ = done.wheel();
    let report = done.report();
    assert_eq!(report.sdists[0].filename, "odd_name-1.0.tar.gz", "{done}");
    assert!(report.sdists[0].notes[0].contains("Odd.Name"), "{done}");
}

#[test]
fn the_hook_for_sdists_is_confined_like_a_build() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let hidden = secret();
        let key = world.file("home/key", &hidden);
        let outside = world.folder("outside");
        let ear = Ear::tcp();
        let deed = format!(
            "def attempt(act):\n        \
                 try:\n            \
                     return act()\n        \
                 except Exception as error:\n            \
                     return repr(error).encode()\n    \
             import socket\n    \
             members[top + '/spoils'] = attempt(lambda: open({key:?}, 'rb').read())\n    \
             attempt(lambda: open({outside:?} + '/written', 'w').write('x'))\n    \
             attempt(lambda: socket.create_connection(('127.0.0.1', {port}), 2).send(b'x'))\n    \
             attempt(lambda: os.spawnl(os.P_NOWAIT, '/bin/sleep', 'sleep', '60'))",
            key = key.display().to_string(),
            outside = outside.display().to_string(),
            port = ear.port(),
        );
        let done = build(&world, &tree("hostile", &deed)).report().finish();
        let _ = done.wheel();
        assert_eq!(done.tells(&hidden), None, "{done}");
        assert!(search::files(&outside).is_empty(), "{done}");
        assert!(!ear.heard(), "{done}");
        done.is_tidy();
    }
}

#[test]
fn a_real_backend_makes_both() {
    let world = world();
    world.index.real(site().inputs());
    for (backend, requires) in [
        ("hatchling.build", "hatchling"),
        ("setuptools.build_meta", "setuptools"),
    ] {
        let name = requires.replace("ing", "ed");
        let sdist = Sdist::bare(&name, "1.0")
            .without("PKG-INFO")
            .file(
                "pyproject.toml",
                format!(
                    "[build-system]\nrequires = ['{requires}']\nbuild-backend = '{backend}'\n\
                     [project]\nname = '{name}'\nversion = '1.0'\ndependencies = ['asked>=1,<2']\n\
                     [project.optional-dependencies]\nmore = ['b; python_version < \"4\"']\n"
                ),
            )
            .file(&format!("src/{name}/__init__.py"), "word = 'hello'\n");
        // What the table fixes, the wheel has to say as well.
        let place = world.lay(&format!("trees/{name}"), &sdist);
        let done = world
            .run(["metadata".as_ref(), place.as_os_str()])
            .places()
            .finish();
        done.succeeds();
        assert!(
            done.stdout.contains("pyproject.toml; no code ran"),
            "{done}"
        );
        let done = build(&world, &sdist).report().finish();
        let wheel = done.wheel();
        assert_eq!(wheel.version, "1.0", "{done}");
        assert_eq!(
            done.report().sdists[0].notes,
            Vec::<String>::new(),
            "{done}"
        );
        let done = build(&world, &sdist).args(["--wheel"]).report().finish();
        let _ = done.wheel();
        std::fs::remove_dir_all(world.out()).expect("the output is ours");
    }
}
