//! Sudden ends: of the user's patience, of the supervisor, of the worker. Nothing is left, and the next run works.

use std::time::Duration;

use model::Code;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use protocol::Level;
use serde_json::json;
use tests::processes::{self, Process};
use tests::{Fault, Gate, Running, Sdist, Setting, World, builders, release};

use crate::{site, world};

fn waiting() -> Sdist {
    Sdist::fixture("waits").targets(&json!({}))
}

/// A build that is stuck in a hook while daemons of it run.
fn with_daemons() -> Sdist {
    let daemons = std::fs::read_to_string(tests::backends().join("leaves_daemons/deed.py"))
        .expect("the fixture");
    let waiting = "\n\nimport hold\n\nleave = do\n\n\ndef do(targets):\n    leave(targets)\n    hold.until_released()\n";
    Sdist::fixture("leaves_daemons")
        .targets(&json!({"number": 4}))
        .file("deed.py", daemons + waiting)
}

#[test]
fn killing_the_supervisor_leaves_no_process_and_the_next_run_sweeps_and_succeeds() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let mut running = world
            .build(&with_daemons())
            .grace(Duration::from_secs(10))
            .start();
        running.wait_until_ready();
        running.signal(Signal::SIGKILL);
        let done = running.finish_anyhow();
        assert_eq!(done.signal, Some(Signal::SIGKILL as i32), "{done}");
        assert!(
            done.left.is_empty(),
            "processes outlived the supervisor: {:#?}{done}",
            done.left
        );
        assert_eq!(world.delivered(), Vec::<String>::new(), "{done}");
        let sdist = Sdist::hello("after", "1.0");
        world.build(&sdist).finish().built(&sdist.wheel());
    }
}

#[test]
fn killing_the_reaper_ends_the_build_and_its_daemons() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let mut running = world
            .build(&with_daemons())
            .grace(Duration::from_secs(10))
            .start();
        running.wait_until_ready();
        for reaper in reapers(&running) {
            let _ = kill(Pid::from_raw(reaper.pid), Signal::SIGKILL);
        }
        let done = running.finish();
        done.fails_with(Code::WorkerLost);
        let sdist = Sdist::hello("after", "1.0");
        world.build(&sdist).finish().built(&sdist.wheel());
    }
}

/// Returns the processes between the supervisor and the build: those without a filter of their own.
fn reapers(running: &Running<'_, '_>) -> Vec<Process> {
    let family = running.family();
    let builders: Vec<i32> = builders(running.pid(), family.clone())
        .iter()
        .map(|process| process.pid)
        .collect();
    family
        .into_iter()
        .filter(|process| process.pid != running.pid() && !builders.contains(&process.pid))
        .collect()
}

#[test]
fn a_build_that_kills_its_reaper_kills_nobody() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::fixture("kills_its_reaper").targets(&json!({}));
        let mut running = world.build(&sdist).start();
        let folder = running.wait_until_ready();
        let mut watched = reapers(&running);
        watched.extend(processes::of(running.pid()));
        assert!(
            watched.len() >= 2,
            "{setting}: there is a supervisor and at least one reaper"
        );
        let pids: Vec<i32> = watched.iter().map(|process| process.pid).collect();
        release(&folder, &json!({"pids": pids}).to_string());
        running.wait_until("the deed was done", |_| {
            folder.join("done").exists().then_some(())
        });
        for process in &watched {
            assert!(
                processes::lives(process),
                "{setting}: {process:?} was killed, of {watched:#?}"
            );
            let state = processes::status(process.pid, "State").expect("the process lives");
            assert!(
                !state.starts_with('T'),
                "{setting}: {} was stopped",
                process.pid
            );
        }
        std::fs::write(folder.join("leave"), "").expect("the build waits");
        running.finish().built(&sdist.wheel());
    }
}

#[test]
fn without_the_inner_domain_a_build_ends_its_reaper_and_gets_nothing_by_it() {
    let world = World::new(site(), Setting::DENIED);
    let sdist = Sdist::fixture("kills_its_reaper").targets(&json!({}));
    let lacking = world.lacking_worker("nested-domain");
    let mut running = world.build(&sdist).worker(&lacking).start();
    let folder = running.wait_until_ready();
    let watched = reapers(&running);
    let pids: Vec<i32> = watched.iter().map(|process| process.pid).collect();
    assert!(!pids.is_empty(), "there is a reaper");
    release(&folder, &json!({"pids": pids}).to_string());
    let done = running.finish();
    assert!(!watched.iter().all(processes::lives), "{done}");
    assert_ne!(done.code, Some(0), "{done}");
    assert_eq!(world.delivered(), Vec::<String>::new(), "{done}");
}

#[test]
fn a_worker_that_says_that_nothing_is_left_is_not_believed() {
    let deed = Sdist::fixture("leaves_daemons").targets(&json!({"number": 4}));
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let lacking = world.lacking_worker("reaper");
        let done = world.build(&deed).worker(&lacking).finish();
        if setting.level() == Level::Ns {
            // The kernel ends what is in a namespace of processes, with its init.
            done.built(&deed.wheel());
            continue;
        }
        let failure = done.fails_with(Code::SelfTest);
        assert!(failure.message.contains("were alive"), "{done}");
    }
}

#[test]
fn what_runs_beside_the_program_by_the_callers_will_runs_on() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let folder = world.folder("beside");
        let text = format!(
            "cd {}; sleep 600 & (until test -e go; do sleep 0.02; done; sleep 600 & echo $! > later) &",
            folder.display()
        );
        let sdist = waiting();
        let mut running = world
            .build(&sdist)
            .holding(&format!("{{ {text} }}; cd - > /dev/null"))
            .start();
        let room = running.wait_until_ready();
        std::fs::write(folder.join("go"), "").expect("a file of the world");
        let later = running.wait_until("the second was there", |_| {
            let text = std::fs::read_to_string(folder.join("later")).ok()?;
            processes::of(text.trim().parse().ok()?)
        });
        let program = running.pid();
        running.wait_until("it fell to the program", |_| {
            (processes::of(later.pid)?.parent == program).then_some(())
        });
        release(&room, "{}");
        let done = running.finish_anyhow();
        done.built(&sdist.wheel());
        let sleeping = done.left.iter().filter(|one| one.contains("sleep 600"));
        assert_eq!(sleeping.count(), 2, "{done}");
    }
}

#[test]
fn the_deed_that_kills_reapers_is_real() {
    let world = world();
    let victim = tests::Companion::start(
        &world,
        "victim.py",
        &[],
        &json!({"folder": world.folder("v"), "memory by call": "", "memory by file": "", "descriptor by call": "",
                "descriptor by file": ""}),
    );
    let process = processes::of(victim.pid()).expect("the victim runs");
    let deed = world.lay("d", &Sdist::fixture("kills_its_reaper").targets(&json!({})));
    let room = world.folder("r");
    let mut running = tests::Run::new(&world, world.python().path.as_os_str())
        .args(["-I", "-B"])
        .args([
            deed.join("control.py"),
            deed.clone(),
            deed.join("targets.json"),
        ])
        .directory(&room)
        .unconfined()
        .start();
    running.wait_until("the control was ready", |_| {
        room.join("ready").exists().then_some(())
    });
    release(&room, &json!({"pids": [victim.pid()]}).to_string());
    running.wait_until("the deed was done", |_| {
        room.join("done").exists().then_some(())
    });
    // A signal that was sent takes a moment to end its process.
    let ended = processes::ends_within(&process, Duration::from_secs(20));
    assert!(ended, "the control must kill");
    std::fs::write(room.join("leave"), "").expect("the control waits");
    let _ = running.finish_anyhow();
}

/// Interrupts a run as the terminal does and sees that it ends at once and cleanly.
fn interrupt(world: &World<'_>, running: Running<'_, '_>) {
    running.signal_group(Signal::SIGINT);
    let done = running.finish();
    // Before the program listens to signals there is nothing that it would have to tidy up.
    let early = done.signal == Some(Signal::SIGINT as i32);
    assert!(
        early || done.code == Some(Code::Interrupted.exit() as i32),
        "{done}"
    );
    assert!(done.took < Duration::from_secs(30), "it went on: {done}");
    assert_eq!(world.delivered(), Vec::<String>::new(), "{done}");
}

#[test]
fn control_c_during_a_build_ends_everything() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let mut running = world.build(&with_daemons()).start();
        running.wait_until_ready();
        interrupt(&world, running);
        let sdist = Sdist::hello("after", "1.0");
        world.build(&sdist).finish().built(&sdist.wheel());
    }
}

#[test]
fn control_c_while_a_page_or_a_file_comes_ends_everything() {
    let sdist = Sdist::hello("slow", "1.0");
    for path in ["/simple/slow/", "/files/slow-1.0.tar.gz"] {
        let world = world();
        let gate = Gate::default();
        world
            .index
            .sdist(&sdist)
            .fault(path, Fault::Held(gate.clone()));
        let mut running = world.wheel("slow==1.0").start();
        running.wait_until("the index was asked", |_| {
            (world.index.requests(path) > 0).then_some(())
        });
        interrupt(&world, running);
        gate.open();
        world.index.fault(path, Fault::StatusTimes(503, 1));
        world.wheel("slow==1.0").finish().built(&sdist.wheel());
    }
}

#[test]
fn control_c_at_any_moment_ends_everything() {
    let world = world();
    let sdist = waiting();
    // Each run is interrupted at a later sign of life: the first output, the first child, the first scratch, ...
    for moment in 0..12 {
        let mut running = world.build(&sdist).start();
        let mut seen = 0;
        running.wait_until("the moment came", |running| {
            let signs = [
                !running.family().is_empty(),
                world.cache().exists(),
                running.family().len() > 1,
                !world.scratches().is_empty(),
                running.family().len() > 2,
                !builders(running.pid(), running.family()).is_empty(),
            ];
            seen += 1;
            (signs[moment % signs.len()] && seen > moment / signs.len()).then_some(())
        });
        interrupt(&world, running);
    }
    let mut running = world.build(&sdist).start();
    let folder = running.wait_until_ready();
    release(&folder, "{}");
    running.finish().built(&sdist.wheel());
}

#[test]
fn two_runs_of_the_same_build_do_it_once() {
    let world = world();
    let sdist = waiting();
    let archive = world.archive(&sdist);
    let mut first = world.wheel(&archive).start();
    let folder = first.wait_until_ready();
    let second = world.wheel(&archive).start();
    release(&folder, "{}");
    // What belongs to the other run is still there when one ends: only the last end is judged.
    first.finish_anyhow().built(&sdist.wheel());
    second.finish().cached(&sdist.wheel());
}
