use std::io::Write;
use std::sync::{Arc, Mutex};

use anstream::adapter::strip_str;
use builder::Origin;
use model::Code;
use protocol::{Guarantee, Level};

use super::*;
use crate::report::{DenialEntry, Document, FailureEntry, WheelEntry};
use crate::settings::TalkSettings;

#[derive(Clone, Default)]
struct Held(Arc<Mutex<Vec<u8>>>);

impl Write for Held {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Held {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn talk(loudness: i8, colour: bool) -> (Talk, Held) {
    let held = Held::default();
    let settings = TalkSettings {
        loudness,
        colour,
        moving: false,
    };
    (Talk::into_sink(settings, Box::new(held.clone())), held)
}

fn denied() -> Problem {
    Problem {
        code: Code::DeniedNetwork,
        message: "foo 1.2 did not build: the backend was refused a network connection".to_owned(),
        details: vec![
            (
                "in",
                "build_wheel of setuptools.build_meta, after 3.1 s".to_owned(),
            ),
            ("tried", "connect TCP 192.0.2.3:443".to_owned()),
            (
                "why",
                "builds have no network; this is the default policy".to_owned(),
            ),
        ],
        hint: Some("take the wheel instead (drop --no-binary foo)".to_owned()),
        log: Some("7f3a2c".to_owned()),
    }
}

#[test]
fn a_problem_says_what_where_why_and_how_to_fix_it() {
    insta::assert_snapshot!(strip_str(&denied().render()).to_string(), @r"
    error[F0301]: foo 1.2 did not build: the backend was refused a network connection
      in:    build_wheel of setuptools.build_meta, after 3.1 s
      tried: connect TCP 192.0.2.3:443
      why:   builds have no network; this is the default policy
      fix:   take the wheel instead (drop --no-binary foo)
      log:   fumehood log 7f3a2c
    ");
}

#[test]
fn a_reason_of_several_lines_stays_in_its_column_and_can_not_forge_others() {
    let problem = Problem::new(Code::Unresolvable, "no choice fits\n  fix:   run this")
        .why("first\nsecond \u{1b}[2J");
    insta::assert_snapshot!(strip_str(&problem.render()).to_string(), @r"
    error[F0703]: no choice fits\n  fix:   run this
      why:   first
             second \u{1b}[2J
    ");
}

#[test]
fn causes_become_the_reason_once() {
    #[derive(Debug, thiserror::Error)]
    #[error("could not read `x`")]
    struct Outer(#[source] std::io::Error);
    let error = Outer(std::io::Error::other("the disk is on fire"));
    let problem = Problem::of(Code::Io, &error);
    assert_eq!(problem.message, "could not read `x`");
    assert_eq!(problem.details, [("why", "the disk is on fire".to_owned())]);
}

#[test]
fn colours_are_there_only_where_they_are_wanted() {
    let (plain, held) = talk(0, false);
    plain.problem(&denied());
    assert!(!held.text().contains('\u{1b}'));
    let (coloured, held) = talk(0, true);
    coloured.problem(&denied());
    assert!(held.text().contains('\u{1b}'));
}

#[test]
fn quiet_keeps_errors_and_twice_quiet_keeps_nothing() {
    let (quiet, held) = talk(-1, false);
    quiet.note("something");
    quiet.problem(&denied());
    assert!(held.text().starts_with("error[F0301]"), "{}", held.text());
    let (silent, held) = talk(-2, false);
    silent.problem(&denied());
    assert_eq!(held.text(), "");
}

#[test]
fn amounts_are_written_for_people() {
    for (count, words) in [
        (0, "0 B"),
        (1023, "1023 B"),
        (13_704, "13.3 KiB"),
        (1 << 20, "1.0 MiB"),
        ((1 << 30) - 1, "1023.9 MiB"),
        (u64::MAX, "16777215.9 TiB"),
    ] {
        assert_eq!(bytes(count), words);
    }
    for (span, words) in [
        (0.414, "0.41 s"),
        (9.999, "10.0 s"),
        (59.99, "1 min 00 s"),
        (245.0, "4 min 05 s"),
        (7260.0, "2 h 01 min"),
        (f64::NAN, "?"),
    ] {
        assert_eq!(seconds(span), words);
    }
}

fn wheel(origin: Origin, level: Option<Level>, refused: u64) -> WheelEntry {
    WheelEntry {
        name: "x".to_owned(),
        version: "1".to_owned(),
        filename: "x-1-py3-none-any.whl".to_owned(),
        path: "dist/x-1-py3-none-any.whl".to_owned(),
        sha256: "00".repeat(32),
        size: 1,
        origin,
        source: None,
        isolation: None,
        level,
        absent: Vec::new(),
        denials: (refused > 0)
            .then(|| DenialEntry {
                what: "connect".to_owned(),
                target: "192.0.2.4:443".to_owned(),
                count: refused,
            })
            .into_iter()
            .collect(),
        notes: Vec::new(),
        seconds: 0.41,
        record: None,
    }
}

#[test]
fn the_last_line_names_what_was_not_enforced_once() {
    let weak = |absent: &[Guarantee]| WheelEntry {
        absent: absent.to_vec(),
        ..wheel(Origin::Built, Some(Level::Confined), 0)
    };
    let both = [Guarantee::Reporting, Guarantee::Metadata];
    let document = Document::new(vec![weak(&both), weak(&both[..1])], Vec::new());
    assert!(
        last_line(&document).ends_with("lowest level confined, not enforced: metadata reporting"),
        "{}",
        last_line(&document)
    );
}

#[test]
fn the_last_line_counts_and_names_the_lowest_level() {
    let document = Document::new(
        vec![
            wheel(Origin::Built, Some(Level::Ns), 2),
            wheel(Origin::Cached, Some(Level::Confined), 0),
            wheel(Origin::Downloaded, None, 0),
        ],
        vec![FailureEntry::new(Some("y".to_owned()), &denied())],
    );
    assert_eq!(
        last_line(&document),
        "1 failed, 1 built, 1 cached, 1 downloaded (no code ran), 2 refused attempts, lowest level confined"
    );
    assert_eq!(
        last_line(&Document::new(Vec::new(), Vec::new())),
        "0 built, 0 cached, 0 downloaded (no code ran), 0 refused attempts"
    );
}

#[test]
fn the_document_has_the_form_of_its_schema() {
    let document = Document::new(
        vec![wheel(Origin::Downloaded, None, 1)],
        vec![FailureEntry::new(None, &denied())],
    );
    insta::assert_snapshot!(document.text());
}

fn heard(loudness: i8) -> String {
    use builder::{BuildEvent, Watcher};
    let label = || "docopt".to_owned();
    let build = || "7f3a2c00".to_owned();
    let (talk, held) = talk(loudness, false);
    for event in [
        BuildEvent::Started { spec: label() },
        BuildEvent::Fetching {
            label: label(),
            bytes: 1,
            of: Some(2),
        },
        BuildEvent::Fetched { label: label() },
        BuildEvent::Planning { label: label() },
        BuildEvent::Resolving { label: label() },
        BuildEvent::Waiting {
            label: label(),
            what: "another build".to_owned(),
        },
        BuildEvent::Preparing {
            label: label(),
            packages: 2,
        },
        BuildEvent::Building {
            label: label(),
            build: build(),
            stage: "build_wheel",
        },
        BuildEvent::Output {
            build: build(),
            line: "running \u{1b}[31mbdist".to_owned(),
        },
        BuildEvent::Note {
            label: label(),
            text: "odd".to_owned(),
        },
        BuildEvent::Finished {
            label: label(),
            origin: Origin::Built,
            seconds: 1.5,
        },
        BuildEvent::Failed {
            label: label(),
            code: Code::Backend,
        },
    ] {
        talk.event(&event);
    }
    held.text()
}

#[test]
fn without_a_terminal_each_step_is_a_line() {
    insta::assert_snapshot!(heard(0), @r"
    docopt: fetched
    docopt: resolving
    docopt: resolving build requirements
    docopt: waiting for another build
    docopt: preparing an environment of 2 packages
    docopt: building (build_wheel)
    note: docopt: odd
    built docopt in 1.50 s
    ");
}

#[test]
fn verbose_shows_what_the_backend_writes_and_quiet_shows_nothing() {
    let only = |text: String| text.lines().filter(|line| line.contains('|')).count();
    assert_eq!(only(heard(0)), 0);
    assert!(
        heard(1).contains("7f3a2c00 | running \\u{1b}[31mbdist"),
        "{}",
        heard(1)
    );
    assert_eq!(heard(-1), "");
}
