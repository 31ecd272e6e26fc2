//! Who watches over a build, and would see to its end.

use serde_json::json;

use super::Tried;
use super::others::idle;
use crate::processes::{self, Process};
use crate::{Runner, Running, Sdist, World, builders, release};

const FIXTURE: &str = "kills_its_reaper";

/// Tells a build who watches over it: the harm is that a watcher is ended or stopped by it. Nobody watches over the
/// control, so a process of the same user stands there in the place of one.
pub(super) fn ended(world: &World<'_>, runner: &Runner) -> Tried {
    let sdist = Sdist::fixture(FIXTURE).targets(&json!({}));
    let beside = matches!(runner, Runner::Control).then(|| idle(world, &world.folder("a")));
    let run = match runner {
        Runner::Control => super::alone(world, &sdist),
        _ => runner.run(world, &sdist),
    };
    let mut running = run.start();
    let mut tried = Tried {
        possible: ["a watcher".to_owned()].into(),
        ..Tried::default()
    };
    if let Some(folder) = running.ready_below(&world.folder("")) {
        let watchers = match &beside {
            Some(victim) => processes::of(victim.pid()).into_iter().collect(),
            None => watchers(&running),
        };
        let pids: Vec<_> = watchers.iter().map(|process| process.pid).collect();
        release(&folder, &json!({"pids": pids}).to_string());
        let is_hit = |process: &Process| {
            !processes::lives(process)
                || processes::status(process.pid, "State")
                    .is_none_or(|state| state.starts_with('T'))
        };
        let done = || folder.join("done").exists();
        while !done() && !running.has_ended() && !watchers.iter().any(is_hit) {
            std::thread::yield_now();
        }
        // A signal that was sent takes a moment to arrive.
        let hit = |process: &Process| {
            is_hit(process)
                || processes::ends_within(process, std::time::Duration::from_millis(200))
        };
        if watchers.iter().any(hit) {
            tried.harm.insert("a watcher".to_owned());
        }
        // Whoever has lost its folder by now waits for nothing any more.
        let _ = std::fs::write(folder.join("leave"), "");
    }
    let done = running.finish_anyhow();
    tried.built = matches!(runner, Runner::Control) || done.code == Some(0);
    tried.said = done.to_string();
    tried
}

/// The processes between the program and the build, and the program.
fn watchers(running: &Running<'_, '_>) -> Vec<Process> {
    let family = running.family();
    let deeds: Vec<_> = match builders(running.pid(), family.clone()) {
        // Without a filter of its own, the build is whoever has no child.
        of if of.is_empty() => {
            let childless = |one: &&Process| family.iter().all(|other| other.parent != one.pid);
            family.iter().filter(childless).cloned().collect()
        }
        of => of,
    };
    let is_deed = |one: &Process| deeds.iter().any(|deed| deed.pid == one.pid);
    let mut watchers: Vec<_> = family.into_iter().filter(|one| !is_deed(one)).collect();
    if !watchers.iter().any(|one| one.pid == running.pid()) {
        watchers.extend(processes::of(running.pid()));
    }
    watchers
}
