//! Calls that open a file or start a program. Not here: what is recorded of them (the worker's broker).

use super::{Action, Rule};

/// A program stage whose files are traced. The rules before this one decide first: a set-id mode is
/// refused, and `openat2`, whose words lie in memory, stays unknown.
pub(super) const RULES: &[Rule] = &[Rule {
    calls: &["open", "openat", "creat", "execve", "execveat"],
    when: &[],
    action: Action::Notify,
    why: "the broker records what is opened and started, and lets the kernel go on: the filter never \
          decided by path, so a caller that rewrites its memory lies to the record alone",
}];
