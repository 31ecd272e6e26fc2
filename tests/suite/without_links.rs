//! exFAT, mounted for real: no hard links, no symbolic ones, no shared blocks, no modes, and names in any case.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use model::Code;
use tests::{Outcome, Run, Sdist, Wheel, World, search};

use crate::world;

/// An image with the file system; each run mounts it in mounts of its own.
struct Exfat<'world> {
    world: &'world World<'static>,
    image: PathBuf,
}

impl<'world> Exfat<'world> {
    /// None where the host can not have one.
    fn find(world: &'world World<'static>) -> Option<Self> {
        let programs = ["mkfs.exfat", "mount.exfat-fuse", "losetup"];
        if !programs.iter().all(|name| world.has_program(name)) {
            return None;
        }
        if nix::unistd::geteuid().as_raw() != 0 {
            world.site.unrun.note("root, to mount exFAT");
            return None;
        }
        let image = world.file("image", "");
        let file = File::options().write(true).open(&image);
        file.and_then(|file| file.set_len(64 << 20))
            .expect("a file with a hole");
        let made = Command::new("mkfs.exfat")
            .arg(&image)
            .stdout(Stdio::null())
            .status();
        assert!(made.is_ok_and(|status| status.success()), "mkfs.exfat");
        Some(Self { world, image })
    }

    fn mount(&self) -> PathBuf {
        self.world.folder("exfat")
    }

    /// What was on it after the last run, one path a line.
    fn seen(&self) -> String {
        fs::read_to_string(self.world.folder("").join("seen")).expect("a list")
    }

    /// Runs with it mounted with this mask, after a command and before another one; then lists what is on it.
    fn during(
        &self,
        run: Run<'world, 'static>,
        mask: &str,
        [before, after]: [&str; 2],
    ) -> Outcome<'world, 'static> {
        // The device goes when the mount goes: it is detached while it is in use.
        let text = format!(
            "device=$(losetup -f --show {image}) || exit 71\n\
             mount.exfat-fuse -o umask={mask} $device {mount} >&2; mounted=$?\n\
             losetup -d $device\n\
             test $mounted = 0 || exit 71\n\
             cd {mount} || exit 71\n\
             touch first; ! ln first second 2>/dev/null && ! ln -s . link 2>/dev/null || exit 71\n\
             ! cp --reflink=always first third 2>/dev/null && rm -f first third && test ! -e second || exit 71\n\
             {before}\ncd {work}\n\"$@\"; code=$?\ncd {mount}\n{after}\n\
             find . -mindepth 1 | sort >{seen}; cd /; umount {mount} || exit 71; exit $code",
            image = self.image.display(),
            mount = self.mount().display(),
            work = self.world.folder("work").display(),
            seen = self.world.folder("").join("seen").display(),
        );
        let done = run.in_own_mounts(&text).finish();
        assert_ne!(done.code, Some(71), "exFAT could not be mounted: {done}");
        done
    }
}

#[test]
fn finished_wheels_are_delivered_to_a_file_system_without_links() {
    let world = world();
    let Some(exfat) = Exfat::find(&world) else {
        return;
    };
    let sdist = Sdist::hello("hello", "1.0");
    let kept = world.folder("kept");
    let copy = format!("cp *.whl {}", kept.display());
    for origin in ["built", "cached"] {
        let run = world.build(&sdist).set("-o", exfat.mount());
        let done = exfat.during(run, "022", ["", &copy]);
        done.succeeds();
        let wheel = done.report().wheels.remove(0);
        assert_eq!(wheel.origin, origin, "{done}");
        let content = fs::read(kept.join(sdist.wheel())).expect("it was copied");
        assert_eq!(search::sha256(&content), wheel.sha256);
        assert_eq!(exfat.seen(), format!("./{}\n", sdist.wheel()), "{done}");
    }
}

#[test]
fn a_cache_on_a_file_system_without_links_is_read_as_a_lower_one() {
    let world = world();
    let Some(exfat) = Exfat::find(&world) else {
        return;
    };
    world.index.wheel(&Wheel::new("base", "1.0"));
    let sdist = Sdist::hello("needing", "1.0")
        .requires(&["base"])
        .prologue("import base");
    world.index.sdist(&sdist);
    world.wheel("needing==1.0").finish().built(&sdist.wheel());
    let made = world.move_cache("made");
    let asked = world.index.all_requests().len();
    let files = || {
        let asked = world.index.all_requests().split_off(asked);
        let files = asked.into_iter().map(|request| request.path);
        files.filter(|path| path.starts_with("/files/")).count()
    };
    // Environments have links and do not come along.
    let copy = format!(
        "mkdir c; cp -r {made}/[!e]* {made}/CACHEDIR.TAG c/",
        made = made.display()
    );
    let lower = exfat.mount().join("c");
    let run = || world.wheel("needing==1.0").flag("--cache-readonly", &lower);
    exfat
        .during(run(), "022", [&copy, ""])
        .cached(&sdist.wheel());
    let another = run().args(["-C", "other=1"]);
    exfat.during(another, "022", ["", ""]).built(&sdist.wheel());
    assert_eq!(files(), 0, "source and wheels come from below");
}

#[test]
fn a_file_system_without_links_is_refused_for_the_cache_and_for_scratches() {
    let world = world();
    let Some(exfat) = Exfat::find(&world) else {
        return;
    };
    let sdist = Sdist::hello("hello", "1.0");
    let mount = exfat.mount();
    let run = || world.build(&sdist);
    let runs = [
        run().set("--cache-dir", mount.join("c")),
        run().flag("--scratch-dir", &mount),
        run().flag("--scratch-dir", &mount).args(["--no-cache"]),
    ];
    for run in runs {
        let done = exfat.during(run, "022", ["", "rmdir c 2>/dev/null"]);
        let failure = done.fails_with(Code::CachePlace);
        assert!(failure.message.contains("symbolic links"), "{done}");
        let hint = failure.hint.expect("a remedy");
        for flag in [
            "--cache-dir",
            "--scratch-dir",
            "--out-dir",
            "--cache-readonly",
        ] {
            assert!(hint.contains(flag), "{flag}: {done}");
        }
        assert_eq!(exfat.seen(), "", "nothing is left: {done}");
        assert!(!world.cache().exists(), "nothing was begun: {done}");
    }
    // Without modes everything may be anybody's: only a mount that says otherwise is believed.
    let open = run().set("--cache-dir", mount.join("c"));
    let done = exfat.during(open, "000", ["", "rmdir c"]);
    let failure = done.fails_with(Code::CacheRefused);
    assert!(failure.message.contains("written by others"), "{done}");
}
