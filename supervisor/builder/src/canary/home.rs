//! The home of one build: its decoys, laid before the build begins, and what became of them.

use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, chown, fchown};
use std::path::Path;

use protocol::Denial;

use super::watch::Watch;
use super::{DECOY_PRINTED, DECOY_READ, Token, decoy};
use crate::executor::Evidence;
use crate::left_out::{Layer, stands};
use crate::redact::Redactor;

/// What stands in the place of a token.
const INSTEAD: &str = "[decoy]";

/// The decoys of one build.
#[derive(Debug)]
pub(crate) struct Home {
    token: Token,
    watch: Option<Watch>,
    redactor: Redactor,
}

impl Home {
    /// Lays the decoys into an empty room that nobody else can reach yet, as files of `uid` if the
    /// build has one of its own. Watches that the kernel does not give are no reason to fail.
    pub(crate) fn lay(room: &Path, uid: Option<u32>, hidden: Redactor) -> io::Result<Self> {
        let token = Token::new()?;
        for decoy in &decoy::ALL {
            make_folders(room, decoy.path, uid)?;
            write(&room.join(decoy.path), &(decoy.text)(&token), uid)?;
        }
        let places = decoy::ALL.iter().map(|decoy| room.join(decoy.path));
        let watch = Watch::over(places)
            .inspect_err(|errno| tracing::warn!(%errno, "decoys are not watched"))
            .ok()
            .filter(|_| stands(Layer::Watch));
        let redactor = hidden.and_mark(token.text(), INSTEAD);
        Ok(Self {
            token,
            watch,
            redactor,
        })
    }

    /// Returns what marks the decoys.
    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    /// Whether it will be known who opened a decoy.
    pub(crate) fn is_watched(&self) -> bool {
        self.watch.is_some()
    }

    /// Returns what takes hidden values out of the log, and marks the token there.
    pub(crate) fn redactor(&self) -> Redactor {
        self.redactor.clone()
    }

    /// Adds to the evidence of a run what became of the decoys since the last run, and marks the
    /// token in what hooks returned. Called when no process of the run is left.
    pub(crate) fn report(&self, evidence: &mut Evidence) {
        for returned in &mut evidence.returns {
            // What is no text is no result either, and stays as it is.
            let text = returned.result.take().map(String::from_utf8);
            returned.result = text.map(|text| match text {
                Ok(text) => self.redactor.marked(text).into_bytes(),
                Err(other) => other.into_bytes(),
            });
        }
        let (counts, dropped) = match &self.watch {
            Some(watch) => watch.opened(),
            None => (Vec::new(), false),
        };
        let read = decoy::ALL.iter().zip(counts).map(|(decoy, count)| {
            let target = format!("~/{}", decoy.path);
            (DECOY_READ, target, count)
        });
        let more = (
            DECOY_READ,
            "more than was counted".to_owned(),
            u64::from(dropped),
        );
        let printed = self.redactor.take_marked();
        let printed = (DECOY_PRINTED, "the output".to_owned(), printed);
        let seen = read
            .chain([more, printed])
            .filter(|(_, _, count)| *count > 0);
        evidence
            .denials
            .extend(seen.map(|(what, target, count)| Denial {
                what: what.to_owned(),
                target,
                count,
            }));
    }
}

/// Makes the folders above a decoy.
fn make_folders(room: &Path, path: &str, uid: Option<u32>) -> io::Result<()> {
    for (at, _) in path.match_indices('/') {
        let folder = room.join(&path[..at]);
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => chown(&folder, uid, uid)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Readers of such files refuse those that others can read, or that are another's.
fn write(path: &Path, text: &str, uid: Option<u32>) -> io::Result<()> {
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    fchown(&file, uid, uid)
}
