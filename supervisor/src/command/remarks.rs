//! What is worth knowing about a wheel that is ready: said, never an error.

use builder::{DECOY_PRINTED, DECOY_READ, Wheel};

use crate::render::Talk;

/// Says what its build was refused or touched, and what is odd about it.
pub(super) fn of(wheel: &Wheel, talk: &Talk) {
    let label = format!("{} {}", wheel.name, wheel.version);
    for denial in &wheel.denials {
        let what = match denial.what.as_str() {
            DECOY_READ | DECOY_PRINTED => "its build touched a decoy",
            _ => "refused to its build",
        };
        talk.note(&format!(
            "{label}: {what}: {} {} ({} times)",
            denial.what, denial.target, denial.count
        ));
    }
    for note in &wheel.notes {
        talk.note(&format!("{label}: {note}"));
    }
}
