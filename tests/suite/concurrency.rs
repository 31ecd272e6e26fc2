//! What is the same is made once, by twenty processes as by one; what is not the same is made at the same time.

use std::path::PathBuf;

use model::Code;
use nix::sys::signal::Signal;
use serde_json::json;
use tests::{
    Fault, Gate, Index, Offer, Outcome, Running, Sdist, Wheel, World, builders, release, search,
};

use crate::{site, world};

/// A build that waits until it is told to go on.
pub(crate) fn waiting() -> Sdist {
    Sdist::fixture("waits").targets(&json!({}))
}

/// The finished wheels in the cache.
pub(crate) fn shelved(world: &World<'_>) -> Vec<PathBuf> {
    let mut files = search::files(&world.cache().join("wheels-v1"));
    files.retain(|path| path.extension().is_some_and(|end| end == "whl"));
    files
}

/// A project whose build requirement takes long to install.
fn equipped(world: &World<'_>) -> Sdist {
    let module = "def f():\n    return [1, 2, 3]\n".repeat(3_000);
    world
        .index
        .wheel(&Wheel::new("tool", "1.0").file("tool.py", module));
    Sdist::hello("equipped", "1.0").requires(&["tool"])
}

/// A process that hangs while it installs what [`equipped`] needs, and the project.
pub(crate) fn hung_while_installing<'world>(
    world: &'world World<'static>,
) -> (Sdist, Running<'world, 'static>) {
    let sdist = equipped(world);
    let mut running = world.build(&sdist).start();
    running.wait_until("the environment was compiled by a worker", |running| {
        let staged = search::files(&world.cache().join("staging-v1"));
        let is_laid_out = staged.iter().any(|path| path.ends_with("tool.py"));
        (is_laid_out && !builders(running.pid(), running.family()).is_empty()).then_some(())
    });
    running.signal(Signal::SIGSTOP);
    let made = search::files(&world.cache().join("environments-v1"));
    assert!(made.is_empty(), "it was stopped too late");
    (sdist, running)
}

/// Another process was waited for, aloud, by the words for `what`, and not for longer than was said.
fn gives_up(done: &Outcome<'_, '_>, what: &str, announced: &str) {
    let failure = done.fails_with(Code::LockTimeout);
    let sentence = format!("the lock of the {what} for more than 1 s");
    assert!(failure.message.contains(&sentence), "{sentence}: {done}");
    assert!(
        failure
            .hint
            .is_some_and(|hint| hint.contains("--lock-timeout")),
        "{done}"
    );
    let lines = done.stderr.lines();
    let said: Vec<_> = lines.filter(|line| line.contains(announced)).collect();
    assert_eq!(said.len(), 1, "it is said once: {done}");
    let is_digest = |word: &str| word.len() >= 32 && word.bytes().all(|it| it.is_ascii_hexdigit());
    let mut words = said[0].split(|sign: char| !sign.is_ascii_alphanumeric());
    assert!(!words.any(is_digest), "nobody knows a digest: {done}");
}

/// What is announced of the same work of another process.
fn same(what: &str) -> String {
    format!("another process that makes the same ({what})")
}

#[test]
fn a_large_wheel_that_comes_slowly_holds_up_no_build() {
    let world = world();
    let large = Wheel::new("large", "1.0").file("large.bin", vec![7; 1 << 20]);
    let sdist = Sdist::hello("thing", "1.0");
    let path = format!("/files/{}", large.filename());
    let gate = Gate::default();
    world.index.wheel(&large).sdist(&sdist);
    world.index.fault(&path, Fault::Held(gate.clone()));
    let mut running = world
        .run(["wheel", "large", "thing", "--no-deps", "-j", "1"])
        .places()
        .report()
        .start();
    running.wait_until("the wheel was asked for and the sdist was built", |_| {
        (world.index.requests(&path) == 1 && shelved(&world).len() == 1).then_some(())
    });
    let downloads = search::files(&world.cache().join("downloads-v1"));
    assert!(downloads.is_empty(), "the wheel is held back");
    assert!(!running.has_ended());
    gate.open();
    let done = running.finish();
    let wheels = done.succeeds().report().wheels;
    let came: Vec<_> = wheels
        .iter()
        .map(|wheel| (wheel.name.as_str(), wheel.origin.as_str()))
        .collect();
    assert_eq!(
        came,
        [("large", "downloaded"), ("thing", "built")],
        "{done}"
    );
}

#[test]
fn twenty_processes_started_at_once_make_one_build_and_twenty_equal_wheels() {
    let world = world();
    let sdist = waiting();
    world.index.sdist(&sdist);
    let mut running: Vec<_> = (0..20)
        .map(|at| {
            let run = world.wheel("waits==1.0").out(&format!("out-{at}"));
            run.start()
        })
        .collect();
    let folder = running[0].wait_until_ready();
    let waits = |running: &Running<'_, '_>| running.stderr().contains("same (wheel ");
    for one in &mut running {
        let builds =
            |running: &Running<'_, '_>| running.stderr().contains("building (build_wheel)");
        one.wait_until("it built or waited", |running| {
            (builds(running) || waits(running)).then_some(())
        });
    }
    assert_eq!(running.iter().filter(|running| waits(running)).count(), 19);
    release(&folder, "{}");
    let done: Vec<_> = running.into_iter().map(Running::finish_anyhow).collect();
    let wheels: Vec<_> = done.iter().map(Outcome::wheel).collect();
    let built = wheels.iter().filter(|wheel| wheel.origin == "built");
    assert_eq!(built.count(), 1, "{}", done[0]);
    assert!(wheels.iter().all(|wheel| wheel.sha256 == wheels[0].sha256));
    let logs = std::fs::read_dir(world.cache().join("logs-v1")).expect("logs");
    assert_eq!(logs.count(), 1, "one build has a log: {}", done[0]);
    assert_eq!(shelved(&world).len(), 1);
    assert_eq!(
        world.index.requests("/files/waits-1.0.tar.gz"),
        1,
        "the source is fetched once: {}",
        done[0]
    );
    done[0].is_tidy();
}

#[test]
fn two_interpreters_build_one_sdist_at_the_same_time() {
    let world = world();
    let Some(other) = site().other_python(world.setting.identity) else {
        return;
    };
    let sdist = waiting();
    let own = world.python().path.display().to_string();
    let mut first = world.build(&sdist).start();
    let held = first.wait_until_ready();
    let mut second = world
        .build(&sdist)
        .without(&["-p", &own])
        .args(["-p".as_ref(), other.as_os_str()])
        .out("other")
        .start();
    // Both are in their hooks now: the second did not wait for the first.
    let folder = second.wait_until_ready_beside(std::slice::from_ref(&held));
    assert!(!first.has_ended());
    assert!(!second.stderr().contains("waiting for"));
    release(&folder, "{}");
    second.finish_anyhow().built(&sdist.wheel());
    release(&held, "{}");
    first.finish().built(&sdist.wheel());
    assert_eq!(shelved(&world).len(), 2);
}

#[test]
fn another_index_list_or_cut_off_is_another_build() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    world.index.sdist(&sdist);
    let further = Index::start();
    let named = |flags: &[&str]| world.wheel("thing==1.0").args(flags).finish();
    let archive = |flags: &[&str]| world.build(&sdist).args(flags).finish();
    let url = further.url();
    for flags in [&[][..], &["--index", &url]] {
        named(flags).built(&sdist.wheel());
        named(flags).cached(&sdist.wheel());
    }
    // The archive has the same bytes, and so the same key as what the index has.
    archive(&[]).cached(&sdist.wheel());
    for date in ["2031-01-01", "2032-01-01"] {
        archive(&["--exclude-newer", date]).built(&sdist.wheel());
        archive(&["--exclude-newer", date]).cached(&sdist.wheel());
    }
    named(&[]).cached(&sdist.wheel());
    assert_eq!(shelved(&world).len(), 4);
}

#[test]
fn a_build_of_another_process_is_waited_for_aloud_and_no_longer_than_said() {
    let world = world();
    let sdist = waiting();
    let mut first = world.build(&sdist).start();
    let folder = first.wait_until_ready();
    let run = world.build(&sdist).args(["--lock-timeout", "1s"]);
    let done = run.finish_anyhow();
    let what = format!("wheel of {}", world.archive(&sdist).display());
    gives_up(&done, &what, &same(&what));
    release(&folder, "{}");
    first.finish().built(&sdist.wheel());
}

#[test]
fn an_environment_of_another_process_is_waited_for_aloud_and_no_longer_than_said() {
    let world = world();
    let (sdist, first) = hung_while_installing(&world);
    let run = world.build(&sdist).args(["--lock-timeout", "1s"]);
    let done = run.finish_anyhow();
    let what = "environment of equipped";
    gives_up(&done, what, &same(what));
    first.signal(Signal::SIGCONT);
    first.finish().built(&sdist.wheel());
}

#[test]
fn a_repository_that_another_process_fetches_is_waited_for_aloud_and_no_longer_than_said() {
    let world = world();
    if !world.has_program("git") {
        return;
    }
    let path = "/files/x.git/info/refs?service=git-upload-pack";
    let gate = Gate::default();
    let refs = b"no references".to_vec();
    world.index.offer(Offer::new("x", "x.git/info/refs", refs));
    world.index.fault(path, Fault::Held(gate.clone()));
    let spec = format!("git+{}", world.index.file_url("x.git"));
    let mut first = world.wheel(&spec).start();
    first.wait_until("the server was asked", |_| {
        (world.index.requests(path) > 0).then_some(())
    });
    // What is made beside another is put in its place as a whole; a repository grows where it is.
    let ways = [
        (
            "--pre",
            format!("source of {spec}"),
            same(&format!("source of {spec}")),
        ),
        (
            "--force",
            format!("repository {spec}"),
            "another process that fetches from it".to_owned(),
        ),
    ];
    for (flag, lock, announced) in ways {
        let run = world.wheel(&spec).args([flag, "--lock-timeout", "1s"]);
        gives_up(&run.finish_anyhow(), &lock, &announced);
    }
    gate.open();
    first.finish().exits_with(Code::GitFailed);
}

#[test]
fn a_source_that_another_process_fetches_is_waited_for_aloud_and_no_longer_than_said() {
    let listed = Sdist::hello("thing", "1.0");
    for behind_a_url in [false, true] {
        let world = world();
        world.index.sdist(&listed);
        let path = format!("/files/{}", listed.filename("tar.gz"));
        let spec = match behind_a_url {
            true => world.index.file_url(&listed.filename("tar.gz")),
            false => "thing==1.0".to_owned(),
        };
        let gate = Gate::default();
        world.index.fault(&path, Fault::Held(gate.clone()));
        let mut first = world.wheel(&spec).start();
        first.wait_until("the file was asked for", |_| {
            (world.index.requests(&path) > 0).then_some(())
        });
        // Another build of the same source: nothing but the source is waited for.
        let other = || world.wheel(&spec).args(["-C", "a=1"]).out("other");
        let done = other().args(["--lock-timeout", "1s"]).finish_anyhow();
        let what = match behind_a_url {
            true => format!("source of {spec}"),
            false => format!("source of {}", listed.filename("tar.gz")),
        };
        gives_up(&done, &what, &same(&what));
        assert_eq!(world.index.requests(&path), 1, "{done}");
        let mut second = other().start();
        second.wait_until("it is said that it waits", |running| {
            let said = running.stderr();
            said.contains(&same(&what)).then_some(())
        });
        gate.open();
        first.finish_anyhow().built(&listed.wheel());
        let done = second.finish_anyhow();
        done.built(&listed.wheel());
        // Who waited has the bytes; behind a URL it asks whether they are still those.
        let asked = if behind_a_url { 2 } else { 1 };
        assert_eq!(world.index.requests(&path), asked, "{done}");
        done.is_tidy();
    }
}
