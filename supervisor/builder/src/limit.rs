//! A limit that ended a run: which, its value, what was used, how that is known, and what raises it.

use cache::Scratch;
use model::Code;
use protocol::{HookReturn, Limit};

/// How it is known that it was the limit that ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// A clock of this program.
    Clock,
    /// Counted from outside while the build ran, or when it had ended.
    Counted,
    /// The kernel's own count of what it refused to the build's control group.
    Group,
    /// The signal that the kernel sends where this limit is passed.
    Signal,
    /// The backend's own error, which is that of this limit.
    Said,
    /// What its file system has left is kept for others: it has less than [`RESERVE`].
    Room,
}

/// Bytes of a file system that a build is ended before it takes, if it has taken as many itself.
pub(crate) const RESERVE: u64 = 64 << 20;

/// One limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Which.
    pub limit: Limit,
    /// Its value, in the unit of its field in [`protocol::Limits`].
    pub allowed: u64,
    /// What was used, in the same unit. [`u64::MAX`]: more than can be counted.
    pub used: u64,
    /// How it is known.
    pub known: Known,
}

/// A run that was ended because a limit was reached.
#[derive(Debug)]
pub struct Stopped {
    /// The limit.
    pub reached: Reached,
    /// What the hooks had returned before, in order.
    pub returns: Vec<HookReturn>,
    /// Where the build worked. Nothing of it runs any more.
    pub scratch: Scratch,
}

/// What is to be said of a limit.
struct Words {
    name: &'static str,
    unit: Unit,
    /// Its key under `[limits]` in a policy.
    key: &'static str,
    /// Its flag, if it has one.
    flag: Option<&'static str>,
    code: Code,
}

/// What a limit is counted in.
#[derive(Clone, Copy)]
enum Unit {
    Milliseconds,
    Seconds,
    Bytes,
    Number,
}

fn words(limit: Limit) -> Words {
    use Unit::{Bytes, Milliseconds, Number, Seconds};
    let (name, unit, key, flag, code) = match limit {
        Limit::Wall => (
            "time",
            Milliseconds,
            "wall_seconds",
            Some("--timeout"),
            Code::WallLimit,
        ),
        Limit::Silence => (
            "time without output",
            Milliseconds,
            "silence_seconds",
            Some("--idle-timeout"),
            Code::SilenceLimit,
        ),
        Limit::Cpu => (
            "processor time of one process",
            Seconds,
            "cpu_seconds",
            None,
            Code::ResourceLimit,
        ),
        Limit::Memory => (
            "memory",
            Bytes,
            "memory_mib",
            Some("--memory"),
            Code::ResourceLimit,
        ),
        Limit::Processes => (
            "processes",
            Number,
            "processes",
            Some("--processes"),
            Code::ResourceLimit,
        ),
        Limit::OpenFiles => (
            "open files of one process",
            Number,
            "open_files",
            None,
            Code::ResourceLimit,
        ),
        Limit::FileBytes => (
            "the size of one file",
            Bytes,
            "file_mib",
            None,
            Code::ScratchLimit,
        ),
        Limit::ScratchBytes => (
            "disk space",
            Bytes,
            "scratch_mib",
            Some("--disk"),
            Code::ScratchLimit,
        ),
        Limit::ScratchInodes => (
            "files and folders",
            Number,
            "scratch_inodes",
            None,
            Code::ScratchLimit,
        ),
        Limit::LogBytes => (
            "output",
            Bytes,
            "log_mib",
            Some("--log-limit"),
            Code::LogLimit,
        ),
    };
    Words {
        name,
        unit,
        key,
        flag,
        code,
    }
}

impl Reached {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        words(self.limit).code
    }

    /// Returns what raises the limit: a flag, or a policy's key where there is none.
    #[must_use]
    pub fn raised_with(&self) -> String {
        let words = words(self.limit);
        match words.flag {
            Some(flag) => flag.to_owned(),
            None => format!("`{}` under [limits] in a policy of --policy", words.key),
        }
    }

    /// Returns what was used and how that is known, in words.
    #[must_use]
    pub fn evidence(&self) -> String {
        let used = words(self.limit).unit.shown(self.used);
        match self.known {
            _ if self.used == u64::MAX => {
                "more than can be counted: folders too deep, or not to be read".to_owned()
            }
            Known::Clock => format!("{used}, by the clock"),
            Known::Counted => format!("{used}, counted from outside of the build"),
            Known::Group => {
                format!("{used}, and more was refused by the kernel, as the control group counts")
            }
            Known::Signal => "as much as it may, as the signal says that ended it".to_owned(),
            Known::Room => format!("{used}, counted from outside of the build"),
            Known::Said => "as much as it may, as the backend's own error says".to_owned(),
        }
    }
}

impl std::fmt::Display for Reached {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = words(self.limit);
        let allowed = words.unit.shown(self.allowed);
        if self.known == Known::Room {
            return write!(
                out,
                "its file system has less than {allowed} left, which are kept for others"
            );
        }
        write!(out, "it reached its limit of {}: {allowed}", words.name)
    }
}

impl Unit {
    fn shown(self, value: u64) -> String {
        const MIB: u64 = 1 << 20;
        match self {
            Self::Milliseconds if value.is_multiple_of(1000) => format!("{} s", value / 1000),
            Self::Milliseconds => format!("{}.{} s", value / 1000, value % 1000 / 100),
            Self::Seconds => format!("{value} s"),
            Self::Bytes if value.is_multiple_of(MIB) => format!("{} MiB", value / MIB),
            Self::Bytes if value > 10 * MIB => {
                format!("{}.{} MiB", value / MIB, value % MIB * 10 / MIB)
            }
            Self::Bytes => format!("{value} bytes"),
            Self::Number => value.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The row of a limit in the documentation: key, default, flag, code.
    fn row(limit: Limit) -> String {
        let words = words(limit);
        let limits = policies::Policy::builtin("strict").expect("it is built in");
        let value = limit.of(limits.limits());
        format!(
            "| `{}` | {} | {} | {} |",
            words.key,
            words.unit.shown(value),
            words
                .flag
                .map_or("-".to_owned(), |flag| format!("`{flag}`")),
            words.code
        )
    }

    #[test]
    fn the_documentation_has_a_row_for_every_limit_with_its_default_flag_and_code() {
        let page = include_str!("../../../docs/limits.md");
        for limit in Limit::ALL {
            let row = row(limit);
            assert!(page.contains(&row), "docs/limits.md lacks: {row}");
        }
    }

    #[test]
    fn every_limit_ends_with_the_exit_code_of_limits_and_says_what_raises_it() {
        for limit in Limit::ALL {
            let reached = Reached {
                limit,
                allowed: 3,
                used: u64::MAX,
                known: Known::Counted,
            };
            assert_eq!(reached.code().exit(), model::Exit::Limit);
            assert!(
                reached.evidence().starts_with("more than can be counted"),
                "{limit:?}"
            );
            let words = words(limit);
            let named = reached.raised_with();
            assert!(
                named.contains(words.flag.unwrap_or(words.key)),
                "{limit:?}: {named}"
            );
        }
    }

    #[test]
    fn amounts_are_shown_in_units_that_people_write() {
        assert_eq!(Unit::Milliseconds.shown(1500), "1.5 s");
        assert_eq!(Unit::Bytes.shown(64 << 20), "64 MiB");
        assert_eq!(Unit::Bytes.shown((64 << 20) + (1 << 19)), "64.5 MiB");
        assert_eq!(Unit::Bytes.shown(1000), "1000 bytes");
    }
}
