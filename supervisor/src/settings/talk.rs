//! What the words about talking mean.

use std::io::IsTerminal as _;

use super::twin::Twin;
use super::{Layers, SettingsError, words};
use crate::args::TalkArgs;

/// How much is said, in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TalkSettings {
    /// Below zero: errors only, then nothing. Above: the backend's output, then our own steps.
    pub(crate) loudness: i8,
    /// Whether talk has colours.
    pub(crate) colour: bool,
    /// Whether talk is a moving display; plain lines otherwise.
    pub(crate) moving: bool,
}

impl TalkSettings {
    /// For what has to be said before anything is understood.
    pub(crate) const PLAIN: Self = Self {
        loudness: 0,
        colour: false,
        moving: false,
    };

    /// Understands the flags; asks whether standard error is a terminal.
    ///
    /// # Errors
    /// If a variable does not fit.
    pub(crate) fn new(args: &TalkArgs, layers: &Layers) -> Result<Self, SettingsError> {
        Self::with_terminal(args, layers, std::io::stderr().is_terminal())
    }

    /// The same for a given answer about the terminal.
    pub(super) fn with_terminal(
        args: &TalkArgs,
        layers: &Layers,
        terminal: bool,
    ) -> Result<Self, SettingsError> {
        let color =
            Twin::new("--color", "FUMEHOOD_COLOR").one(args.color.as_deref(), layers, |word| {
                match word {
                    "auto" => Ok(None),
                    "always" => Ok(Some(true)),
                    "never" => Ok(Some(false)),
                    _ => Err(format!("`{word}` is not auto, always or never")),
                }
            })?;
        let dumb = layers
            .environment
            .raw("TERM")
            .is_some_and(|term| term == "dumb");
        let automatic = || {
            if layers.environment.raw("NO_COLOR").is_some() {
                false
            } else {
                layers.environment.raw("FORCE_COLOR").is_some() || (terminal && !dumb)
            }
        };
        let no_progress =
            Twin::new("--no-progress", "FUMEHOOD_NO_PROGRESS").switch(args.no_progress, layers)?;
        let loud = i8::try_from(args.verbose.min(3)).unwrap_or_default();
        let quiet = i8::try_from(args.quiet.min(3)).unwrap_or_default();
        // Somebody's CI is whatever is set and not an explicit no.
        let ci = layers.environment.raw("CI").is_some_and(|ci| {
            ci.to_str()
                .is_none_or(|ci| words::yes_or_no(ci) != Ok(false))
        });
        // What fumehood itself does is said in lines that a moving display knows nothing of.
        let steps = loud > 1 || layers.environment.raw("FUMEHOOD_LOG").is_some();
        Ok(Self {
            loudness: loud - quiet,
            colour: color
                .and_then(|value| value.value)
                .unwrap_or_else(automatic),
            moving: terminal && !dumb && !ci && !no_progress && !steps && quiet == 0,
        })
    }
}
