//! Sockets in the stages of programs. In that of a stranger's: local streams pass, everything that could reach out is reported or
//! refused. Not here: which local socket may be connected to (the worker's broker decides).

use libc::EACCES;

use super::{Action, Condition, Rule, Test, argument, refuse, refuse_when};
use crate::spec::Spec;

const MSG_FASTOPEN: u32 = 0x2000_0000;
/// The bits of a socket's type that are the type; the others are flags.
const TYPE: u32 = 0xf;
const INTERNET: u32 = 2;
const INTERNET_6: u32 = 10;
const LOCAL: Condition = argument(0, Test::Is(1));
const STREAM: Condition = argument(
    1,
    Test::Field {
        mask: TYPE,
        value: 1,
    },
);
const DATAGRAM: Condition = argument(
    1,
    Test::Field {
        mask: TYPE,
        value: 2,
    },
);
const SEQPACKET: Condition = argument(
    1,
    Test::Field {
        mask: TYPE,
        value: 5,
    },
);

/// Written as with a listener; see [`adapt`].
pub(super) const RULES: &[Rule] = &[
    Rule {
        calls: &["socket", "socketpair"],
        when: &[LOCAL, STREAM],
        action: Action::Allow,
        why: "processes of one build talk through local streams; reaching one is a connect",
    },
    Rule {
        calls: &["socket", "socketpair"],
        when: &[LOCAL, SEQPACKET],
        action: Action::Allow,
        why: "as a stream: it has no address but the one it was connected to",
    },
    Rule {
        calls: &["socket", "socketpair"],
        when: &[],
        action: Action::Notify,
        why: "no other family or type; a datagram socket sends to any path without a connect",
    },
    Rule {
        calls: &["connect"],
        when: &[],
        action: Action::Notify,
        why: "Landlock does not keep a build from the host's local sockets, so the broker connects",
    },
];

/// The same without any socket that has an address, as [`RULES`] written.
pub(super) const PAIRS_ONLY: &[Rule] = &[
    PAIR,
    Rule {
        calls: &["socket", "socketpair"],
        when: &[],
        action: Action::Notify,
        why: "nothing keeps a local socket from the host's abstract names",
    },
    Rule {
        calls: &["connect"],
        when: &[],
        action: Action::Notify,
        why: "there is no socket to connect; who tries shall be told of",
    },
];

/// A pair of local streams.
const PAIR: Rule = Rule {
    calls: &["socketpair"],
    when: &[LOCAL, STREAM],
    action: Action::Allow,
    why: "threads of one program wake each other through a pair, which has no address",
};

/// The stage of a program that fetches. Local sockets stay shut, for behind one may be any service of
/// the host; so a connect can only be one to an Internet address and needs no broker.
pub(super) const FETCH: &[Rule] = &[
    Rule {
        calls: &["socket"],
        when: &[argument(0, Test::Is(INTERNET)), STREAM],
        action: Action::Allow,
        why: "TCP, which is what it is started for",
    },
    Rule {
        calls: &["socket"],
        when: &[argument(0, Test::Is(INTERNET_6)), STREAM],
        action: Action::Allow,
        why: "TCP, which is what it is started for",
    },
    Rule {
        calls: &["socket"],
        when: &[argument(0, Test::Is(INTERNET)), DATAGRAM],
        action: Action::Allow,
        why: "names are asked for by UDP",
    },
    Rule {
        calls: &["socket"],
        when: &[argument(0, Test::Is(INTERNET_6)), DATAGRAM],
        action: Action::Allow,
        why: "names are asked for by UDP",
    },
    PAIR,
    Rule {
        calls: &["socket", "socketpair"],
        when: &[],
        action: Action::Notify,
        why: "no other family or type",
    },
    refuse(&["listen"], EACCES, "it reaches out; nobody reaches in"),
];

/// Every stage.
pub(super) const FAST_OPEN: &[Rule] = &[
    refuse_when(
        &["sendto", "sendmmsg"],
        &[argument(3, Test::AnyOf(MSG_FASTOPEN))],
        EACCES,
        "Fast Open connects without a connect",
    ),
    refuse_when(
        &["sendmsg"],
        &[argument(2, Test::AnyOf(MSG_FASTOPEN))],
        EACCES,
        "Fast Open connects without a connect",
    ),
];

/// Turns a notification into a refusal where nobody listens.
pub(super) fn adapt(rule: Rule, spec: &Spec) -> Rule {
    match rule.action {
        Action::Notify if !spec.notifies() => Rule {
            action: Action::Errno(EACCES),
            ..rule
        },
        _ => rule,
    }
}
