//! Scratches: where they are made, what a build sees of them, and what can not be reached from them.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use tests::{Sdist, Setting, Wheel, World, release, search};

use crate::site;
use crate::without_cache::ready;

/// A build that writes down where it works.
pub(crate) fn recorder() -> Sdist {
    Sdist::hello("recorder", "1.0").hooks(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
         where = {'cwd': os.getcwd(), 'tmp': os.environ['TMPDIR'], 'out': wheel_directory}\n    \
         return wheel_file.write(wheel_directory, *project(), files={'where.json': json.dumps(where).encode()})",
    )
}

pub(crate) fn recorded(world: &World<'_>, name: &str) -> String {
    let text = search::member(&world.out().join(recorder().wheel()), "where.json");
    let answers: BTreeMap<String, String> = serde_json::from_slice(&text).expect("JSON");
    answers[name].clone()
}

#[test]
fn scratches_lie_where_they_are_told_to() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::waiting();
        let scratch = world.folder("scratch");
        let start = || {
            world
                .build(&sdist)
                .flag("--scratch-dir", &scratch)
                .grace(Duration::from_secs(10))
                .start()
        };
        let mut killed = start();
        ready(&mut killed, &scratch);
        assert_eq!(world.scratches(), Vec::<PathBuf>::new());
        killed.signal(Signal::SIGKILL);
        let _ = killed.finish_anyhow();
        let left = std::fs::read_dir(&scratch).expect("a folder").count();
        assert!(left > 0, "a kill leaves something");
        // What is not ours stays, whatever it is called.
        let mine = world.file("scratch/abcdef/precious", "as it was\n");
        world
            .build(&Sdist::hello("next", "1.0"))
            .flag("--scratch-dir", &scratch)
            .finish()
            .succeeds();
        assert_eq!(search::files(&scratch), [mine]);
    }
}

#[test]
fn a_build_sees_at_most_twelve_characters_beyond_the_root_and_a_constant_at_ns() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = recorder().file(&"n".repeat(255), "a name of 255 bytes\n");
        world.build(&sdist).finish().built(&sdist.wheel());
        let seen = ["cwd", "tmp", "out"].map(|name| recorded(&world, name));
        if setting.level().word() == "ns" {
            assert_eq!(seen, ["/b/s", "/b/t", "/b/o/d"], "{setting}");
        } else {
            let root = world.cache().display().to_string();
            for path in seen {
                let beyond = path.strip_prefix(&root).expect("it lies in the root");
                assert!(beyond.len() <= 12, "{setting}: {beyond}");
            }
        }
    }
}

/// The regular files among these paths, by device and inode.
fn inodes(files: Vec<PathBuf>) -> BTreeMap<(u64, u64), PathBuf> {
    files
        .into_iter()
        .filter_map(|path| Some((path.symlink_metadata().ok()?, path)))
        .filter(|(about, _)| about.is_file())
        .map(|(about, path)| ((about.dev(), about.ino()), path))
        .collect()
}

#[test]
fn no_file_of_the_cache_can_be_reached_from_a_scratch_by_a_hard_link() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.wheel(&Wheel::new("base", "1.0"));
        let sdist = Sdist::waiting().requires(&["base"]);
        let mut running = world.build(&sdist).start();
        let folder = running.wait_until_ready();
        let scratch = world.scratches().remove(0);
        let within = inodes(search::files(&scratch));
        let kept = search::files(&world.cache())
            .into_iter()
            .filter(|path| !path.starts_with(&scratch))
            .collect();
        let kept = inodes(kept);
        assert!(within.len() > 5 && kept.len() > 5, "{within:?} {kept:?}");
        let both = within.keys().filter(|file| kept.contains_key(file));
        assert_eq!(both.count(), 0, "{setting}: {within:?} {kept:?}");
        release(&folder, "{}");
        running.finish().built(&sdist.wheel());
    }
}

/// A build that writes down which files it finds in its rooms and in its environment, as device, inode and number of
/// links, and what comes of linking each of the environment's into a room.
fn surveyor() -> Sdist {
    Sdist::hello("surveyor", "1.0").requires(&["base"]).hooks(
        r"
import stat, sys

def survey(*tops):
    for top in tops:
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                about = os.lstat(path)
                if stat.S_ISREG(about.st_mode):
                    yield path, [about.st_dev, about.st_ino, about.st_nlink]

def link(path):
    try:
        os.link(path, os.path.join(os.environ['TMPDIR'], 'link'))
    except OSError as error:
        return error.errno
    return 0

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    rooms = [os.getcwd(), os.environ['TMPDIR'], os.environ['HOME'], wheel_directory]
    found = {
        'rooms': [about for _, about in survey(*rooms)],
        'environment': [about for _, about in survey(sys.prefix)],
        'links': sorted({link(path) for path, _ in survey(sys.prefix)}),
    }
    return wheel_file.write(wheel_directory, *project(), files={'found.json': json.dumps(found).encode()})
",
    )
}

#[test]
fn of_what_a_build_finds_in_its_rooms_nothing_is_in_the_cache_and_nothing_of_the_cache_can_be_linked_there()
 {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.wheel(&Wheel::new("base", "1.0"));
        let sdist = surveyor();
        world.build(&sdist).finish().built(&sdist.wheel());
        // Of the cache what is there before and after: what comes later may take what a scratch left free.
        let before = inodes(search::files(&world.cache()));
        let again = world.build(&sdist).args(["-C", "again=1"]);
        again.finish().built(&sdist.wheel());
        let after = inodes(search::files(&world.cache()));
        let stayed = |(file, path): &(&(u64, u64), &PathBuf)| after.get(file) == Some(path);
        let kept: BTreeSet<_> = before
            .iter()
            .filter(stayed)
            .map(|(file, _)| *file)
            .collect();
        let text = search::member(&world.out().join(sdist.wheel()), "found.json");
        let found: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        let files = |what: &str| -> BTreeSet<(u64, u64)> {
            let rows: Vec<[u64; 3]> = serde_json::from_value(found[what].clone()).expect("rows");
            assert!(
                rows.iter().all(|row| row[2] == 1),
                "{setting}: {what} {rows:?}"
            );
            rows.into_iter().map(|row| (row[0], row[1])).collect()
        };
        let (rooms, environment) = (files("rooms"), files("environment"));
        assert!(
            rooms.len() > 3 && environment.len() > 3,
            "{setting}: {found}"
        );
        assert!(
            rooms.is_disjoint(&kept),
            "{setting}: {:?}",
            rooms.intersection(&kept)
        );
        assert!(
            environment.is_subset(&kept),
            "{setting}: it is the cache's own: {:?}",
            environment.difference(&kept)
        );
        let links: Vec<i32> = serde_json::from_value(found["links"].clone()).expect("numbers");
        let refusals = [Errno::EXDEV, Errno::EACCES, Errno::EPERM, Errno::EROFS];
        let refused = |number: &i32| refusals.contains(&Errno::from_raw(*number));
        assert!(
            !links.is_empty() && links.iter().all(refused),
            "{setting}: {links:?}"
        );
    }
}

/// A build that copies folders with their modes, as setuptools does.
fn copier() -> Sdist {
    Sdist::hello("copier", "1.0").requires(&["base"]).hooks(
        r"
import shutil, sysconfig

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    os.mkdir('made')
    for number, source in enumerate(['made', sysconfig.get_path('purelib')]):
        shutil.copytree(source, os.path.join(os.environ['TMPDIR'], str(number)))
    return wheel_file.write(wheel_directory, *project(), files={})
",
    )
}

#[test]
fn in_a_volume_whose_group_is_inherited_folders_can_be_copied_with_their_modes() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.wheel(&Wheel::new("base", "1.0"));
        let sdist = copier();
        let (volume, scratch) = (world.folder("k"), world.folder("scratch"));
        for folder in [&volume, &scratch] {
            let mode = std::fs::Permissions::from_mode(0o2755);
            std::fs::set_permissions(folder, mode).expect("an own folder");
        }
        let run = || world.build(&sdist);
        run().finish().built(&sdist.wheel());
        let about = std::fs::metadata(world.cache()).expect("the root");
        assert_eq!(
            about.permissions().mode() & 0o2000,
            0o2000,
            "it was inherited"
        );
        let elsewhere = run().args(["-C", "a=1"]).flag("--scratch-dir", &scratch);
        elsewhere.finish().built(&sdist.wheel());
        let without = run().args(["--no-cache"]).flag("--scratch-dir", &scratch);
        without.finish().built(&sdist.wheel());
    }
}
