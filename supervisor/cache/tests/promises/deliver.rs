//! Delivering: whole or not at all, and the directory is judged before work starts.

use std::fs;
use std::path::PathBuf;

use cache::{CacheError, check_out_dir};
use model::Code;

use crate::support::{deliver, folder, folder_of_nobody, listing, set_mode, unprivileged};

struct Desk {
    dir: tempfile::TempDir,
    wheel: PathBuf,
    out: PathBuf,
}

fn desk() -> Desk {
    let dir = folder();
    let wheel = dir.path().join("built.whl");
    fs::write(&wheel, b"wheel").unwrap();
    let out = dir.path().join("out/dist");
    Desk { dir, wheel, out }
}

#[test]
fn a_file_is_delivered_and_replaces_an_older_one() {
    let desk = desk();
    check_out_dir(&desk.out).unwrap();
    assert!(!desk.out.exists());
    for text in ["first", "second"] {
        fs::write(&desk.wheel, text).unwrap();
        let path = deliver(&desk.wheel, &desk.out, "a.whl").unwrap();
        assert_eq!(path, desk.out.join("a.whl"));
        assert_eq!(fs::read_to_string(path).unwrap(), text);
        assert_eq!(listing(&desk.out), ["a.whl"]);
    }
}

#[test]
fn many_files_are_delivered_at_once_and_one_that_fails_keeps_no_other_back() {
    let desk = desk();
    let names: Vec<_> = (0..40).map(|at| format!("{at}.whl")).collect();
    let bytes = |at: usize| format!("wheel {at}");
    let files: Vec<_> = (0..40)
        .map(|at| {
            let file = desk.dir.path().join(at.to_string());
            fs::write(&file, bytes(at)).unwrap();
            (file, model::Sha256::of(bytes(at)))
        })
        .collect();
    fs::write(&files[7].0, b"something else").unwrap();
    fs::remove_file(&files[31].0).unwrap();
    let deliveries: Vec<_> = files
        .iter()
        .zip(&names)
        .map(|((file, expected), name)| cache::Delivery {
            file,
            name,
            expected,
        })
        .collect();
    let done = cache::deliver_all(&desk.out, &deliveries);
    assert_eq!(done.len(), 40);
    for (at, answer) in done.iter().enumerate() {
        match at {
            7 | 31 => assert!(answer.is_err(), "{at}"),
            _ => {
                let path = answer.as_ref().unwrap();
                assert_eq!(*path, desk.out.join(&names[at]));
                assert_eq!(fs::read_to_string(path).unwrap(), bytes(at));
            }
        }
    }
    assert_eq!(listing(&desk.out).len(), 38);
    assert!(cache::deliver_all(&desk.out, &[]).is_empty());
}

#[test]
fn a_link_in_the_way_is_replaced_and_not_followed() {
    let desk = desk();
    let outside = desk.dir.path().join("outside");
    fs::write(&outside, b"untouched").unwrap();
    fs::create_dir_all(&desk.out).unwrap();
    std::os::unix::fs::symlink(&outside, desk.out.join("a.whl")).unwrap();
    deliver(&desk.wheel, &desk.out, "a.whl").unwrap();
    assert_eq!(fs::read(&outside).unwrap(), b"untouched");
    assert_eq!(fs::read(desk.out.join("a.whl")).unwrap(), b"wheel");
}

#[test]
fn what_stands_in_the_way_leaves_no_part() {
    let desk = desk();
    fs::create_dir_all(desk.out.join("a.whl/inner")).unwrap();
    let error = deliver(&desk.wheel, &desk.out, "a.whl").unwrap_err();
    assert_eq!(error.code(), Code::OutDir, "{error:?}");
    assert_eq!(listing(&desk.out), ["a.whl"]);
    let file = desk.dir.path().join("file");
    fs::write(&file, b"").unwrap();
    for out in [file.clone(), file.join("below")] {
        let error = check_out_dir(&out).unwrap_err();
        assert_eq!(error.code(), Code::OutDir, "{out:?}");
    }
    for out in [
        file.clone(),
        file.join("below"),
        "/proc/nothing/here".into(),
    ] {
        let error = deliver(&desk.wheel, &out, "a.whl").unwrap_err();
        assert_eq!(error.code(), Code::OutDir, "{out:?}");
    }
}

#[test]
fn what_a_killed_delivery_left_goes_with_the_next_one_and_nothing_else() {
    let desk = desk();
    fs::create_dir_all(&desk.out).unwrap();
    let file = |name: &str| {
        let path = desk.out.join(name);
        fs::write(&path, b"half").unwrap();
        fs::File::open(path).unwrap()
    };
    file(".fumehood-0123456789abcdef");
    file(".fumehood-notes");
    let held = file(".fumehood-fedcba9876543210");
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    fs::create_dir(desk.out.join(".fumehood-00000000000000aa")).unwrap();
    deliver(&desk.wheel, &desk.out, "a.whl").unwrap();
    let left = [
        ".fumehood-00000000000000aa",
        ".fumehood-fedcba9876543210",
        ".fumehood-notes",
        "a.whl",
    ];
    assert_eq!(listing(&desk.out), left);
}

#[test]
fn a_directory_that_can_not_be_written_is_recognised_before() {
    let (_dir, theirs) = folder_of_nobody();
    set_mode(&theirs, 0o500);
    let desk = desk();
    let wheel = desk.wheel.clone();
    unprivileged(move || {
        for out in [theirs.clone(), theirs.join("below/it")] {
            assert_eq!(check_out_dir(&out).unwrap_err().code(), Code::OutDir);
            let error = deliver(&wheel, &out, "a.whl").unwrap_err();
            assert_eq!(error.code(), Code::OutDir);
            assert!(error.hint().unwrap().contains("--out-dir"));
        }
    });
}

#[test]
fn the_name_has_to_be_plain_and_the_file_to_be_there() {
    let desk = desk();
    for name in ["", "..", "../a.whl", "a/b.whl", "/a.whl"] {
        let error = deliver(&desk.wheel, &desk.out, name).unwrap_err();
        assert!(matches!(error, CacheError::Name { .. }), "{error:?}");
    }
    let missing = desk.dir.path().join("missing");
    assert_eq!(
        deliver(&missing, &desk.out, "a.whl").unwrap_err().code(),
        Code::Removed
    );
    assert!(!desk.out.exists());
}

#[test]
fn bytes_that_are_not_those_that_were_kept_are_not_delivered() {
    let desk = desk();
    fs::create_dir_all(&desk.out).unwrap();
    fs::write(desk.out.join("a.whl"), b"older").unwrap();
    let kept = model::Sha256::of(b"wheel");
    fs::write(&desk.wheel, b"wheal").unwrap();
    let error = cache::deliver(&desk.wheel, &desk.out, "a.whl", &kept).unwrap_err();
    assert_eq!(error.code(), Code::HashMismatch, "{error:?}");
    assert!(error.to_string().contains("built.whl"), "{error}");
    assert_eq!(listing(&desk.out), ["a.whl"]);
    assert_eq!(fs::read(desk.out.join("a.whl")).unwrap(), b"older");
    fs::write(&desk.wheel, b"wheel").unwrap();
    cache::deliver(&desk.wheel, &desk.out, "a.whl", &kept).unwrap();
    assert_eq!(fs::read(desk.out.join("a.whl")).unwrap(), b"wheel");
}
