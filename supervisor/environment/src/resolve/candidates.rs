//! The list of candidates as the resolver wants it: everything usable, whoever may take it.

use index::{Candidate, Choice, File, choose};
use pep440_rs::{VersionSpecifier, VersionSpecifiers};

/// The most yanked versions that are looked at.
const MAX_YANKED: usize = 1_000;

/// Returns every version with a file that this interpreter may use, newest first, pre-releases and
/// yanked ones included: what [`super::Provider::candidates`] is to answer.
///
/// `choice.specifiers` and `choice.pre` are not looked at.
#[must_use]
pub fn all_candidates(files: &[File], choice: &Choice<'_>) -> Vec<Candidate> {
    let any = VersionSpecifiers::empty();
    let wide = Choice {
        specifiers: &any,
        pre: true,
        ..choice.clone()
    };
    let mut all = choose(files, &wide);
    let mut yanked: Vec<_> = files
        .iter()
        .filter(|file| file.name() == choice.name && file.yanked.is_some())
        .map(File::version)
        .collect();
    yanked.sort_unstable();
    yanked.dedup();
    yanked.retain(|version| all.iter().all(|known| known.version != **version));
    for version in yanked.into_iter().rev().take(MAX_YANKED) {
        // A pin is what makes a yanked version a choice.
        let pin = VersionSpecifiers::from(VersionSpecifier::equals_version(version.clone()));
        let pinned = Choice {
            specifiers: &pin,
            ..wide.clone()
        };
        let found = choose(files, &pinned);
        all.extend(found.into_iter().filter(|one| one.version == *version));
    }
    all.sort_by(|a, b| b.version.cmp(&a.version));
    all
}
