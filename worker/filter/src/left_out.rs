//! Groups of rules that a test build leaves out, to show what each of them holds. Compiled with the
//! feature `leave-out` alone, which no shipped program has.

use crate::arch::Arch;
use crate::emit::{GUARD, Program, assemble};
use crate::rules::{self, Rule};
use crate::spec::Spec;

/// Rules that stand or fall together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Families and types of sockets, and data that is sent while connecting.
    Sockets,
    /// The connect that the broker decides.
    Connects,
    /// Namespaces, tracing, tuning of others.
    Processes,
    /// Set-id bits, devices, mounts, watches.
    Files,
    /// Requests to devices.
    Requests,
    /// Keys, queues, shared memory, the kernel's other subsystems.
    Host,
    /// Changes of metadata that the broker decides.
    Metadata,
    /// The end of whoever calls as another architecture, whose numbers are taken for this one's then.
    Numbers,
}

impl Group {
    fn holds(self, rule: &Rule) -> bool {
        const SOCKETS: [&str; 5] = ["socket", "socketpair", "sendto", "sendmmsg", "sendmsg"];
        match self {
            Self::Sockets => rule.calls.iter().all(|call| SOCKETS.contains(call)),
            Self::Connects => rule.calls == ["connect"],
            Self::Processes => rules::processes::RULES.contains(rule),
            Self::Files => rules::files::RULES.contains(rule),
            Self::Requests => rules::requests::RULES.contains(rule),
            Self::Host => rules::host::RULES.contains(rule),
            Self::Metadata => rules::metadata::RULES.contains(rule),
            Self::Numbers => false,
        }
    }
}

/// Compiles the filter of a description without some groups of its rules.
#[must_use]
pub fn compile_without(arch: Arch, spec: &Spec, left_out: &[Group]) -> Program {
    let mut rules = rules::of(spec);
    rules.retain(|rule| !left_out.iter().any(|group| group.holds(rule)));
    let mut program = assemble(arch, &rules);
    if left_out.contains(&Group::Numbers) {
        program.instructions.drain(..GUARD);
    }
    program
}
