//! [`Talk`]: everything that is said goes through here, so that a moving display, plain lines,
//! silence and colours are decided once.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use anstream::adapter::strip_str;

use super::Problem;
use super::display::Display;
use super::paint::{NOTE, paint};
use crate::neutralise;
use crate::settings::TalkSettings;

/// Says things on standard error.
pub(crate) struct Talk {
    settings: TalkSettings,
    pub(super) display: Option<Display>,
    sink: Mutex<Box<dyn Write + Send>>,
}

impl Talk {
    /// Talks on standard error.
    pub(crate) fn new(settings: TalkSettings) -> Self {
        Self::into_sink(settings, Box::new(std::io::stderr()))
    }

    /// Talks into `sink`; a moving display still draws on the terminal.
    pub(super) fn into_sink(settings: TalkSettings, sink: Box<dyn Write + Send>) -> Self {
        Self {
            settings,
            display: settings.moving.then(Display::new),
            sink: Mutex::new(sink),
        }
    }

    /// Whether what the backend writes is wanted live.
    pub(super) fn is_verbose(&self) -> bool {
        self.settings.loudness > 0
    }

    /// Says a problem, unless not even those are wanted.
    pub(crate) fn problem(&self, problem: &Problem) {
        if self.settings.loudness > -2 {
            self.put(&problem.render());
        }
    }

    /// Says something that is worth knowing and stops nothing.
    pub(crate) fn note(&self, text: &str) {
        self.say(&format!(
            "{}: {}",
            paint(NOTE, "note"),
            neutralise::text(text)
        ));
    }

    /// Warns of what weakens this very run; `-q` silences it as it silences notes.
    pub(crate) fn warn(&self, text: &str) {
        self.say(&format!(
            "{}: {}",
            paint(NOTE, "warning"),
            neutralise::text(text)
        ));
    }

    /// Says a line that holds nothing foreign, or what is neutralised already.
    pub(crate) fn say(&self, line: &str) {
        if self.settings.loudness >= 0 {
            self.put(line);
        }
    }

    /// Returns `text` as it may be shown.
    pub(super) fn coloured(&self, text: &str) -> String {
        if self.settings.colour {
            text.to_owned()
        } else {
            strip_str(text).to_string()
        }
    }

    /// Writes one line, around the moving display. A closed standard error silences, no more.
    fn put(&self, line: &str) {
        let line = self.coloured(line);
        let write = || {
            let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
            writeln!(sink, "{line}").and_then(|()| sink.flush()).ok();
        };
        match &self.display {
            Some(display) => display.around(write),
            None => write(),
        }
    }

    /// Takes the moving display away; what is said afterwards is the end.
    pub(crate) fn end(&self) {
        if let Some(display) = &self.display {
            display.clear();
        }
    }
}

impl std::fmt::Debug for Talk {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Talk")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
