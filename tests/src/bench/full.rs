//! A cache of many entries beside one of a tenth: a lookup, a sum, a removal.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::measured::Measured;
use super::scenario::{Bench, copy};
use super::table::median;
use super::who::Who;
use crate::index::Index;
use crate::sdist::Sdist;

/// The word for it on the command line.
pub const FULL: &str = "full";

/// The file beside a cache that is full: the index of its last entry, and that one's name.
const MARK: &str = "last";

/// How many built sdists the caches hold.
const SIZES: [usize; 2] = [2_000, 20_000];
/// How many one run builds.
const PART: usize = 500;

/// What is done with a full cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Lookup,
    Size,
    Prune,
    PruneCi,
}

impl Work {
    const ALL: [Self; 4] = [Self::Lookup, Self::Size, Self::Prune, Self::PruneCi];

    fn title(self) -> &'static str {
        match self {
            Self::Lookup => "a wheel that is there, delivered",
            Self::Size => "`cache size`",
            Self::Prune => "`cache prune`, nothing to remove",
            Self::PruneCi => "`cache prune --ci`, every source removed",
        }
    }
}

/// What work on a small and on a large cache took, in seconds, round after round.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Full {
    rows: Vec<(String, [Vec<f64>; 2])>,
}

/// Returns the medians of some runs as a table of Markdown.
pub(super) fn full_table(runs: &[&Full]) -> String {
    let [small, large] = SIZES;
    let mut text = format!(
        "| work on a cache | with {small} built sdists, s | with {large}, s | ratio |\n|---|---|---|---|\n"
    );
    for work in Work::ALL {
        let rows = runs.iter().flat_map(|run| &run.rows);
        let of_it: Vec<_> = rows.filter(|(title, _)| title == work.title()).collect();
        let [few, many] = [0, 1].map(|size| {
            median(
                of_it
                    .iter()
                    .flat_map(|(_, times)| times[size].clone())
                    .collect(),
            )
        });
        let title = work.title();
        let _ = writeln!(
            text,
            "| {title} | {few:.3} | {many:.3} | {:.2} |",
            many / few
        );
    }
    text
}

impl Bench {
    /// Measures work on caches of two sizes.
    ///
    /// # Panics
    /// When a cache can not be filled, or a run fails.
    #[must_use]
    pub fn full(&self, rounds: usize) -> Full {
        let caches = SIZES.map(|entries| self.filled(entries));
        // Nothing is removed between runs, see [`Bench::run`].
        let runs = self.folder.join("run-full");
        drop(fs::remove_dir_all(&runs));
        let rows = Work::ALL.map(|work| {
            let mut times = [Vec::new(), Vec::new()];
            for round in 0..rounds {
                for (size, times) in times.iter_mut().enumerate() {
                    let place = runs.join(format!("{work:?}-{round}-{size}"));
                    times.push(self.work_on(work, &caches[size], &place).wall);
                }
            }
            (work.title().to_owned(), times)
        });
        fs::remove_dir_all(&runs).expect("what runs left can be removed");
        Full {
            rows: rows.to_vec(),
        }
    }

    /// One run, on a copy where the work removes something.
    fn work_on(&self, work: Work, cache: &Path, place: &Path) -> Measured {
        fs::create_dir_all(place).expect("a folder can be made");
        let copied = place.join("cache");
        let cache = match work {
            Work::PruneCi => {
                copy(cache, &copied);
                &copied
            }
            _ => cache,
        };
        let mut command = match work {
            Work::Lookup => {
                let out = place.join("out");
                let mark = fs::read_to_string(cache.with_file_name(MARK));
                let mark = mark.expect("the cache was filled");
                let (index, last) = mark.split_once('\n').expect("an index and a name");
                let specs = ["--offline".to_owned(), format!("{last}==1.0")];
                self.peers.command(Who::Ours, index, [cache, &out], &specs)
            }
            _ => {
                let mut command = Command::new(&self.peers.ours);
                command.arg("cache");
                command
            }
        };
        match work {
            Work::Lookup => &mut command,
            Work::Size => command.arg("size"),
            Work::Prune => command.arg("prune"),
            Work::PruneCi => command.args(["prune", "--ci"]),
        };
        if work != Work::Lookup {
            command.arg("--cache-dir").arg(cache);
        }
        Measured::run(&command, place)
    }

    /// A cache in which this many sdists were built, made once. One that was begun is filled up.
    fn filled(&self, entries: usize) -> PathBuf {
        let folder = self.folder.join(format!("{FULL}-{entries}"));
        let (cache, mark) = (folder.join("cache"), folder.join(MARK));
        if mark.exists() {
            return cache;
        }
        fs::create_dir_all(&folder).expect("a folder can be made");
        let wheels = cache.join("wheels-v1");
        let lacking = (0..entries).map(name);
        let lacking: Vec<_> = lacking.filter(|name| !wheels.join(name).exists()).collect();
        let index = Index::start();
        for name in &lacking {
            index.sdist(&Sdist::hello(name, "1.0"));
        }
        let (list, out) = (folder.join("list.txt"), folder.join("out"));
        for part in lacking.chunks(PART) {
            let pins = part.iter().map(|name| format!("{name}==1.0\n"));
            fs::write(&list, pins.collect::<String>()).expect("a list can be written");
            let specs = ["-r".to_owned(), list.display().to_string()];
            let command = self
                .peers
                .command(Who::Ours, &index.url(), [&cache, &out], &specs);
            let _ = Measured::run(&command, &folder);
            fs::remove_dir_all(&out).expect("what was made can be removed");
        }
        // Whatever was built before came from another index.
        let last = lacking.last().cloned().unwrap_or_else(|| name(entries - 1));
        fs::write(mark, format!("{}\n{last}", index.url())).expect("a mark can be written");
        cache
    }
}

fn name(number: usize) -> String {
    format!("entry{number:05}")
}
