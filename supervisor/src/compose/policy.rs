//! The policy, and what flags add to it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;

use builder::Overrides;
use model::{Code, PythonFacts};
use policies::{Compiled, Extra, Places, Policy};
use protocol::AbsPath;

use super::of_settings;
use crate::render::Problem;
use crate::settings::{
    Bound, Ceiling, Environment, LimitSettings, SandboxSettings, Twin, Value, amount, exceeds,
};

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

/// Returns the policy that holds: of those who may widen, the last one's; then whatever is narrower.
/// Notes what is not heard.
///
/// # Errors
/// If one can not be read, or it allows more than the system's ceiling.
pub(crate) fn chosen(
    settings: &SandboxSettings,
    notes: &mut Vec<String>,
) -> Result<Policy, Problem> {
    let asked = &settings.policies;
    let free = asked.iter().rposition(|named| named.origin.widens());
    let (first, others) = match free.and_then(|at| asked[at..].split_first()) {
        Some(found) => found,
        None => return policy("strict"),
    };
    let (mut origin, mut held) = (&first.origin, policy(&first.value)?);
    for named in others {
        let narrower = policy(&named.value)?;
        match narrower.narrower(&held) {
            Ok(()) => (origin, held) = (&named.origin, narrower),
            Err(wider) => notes.push(format!(
                "{}: `policy` is not heard, because this file may only narrow: {wider}",
                named.origin
            )),
        }
    }
    if let Some(bound) = settings
        .ceiling
        .as_ref()
        .and_then(|it| it.policies.as_ref())
    {
        within(&held, origin, bound)?;
    }
    Ok(held)
}

/// Refuses a policy that allows more than each of those that the system allows.
pub(super) fn within(
    held: &Policy,
    origin: &dyn std::fmt::Display,
    bound: &Bound<Vec<String>>,
) -> Result<(), Problem> {
    for allowed in &bound.value {
        if held.narrower(&policy(allowed)?).is_ok() {
            return Ok(());
        }
    }
    let what = format!("{origin}: the policy `{}`", held.name());
    Err(of_settings(&exceeds(what, &bound.value, &bound.place)))
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

/// Returns the limits that differ from the policy's. Notes what is not heard.
///
/// # Errors
/// If a variable would raise one, which is for flags and the user's own file, or one that was asked
/// for is above the system's ceiling.
pub(crate) fn overrides(
    limits: &LimitSettings,
    policy: &Policy,
    ceiling: Option<&Ceiling>,
    notes: &mut Vec<String>,
) -> Result<Overrides, Problem> {
    let of = policy.limits();
    let [wall, silence] = [&limits.wall, &limits.silence].map(|spans| {
        let spans = spans.iter().map(|span| Value {
            value: u64::try_from(span.value.as_millis()).unwrap_or(u64::MAX),
            origin: span.origin.clone(),
        });
        spans.collect::<Vec<_>>()
    });
    let mut limit = |flag: &'static str, asked: &[Value<u64>], policy| {
        let bound = ceiling.and_then(|ceiling| ceiling.limit(flag));
        limit(flag, asked, policy, bound, notes)
    };
    Ok(Overrides {
        wall_ms: limit("--timeout", &wall, of.wall_ms)?,
        silence_ms: limit("--idle-timeout", &silence, of.silence_ms)?,
        memory_bytes: limit("--memory", &limits.memory, of.memory_bytes)?,
        processes: limit("--processes", &limits.processes, of.processes)?,
        scratch_bytes: limit("--disk", &limits.disk, of.scratch_bytes)?,
        log_bytes: limit("--log-limit", &limits.log, of.log_bytes)?,
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

/// Returns the limit, if it is another than the policy's. What nobody asked for is lowered to the
/// ceiling; what somebody asked for is not changed behind their back.
fn limit(
    flag: &'static str,
    asked: &[Value<u64>],
    policy: u64,
    ceiling: Option<&Bound<u64>>,
    notes: &mut Vec<String>,
) -> Result<Option<u64>, Problem> {
    let is_lower = |bound: Option<&Value<u64>>, value: &u64| {
        *value <= bound.map_or(policy, |bound| bound.value)
    };
    let held = Twin::flag_only(flag)
        .narrowed(asked.to_vec(), is_lower, notes)
        .map_err(|error| of_settings(&error))?;
    match (held, ceiling) {
        (Some(held), Some(ceiling)) if held.value > ceiling.value => {
            let what = format!("{}: `{}`", held.origin, flag.trim_start_matches('-'));
            let most = [format!("at most {}", amount(flag, ceiling.value))];
            Err(of_settings(&exceeds(what, most, &ceiling.place)))
        }
        (None, Some(ceiling)) if policy > ceiling.value => Ok(Some(ceiling.value)),
        (held, _) => Ok(held.map(|held| held.value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Origin;

    fn memory(value: u64, origin: Origin) -> Result<Option<u64>, Problem> {
        let limits = LimitSettings {
            memory: vec![Value { value, origin }],
            ..LimitSettings::default()
        };
        let policy = policy("strict")?;
        overrides(&limits, &policy, None, &mut Vec::new()).map(|overrides| overrides.memory_bytes)
    }

    #[test]
    fn a_variable_may_lower_a_limit_and_only_a_flag_may_raise_it() {
        let most = policy("strict").unwrap().limits().memory_bytes;
        let variable = Origin::Variable("FUMEHOOD_MEMORY");
        assert_eq!(memory(most, variable.clone()), Ok(Some(most)));
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
