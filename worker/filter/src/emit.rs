//! Rules to classic BPF: a binary tree over the call numbers whose leaves are constants or chains of
//! tests. Not here: which rules (`rules`), how the program reaches the kernel (`sys`).
//!
//! ```text
//! arch is not ours -------------------> kill the process
//! number above the table, x32 bit ----> ENOSYS    (one span at the end of the tree)
//! number that the table lacks --------> ENOSYS
//! otherwise --------------------------> the first rule that holds, else allow
//! ```
//!
//! Every block ends in a return on all its paths, so blocks can be put side by side: a tree is a
//! comparison, its left half, its right half. A call whose leaf is "allow" reads no argument, which
//! lets the kernel remember the answer and skip the program.

use std::collections::HashMap;

use crate::arch::Arch;
use crate::rules::{self, Action, Condition, Rule, Test};
use crate::spec::Spec;

/// `BPF_LD | BPF_W | BPF_ABS`: loads a word of `seccomp_data`.
pub(crate) const LOAD: u16 = 0x20;
/// `BPF_JMP | BPF_JA`.
pub(crate) const JUMP: u16 = 0x05;
/// `BPF_JMP | BPF_JEQ | BPF_K`.
pub(crate) const JUMP_EQUAL: u16 = 0x15;
/// `BPF_JMP | BPF_JGE | BPF_K`.
pub(crate) const JUMP_GREATER_OR_EQUAL: u16 = 0x35;
/// `BPF_JMP | BPF_JSET | BPF_K`.
pub(crate) const JUMP_ANY_BIT: u16 = 0x45;
/// `BPF_ALU | BPF_AND | BPF_K`.
pub(crate) const AND: u16 = 0x54;
/// `BPF_RET | BPF_K`.
pub(crate) const RETURN: u16 = 0x06;

/// The places of `struct seccomp_data` (`linux/seccomp.h`).
pub(crate) const NUMBER: u32 = 0;
pub(crate) const ARCH: u32 = 4;
pub(crate) const ARGUMENTS: u32 = 16;

/// One instruction of classic BPF, as in `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub code: u16,
    /// How many instructions to skip if the comparison holds.
    pub jt: u8,
    /// How many to skip if it does not.
    pub jf: u8,
    /// The constant.
    pub k: u32,
}

/// A compiled filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub(crate) arch: Arch,
    pub(crate) instructions: Vec<Instruction>,
}

impl Program {
    /// Returns the instructions in the order in which the kernel takes them.
    #[must_use]
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }
}

impl Action {
    /// Returns the word that a filter answers the kernel with.
    pub(crate) fn word(self) -> u32 {
        match self {
            Action::Allow => libc::SECCOMP_RET_ALLOW,
            Action::Errno(errno) => {
                libc::SECCOMP_RET_ERRNO | (errno.unsigned_abs() & libc::SECCOMP_RET_DATA)
            }
            Action::Notify => libc::SECCOMP_RET_USER_NOTIF,
            Action::Kill => libc::SECCOMP_RET_KILL_PROCESS,
        }
    }
}

/// What happens to all numbers from `first` up to the next span.
struct Span<'r> {
    first: u32,
    leaf: Leaf<'r>,
}

#[derive(PartialEq)]
enum Leaf<'r> {
    Always(Action),
    /// Tried in order; allowed if none holds. Only the last may be without conditions.
    FirstOf(Vec<&'r Rule>),
}

/// Compiles the filter of a description for an architecture.
#[must_use]
pub fn compile(arch: Arch, spec: &Spec) -> Program {
    assemble(arch, &rules::of(spec))
}

/// How many instructions in front of all others end whoever calls as another architecture.
#[cfg(feature = "leave-out")]
pub(crate) const GUARD: usize = 3;

/// Compiles rules, whatever they are about.
pub(crate) fn assemble(arch: Arch, rules: &[Rule]) -> Program {
    let mut instructions = vec![
        load(ARCH),
        compare(JUMP_EQUAL, arch.audit_word(), 1, 0),
        answer(Action::Kill),
        load(NUMBER),
    ];
    instructions.extend(tree(&spans(arch, rules)));
    Program { arch, instructions }
}

/// Divides all 32-bit numbers into spans that share a leaf.
fn spans<'r>(arch: Arch, rules: &'r [Rule]) -> Vec<Span<'r>> {
    let mut by_name: HashMap<&str, Vec<&'r Rule>> = HashMap::new();
    for rule in rules {
        for call in rule.calls {
            by_name.entry(call).or_default().push(rule);
        }
    }
    let unknown = || Leaf::Always(Action::Errno(libc::ENOSYS));
    let mut spans: Vec<Span<'r>> = Vec::new();
    let mut add = |first: u32, leaf: Leaf<'r>| {
        if spans.last().is_none_or(|last| last.leaf != leaf) {
            spans.push(Span { first, leaf });
        }
    };
    let mut next = 0;
    for (name, number) in arch.calls() {
        if *number > next {
            add(next, unknown());
        }
        add(*number, leaf(by_name.remove(name).unwrap_or_default()));
        next = number + 1;
    }
    add(arch.highest() + 1, unknown());
    spans
}

/// Reduces a call's rules to those that can be reached.
fn leaf(rules: Vec<&Rule>) -> Leaf<'_> {
    let mut reachable = Vec::new();
    for rule in rules {
        let last = rule.when.is_empty();
        reachable.push(rule);
        if last {
            break;
        }
    }
    match reachable.as_slice() {
        [] => Leaf::Always(Action::Allow),
        [only] if only.when.is_empty() => Leaf::Always(only.action),
        _ => Leaf::FirstOf(reachable),
    }
}

/// Emits a search for the number in the accumulator.
fn tree(spans: &[Span<'_>]) -> Vec<Instruction> {
    match spans {
        [] => vec![answer(Action::Kill)],
        [only] => block(&only.leaf),
        _ => {
            let (left, right) = spans.split_at(spans.len() / 2);
            let border = right[0].first;
            let (left, right) = (tree(left), tree(right));
            let mut instructions = match u8::try_from(left.len()) {
                Ok(skip) => vec![compare(JUMP_GREATER_OR_EQUAL, border, skip, 0)],
                Err(_) => vec![
                    compare(JUMP_GREATER_OR_EQUAL, border, 0, 1),
                    Instruction {
                        code: JUMP,
                        jt: 0,
                        jf: 0,
                        k: length(&left),
                    },
                ],
            };
            instructions.extend(left);
            instructions.extend(right);
            instructions
        }
    }
}

/// Emits a leaf.
fn block(leaf: &Leaf<'_>) -> Vec<Instruction> {
    match leaf {
        Leaf::Always(action) => vec![answer(*action)],
        Leaf::FirstOf(rules) => {
            let mut instructions = Vec::new();
            for rule in rules {
                instructions.extend(conditional(rule));
            }
            if rules.last().is_none_or(|last| !last.when.is_empty()) {
                instructions.push(answer(Action::Allow));
            }
            instructions
        }
    }
}

/// Emits one rule: its answer if all conditions hold, else control reaches the end of the block.
fn conditional(rule: &Rule) -> Vec<Instruction> {
    let mut instructions = vec![answer(rule.action)];
    for condition in rule.when.iter().rev() {
        let skip = u8::try_from(instructions.len())
            .expect("a rule has a handful of conditions of at most four instructions");
        let mut longer = test(condition, skip);
        longer.append(&mut instructions);
        instructions = longer;
    }
    instructions
}

/// Emits one test that goes on if it holds and skips so many instructions if it does not.
fn test(condition: &Condition, skip: u8) -> Vec<Instruction> {
    let low = ARGUMENTS + 8 * u32::from(condition.argument);
    let high = low + 4;
    match condition.test {
        Test::Is(value) => vec![load(low), compare(JUMP_EQUAL, value, 0, skip)],
        Test::IsNot(value) => vec![load(low), compare(JUMP_EQUAL, value, skip, 0)],
        Test::AnyOf(mask) => vec![load(low), compare(JUMP_ANY_BIT, mask, 0, skip)],
        Test::Field { mask, value } => vec![
            load(low),
            Instruction {
                code: AND,
                jt: 0,
                jf: 0,
                k: mask,
            },
            compare(JUMP_EQUAL, value, 0, skip),
        ],
        Test::Null => vec![
            load(low),
            compare(JUMP_EQUAL, 0, 0, skip + 2),
            load(high),
            compare(JUMP_EQUAL, 0, 0, skip),
        ],
    }
}

fn load(offset: u32) -> Instruction {
    Instruction {
        code: LOAD,
        jt: 0,
        jf: 0,
        k: offset,
    }
}

fn compare(code: u16, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code, jt, jf, k }
}

fn answer(action: Action) -> Instruction {
    Instruction {
        code: RETURN,
        jt: 0,
        jf: 0,
        k: action.word(),
    }
}

fn length(block: &[Instruction]) -> u32 {
    u32::try_from(block.len()).expect("a program is a few hundred instructions long")
}
