//! People look at archives and wheels through the same eyes: `inspect` and `verify`, which run nothing.

use std::fs;

use model::Code;
use serde_json::Value;
use tests::{Flaw, Outcome, Sdist, Setting, World};

use crate::{site, world};

fn answer(done: &Outcome<'_, '_>) -> Value {
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done}"))
}

/// Looks at a file, and sees that its code did not run and that nothing but a cache was touched.
fn inspect<'w>(world: &'w World<'static>, path: &std::path::Path) -> Outcome<'w, 'static> {
    world
        .run(["inspect"])
        .args([path])
        .args(["--cache-dir".as_ref(), world.cache().as_os_str()])
        .args(["--output-format", "json"])
        .finish()
}

#[test]
fn a_source_archive_of_each_kind_is_looked_at_and_none_of_it_runs() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let ran = world.folder("a").join("ran");
        let sdist = Sdist::hello("hello", "1.0")
            .prologue(&format!("open({:?}, 'w')", ran.display().to_string()))
            .file("setup.py", "raise SystemExit('it ran')");
        for (extension, bytes) in [
            ("tar.gz", sdist.tar_gz()),
            ("tar", sdist.tar()),
            ("zip", sdist.zip()),
            ("tar.bz2", sdist.tar_bz2()),
            ("tar.xz", sdist.tar_xz()),
        ] {
            let path = world.file(format!("sdists/hello-1.0.{extension}"), bytes);
            let done = inspect(&world, &path);
            done.succeeds();
            let seen = answer(&done);
            assert_eq!(seen["kind"], "sdist", "{done}");
            assert_eq!(
                (&seen["name"], &seen["version"]),
                (&"hello".into(), &"1.0".into()),
                "{done}"
            );
            assert_eq!(seen["sdist"]["backend"], "in_tree", "{done}");
            assert_eq!(seen["sdist"]["backend_path"][0], ".", "{done}");
            let runs = seen["sdist"]["runs"].as_array().expect("a list").len();
            assert_eq!(
                runs, 2,
                "the backend's hooks, and that it is the archive's own: {done}"
            );
        }
        assert!(!ran.exists(), "the backend ran");
    }
}

#[test]
fn what_the_supervisor_decodes_needs_no_cache() {
    let world = world();
    let path = world.archive(&Sdist::hello("hello", "1.0"));
    inspect(&world, &path).succeeds();
    assert!(
        !world.cache().exists(),
        "looking at a tar.gz writes nothing"
    );
}

#[test]
fn an_archive_that_no_build_would_take_is_told_with_the_rule() {
    let world = world();
    for flaw in Flaw::ALL {
        let sdist = Sdist::hello("flawed", "1.0");
        let bytes = flaw.spoil(&sdist, "/nowhere");
        let path = world.file(
            format!("sdists/{}", sdist.filename(flaw.extension())),
            bytes,
        );
        let done = inspect(&world, &path);
        done.exits_with(Code::BadArchive);
        let seen = answer(&done);
        assert_eq!(
            seen["refusals"][0]["code"],
            Code::BadArchive.text(),
            "{flaw:?}: {done}"
        );
        let printable = |text: &str| text.chars().all(|sign| sign == '\n' || !sign.is_control());
        assert!(printable(&done.stdout), "{flaw:?}: {done}");
    }
    let path = world.archive(&Sdist::bare("nothing", "1.0"));
    let done = inspect(&world, &path);
    assert_ne!(answer(&done)["refusals"][0], Value::Null, "{done}");
    let done = inspect(&world, &world.folder("nowhere").join("x.tar.gz"));
    done.says(Code::BadFlag);
}

#[test]
fn a_setup_py_is_named_as_what_setuptools_would_run() {
    let world = world();
    let sdist = Sdist::bare("old", "1.0").file("setup.py", "import setuptools");
    let path = world.archive(&sdist);
    let done = world.run(["inspect"]).args([&path]).finish();
    done.succeeds();
    assert!(
        done.stdout
            .contains("`setup.py` of the archive, by setuptools"),
        "{done}"
    );
    assert!(
        done.stdout.contains("setuptools.build_meta:__legacy__"),
        "{done}"
    );
}

/// Builds the fixture of the faults with one that is noted, and returns the wheel's path.
fn with(world: &World<'_>, fault: &str) -> std::path::PathBuf {
    let targets = serde_json::json!({"fault": fault, "outside": "/"});
    let sdist = Sdist::fixture("bad_output").targets(&targets);
    let done = world.build(&sdist).finish();
    let wheel = done.built(&sdist.wheel());
    world.folder("work").join(wheel.path)
}

#[test]
fn a_wheel_is_looked_at_with_its_notes_and_its_broken_rules() {
    let world = world();
    let path = with(&world, "pth");
    let done = inspect(&world, &path);
    done.succeeds();
    let seen = answer(&done);
    assert_eq!(
        (&seen["kind"], &seen["name"]),
        (&"wheel".into(), &"bad-output".into()),
        "{done}"
    );
    assert_eq!(seen["wheel"]["record"], "sound", "{done}");
    assert_eq!(seen["wheel"]["tags"][0], "py3-none-any", "{done}");
    let notes = seen["notes"].to_string();
    assert!(notes.contains("start.pth"), "{done}");
    // One byte of a stored name changed: the zip contradicts itself.
    let mut bytes = fs::read(&path).expect("a wheel can be read");
    bytes[32] ^= 1;
    let bent = world.file("bent/bad_output-1.0-py3-none-any.whl", bytes);
    let done = inspect(&world, &bent);
    done.exits_with(Code::BadWheel);
    assert_eq!(answer(&done)["wheel"]["record"], "unread", "{done}");
    let text = world.run(["inspect"]).args([&bent]).finish();
    assert!(text.stdout.contains("refused     error[F0403]"), "{text}");
}

#[test]
fn a_wheel_is_verified_by_its_bytes_and_by_nothing_else() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let path = with(&world, "nothing");
        let verify = |path: &std::path::Path, more: &[&str]| {
            let run = world.run(["verify"]).args([path]).args(more);
            run.args(["--cache-dir".as_ref(), world.cache().as_os_str()])
                .args(["--output-format", "json"])
                .finish()
        };
        let done = verify(&path, &[]);
        done.succeeds();
        let said = answer(&done);
        assert_eq!(said["build"]["level"], setting.level().word(), "{done}");
        assert_eq!(said["refusals"], Value::Array(Vec::new()), "{done}");
        let record = said["build"]["record"]
            .as_str()
            .expect("a place")
            .to_owned();

        // The same files, packed otherwise: RECORD is right, the bytes are others.
        let mut bytes = fs::read(&path).expect("a wheel can be read");
        let other = world.file("other/bad_output-1.0-py3-none-any.whl", again(&bytes));
        let done = verify(&other, &[]);
        done.exits_with(Code::NoRecord);
        assert_eq!(answer(&done)["record"], "sound", "{done}");
        let done = verify(&other, &["--record", &record]);
        done.exits_with(Code::HashMismatch);
        let renamed = world.file("other/bad_output-1.0-py2-none-any.whl", &bytes);
        verify(&renamed, &[]).exits_with(Code::WrongName);
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let bent = world.file("bent/bad_output-1.0-py3-none-any.whl", bytes);
        verify(&bent, &["--record", &record]).exits_with(Code::BadWheel);
        verify(&path, &["--record", "/dev/null"]).says(Code::BadFlag);
    }
}

/// Packs the members of a zip again, none compressed.
fn again(bytes: &[u8]) -> Vec<u8> {
    use std::io::{Cursor, Read as _, Write as _};
    let mut from = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    let mut into = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for index in 0..from.len() {
        let mut member = from.by_index(index).expect("a member");
        let mut content = Vec::new();
        member.read_to_end(&mut content).expect("a sound member");
        let name = member.name().expect("a plain name").into_owned();
        into.start_file(name, stored)
            .and_then(|()| into.write_all(&content).map_err(Into::into))
            .expect("memory takes it");
    }
    into.finish().expect("memory takes it").into_inner()
}
