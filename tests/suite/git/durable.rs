//! What git leaves in the cache is there after a power loss: synced before it has its name.

use std::fs;
use std::path::Path;

use tests::publication::{PUBLISHING, Publications};
use tests::{Repository, Setting, World};

use crate::site;

#[test]
fn packs_references_and_settings_of_a_repository_are_synced_before_they_have_their_names() {
    // Where namespaces are denied git sees the repository under its own path.
    for setting in Setting::all(site()) {
        if setting != Setting::DENIED {
            continue;
        }
        let world = World::new(site(), setting);
        if !world.has_program("strace") {
            return;
        }
        let repository = Repository::hello(&world, "repository");
        world.wheel(repository.url()).finish().succeeds();
        let bucket = world.cache().join("git-v1");
        let mut places = fs::read_dir(&bucket).expect("a bucket").flatten();
        let bare = places.next().expect("a repository").path();
        // Settings that are not ours go, and the new ones are moved over them.
        let config = fs::read_to_string(bare.join("config")).expect("settings");
        fs::write(
            bare.join("config"),
            format!("{config}[core]\n\tabbrev = 40\n"),
        )
        .expect("a file can be written");
        repository.write("more.py", "");
        repository.commit("two");
        repository.git(&["tag", "v2.0"]);
        let log = world.folder("traces").join("fetch");
        let run = world.wheel(repository.url()).args(["--refresh"]);
        run.traced(&log, PUBLISHING).finish().succeeds();
        assert_eq!(
            fs::read_to_string(bare.join("config")).expect("settings"),
            config
        );
        let trace = Publications::read(&log);
        let is_last = |path: &Path| path.starts_with(&bare);
        let names = trace.names_in_order(is_last).into_iter();
        let seen: Vec<_> = names.map(|one| one.to.display().to_string()).collect();
        for wanted in [
            ".pack",
            ".idx",
            "refs/heads/main",
            "refs/tags/v2.0",
            "config",
        ] {
            let found = seen.iter().any(|name| name.ends_with(wanted));
            assert!(found, "{wanted} is not among {seen:?}");
        }
    }
}
