//! A build that is over under the ceiling that holds now.

use builder::KeptBuild;
use model::Code;
use policies::Policy;

use super::of_settings;
use super::policy::within;
use crate::render::Problem;
use crate::settings::{Ceiling, SettingsError};

/// Who asks, in refusals.
const WHO: &str = "the kept build";

/// Refuses a kept build that was allowed more than the ceiling allows now. Limits are lowered to it.
///
/// # Errors
/// If its policy, a grant or the level that was accepted is beyond.
pub(crate) fn below_the_ceiling(
    kept: &mut KeptBuild,
    policy: &Policy,
    ceiling: Option<&Ceiling>,
) -> Result<(), Problem> {
    let Some(ceiling) = ceiling else {
        return Ok(());
    };
    let unfit = |error: SettingsError| of_settings(&error);
    if let Some(bound) = &ceiling.policies {
        within(policy, &WHO, bound)?;
    }
    let extras = kept
        .extras()
        .map_err(|error| Problem::of(Code::BadPolicy, &error))?;
    for extra in extras {
        let granted = ceiling.grant(&WHO, extra.path.as_path(), extra.access);
        granted.map_err(unfit)?;
    }
    let level = kept.floor().level;
    if let Some(bound) = ceiling.floor.as_ref().filter(|bound| level < bound.value) {
        return Err(unfit(SettingsError::BelowFloor {
            what: format!("{WHO}: the level `{level}`"),
            allowed: bound.value.to_string(),
            place: bound.place.clone(),
        }));
    }
    let limits = &mut kept.limits;
    for (flag, limit) in [
        ("memory", &mut limits.memory_bytes),
        ("processes", &mut limits.processes),
        ("disk", &mut limits.scratch_bytes),
    ] {
        if let Some(bound) = ceiling.limit(flag) {
            *limit = bound.value.min(*limit);
        }
    }
    Ok(())
}
