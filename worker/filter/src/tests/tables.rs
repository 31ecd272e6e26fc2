//! The call tables against each other and against what libc knows.

use std::collections::BTreeSet;

use crate::arch::Arch;
use crate::notify::Call;
use crate::rules;

#[test]
fn numbers_rise_and_names_are_unique() {
    for arch in [Arch::X86_64, Arch::Aarch64] {
        let calls = arch.calls();
        assert!(
            calls.windows(2).all(|pair| pair[0].1 < pair[1].1),
            "{arch:?} is not in order"
        );
        let names: BTreeSet<_> = calls.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), calls.len(), "{arch:?} names a call twice");
    }
}

#[test]
fn both_tables_end_at_the_same_call_and_agree_on_all_newer_numbers() {
    // Since Linux 5.1 a new call has one number everywhere.
    let newer = |arch: Arch| {
        let names = arch
            .calls()
            .iter()
            .copied()
            .filter(|(_, number)| *number >= 424);
        names.collect::<Vec<_>>()
    };
    assert_eq!(newer(Arch::X86_64), newer(Arch::Aarch64));
    assert_eq!(newer(Arch::X86_64).last(), Some(&("file_setattr", 469)));
}

#[test]
fn numbers_are_those_of_this_machine() {
    let known = [
        ("read", libc::SYS_read),
        ("openat", libc::SYS_openat),
        ("clone", libc::SYS_clone),
        ("socket", libc::SYS_socket),
        ("connect", libc::SYS_connect),
        ("ptrace", libc::SYS_ptrace),
        ("utimensat", libc::SYS_utimensat),
        ("prlimit64", libc::SYS_prlimit64),
        ("seccomp", libc::SYS_seccomp),
        ("execveat", libc::SYS_execveat),
        ("statx", libc::SYS_statx),
        ("keyctl", libc::SYS_keyctl),
        ("mount", libc::SYS_mount),
        ("fcntl", libc::SYS_fcntl),
        ("clone3", libc::SYS_clone3),
        ("openat2", libc::SYS_openat2),
        ("mseal", libc::SYS_mseal),
    ];
    for (name, number) in known {
        let number = u32::try_from(number).unwrap();
        assert_eq!(Arch::current().name_of(number), Some(name));
    }
}

#[test]
fn every_rule_names_calls_that_exist_and_has_a_reason() {
    for (_, spec) in super::SPECS {
        for rule in rules::of(&spec) {
            assert!(!rule.why.is_empty());
            assert!(rule.when.iter().all(|condition| condition.argument < 6));
            for call in rule.calls {
                let known = |arch: Arch| arch.calls().iter().any(|(name, _)| name == call);
                assert!(
                    known(Arch::X86_64) || known(Arch::Aarch64),
                    "no table has {call}"
                );
            }
        }
    }
}

#[test]
fn every_notified_call_has_a_name_of_its_own() {
    let (_, spec) = super::SPECS[8];
    for arch in [Arch::X86_64, Arch::Aarch64] {
        for (name, number) in arch.calls() {
            let notified = rules::of(&spec).iter().any(|rule| {
                rule.calls.contains(name) && rule.action == crate::rules::Action::Notify
            });
            let call = Call::from_number(arch, i32::try_from(*number).unwrap());
            assert_eq!(notified, !matches!(call, Call::Other(_)), "{name}");
            if notified {
                assert_eq!(call.name(), *name);
            }
        }
    }
    assert_eq!(Call::from_number(Arch::X86_64, -1), Call::Other(-1));
    assert_eq!(Call::Other(-1).name(), "unknown");
    assert_eq!(
        Call::Other(i32::try_from(libc::SYS_read).unwrap()).name(),
        "read"
    );
}
