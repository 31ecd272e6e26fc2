//! What the program does to files, as its system calls show it: nothing outside of its places. The order in which finished
//! things appear: `order`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tests::trace::{self, Call};
use tests::{Repository, Run, Sdist, Setting, Wheel, World};

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
pub(crate) fn needing() -> Sdist {
    Sdist::hello("needing", "1.0")
        .requires(&["base"])
        .prologue("import base, tempfile; tempfile.NamedTemporaryFile().write(b'x')")
        .hooks(
            "def build_sdist(sdist_directory, config_settings=None):\n    \
                 import tarfile\n    \
                 top = '%s-%s' % project()\n    \
                 with tarfile.open(os.path.join(sdist_directory, top + '.tar.gz'), 'w:gz') as archive:\n        \
                     for one in os.listdir('.'):\n            \
                         archive.add(one, top + '/' + one)\n    \
                 return top + '.tar.gz'",
        )
}

/// Every command with arguments that it can work with, in an order in which each finds something to do.
const COMMANDS: [(&str, Needs); 27] = [
    (
        "fetch needing==1.0 --no-binary needing -C other=9",
        Needs::Index,
    ),
    (
        "wheel needing==1.0 --dry-run --no-binary needing -C other=9",
        Needs::Index,
    ),
    ("wheel needing==1.0 --no-deps --no-binary :all:", Needs::All),
    ("lock-build needing==1.0", Needs::Index),
    ("inspect out/needing-1.0-py3-none-any.whl", Needs::Cache),
    ("verify out/needing-1.0-py3-none-any.whl", Needs::Cache),
    (
        "install needing==1.0 --no-deps --no-binary :all: --target ../installed",
        Needs::Index,
    ),
    ("build --wheel ../tree", Needs::All),
    ("build ../tree", Needs::All),
    ("metadata ../tree -C other=2", Needs::Index),
    ("wheel ../tree --no-deps --no-cache", Needs::All),
    ("wheel ../tree --no-deps -C other=1", Needs::All),
    ("doctor", Needs::Index),
    ("policy list", Needs::Nothing),
    ("policy show strict", Needs::Nothing),
    ("policy explain strict", Needs::Nothing),
    ("policy check ../policy.toml", Needs::Nothing),
    ("cache dir", Needs::Cache),
    ("cache size", Needs::Cache),
    ("cache list", Needs::Cache),
    ("cache check --repair", Needs::Cache),
    ("log", Needs::Cache),
    ("cache prune --ci", Needs::Cache),
    ("cache clean", Needs::Cache),
    ("explain F0106", Needs::Nothing),
    ("completion bash", Needs::Nothing),
    (SHELL, Needs::Cache),
];

/// The command that enters a kept scratch, without the name of the build.
const SHELL: &str = "shell";

/// Which places a command has to be told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Needs {
    Nothing,
    Cache,
    Index,
    All,
}

/// Prepares a command with the world's places.
fn prepare<'a>(world: &'a World<'a>, words: &str, needs: Needs) -> Run<'a, 'a> {
    let mut run = world.run(words.split(' '));
    let python = world.python().path.clone();
    if needs >= Needs::Cache {
        run = run.args(["--cache-dir".as_ref(), world.cache().as_os_str()]);
    }
    if needs >= Needs::Index {
        run = run
            .args(["--default-index", &world.index.url()])
            .args(["-p".as_ref(), python.as_os_str()]);
    }
    if needs == Needs::All {
        run = run.args(["-o".as_ref(), world.out().as_os_str()]);
    }
    run
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
    world.lay("tree", &sdist);
    world.file(
        "policy.toml",
        "name = 'x'\nsummary = 'x'\nextends = 'pure'\n",
    );
    let unusable = world.folder("unusable").join("missing");
    // A control group is the kernel's, and gone with its build.
    let installed = world.folder("installed");
    let places = [
        world.cache(),
        world.out(),
        installed,
        "/sys/fs/cgroup".into(),
    ];
    // Git is a program of its own, with habits of its own.
    let repository = Repository::new(&world, "repository");
    repository.lay("", &Sdist::hello("hello", "1.0"));
    repository.commit("one");
    let from_git = format!("wheel {} --no-deps", repository.url());
    // What is kept lies there to the end.
    for (words, needs) in [(from_git.as_str(), Needs::All)]
        .into_iter()
        .chain(COMMANDS)
    {
        let log = world.folder("traces").join(words.replace([' ', '/'], "-"));
        let mut words = words.to_owned();
        if words == SHELL {
            let kept = world.build(&sdist).args(["--keep-scratch"]).finish_anyhow();
            words.push(' ');
            words.push_str(&crate::shell::entering(&kept)[1]);
        }
        let done = ["TMPDIR", "TMP", "TEMP", "HOME"]
            .iter()
            .fold(prepare(&world, &words, needs), |run, variable| {
                run.env(variable, &unusable)
            })
            .traced(&log, FILES)
            .finish_anyhow();
        done.succeeds();
        if !words.starts_with(SHELL) {
            done.is_tidy();
            assert!(world.scratches().is_empty(), "{words}: {done}");
        }
        let calls = trace::calls(&log);
        let writes = calls.iter().filter(|call| call.writes()).count();
        assert!(
            writes > 20 || needs < Needs::All,
            "{words}: the trace shows what was written: {writes} of {}",
            calls.len()
        );
        assert_eq!(
            strays(&calls, &world.folder("work"), &places),
            BTreeSet::new(),
            "{words}: {done}"
        );
    }
}

#[test]
fn every_command_of_the_help_is_traced() {
    let world = World::new(site(), Setting::PLAIN);
    let listed = |words: &[&str]| -> Vec<String> {
        let done = world.run(words).args(["--help"]).finish();
        done.succeeds();
        let commands = done.stdout.split("Commands:\n").nth(1).expect("commands");
        let lines = commands.lines().take_while(|line| line.starts_with("  "));
        lines
            .filter_map(|line| line.split_whitespace().next())
            .map(|name| [words, &[name]].concat().join(" "))
            .collect()
    };
    let mut commands = listed(&[]);
    for group in ["cache", "policy"] {
        commands.retain(|command| command != group);
        commands.extend(listed(&[group]));
    }
    assert!(commands.len() > 12, "{commands:?}");
    // The one command that writes elsewhere: the user's own file, which its suite lays in mounts of its own.
    commands.retain(|command| command != "policy approve");
    for command in commands {
        let traced = COMMANDS
            .iter()
            .any(|(words, _)| *words == command || words.starts_with(&format!("{command} ")));
        assert!(traced, "`{command}` is not traced");
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

#[test]
fn a_file_system_without_links_and_without_renames_that_replace_nothing_serves() {
    for fault in [
        "link,linkat:error=EPERM",
        "link,linkat:error=EOPNOTSUPP",
        "renameat2:error=EINVAL",
    ] {
        for setting in [Setting::PLAIN, Setting::DENIED] {
            let world = World::new(site(), setting);
            if !world.has_program("strace") {
                return;
            }
            world.index.wheel(&Wheel::new("base", "1.0"));
            let sdist = needing();
            world.index.sdist(&sdist);
            let log = world.folder("traces").join("faults");
            let run = || world.wheel("needing==1.0").failing(&log, &[fault]).finish();
            run().built(&sdist.wheel());
            let text = std::fs::read_to_string(&log).expect("strace has written its log");
            assert!(
                text.contains("(INJECTED)"),
                "{fault}: a call failed: {text}"
            );
            run().cached(&sdist.wheel());
        }
    }
}
