//! Builds that take more than they may of what no limit of a single process bounds.

use std::collections::BTreeSet;

use serde_json::json;

use super::Tried;
use crate::escape::at_once;
use crate::{Run, Runner, Sdist, World};

/// How long each goes on when nobody ends it, in seconds.
const SECONDS: u64 = 8;

/// One way to use something up, far past what the run allows.
struct Way {
    name: &'static str,
    /// What `tests/backends/uses_up` calls it, and how far it goes.
    what: &'static str,
    most: u64,
    /// Flags of the program under test.
    flags: &'static [&'static str],
}

const WAYS: [Way; 5] = [
    Way {
        name: "time",
        what: "time_by_the_clock",
        most: 0,
        flags: &["--timeout", "2s"],
    },
    Way {
        name: "silence",
        what: "silence",
        most: 0,
        flags: &["--idle-timeout", "2s"],
    },
    Way {
        name: "many files",
        what: "disk",
        most: 64,
        flags: &["--disk", "16M"],
    },
    Way {
        name: "many names",
        what: "inodes",
        most: 4000,
        flags: &[],
    },
    Way {
        name: "output",
        what: "log",
        most: 3,
        flags: &["--log-limit", "1M"],
    },
];

/// The exit code of a run that a limit ended.
const LIMIT: i32 = model::Exit::Limit as i32;

/// Lets each go on: the harm is that one comes to its own end although it is long past its limit.
pub(super) fn overdone(world: &World<'_>, runner: &Runner) -> Tried {
    let came = at_once(&WAYS, |way| {
        let world = World::new(world.site, world.setting);
        let done = run(&world, runner, way).finish_anyhow();
        (way.name, done.code, done.to_string())
    });
    let is_judged = matches!(runner, Runner::Own | Runner::Traced | Runner::Lacking(_));
    let mut tried = Tried {
        possible: WAYS.iter().map(|way| way.name.to_owned()).collect(),
        built: true,
        ..Tried::default()
    };
    let mut harm = BTreeSet::new();
    for (name, code, said) in came {
        if code == Some(0) {
            harm.insert(name.to_owned());
        }
        // What was ended by anything else shows nothing of limits.
        tried.built &= !is_judged || matches!(code, Some(0 | LIMIT));
        let end: Vec<_> = said.lines().rev().take(40).collect();
        tried.said += &end.into_iter().rev().collect::<Vec<_>>().join("\n");
    }
    tried.harm = harm;
    tried
}

fn run<'world, 'site>(
    world: &'world World<'site>,
    runner: &Runner,
    way: &Way,
) -> Run<'world, 'site> {
    let targets = json!({"what": way.what, "most": way.most, "seconds": SECONDS});
    let sdist = Sdist::fixture("uses_up").targets(&targets);
    if !matches!(runner, Runner::Own | Runner::Traced | Runner::Lacking(_)) {
        return match runner {
            Runner::Control => super::alone(world, &sdist),
            _ => runner.run(world, &sdist),
        };
    }
    let policy = "name = \"tight\"\nextends = \"strict\"\nsummary = \"for a test\"\n[limits]\nscratch_inodes = 500\n";
    runner
        .run(world, &sdist)
        .flag("--policy", world.file("tight.toml", policy))
        .args(way.flags)
}
