//! Warm interpreters: one that has served a build serves the next of its kind, and nothing of the one is
//! in the other.

use std::collections::BTreeSet;
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::Value;
use tests::{Authority, Excess, Outcome, Sdist, Setting, Wheel, World, search};

use crate::site;

/// A backend that lives in the environment: it does what a project's `deed.py` says, and writes down what
/// that found, and which interpreter it was.
const KEEPER: &str = "import json, os, sys
import in_tree, wheel_file
name, pid = os.urandom(8).hex(), os.getpid()

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    found = {}
    if os.path.exists('deed.py'):
        with open('deed.py') as text:
            exec(compile(text.read(), 'deed.py', 'exec'), {'found': found})
    files = {'found.json': json.dumps(found, sort_keys=True).encode(), 'interpreter': name.encode()}
    return wheel_file.write(wheel_directory, *in_tree.project(), files=files)
";

/// What another build could have left where this one looks.
const LOOK: &str = "import os, sys, threading
place = os.path.dirname(os.environ['HOME'])
found['modules'] = sorted(name for name in sys.modules if 'planted' in name)
found['variables'] = sorted(name for name in os.environ if 'PLANTED' in name)
found['attributes'] = sorted(name for name in dir(sys) + dir(os) if 'planted' in name)
found['folders'] = {room: sorted(os.listdir(os.path.join(place, room))) for room in 'to'}
found['home'] = sorted(os.listdir(os.environ['HOME']))
try:
    found['shared'] = sorted(os.listdir('/dev/shm'))
except PermissionError:
    found['shared'] = []
found['threads'] = threading.active_count()
found['argv'] = list(sys.argv)
# A file may change its folder, by a name or by another one.
inner = os.path.join(os.environ['TMPDIR'], 'inner')
os.mkdir(inner)
open(inner + '.x', 'w').close()
os.rename(inner + '.x', inner + '/x')
os.link(inner + '/x', inner + '.x')
";

pub(crate) fn keeper() -> Wheel {
    let sdist = Sdist::hello("keeper", "1.0");
    let wheel = Wheel::new("keeper", "1.0").file("keeper.py", KEEPER);
    let parts = sdist.files().filter(|(name, _)| name.ends_with(".py"));
    parts.fold(wheel, |wheel, (name, content)| wheel.file(name, content))
}

/// A project that is built by `keeper` and does `deed`.
pub(crate) fn project(name: &str, deed: &str) -> Sdist {
    let system = "[build-system]\nrequires = [\"keeper\"]\nbuild-backend = \"keeper\"\n";
    let sdist = Sdist::bare(name, "1.0").file("pyproject.toml", system);
    sdist.file("deed.py", deed)
}

/// The interpreter that made a wheel.
fn interpreter(world: &World<'_>, sdist: &Sdist) -> String {
    let name = search::member(&world.out().join(sdist.wheel()), "interpreter");
    String::from_utf8(name).expect("it is a word")
}

pub(crate) fn found(world: &World<'_>, sdist: &Sdist) -> Value {
    let text = search::member(&world.out().join(sdist.wheel()), "found.json");
    serde_json::from_slice(&text).expect("the backend writes JSON")
}

/// What the records in a cache say of reuse, by project.
fn reuse(cache: &Path) -> Vec<(String, String)> {
    let records = search::files(cache).into_iter();
    let records = records.filter(|path| path.ends_with("record.json"));
    let told = records.filter_map(|path| {
        let text = std::fs::read(&path).expect("a record can be read");
        let record: Value = serde_json::from_slice(&text).expect("a record is JSON");
        let word = |key: &str| Some(record.get(key)?.as_str()?.to_owned());
        Some((word("name")?, word("reuse")?))
    });
    let mut told: Vec<_> = told.collect();
    told.sort();
    told
}

/// Builds projects from the index, one after the other in one run.
pub(crate) fn build<'world, 'site>(
    world: &'world World<'site>,
    backend: &Wheel,
    projects: &[&Sdist],
    flags: &[&str],
) -> Outcome<'world, 'site> {
    world.index.wheel(backend);
    for sdist in projects {
        world.index.sdist(sdist);
    }
    let names = projects.iter().map(|sdist| sdist.name().to_owned());
    let run = world.wheels(names).without(&["--no-binary", ":all:"]);
    run.args(["--jobs", "1"]).args(flags).finish()
}

/// Whether two projects were built by one interpreter.
pub(crate) fn share(world: &World<'_>, one: &Sdist, two: &Sdist) -> bool {
    interpreter(world, one) == interpreter(world, two)
}

/// What the second build finds where no other was before it.
fn undisturbed(setting: Setting, backend: &Wheel) -> Value {
    let world = World::new(site(), setting);
    let two = project("two", LOOK);
    build(&world, backend, &[&two], &[]).succeeds();
    found(&world, &two)
}

#[test]
fn builds_of_one_environment_share_an_interpreter_and_their_records_say_so() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let projects = ["one", "two", "three"].map(|name| project(name, LOOK));
        let all: Vec<_> = projects.iter().collect();
        build(&world, &keeper(), &all, &[]).succeeds();
        let names: BTreeSet<_> = all.iter().map(|sdist| interpreter(&world, sdist)).collect();
        assert_eq!(names.len(), 1, "{setting}");
        let mut words: Vec<_> = reuse(&world.cache())
            .into_iter()
            .map(|(_, word)| word)
            .collect();
        words.sort();
        assert_eq!(words, ["own", "warm", "warm"], "{setting}");
        assert_eq!(found(&world, all[0]), found(&world, all[1]), "{setting}");
        assert_eq!(found(&world, all[0]), found(&world, all[2]), "{setting}");
    }
}

/// What a build may try on the interpreter that it was branched off from: signals, tracing, its files in
/// `/proc`, its limits, its modules and hooks. All of it comes to nothing.
const IN_VAIN: [&str; 6] = [
    "import keeper, os, signal
# Where nothing is shared, this would be the build's own parent.
if keeper.pid != os.getppid():
    for end in (signal.SIGCONT, signal.SIGUSR1, signal.SIGKILL):
        for send in (os.kill, lambda pid, end: signal.pidfd_send_signal(os.pidfd_open(pid), end)):
            try:
                send(keeper.pid, end)
                found['sent'] = str(end)
            except OSError:
                pass
",
    "import ctypes, keeper, os
libc = ctypes.CDLL(None, use_errno=True)
if keeper.pid != os.getppid():
    if libc.ptrace(16, keeper.pid, 0, 0) == 0:
        found['traced'] = True
    piece = ctypes.create_string_buffer(b'planted')
    ours = (ctypes.c_void_p * 2)(ctypes.addressof(piece), 8)
    if libc.process_vm_writev(keeper.pid, ours, 1, ours, 1, 0) > 0:
        found['written'] = True
",
    "import keeper
for name in ('mem', 'fd/1', 'fd/3', 'oom_score_adj'):
    try:
        name = '/proc/%d/%s' % (keeper.pid, name)
        with open(name, 'r+b', buffering=0) as file:
            file.write(b'planted')
            found[name] = 'written'
    except OSError:
        pass
",
    "import keeper, os, resource
if keeper.pid != os.getppid():
    try:
        resource.prlimit(keeper.pid, resource.RLIMIT_NOFILE, (8, 8))
        found['limited'] = True
    except (OSError, ValueError):
        pass
",
    "import os, sys, types
sys.modules['planted'] = types.ModuleType('planted')
os.environ['PLANTED'] = sys.planted = os.planted = 'planted'
sys.argv.append('planted')
",
    "import os, sys
def plant():
    sys.modules['planted'] = sys
os.register_at_fork(before=plant, after_in_parent=plant, after_in_child=plant)
",
];

/// What a build may leave where another one could find it: files, objects of the kernel, the state of the
/// pipe of the log. The last alone is a reason to end the interpreter.
const LEFT: [&str; 3] = [
    "import os, sys
home = os.environ['HOME']
for place in (os.environ['TMPDIR'], home, os.path.dirname(home), '/dev/shm', os.path.dirname(sys.executable)):
    try:
        with open(os.path.join(place, 'planted'), 'w') as file:
            file.write('planted')
    except OSError:
        pass
",
    "import ctypes
libc = ctypes.CDLL(None)
libc.shmget(0x706c, 4096, 0o1666)
libc.semget(0x706c, 1, 0o1666)
libc.msgget(0x706c, 0o1666)
",
    "import fcntl, os
fcntl.fcntl(1, 1031, 8192)
fcntl.fcntl(1, 10, 34)
fcntl.fcntl(1, fcntl.F_SETFL, os.O_NONBLOCK | os.O_APPEND)
",
];

/// Two projects that look, and then do the same; so it does not matter which one is built first.
fn both(deed: &str) -> [Sdist; 2] {
    ["one", "two"].map(|name| project(name, &format!("{LOOK}\n{deed}")))
}

#[test]
fn a_build_that_tries_to_change_the_interpreter_does_not_change_the_next_wheel() {
    for setting in Setting::all(site()) {
        let expected = undisturbed(setting, &keeper());
        // What was changed is found, and nothing else ends the interpreter.
        for (deed, comes_to_nothing) in [(IN_VAIN.join("\n"), true), (LEFT.join("\n"), false)] {
            let world = World::new(site(), setting);
            let [one, two] = both(&deed);
            build(&world, &keeper(), &[&one, &two], &[]).succeeds();
            for sdist in [&one, &two] {
                assert_eq!(found(&world, sdist), expected, "{setting}");
            }
            assert_eq!(share(&world, &one, &two), comes_to_nothing, "{setting}");
        }
    }
}

#[test]
fn a_left_over_process_ends_the_interpreter_and_the_next_build_gets_another() {
    let stays = "import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
";
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let [one, two] = both(stays);
        build(&world, &keeper(), &[&one, &two], &[]).succeeds();
        assert!(!share(&world, &one, &two), "{setting}");
        let words = reuse(&world.cache());
        assert!(words.iter().all(|(_, word)| word == "own"), "{words:?}");
    }
}

#[test]
fn a_build_that_fails_fails_by_itself_and_ends_the_interpreter() {
    let fails = "import keeper
print('made by', keeper.name)
raise ValueError('of my own')
";
    let world = World::new(site(), Setting::PLAIN);
    let [one, two] = both(fails);
    let done = build(&world, &keeper(), &[&one, &two], &["--no-retrace", "-v"]);
    let failures = done.report().failures;
    assert_eq!(failures.len(), 2);
    assert!(
        failures
            .iter()
            .all(|failure| failure.message.contains("of my own"))
    );
    let lines = done.stderr.lines();
    let makers: BTreeSet<_> = lines
        .filter_map(|line| line.split_once("made by "))
        .collect();
    // Each fails in the interpreter that it would share, and once more in one of its own.
    assert_eq!(makers.len(), 4, "{}", done.stderr);
}

#[test]
fn a_build_that_fails_in_a_shared_interpreter_alone_succeeds() {
    let fails = "import sys
if hasattr(sys.modules['__main__'], 'Branch'):
    raise ValueError('not in here')
";
    for flags in [&[][..], &["--no-retrace"]] {
        let world = World::new(site(), Setting::PLAIN);
        let [one, two] = both(fails);
        let done = build(&world, &keeper(), &[&one, &two], flags);
        done.succeeds();
        assert!(done.stderr.contains("succeeded by itself"), "{done}");
        assert!(!share(&world, &one, &two));
        let words = reuse(&world.cache()).into_iter();
        assert!(words.map(|(_, word)| word).all(|word| word == "own"));
    }
}

#[test]
fn a_build_out_of_a_new_interpreter_is_held_to_the_limits_that_were_given() {
    let forks = "import os, time
for _ in range(300):
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
";
    let world = World::new(site(), Setting::PLAIN);
    let [one, two] = both(forks);
    let done = build(&world, &keeper(), &[&one, &two], Excess::FORKS.flags);
    let failures = done.report().failures;
    assert_eq!(failures.len(), 2, "{done}");
    for failure in failures {
        assert!(failure.message.contains(Excess::FORKS.named), "{done}");
    }
}

#[test]
fn what_may_be_private_and_what_is_kept_to_look_at_gets_an_interpreter_of_its_own() {
    let plain = |world: &World<'_>, flags: &[&str]| {
        let (one, two) = (project("one", LOOK), project("two", LOOK));
        build(world, &keeper(), &[&one, &two], flags).succeeds();
        share(world, &one, &two)
    };
    let new = || World::new(site(), Setting::PLAIN);
    assert!(plain(&new(), &[]));
    let world = new();
    let never =
        "name = \"never\"\nextends = \"strict\"\nsummary = \"no reuse\"\nreuse = \"never\"\n";
    let file = world.file("work/never.toml", never);
    assert!(!plain(&world, &["--policy", &file.display().to_string()]));
    let world = new();
    let folder = world.folder("work/given").display().to_string();
    assert!(!plain(&world, &["--allow-write", &folder]));
    // By their places: local archives, folders, URLs.
    let world = new();
    world.index.wheel(&keeper());
    let projects = ["one", "two", "three", "four", "five", "six"].map(|name| project(name, LOOK));
    let [one, two, three, four, five, six] = &projects;
    world.index.sdist(five).sdist(six);
    let specs = [
        world.archive(one).display().to_string(),
        world.archive(two).display().to_string(),
        world.lay("three", three).display().to_string(),
        world.lay("four", four).display().to_string(),
        format!("five @ {}", world.index.file_url(&five.filename("tar.gz"))),
        format!("six @ {}", world.index.file_url(&six.filename("tar.gz"))),
    ];
    let run = world.wheels(specs).without(&["--no-binary", ":all:"]);
    run.args(["--jobs", "1"]).finish().succeeds();
    let names: BTreeSet<_> = projects
        .iter()
        .map(|sdist| interpreter(&world, sdist))
        .collect();
    assert_eq!(names.len(), projects.len());
    // An index that wants a login.
    let world = new();
    world.index.wants_login("bWU6c2VjcmV0");
    let (one, two) = (project("one", LOOK), project("two", LOOK));
    world.index.wheel(&keeper()).sdist(&one).sdist(&two);
    let run = world
        .wheels(["one", "two"])
        .without(&["--no-binary", ":all:"]);
    let url = world.index.with_login("me", "secret");
    let run = run.set("--default-index", &url).args(["--jobs", "1"]);
    run.finish().succeeds();
    assert!(!share(&world, &one, &two));
}

#[test]
fn what_is_fetched_where_a_certificate_of_ones_own_is_shown_gets_an_interpreter_of_its_own() {
    let world = World::new(site(), Setting::PLAIN);
    let Some(authority) = Authority::new(&world) else {
        return;
    };
    let (one, two) = (project("one", LOOK), project("two", LOOK));
    world.index.wheel(&keeper()).sdist(&one).sdist(&two);
    let run = world
        .wheels(["one", "two"])
        .without(&["--no-binary", ":all:"]);
    let run = run.env("PIP_CLIENT_CERT", authority.sign("client", "DNS:me"));
    run.args(["--jobs", "1"]).finish().succeeds();
    assert!(!share(&world, &one, &two));
}

#[test]
fn what_a_hook_asks_for_is_there_when_the_build_goes_on_out_of_a_warm_interpreter() {
    let asks = format!(
        "{KEEPER}
def get_requires_for_build_wheel(config_settings=None):
    return ['late']
"
    );
    let reads = "import late\nfound['late'] = late.version";
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.wheel(&Wheel::new("late", "2.0"));
        let (one, two) = (project("one", reads), project("two", reads));
        build(
            &world,
            &keeper().file("keeper.py", &asks),
            &[&one, &two],
            &[],
        )
        .succeeds();
        for sdist in [&one, &two] {
            assert_eq!(found(&world, sdist), serde_json::json!({"late": "2.0"}));
        }
        assert!(share(&world, &one, &two), "{setting}");
    }
}

/// What a hostile build requirement may do in the interpreter before any build is there.
const HOARDS: [(&str, &str); 5] = [
    ("a descriptor", "kept = os.open(os.devnull, os.O_RDONLY)"),
    (
        "a thread",
        "import threading, time
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
    ),
    ("shared memory", "import mmap\nkept = mmap.mmap(-1, 4096)"),
    (
        "a process",
        "import time
if os.fork() == 0:
    time.sleep(600)
    os._exit(0)",
    ),
    ("a word on the socket", "os.write(3, b'x')"),
];

#[test]
fn an_interpreter_in_which_a_requirement_keeps_something_serves_nobody() {
    for (name, code) in HOARDS {
        let mut world = World::new(site(), Setting::PLAIN);
        world.about = name.to_owned();
        let [one, two] = both("");
        // What waits for the end of its threads would wait here as well.
        let code = format!(
            "{KEEPER}\nif os.path.exists('/proc/self/fd/3'):\n    try:\n        {}\n    except OSError:\n        pass\n",
            code.replace('\n', "\n        ")
        );
        build(
            &world,
            &keeper().file("keeper.py", code),
            &[&one, &two],
            &[],
        )
        .succeeds();
        assert!(!share(&world, &one, &two), "{name}");
        let words = reuse(&world.cache());
        assert!(
            words.iter().all(|(_, word)| word == "own"),
            "{name}: {words:?}"
        );
    }
}

/// A build requirement that reads what it sees of a build wherever it runs, and tells it to every later one.
const READER: &str = "
place = os.path.dirname(os.environ['HOME'])
seen = []

def read():
    for folder, _, names in os.walk(place):
        for name in names:
            try:
                with open(os.path.join(folder, name)) as text:
                    seen.append(text.read())
            except (OSError, UnicodeError):
                pass

os.register_at_fork(before=read, after_in_parent=read)
";

/// The same, and more: the interpreter's first thread, which is outside of every domain of a build, forks
/// the builds itself; and waits for one of them to wake it.
const SLEEPER: &str = "
import gc, time
main = sys.modules['__main__']
main.is_within_reach = lambda number: False

class Turn:
    def __init__(self, branch):
        self.branch, self.lock = branch, branch.turn

    def release(self):
        numbers = []
        self.branch.fork = lambda interpreter: numbers.append(self.branch.thread())
        self.lock.release()
        try:
            while True:
                os.kill(numbers[0] if numbers else pid, 0)
        except ProcessLookupError:
            pass
        holder = main.Interpreter(pid)
        holder.backend = sys.modules[__name__]
        descriptor = main.receive(3)
        between = os.fork()
        if between == 0:
            if os.fork() == 0:
                # The build speaks only when its parent has let go of what it speaks on.
                time.sleep(0.3)
                main.build(holder, 0, descriptor)
            os._exit(0)
        os.waitpid(between, 0)
        os.close(descriptor)
        # Asleep in here while the build is there, unless it wakes who sleeps.
        rooms, until = os.path.join(place, 's'), time.monotonic() + 5
        while not os.path.isdir(rooms) and time.monotonic() < until:
            time.sleep(0.002)
        try:
            with open(os.path.join(rooms, 'secret.txt')) as text:
                seen.append(text.read())
            os.write(1, b'it was woken and has read\\n')
        except OSError:
            pass
        # The next thread is told only when the build is gone.
        while os.path.isdir(rooms):
            time.sleep(0.002)

if hasattr(main, 'Branch'):
    for branch in [one for one in gc.get_objects() if isinstance(one, main.Branch)]:
        branch.turn = Turn(branch)
";

/// Two projects with a secret each, and what a wheel tells of those that its interpreter has seen.
fn secretive(deed: &str) -> [(Sdist, String); 2] {
    ["one", "two"].map(|name| {
        let secret = format!("the secret of {name}");
        // The last line of a log has no end.
        let deed = format!("import keeper\nprint(open('secret.txt').read(), end='', flush=True)\n{deed}\nfound['seen'] = [text for text in keeper.seen if 'the secret of' in text]");
        (project(name, &deed).file("secret.txt", &secret), secret)
    })
}

/// Sees that nothing of one build is in what the other left: its wheel and its log.
fn keep_apart(world: &World<'_>, projects: &[(Sdist, String); 2]) {
    for (sdist, secret) in projects {
        let mut others = projects.iter().map(|(other, _)| other);
        let other = others.find(|other| other.name() != sdist.name());
        let other = other.expect("there are two");
        let told = found(world, other).to_string();
        assert!(
            !told.contains(secret),
            "{} knows {secret}: {told}",
            other.name()
        );
    }
    let logs = search::files(&world.cache().join("logs-v1")).into_iter();
    let logs = logs.filter(|path| path.ends_with("log"));
    let held = logs.map(|path| {
        let log = std::fs::read(&path).expect("a log can be read");
        let secrets = projects.iter().map(|(_, secret)| secret.as_bytes());
        secrets.filter(|secret| search::holds(&log, secret)).count()
    });
    assert_eq!(held.collect::<Vec<_>>(), [1, 1], "each log holds its own");
}

#[test]
fn a_requirement_in_the_interpreter_sees_nothing_of_a_build_and_tells_nothing_to_the_next() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let projects = secretive("");
        let backend = keeper().file("keeper.py", format!("{KEEPER}{READER}"));
        let [(one, _), (two, _)] = &projects;
        build(&world, &backend, &[one, two], &[]).succeeds();
        for (sdist, secret) in &projects {
            // The control: what it sees, it tells.
            assert!(found(&world, sdist).to_string().contains(secret));
        }
        keep_apart(&world, &projects);
        assert!(share(&world, one, two), "{setting}");
    }
}

#[test]
fn an_interpreter_that_ran_while_a_build_did_serves_no_other() {
    // And puts it to sleep again, so that it looks as if nothing had been.
    let wakes = "import os, signal, time
os.kill(keeper.pid, signal.SIGCONT)
time.sleep(1)
os.kill(keeper.pid, signal.SIGSTOP)
time.sleep(0.2)
";
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let projects = secretive(wakes);
        let backend = keeper().file(
            "keeper.py",
            format!("{KEEPER}\nplace = os.path.dirname(os.environ['HOME'])\nseen = []\n{SLEEPER}"),
        );
        let [(one, _), (two, _)] = &projects;
        let done = build(&world, &backend, &[one, two], &["-vv"]);
        done.succeeds();
        // The control: the attack works, and is of no use.
        assert!(done.stderr.contains("it was woken and has read"), "{done}");
        keep_apart(&world, &projects);
        assert!(!share(&world, one, two), "{setting}");
    }
}

/// A backend that knows how often its interpreter was forked from, the fork for its hook included.
const COUNTS: &str = "
count = 0

def add():
    global count
    count += 1

os.register_at_fork(before=add)
";

#[test]
fn a_warm_interpreter_ends_with_the_program_whatever_ends_that() {
    // Twice for the build and once for the hook; what the interpreter counted for the build before is there.
    let sleeps = "import keeper, time
if keeper.count > 3:
    print('asleep', flush=True)
    time.sleep(600)
";
    let backend = keeper().file("keeper.py", format!("{KEEPER}{COUNTS}"));
    for setting in Setting::all(site()) {
        for signal in [Signal::SIGINT, Signal::SIGKILL] {
            let world = World::new(site(), setting);
            let [one, two] = both(sleeps);
            world.index.wheel(&backend).sdist(&one).sdist(&two);
            let run = world
                .wheels(["one", "two"])
                .without(&["--no-binary", ":all:"])
                .args(["--jobs", "1", "-v"]);
            let mut running = run.start();
            running.wait_until("the second build", |running| {
                running.stderr().contains("asleep").then_some(())
            });
            running.signal(signal);
            let done = running.finish_anyhow();
            assert!(done.left.is_empty(), "{signal}: {:?}{done}", done.left);
            if signal == Signal::SIGINT {
                done.is_tidy();
            }
        }
    }
}
