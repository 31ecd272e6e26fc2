//! Which hook comes next, from what the last one returned.

use std::sync::{Mutex, PoisonError};

use protocol::{Hook, HookCall, HookReturn};

use super::equip::Equipment;
use super::requirements;
use crate::executor::Dialogue;
use crate::hook::{HookOutcome, HookRequest, call, read};
use crate::settings::Settings;

/// After `get_requires_for_build_wheel`, `build_wheel` if the environment holds what it asked for; otherwise the
/// worker ends and another environment is made.
pub(super) fn dialogue(
    request: &HookRequest,
    equipment: &Equipment,
    first: Hook,
    settings: &Settings,
    announce: impl FnMut(Hook) + Send + 'static,
) -> Dialogue {
    let request = request.clone();
    let environment = equipment.environment.clone();
    let markers = settings.facts.markers.clone();
    let urls = settings.allow_url_build_requires;
    let announce = Mutex::new(announce);
    Box::new(move |last: Option<&HookReturn>| -> Option<HookCall> {
        let next = match last {
            None => first,
            Some(returned) if returned.hook == Hook::GetRequiresForBuildWheel => {
                let asked = match read(returned) {
                    HookOutcome::List(asked) => asked,
                    HookOutcome::NoHook => Vec::new(),
                    _ => return None,
                };
                let more = requirements::read(&asked, "get_requires_for_build_wheel", urls).ok()?;
                let there = |one| requirements::satisfied(one, &environment, &markers);
                if !more.iter().all(there) {
                    return None;
                }
                Hook::BuildWheel
            }
            Some(_) => return None,
        };
        announce.lock().unwrap_or_else(PoisonError::into_inner)(next);
        Some(call(next, &request))
    })
}
