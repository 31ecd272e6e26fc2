//! Everything a pipeline works with. Nothing here is global; a daemon has one of these a tenant.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cache::Cache;
use environment::Found;
use index::{FindLinks, FormatControl, IndexUrl, Mapped};
use jiff::Timestamp;
use model::{
    ConfigSettings, PackageName, PythonFacts, Requirement, Sha256, SourceId, TagSet, Version,
    VersionOrUrl,
};
use policies::{Extra, OffLimits, Policy};
use protocol::Limits;

use crate::approval::Approval;
use crate::executor::Floor;
use crate::hash_book::HashBook;
use crate::local::LocalExecutor;
use crate::match_runtime::MatchRuntime;
use crate::redact::Redactor;

/// Limits that the caller set; the policy's stand where one is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Wall clock of one build, in milliseconds.
    pub wall_ms: Option<u64>,
    /// Time without output, in milliseconds.
    pub silence_ms: Option<u64>,
    /// Bytes of memory of all processes together.
    pub memory_bytes: Option<u64>,
    /// Processes.
    pub processes: Option<u64>,
    /// Bytes of the scratch.
    pub scratch_bytes: Option<u64>,
    /// Bytes of the log.
    pub log_bytes: Option<u64>,
}

impl Overrides {
    /// Puts them over a policy's limits.
    #[must_use]
    pub fn over(&self, limits: &Limits) -> Limits {
        Limits {
            wall_ms: self.wall_ms.unwrap_or(limits.wall_ms),
            silence_ms: self.silence_ms.unwrap_or(limits.silence_ms),
            memory_bytes: self.memory_bytes.unwrap_or(limits.memory_bytes),
            processes: self.processes.unwrap_or(limits.processes),
            scratch_bytes: self.scratch_bytes.unwrap_or(limits.scratch_bytes),
            log_bytes: self.log_bytes.unwrap_or(limits.log_bytes),
            ..limits.clone()
        }
    }
}

/// A project that is there already, so that no wheel of it is needed.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Its version.
    pub version: Version,
    /// What it says about itself.
    pub metadata: environment::Metadata,
}

/// What a pipeline works with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where everything is kept.
    pub cache: Cache,
    /// The client of indexes.
    pub client: index::Client,
    /// The indexes, in order; the first that knows a project is the one for it.
    pub indexes: Vec<IndexUrl>,
    /// Projects that are looked for on one index alone: on none of `indexes` besides, and not in further files.
    pub mapped: BTreeMap<PackageName, Mapped>,
    /// Folders and pages with further files.
    pub find_links: Vec<FindLinks>,
    /// The interpreter that wheels are built for.
    pub found: Found,
    /// Its answers.
    pub facts: PythonFacts,
    /// The tags of wheels that it takes, from the same answers.
    pub tags: Arc<TagSet>,
    /// What a build may touch.
    pub policy: Policy,
    /// Grants from the command line.
    pub extras: Vec<Extra>,
    /// Grants that were approved for single sources.
    pub approvals: Vec<Approval>,
    /// Grants to single sources, by their bytes, that nobody approved yet.
    pub on_trial: Vec<(Sha256, Extra)>,
    /// What no proposed grant may reach.
    pub off_limits: OffLimits,
    /// Whether builds are traced, and their results kept by nobody.
    pub trace: bool,
    /// Whether a build that failed for no known reason is run once more with the trace on.
    pub retrace: bool,
    /// Declared variables: names and values that builds see.
    pub variables: BTreeMap<String, String>,
    /// Declared variables that only the builds of one package see.
    pub package_variables: BTreeMap<PackageName, BTreeMap<String, String>>,
    /// The least isolation that is accepted.
    pub floor: Floor,
    /// Limits from the command line.
    pub limits: Overrides,
    /// Settings for every hook.
    pub config_settings: ConfigSettings,
    /// Settings for the hooks of one package; they win over those for every hook.
    pub package_settings: BTreeMap<PackageName, ConfigSettings>,
    /// Narrow what is chosen for what was asked for and all it needs.
    pub constraints: Vec<Requirement>,
    /// Hashes of what is asked for, and of what that depends on.
    pub hashes: HashBook,
    /// What is installed where the wheels are to go: preferred where it satisfies.
    pub installed: BTreeMap<PackageName, Installed>,
    /// Narrow what build requirements resolve to.
    pub build_constraints: Vec<Requirement>,
    /// Hashes of build requirements.
    pub build_hashes: HashBook,
    /// Further build requirements for a project.
    pub extra_build_deps: BTreeMap<PackageName, Vec<Requirement>>,
    /// Those whose version is the one that is chosen for the run time.
    pub match_runtime: MatchRuntime,
    /// Whether build requirements that come from a package may name URLs.
    pub allow_url_build_requires: bool,
    /// Which of wheel and sdist may be taken for which project.
    pub formats: FormatControl,
    /// Files that were uploaded later do not exist.
    pub exclude_newer: Option<Timestamp>,
    /// Whether pre-releases are taken.
    pub pre: bool,
    /// Whether an older version with a wheel comes before a newer one without.
    pub prefer_binary: bool,
    /// Builds at a time.
    pub jobs: usize,
    /// Whether scratches are kept for somebody to look at.
    pub keep_scratch: bool,
    /// Where wheels go; never packed with a directory that is built.
    pub out_dir: PathBuf,
    /// `SOURCE_DATE_EPOCH` for builds, in seconds.
    pub source_date_epoch: Option<u64>,
    /// Whether oddities of a wheel are errors.
    pub strict_output: bool,
    /// The folder with the caller's keys and known hosts, for repositories behind ssh.
    pub ssh_folder: Option<PathBuf>,
    /// Runs the workers.
    pub executor: Arc<LocalExecutor>,
    /// How long a lock of another process is waited for.
    pub lock_timeout: Duration,
    /// Whether what another process makes is made beside it, without waiting.
    pub force: bool,
}

impl Settings {
    /// Whether what is installed satisfies a requirement by itself.
    #[must_use]
    pub fn satisfies(&self, requirement: &Requirement) -> bool {
        let Some(installed) = self.installed.get(&requirement.name) else {
            return false;
        };
        match &requirement.version_or_url {
            None => true,
            Some(VersionOrUrl::VersionSpecifier(wanted)) => wanted.contains(&installed.version),
            Some(VersionOrUrl::Url(_)) => false,
        }
    }

    /// Grants builds of the source of these bytes more, for as long as the settings live.
    pub fn more_for(&mut self, source: Sha256, grants: impl Iterator<Item = Extra>) {
        let grants = grants.map(|grant| (source, grant));
        self.on_trial.extend(grants);
    }

    /// Whether anything is said of single packages.
    #[must_use]
    pub fn speaks_of_packages(&self) -> bool {
        !(self.package_settings.is_empty()
            && self.package_variables.is_empty()
            && self.extra_build_deps.is_empty()
            && self.match_runtime.wanted.is_empty())
    }

    /// Returns the settings for the hooks of a package, as far as it is known which that is.
    #[must_use]
    pub fn config_settings_of(&self, name: Option<&PackageName>) -> ConfigSettings {
        let own = name.and_then(|name| self.package_settings.get(name));
        own.map_or_else(
            || self.config_settings.clone(),
            |own| self.config_settings.under(own),
        )
    }

    /// Returns the declared variables for builds of a package.
    #[must_use]
    pub fn variables_of(&self, name: Option<&PackageName>) -> BTreeMap<String, String> {
        let mut variables = self.variables.clone();
        let own = name.and_then(|name| self.package_variables.get(name));
        variables.extend(
            own.into_iter()
                .flatten()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        variables
    }

    /// Returns what takes the values of all declared variables out of text.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        let packages = self.package_variables.values().flat_map(BTreeMap::values);
        Redactor::of(self.variables.values().chain(packages))
    }

    /// Returns the grants that builds of `source` get beyond the policy: those of the command line, and those
    /// that were approved for exactly these bytes.
    #[must_use]
    pub fn extras_of(&self, source: &SourceId) -> Vec<Extra> {
        let approved = self.approvals.iter();
        let approved = approved.filter(|approval| approval.source == source.digest.sha256);
        let mut extras = self.extras.clone();
        extras.extend(approved.map(|approval| approval.grant.clone()));
        let on_trial = self.on_trial.iter();
        let on_trial = on_trial.filter(|(bytes, _)| *bytes == source.digest.sha256);
        extras.extend(on_trial.map(|(_, grant)| grant.clone()));
        extras.sort();
        extras.dedup();
        extras
    }
}
