//! The policy, and what flags add to it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;

use builder::Overrides;
use model::{Code, PythonFacts};
use policies::{Compiled, Extra, Places, Policy};
use protocol::AbsPath;

use crate::render::Problem;
use crate::settings::{Environment, LimitSettings, Origin, SandboxSettings, Value};

/// Bytes of a policy file that are read; one more than any policy may have shows it is too large.
const MAX_POLICY: u64 = 1024 * 1024;

/// Returns the policy of that name, or reads the file.
///
/// A plain word is always a name: a file called `strict` in the working directory must not stand in
/// for the policy. A file is named with a `/` or with `.toml`.
///
/// # Errors
/// If there is neither, or the file is no policy.
pub(crate) fn policy(named: &str) -> Result<Policy, Problem> {
    if let Some(policy) = Policy::builtin(named) {
        return Ok(policy);
    }
    if !named.contains('/') && !named.ends_with(".toml") {
        return Err(
            Problem::new(Code::BadPolicy, format!("there is no policy `{named}`"))
                .why("a plain word is the name of a policy; a file is written with a `/`, or ends in .toml")
                .fix(format!(
                    "one of {}, or a file such as ./{named}",
                    Policy::names().join(", ")
                )),
        );
    }
    let mut text = String::new();
    File::open(named)
        .and_then(|file| file.take(MAX_POLICY).read_to_string(&mut text))
        .map_err(|error| {
            Problem::new(
                Code::BadPolicy,
                format!("could not read the policy `{named}`"),
            )
            .why(error.to_string())
        })?;
    Policy::parse(&text, named).map_err(|error| Problem::of(Code::BadPolicy, &error))
}

/// Returns the grants that were typed.
///
/// # Errors
/// If a path is longer than the kernel takes.
pub(crate) fn extras(settings: &SandboxSettings) -> Result<Vec<Extra>, Problem> {
    settings
        .extras
        .iter()
        .map(|(path, access)| {
            let path = AbsPath::new(path).map_err(|error| Problem::of(Code::BadFlag, &error))?;
            Ok(Extra {
                path,
                access: *access,
            })
        })
        .collect()
}

/// Returns the limits that differ from the policy's.
///
/// # Errors
/// If a variable would raise one: that is for flags alone.
pub(crate) fn overrides(limits: &LimitSettings, policy: &Policy) -> Result<Overrides, Problem> {
    let of = policy.limits();
    let [wall, silence] = [&limits.wall, &limits.silence].map(|span| {
        span.as_ref().map(|span| Value {
            value: u64::try_from(span.value.as_millis()).unwrap_or(u64::MAX),
            origin: span.origin,
        })
    });
    Ok(Overrides {
        wall_ms: lowered(wall.as_ref(), of.wall_ms, "--timeout")?,
        silence_ms: lowered(silence.as_ref(), of.silence_ms, "--idle-timeout")?,
        memory_bytes: lowered(limits.memory.as_ref(), of.memory_bytes, "--memory")?,
        processes: lowered(limits.processes.as_ref(), of.processes, "--processes")?,
        scratch_bytes: lowered(limits.disk.as_ref(), of.scratch_bytes, "--disk")?,
        log_bytes: lowered(limits.log.as_ref(), of.log_bytes, "--log-limit")?,
    })
}

/// Returns the caller's values of the variables that the policy passes on; what is not set is not
/// there for builds either.
///
/// # Errors
/// If the policy does not fit this machine.
pub(crate) fn passed(
    policy: &Policy,
    facts: &PythonFacts,
    environment: &Environment,
) -> Result<BTreeMap<String, String>, Problem> {
    let compiled = compile(policy, facts)?;
    Ok(compiled
        .passed
        .into_iter()
        .filter_map(|name| {
            let value = environment.raw(&name)?.to_str()?.to_owned();
            Some((name, value))
        })
        .collect())
}

/// Compiles a policy for this machine and Python, without a build environment.
pub(super) fn compile(policy: &Policy, facts: &PythonFacts) -> Result<Compiled, Problem> {
    let unfit = |error| Problem::of(Code::BadPolicy, &error);
    let interpreter = [
        &facts.executable,
        &facts.base_prefix,
        &facts.base_exec_prefix,
    ]
    .into_iter()
    .chain(&facts.library_folders)
    .map(|path| AbsPath::new(path).map_err(|error| Problem::of(Code::BadInterpreter, &error)))
    .collect::<Result<_, _>>()?;
    let places = Places {
        interpreter,
        environment: None,
        exists: &|path| path.exists(),
    };
    policy.compile(&places, &[]).map_err(unfit)
}

/// Returns the value, if it was typed or is not above the policy's.
fn lowered(asked: Option<&Value<u64>>, policy: u64, flag: &str) -> Result<Option<u64>, Problem> {
    match asked {
        Some(asked) if asked.value > policy && matches!(asked.origin, Origin::Variable(_)) => {
            Err(Problem::new(
                Code::BadFlag,
                format!("{} would raise a limit of the policy", asked.origin),
            )
            .why("a variable may lower limits; what widens is typed for one run")
            .fix(format!("use {flag}")))
        }
        asked => Ok(asked.map(|asked| asked.value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(value: u64, origin: Origin) -> Result<Option<u64>, Problem> {
        let limits = LimitSettings {
            memory: Some(Value { value, origin }),
            ..LimitSettings::default()
        };
        let policy = policy("strict")?;
        overrides(&limits, &policy).map(|overrides| overrides.memory_bytes)
    }

    #[test]
    fn a_variable_may_lower_a_limit_and_only_a_flag_may_raise_it() {
        let most = policy("strict").unwrap().limits().memory_bytes;
        let variable = Origin::Variable("FUMEHOOD_MEMORY");
        assert_eq!(memory(most, variable), Ok(Some(most)));
        let problem = memory(most + 1, variable).unwrap_err();
        assert_eq!(problem.code, Code::BadFlag);
        assert_eq!(problem.hint.as_deref(), Some("use --memory"));
        assert_eq!(
            memory(most + 1, Origin::Flag("--memory")),
            Ok(Some(most + 1))
        );
    }

    #[test]
    fn a_plain_word_is_never_a_file() {
        let problem = policy("Cargo").unwrap_err();
        assert_eq!(problem.code, Code::BadPolicy);
        assert!(problem.hint.is_some_and(|hint| hint.contains("strict")));
    }

    #[test]
    fn the_policies_in_the_documentation_are_some() {
        let page = include_str!("../../../docs/policies.md");
        let blocks = page.split("```toml\n").skip(1);
        let policies = blocks.map(|block| {
            let text = block.split("```").next().unwrap();
            Policy::parse(text, "docs/policies.md").unwrap()
        });
        let extended: Vec<_> = policies
            .map(|policy| policy.extends().unwrap().to_owned())
            .collect();
        assert_eq!(extended, ["native", "strict"]);
    }
}
