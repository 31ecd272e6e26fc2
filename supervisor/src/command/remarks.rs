//! What is worth knowing about a wheel that is ready: said, never an error.

use builder::{DECOY_PRINTED, DECOY_READ, Sdist, Wheel};
use protocol::Denial;

use crate::render::Talk;

/// Says what its build was refused or touched, and what is odd about it.
pub(super) fn of(wheel: &Wheel, talk: &Talk) {
    let label = format!("{} {}", wheel.name, wheel.version);
    say(&label, &wheel.denials, &wheel.notes, talk);
}

/// Says the same of an sdist.
pub(super) fn of_sdist(sdist: &Sdist, talk: &Talk) {
    say(&sdist.filename, &sdist.denials, &sdist.notes, talk);
}

/// Says what code was refused or touched, and what is odd about what it made.
pub(super) fn say(label: &str, denials: &[Denial], notes: &[String], talk: &Talk) {
    for denial in denials {
        let what = match denial.what.as_str() {
            DECOY_READ | DECOY_PRINTED => "its build touched a decoy",
            _ => "refused to its build",
        };
        talk.note(&format!(
            "{label}: {what}: {} {} ({} times)",
            denial.what, denial.target, denial.count
        ));
    }
    for note in notes {
        talk.note(&format!("{label}: {note}"));
    }
}
