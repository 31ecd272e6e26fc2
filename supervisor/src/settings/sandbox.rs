//! What the words about the sandbox mean.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::{Access, Guarantee, Level};

use super::origin::Twin;
use super::{Environment, Origin, SettingsError, Value, places, words};
use crate::args::SandboxArgs;

/// What builds may touch and use, as asked.
#[derive(Clone)]
pub(crate) struct SandboxSettings {
    /// The name of a policy, or a file.
    pub(crate) policy: Value<String>,
    /// Grants added to the policy.
    pub(crate) extras: Vec<(PathBuf, Access)>,
    /// Variables handed to builds; the values may be credentials.
    pub(crate) variables: BTreeMap<String, String>,
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
}

/// Limits as asked; what is not set is the policy's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LimitSettings {
    /// `--timeout`
    pub(crate) wall: Option<Value<Duration>>,
    /// `--idle-timeout`
    pub(crate) silence: Option<Value<Duration>>,
    /// `--memory`, bytes
    pub(crate) memory: Option<Value<u64>>,
    /// `--disk`, bytes
    pub(crate) disk: Option<Value<u64>>,
    /// `--processes`
    pub(crate) processes: Option<Value<u64>>,
    /// `--log-limit`, bytes
    pub(crate) log: Option<Value<u64>>,
}

/// Shows the names of variables only.
impl std::fmt::Debug for SandboxSettings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("SandboxSettings")
            .field("policy", &self.policy)
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
        environment: &Environment,
        directory: &Path,
    ) -> Result<Self, SettingsError> {
        if args.no_build_isolation
            || Twin::new("--no-build-isolation", "FUMEHOOD_NO_BUILD_ISOLATION")
                .switch(false, environment)?
        {
            return Err(SettingsError::NoBuildIsolation);
        }
        let policy =
            Twin::flag_only("--policy").one(args.policy.as_deref(), environment, |text| {
                Ok(text.to_owned())
            })?;
        let floor = Twin::flag_only("--min-isolation").one(
            args.min_isolation.as_deref(),
            environment,
            str::parse,
        )?;
        Ok(Self {
            policy: policy.unwrap_or_else(|| Value {
                value: "strict".to_owned(),
                origin: Origin::Default,
            }),
            extras: extras(args, environment, directory)?,
            variables: variables(&args.allow_env, environment)?,
            floor: floor.map_or(Level::Confined, |value| value.value),
            require: Twin::new("--require", "FUMEHOOD_REQUIRE").many(
                &args.require,
                environment,
                str::parse,
            )?,
            strict_output: Twin::new("--strict-output", "FUMEHOOD_STRICT_OUTPUT")
                .switch(args.strict_output, environment)?,
            keep_scratch: Twin::new("--keep-scratch", "FUMEHOOD_KEEP_SCRATCH")
                .switch(args.keep_scratch, environment)?,
            trace: Twin::new("--trace", "FUMEHOOD_TRACE").switch(args.trace, environment)?,
            retrace: !Twin::new("--no-retrace", "FUMEHOOD_NO_RETRACE")
                .switch(args.no_retrace, environment)?,
            limits: limits(args, environment)?,
        })
    }
}

/// Returns the grants that were typed.
fn extras(
    args: &SandboxArgs,
    environment: &Environment,
    directory: &Path,
) -> Result<Vec<(PathBuf, Access)>, SettingsError> {
    let mut extras = Vec::new();
    for (flag, typed, access) in [
        ("--allow-read", &args.allow_read, Access::Read),
        ("--allow-write", &args.allow_write, Access::ReadWrite),
        ("--allow-exec", &args.allow_exec, Access::ReadExecute),
    ] {
        let paths = Twin::flag_only(flag).many(typed, environment, |text| {
            let path = places::path(text, directory)?;
            // Landlock rules hang on what a path leads to now; the build is told that name.
            path.canonicalize()
                .map_err(|error| format!("`{}`: {error}", path.display()))
        })?;
        extras.extend(paths.into_iter().map(|path| (path, access)));
    }
    Ok(extras)
}

/// Returns the caller's values of the variables that were named.
fn variables(
    typed: &[String],
    environment: &Environment,
) -> Result<BTreeMap<String, String>, SettingsError> {
    let unfit = |what| SettingsError::Unfit {
        origin: Origin::Flag("--allow-env"),
        what,
    };
    let mut variables = BTreeMap::new();
    for name in typed {
        if name.contains('=') {
            return Err(unfit(
                "give the name alone; the value is taken from your environment, where no process list shows it"
                    .to_owned(),
            ));
        }
        if name.is_empty() || name.contains('\0') {
            return Err(unfit("not the name of a variable".to_owned()));
        }
        if OWN.contains(&name.as_str()) {
            return Err(unfit(format!("a build has a {name} of its own")));
        }
        let value = environment
            .raw(name)
            .ok_or_else(|| unfit(format!("{name} is not set")))?
            .to_str()
            .ok_or_else(|| unfit(format!("{name} is not UTF-8 text")))?;
        variables.insert(name.clone(), value.to_owned());
    }
    Ok(variables)
}

/// Returns the limits that were asked for.
fn limits(args: &SandboxArgs, environment: &Environment) -> Result<LimitSettings, SettingsError> {
    Ok(LimitSettings {
        wall: Twin::new("--timeout", "FUMEHOOD_TIMEOUT").one(
            args.timeout.as_deref(),
            environment,
            words::span,
        )?,
        silence: Twin::new("--idle-timeout", "FUMEHOOD_IDLE_TIMEOUT").one(
            args.idle_timeout.as_deref(),
            environment,
            words::span,
        )?,
        memory: Twin::new("--memory", "FUMEHOOD_MEMORY").one(
            args.memory.as_deref(),
            environment,
            words::size,
        )?,
        disk: Twin::new("--disk", "FUMEHOOD_DISK").one(
            args.disk.as_deref(),
            environment,
            words::size,
        )?,
        processes: Twin::new("--processes", "FUMEHOOD_PROCESSES").one(
            args.processes.as_deref(),
            environment,
            words::count,
        )?,
        log: Twin::new("--log-limit", "FUMEHOOD_LOG_LIMIT").one(
            args.log_limit.as_deref(),
            environment,
            words::size,
        )?,
    })
}
