//! Calls that change an inode without writing to it. Not here: what the broker answers them.

use super::{Action, Rule};

/// Every call that changes a mode, an owner, a time or an extended attribute.
pub(super) const CHANGERS: &[&str] = &[
    "chmod",
    "fchmod",
    "fchmodat",
    "fchmodat2",
    "chown",
    "lchown",
    "fchown",
    "fchownat",
    "utime",
    "utimes",
    "futimesat",
    "utimensat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "setxattrat",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
    "removexattrat",
];

/// The program stage with a broker for metadata.
pub(crate) const RULES: &[Rule] = &[Rule {
    calls: CHANGERS,
    when: &[],
    action: Action::Notify,
    why: "Landlock does not cover metadata: the broker changes only what lies in the build's rooms",
}];
