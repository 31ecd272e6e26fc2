//! Wheels that are refused, each beside one that differs in the fault alone and is accepted.

use model::{Code, Sha256};

use super::world::{Wheel, World};
use crate::install::{InstallError, stage};

fn sound() -> Wheel {
    Wheel::new("pkg", "1.0").with("pkg.py", "x = 1\n")
}

/// Asserts that the wheel is refused with these words, and that nothing was staged.
fn refused(world: &World, wheel: &Wheel, words: &str) {
    let error = world.stage(&[wheel]).expect_err(words);
    assert_eq!(error.code(), Code::BadWheel, "{error}");
    assert!(
        error.to_string().contains(words),
        "`{words}` is not in: {error}"
    );
    let staging = world.cache.bucket(cache::Bucket::Staging);
    assert_eq!(std::fs::read_dir(staging).unwrap().count(), 0);
}

#[test]
fn a_record_that_does_not_fit_is_refused() {
    let world = World::new();
    world.stage(&[&sound()]).unwrap();
    let zeros = format!("sha256={},6", "A".repeat(43));
    let wrong = sound().row("pkg.py", Some(&zeros));
    refused(
        &world,
        &wrong,
        "`pkg.py` does not have the digest that RECORD states",
    );
    refused(
        &world,
        &sound().row("pkg.py", None),
        "`pkg.py` is not in RECORD",
    );
    refused(
        &world,
        &sound().row("ghost.py", Some(&zeros)),
        "RECORD names `ghost.py`, which is missing",
    );
    refused(
        &world,
        &sound().row("pkg.py", Some(",6")),
        "RECORD states no digest of `pkg.py`",
    );
    refused(
        &world,
        &sound().row("pkg.py", Some("md5=AAAA,6")),
        "other than sha256",
    );
    refused(
        &world,
        &sound().row("pkg.py", Some("sha256=AAAA,6")),
        "length",
    );
    refused(&world, &sound().row("pkg.py", Some("sha256=!,6")), "base64");
    let size = sound().row("pkg.py", Some(&zeros.replace(",6", ",7")));
    refused(&world, &size, "has not the size that RECORD states");
    refused(
        &world,
        &sound().with("pkg-1.0.dist-info/RECORD", ""),
        "is not in RECORD",
    );
}

#[test]
fn other_strong_digests_are_accepted_and_checked() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use sha2::Digest;
    let world = World::new();
    let good = URL_SAFE_NO_PAD.encode(sha2::Sha512::digest(b"x = 1\n"));
    let row = format!("sha512={good},6");
    world.stage(&[&sound().row("pkg.py", Some(&row))]).unwrap();
    let bad = URL_SAFE_NO_PAD.encode(sha2::Sha512::digest(b"x = 2\n"));
    let row = format!("sha512={bad},6");
    refused(
        &world,
        &sound().row("pkg.py", Some(&row)),
        "does not have the digest",
    );
}

#[test]
fn names_that_leave_the_environment_are_refused() {
    let world = World::new();
    for name in [
        "../outside.py",
        "/outside.py",
        "a/../../outside.py",
        "a//b.py",
        "./a.py",
        "a\\..\\b.py",
        "a\u{1b}[2J.py",
        "pkg-1.0.data/scripts/../../../../outside",
        "pkg-1.0.data/data/../x",
    ] {
        let wheel = sound().with(name, "x");
        let error = world.stage(&[&wheel]).expect_err(name);
        assert_eq!(error.code(), Code::BadWheel, "{name}");
        assert!(!error.to_string().contains('\u{1b}'));
    }
    let long = format!("{}.py", "a".repeat(300));
    refused(&world, &sound().with(&long, "x"), "too long a name");
    let deep = "a/".repeat(80) + "x.py";
    refused(&world, &sound().with(&deep, "x"), "too long a path");
}

#[test]
fn links_are_refused_whatever_they_point_at() {
    let world = World::new();
    for target in ["/etc/passwd", "pkg.py"] {
        refused(
            &world,
            &sound().link("link.py", target),
            "`link.py` is a link or special file",
        );
    }
}

#[test]
fn what_is_ours_can_not_be_replaced() {
    let world = World::new();
    for path in ["pyvenv.cfg", "bin/python", "bin/python3/x", "bin"] {
        let wheel = sound().with(&format!("pkg-1.0.data/data/{path}"), "x");
        let error = world.stage(&[&wheel]).expect_err(path);
        assert!(
            matches!(error, InstallError::Conflict { .. }),
            "{path}: {error}"
        );
    }
    let wheel = sound().entry_points("[console_scripts]\npython = pkg:main\n");
    let error = world.stage(&[&wheel]).unwrap_err();
    assert!(matches!(error, InstallError::Conflict { .. }), "{error}");
}

#[test]
fn two_wheels_with_different_content_in_one_place_are_a_conflict() {
    let world = World::new();
    let other = Wheel::new("other", "1").with("pkg.py", "x = 2\n");
    let error = world.stage(&[&sound(), &other]).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.code(), Code::BadWheel);
    assert!(
        text.contains("pkg-1.0-py3-none-any.whl") && text.contains("other-1-py3-none-any.whl"),
        "{text}"
    );
    let folder = Wheel::new("other", "1").with("pkg.py/inner.py", "");
    let error = world.stage(&[&sound(), &folder]).unwrap_err();
    assert!(matches!(error, InstallError::Conflict { .. }), "{error}");
}

#[test]
fn a_wheel_that_is_not_the_one_named_is_refused() {
    let world = World::new();
    let mut renamed = sound();
    renamed.filename = "other-1.0-py3-none-any.whl".to_owned();
    refused(&world, &renamed, "another project or version");
    let mut renumbered = sound();
    renumbered.filename = "pkg-1.1-py3-none-any.whl".to_owned();
    refused(&world, &renumbered, "another project or version");
    let metadata = "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n";
    let lying = sound().with("pkg-1.0.dist-info/METADATA", metadata);
    refused(&world, &lying, "METADATA names another");
    refused(
        &world,
        &sound().without("pkg-1.0.dist-info/METADATA"),
        "no METADATA",
    );
    refused(
        &world,
        &sound().without("pkg-1.0.dist-info/WHEEL"),
        "no WHEEL",
    );
    let future = sound().with("pkg-1.0.dist-info/WHEEL", "Wheel-Version: 2.0\n");
    refused(&world, &future, "its format is 2.0");
    refused(
        &world,
        &sound().with("evil-1.dist-info/METADATA", "x"),
        "2 .dist-info folders",
    );
}

#[test]
fn bytes_that_were_not_chosen_are_refused_before_anything_else() {
    let world = World::new();
    let mut input = world.input(&sound());
    input.sha256 = Sha256::of("something else");
    let error = stage(&world.cache, &[input], &world.facts).unwrap_err();
    assert_eq!(error.code(), Code::HashMismatch);
    let mut input = world.input(&sound());
    std::fs::write(&input.path, "no zip").unwrap();
    input.sha256 = Sha256::of("no zip");
    let error = stage(&world.cache, &[input], &world.facts).unwrap_err();
    assert_eq!(error.code(), Code::BadWheel);
}

#[test]
fn entry_points_and_data_of_unknown_kind_are_refused() {
    let world = World::new();
    let escape = sound().entry_points("[console_scripts]\n../../x = pkg:main\n");
    refused(&world, &escape, "no file name");
    let code = sound().entry_points("[console_scripts]\nx = pkg:main(); import os\n");
    refused(&world, &code, "no module and function");
    refused(
        &world,
        &sound().with("pkg-1.0.data/stdlib/os.py", ""),
        "unknown kind `stdlib`",
    );
    let options = sound().with("pkg-1.0.data/scripts/x", "#!python \"; rm\n");
    refused(&world, &options, "options that can not be kept");
}

#[test]
fn a_wheel_that_would_fill_the_disk_is_refused() {
    let world = World::new();
    let bomb = sound().raw("zeros", &vec![0; 64 * 1024 * 1024], 0o644);
    refused(&world, &bomb, "it would unpack to");
    let large = sound().raw("zeros", &vec![0; 16 * 1024 * 1024], 0o644);
    world.stage(&[&large]).unwrap();
}
