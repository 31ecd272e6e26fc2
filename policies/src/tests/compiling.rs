//! From policies to what the worker is told.

use std::fmt::Write as _;
use std::path::Path;

use protocol::{AbsPath, Access};

use super::{minimal, parsed};
use crate::{Compiled, Extra, Places, Policy, PolicyError};

fn abs(path: &str) -> AbsPath {
    AbsPath::new(path).unwrap()
}

/// A Debian with Python in a folder of its own.
fn debian(path: &Path) -> bool {
    let path = path.to_str().unwrap();
    let there = [
        "/bin",
        "/sbin",
        "/lib",
        "/lib64",
        "/usr/bin",
        "/usr/sbin",
        "/usr/lib",
        "/usr/lib64",
        "/usr/libexec",
        "/usr/include",
        "/usr/share",
        "/usr/local/bin",
        "/usr/local/lib",
        "/usr/local/include",
        "/usr/local/share",
        "/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/gcc",
        "/bin/sh",
        "/usr/bin/sh",
        "/usr/bin/env",
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/urandom",
        "/dev/random",
        "/dev/shm",
        "/etc/ld.so.cache",
        "/etc/passwd",
        "/etc/group",
        "/etc/nsswitch.conf",
        "/etc/os-release",
        "/etc/alternatives",
        "/etc/ssl/certs",
        "/etc/localtime",
        "/usr/share/zoneinfo",
        "/usr/lib/locale",
        "/proc/cpuinfo",
        "/opt/python",
        "/opt/python/lib/python3.12",
        "/usr/bin/python3.11",
        "/usr/lib/python3.11",
    ];
    there.contains(&path)
}

fn alpine(path: &Path) -> bool {
    ["/lib", "/usr/lib", "/bin/sh", "/dev/null", "/opt/python"].contains(&path.to_str().unwrap())
}

fn places<'a>(exists: &'a dyn Fn(&Path) -> bool) -> Places<'a> {
    Places {
        interpreter: vec![
            abs("/opt/python"),
            abs("/opt/python/lib/python3.12"),
            abs("/opt/python/include"),
        ],
        environment: Some((abs("/c/environments-v1/ab/env"), abs("/e"))),
        exists,
    }
}

fn shown(compiled: &Compiled) -> String {
    let mut text = String::new();
    for grant in &compiled.grants {
        let seen = grant
            .seen_as
            .as_ref()
            .map_or(String::new(), |path| format!(" as {path}"));
        let optional = if grant.optional { " optional" } else { "" };
        writeln!(text, "{} {:?}{seen}{optional}", grant.path, grant.access).unwrap();
    }
    text
}

#[test]
fn pure_on_debian_is_tight() {
    let compiled = Policy::builtin("pure")
        .unwrap()
        .compile(&places(&debian), &[])
        .unwrap();
    assert_eq!(
        shown(&compiled),
        "\
/bin/sh ReadExecute optional
/c/environments-v1/ab/env ReadExecute as /e
/dev/full Read optional
/dev/null ReadWriteFile optional
/dev/random Read optional
/dev/urandom Read optional
/dev/zero Read optional
/etc/group Read optional
/etc/ld.so.cache Read optional
/etc/localtime Read optional
/etc/nsswitch.conf Read optional
/etc/os-release Read optional
/etc/passwd Read optional
/etc/ssl/certs Read optional
/lib/x86_64-linux-gnu ReadExecute optional
/lib64 ReadExecute optional
/opt/python ReadExecute
/opt/python/lib/python3.12 ReadExecute
/usr/bin/env ReadExecute optional
/usr/bin/sh ReadExecute optional
/usr/lib/locale Read optional
/usr/lib/x86_64-linux-gnu ReadExecute optional
/usr/lib64 ReadExecute optional
/usr/local/lib ReadExecute optional
/usr/share/zoneinfo Read optional
"
    );
    let variables: Vec<_> = compiled
        .environment
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        variables,
        [
            "LANG=C.UTF-8",
            "LC_ALL=C.UTF-8",
            "LOGNAME=build",
            "PATH=/e/bin",
            "TZ=UTC",
            "USER=build"
        ]
    );
    assert!(compiled.passed.is_empty());
    assert_eq!(compiled.limits.wall_ms, 3_600_000);
}

#[test]
fn strict_adds_the_tool_chain_and_puts_the_environment_first_on_path() {
    let compiled = Policy::builtin("strict")
        .unwrap()
        .compile(&places(&debian), &[])
        .unwrap();
    let text = shown(&compiled);
    for line in [
        "/usr/bin ReadExecute optional\n",
        "/usr/lib ReadExecute optional\n",
        "/usr/libexec ReadExecute optional\n",
        "/usr/include Read optional\n",
        "/usr/share Read optional\n",
        "/etc/alternatives Read optional\n",
        "/lib ReadExecute optional\n",
    ] {
        assert!(text.contains(line), "lacks {line}{text}");
    }
    for word in [
        "/etc/gitconfig",
        "/etc/ld.so.preload",
        "/home ",
        "/root",
        "/proc",
        "/sys",
        "/run",
        "/dev/shm",
        "/dev/tty",
        "/nix",
    ] {
        assert!(!text.contains(word), "has {word}:\n{text}");
    }
    let path = &compiled
        .environment
        .iter()
        .find(|(name, _)| name == "PATH")
        .unwrap()
        .1;
    assert!(
        path.starts_with("/e/bin:/usr/local/bin:/usr/bin:/bin:"),
        "{path}"
    );
    assert!(compiled.environment.is_sorted());
}

#[test]
fn native_adds_processor_facts_and_shared_memory() {
    let compiled = Policy::builtin("native")
        .unwrap()
        .compile(&places(&debian), &[])
        .unwrap();
    let text = shown(&compiled);
    assert!(text.contains("/dev/shm ReadWrite optional\n"), "{text}");
    assert!(text.contains("/proc/cpuinfo Read optional\n"), "{text}");
}

#[test]
fn where_libraries_have_no_folders_of_their_own_the_flat_one_is_granted() {
    let compiled = Policy::builtin("pure")
        .unwrap()
        .compile(&places(&alpine), &[])
        .unwrap();
    let text = shown(&compiled);
    assert!(text.contains("/usr/lib ReadExecute optional\n"), "{text}");
    assert!(text.contains("/lib ReadExecute optional\n"), "{text}");
}

#[test]
fn grants_are_sorted_without_duplicates_and_the_same_each_time() {
    for &name in Policy::names() {
        let policy = Policy::builtin(name).unwrap();
        let compiled = policy.compile(&places(&|_| true), &[]).unwrap();
        let paths: Vec<_> = compiled
            .grants
            .iter()
            .map(|grant| (&grant.path, &grant.seen_as))
            .collect();
        assert!(
            paths.is_sorted_by(|left, right| left < right),
            "{name}: {paths:#?}"
        );
        assert_eq!(compiled, policy.compile(&places(&|_| true), &[]).unwrap());
    }
}

#[test]
fn a_prefix_that_is_shared_with_much_else_is_not_granted_whole() {
    let mut system = places(&debian);
    system.interpreter = [
        "/usr",
        "/usr/bin/python3.11",
        "/usr/lib/python3.11",
        "/usr/local",
    ]
    .map(abs)
    .to_vec();
    let compiled = Policy::builtin("pure")
        .unwrap()
        .compile(&system, &[])
        .unwrap();
    let text = shown(&compiled);
    assert!(text.contains("/usr/bin/python3.11 ReadExecute\n"), "{text}");
    assert!(!text.contains("/usr ReadExecute"), "{text}");
    system.interpreter = ["/usr", "/", "/home/ada", "/home/ada/.local", "/root"]
        .map(abs)
        .to_vec();
    let error = Policy::builtin("pure")
        .unwrap()
        .compile(&system, &[])
        .unwrap_err();
    assert!(
        matches!(error, PolicyError::NoInterpreterPath { .. }),
        "{error}"
    );
}

#[test]
fn without_an_environment_path_is_never_empty() {
    let mut bare = places(&debian);
    bare.environment = None;
    let compiled = Policy::builtin("pure")
        .unwrap()
        .compile(&bare, &[])
        .unwrap();
    assert!(!compiled.environment.iter().any(|(name, _)| name == "PATH"));
}

#[test]
fn extras_add_to_the_policy_and_join_what_it_grants() {
    let extra = |path: &str, access| Extra {
        path: abs(path),
        access,
    };
    let compiled = Policy::builtin("pure")
        .unwrap()
        .compile(
            &places(&|_| true),
            &[
                extra("/data//", Access::Read),
                extra("/data", Access::ReadWrite),
                extra("/data/x", Access::ReadExecute),
                extra("/etc/passwd", Access::ReadExecute),
                extra("/dev/null", Access::ReadExecute),
            ],
        )
        .unwrap();
    let text = shown(&compiled);
    assert!(
        text.contains("/data ReadWrite\n/data/x ReadExecute\n"),
        "{text}"
    );
    assert!(text.contains("/etc/passwd ReadExecute\n"), "{text}");
    assert!(
        text.contains("/dev/null ReadExecute\n/dev/null ReadWriteFile\n"),
        "{text}"
    );
}

#[test]
fn extras_that_would_end_the_sandbox_or_do_not_exist_are_refused() {
    let policy = Policy::builtin("strict").unwrap();
    for (path, words) in [
        ("/", "it is everything"),
        ("/proc", "all of /proc"),
        ("/proc/1/environ", "below /proc only"),
        ("/dev/", "all of /dev"),
        ("/sys", "all of /sys"),
        ("/nowhere", "it does not exist"),
    ] {
        let extras = [Extra {
            path: abs(path),
            access: Access::Read,
        }];
        let error = policy
            .compile(&places(&debian), &extras)
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{path}: {error}");
    }
}

#[test]
fn a_path_that_must_exist_is_missed_and_an_optional_one_is_left_out() {
    let grant = "[[grant]]\npath = \"/opt/gone\"\naccess = [\"read\"]\nwhy = \"x\"\n";
    let error = parsed(&minimal(grant))
        .compile(&places(&debian), &[])
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("policy `mine` grants `/opt/gone`, which does not exist here"),
        "{error}"
    );
    let optional = format!("{grant}optional = true\n");
    let compiled = parsed(&minimal(&optional))
        .compile(&places(&debian), &[])
        .unwrap();
    assert!(!shown(&compiled).contains("gone"));
}

#[test]
fn variables_may_be_declared_to_come_from_the_caller() {
    let more = "[environment.pass.CC]\nwhy = \"the compiler\"\n[environment.set.A]\nvalue = \"b\"\nwhy = \"x\"\n";
    let compiled = parsed(&minimal(more))
        .compile(&places(&debian), &[])
        .unwrap();
    assert_eq!(compiled.passed, ["CC"]);
    assert_eq!(compiled.environment, [("A".to_owned(), "b".to_owned())]);
}
