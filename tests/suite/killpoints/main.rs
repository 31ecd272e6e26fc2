//! Hundreds of kills, beside CI: every named step of every run is hit again and again, and the list is printed.
//!
//! `cargo test -p tests --test killpoints -- [--rounds N] [--each N] [--seed N] [--jobs N] [--only WORD]`: at least N rounds in
//! all (200), each step at least N times (5), with this seed (1), so many at
//! once (2), only steps whose names have the word in them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tests::killpoint::{Ended, Scenario, Step, Target, add_steps, one_round, trace};
use tests::{Setting, Site, World};

/// What is asked for.
struct Asked {
    rounds: usize,
    each: usize,
    seed: u64,
    jobs: usize,
    only: String,
}

/// One kill.
struct Round {
    step: usize,
    scenario: Scenario,
    target: Target,
    setting: Setting,
}

/// What came of the rounds of one step.
#[derive(Default)]
struct Tally {
    before: usize,
    after: usize,
    missed: usize,
    most_left: u64,
    calls: BTreeSet<String>,
    runs: BTreeMap<Scenario, usize>,
    failures: Vec<String>,
}

fn main() -> ExitCode {
    let asked = Asked::read();
    let site = Site::new(
        env!("CARGO_BIN_EXE_fumehood-under-test"),
        env!("CARGO_BIN_EXE_warden"),
        env!("CARGO_TARGET_TMPDIR"),
    );
    let mut all: Vec<Step> = Vec::new();
    for scenario in Scenario::ALL {
        let world = World::new(&site, Setting::PLAIN);
        add_steps(&mut all, scenario, &trace(&world, scenario));
    }
    all.retain(|step| step.name.contains(&asked.only));
    say(&format!("{} steps", all.len()));
    let rounds = asked.plan(&all);
    let tallies: Vec<_> = all.iter().map(|_| Mutex::new(Tally::default())).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(round) = rounds.get(next.fetch_add(1, Ordering::Relaxed)) {
            let name = &all[round.step].name;
            let mut came = kill(&site, round, &round.target, name);
            if matches!(came, Ok(Ended::Missed)) {
                // Not every run makes as many of these calls, but nearly each makes one.
                let first = Target {
                    number: 1,
                    ..round.target.clone()
                };
                came = kill(&site, round, &first, name);
            }
            let mut tally = tallies[round.step].lock().expect("nobody panics with it");
            tally.add(round, came.ok());
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..asked.jobs {
            scope.spawn(work);
        }
    });
    let tallies: Vec<_> = tallies
        .into_iter()
        .map(|tally| tally.into_inner().expect("nobody panics with it"))
        .collect();
    list(&all, &tallies)
}

/// Makes one kill in a world of its own, and says what came of it; a broken promise panics.
fn kill(site: &Site, round: &Round, target: &Target, name: &str) -> std::thread::Result<Ended> {
    let mut world = World::new(site, round.setting);
    world.about = format!("{name}: {:?}, {target:?}", round.scenario);
    let came = catch_unwind(AssertUnwindSafe(|| {
        one_round(&world, round.scenario, target)
    }));
    say(&format!("{}, {}: {came:?}", world.about, round.setting));
    came
}

fn list(all: &[Step], tallies: &[Tally]) -> ExitCode {
    let head = [
        "step",
        "call",
        "before",
        "after",
        "missed",
        "unfinished",
        "failed",
    ];
    let [step, call, before, after, missed, unfinished, failed] = head;
    say(&format!(
        "\n{step:34} {call:14} {before:>6} {after:>6} {missed:>6} {unfinished:>10} {failed:>6} runs"
    ));
    for (step, tally) in all.iter().zip(tallies) {
        let calls: Vec<_> = tally.calls.iter().map(String::as_str).collect();
        say(&format!(
            "{:34} {:14} {:6} {:6} {:6} {:10} {:6} {:?}",
            step.name,
            calls.join("|"),
            tally.before,
            tally.after,
            tally.missed,
            tally.most_left,
            tally.failures.len(),
            tally.runs
        ));
    }
    let sum = |count: fn(&Tally) -> usize| tallies.iter().map(count).sum::<usize>();
    let (killed, missed) = (sum(|one| one.before + one.after), sum(|one| one.missed));
    let failed = sum(|one| one.failures.len());
    say(&format!(
        "{} rounds: {killed} kills survived, {missed} missed, {failed} failed",
        killed + missed + failed
    ));
    for failure in tallies.iter().flat_map(|tally| &tally.failures) {
        say(&format!("failed: {failure}"));
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Tally {
    /// Counts a round; nothing came of one in which a promise was broken.
    fn add(&mut self, round: &Round, came: Option<Ended>) {
        self.calls.insert(round.target.call.clone());
        *self.runs.entry(round.scenario).or_default() += 1;
        match came {
            Some(Ended::Killed(left)) if round.target.leaving => {
                self.after += 1;
                self.most_left = self.most_left.max(left);
            }
            Some(Ended::Killed(left)) => {
                self.before += 1;
                self.most_left = self.most_left.max(left);
            }
            Some(Ended::Missed) => self.missed += 1,
            None => self
                .failures
                .push(format!("{:?}, {:?}", round.scenario, round.target)),
        }
    }
}

impl Asked {
    /// Draws the rounds: the steps in turn, each in all runs that have it in turn, entering and leaving a call.
    fn plan(&self, steps: &[Step]) -> Vec<Round> {
        let mut chance = self.seed;
        let count = if steps.is_empty() {
            0
        } else {
            self.rounds.max(self.each * steps.len())
        };
        (0..count)
            .map(|number| {
                let (turn, step) = (number / steps.len(), number % steps.len());
                let targets = &steps[step].targets;
                let runs: BTreeSet<_> = targets.iter().map(|(scenario, _)| scenario).collect();
                let runs: Vec<_> = runs.into_iter().collect();
                let run = runs[(step + turn) % runs.len()];
                let of_run: Vec<_> = targets.iter().filter(|it| it.0 == *run).collect();
                let (scenario, mut target) = of_run[draw(&mut chance, of_run.len())].clone();
                // Each run comes to both sides, also where their number is even.
                let passed = turn / runs.len() * (1 - runs.len() % 2);
                target.leaving = (turn + passed) % 2 == 1;
                let setting = [Setting::PLAIN, Setting::DENIED][draw(&mut chance, 2)];
                Round {
                    step,
                    scenario,
                    target,
                    setting,
                }
            })
            .collect()
    }

    fn read() -> Self {
        let mut asked = Self {
            rounds: 200,
            each: 5,
            seed: 1,
            jobs: 2,
            only: String::new(),
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let value = words.next().unwrap_or_default();
            let number = || {
                value
                    .parse()
                    .unwrap_or_else(|_| panic!("{word} wants a number"))
            };
            match word.as_str() {
                "--rounds" => asked.rounds = number(),
                "--each" => asked.each = number(),
                "--seed" => asked.seed = number() as u64,
                "--jobs" => asked.jobs = number(),
                "--only" => asked.only = value,
                _ => panic!("{word} is no argument: --rounds, --each, --seed, --jobs, --only"),
            }
        }
        asked
    }
}

/// Returns the next number below a limit.
fn draw(state: &mut u64, below: usize) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).expect("31 bits") % below
}

fn say(text: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
