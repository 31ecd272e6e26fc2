//! Colours, few and always the same.

use clap::builder::styling::{AnsiColor, Style};

/// Of errors.
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Of warnings and notes.
pub(super) const NOTE: Style = AnsiColor::Yellow.on_default().bold();
/// Of what was done.
pub(super) const DONE: Style = AnsiColor::Green.on_default().bold();
/// Of labels and small print.
pub(super) const DIM: Style = Style::new().dimmed();

/// Returns `text` in a style.
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
