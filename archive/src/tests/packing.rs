//! What is packed is what is unpacked, and the same tree gives the same bytes.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use sha2::Digest as _;
use tempfile::TempDir;

use super::{lays, listing};
use crate::{Exclusions, PackError, Top, pack};

fn write(root: &Path, path: &str, content: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn packed(tree: &Path) -> Vec<u8> {
    packed_without(tree, &Exclusions::default())
}

fn packed_without(tree: &Path, exclusions: &Exclusions) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack(tree, exclusions, &mut bytes).unwrap();
    bytes
}

fn refused(tree: &Path) -> PackError {
    pack(tree, &Exclusions::default(), &mut Vec::new()).unwrap_err()
}

#[test]
fn a_tree_comes_back_as_it_was() {
    let tree = TempDir::new().unwrap();
    let root = tree.path();
    write(root, "setup.py", b"setup()");
    write(root, "src/foo/__init__.py", b"");
    write(
        root,
        &format!("{}/{}.txt", "d".repeat(150), "e".repeat(150)),
        b"long",
    );
    write(root, "na\u{ef}ve", b"x");
    fs::create_dir(root.join("empty")).unwrap();
    fs::set_permissions(root.join("setup.py"), fs::Permissions::from_mode(0o700)).unwrap();
    symlink("src/../setup.py", root.join("link")).unwrap();
    symlink("x".repeat(180), root.join("far")).unwrap();
    let (room, unpacked) = lays(&packed(root), Top::Bare);
    assert_eq!(listing(root), room.listing());
    assert_eq!(room.read("link"), b"setup()");
    assert_eq!(
        fs::metadata(room.path().join("setup.py"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o755
    );
    assert_eq!(unpacked.bytes, 12);
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let trees = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let names = ["b/x", "a", "b-c", "b/a/z"];
    let time =
        FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000));
    for (tree, reversed) in trees.iter().zip([false, true]) {
        let mut names = names;
        if reversed {
            names.reverse();
        }
        for name in names {
            write(tree.path(), name, name.as_bytes());
            File::options()
                .write(true)
                .open(tree.path().join(name))
                .unwrap()
                .set_times(time)
                .unwrap();
        }
    }
    // Neither group bits nor the time of a folder show.
    fs::set_permissions(trees[1].path().join("a"), fs::Permissions::from_mode(0o664)).unwrap();
    write(trees[1].path(), "b/a/__pycache__/z.pyc", b"");
    assert_eq!(packed(trees[0].path()), packed(trees[1].path()));
}

/// Sources in caches are named by the digest of this form, and are packed again when they are lost: by whatever version
/// of this program and of the crate that writes tars. A change of these bytes needs another version of the form.
#[test]
fn the_form_is_the_same_for_every_packer() {
    let tree = TempDir::new().unwrap();
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
    let time = FileTimes::new()
        .set_modified(SystemTime::UNIX_EPOCH + Duration::from_millis(1_600_000_000_500));
    for name in ["setup.py", "src/\u{e4}.py", &long] {
        write(tree.path(), name, name.as_bytes());
        let file = File::options().write(true).open(tree.path().join(name));
        file.unwrap().set_times(time).unwrap();
    }
    let program = fs::Permissions::from_mode(0o755);
    fs::set_permissions(tree.path().join("setup.py"), program).unwrap();
    symlink("src", tree.path().join("link")).unwrap();
    let digest = sha2::Sha256::digest(packed(tree.path()));
    let text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        text,
        "d217b9b182231a3db6bf9aa53bedbd8049e522bcba90af055f66ba57fd797ee6"
    );
}

#[test]
fn old_times_are_brought_to_1980() {
    let tree = TempDir::new().unwrap();
    write(tree.path(), "x", b"");
    let old = FileTimes::new().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    File::options()
        .write(true)
        .open(tree.path().join("x"))
        .unwrap()
        .set_times(old)
        .unwrap();
    let bytes = packed(tree.path());
    let mut archive = ::tar::Archive::new(&*bytes);
    let times: Vec<u64> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().header().mtime().unwrap())
        .collect();
    assert!(times.iter().all(|time| *time >= 315_532_800), "{times:?}");
}

#[test]
fn what_tools_leave_behind_and_places_of_ours_stay_out() {
    let tree = TempDir::new().unwrap();
    let root = tree.path();
    write(root, "setup.py", b"");
    let before = packed(root);
    write(root, "dist/foo-1.0.whl", b"wheel");
    write(root, "cache/wheels-v1/x", b"");
    write(root, "venv/pyvenv.cfg", b"");
    write(
        root,
        "target/CACHEDIR.TAG",
        b"Signature: 8a477f597d28d172789f06886806bc55\n",
    );
    for path in [
        "__pycache__/x",
        ".tox/x",
        ".nox/x",
        "node_modules/x",
        "build/lib/x",
        "foo.egg-info/PKG-INFO",
        ".git/config",
    ] {
        write(root, path, b"token");
    }
    let exclusions = Exclusions {
        folders: vec![root.join("dist"), root.join("cache")],
    };
    assert_eq!(packed_without(root, &exclusions), before);
    let all = pack(root, &Exclusions::default(), &mut Vec::new()).unwrap();
    assert_eq!(
        all.members, 6,
        "dist and cache with what they hold, setup.py"
    );
    assert_eq!(all.notes.len(), 4, "{:?}", all.notes);
}

#[test]
fn an_output_folder_reached_through_a_link_stays_out_too() {
    let outer = TempDir::new().unwrap();
    let tree = outer.path().join("tree");
    write(&tree, "setup.py", b"");
    let before = packed(&tree);
    write(&tree, "dist/x.whl", b"");
    symlink(&tree, outer.path().join("alias")).unwrap();
    let alias = outer.path().join("alias");
    let exclusions = Exclusions {
        folders: vec![alias.join("dist")],
    };
    assert_eq!(packed_without(&alias, &exclusions), before);
}

#[test]
fn the_same_names_deeper_down_or_in_an_sdist_are_source() {
    let tree = TempDir::new().unwrap();
    for path in [
        "src/build/x.py",
        "src/foo.egg-info/x",
        "target/CACHEDIR.TAG",
    ] {
        write(tree.path(), path, b"not a tag");
    }
    assert_eq!(
        lays(&packed(tree.path()), Top::Bare).0.listing(),
        listing(tree.path())
    );
    write(tree.path(), "PKG-INFO", b"");
    write(tree.path(), "build/__init__.py", b"");
    assert_eq!(
        lays(&packed(tree.path()), Top::Bare).0.listing(),
        listing(tree.path())
    );
}

#[test]
fn build_folders_that_git_tracks_are_source() {
    let tree = TempDir::new().unwrap();
    let root = tree.path();
    write(root, "project/build/tool.py", b"");
    write(root, "project/foo.egg-info/x", b"");
    let git = |arguments: &[&str]| {
        Command::new("git")
            .arg("-C")
            .arg(root)
            .args(arguments)
            .output()
    };
    if git(&["init", "-q"]).is_err() {
        // The words of the house for a test that lacks a program.
        std::io::Write::write_all(&mut std::io::stderr(), b"NOT RUN: git\n").unwrap();
        return;
    }
    let added = git(&["add", "project/build"]).unwrap();
    assert!(added.status.success(), "{added:?}");
    let (room, _) = lays(&packed(&root.join("project")), Top::Bare);
    assert_eq!(room.listing(), ["build/", "build/tool.py"]);
}

#[test]
fn links_out_and_odd_names_are_refused() {
    let tree = TempDir::new().unwrap();
    write(tree.path(), "x", b"");
    symlink("../outside", tree.path().join("link")).unwrap();
    assert!(matches!(refused(tree.path()), PackError::LinkOut { .. }));
    fs::remove_file(tree.path().join("link")).unwrap();
    symlink("/etc/hostname", tree.path().join("link")).unwrap();
    assert!(matches!(refused(tree.path()), PackError::LinkOut { .. }));
    fs::remove_file(tree.path().join("link")).unwrap();
    write(tree.path(), "a\nb", b"");
    assert!(matches!(refused(tree.path()), PackError::Name { .. }));
}

#[test]
fn too_much_names_the_biggest_folder() {
    let tree = TempDir::new().unwrap();
    write(tree.path(), "small/x", b"123");
    write(tree.path(), "data/y", b"");
    File::options()
        .write(true)
        .open(tree.path().join("data/y"))
        .unwrap()
        .set_len(3 << 30)
        .unwrap();
    match refused(tree.path()) {
        PackError::TooBig {
            biggest,
            biggest_bytes,
            ..
        } => {
            assert_eq!((biggest.to_str(), biggest_bytes), (Some("data"), 3 << 30));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn nothing_and_no_folder_are_refused() {
    let tree = TempDir::new().unwrap();
    assert!(matches!(refused(tree.path()), PackError::Empty { .. }));
    write(tree.path(), "x", b"");
    assert!(matches!(
        refused(&tree.path().join("x")),
        PackError::NotAFolder { .. }
    ));
    assert!(matches!(
        refused(&tree.path().join("none")),
        PackError::Read { .. }
    ));
}

#[test]
fn a_socket_is_left_out_and_told() {
    let tree = TempDir::new().unwrap();
    write(tree.path(), "x", b"");
    let _socket = std::os::unix::net::UnixListener::bind(tree.path().join("s")).unwrap();
    let packed = pack(tree.path(), &Exclusions::default(), &mut Vec::new()).unwrap();
    assert_eq!((packed.members, packed.notes.len()), (1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_tree_makes_the_round_trip(
        files in proptest::collection::btree_map("[a-c.]{1,3}(/[a-c\u{e9} ]{1,120}){0,3}", proptest::collection::vec(any::<u8>(), 0..2000), 1..12)
    ) {
        let tree = TempDir::new().unwrap();
        for (path, content) in &files {
            // Names that collide, or are `.` or `..`, are not part of this promise.
            if path.split('/').any(|part| part == "..") {
                continue;
            }
            let path = tree.path().join(path);
            let made = path.parent().is_some_and(|parent| fs::create_dir_all(parent).is_ok());
            if made && !path.is_dir() {
                let _ = fs::write(&path, content);
            }
        }
        prop_assume!(!listing(tree.path()).is_empty());
        let bytes = packed(tree.path());
        prop_assert_eq!(&bytes, &packed(tree.path()));
        let (room, _) = lays(&bytes, Top::Bare);
        prop_assert_eq!(room.listing(), listing(tree.path()));
        for path in listing(tree.path()).iter().filter(|path| !path.ends_with('/')) {
            prop_assert_eq!(room.read(path), fs::read(tree.path().join(path)).unwrap());
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(noise in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..3000) {
        let good = super::TarMaker::default().pax(b'x', &[("path", "p/a")]).file("p/x", b"x").link("p/l", "x").done();
        let mut bytes = good;
        let at = at.min(bytes.len() - 1);
        let end = (at + noise.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&noise[..end - at]);
        let room = super::Room::new();
        let _ = room.unpack(&bytes, Top::Any, &crate::Budget::default());
    }
}

#[test]
fn a_stand_in_takes_the_place_of_git_and_shows_no_time() {
    let tree = TempDir::new().unwrap();
    let root = tree.path();
    write(root, "setup.py", b"");
    write(root, "build/x.py", b"tracked");
    write(root, "sub/.git", b"gitdir: /elsewhere");
    write(root, ".git/config", b"token = secret");
    let repository = TempDir::new().unwrap();
    write(repository.path(), "HEAD", b"0123");
    write(repository.path(), "objects/pack/p.pack", b"PACK");
    let pack_once = |mtime| {
        let mut bytes = Vec::new();
        crate::pack_checkout(root, repository.path(), mtime, &mut bytes).unwrap();
        bytes
    };
    let bytes = pack_once(1_600_000_000);
    let (room, _) = lays(&bytes, Top::Bare);
    assert_eq!(room.read(".git/HEAD"), b"0123");
    assert_eq!(room.read("build/x.py"), b"tracked");
    assert!(!room.path().join(".git/config").exists());
    assert!(!room.path().join("sub/.git").exists());
    write(root, "setup.py", b"");
    write(repository.path(), "HEAD", b"0123");
    assert_eq!(bytes, pack_once(1_600_000_000));
    assert_ne!(bytes, pack_once(1_600_000_001));
    let mut of_folder = Vec::new();
    crate::pack_with_repository(
        root,
        &Exclusions::default(),
        repository.path(),
        &mut of_folder,
    )
    .unwrap();
    let (room, _) = lays(&of_folder, Top::Bare);
    assert_eq!(room.read(".git/objects/pack/p.pack"), b"PACK");
}
