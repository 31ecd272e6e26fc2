//! A worker's word checked from outside: what the kernel itself says of the program that it started.

use std::fs;

use protocol::Namespaces;

/// Processes below a worker that are looked at: the namespace's init and the program.
const MOST: usize = 16;

/// Looks at the youngest process below `worker` and says what it lacks, if it lacks anything. A
/// process that has ended meanwhile lacks nothing. In namespaces the worker's own child is their
/// init, which is no program.
pub(super) fn weakness(worker: u32, namespaces: Namespaces) -> Option<String> {
    let mut youngest = None;
    let mut pid = worker;
    if namespaces != Namespaces::None {
        pid = children(pid).pop()?;
    }
    for _ in 0..MOST {
        let Some(child) = children(pid).pop() else {
            break;
        };
        youngest = Some(child);
        pid = child;
    }
    let youngest = youngest?;
    let found = lacking(&fs::read_to_string(format!("/proc/{youngest}/status")).ok()?)?;
    // Whoever is exiting has let go of its filter before it is a zombie.
    let stat = fs::read_to_string(format!("/proc/{youngest}/stat")).ok()?;
    (!is_exiting(&stat)).then_some(found)
}

/// Whether a `/proc/PID/stat` has the flag of a process that runs no more (`PF_EXITING`).
fn is_exiting(stat: &str) -> bool {
    const EXITING: u64 = 0x4;
    let flags = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_ascii_whitespace().nth(6)?.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & EXITING != 0)
}

/// What a `/proc/PID/status` shows to be missing: `no_new_privs`, the filter, empty capabilities.
fn lacking(status: &str) -> Option<String> {
    let wanted = [
        ("NoNewPrivs", "1"),
        ("Seccomp", "2"),
        ("CapEff", "0000000000000000"),
        ("CapPrm", "0000000000000000"),
    ];
    let found = wanted.into_iter().find_map(|(name, value)| {
        let Some(line) = status.lines().find(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(':'))
        }) else {
            return Some(format!("{name} is not told"));
        };
        (line.split_once(':')?.1.trim() != value).then(|| line.replace('\t', " "))
    });
    // A zombie has no status left to be judged by.
    found.filter(|_| !status.contains("State:\tZ"))
}

fn children(pid: u32) -> Vec<u32> {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap_or_default()
        .split_ascii_whitespace()
        .filter_map(|one| one.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "Name:\tpython\nState:\tS (sleeping)\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n";

    #[test]
    fn who_exits_is_known_by_its_flag_whatever_its_name() {
        assert!(is_exiting("7 (a) 4 (b) R 1 7 7 0 -1 4194308 0 0"));
        assert!(!is_exiting("7 (4 4) R 1 7 7 0 -1 4194304 0 0"));
        assert!(!is_exiting("nonsense"));
    }

    #[test]
    fn a_confined_process_lacks_nothing_and_each_missing_lock_is_named() {
        assert_eq!(lacking(SOUND), None);
        assert_eq!(lacking("").as_deref(), Some("NoNewPrivs is not told"));
        for (sound, weak) in [
            ("NoNewPrivs:\t1", "NoNewPrivs:\t0"),
            ("Seccomp:\t2", "Seccomp:\t0"),
            ("CapEff:\t0000000000000000", "CapEff:\t0000000000000001"),
        ] {
            let found = lacking(&SOUND.replace(sound, weak)).expect("it is weak");
            assert!(
                found.starts_with(weak.split(':').next().expect("a name")),
                "{found}"
            );
        }
    }
}
