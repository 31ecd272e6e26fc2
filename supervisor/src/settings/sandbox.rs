//! What the words about the sandbox mean.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::PackageName;
use protocol::{Access, Guarantee, Level};

use super::twin::Twin;
use super::{Ceiling, Layers, Origin, SettingsError, Value, places, words};
use crate::args::SandboxArgs;

/// What builds may touch and use, as asked.
#[derive(Clone)]
pub(crate) struct SandboxSettings {
    /// The names of policies, or files, in the order in which they are heard.
    pub(crate) policies: Vec<Value<String>>,
    /// Grants added to the policy.
    pub(crate) extras: Vec<(PathBuf, Access)>,
    /// Variables handed to builds; the values may be credentials.
    pub(crate) variables: BTreeMap<String, String>,
    /// Declared variables for the builds of single packages.
    pub(crate) package_variables: BTreeMap<PackageName, BTreeMap<String, String>>,
    /// The lowest level.
    pub(crate) floor: Level,
    /// What must be enforced in full.
    pub(crate) require: Vec<Guarantee>,
    /// Notes on wheels are refusals.
    pub(crate) strict_output: bool,
    /// Leave the scratch.
    pub(crate) keep_scratch: bool,
    /// Record what builds open and start.
    pub(crate) trace: bool,
    /// Run a build that failed for no known reason once more with the trace on.
    pub(crate) retrace: bool,
    /// Limits that differ from the policy's.
    pub(crate) limits: LimitSettings,
    /// What nothing exceeds.
    pub(crate) ceiling: Option<Ceiling>,
    /// What is not heard.
    pub(crate) notes: Vec<String>,
}

/// Limits as asked, each in the order in which it is heard; what is not set is the policy's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LimitSettings {
    /// `--timeout`
    pub(crate) wall: Vec<Value<Duration>>,
    /// `--idle-timeout`
    pub(crate) silence: Vec<Value<Duration>>,
    /// `--memory`, bytes
    pub(crate) memory: Vec<Value<u64>>,
    /// `--disk`, bytes
    pub(crate) disk: Vec<Value<u64>>,
    /// `--processes`
    pub(crate) processes: Vec<Value<u64>>,
    /// `--log-limit`, bytes
    pub(crate) log: Vec<Value<u64>>,
}

/// Shows the names of variables only.
impl std::fmt::Debug for SandboxSettings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SandboxSettings")
            .field("policies", &self.policies)
            .field("extras", &self.extras)
            .field("variables", &self.variables.keys())
            .field("floor", &self.floor)
            .finish_non_exhaustive()
    }
}

/// What a build has of its own and nobody else's value may replace.
const OWN: [&str; 6] = ["HOME", "PATH", "TMPDIR", "TMP", "TEMP", "PWD"];

impl SandboxSettings {
    /// Understands the flags; relative paths hang on `directory`.
    ///
    /// # Errors
    /// If a value does not fit, or isolation is asked to be switched off.
    pub(crate) fn new(
        args: &SandboxArgs,
        layers: &Layers,
        directory: &Path,
    ) -> Result<Self, SettingsError> {
        if args.no_build_isolation
            || Twin::new("--no-build-isolation", "FUMEHOOD_NO_BUILD_ISOLATION")
                .switch(false, layers)?
        {
            return Err(SettingsError::NoBuildIsolation);
        }
        let mut notes = Vec::new();
        let declared = variables(&args.allow_env, layers)?;
        let policies = Twin::flag_only("--policy")
            .all(args.policy.as_deref(), layers, |text| Ok(text.to_owned()))?;
        Ok(Self {
            policies: std::iter::once(Value {
                value: "strict".to_owned(),
                origin: Origin::Default,
            })
            .chain(policies)
            .collect(),
            extras: extras(args, layers, directory)?,
            variables: declared.everywhere,
            package_variables: declared.in_packages,
            floor: floor(args, layers, &mut notes)?,
            require: Twin::new("--require", "FUMEHOOD_REQUIRE")
                .every(&args.require, layers, str::parse)?
                .into_iter()
                .map(|value| value.value)
                .collect(),
            strict_output: Twin::new("--strict-output", "FUMEHOOD_STRICT_OUTPUT")
                .demanded(args.strict_output, layers)?,
            keep_scratch: Twin::new("--keep-scratch", "FUMEHOOD_KEEP_SCRATCH")
                .switch(args.keep_scratch, layers)?,
            trace: Twin::new("--trace", "FUMEHOOD_TRACE").switch(args.trace, layers)?,
            retrace: !Twin::new("--no-retrace", "FUMEHOOD_NO_RETRACE")
                .switch(args.no_retrace, layers)?,
            limits: limits(args, layers)?,
            ceiling: layers.ceiling().cloned(),
            notes,
        })
    }
}

/// Returns the lowest level of isolation.
fn floor(
    args: &SandboxArgs,
    layers: &Layers,
    notes: &mut Vec<String>,
) -> Result<Level, SettingsError> {
    let twin = Twin::flag_only("--min-isolation");
    let mut asked = twin.all(args.min_isolation.as_deref(), layers, str::parse)?;
    let typed = |value: &Value<Level>| matches!(value.origin, Origin::Flag(_));
    if let Some(none) = asked
        .iter()
        .find(|value| value.value == Level::None && !typed(value))
    {
        return Err(SettingsError::Unfit {
            origin: none.origin.clone(),
            what: "the level `none` is typed for one run: --min-isolation none".to_owned(),
        });
    }
    asked.insert(
        0,
        Value {
            value: Level::Confined,
            origin: Origin::Default,
        },
    );
    let is_higher = |bound: Option<&Value<Level>>, level: &Level| {
        bound.is_none_or(|bound| *level >= bound.value)
    };
    let floor = twin.narrowed(asked, is_higher, notes)?;
    match (floor, layers.ceiling()) {
        (Some(floor), Some(ceiling)) => Ok(ceiling.floor(floor)?.value),
        (floor, _) => Ok(floor.map_or(Level::Confined, |floor| floor.value)),
    }
}

/// Returns the grants that were typed or written where they may be.
fn extras(
    args: &SandboxArgs,
    layers: &Layers,
    directory: &Path,
) -> Result<Vec<(PathBuf, Access)>, SettingsError> {
    let mut extras = Vec::new();
    for (flag, typed, access) in [
        ("--allow-read", &args.allow_read, Access::Read),
        ("--allow-write", &args.allow_write, Access::ReadWrite),
        ("--allow-exec", &args.allow_exec, Access::ReadExecute),
    ] {
        let paths = Twin::flag_only(flag).every(typed, layers, |text| {
            let path = places::path(text, directory)?;
            // Landlock rules hang on what a path leads to now; the build is told that name.
            path.canonicalize()
                .map_err(|error| format!("`{}`: {error}", path.display()))
        })?;
        for Value { value, origin } in paths {
            if let Some(ceiling) = layers.ceiling() {
                ceiling.grant(&origin, &value, access)?;
            }
            extras.push((value, access));
        }
    }
    Ok(extras)
}

/// Declared variables with their values.
#[derive(Default)]
struct Declared {
    /// For every build.
    everywhere: BTreeMap<String, String>,
    /// For the builds of one package.
    in_packages: BTreeMap<PackageName, BTreeMap<String, String>>,
}

/// Returns the caller's values of the variables that were named. One that a file names and that is
/// not set is not there for builds either.
fn variables(typed: &[String], layers: &Layers) -> Result<Declared, SettingsError> {
    let named = Twin::flag_only("--allow-env").every(typed, layers, |text| {
        let (package, name) = match text.split_once(':') {
            Some((package, name)) => {
                let unfit = || "neither VAR nor PKG:VAR, such as numpy:CFLAGS".to_owned();
                (Some(words::package(package).ok_or_else(unfit)?), name)
            }
            None => (None, text),
        };
        declared(name).map(|()| (package, name.to_owned()))
    })?;
    let mut variables = Declared::default();
    for Value {
        value: (package, name),
        origin,
    } in named
    {
        if let Some(ceiling) = layers.ceiling() {
            ceiling.variable(&Value {
                value: &name,
                origin: origin.clone(),
            })?;
        }
        let unfit = |what| {
            Err(SettingsError::Unfit {
                origin: origin.clone(),
                what,
            })
        };
        match layers.environment.raw(&name).map(OsStr::to_str) {
            Some(Some(value)) => {
                let place = match package {
                    Some(package) => variables.in_packages.entry(package).or_default(),
                    None => &mut variables.everywhere,
                };
                place.insert(name, value.to_owned());
            }
            Some(None) => return unfit(format!("{name} is not UTF-8 text")),
            None if matches!(origin, Origin::Flag(_)) => {
                return unfit(format!("{name} is not set"));
            }
            None => {}
        }
    }
    Ok(variables)
}

/// Checks the name of a variable that is to be handed to builds.
fn declared(name: &str) -> Result<(), String> {
    if name.contains('=') {
        return Err(
            "give the name alone; the value is taken from your environment, where no process list shows it"
                .to_owned(),
        );
    }
    if name.is_empty() || name.contains('\0') {
        return Err("not the name of a variable".to_owned());
    }
    if OWN.contains(&name) {
        return Err(format!("a build has a {name} of its own"));
    }
    Ok(())
}

/// Returns the limits that were asked for.
fn limits(args: &SandboxArgs, layers: &Layers) -> Result<LimitSettings, SettingsError> {
    Ok(LimitSettings {
        wall: Twin::new("--timeout", "FUMEHOOD_TIMEOUT").all(
            args.timeout.as_deref(),
            layers,
            words::span,
        )?,
        silence: Twin::new("--idle-timeout", "FUMEHOOD_IDLE_TIMEOUT").all(
            args.idle_timeout.as_deref(),
            layers,
            words::span,
        )?,
        memory: Twin::new("--memory", "FUMEHOOD_MEMORY").all(
            args.memory.as_deref(),
            layers,
            words::size,
        )?,
        disk: Twin::new("--disk", "FUMEHOOD_DISK").all(
            args.disk.as_deref(),
            layers,
            words::size,
        )?,
        processes: Twin::new("--processes", "FUMEHOOD_PROCESSES").all(
            args.processes.as_deref(),
            layers,
            words::count,
        )?,
        log: Twin::new("--log-limit", "FUMEHOOD_LOG_LIMIT").all(
            args.log_limit.as_deref(),
            layers,
            words::size,
        )?,
    })
}
