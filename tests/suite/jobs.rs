//! Jobs: how much of a host is asked for at a time, by builds that know nothing of each other.
//!
//! Every run is held to two processors, and asks for two jobs where the host has but one.

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::sched::{CpuSet, sched_getaffinity};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use serde::Deserialize;
use serde_json::json;
use tests::{Run, Running, Sdist, Setting, World, release, search};

use crate::concurrency::shelved;
use crate::{site, warm};

/// Jobs at a time.
pub(crate) const JOBS: usize = 2;

/// A client of a jobserver: waits until it is let go on, if it shall; reads tokens for as long as it is told,
/// or until it has enough; does with the fifo what it is told; and tells what it got and when.
const CLIENT: &str = r"import os, re, select, time
import hold

def do(targets):
    if targets['waits']:
        hold.until_released()
    begin = time.monotonic()
    path = re.search(r'--jobserver-auth=fifo:(\S+)', os.environ['MAKEFLAGS']).group(1)
    fifo = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    exec(targets['deed'], {'os': os, 'fifo': fifo, 'path': path})
    got, end = [], begin + targets['seconds']
    while len(got) < targets['enough'] and time.monotonic() < end:
        if select.select([fifo], [], [], end - time.monotonic())[0]:
            try:
                os.read(fifo, 1)
            except BlockingIOError:
                continue
            got.append(time.monotonic())
    if not targets['keeps']:
        os.write(fifo, b'+' * len(got))
    return {'begin': begin, 'end': time.monotonic(), 'tokens': got}
";

/// What a client tells.
#[derive(Debug, Deserialize)]
struct Told {
    begin: f64,
    end: f64,
    tokens: Vec<f64>,
}

impl Told {
    fn by(world: &World<'_>, sdist: &Sdist) -> Self {
        Self::of(&world.out().join(sdist.wheel()))
    }

    fn of(wheel: &Path) -> Self {
        let text = search::member(wheel, "spoils.json");
        serde_json::from_slice(&text).expect("the client writes JSON")
    }

    fn span(&self) -> Range<f64> {
        self.begin..self.end
    }
}

/// What a client does.
struct Client {
    /// Seconds that it reads for.
    seconds: f64,
    enough: usize,
    keeps: bool,
    waits: bool,
    deed: &'static str,
}

impl Client {
    /// Reads until there can be no more.
    const GREEDY: Self = Self {
        seconds: 1.2,
        enough: usize::MAX >> 1,
        keeps: false,
        waits: false,
        deed: "",
    };

    fn sdist(&self, name: &str) -> Sdist {
        let sdist = Sdist::bare(name, "1.0")
            .folder("common")
            .file("deed.py", CLIENT);
        sdist.targets(&json!({
            "seconds": self.seconds,
            "enough": self.enough,
            "keeps": self.keeps,
            "waits": self.waits,
            "deed": self.deed,
        }))
    }
}

/// Holds a run to two of the processors that the suite has.
pub(crate) fn held<'world, 'site>(run: Run<'world, 'site>, jobs: usize) -> Run<'world, 'site> {
    let ours = sched_getaffinity(Pid::from_raw(0)).expect("the kernel tells it");
    let ours = (0..CpuSet::count()).filter(|at| ours.is_set(*at).unwrap_or(false));
    let two: Vec<_> = ours.take(JOBS).map(|at| at.to_string()).collect();
    let text = format!("taskset -pc {} $$ >/dev/null || exit 71", two.join(","));
    run.args(["--jobs", &jobs.to_string()]).holding(&text)
}

/// Whether runs can be held to processors here.
pub(crate) fn can_be_held(world: &World<'_>) -> bool {
    world.has_program("taskset") && world.has_program("bash")
}

/// Slots of the host for a run that asks for `jobs`: one processor has as many as were asked for.
pub(crate) fn slots(jobs: usize) -> usize {
    let ours = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    ours.min(JOBS).max(jobs)
}

/// One run with two builds that use both of its jobs, and wait in these folders to be released.
fn two_that_wait<'world, 'site>(
    world: &'world World<'site>,
) -> ([Sdist; 2], Running<'world, 'site>, [PathBuf; 2]) {
    let client = Client {
        waits: true,
        ..Client::GREEDY
    };
    let pair = ["one", "two"].map(|name| client.sdist(name));
    let archives = pair.each_ref().map(|sdist| world.archive(sdist));
    let mut running = held(world.wheels(&archives), JOBS).start();
    let one = running.wait_until_ready();
    let two = running.wait_until_ready_beside(std::slice::from_ref(&one));
    (pair, running, [one, two])
}

/// The most spans that hold one moment.
pub(crate) fn at_a_time(spans: &[Range<f64>]) -> usize {
    let at = |moment: f64| spans.iter().filter(|span| span.contains(&moment)).count();
    spans.iter().map(|span| at(span.start)).max().unwrap_or(0)
}

#[test]
fn a_build_that_is_alone_is_lent_every_job_but_its_own() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        if !can_be_held(&world) {
            return;
        }
        let sdist = Client::GREEDY.sdist("alone");
        held(world.build(&sdist), JOBS).finish().succeeds();
        let told = Told::by(&world, &sdist);
        assert_eq!(told.tokens.len(), slots(JOBS) - 1, "{setting}: {told:?}");
    }
}

#[test]
fn builds_that_use_every_job_are_lent_none() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        if !can_be_held(&world) {
            return;
        }
        let (pair, running, ready) = two_that_wait(&world);
        ready.iter().for_each(|folder| release(folder, ""));
        running.finish().succeeds();
        let [one, two] = pair.each_ref().map(|sdist| Told::by(&world, sdist));
        assert_eq!(at_a_time(&[one.span(), two.span()]), 2, "{one:?} {two:?}");
        let during = |one: &Told, two: &Told| {
            let span = two.span();
            one.tokens.iter().filter(|at| span.contains(at)).count()
        };
        assert_eq!(during(&one, &two), 0, "{setting}: {one:?} {two:?}");
        assert_eq!(during(&two, &one), 0, "{setting}: {one:?} {two:?}");
    }
}

/// What a build may do with its fifo.
const HOSTILE: [(&str, &str); 6] = [
    ("keeps", ""),
    ("writes", "os.write(fifo, b'+' * 100)"),
    ("fills", "os.write(fifo, b'+' * 65536)"),
    ("removes", "os.remove(path)"),
    (
        "shuts",
        "os.chmod(path, 0); os.chmod(os.path.dirname(path), 0)",
    ),
    (
        "replaces",
        "os.remove(path); os.symlink(open('decoy.txt').read(), path)",
    ),
];

#[test]
fn whatever_a_build_does_with_its_fifo_the_next_one_is_lent_as_much() {
    let settings = Setting::all(site());
    for (setting, (name, deed)) in settings.iter().cycle().zip(HOSTILE) {
        let world = World::new(site(), *setting);
        if !can_be_held(&world) {
            return;
        }
        let decoy = world.file("decoy", "untouched");
        let before = decoy.metadata().expect("it is there");
        let hostile = Client {
            seconds: 10.0,
            enough: 1,
            keeps: true,
            deed,
            ..Client::GREEDY
        };
        let hostile = hostile.sdist("hostile");
        let hostile = hostile.file("decoy.txt", decoy.display().to_string());
        world.index.sdist(&hostile);
        // What it needs is built before it, by the same process.
        let honest = Client {
            seconds: 10.0,
            enough: slots(JOBS) - 1,
            ..Client::GREEDY
        };
        let honest = honest.sdist("honest").requires(&["hostile"]);
        held(world.build(&honest), JOBS).finish().succeeds();
        let wheel = shelved(&world).into_iter();
        let mut wheel = wheel.filter(|path| path.ends_with(hostile.wheel()));
        let wheel = wheel.next().expect("it was built");
        assert_eq!(Told::of(&wheel).tokens.len(), 1, "{name}, {setting}");
        let told = Told::by(&world, &honest);
        let lent = told.tokens.len();
        assert_eq!(lent, slots(JOBS) - 1, "{name}, {setting}: {told:?}");
        let after = decoy.metadata().expect("it is there");
        assert_eq!(
            std::fs::read(&decoy).expect("it is there"),
            b"untouched",
            "{name}"
        );
        assert_eq!(before.mtime_nsec(), after.mtime_nsec(), "{name}");
    }
}

#[test]
fn a_build_in_an_interpreter_of_another_is_lent_jobs_too() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let most = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) - 1;
        let deed = format!(
            "import os, re, select
path = re.search(r'--jobserver-auth=fifo:(\\S+)', os.environ['MAKEFLAGS']).group(1)
fifo, got = os.open(path, os.O_RDWR | os.O_NONBLOCK), b''
while len(got) < {most} and select.select([fifo], [], [], 3)[0]:
    got += os.read(fifo, 1)
os.write(fifo, got)
found['tokens'] = len(got)
"
        );
        let [one, two] = ["one", "two"].map(|name| warm::project(name, &deed));
        let done = warm::build(&world, &warm::keeper(), &[&one, &two], &[]);
        done.succeeds();
        assert!(warm::share(&world, &one, &two), "{setting}");
        // Whichever comes first is lent nothing while the other one waits for it.
        let tokens = [&one, &two].map(|sdist| warm::found(&world, sdist)["tokens"].as_u64());
        assert_eq!(
            tokens.into_iter().max(),
            Some(Some(most as u64)),
            "{setting}"
        );
    }
}

#[test]
fn a_variable_that_the_user_sets_is_the_one_that_a_build_has() {
    let world = World::new(site(), Setting::PLAIN);
    let deed = "import os

def do(targets):
    return {name: os.environ[name] == value for name, value in targets.items()}
";
    let values = [("MAKEFLAGS", "-j7"), ("CARGO_MAKEFLAGS", "-j8")];
    let sdist = Sdist::bare("told", "1.0")
        .folder("common")
        .file("deed.py", deed)
        .targets(&json!(BTreeMap::from(values)));
    let run = values
        .iter()
        .fold(world.build(&sdist), |run, (name, value)| {
            run.env(name, value).args(["--allow-env", name])
        });
    run.finish().succeeds();
    let spoils = search::member(&world.out().join(sdist.wheel()), "spoils.json");
    let found: BTreeMap<String, bool> = serde_json::from_slice(&spoils).expect("it is JSON");
    assert!(found.len() == 2 && found.values().all(|is_same| *is_same));
}

#[test]
fn processes_of_one_cache_ask_the_host_for_little_more_than_it_has() {
    let world = World::new(site(), Setting::PLAIN);
    if !can_be_held(&world) {
        return;
    }
    let client = Client {
        seconds: 0.4,
        ..Client::GREEDY
    };
    let names: Vec<_> = (0..8).map(|at| format!("thing{at}")).collect();
    let sdists: Vec<_> = names.iter().map(|name| client.sdist(name)).collect();
    let archives: Vec<_> = sdists.iter().map(|sdist| world.archive(sdist)).collect();
    let halves = archives.chunks(4);
    let running: Vec<_> = halves
        .map(|half| held(world.wheels(half), JOBS).start())
        .collect();
    let processes = running.len();
    for running in running {
        running.finish_anyhow().succeeds();
    }
    let told: Vec<_> = sdists.iter().map(|sdist| Told::by(&world, sdist)).collect();
    let spans: Vec<_> = told.iter().map(Told::span).collect();
    let most = at_a_time(&spans);
    assert!(most < slots(JOBS) + processes, "{told:?}");
    assert!(most >= JOBS, "they were not run at the same time: {told:?}");
}

#[test]
fn a_process_that_was_stopped_with_all_jobs_holds_up_nobody_s_first_build() {
    let world = World::new(site(), Setting::PLAIN);
    if !can_be_held(&world) {
        return;
    }
    let (_, stopped, ready) = two_that_wait(&world);
    stopped.signal(Signal::SIGSTOP);
    let client = Client {
        seconds: 0.4,
        ..Client::GREEDY
    };
    let others = ["three", "four"].map(|name| client.sdist(name));
    let archives = others.each_ref().map(|sdist| world.archive(sdist));
    let run = held(world.wheels(&archives), JOBS).out("others");
    run.finish_anyhow().succeeds();
    stopped.signal(Signal::SIGCONT);
    ready.iter().for_each(|folder| release(folder, ""));
    stopped.finish_anyhow().succeeds();
    let spans = others.each_ref().map(|sdist| {
        let wheel = world.folder("work/others").join(sdist.wheel());
        let told = Told::of(&wheel);
        assert_eq!(told.tokens.len(), 0, "{told:?}");
        told.span()
    });
    // Its second one had no slot, and waited for the first.
    assert_eq!(at_a_time(&spans), 1, "{spans:?}");
}

#[test]
fn a_build_that_reads_every_file_that_it_finds_finds_no_fifo() {
    let deed = "import os, time

def do(targets):
    end, found = time.monotonic() + 2.5, set()
    # Longer than it takes the supervisor to count what is there.
    while time.monotonic() < end:
        for room in (os.environ['TMPDIR'], os.environ['HOME'], os.getcwd()):
            for folder, _, names in os.walk(room):
                for name in names:
                    with open(os.path.join(folder, name), 'rb') as file:
                        file.read()
                    found.add(name)
        time.sleep(0.02)
    return sorted(found)
";
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::bare("curious", "1.0").folder("common");
        let sdist = sdist.file("deed.py", deed).targets(&json!({}));
        world.build(&sdist).finish().succeeds();
    }
}
