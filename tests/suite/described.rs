//! What a distribution says of itself: from its files where they fix it, else from a hook in a worker, else from a wheel.

use std::fs;

use model::Code;
use serde_json::Value;
use tests::decoy::secret;
use tests::{Ear, Outcome, Run, Sdist, Setting, Wheel, World, forged, search, trace};

use crate::{site, world};

/// A hook for metadata that writes what it is told to, after it did something.
fn hook(deed: &str, lines: &str) -> String {
    format!(
        "def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):\n    \
             import os\n    \
             name, version = project()\n    \
             folder = os.path.join(metadata_directory, '%s-%s.dist-info' % (name.replace('-', '_'), version))\n    \
             os.makedirs(folder)\n    \
             path = os.path.join(folder, 'METADATA')\n    \
             text = wheel_file.metadata(name, version) + {lines:?}.encode()\n    \
             with open(path, 'wb') as file:\n        \
                 file.write(text)\n    \
             {deed}\n    \
             return os.path.basename(folder)"
    )
}

/// A backend whose wheel says more than the fixture's does.
fn wheel_that_says(lines: &str) -> String {
    format!(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
             name, version = project()\n    \
             folder, members = wheel_file.parts(name, version, {{}})\n    \
             members[folder + '/METADATA'] += {lines:?}.encode()\n    \
             members[folder + '/RECORD'] = wheel_file.record(folder, members).encode()\n    \
             wheel_file.pack(os.path.join(wheel_directory, wheel_file.filename(name, version)), members)\n    \
             return wheel_file.filename(name, version)"
    )
}

/// An sdist whose PKG-INFO is of version 2.2, with more headers.
fn fixed(name: &str, lines: &str) -> Sdist {
    let headers = format!("Metadata-Version: 2.2\nName: {name}\nVersion: 1.0\n{lines}");
    Sdist::hello(name, "1.0").file("PKG-INFO", headers)
}

/// Prepares `fumehood metadata SPEC` with a JSON answer.
fn metadata<'w, 's>(world: &'w World<'s>, spec: impl AsRef<std::ffi::OsStr>) -> Run<'w, 's> {
    world
        .run(["metadata".as_ref(), spec.as_ref()])
        .args(["--no-binary", ":all:"])
        .places()
        .report()
}

#[track_caller]
fn answer(done: &Outcome<'_, '_>) -> Value {
    done.succeeds();
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done}"))
}

/// The builds that have a log.
fn logs(world: &World<'_>) -> usize {
    let entries = fs::read_dir(world.cache().join("logs-v1"));
    entries.into_iter().flatten().count()
}

#[test]
fn what_the_source_fixes_starts_no_python() {
    // Without namespaces every process sees the real paths.
    let world = World::new(site(), Setting::DENIED);
    if !world.has_program("strace") {
        return;
    }
    // What the interpreter says of itself is asked once.
    metadata(&world, world.archive(&fixed("first", "")))
        .finish()
        .succeeds();
    let table = "[build-system]\nrequires = []\nbuild-backend = 'in_tree'\nbackend-path = ['.']\n\
                 [project]\nname = 'table'\nversion = '1.0'\ndependencies = ['asked>=1']\n";
    let in_table = Sdist::hello("table", "1.0").file("pyproject.toml", table);
    let by_sdist = fixed("sdist", "Requires-Dist: asked>=1\n");
    let python = world.python().path.file_name().expect("a name").to_owned();
    for (sdist, place) in [(&by_sdist, "PKG-INFO"), (&in_table, "pyproject.toml")] {
        let log = world.folder("traces").join(place);
        let done = metadata(&world, world.archive(sdist))
            .traced(&log, "execve,execveat,clone,clone3,fork,vfork")
            .finish();
        let said = answer(&done);
        assert_eq!(said["origin"], "static", "{done}");
        assert_eq!(said["place"], place, "{done}");
        assert_eq!(said["requires_dist"][0], "asked>=1", "{done}");
        assert!(said["isolation"].is_null(), "{done}");
        let calls = trace::calls(&log);
        let started = calls.iter().filter(|call| call.name.starts_with("exec"));
        // What leads to the program is the harness's own.
        let paths = started
            .filter_map(|call| call.paths("/".as_ref()).into_iter().next())
            .skip_while(|path| path != world.program());
        let paths: Vec<_> = paths.collect();
        assert!(!paths.is_empty(), "the trace shows the program's start");
        let pythons: Vec<_> = paths
            .iter()
            .filter(|path| path.file_name() == Some(&python))
            .collect();
        assert!(pythons.is_empty(), "{pythons:?}: {done}");
    }
    assert_eq!(logs(&world), 0);
}

#[test]
fn what_no_file_fixes_is_asked_of_the_hook_once_in_a_worker() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("asks", "1.0").hooks(&hook("", "Requires-Dist: asked>=1\n"));
        world.index.sdist(&sdist);
        let done = metadata(&world, "asks==1.0").finish();
        let said = answer(&done);
        assert_eq!(said["origin"], "hook", "{done}");
        assert_eq!(said["requires_dist"][0], "asked>=1", "{done}");
        assert_eq!(said["isolation"]["level"], setting.level().word(), "{done}");
        assert_eq!(logs(&world), 1, "{done}");
        assert!(world.delivered().is_empty(), "nothing is built: {done}");
        // Kept: without the source, without the network, without a build.
        fs::remove_dir_all(world.cache().join("sources-v1")).expect("the sources are ours");
        let again = metadata(&world, "asks==1.0").args(["--offline"]).finish();
        assert_eq!(answer(&again), said, "{again}");
        assert_eq!(logs(&world), 1, "{again}");
    }
}

#[test]
fn a_kept_answer_that_can_not_be_read_is_asked_for_again() {
    let world = world();
    let sdist = Sdist::hello("asks", "1.0").hooks(&hook("", "Requires-Dist: asked>=1\n"));
    let archive = world.archive(&sdist);
    let said = answer(&metadata(&world, &archive).finish());
    let records = search::files(&world.cache().join("revisions-v1"));
    let [record] = records.as_slice() else {
        panic!("one record: {records:?}");
    };
    forged::reword(&world.cache(), record, "asked>=1", "no requirement at all!");
    let again = metadata(&world, &archive).finish();
    let anew = answer(&again);
    assert_eq!(anew["requires_dist"], said["requires_dist"], "{again}");
    assert_eq!(logs(&world), 2, "{again}");
}

#[test]
fn an_answer_that_was_traced_is_kept_by_nobody() {
    let world = world();
    let sdist = Sdist::hello("asks", "1.0").hooks(&hook("", ""));
    let archive = world.archive(&sdist);
    for logs_by_then in [1, 2] {
        let done = metadata(&world, &archive).args(["--trace"]).finish();
        assert_eq!(answer(&done)["origin"], "hook", "{done}");
        assert_eq!(logs(&world), logs_by_then, "{done}");
    }
    metadata(&world, &archive).finish().succeeds();
    assert_eq!(logs(&world), 3);
}

#[test]
fn without_the_hook_a_wheel_is_built_once_and_kept() {
    let world = world();
    let nothing = "def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):\n    return None";
    for sdist in [
        Sdist::hello("silent", "1.0").hooks(&wheel_that_says("Requires-Dist: asked>=1\n")),
        Sdist::hello("nothing", "1.0")
            .hooks(&wheel_that_says("Requires-Dist: asked>=1\n"))
            .hooks(nothing),
    ] {
        let before = logs(&world);
        let archive = world.archive(&sdist);
        let done = metadata(&world, &archive).finish();
        let said = answer(&done);
        assert_eq!(said["origin"], "wheel", "{done}");
        assert_eq!(said["requires_dist"][0], "asked>=1", "{done}");
        let out = format!("out-{}", sdist.name());
        world
            .wheel(&archive)
            .out(&out)
            .finish()
            .cached(&sdist.wheel());
        assert_eq!(logs(&world), before + 1, "{done}");
    }
}

#[test]
fn a_wheel_that_says_otherwise_than_was_served_is_refused() {
    let world = world();
    let other = wheel_that_says("Requires-Dist: other>=1\n");
    for sdist in [
        fixed("lies", "Requires-Dist: asked>=1\n").hooks(&other),
        Sdist::hello("wavers", "1.0")
            .hooks(&hook("", "Requires-Dist: asked>=1\n"))
            .hooks(&other),
    ] {
        let archive = world.archive(&sdist);
        metadata(&world, &archive).finish().succeeds();
        let done = world.wheel(&archive).finish();
        let failure = done.fails_with(Code::MetadataDiffers);
        assert!(failure.message.contains("Requires-Dist"), "{done}");
        assert!(done.stderr.contains("asked>=1"), "{done}");
        assert!(done.stderr.contains("other>=1"), "{done}");
        assert!(done.stderr.contains("cache clean"), "{done}");
    }
    let kept = search::files(&world.cache().join("wheels-v1"));
    assert!(kept.is_empty(), "{kept:?}");
}

#[test]
fn a_wheel_that_says_the_same_in_other_words_is_taken() {
    let world = world();
    let one = "Requires-Dist: b; extra == 'B'\nRequires-Dist: asked<2,>=1\nProvides-Extra: B\n";
    let two =
        "Requires-Dist: Asked (>=1,<2)\nProvides-Extra: b\nRequires-Dist: b ; extra == \"b\"\n";
    let sdist = fixed("says", one).hooks(&wheel_that_says(two));
    let archive = world.archive(&sdist);
    metadata(&world, &archive).finish().succeeds();
    world.wheel(&archive).finish().built(&sdist.wheel());
}

#[test]
fn a_file_that_names_another_version_than_the_index_fixes_nothing() {
    let world = world();
    let sdist = Sdist::hello("named", "1.0").hooks(&hook("", ""));
    let other = "Metadata-Version: 2.2\nName: named\nVersion: 2.0\nRequires-Dist: asked\n";
    world.index.sdist(&sdist.file("PKG-INFO", other));
    let done = metadata(&world, "named==1.0").finish();
    done.says(Code::WrongName);
}

#[test]
fn the_hook_for_metadata_is_confined_like_a_build() {
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
                     return repr(error)\n    \
             import socket, sys\n    \
             print(attempt(lambda: open({key:?}).read()))\n    \
             print(attempt(lambda: open({outside:?} + '/written', 'w').write('x')))\n    \
             print(attempt(lambda: socket.create_connection(('127.0.0.1', {port}), 2).send(b'x')))\n    \
             print(attempt(lambda: os.spawnl(os.P_NOWAIT, '/bin/sleep', 'sleep', '60')))\n    \
             sys.stdout.flush()",
            key = key.display().to_string(),
            outside = outside.display().to_string(),
            port = ear.port(),
        );
        let sdist = Sdist::hello("hostile", "1.0").hooks(&hook(&deed, ""));
        let done = metadata(&world, world.archive(&sdist)).finish();
        let said = answer(&done);
        assert_eq!(said["origin"], "hook", "{done}");
        assert_eq!(done.tells(&hidden), None, "{done}");
        assert!(search::files(&outside).is_empty(), "{done}");
        assert!(!ear.heard(), "{done}");
        done.is_tidy();
        let denials = said["denials"].as_array().expect("a list");
        let told = denials.iter().any(|denial| denial["what"] == "socket");
        assert!(told, "{done}");
    }
}

#[test]
fn what_the_hook_leaves_is_judged_as_strictly_as_a_wheel() {
    let world = world();
    let target = world.file("outside/METADATA", secret());
    let link = format!(
        "os.remove(path); os.symlink({:?}, path)",
        target.display().to_string()
    );
    for (number, (deed, code)) in [
        (link.as_str(), Code::OutputRefused),
        ("os.rename(path, folder + '/kept'); os.symlink('kept', path)", Code::OutputRefused),
        ("os.remove(path); os.mkfifo(path)", Code::OutputRefused),
        ("os.link(path, folder + '/second')", Code::OutputRefused),
        ("os.rename(folder, metadata_directory + '/away'); os.symlink('away', folder)", Code::OutputRefused),
        ("os.remove(path)", Code::BadWheel),
        ("os.mkdir(os.path.join(metadata_directory, 'second-1.0.dist-info'))", Code::BadWheel),
        ("os.rename(folder, folder.replace('1.0', '2.0'))", Code::BadWheel),
        ("open(path, 'a').write('x' * (5 << 20))", Code::OutputRefused),
        ("open(path, 'w').write('no metadata')", Code::BadWheel),
        ("open(path, 'w').write('Metadata-Version: 2.1\\nName: other\\nVersion: 1.0\\n')", Code::BadWheel),
        ("open(path, 'a').write('X-Found: ' + open(os.path.expanduser('~/.netrc')).read().replace('\\n', ' ') + '\\n')", Code::Canary),
        ("return folder", Code::HookResult),
        ("return 7", Code::HookResult),
    ]
    .into_iter()
    .enumerate()
    {
        let sdist = Sdist::hello(&format!("bad{number}"), "1.0").hooks(&hook(deed, ""));
        let done = metadata(&world, world.archive(&sdist)).finish();
        done.says(code);
        let failure = done.fails_with(code);
        assert!(failure.log.is_some(), "{deed}: {done}");
    }
}

#[test]
fn an_index_s_wheel_says_it_itself() {
    let world = world();
    world.index.wheel(&Wheel::new("base", "1.0"));
    let done = world
        .run(["metadata", "base==1.0"])
        .places()
        .report()
        .finish();
    let said = answer(&done);
    assert_eq!(said["origin"], "wheel", "{done}");
    assert!(
        said["isolation"].is_null() && said["source"].is_null(),
        "{done}"
    );
    let done = world.run(["metadata", "base==1.0"]).places().finish();
    done.succeeds();
    assert!(done.stdout.contains("base 1.0"), "{done}");
    assert!(done.stdout.contains("no code ran"), "{done}");
}

#[test]
fn a_failure_is_told_in_the_form_that_was_asked_for() {
    let world = world();
    world
        .index
        .sdist(&Sdist::hello("broken", "1.0").hooks(&hook("raise ValueError('no')", "")));
    let asked = |spec: &str, words: &[&str]| {
        let run = world.run(["metadata", spec]).args(words).places();
        run.args(["--no-binary", ":all:"])
    };
    let json = ["--output-format", "json"];
    for (spec, code, told, has_log) in [
        ("broken", Code::Backend, Some("broken"), true),
        ("nobody", Code::UnknownProject, Some("nobody"), false),
        ("no requirement!", Code::BadSpec, None, false),
    ] {
        let done = asked(spec, &json).finish_anyhow();
        done.says(code);
        let failure = done.fails_with(code);
        assert_eq!(failure.spec.as_deref(), told, "{done}");
        assert_eq!(failure.log.is_some(), has_log, "{done}");
        // For people the answer is empty.
        let done = asked(spec, &[]).finish_anyhow();
        done.says(code);
        assert_eq!(done.stdout, "", "{done}");
    }
    let done = asked("broken", &json).args(["--no-cache"]).finish_anyhow();
    let failure = done.fails_with(Code::Backend);
    assert_eq!(failure.log, None, "the log is gone with the cache: {done}");
    let done = asked("broken", &json).args(["-o", "dist"]).finish_anyhow();
    let failure = done.fails_with(Code::BadFlag);
    assert!(failure.message.contains("delivers no wheels"), "{done}");
}
