//! What has to hold on every kernel, at what it offers.

use std::collections::BTreeMap;

use model::Code;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::groups::Groups;
use crate::command::Run;
use crate::excess::Excess;
use crate::prey::Deed;
use crate::runner::Runner;
use crate::sdist::Sdist;
use crate::setting::{Identity, Lacking, Namespaces, Setting};
use crate::site::Site;
use crate::world::World;

/// What a machine that is interpreted may take for the ends of processes, in milliseconds.
const GRACE_MS: u64 = 20_000;
/// How long one run may take there.
const PATIENCE_S: u64 = 300;

/// Memory that is taken in large pieces: a machine that is interpreted takes small ones too slowly for the deed's time.
const MEMORY: Excess = Excess {
    what: "shared_memory",
    most: 96 + 1024,
    flags: &["--memory", "96M"],
    named: "limit of memory: 96 MiB",
    ..Excess::MEMORY
};

type Act = Box<dyn Fn(&World<'_>, &Groups) -> String>;

/// Something that has to hold in a setting.
pub(super) struct Scene {
    pub(super) name: String,
    setting: Setting,
    act: Act,
}

impl Scene {
    /// Plays it in a world of its own and says what was seen.
    ///
    /// # Panics
    /// When it does not hold.
    pub(super) fn play(&self, site: &Site, groups: &Groups) -> String {
        (self.act)(&World::new(site, self.setting), groups)
    }
}

/// Every level that this kernel gives each user, and a host without namespaces where that gives none.
pub(super) fn settings(site: &Site) -> Vec<Setting> {
    let mut settings = Vec::new();
    for identity in [Identity::Caller, Identity::Unprivileged] {
        let mut push = |namespaces, lacking| {
            settings.push(Setting {
                identity,
                namespaces,
                lacking,
            });
        };
        let landlock = site.python(identity).landlock();
        push(Namespaces::Allowed, Lacking::Nothing);
        push(Namespaces::Allowed, Lacking::Landlock);
        push(Namespaces::Denied, Lacking::Nothing);
        if landlock >= 6 {
            push(Namespaces::Denied, Lacking::Scopes);
        }
    }
    settings
}

/// The scenes of a setting.
pub(super) fn of(site: &Site, setting: Setting, deeds: &[Deed]) -> Vec<Scene> {
    let scene = |name: &str, act: Act| Scene {
        name: name.to_owned(),
        setting,
        act,
    };
    let landlock = site.python(setting.identity).landlock();
    if setting.namespaces == Namespaces::Denied && landlock < 3 {
        return vec![scene(
            "without namespaces Landlock is too old",
            Box::new(too_old),
        )];
    }
    let mut scenes = vec![
        scene("doctor tells level, vector and groups", Box::new(doctor)),
        scene("a build in a group of its own", Box::new(builds)),
    ];
    if setting.lacking != Lacking::Nothing {
        return scenes;
    }
    scenes.extend([
        scene("without delegation groups are not claimed", Box::new(alone)),
        scene(
            "more memory",
            Box::new(|world, groups| exceeds(&MEMORY, world, groups)),
        ),
        scene(
            "a fork bomb",
            Box::new(|world, groups| exceeds(&Excess::FORKS, world, groups)),
        ),
        scene(
            "a build that fails of the first refused thread",
            Box::new(stubborn),
        ),
        scene(
            "what a group further up refuses is not the limit",
            Box::new(above),
        ),
        scene("a killed run leaves no group to the next", Box::new(killed)),
    ]);
    scenes.extend(deeds.iter().map(|deed| {
        let deed = *deed;
        scene(
            &format!("{} does no harm", deed.fixture),
            Box::new(move |world, _| harmless(deed, world)),
        )
    }));
    scenes
}

/// Gives a run the time that it needs here.
fn slow<'world, 'site>(run: Run<'world, 'site>) -> Run<'world, 'site> {
    run.limit(std::time::Duration::from_secs(PATIENCE_S))
        .grace(std::time::Duration::from_millis(GRACE_MS))
}

fn vector(guarantees: &BTreeMap<String, String>) -> String {
    let weak: Vec<_> = guarantees
        .iter()
        .filter(|(_, word)| *word != "enforced")
        .map(|(name, word)| format!("{name} {word}"))
        .collect();
    match weak.is_empty() {
        true => "everything enforced".to_owned(),
        false => format!("enforced but for: {}", weak.join(", ")),
    }
}

/// Without namespaces and with a Landlock below ABI 3 nothing is built, and both reasons are told.
fn too_old(world: &World<'_>, _: &Groups) -> String {
    let sdist = Sdist::hello("old", "1.0");
    let mut said = String::new();
    for level in ["confined", "reduced"] {
        let done = slow(world.build(&sdist))
            .flag("--min-isolation", level)
            .finish();
        let failure = done.fails_with(Code::Isolation);
        for part in ["namespaces", "not permitted", "Landlock ABI 3"] {
            assert!(failure.message.contains(part), "{part}: {done}");
        }
        assert!(failure.hint.is_some(), "{done}");
        said = format!("{}: {}", failure.code, failure.message);
    }
    said
}

/// What `doctor` found, as JSON.
fn asked(world: &World<'_>, run: impl Fn(Run<'_, '_>) -> Value) -> Value {
    let cache = world.cache();
    run(slow(
        world
            .run(["doctor", "--output-format", "json"])
            .args(["--cache-dir".as_ref(), cache.as_os_str()]),
    ))
}

fn doctor(world: &World<'_>, groups: &Groups) -> String {
    let given = groups.give();
    let found = asked(world, |run| {
        let done = given.around(run).finish();
        serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done}"))
    });
    given.ends_as_it_was();
    let isolation = &found["isolation"]["found"];
    let level = isolation["level"].as_str().unwrap_or_default();
    assert_eq!(level, world.setting.level().word(), "{found}");
    let guarantees: BTreeMap<String, String> =
        serde_json::from_value(isolation["guarantees"].clone()).expect("a vector");
    assert_eq!(guarantees["memory"], "enforced", "{found}");
    assert_eq!(guarantees["pids"], "enforced", "{found}");
    let made = found["host"]["control_groups"].to_string();
    assert!(made.contains("version 2: memory, pids"), "{found}");
    format!("{level}, {}", vector(&guarantees))
}

/// A group with other processes in it is not fumehood's to divide.
fn alone(world: &World<'_>, _: &Groups) -> String {
    let found = asked(world, |run| {
        let done = run.finish();
        serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done}"))
    });
    let isolation = &found["isolation"]["found"];
    assert_eq!(found["host"]["control_groups"], json!([]), "{found}");
    let memory = isolation["guarantees"]["memory"].as_str();
    assert_eq!(memory, Some("partial"), "{found}");
    let pids = isolation["guarantees"]["pids"].as_str().unwrap_or_default();
    format!("memory partial, pids {pids}")
}

fn builds(world: &World<'_>, groups: &Groups) -> String {
    let sdist = Sdist::hello("ordinary", "1.0");
    let given = groups.give();
    let run = world
        .build(&sdist)
        .args(["--require", "memory", "--require", "pids", "--offline"]);
    let done = given.around(slow(run)).finish();
    let isolation = done.built(&sdist.wheel()).isolation;
    let isolation = isolation.expect("a built wheel tells its isolation");
    assert_eq!(isolation.level, world.setting.level().word(), "{done}");
    done.is_tidy();
    given.ends_as_it_was();
    format!(
        "{} in {:.1} s, {}",
        isolation.level,
        done.took.as_secs_f64(),
        vector(&isolation.guarantees)
    )
}

/// A build that uses something up is ended for it, while another one beside it is built.
fn exceeds(excess: &Excess, world: &World<'_>, groups: &Groups) -> String {
    let given = groups.give();
    let running = given.around(slow(excess.run(world))).start();
    let ordinary = Sdist::hello("ordinary", "1.0");
    let beside = slow(world.build(&ordinary).out("beside")).finish_anyhow();
    beside.built(&ordinary.wheel());
    let done = running.finish();
    let used = excess.is_told(&done).to_owned();
    given.ends_as_it_was();
    format!("exit 6, {}, {used}", excess.named)
}

/// The group refuses before anything else does, so a build that does not wait to be counted is told its limit as well.
fn stubborn(world: &World<'_>, groups: &Groups) -> String {
    let given = groups.give();
    let run = world.build(&Sdist::stubborn()).args(Excess::FORKS.flags);
    let done = given.around(slow(run)).finish();
    let used = Excess::FORKS.is_told(&done).to_owned();
    given.ends_as_it_was();
    format!("exit 6, {}, {used}", Excess::FORKS.named)
}

/// Tasks that are refused by a group further up are no limit of the build.
fn above(world: &World<'_>, groups: &Groups) -> String {
    let given = groups.give();
    // fumehood itself takes some.
    given.bound_tasks(120);
    let done = given.around(slow(world.build(&Sdist::stubborn()))).finish();
    let failure = done.fails_with(Code::Backend);
    given.ends_as_it_was();
    format!("{}: {}", failure.code, failure.message)
}

fn killed(world: &World<'_>, groups: &Groups) -> String {
    let given = groups.give();
    let mut running = given.around(slow(world.build(&Sdist::waiting()))).start();
    running.wait_until_ready();
    running.signal(Signal::SIGKILL);
    drop(running.finish_anyhow());
    let left = given.below();
    assert!(!left.is_empty(), "nobody was left to remove them");
    // Whoever starts another program in the group does this.
    given.reset();
    let next = Sdist::hello("next", "1.0");
    let done = given.around(slow(world.build(&next))).finish();
    drop(done.built(&next.wheel()));
    given.ends_as_it_was();
    format!("{} were left, none is", left.len())
}

/// A hostile build, beside its control: which does all the harm there is.
fn harmless(deed: Deed, world: &World<'_>) -> String {
    let control = deed.attempt(&World::new(world.site, world.setting), &Runner::Control);
    assert!(!control.possible.is_empty(), "{}", control.said);
    assert_eq!(control.harm, control.possible, "{}", control.said);
    let tried = deed.attempt(world, &Runner::Own);
    assert!(tried.built, "it was not built: {}", tried.said);
    assert!(tried.harm.is_empty(), "{:?}: {}", tried.harm, tried.said);
    let level = tried.level.unwrap_or_default();
    format!("{level}, {} ways closed", control.possible.len())
}
