//! What a look for a build environment costs, and what it sees.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tests::trace::{self, Call};
use tests::{Sdist, Setting, Wheel, World};

use crate::freshness::files;
use crate::site;

/// The folder of programs of the one environment of a world that has `tool` in it.
fn programs(world: &World<'_>) -> PathBuf {
    let files = files(&world.cache().join("environments-v1"));
    let module = files.iter().find(|path| path.ends_with("tool.py"));
    let module = module.expect("the environment has the module");
    let env = module.ancestors().find(|path| path.ends_with("env"));
    env.expect("it lies in an environment").join("bin")
}

#[test]
fn an_environment_is_looked_at_once_before_a_build_also_where_a_touch_counts() {
    let lower = Setting::lower(site()).into_iter();
    let lower = lower.filter(|setting| !setting.holds_metadata());
    let lower = lower.map(Setting::of_caller);
    let settings: Vec<_> = [Setting::PLAIN].into_iter().chain(lower).collect();
    assert!(settings.len() > 1, "{settings:?}");
    for setting in settings {
        let world = World::new(site(), setting);
        if !world.traces_paths() {
            return;
        }
        world.index.wheel(&Wheel::new("tool", "1.0"));
        let sdist = Sdist::hello("thing", "1.0").requires(&["tool"]);
        let build = |flag: &'static str| world.build(&sdist).args(["-C", flag]);
        build("a=0").finish().succeeds();
        let programs = programs(&world);
        let log = world.folder("work").join("calls");
        build("a=1").traced(&log, "open,openat").finish().succeeds();
        // Nobody else lists that folder: the program is started by its name.
        let calls = trace::calls(&log);
        let lists = |call: &&Call| {
            let is_folder = call.arguments.contains("O_DIRECTORY");
            is_folder && call.paths(Path::new("/")).contains(&programs)
        };
        assert_eq!(calls.iter().filter(lists).count(), 1, "{setting}");
        // A touch is seen, and counts where a build could have done it.
        let inode = || fs::metadata(&programs).expect("an own folder").ino();
        let before = inode();
        let record = programs.with_file_name("pyvenv.cfg");
        let record = fs::File::open(record).expect("an own file");
        record
            .set_modified(SystemTime::UNIX_EPOCH)
            .expect("an own file");
        build("a=2").finish().succeeds();
        assert_eq!(inode() == before, setting.holds_metadata(), "{setting}");
    }
}
