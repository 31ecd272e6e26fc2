//! A cache of many entries beside one of a tenth: a lookup, a sum, a removal.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::measured::Measured;
use super::scenario::{Bench, copy};
use super::table::median;
use super::who::Who;
use crate::index::Index;
use crate::sdist::Sdist;

/// The word for it on the command line.
pub const FULL: &str = "full";

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

impl Bench {
    /// Measures work on caches of two sizes and returns a table of Markdown.
    ///
    /// # Panics
    /// When a cache can not be filled, or a run fails.
    #[must_use]
    pub fn full(&self, rounds: usize) -> String {
        let caches = SIZES.map(|entries| self.filled(entries));
        let [small, large] = SIZES;
        let mut text = format!(
            "| work on a cache | with {small} built sdists, s | with {large}, s | ratio |\n|---|---|---|---|\n"
        );
        for work in Work::ALL {
            let times = |cache: &PathBuf| -> f64 {
                let runs = (0..rounds).map(|_| self.work_on(work, cache).wall);
                median(runs.collect())
            };
            let [few, many] = [times(&caches[0]), times(&caches[1])];
            let title = work.title();
            let _ = writeln!(
                text,
                "| {title} | {few:.3} | {many:.3} | {:.2} |",
                many / few
            );
        }
        text
    }

    /// One run, on a copy where the work removes something.
    fn work_on(&self, work: Work, cache: &Path) -> Measured {
        let place = self.folder.join("run-full");
        fs::create_dir_all(&place).expect("a folder can be made");
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
                let (out, spec) = (place.join("out"), format!("{}==1.0", name(7)));
                let index = fs::read_to_string(cache.with_file_name("index"));
                let index = index.expect("the cache was filled from an index");
                let specs = ["--offline".to_owned(), spec];
                self.peers.command(Who::Ours, &index, [cache, &out], &specs)
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
        let measured = Measured::run(&command, &place);
        fs::remove_dir_all(&place).expect("a run's folder can be removed");
        measured
    }

    /// A cache in which this many sdists were built, made once.
    fn filled(&self, entries: usize) -> PathBuf {
        let folder = self.folder.join(format!("{FULL}-{entries}"));
        let (cache, mark) = (folder.join("cache"), folder.join("index"));
        if mark.exists() {
            return cache;
        }
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let index = Index::start();
        for number in 0..entries {
            index.sdist(&Sdist::hello(&name(number), "1.0"));
        }
        let (list, out) = (folder.join("list.txt"), folder.join("out"));
        for first in (0..entries).step_by(PART) {
            let pins =
                (first..entries.min(first + PART)).map(|number| format!("{}==1.0\n", name(number)));
            fs::write(&list, pins.collect::<String>()).expect("a list can be written");
            let specs = ["-r".to_owned(), list.display().to_string()];
            let command = self
                .peers
                .command(Who::Ours, &index.url(), [&cache, &out], &specs);
            let _ = Measured::run(&command, &folder);
            fs::remove_dir_all(&out).expect("what was made can be removed");
        }
        fs::write(mark, index.url()).expect("a mark can be written");
        cache
    }
}

fn name(number: usize) -> String {
    format!("entry{number:05}")
}
