//! Hostile builds, judged from outside, each with its control.
//!
//! A deed is done twice in every setting: unconfined, where it must do all the harm that it can do, and in a
//! build, where it must do none. What counts as harm is seen by the prey, never told by the deed.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::command::Run;
use crate::outcome::Outcome;
use crate::prey::Tried;
use crate::processes::{self, Process};
use crate::runner::Runner;
use crate::sdist::Sdist;
use crate::setting::Setting;
use crate::site::Site;
use crate::world::World;

/// What a deed is after, laid out once for the control and once for the build.
pub trait Prey {
    /// Whether the deed waits so that it can be looked at.
    const HOLDS: bool = false;

    /// Whether the program is ended in the middle, so that it comes to no wheel whatever the deed does.
    const ENDS: bool = false;

    /// Returns what the deed is told: paths, ports and pids, never a secret.
    fn targets(&self) -> Value;

    /// Returns variables of the program's environment.
    fn environment(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Returns what a shell does so that the program begins with descriptors that others opened.
    fn held_open(&self) -> Option<String> {
        None
    }

    /// Returns arguments that the program under test gets besides: what it is granted, say.
    fn arguments(&self) -> Vec<OsString> {
        Vec::new()
    }

    /// Returns the folder of the user that is built, if it is no archive.
    fn checkout(&self) -> Option<&Path> {
        None
    }

    /// Returns the file for what is typed into the terminal in which the program runs, if it runs in one.
    fn terminal(&self) -> Option<&Path> {
        None
    }

    /// Lists every harm that the deed does when nothing stops it.
    fn possible(&self) -> BTreeSet<String>;

    /// Lists the harm that the locks of a lower setting do not hold off: documented gaps, none unless named.
    fn unheld(&self, _setting: Setting) -> BTreeSet<String> {
        BTreeSet::new()
    }

    /// Looks at the deed while it waits.
    fn look(&mut self, _held: &Held) {}

    /// Lists the harm that was done, as it is seen from outside after the end.
    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String>;
}

/// A deed that waits.
#[derive(Debug)]
pub struct Held {
    /// The processes that run the deed: those with a filter more than the program, or all of the control.
    pub processes: Vec<Process>,
    /// The folder in which it works.
    pub folder: PathBuf,
    /// The program that builds, or the control itself.
    pub program: i32,
}

/// Runs a deed in every setting of the host, and in those of lower levels.
///
/// # Panics
/// When the control does less harm than is possible, or the build any that is not a gap of its level.
pub fn hostile<P: Prey>(site: &Site, fixture: &str, lay: impl Fn(&World<'_>, &Path) -> P) {
    let settings = [Setting::all(site), Setting::lower(site)].concat();
    hostile_in(site, &settings, fixture, lay);
}

/// The same in settings of one's choice.
///
/// # Panics
/// As [`hostile`].
pub fn hostile_in<P: Prey>(
    site: &Site,
    settings: &[Setting],
    fixture: &str,
    lay: impl Fn(&World<'_>, &Path) -> P,
) {
    for setting in settings.iter().copied() {
        let world = World::new(site, setting);
        let mut prey = lay(&world, &world.folder("a"));
        let control = control(&world, fixture, &mut prey);
        let harm = prey.harm(&control);
        assert_eq!(
            harm,
            prey.possible(),
            "the control must do all the harm there is: {control}"
        );
        // Prey may be a build itself, with a scratch of its own.
        drop(prey);
        let mut prey = lay(&world, &world.folder("b"));
        let (sdist, done) = build(&world, fixture, &mut prey);
        let harm = prey.harm(&done);
        assert_eq!(harm, prey.unheld(setting), "the harm of the build: {done}");
        drop(prey);
        done.is_tidy();
        let wheel = done.built(&sdist.wheel());
        let isolation = wheel
            .isolation
            .unwrap_or_else(|| panic!("a built wheel tells its isolation: {done}"));
        assert_eq!(isolation.level, setting.level().word(), "{done}");
    }
}

/// Does the deed unconfined, as the same user, in a folder beside its prey.
fn control<'world, 'site, P: Prey>(
    world: &'world World<'site>,
    fixture: &str,
    prey: &mut P,
) -> Outcome<'world, 'site> {
    let sdist = Sdist::fixture(fixture).targets(&prey.targets());
    let (deed, room) = match prey.checkout() {
        Some(folder) => (laid(world, folder, &sdist), folder.to_owned()),
        None => (world.lay("d", &sdist), world.folder("q/r")),
    };
    let python = world.python().path.clone();
    let mut run = Run::new(world, python.as_os_str())
        .args(["-I", "-B"])
        .args([
            deed.join("control.py"),
            deed.clone(),
            deed.join("targets.json"),
        ])
        .directory(&room)
        .unconfined();
    run = equipped(run, prey);
    let mut running = run.start();
    if P::HOLDS {
        running.wait_until("the control was ready", |_| {
            room.join("ready").exists().then_some(())
        });
        prey.look(&Held {
            processes: running.family(),
            folder: room.clone(),
            program: running.pid(),
        });
        world.file(room.join("go"), "{}");
    }
    running.finish_anyhow()
}

/// Does the deed in a build.
fn build<'world, 'site, P: Prey>(
    world: &'world World<'site>,
    fixture: &str,
    prey: &mut P,
) -> (Sdist, Outcome<'world, 'site>) {
    let sdist = Sdist::fixture(fixture).targets(&prey.targets());
    let source = source(world, prey, &sdist);
    let run = equipped(world.wheel(source).args(prey.arguments()), prey);
    let mut running = run.start();
    if P::HOLDS {
        let folder = running.wait_until_ready();
        let processes = builders(running.pid(), running.family());
        assert!(
            !processes.is_empty(),
            "no process of the build carries a filter"
        );
        prey.look(&Held {
            processes,
            folder: folder.clone(),
            program: running.pid(),
        });
        release(&folder, "{}");
    }
    (sdist, running.finish_anyhow())
}

/// Returns what is built: an archive, or the checkout that the prey has.
fn source(world: &World<'_>, prey: &impl Prey, sdist: &Sdist) -> PathBuf {
    match prey.checkout() {
        Some(folder) => laid(world, folder, sdist),
        None => world.archive(sdist),
    }
}

fn laid(world: &World<'_>, folder: &Path, sdist: &Sdist) -> PathBuf {
    world.lay(folder.to_str().expect("plain names"), sdist)
}

/// Gives a run the variables and descriptors of a prey.
fn equipped<'world, 'site>(mut run: Run<'world, 'site>, prey: &impl Prey) -> Run<'world, 'site> {
    for (name, value) in prey.environment() {
        run = run.env(name, value);
    }
    if let Some(typed) = prey.terminal() {
        run = run.in_terminal(typed);
    }
    match prey.held_open() {
        Some(text) => run.holding(&text),
        None => run,
    }
}

/// Tries a deed, and says what it did; whether that is right is the caller's to judge.
pub(crate) fn attempt<P: Prey>(
    world: &World<'_>,
    runner: &Runner,
    fixture: &str,
    lay: impl Fn(&World<'_>, &Path) -> P,
) -> Tried {
    let mut prey = lay(world, &world.folder("a"));
    if matches!(runner, Runner::Control) {
        let done = control(world, fixture, &mut prey);
        return Tried::new(&mut prey, &done, true);
    }
    let sdist = Sdist::fixture(fixture).targets(&prey.targets());
    let run = runner.run_on(world, &source(world, &prey, &sdist));
    let run = match runner {
        Runner::Own | Runner::Traced | Runner::Lacking(_) => run.args(prey.arguments()),
        _ => run,
    };
    let run = equipped(run, &prey);
    let mut running = run.limit(PATIENCE).start();
    let mut seen = false;
    if P::HOLDS
        && let Some(folder) = running.ready_below(&world.folder(""))
    {
        let family = running.family();
        let processes = match runner {
            Runner::Foreign(_) => family,
            _ => builders(running.pid(), family),
        };
        prey.look(&Held {
            processes,
            folder: folder.clone(),
            program: running.pid(),
        });
        seen = true;
        release(&folder, "{}");
    }
    let done = running.finish_anyhow();
    let built = match P::ENDS {
        true => seen,
        false => done.code == Some(0),
    };
    Tried::new(&mut prey, &done, built)
}

/// How long one hostile build may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// Picks the processes that have more filters than the program itself.
#[must_use]
pub fn builders(program: i32, family: Vec<Process>) -> Vec<Process> {
    let filters = |pid: i32| -> u32 {
        processes::status(pid, "Seccomp_filters")
            .and_then(|word| word.parse().ok())
            .unwrap_or(0)
    };
    let own = filters(program);
    family
        .into_iter()
        .filter(|process| filters(process.pid) > own)
        .collect()
}

/// Lets a build that waits go on.
///
/// # Panics
/// When its folder is gone.
pub fn release(folder: &Path, told: &str) {
    let staged = folder.join("go.staged");
    std::fs::write(&staged, told).expect("the build still waits in its folder");
    // Linked into place, so that the build never reads half of it.
    std::fs::hard_link(&staged, folder.join("go")).expect("the build still waits in its folder");
}
