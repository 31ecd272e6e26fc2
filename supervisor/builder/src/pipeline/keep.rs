//! Scratches that are kept: left where they are, with the way back into them.

use std::path::Path;

use cache::Scratch;

use super::corridor::Pipeline;
use crate::build_id::BuildId;
use crate::jobs::Fifo;
use crate::kept_build::{self, Confined, KeptBuild};
use crate::watch::{BuildEvent, Watcher};

impl Pipeline {
    /// Leaves a scratch for somebody to look at, if that was asked for.
    pub(super) fn keep(&self, scratch: Scratch, build: &BuildId, label: &str) {
        if self.settings.keep_scratch {
            let root = self.settings.cache.root();
            keep(scratch, root, (build, label), self.watcher.as_ref());
        }
    }

    /// Writes down what a build is confined by, if its scratch is to be kept. No build fails of it.
    pub(super) fn note_confinement(&self, build: &BuildId, confined: &Confined<'_>) {
        if self.settings.keep_scratch
            && let Err(error) = KeptBuild::write(&self.settings, build, confined)
        {
            tracing::warn!(%error, "the kept scratch can not be entered again");
        }
    }
}

/// Leaves a scratch where it is, and says where that is and how to enter it.
pub(super) fn keep(
    scratch: Scratch,
    root: &Path,
    (build, label): (&BuildId, &str),
    watcher: &dyn Watcher,
) {
    Fifo::take_out(scratch.dir());
    let place = scratch.keep();
    let command = kept_build::command(build.name(), root);
    for text in [
        format!("the scratch is kept: {}", place.display()),
        format!("to enter it, confined as the build was: {command}"),
    ] {
        let label = label.to_owned();
        watcher.event(&BuildEvent::Note { label, text });
    }
}
