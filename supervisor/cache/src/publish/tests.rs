//! The ways that are taken where the file system can not rename without replacing.

use super::*;

struct Two {
    dir: tempfile::TempDir,
}

impl Two {
    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }
}

fn two() -> Two {
    let dir = tempfile::tempdir().unwrap();
    Two { dir }
}

#[test]
fn a_file_that_is_there_stays_whichever_way_is_taken() {
    for move_it in [
        move_file as fn(&Path, &Path) -> io::Result<Published>,
        link_file,
    ] {
        let two = two();
        let (from, to) = (two.path("from"), two.path("to"));
        fs::write(&from, b"new").unwrap();
        assert_eq!(move_it(&from, &to).unwrap(), Published::New);
        assert!(!from.exists());
        fs::write(&from, b"newer").unwrap();
        assert_eq!(move_it(&from, &to).unwrap(), Published::Existed);
        assert_eq!(fs::read(&to).unwrap(), b"new");
        assert!(from.exists());
        let nowhere = two.path("no/where");
        assert!(move_it(&from, &nowhere).is_err());
    }
}

#[test]
fn a_folder_that_is_there_stays_whichever_way_is_taken() {
    for move_it in [
        move_dir as fn(&Path, &Path) -> io::Result<Published>,
        rename_dir,
    ] {
        let two = two();
        let (from, to) = (two.path("from"), two.path("to"));
        fs::create_dir_all(from.join("new")).unwrap();
        assert_eq!(move_it(&from, &to).unwrap(), Published::New);
        fs::create_dir_all(from.join("newer")).unwrap();
        assert_eq!(move_it(&from, &to).unwrap(), Published::Existed);
        assert!(to.join("new").exists() && from.exists());
        fs::write(two.path("file"), b"").unwrap();
        assert_eq!(
            move_it(&from, &two.path("file")).unwrap(),
            Published::Existed
        );
        assert!(move_it(&from, &two.path("no/where")).is_err());
    }
}

#[test]
fn a_tree_is_synced_to_its_last_file_and_a_hole_in_it_is_an_error() {
    let two = two();
    for number in 0..200 {
        let folder = two.path(&format!("tree/{}", number % 7));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(number.to_string()), b"x").unwrap();
    }
    std::os::unix::fs::symlink("nowhere", two.path("tree/link")).unwrap();
    sync_tree(&two.path("tree")).unwrap();
    assert!(sync_tree(&two.path("missing")).is_err());
}
