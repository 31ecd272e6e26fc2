//! One round: a run is ended at a system call; then nothing is wrong, nothing is left and the same build succeeds.

use std::fs;

use serde::Deserialize;

use super::{Order, Seen, Target};
use crate::command::Run;
use crate::decoy::{changes, states};
use crate::forged;
use crate::git::Repository;
use crate::index::Offer;
use crate::outcome::Outcome;
use crate::sdist::Sdist;
use crate::wheel::Wheel;
use crate::world::World;

/// The name of the root of a cache below.
const LOWER: &str = "lower";

/// What is running when the kill comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// A build from an index, with a build requirement, into a cache that is not there yet.
    Index,
    /// A build of a directory.
    Directory,
    /// A build of a commit.
    Git,
    /// The delivery of a wheel from the cache, over an older file.
    Again,
    /// Another build with the same sources and environment.
    Other,
    /// A build of an sdist behind a URL.
    Url,
    /// The delivery of a wheel behind a URL.
    WheelUrl,
    /// `fetch` of sources and of what building them needs; what comes after it has no network.
    Fetch,
    /// A build above a cache that is only read, in which the source is damaged.
    Lower,
    /// `cache prune --ci` after a build.
    Prune,
    /// `cache clean` after a build.
    Clean,
}

/// What came of a round.
#[derive(Clone, Debug)]
pub enum Ended {
    /// The kill came; so many unfinished things were counted before the next run.
    Killed(u64),
    /// The run went another way and never made the call; it ended well.
    Missed,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Index,
        Self::Directory,
        Self::Git,
        Self::Again,
        Self::Other,
        Self::Url,
        Self::WheelUrl,
        Self::Fetch,
        Self::Lower,
        Self::Prune,
        Self::Clean,
    ];

    /// Lays out what is built, makes what must be there before, and returns the spec and the wheel's file name.
    fn prepare(self, world: &World<'_>) -> (String, String) {
        let sdist = Sdist::hello("thing", "1.0").requires(&["base"]);
        world.index.wheel(&Wheel::new("base", "1.0")).sdist(&sdist);
        let spec = match self {
            Self::Directory => world.lay("tree", &sdist).display().to_string(),
            Self::Git => {
                let repository = Repository::new(world, "repository");
                repository.lay("", &sdist);
                repository.commit("one");
                repository.url()
            }
            Self::Url => world.index.file_url(&sdist.filename("tar.gz")),
            Self::WheelUrl => {
                let wheel = Wheel::new("ready", "1.0");
                let offer = Offer::new("elsewhere", &wheel.filename(), wheel.pack());
                world.index.replace(offer);
                return (world.index.file_url(&wheel.filename()), wheel.filename());
            }
            _ => "thing==1.0".to_owned(),
        };
        if matches!(
            self,
            Self::Again | Self::Other | Self::Lower | Self::Prune | Self::Clean
        ) {
            world.wheel(&spec).finish().built(&sdist.wheel());
        }
        if self == Self::Lower {
            let lower = world.move_cache(LOWER);
            forged::damage(&lower.join("sources-v1"));
        }
        (spec, sdist.wheel())
    }

    fn victim<'a>(self, world: &'a World<'a>, spec: &str) -> Run<'a, 'a> {
        let cache = |words: &[&str]| {
            world
                .run(words)
                .args(["--cache-dir".as_ref(), world.cache().as_os_str()])
        };
        match self {
            Self::Prune => cache(&["cache", "prune", "--ci"]),
            Self::Clean => cache(&["cache", "clean"]),
            Self::Fetch => world.run(["fetch", spec, "--no-binary", "thing"]).places(),
            _ => self.build(world, spec),
        }
    }

    fn build<'a>(self, world: &'a World<'a>, spec: &str) -> Run<'a, 'a> {
        let run = world.wheel(spec);
        match self {
            Self::Other => run.args(["-C", "other=1"]),
            Self::Lower => {
                let lower = world.cache_at(LOWER);
                run.args(["-C", "other=1"]).flag("--cache-readonly", lower)
            }
            _ => run,
        }
    }
}

fn order(world: &World<'_>, target: Option<Target>) -> Order {
    Order {
        log: world.folder("traces").join("calls"),
        places: vec![(world.cache(), "cache".into()), (world.out(), "out".into())],
        uid: world.setting.identity.other_uid(),
        target,
    }
}

fn seen(order: &Order) -> Vec<Seen> {
    let text = fs::read_to_string(&order.log).expect("the killer has written its log");
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Watches a good run.
///
/// # Panics
/// When it does not go well.
#[must_use]
pub fn trace(world: &World<'_>, scenario: Scenario) -> Vec<Seen> {
    let (spec, _) = scenario.prepare(world);
    let order = order(world, None);
    let done = scenario.victim(world, &spec).watched(&order).finish();
    done.succeeds();
    seen(&order)
}

/// Ends a run at a call, in a world that is new, and judges what is left.
///
/// # Panics
/// When a promise is broken.
pub fn one_round(world: &World<'_>, scenario: Scenario, target: &Target) -> Ended {
    let (spec, wheel) = scenario.prepare(world);
    let lower = states(&world.cache_at(LOWER));
    let order = order(world, Some(target.clone()));
    let run = scenario.victim(world, &spec).watched(&order);
    let done = run
        .grace(std::time::Duration::from_secs(10))
        .finish_anyhow();
    assert!(
        done.left.is_empty(),
        "processes are left: {:#?}{done}",
        done.left
    );
    if !seen(&order).iter().any(|call| call.killed) {
        done.succeeds();
        return Ended::Missed;
    }
    assert_eq!(done.signal, Some(9), "{done}");
    let checked = check(world, &done);
    let mut again = scenario.build(world, &spec);
    if scenario == Scenario::Fetch {
        let fetched = scenario.victim(world, &spec).finish();
        fetched.succeeds();
        again = again.args(["--offline"]);
    }
    let again = again.finish();
    assert_eq!(again.wheel().filename, wheel, "{again}");
    assert_eq!(world.delivered(), [wheel], "{again}");
    let changed = changes(&lower, &states(&world.cache_at(LOWER)));
    assert!(changed.is_empty(), "{changed:?} {again}");
    let afterwards = check(world, &again);
    assert_eq!(afterwards.left_over, 0, "something is left: {again}");
    assert_eq!(strays(world), Vec::<String>::new(), "{again}");
    Ended::Killed(checked.left_over)
}

/// What `cache check` says.
#[derive(Debug, Deserialize)]
struct Checked {
    left_over: u64,
    damage: Vec<serde_json::Value>,
}

/// Nothing in the cache is damaged.
fn check(world: &World<'_>, before: &Outcome<'_, '_>) -> Checked {
    let done = world
        .run(["cache", "check", "--output-format", "json"])
        .args(["--cache-dir".as_ref(), world.cache().as_os_str()])
        .finish_anyhow();
    assert_eq!(done.code, Some(0), "`cache check` after {before}: {done}");
    let checked: Checked = serde_json::from_str(&done.stdout).expect("one document");
    assert!(checked.damage.is_empty(), "{done}");
    checked
}

/// Returns what lies in the cache and belongs to nothing that is finished.
fn strays(world: &World<'_>) -> Vec<String> {
    let names = |folder: std::path::PathBuf| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    };
    let mut strays = names(world.cache().join("staging-v1"));
    let known = ["fumehood", "CACHEDIR.TAG", ".gitignore"];
    let mut root = names(world.cache());
    for name in known {
        if !root.iter().any(|there| there == name) {
            strays.push(format!("{name} is missing"));
        }
    }
    root.retain(|name| !name.ends_with("-v1") && !known.contains(&name.as_str()));
    strays.extend(root);
    strays
}
