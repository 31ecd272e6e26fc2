//! What `doctor` found, as values: printed by `text`, or handed out as JSON.

use std::collections::BTreeMap;

use builder::{Host, Sharing};
use cache::{Budget, Cache};
use model::Code;
use protocol::{Guarantees, Level, Namespaces};
use serde::Serialize;

use super::host::HostFacts;
use crate::compose::{Indexes, Interpreter};
use crate::render::Problem;
use crate::report::{FailureEntry, SCHEMA};
use crate::settings::{Ceiling, Layers, PlaceSettings};

/// Tools by name, and where each is.
type Tools = BTreeMap<&'static str, Option<String>>;

/// A finding, or why there is none.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Finding<T> {
    /// It was found out.
    Found(T),
    /// It was not.
    Failed(FailureEntry),
}

/// Everything.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    schema: &'static str,
    /// The version of this program.
    pub(super) fumehood: &'static str,
    /// The kernel.
    pub(super) kernel: String,
    /// The configuration files.
    pub(super) configuration: Configured,
    /// What isolation builds get here.
    pub(super) isolation: Finding<Isolation>,
    /// The cache.
    pub(super) cache: Place,
    /// The machine besides.
    pub(super) host: HostFacts,
    /// The Python that is built for.
    pub(super) python: Finding<Python>,
    /// The indexes that are asked.
    pub(super) index: Finding<Index>,
    /// Where the policy `strict` lets builds find their tools.
    pub(super) tools: Finding<Tools>,
    /// How much is done here at a time.
    pub(super) jobs: Finding<Jobs>,
    #[serde(skip)]
    first_problem: Option<Code>,
}

/// The configuration files that bear on this run.
#[derive(Debug, Serialize)]
pub(super) struct Configured {
    /// Those that are heard, the one that wins last.
    pub(super) files: Vec<ConfigurationFile>,
    /// What is not heard.
    pub(super) notes: Vec<String>,
    /// What nothing exceeds here, one line a key; none without a ceiling.
    pub(super) ceiling: Option<Vec<String>>,
}

/// One configuration file.
#[derive(Debug, Serialize)]
pub(super) struct ConfigurationFile {
    /// The file.
    pub(super) path: String,
    /// Whose it is, in words.
    pub(super) layer: &'static str,
}

/// The isolation of builds.
#[derive(Debug, Serialize)]
pub(super) struct Isolation {
    /// The level.
    pub(super) level: Level,
    /// Whether the default floor is reached.
    pub(super) accepted_by_default: bool,
    /// All levels that can be had.
    pub(super) reachable: Vec<Level>,
    /// The Landlock ABI.
    pub(super) landlock_abi: u32,
    /// The bits of fixed Landlock errata.
    pub(super) landlock_errata: u32,
    /// Whether the filter has a listener.
    pub(super) listener: bool,
    /// `none`, `with-user`, `without-user`
    pub(super) namespaces: &'static str,
    /// Why there are none.
    pub(super) without_namespaces: Option<String>,
    /// The uid of builds, as the host sees it.
    pub(super) uid: u32,
    /// One entry for each guarantee.
    pub(super) guarantees: Guarantees,
}

/// The cache.
#[derive(Debug, Serialize)]
pub(super) struct Place {
    /// The root.
    pub(super) root: String,
    /// What named it.
    pub(super) origin: String,
    /// How the length of the path fits builds without namespaces.
    pub(super) path: &'static str,
    /// Whether programs can not be started from there.
    pub(super) noexec: bool,
    /// Where scratches of builds are made.
    pub(super) scratches: String,
    /// Whether programs can not be started from where scratches are.
    pub(super) scratches_noexec: bool,
    /// The caches below it that are only read, the first one first.
    pub(super) read_only: Vec<String>,
}

/// The Python.
#[derive(Debug, Serialize)]
pub(super) struct Python {
    /// The program.
    pub(super) executable: String,
    /// How it was found.
    pub(super) origin: String,
    /// `cpython 3.11.4`
    pub(super) version: String,
    /// `linux-x86_64`
    pub(super) platform: String,
    /// The C library.
    pub(super) libc: Option<String>,
}

/// The indexes.
#[derive(Debug, Serialize)]
pub(super) struct Index {
    /// In the order asked.
    pub(super) urls: Vec<String>,
    /// Those that are asked for nothing but what is mapped to them: `NAME=URL`.
    pub(super) explicit: Vec<String>,
    /// Projects that are looked for on one index alone, with its name.
    pub(super) mapped: BTreeMap<String, String>,
    /// What named the default one.
    pub(super) default_origin: Option<String>,
    /// Folders and pages of links.
    pub(super) find_links: Vec<String>,
    /// What to know about it.
    pub(super) notes: Vec<String>,
}

/// The jobs of the host.
#[derive(Debug, Serialize)]
pub(super) struct Jobs {
    /// How many at a time, over all runs with this cache, unless one is told more.
    pub(super) at_a_time: usize,
    /// The tools whose jobs count with them.
    pub(super) shared_by: Vec<&'static str>,
    /// Why cargo's do not.
    pub(super) without_cargo: Option<&'static str>,
}

impl Jobs {
    /// Reads what was found out about `make`.
    pub(super) fn of(sharing: Sharing) -> Self {
        let (shared_by, without_cargo) = match sharing {
            Sharing::Both => (vec!["ninja", "cargo"], None),
            Sharing::NinjaAlone => (
                vec!["ninja"],
                Some("`make` here is not GNU make 4.4 or later, to which cargo would hand them on"),
            ),
        };
        Self {
            at_a_time: builder::processors(),
            shared_by,
            without_cargo,
        }
    }
}

impl Findings {
    /// Puts the findings together.
    pub(super) fn new(
        (configuration, cache, host): (Configured, Place, HostFacts),
        isolation: Result<Isolation, Problem>,
        python: Result<Python, Problem>,
        index: Result<Indexes, Problem>,
        (tools, jobs): (Result<Tools, Problem>, Result<Jobs, Problem>),
    ) -> Self {
        let isolation_code = match &isolation {
            Ok(isolation) if isolation.accepted_by_default => None,
            Ok(_) => Some(Code::Isolation),
            Err(problem) => Some(problem.code),
        };
        let python_code = python.as_ref().err().map(|problem| problem.code);
        let index_code = index.as_ref().err().map(|problem| problem.code);
        Self {
            schema: SCHEMA,
            fumehood: env!("CARGO_PKG_VERSION"),
            kernel: kernel(),
            configuration,
            isolation: finding(isolation),
            cache,
            host,
            python: finding(python),
            index: finding(index.map(Index::of)),
            tools: finding(tools),
            jobs: finding(jobs),
            first_problem: isolation_code.or(python_code).or(index_code),
        }
    }

    /// Returns the code of the first finding that would end a build.
    pub(super) fn first_problem(&self) -> Option<Code> {
        self.first_problem
    }
}

fn finding<T>(result: Result<T, Problem>) -> Finding<T> {
    match result {
        Ok(found) => Finding::Found(found),
        Err(problem) => Finding::Failed(FailureEntry::new(None, &problem)),
    }
}

/// Returns the kernel's name, release and architecture.
fn kernel() -> String {
    match nix::sys::utsname::uname() {
        Ok(name) => [name.sysname(), name.release(), name.machine()]
            .map(|part| part.to_string_lossy().into_owned())
            .join(" "),
        Err(_) => "unknown".to_owned(),
    }
}

impl Configured {
    /// Reads which files were read.
    pub(super) fn of(layers: &Layers) -> Self {
        let files = layers.files.iter().map(|file| ConfigurationFile {
            path: file.file.display().to_string(),
            layer: file.layer.word(),
        });
        Self {
            files: files.collect(),
            notes: layers.notes.clone(),
            ceiling: layers.ceiling().map(Ceiling::lines),
        }
    }
}

impl Isolation {
    /// Reads what a worker reported that did nothing but confine itself.
    pub(super) fn of(host: &Host) -> Self {
        let report = &host.report;
        Self {
            level: report.level,
            accepted_by_default: report.level >= Level::Confined,
            reachable: reachable(report.level, report.landlock_abi),
            landlock_abi: report.landlock_abi,
            landlock_errata: report.landlock_errata,
            listener: report.listener,
            namespaces: match host.namespaces {
                Namespaces::None => "none",
                Namespaces::WithUser => "with-user",
                Namespaces::WithoutUser => "without-user",
            },
            without_namespaces: host.without_namespaces.clone(),
            uid: report.uid,
            guarantees: report.guarantees.clone(),
        }
    }
}

/// Returns the levels that a kernel gives that reaches `best` with this Landlock ABI.
fn reachable(best: Level, abi: u32) -> Vec<Level> {
    let mut levels = Vec::new();
    if best == Level::Ns {
        levels.push(Level::Ns);
    }
    if abi >= 6 {
        levels.push(Level::Confined);
    }
    if abi >= 3 {
        levels.push(Level::Reduced);
    }
    if best == Level::Ns || best == Level::NsOnly {
        levels.push(Level::NsOnly);
    }
    levels.push(Level::None);
    levels
}

impl Place {
    /// Reads where the cache is.
    pub(super) fn of(places: &PlaceSettings, cache: &Cache) -> Self {
        Self {
            root: cache.root().display().to_string(),
            origin: places.cache.origin.to_string(),
            path: match cache.path_budget().budget {
                Budget::Fits => "fits",
                Budget::Long => "long",
                Budget::TooLong => "too long",
            },
            noexec: cache.is_noexec(),
            scratches: cache.scratches_in().display().to_string(),
            scratches_noexec: cache.is_scratch_noexec(),
            read_only: cache
                .layers()
                .filter(|layer| !layer.is_writable())
                .map(|layer| layer.root().display().to_string())
                .collect(),
        }
    }
}

impl Python {
    /// Reads what is known of the Python.
    pub(super) fn of(python: &Interpreter) -> Self {
        let facts = &python.facts;
        let (major, minor, patch) = facts.version;
        Self {
            executable: python.found.executable.display().to_string(),
            origin: python.found.origin.clone(),
            version: format!("{} {major}.{minor}.{patch}", facts.implementation),
            platform: facts.platform.clone(),
            libc: facts
                .libc
                .as_ref()
                .map(|(name, major, minor)| format!("{name} {major}.{minor}")),
        }
    }
}

impl Index {
    fn of(indexes: Indexes) -> Self {
        Self {
            urls: indexes.urls.iter().map(ToString::to_string).collect(),
            explicit: indexes.explicit.iter().map(explicit).collect(),
            mapped: indexes
                .mapped
                .iter()
                .map(|(project, mapped)| (project.to_string(), mapped.name.clone()))
                .collect(),
            default_origin: indexes.default.map(|(_, origin)| origin),
            find_links: indexes.find_links.iter().map(ToString::to_string).collect(),
            notes: indexes.notes,
        }
    }
}

/// An explicit index with its name.
fn explicit(index: &index::IndexUrl) -> String {
    format!("{}={index}", index.name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_that_can_be_had_follow_from_the_best_one_and_the_abi() {
        use Level::{Confined, None, Ns, NsOnly, Reduced};
        assert_eq!(reachable(Ns, 7), [Ns, Confined, Reduced, NsOnly, None]);
        assert_eq!(reachable(Ns, 1), [Ns, NsOnly, None]);
        assert_eq!(reachable(Confined, 6), [Confined, Reduced, None]);
        assert_eq!(reachable(Reduced, 4), [Reduced, None]);
        assert_eq!(reachable(NsOnly, 0), [NsOnly, None]);
    }
}
