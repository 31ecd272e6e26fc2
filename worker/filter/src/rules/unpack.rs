//! What the unpack stage refuses on top of the rules of every stage. It runs our own code on a
//! stranger's bytes, so it needs files and nothing else. It reports through a pipe.

use libc::EPERM;

use super::{Action, Rule, Test, argument, metadata};

/// Tried before the rules of every stage.
pub(super) const RULES: &[Rule] = &[
    Rule {
        calls: &["execve", "execveat"],
        when: &[],
        action: Action::Errno(EPERM),
        why: "unpacking starts no program",
    },
    Rule {
        calls: &["fork", "vfork", "clone"],
        when: &[],
        action: Action::Errno(EPERM),
        why: "unpacking starts no process and no thread",
    },
    Rule {
        calls: &[
            "socket",
            "socketpair",
            "connect",
            "bind",
            "listen",
            "accept",
            "accept4",
            "sendto",
            "sendmsg",
            "sendmmsg",
            "recvfrom",
            "recvmsg",
            "recvmmsg",
            "getsockname",
            "getpeername",
            "getsockopt",
            "setsockopt",
            "shutdown",
        ],
        when: &[],
        action: Action::Errno(EPERM),
        why: "unpacking talks to nobody; its report is a write to an inherited descriptor",
    },
    Rule {
        calls: &["utimensat"],
        when: &[argument(1, Test::Null)],
        action: Action::Allow,
        why: "a member's time is set on the descriptor that was just written, never by path",
    },
    Rule {
        calls: metadata::CHANGERS,
        when: &[],
        action: Action::Errno(EPERM),
        why: "modes come from the open that creates a member; owners and attributes are not unpacked",
    },
];
