//! The processes below a worker, from `/proc`: how many, how much memory, how much processor time.
//!
//! What a build can change of these files is its own names and arguments, which are not read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use nix::unistd::{SysconfVar, sysconf};

/// The processes of one build at one moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::local) struct Tree {
    /// Their numbers.
    pub(in crate::local) pids: Vec<u32>,
    /// Processes and their threads.
    pub(in crate::local) tasks: u64,
    /// Seconds of processor time of the one that has used most.
    pub(in crate::local) busiest_seconds: u64,
}

/// One line of `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// User and system time, in ticks.
    ticks: u64,
    threads: u64,
    zombie: bool,
}

impl Tree {
    /// Looks at everything below `worker`, among those `known` to be all that may be there or, without, among
    /// all that can be seen. The worker itself, and with `init` its child that is the init of the namespaces,
    /// are no part of the build.
    pub(in crate::local) fn below(worker: u32, init: bool, known: Option<Vec<u32>>) -> Self {
        let mut children: BTreeMap<u32, Vec<(u32, Stat)>> = BTreeMap::new();
        for pid in known.unwrap_or_else(all) {
            if let Some(stat) = stat(pid) {
                children.entry(stat.parent).or_default().push((pid, stat));
            }
        }
        Self::of(&children, worker, init)
    }

    fn of(children: &BTreeMap<u32, Vec<(u32, Stat)>>, worker: u32, init: bool) -> Self {
        let below = |pid: u32| children.get(&pid).into_iter().flatten();
        let mut next: Vec<_> = below(worker).collect();
        if init {
            next = next.into_iter().flat_map(|(pid, _)| below(*pid)).collect();
        }
        let ticks_a_second = ticks_a_second();
        let mut tree = Self::default();
        let mut seen = BTreeSet::new();
        while let Some((pid, stat)) = next.pop() {
            if !seen.insert(*pid) {
                continue;
            }
            // A zombie counts: the kernel counts it as well, and so does what it has used.
            tree.tasks += stat.threads.max(1);
            tree.busiest_seconds = tree.busiest_seconds.max(stat.ticks / ticks_a_second);
            if !stat.zombie {
                tree.pids.push(*pid);
            }
            next.extend(below(*pid));
        }
        tree
    }

    /// Returns the bytes of memory of all of them together that are in no file. What they share is
    /// counted once where the kernel tells, and that is asked only if the plain sum passes `most`.
    pub(in crate::local) fn memory(&self, most: u64) -> u64 {
        let plain = sum(&self.pids, "status", &["RssAnon", "RssShmem", "VmSwap"]);
        if plain < most {
            return plain;
        }
        let shared = sum_or(
            &self.pids,
            "smaps_rollup",
            &["Pss_Anon", "Pss_Shmem", "SwapPss"],
        );
        shared.map_or(plain, |shared| shared.min(plain))
    }
}

/// The unit of times in `/proc/PID/stat`.
fn ticks_a_second() -> u64 {
    let told = sysconf(SysconfVar::CLK_TCK).ok().flatten();
    told.and_then(|ticks| u64::try_from(ticks).ok())
        .map_or(100, |ticks| ticks.max(1))
}

/// Every process that can be seen.
fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    entries.filter_map(number).collect()
}

/// Nothing if it has ended meanwhile.
fn stat(pid: u32) -> Option<Stat> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse(&String::from_utf8_lossy(&stat))
}

/// Reads a `/proc/PID/stat`. The name in parentheses may hold anything; what follows the last one
/// does not.
fn parse(stat: &str) -> Option<Stat> {
    let fields: Vec<_> = stat
        .rsplit_once(')')?
        .1
        .split_ascii_whitespace()
        .take(18)
        .collect();
    // Counted from the state, which is the third of proc_pid_stat(5).
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Stat {
        parent: u32::try_from(number(4)?).ok()?,
        ticks: number(14)?.saturating_add(number(15)?),
        threads: number(20)?,
        zombie: matches!(fields.first(), Some(&("Z" | "X"))),
    })
}

/// The bytes under some names, of all processes; one that has ended meanwhile has none.
fn sum(pids: &[u32], file: &str, names: &[&str]) -> u64 {
    pids.iter()
        .filter_map(|pid| bytes(*pid, file, names))
        .fold(0, u64::saturating_add)
}

/// The same, or nothing if one that lives does not tell.
fn sum_or(pids: &[u32], file: &str, names: &[&str]) -> Option<u64> {
    let mut all: u64 = 0;
    for pid in pids {
        match bytes(*pid, file, names) {
            Some(some) => all = all.saturating_add(some),
            None if fs::exists(format!("/proc/{pid}/status")).unwrap_or(false) => return None,
            None => {}
        }
    }
    Some(all)
}

fn bytes(pid: u32, file: &str, names: &[&str]) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    let kib: u64 = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| names.contains(name))
        .filter_map(|(_, rest)| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
        .sum();
    Some(kib.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_calls_itself_like_a_line_of_stat_fools_nobody() {
        let stat = "7 (a) S 1 (b) R 5 7 7 0 -1 0 0 0 0 0 250 50 0 0 20 0 3 0 9 0 0";
        let read = parse(stat).expect("it is a line of stat");
        assert_eq!(
            read,
            Stat {
                parent: 5,
                ticks: 300,
                threads: 3,
                zombie: false
            }
        );
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn everything_below_the_worker_counts_and_what_is_fumehoods_own_does_not() {
        let stat = |parent, ticks| Stat {
            parent,
            ticks,
            threads: 2,
            zombie: false,
        };
        // 1 is the supervisor, 10 the worker, 11 the init, 12 the program, 13 below it.
        let all = [
            (10, stat(1, 0)),
            (11, stat(10, 9_000_000)),
            (12, stat(11, 0)),
            (13, stat(12, 700_000)),
            (20, stat(1, 0)),
        ];
        let mut children: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        for (pid, stat) in all {
            children.entry(stat.parent).or_default().push((pid, stat));
        }
        let tree = Tree::of(&children, 10, true);
        assert_eq!((tree.tasks, tree.pids.len()), (4, 2));
        assert_eq!(tree.busiest_seconds, 700_000 / ticks_a_second());
        assert_eq!(Tree::of(&children, 10, false).tasks, 6);
    }

    #[test]
    fn the_memory_of_this_very_process_is_known_and_what_is_shared_counts_once() {
        let own = Tree {
            pids: vec![std::process::id()],
            tasks: 1,
            busiest_seconds: 0,
        };
        let plain = own.memory(u64::MAX);
        assert!(plain > 100 * 1024, "{plain}");
        let shared = own.memory(1);
        assert!(0 < shared && shared <= plain.max(shared));
    }
}
