//! What confinement costs: the time from the start of a worker to the exec of its program, of which each step
//! between them, in each way to confine, and the time that the kernel takes for a filter alone. Beside CI:
//! `cargo build --release && cargo run --release -p tests --bin layers -- [ROUNDS]`, which prints tables for
//! `docs/performance.md`. It needs a C compiler, for the program that does nothing.
//!
//! Variants take turns, so that what else runs on the machine meets them all. This program is its own worker,
//! and tells of each step as it has passed it. Steps follow each other: their times add up to the whole.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use filter::{Arch, Spec, Stage};
use nix::time::{ClockId, clock_gettime};
use protocol::{
    AbsPath, Assignment, Confinement, Event, Namespaces, Network, Order, PathGrant, Program,
    PushDecoder, Rooms, encode,
};

/// By this name the program is a worker.
const WORKER: &str = "fumehood-worker";
/// By this word it loads one filter and says how long that took.
const FILTER: &str = "filter";
const ROOMS: [&str; 4] = ["s", "t", "h", "o"];
/// Folders of programs and of what they are linked to.
const NEEDED: [&str; 6] = [
    "/bin",
    "/usr/bin",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
];
/// What a worker tells of, in its order, and what that is.
const STEPS: [(&str, &str); 17] = [
    ("Start", "fork, exec and linking of the worker"),
    ("Order", "session, descriptors, order, rooms opened"),
    ("Namespaces", "namespaces, their init forked"),
    ("Rooms", "rooms given to the build's uid"),
    ("Mounts", "mounts, the new root"),
    ("Privileges", "uid, capabilities, `no_new_privs`"),
    ("ReapersDomain", "Landlock: the reaper's domain"),
    ("Probe", "the sentinel forked, signalled, refused, gone"),
    ("Watch", "hidden from others; the end of children watched"),
    ("Rules", "Landlock: rules of the program's domain"),
    ("Fork", "the program's process forked"),
    ("ProgramsDomain", "Landlock: the program's domain entered"),
    ("Filter", "filter compiled and loaded, listener handed over"),
    ("Limits", "limits, niceness"),
    ("SelfTest", "self-test"),
    ("Report", "the broker ready, the level told"),
    ("Exec", "the word to go, exec"),
];
/// A uid for builds of root's, below those that the program leases.
const BUILD_UID: u32 = 61_900;

fn main() -> ExitCode {
    let mut words = std::env::args();
    if words.next().as_deref() == Some(WORKER) {
        worker::tell_steps();
        return fumehood::main(Path::new("/etc/fumehood"));
    }
    let word = words.next();
    match word.as_deref() {
        Some(FILTER) => load_a_filter(),
        rounds => measure(rounds.and_then(|text| text.parse().ok()).unwrap_or(200)),
    }
}

/// One way to confine, and what it took each time.
struct Variant {
    name: &'static str,
    confinement: Confinement,
    rounds: Vec<Vec<(String, Duration)>>,
}

fn measure(rounds: usize) -> ExitCode {
    let scratch = tempfile::tempdir().expect("a folder can be made");
    let grants = grants();
    // What it takes to start one program.
    let needed = |grant: &&PathGrant| {
        let path = grant.path.as_path();
        NEEDED.iter().any(|folder| path == Path::new(folder))
    };
    let few = grants.iter().filter(needed).cloned().collect();
    let mut variants = vec![
        variant("confined", Namespaces::None, true, grants.clone()),
        variant("confined, a few grants", Namespaces::None, true, few),
        variant("ns", own_namespaces(), true, grants.clone()),
        variant("ns-only (no Landlock)", own_namespaces(), false, grants),
    ];
    let nothing = nothing(scratch.path());
    let own = std::env::current_exe().expect("the kernel knows this file");
    let ours = own.with_file_name("fumehood");
    let (mut plain, mut version, mut filters) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        plain.push(started(&mut Command::new(&nothing)));
        version.push(started(Command::new(&ours).arg("--version")));
        filters.push(filter_alone());
        for variant in &mut variants {
            let place = scratch.path().join(format!("r{round}"));
            variant.rounds.push(steps(&variant.confinement, &place));
        }
    }
    let mut out = std::io::stdout().lock();
    let mut line = |text: String| writeln!(out, "{text}").expect("standard output takes it");
    let all = variants[0].confinement.grants.len();
    line(format!(
        "{rounds} rounds, microseconds, median (nine tenths below); {all} grants unless said otherwise\n"
    ));
    let names: Vec<_> = variants.iter().map(|variant| variant.name).collect();
    line(format!("| step | {} |", names.join(" | ")));
    line(format!("|---|{}", "---|".repeat(names.len())));
    let mut row = |title: &str, counts: &dyn Fn(&str) -> bool| {
        let cells = variants.iter().map(|variant| {
            let spent = variant.rounds.iter().map(|round| spent(round, counts));
            figures(spent.collect())
        });
        let cells: Vec<_> = cells.collect();
        line(format!("| {title} | {} |", cells.join(" | ")));
    };
    for (step, of_a_worker) in STEPS {
        row(of_a_worker, &|name| name == step);
    }
    row("from start to exec", &|_| true);
    line(format!(
        "\nfor comparison: an empty C program started and ended {}, `fumehood --version` {}, one filter loaded by a process of its own {}",
        figures(plain),
        figures(version),
        figures(filters)
    ));
    ExitCode::SUCCESS
}

/// What the steps that count took in a round, however often they were passed.
fn spent(round: &[(String, Duration)], counts: &dyn Fn(&str) -> bool) -> Duration {
    let of_it = round.iter().filter(|(name, _)| counts(name));
    of_it.map(|(_, took)| *took).sum()
}

fn figures(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_micros();
    format!("{} ({})", at(50), at(90))
}

/// The grants of the default policy, without an environment.
fn grants() -> Vec<PathGrant> {
    let policy = policies::Policy::builtin("strict").expect("it is built in");
    let places = policies::Places {
        interpreter: vec![AbsPath::new("/usr/bin/true").expect("absolute")],
        environment: None,
        exists: &Path::exists,
    };
    policy.compile(&places, &[]).expect("it compiles").grants
}

fn own_namespaces() -> Namespaces {
    if nix::unistd::geteuid().is_root() {
        Namespaces::WithoutUser
    } else {
        Namespaces::WithUser
    }
}

fn variant(
    name: &'static str,
    namespaces: Namespaces,
    landlock: bool,
    grants: Vec<PathGrant>,
) -> Variant {
    let by_root = namespaces == Namespaces::WithoutUser;
    Variant {
        name,
        confinement: Confinement {
            namespaces,
            build_uid: by_root.then_some(BUILD_UID),
            landlock,
            landlock_floor: 1,
            network: Network::None,
            grants,
            must_not_open: AbsPath::new("/etc/hostname").expect("absolute"),
            trace: false,
        },
        rounds: Vec::new(),
    }
}

/// Starts a worker with `true` as its program; returns what each step up to its exec took, in their order.
fn steps(confinement: &Confinement, place: &Path) -> Vec<(String, Duration)> {
    for room in ROOMS {
        std::fs::create_dir_all(place.join(room)).expect("a folder can be made");
    }
    let order = Order::Start(Box::new(assignment(confinement, place)));
    let frame = encode(&order).expect("it fits a frame");
    let since = now();
    let (mut ours, theirs) = UnixStream::pair().expect("sockets can be made");
    let child = Command::new("/proc/self/exe")
        .arg0(WORKER)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this program can be started");
    ours.write_all(&frame).expect("the worker listens");
    let mut decoder = PushDecoder::default();
    let (mut armed, mut started) = (None, None);
    loop {
        match next(&mut ours, &mut decoder) {
            Event::Confined(_) => armed = Some(now()),
            Event::Ready { .. } => started = Some(now()),
            Event::Faulted(fault) => panic!("the worker broke: {fault:?}"),
            Event::Finished(_) => break,
            _ => {}
        }
    }
    drop(ours);
    let told = child.wait_with_output().expect("the worker ends").stderr;
    std::fs::remove_dir_all(place).expect("nothing is left in the rooms");
    let told = String::from_utf8(told).expect("a worker tells in text");
    let mut passed: Vec<_> = told.lines().map(mark).collect();
    passed.push(("Report".to_owned(), armed.expect("it was armed")));
    passed.push(("Exec".to_owned(), started.expect("it was started")));
    let mut before = since;
    let took = passed.into_iter().map(|(name, at)| {
        let took = at.checked_sub(before).expect("steps follow each other");
        before = at;
        (name, took)
    });
    let took: Vec<_> = took.collect();
    let unknown = took
        .iter()
        .find(|(name, _)| STEPS.iter().all(|(step, _)| step != name));
    assert!(unknown.is_none(), "the table lacks {unknown:?}");
    took
}

/// A step that a worker has told of, and when it had passed it.
fn mark(line: &str) -> (String, Duration) {
    let (name, at) = line.split_once(' ').expect("a name and a time");
    let at = at.parse().expect("nanoseconds");
    (name.to_owned(), Duration::from_nanos(at))
}

/// The clock that all processes share.
fn now() -> Duration {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every kernel has it");
    Duration::from(now)
}

fn next(link: &mut UnixStream, decoder: &mut PushDecoder) -> Event {
    loop {
        if let Some(event) = decoder.take().expect("a worker speaks in frames") {
            return event;
        }
        let mut bytes = [0; 4096];
        let got = link.read(&mut bytes).expect("the link can be read");
        assert!(got > 0, "the worker vanished");
        decoder.push(&bytes[..got]);
    }
}

fn assignment(confinement: &Confinement, place: &Path) -> Assignment {
    let path = |text: &str| AbsPath::new(text).expect("absolute");
    let scratch = AbsPath::new(place).expect("absolute");
    let seen_as = path("/b");
    let rooms = match confinement.namespaces {
        Namespaces::None => scratch.clone(),
        Namespaces::WithUser | Namespaces::WithoutUser => seen_as.clone(),
    };
    let strict = policies::Policy::builtin("strict").expect("it is built in");
    Assignment {
        rooms: Rooms {
            scratch,
            writable: ROOMS.map(str::to_owned).to_vec(),
            seen_as,
        },
        confinement: confinement.clone(),
        limits: strict.limits().clone(),
        unpack: None,
        program: Some(Program {
            path: path("/usr/bin/true"),
            arguments: vec!["true".to_owned()],
            environment: Vec::new(),
            directory: rooms.join("t").expect("a plain name"),
            takes_calls: false,
            input: None,
            output: None,
            talks: false,
        }),
        slot: None,
    }
}

/// Compiles a C program that does nothing.
fn nothing(folder: &Path) -> PathBuf {
    let (source, program) = (folder.join("nothing.c"), folder.join("nothing"));
    std::fs::write(&source, "int main(void) { return 0; }\n").expect("a file can be written");
    let cc = Command::new("cc")
        .args(["-O2", "-o"])
        .args([&program, &source])
        .status();
    assert!(cc.expect("a C compiler").success(), "it is compiled");
    program
}

/// Starts a program and waits for its end.
fn started(command: &mut Command) -> Duration {
    let since = Instant::now();
    let status = command.env_clear().stdout(Stdio::null()).status();
    assert!(status.expect("it starts").success());
    since.elapsed()
}

/// Has a fresh process load a filter.
fn filter_alone() -> Duration {
    let output = Command::new("/proc/self/exe").arg(FILTER).output();
    let output = output.expect("this program can be started");
    let nanoseconds = String::from_utf8_lossy(&output.stdout).trim().parse();
    Duration::from_nanos(nanoseconds.expect("a number is printed"))
}

fn load_a_filter() -> ExitCode {
    let spec = Spec {
        stage: Stage::Program,
        listener: true,
        local_sockets: true,
        broker_metadata: true,
        trace: false,
    };
    let since = Instant::now();
    let program = filter::compile(Arch::current(), &spec);
    nix::sys::prctl::set_no_new_privs().expect("every kernel has it");
    let listener = filter::install(&program, true).expect("the kernel takes it");
    let took = since.elapsed();
    drop(listener);
    writeln!(std::io::stdout(), "{}", took.as_nanos()).expect("standard output takes it");
    ExitCode::SUCCESS
}
