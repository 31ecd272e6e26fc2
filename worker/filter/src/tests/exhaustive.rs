//! The compiled programs against the rules: every number, and for each all combinations of the
//! argument values at which one of its rules changes its mind.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::SPECS;
use super::interpreter::{Data, run};
use crate::arch::Arch;
use crate::emit::{assemble, compile};
use crate::rules::{self, Action, Condition, Rule, Test};

const ARCHES: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];
const X32: u32 = 0x4000_0000;

/// Decides a call from the rules alone.
fn decide(arch: Arch, rules: &[Rule], data: &Data) -> Action {
    if data.arch != arch.audit_word() {
        return Action::Kill;
    }
    let Some((name, _)) = arch
        .calls()
        .iter()
        .find(|(_, number)| *number == data.number)
    else {
        return Action::Errno(libc::ENOSYS);
    };
    let deciding = rules.iter().find(|rule| {
        let holds = |test: Test, value: u64| {
            let int = (value & 0xffff_ffff) as u32;
            match test {
                Test::Is(wanted) => int == wanted,
                Test::IsNot(unwanted) => int != unwanted,
                Test::AnyOf(mask) => int & mask > 0,
                Test::Field { mask, value } => int & mask == value,
                Test::Null => value == 0,
            }
        };
        rule.calls.contains(name)
            && rule
                .when
                .iter()
                .all(|c| holds(c.test, data.arguments[usize::from(c.argument)]))
    });
    deciding.map_or(Action::Allow, |rule| rule.action)
}

/// Returns for each argument the values worth trying with a call.
fn interesting(rules: &[Rule], call: Option<&str>) -> [Vec<u64>; 6] {
    let mut values: [BTreeSet<u64>; 6] = Default::default();
    let own = rules
        .iter()
        .filter(|rule| call.is_some_and(|call| rule.calls.contains(&call)));
    for condition in own.flat_map(|rule| rule.when) {
        let set = &mut values[usize::from(condition.argument)];
        let words: Vec<u32> = match condition.test {
            Test::Is(value) | Test::IsNot(value) => vec![value, value ^ 1, !value],
            Test::AnyOf(mask) => (0..32)
                .map(|bit| 1 << bit)
                .filter(|bit| mask & bit != 0)
                .chain([mask, !mask, 0])
                .collect(),
            Test::Field { mask, value } => {
                vec![
                    value,
                    value | !mask,
                    value ^ (mask & mask.wrapping_neg()),
                    mask,
                ]
            }
            Test::Null => vec![0, 1],
        };
        for word in words {
            set.extend([
                u64::from(word),
                u64::from(word) | 1 << 32,
                u64::from(word) | !0 << 32,
            ]);
        }
        set.extend([0, u64::MAX, 1 << 63]);
    }
    values.map(|set| {
        if set.is_empty() {
            vec![0, u64::MAX]
        } else {
            set.into_iter().collect()
        }
    })
}

/// Returns all combinations of the values, the uninteresting arguments moving together.
fn combinations(values: &[Vec<u64>; 6]) -> Vec<[u64; 6]> {
    let mut all = vec![[0; 6], [u64::MAX; 6]];
    for (argument, candidates) in values.iter().enumerate() {
        if candidates.len() <= 2 {
            continue;
        }
        all = all
            .iter()
            .flat_map(|arguments| {
                candidates.iter().map(move |candidate| {
                    let mut arguments = *arguments;
                    arguments[argument] = *candidate;
                    arguments
                })
            })
            .collect();
    }
    all
}

#[test]
fn every_number_with_every_interesting_argument_is_decided_as_the_rules_say() {
    for arch in ARCHES {
        for (name, spec) in SPECS {
            let rules = rules::of(&spec);
            let program = compile(arch, &spec);
            let mut tried = 0;
            for number in 0..=arch.highest() + 64 {
                let values = interesting(&rules, arch.name_of(number));
                for arguments in combinations(&values) {
                    let data = Data {
                        number,
                        arch: arch.audit_word(),
                        arguments,
                    };
                    let wanted = decide(arch, &rules, &data).word();
                    let got = run(program.instructions(), &data);
                    assert_eq!(got, wanted, "{arch:?} {name} {data:x?}");
                    tried += 1;
                }
            }
            assert!(tried > 1_000, "only {tried} cases on {arch:?} {name}");
        }
    }
}

/// The real rules need a jump of more than 255 instructions at the root at most; these need many.
#[test]
fn a_program_ten_times_as_long_is_decided_as_its_rules_say() {
    const WHEN: [&[Condition]; 3] = [
        &[
            Condition {
                argument: 0,
                test: Test::Is(7),
            },
            Condition {
                argument: 5,
                test: Test::Null,
            },
        ],
        &[Condition {
            argument: 1,
            test: Test::AnyOf(0x8000_0001),
        }],
        &[Condition {
            argument: 2,
            test: Test::Field {
                mask: 0xf0,
                value: 0x30,
            },
        }],
    ];
    for arch in ARCHES {
        let mut rules = Vec::new();
        for (place, (name, _)) in arch.calls().iter().enumerate() {
            let calls: &'static [&'static str] = Box::leak(Box::new([*name]));
            for (nth, when) in WHEN.into_iter().enumerate() {
                let errno = i32::try_from(1 + place * 3 + nth).unwrap();
                rules.push(Rule {
                    calls,
                    when,
                    action: Action::Errno(errno),
                    why: "length",
                });
            }
        }
        let program = assemble(arch, &rules);
        assert!(
            program
                .instructions()
                .iter()
                .any(|i| i.code == crate::emit::JUMP)
        );
        let cases = [
            [7, 0, 0, 0, 0, 0],
            [7, 0, 0, 0, 0, 1 << 32],
            [7, 0, 0, 0, 0, 1],
            [1, 0x8000_0000, 0, 0, 0, 0],
            [1, 0x7fff_fffe, 0x30, 0, 0, 0],
            [1, 1 << 32, 0x0f3f, 0, 0, 0],
            [1, 0, 0x70, 0, 0, 0],
        ];
        for number in 0..=arch.highest() + 2 {
            let own = rules
                .iter()
                .filter(|rule| Some(rule.calls[0]) == arch.name_of(number));
            let own: Vec<Rule> = own.copied().collect();
            for arguments in cases {
                let data = Data {
                    number,
                    arch: arch.audit_word(),
                    arguments,
                };
                let wanted = decide(arch, &own, &data).word();
                assert_eq!(
                    run(program.instructions(), &data),
                    wanted,
                    "{arch:?} {data:x?}"
                );
            }
        }
    }
}

#[test]
fn no_number_with_the_x32_bit_and_no_number_beyond_the_table_is_served() {
    let enosys = Action::Errno(libc::ENOSYS).word();
    for arch in ARCHES {
        for (name, spec) in SPECS {
            let program = compile(arch, &spec);
            let beyond = [arch.highest() + 1, 512, 547, 1 << 29, 1 << 31, u32::MAX];
            let x32 = (0..=arch.highest() + 64)
                .chain(512..=547)
                .map(|number| number | X32);
            for number in x32.chain(beyond) {
                for arguments in [[0; 6], [u64::MAX; 6]] {
                    let data = Data {
                        number,
                        arch: arch.audit_word(),
                        arguments,
                    };
                    assert_eq!(
                        run(program.instructions(), &data),
                        enosys,
                        "{arch:?} {name} {data:x?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_foreign_architecture_ends_the_process_whatever_it_calls() {
    // i386, x86_64, Arm, aarch64, aarch64 big-endian, riscv64, nothing, everything.
    let words = [
        0x4000_0003,
        0xc000_003e,
        0x4000_0028,
        0xc000_00b7,
        0x8000_00b7,
        0xc000_00f3,
        0,
        u32::MAX,
    ];
    for arch in ARCHES {
        for (_, spec) in SPECS {
            let program = compile(arch, &spec);
            for foreign in words.into_iter().filter(|word| *word != arch.audit_word()) {
                for number in 0..=arch.highest() + 1 {
                    let data = Data {
                        number,
                        arch: foreign,
                        arguments: [0; 6],
                    };
                    assert_eq!(run(program.instructions(), &data), Action::Kill.word());
                }
            }
        }
    }
}

/// With the broker every rule counts, so each must be missed when it is gone.
#[test]
fn no_rule_is_without_effect() {
    let (_, spec) = SPECS[3];
    let rules = rules::of(&spec);
    for (at, rule) in rules.iter().enumerate() {
        let mut fewer = rules.clone();
        fewer.remove(at);
        for call in rule.calls {
            let cases = combinations(&interesting(&rules, Some(call)));
            let missed = ARCHES.iter().any(|arch| {
                let number = arch.calls().iter().find(|(name, _)| name == call);
                number.is_some_and(|(_, number)| {
                    cases.iter().any(|arguments| {
                        let data = Data {
                            number: *number,
                            arch: arch.audit_word(),
                            arguments: *arguments,
                        };
                        decide(*arch, &rules, &data) != decide(*arch, &fewer, &data)
                    })
                })
            });
            assert!(missed, "nothing changes for {call} without: {}", rule.why);
        }
    }
}

#[test]
fn a_program_fits_the_kernel_and_every_jump_lands_inside() {
    for arch in ARCHES {
        for (name, spec) in SPECS {
            let program = compile(arch, &spec);
            let count = program.instructions().len();
            assert!(count < 1024, "{arch:?} {name} has {count} instructions");
            for (at, instruction) in program.instructions().iter().enumerate() {
                let furthest = match instruction.code {
                    crate::emit::JUMP => instruction.k as usize,
                    _ => usize::from(instruction.jt.max(instruction.jf)),
                };
                assert!(at + 1 + furthest < count || instruction.code == crate::emit::RETURN);
            }
            let last = program.instructions().last().unwrap();
            assert_eq!(
                last.code,
                crate::emit::RETURN,
                "the kernel wants a return at the end"
            );
        }
    }
}

proptest! {
    #[test]
    fn random_calls_are_decided_as_the_rules_say(
        number in prop_oneof![0_u32..540, any::<u32>()],
        arguments in proptest::array::uniform6(prop_oneof![0_u64..70_000, any::<u64>()]),
        which in 0_usize..4,
        arm in any::<bool>(),
    ) {
        let arch = if arm { Arch::Aarch64 } else { Arch::X86_64 };
        let (_, spec) = SPECS[which];
        let data = Data { number, arch: arch.audit_word(), arguments };
        let wanted = decide(arch, &rules::of(&spec), &data).word();
        prop_assert_eq!(run(compile(arch, &spec).instructions(), &data), wanted);
    }
}
