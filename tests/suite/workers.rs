//! Workers that do not speak as a worker does: each ends the run with an error of its own.

use model::Code;
use protocol::{Claim, Ending, Event, Usage};
use tests::{Sdist, World};

use crate::world;

/// A run whose worker is a script with `body`; the link is descriptor 0.
fn with_worker(world: &World<'_>, body: &str, promise: &str) {
    use std::os::unix::fs::PermissionsExt;
    let text = format!(
        "#!{}\nimport os, struct\n{body}\n",
        world.python().path.display()
    );
    let script = world.file("worker", text);
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&script, mode).expect("an own file's mode can be set");
    let done = world
        .build(&Sdist::hello("hello", "1.0"))
        .worker(&script)
        .finish();
    done.fails_with(Code::WorkerLost);
    let talk = format!("{}{}", done.stdout, done.stderr);
    assert!(talk.contains(promise), "`{promise}` is not said: {done}");
}

#[test]
fn a_worker_that_sends_garbage_ends_the_run_with_words_for_it() {
    let body = "os.write(0, struct.pack('<I', 5) + b'\\xff' * 5); os.read(0, 1 << 20)";
    with_worker(&world(), body, "something that is no message");
}

#[test]
fn a_worker_that_announces_a_huge_message_is_not_listened_to() {
    let body = "os.write(0, struct.pack('<I', 1 << 24)); os.read(0, 1 << 20)";
    with_worker(&world(), body, "a frame of 16777216 bytes");
}

#[test]
fn a_worker_that_is_cut_off_in_the_middle_of_a_message_is_named_so() {
    let body = "os.read(0, 1 << 20); os.write(0, struct.pack('<I', 100) + b'1234')";
    with_worker(&world(), body, "cut off in the middle of a message");
}

#[test]
fn a_worker_that_vanishes_is_named_with_its_exit_status() {
    with_worker(
        &world(),
        "os.read(0, 1 << 20); os._exit(3)",
        "vanished before its last word (exit status: 3)",
    );
}

#[test]
fn a_worker_that_says_nothing_is_given_up() {
    // It reads until the link closes, which is what ends it.
    let body = "while os.read(0, 1 << 20): pass";
    with_worker(&world(), body, "silent for 30 s while setting itself up");
}

#[test]
fn a_worker_that_claims_a_result_before_it_is_confined_is_not_believed() {
    let claim = Event::Finished(Claim {
        ending: Ending::Nothing,
        usage: Usage::default(),
        killed: 0,
    });
    let frame = protocol::encode(&claim).expect("it fits a frame");
    let body = format!("os.read(0, 1 << 20)\nos.write(0, bytes({frame:?})); os.read(0, 1)");
    with_worker(&world(), &body, "out of turn");
}

#[test]
fn a_worker_that_can_not_be_started_is_named_with_its_path() {
    let world = world();
    let missing = world.folder("nothing").join("worker");
    let done = world
        .build(&Sdist::hello("hello", "1.0"))
        .worker(&missing)
        .finish();
    done.fails_with(Code::WorkerLost);
    let talk = format!("{}{}", done.stdout, done.stderr);
    assert!(talk.contains(&missing.display().to_string()), "{done}");
}
