//! Which hook comes next, from what the last one returned.

use std::sync::{Mutex, PoisonError};

use protocol::{Hook, HookCall, HookReturn};

use super::equip::Equipment;
use super::requirements::{self, Urls};
use crate::executor::Dialogue;
use crate::hook::{Goal, HookOutcome, HookRequest, call, read};
use crate::settings::Settings;

/// After the hook that asks for requirements, the one that does the work, if the environment holds what was
/// asked for; otherwise the worker ends and another environment is made.
pub(super) fn dialogue(
    request: &HookRequest,
    equipment: &Equipment,
    first: Hook,
    settings: &Settings,
    announce: impl FnMut(Hook) + Send + 'static,
) -> Dialogue {
    let (request, goal) = (request.clone(), request.goal);
    let environment = equipment.environment.clone();
    let markers = settings.facts.markers.clone();
    let urls = Urls::of(settings);
    let announce = Mutex::new(announce);
    Box::new(move |last: Option<&HookReturn>| -> Option<HookCall> {
        let next = match last {
            None => first,
            Some(_) if goal == Goal::Requirements => return None,
            Some(returned) if returned.hook == goal.first() => {
                let asked = match read(returned) {
                    HookOutcome::List(asked) => asked,
                    HookOutcome::NoHook => Vec::new(),
                    _ => return None,
                };
                let more = requirements::read(&asked, goal.first().name(), &urls).ok()?;
                let there = |one| requirements::satisfied(one, &environment, &markers);
                if !more.iter().all(there) {
                    return None;
                }
                goal.second()
            }
            Some(returned) => goal.instead(returned)?,
        };
        announce.lock().unwrap_or_else(PoisonError::into_inner)(next);
        Some(call(next, &request))
    })
}
