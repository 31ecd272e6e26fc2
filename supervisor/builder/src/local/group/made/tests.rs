//! Groups of this kernel, where it lets some be made.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use super::super::parents::hand_on;
use super::*;

fn limits() -> Limits {
    let strict = policies::Policy::builtin("strict").expect("it is built in");
    strict.limits().clone()
}

/// A shell of its own, which ends when its standard input closes.
fn waiting(script: &str) -> Child {
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stderr(Stdio::null());
    shell.spawn().expect("a shell can be started")
}

/// Waits for a line and then starts more programs at once than four.
const STARTER: &str = "read line; cat | cat | cat | cat | cat | cat";

/// Lets a shell go on, and end.
fn end(mut shell: Child) {
    let mut input = shell.stdin.take().expect("a pipe");
    writeln!(input, "go on").expect("it listens");
    drop(input);
    shell.wait().expect("it ends");
}

#[tokio::test]
async fn a_group_is_leased_while_it_lives_and_gone_afterwards() {
    let parents = Parents::find();
    let mut idle = waiting("exec cat");
    let group = Group::around(idle.id(), &parents, "lease", &limits());
    let folders: Vec<_> = group.parts.iter().map(|part| part.folder.clone()).collect();
    assert_eq!(
        folders.len(),
        parents.all.len(),
        "every parent takes a group"
    );
    let mut guarantees = Guarantees::new();
    group.complete(&mut guarantees);
    let bounded = parents.all.iter().any(|parent| parent.memory);
    assert_eq!(
        guarantees[&Guarantee::Memory] == Enforcement::Enforced,
        bounded
    );
    for folder in &folders {
        sweep(folder.parent().expect("it lies in another"));
        let there = fs::read_to_string(folder.join("cgroup.procs")).expect("it is still there");
        assert_eq!(there.trim(), idle.id().to_string());
    }
    assert_eq!(group.refused(), Refused::default());
    drop(idle.stdin.take());
    idle.wait().expect("it ends");
    group.remove().await;
    for folder in &folders {
        assert!(!folder.exists(), "{}", folder.display());
    }
}

#[test]
fn a_group_without_a_lease_is_swept_and_one_with_a_process_is_not() {
    for parent in &Parents::find().all {
        let folder = parent.folder.join(name("forgotten"));
        let held = leased(&folder).expect("a group can be made");
        let mut idle = waiting("exec cat");
        fs::write(folder.join("cgroup.procs"), idle.id().to_string()).expect("it can be moved");
        drop(held);
        sweep(&parent.folder);
        assert!(folder.exists());
        drop(idle.stdin.take());
        idle.wait().expect("it ends");
        sweep(&parent.folder);
        assert!(!folder.exists());
    }
}

#[tokio::test]
async fn tasks_that_the_group_refused_are_told() {
    let mut few = limits();
    few.processes = 0;
    let parents = Parents::find();
    let counts = parents.all.iter().any(|parent| parent.pids);
    let shell = waiting(STARTER);
    let group = Group::around(shell.id(), &parents, "few", &few);
    let mut of_processes = few.clone();
    group.refuses_before(&mut of_processes);
    assert_eq!(of_processes.processes > few.processes, counts);
    assert!(!group.refused().tasks);
    end(shell);
    assert_eq!(group.refused().tasks, counts);
    group.remove().await;
}

#[tokio::test]
async fn tasks_that_a_group_further_up_refused_are_not_the_builds() {
    for parent in Parents::find().all.iter().filter(|parent| parent.pids) {
        let outer = parent.folder.join(name("outer"));
        let lease = leased(&outer).expect("a group can be made");
        if parent.version == Version::Two {
            hand_on(&outer).expect("its controllers are handed on");
        }
        fs::write(outer.join("pids.max"), "3").expect("it can be bounded");
        let parents = Parents::below(Parent {
            folder: outer.clone(),
            memory: false,
            ..parent.clone()
        });
        let shell = waiting(STARTER);
        let group = Group::around(shell.id(), &parents, "inner", &limits());
        end(shell);
        assert_eq!(group.refused(), Refused::default());
        group.remove().await;
        drop(lease);
        sweep(&parent.folder);
        assert!(!outer.exists());
    }
}
