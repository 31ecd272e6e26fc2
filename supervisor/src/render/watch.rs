//! [`Talk`] hears of what builds do.

use builder::{BuildEvent, Origin, Watcher};

use super::Talk;
use super::paint::{DIM, DONE, NOTE, paint};
use super::size::{bytes, seconds};
use crate::neutralise;

impl Watcher for Talk {
    fn event(&self, event: &BuildEvent) {
        match event {
            BuildEvent::Output { build, line } => {
                if self.is_verbose() {
                    self.wrote(build, &neutralise::line(line));
                }
            }
            BuildEvent::Note { label, text } => {
                let note = paint(NOTE, "note");
                self.say(&format!("{note}: {label}: {}", neutralise::line(text)));
            }
            BuildEvent::Proposed { label, path, text } => {
                let note = paint(NOTE, "note");
                let path = path.display().to_string();
                let path = neutralise::line(&path);
                self.say(&format!(
                    "{note}: {label}: traced; for --policy, kept as {path}:"
                ));
                for line in text.lines() {
                    self.say(&neutralise::line(line));
                }
            }
            BuildEvent::Finished {
                label,
                origin,
                seconds,
            } => self.finished(label, *origin, *seconds),
            BuildEvent::Failed { label, .. } => self.gone(label),
            other => {
                if let Some((label, doing)) = doing(other) {
                    self.going_on(label, &doing, other);
                }
            }
        }
    }
}

impl Talk {
    /// Shows what is being done now: a line that moves, or one that stays.
    fn going_on(&self, label: &str, doing: &str, event: &BuildEvent) {
        match (&self.display, event) {
            (Some(display), BuildEvent::Fetched { .. }) => display.remove(label),
            // The last stage, over in no time.
            (Some(display), BuildEvent::Building { build, stage, .. }) if *stage == "check" => {
                display.remove_build(build);
            }
            (Some(display), BuildEvent::Building { build, .. }) => {
                display.show_build(build, label, self.coloured(doing));
            }
            (Some(display), _) => display.show(label, self.coloured(doing)),
            // Without a terminal nobody wants a line for each piece of a download.
            (None, BuildEvent::Fetching { .. }) => {}
            (None, _) => self.say(&format!("{}: {doing}", neutralise::line(label))),
        }
    }

    /// Shows a line of a build's output: the last one in the line that moves, or each as one that stays.
    fn wrote(&self, build: &str, line: &str) {
        match &self.display {
            Some(display) => display.show_output(build, &self.coloured(&paint(DIM, line))),
            None => {
                let build = paint(DIM, &format!("{build} |"));
                self.say(&format!("{build} {line}"));
            }
        }
    }

    fn finished(&self, label: &str, origin: Origin, span: f64) {
        self.gone(label);
        let (how, span) = match origin {
            Origin::Built => ("built", format!(" in {}", seconds(span))),
            Origin::Cached => ("cached", String::new()),
            Origin::Downloaded => ("downloaded", format!(" in {}", seconds(span))),
        };
        self.say(&format!(
            "{} {}{}",
            paint(DONE, how),
            neutralise::line(label),
            paint(DIM, &span)
        ));
    }

    fn gone(&self, label: &str) {
        if let Some(display) = &self.display {
            display.remove(label);
        }
    }
}

/// Returns what is being done to what.
fn doing(event: &BuildEvent) -> Option<(&str, String)> {
    Some(match event {
        BuildEvent::Fetching {
            label,
            bytes: done,
            of,
        } => (
            label,
            match of {
                Some(all) => format!("fetching {} of {}", bytes(*done), bytes(*all)),
                None => format!("fetching {}", bytes(*done)),
            },
        ),
        BuildEvent::Fetched { label } => (label, "fetched".to_owned()),
        BuildEvent::Planning { label } => (label, "resolving".to_owned()),
        BuildEvent::Resolving { label } => (label, "resolving build requirements".to_owned()),
        BuildEvent::Preparing { label, packages } => (
            label,
            match packages {
                1 => "preparing an environment of 1 package".to_owned(),
                many => format!("preparing an environment of {many} packages"),
            },
        ),
        BuildEvent::Building { label, stage, .. } => (label, format!("building ({stage})")),
        BuildEvent::Waiting { label, what } => {
            (label, format!("waiting for {}", neutralise::line(what)))
        }
        _ => return None,
    })
}
