//! What stands in for the `.git` of a local folder: told right from wrong before each use.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tests::{Repository, World, search};

use crate::world;

/// Returns the folders of the stand-ins in the cache.
pub(super) fn stand_ins(world: &World<'_>) -> Vec<PathBuf> {
    let bucket = world.cache().join("git-v1");
    let entries = fs::read_dir(bucket).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries.map(|entry| entry.path()).collect();
    found.retain(|place| place.join("sealed.json").is_file());
    found.sort();
    found
}

/// Everything in a folder.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = search::files(folder).into_iter();
    let read = |name: PathBuf| {
        let bytes = fs::read(folder.join(&name)).expect("a file can be read");
        (name, bytes)
    };
    files.map(read).collect()
}

/// Returns the pack of a stand-in.
fn pack(tree: &Path) -> PathBuf {
    let packs = tree.join("objects/pack");
    let mut files = search::files(&packs).into_iter();
    let pack = files.find(|name| name.extension().is_some_and(|end| end == "pack"));
    packs.join(pack.expect("a stand-in has a pack"))
}

/// Changes one byte of a file.
fn flip(file: &Path, at: usize) -> io::Result<()> {
    let mut bytes = fs::read(file)?;
    bytes[at] ^= 1;
    fs::write(file, bytes)
}

type Harm = fn(&Path) -> io::Result<()>;

const HARMS: [(&str, Harm); 10] = [
    ("a pack that is cut off", |tree| {
        let file = fs::File::options().write(true).open(pack(tree))?;
        file.set_len(file.metadata()?.len() / 2)
    }),
    ("a pack with another byte", |tree| flip(&pack(tree), 40)),
    ("a pack that is gone", |tree| fs::remove_file(pack(tree))),
    ("another name of a tag", |tree| {
        let file = tree.join("packed-refs");
        let text = fs::read_to_string(&file)?;
        fs::write(file, text.replace("v1.2.0", "v9.0.0"))
    }),
    ("a tag more", |tree| {
        fs::copy(tree.join("HEAD"), tree.join("refs/tags/v9.0.0")).map(drop)
    }),
    ("an index with another byte", |tree| {
        flip(&tree.join("index"), 20)
    }),
    ("an index without a byte", |tree| {
        fs::write(tree.join("index"), "")
    }),
    ("settings", |tree| {
        fs::write(tree.join("config"), "[core]\n\tabbrev = 40\n")
    }),
    ("a history that is cut", |tree| {
        fs::copy(tree.join("HEAD"), tree.join("shallow")).map(drop)
    }),
    ("no list", |tree| {
        fs::remove_file(tree.with_file_name("sealed.json"))
    }),
];

#[test]
fn every_damage_of_a_stand_in_is_noticed_before_it_is_packed_and_it_is_made_anew() {
    let world = world();
    let repository = Repository::described(&world, "repository");
    repository.write(".gitignore", "*.egg-info\n");
    repository.commit("one");
    repository.git(&["tag", "--annotate", "v1.2.0", "-m", "release"]);
    let build = |step: usize| {
        // Not of the commit, so the version stays, and the folder is packed.
        let name = format!("described/more_{step}.py");
        repository.write(&name, "");
        let done = world.wheel(repository.folder()).finish();
        let wheel = done.wheel();
        assert_eq!(wheel.origin, "built", "{done}");
        assert!(!done.stderr.contains("without its repository"), "{done}");
        wheel.version
    };
    assert_eq!(build(0), "1.2.0");
    let made = stand_ins(&world);
    let [place] = made.as_slice() else {
        panic!("one stand-in: {made:?}");
    };
    let sound = content(place);
    for (step, (name, harm)) in HARMS.into_iter().enumerate() {
        harm(&place.join("tree")).expect(name);
        assert_ne!(content(place), sound, "{name}");
        assert_eq!(build(step + 1), "1.2.0", "{name}");
        assert_eq!(content(place), sound, "{name}");
    }
    assert_eq!(stand_ins(&world), made);
}
