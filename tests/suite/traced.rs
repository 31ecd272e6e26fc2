//! What the program does to files, as its system calls show it: nothing outside of its places, and the order in which
//! finished things appear.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tests::trace::{self, Call};
use tests::{Run, Sdist, Setting, Wheel, World, search};

use crate::site;

/// A kernel's file that is written to set something, or a device: nothing lies there afterwards.
fn is_no_file(path: &Path) -> bool {
    ["/dev/null", "/dev/tty", "/dev/pts", "/proc"]
        .iter()
        .any(|place| path.starts_with(place))
}

/// Returns what the calls wrote, made or removed outside of some places.
fn strays(calls: &[Call], start: &Path, places: &[PathBuf]) -> BTreeSet<String> {
    let mut directories: BTreeMap<u32, PathBuf> = BTreeMap::new();
    let mut strays = BTreeSet::new();
    for call in calls {
        let directory = directories
            .get(&call.pid)
            .cloned()
            .unwrap_or_else(|| start.to_owned());
        match call.name.as_str() {
            "clone" | "clone3" | "fork" | "vfork" => {
                if let Ok(child) = call.answer.trim().parse() {
                    directories.entry(child).or_insert(directory);
                }
            }
            "chdir" => {
                directories.extend(call.paths(&directory).pop().map(|path| (call.pid, path)));
            }
            "fchdir" => directories.extend(call.descriptor().map(|path| (call.pid, path))),
            _ if call.writes() => {
                // A descriptor knows the path that was really opened.
                let mut named = call.paths(&directory);
                if call.name.starts_with("symlink") {
                    // What a link says is no place.
                    named.remove(0);
                }
                let touched = match call.returned() {
                    Some(path) => vec![path],
                    None => named,
                };
                for path in touched {
                    if !is_no_file(&path) && !places.iter().any(|place| path.starts_with(place)) {
                        strays.insert(format!("{} {}", call.name, path.display()));
                    }
                }
            }
            _ => {}
        }
    }
    strays
}

const FILES: &str = "%file,clone,clone3,fork,vfork,fchdir,fchmod,fchown,ftruncate";

/// A project whose build needs another one from the index, and writes to its temporary folder.
fn needing() -> Sdist {
    Sdist::hello("needing", "1.0")
        .requires(&["base"])
        .prologue("import base, tempfile; tempfile.NamedTemporaryFile().write(b'x')")
}

#[test]
fn every_command_writes_to_cache_and_output_directory_alone() {
    // Without namespaces every process sees the real paths.
    let world = World::new(site(), Setting::DENIED);
    if !world.has_program("strace") {
        return;
    }
    world.index.wheel(&Wheel::new("base", "1.0"));
    let sdist = needing();
    world.index.sdist(&sdist);
    let tree = world.lay("tree", &sdist);
    let unusable = world.folder("unusable").join("missing");
    let (cache, out) = (world.cache(), world.out());
    let places = [
        "--cache-dir".into(),
        cache.clone().into_os_string(),
        "--default-index".into(),
        world.index.url().into(),
    ];
    let making = [
        "-p".into(),
        world.python().path.clone().into_os_string(),
        "-o".into(),
        out.clone().into_os_string(),
    ];
    let cached = ["--cache-dir".into(), cache.clone().into_os_string()];
    let command = |words: &[&str]| world.run(words);
    let runs: Vec<(&str, Run<'_, '_>)> = vec![
        (
            "wheel",
            command(&["wheel", "needing==1.0", "--no-deps", "--no-binary", ":all:"])
                .args(&places)
                .args(&making),
        ),
        (
            "build",
            command(&["build", "--wheel"])
                .args([&tree])
                .args(&places)
                .args(&making),
        ),
        (
            "no-cache",
            command(&["wheel", "--no-cache", "--no-deps"])
                .args([&tree])
                .args(&places)
                .args(&making),
        ),
        (
            "doctor",
            command(&["doctor"]).args(&places).args(&making[..2]),
        ),
        ("policy list", command(&["policy", "list"])),
        ("policy show", command(&["policy", "show", "strict"])),
        ("policy explain", command(&["policy", "explain", "strict"])),
        ("cache dir", command(&["cache", "dir"]).args(&cached)),
        (
            "cache dir -n",
            command(&["cache", "dir", "-n"]).args(&cached),
        ),
        ("cache size", command(&["cache", "size"]).args(&cached)),
        ("log", command(&["log"]).args(&cached)),
        ("explain", command(&["explain", "F0106"])),
        ("completion", command(&["completion", "bash"])),
    ];
    let places = [cache.clone(), out.clone()];
    for (name, run) in runs {
        let log = world.folder("traces").join(name.replace(' ', "-"));
        let done = ["TMPDIR", "TMP", "TEMP", "HOME"]
            .iter()
            .fold(run, |run, variable| run.env(variable, &unusable))
            .traced(&log, FILES)
            .finish();
        done.succeeds();
        let calls = trace::calls(&log);
        let writes = calls.iter().filter(|call| call.writes()).count();
        assert!(
            writes > 20 || !name.starts_with("wheel"),
            "the trace shows what was written: {writes} of {}",
            calls.len()
        );
        assert_eq!(
            strays(&calls, &world.folder("work"), &places),
            BTreeSet::new(),
            "{name}: {done}"
        );
    }
}

#[test]
fn a_stray_write_is_seen_in_a_trace() {
    let world = World::new(site(), Setting::DENIED);
    if !world.has_program("strace") {
        return;
    }
    let log = world.folder("traces").join("control");
    let text = "mkdir -p here && cd here && touch a && mv a b && ln -s b c && rm b c && cd .. && rmdir here";
    let done = Run::new(&world, "/bin/sh".as_ref())
        .args(["-c", text])
        .unconfined()
        .traced(&log, FILES)
        .finish();
    done.succeeds();
    let here = world.folder("work").join("here");
    let seen = strays(&trace::calls(&log), &world.folder("work"), &[]);
    let names: BTreeSet<_> = seen
        .iter()
        .filter_map(|line| line.split_once(' '))
        .map(|(_, path)| PathBuf::from(path))
        .filter(|path| path.starts_with(&here))
        .collect();
    let expected = [here.clone(), here.join("a"), here.join("b"), here.join("c")];
    assert_eq!(names, expected.into(), "{seen:?}");
}

/// Something that got its final name.
struct Publication {
    from: PathBuf,
    to: PathBuf,
    began: usize,
    ended: usize,
}

/// Returns what was moved or linked into the buckets and the output folder, but not within the staging bucket.
fn publications(calls: &[Call], cache: &Path, out: &Path) -> Vec<Publication> {
    let mut opened: BTreeMap<(u32, String), PathBuf> = BTreeMap::new();
    let mut found = Vec::new();
    for call in calls {
        if let (true, Some(path)) = (call.name.starts_with("open"), call.returned()) {
            let number = call.answer.split('<').next().unwrap_or_default();
            opened.insert((call.pid, number.trim().to_owned()), path);
        }
        if !call.name.starts_with("rename") && !call.name.starts_with("link") {
            continue;
        }
        let paths = call.paths(Path::new("/"));
        let [from, to] = paths.as_slice() else {
            continue;
        };
        // Every bucket is versioned by name; scratches and what is set aside to be removed are none.
        let bucket = to.strip_prefix(cache).is_ok_and(|inside| {
            let first = inside.components().next();
            let first = first.map(|part| part.as_os_str().to_string_lossy().into_owned());
            first.is_some_and(|name| name.contains("-v") && name != "staging-v1")
        });
        if !bucket && !to.starts_with(out) {
            continue;
        }
        // A file without a name is linked by its descriptor.
        let from = match from.strip_prefix("/proc/self/fd") {
            Ok(number) => {
                let key = (call.pid, number.display().to_string());
                opened.get(&key).cloned().unwrap_or_else(|| from.clone())
            }
            Err(_) => from.clone(),
        };
        found.push(Publication {
            from,
            to: to.clone(),
            began: call.began,
            ended: call.ended,
        });
    }
    found
}

#[test]
fn whatever_is_published_is_synced_before_it_has_its_name_and_its_folder_after() {
    for setting in Setting::all(site())
        .into_iter()
        .filter(|setting| *setting == Setting::PLAIN || *setting == Setting::DENIED)
    {
        let world = World::new(site(), setting);
        if !world.has_program("strace") {
            return;
        }
        world.index.wheel(&Wheel::new("base", "1.0"));
        let sdist = needing();
        world.index.sdist(&sdist);
        let log = world.folder("traces").join("order");
        let done = world
            .wheel("needing==1.0")
            .traced(
                &log,
                "open,openat,fsync,fdatasync,rename,renameat,renameat2,link,linkat",
            )
            .finish();
        done.built(&sdist.wheel());
        let calls = trace::calls(&log);
        let syncs: Vec<(PathBuf, &Call)> = calls
            .iter()
            .filter(|call| call.name.ends_with("sync"))
            .filter_map(|call| Some((call.descriptor()?, call)))
            .collect();
        let published = publications(&calls, &world.cache(), &world.out());
        for Publication {
            from,
            to,
            began,
            ended,
        } in &published
        {
            // Of a folder: every file in it.
            let files = if to.is_dir() {
                search::files(to)
            } else {
                vec![to.clone()]
            };
            for file in files.iter().filter(|file| !file.is_symlink()) {
                let inside = file.strip_prefix(to).expect("a file in it");
                let staged = if to.is_dir() {
                    from.join(inside)
                } else {
                    from.clone()
                };
                let before = syncs
                    .iter()
                    .any(|(path, call)| *path == staged && call.ended < *began);
                assert!(
                    before,
                    "{} was not synced before it became {}",
                    staged.display(),
                    to.display()
                );
            }
            let parent = to.parent().expect("a folder");
            let after = syncs
                .iter()
                .any(|(path, call)| path == parent && call.began > *ended);
            assert!(after, "the folder of {} was not synced", to.display());
        }
        let kinds: BTreeSet<_> = published
            .iter()
            .filter_map(|one| one.to.strip_prefix(world.cache()).ok()?.components().next())
            .map(|bucket| bucket.as_os_str().to_owned())
            .collect();
        for bucket in [
            "sources-v1",
            "downloads-v1",
            "simple-v1",
            "environments-v1",
            "wheels-v1",
        ] {
            assert!(
                kinds.contains(std::ffi::OsStr::new(bucket)),
                "{bucket} is not among {kinds:?}"
            );
        }
        assert!(published.iter().any(|one| one.to.starts_with(world.out())));
    }
}
