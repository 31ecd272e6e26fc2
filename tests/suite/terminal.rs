//! The terminal of the user: a build can not type into it, and what it shows can not command it.

use serde_json::json;
use tests::decoy::secret;
use tests::{Fault, Gate, Identity, Run, Screen, Sdist, Setting, World, release};

use crate::site;

#[test]
fn a_build_that_types_into_the_terminal_types_nothing() {
    if !site().python(Identity::Caller).can("typing into terminals") {
        site()
            .unrun
            .note("TIOCSTI, which this kernel has switched off");
        return;
    }
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let typed = secret();
        let targets = json!({"typed": typed});

        let deed = world.lay(
            "d",
            &Sdist::fixture("types_into_the_terminal").targets(&targets),
        );
        let file = world.file("typed/control", "");
        let control = Run::new(&world, world.python().path.as_os_str())
            .args(["-I", "-B"])
            .args([
                deed.join("control.py"),
                deed.clone(),
                deed.join("targets.json"),
            ])
            .unconfined()
            .in_terminal(&file)
            .finish_anyhow();
        let found = std::fs::read_to_string(&file).expect("the terminal's input was kept");
        assert!(
            found.contains(&typed),
            "the control must type into its terminal: {control}"
        );

        let sdist = Sdist::fixture("types_into_the_terminal").targets(&targets);
        let file = world.file("typed/build", "");
        let done = world.build(&sdist).in_terminal(&file).finish();
        done.succeeds();
        assert_eq!(world.delivered(), [sdist.wheel()], "{done}");
        let found = std::fs::read_to_string(&file).expect("the terminal's input was kept");
        assert_eq!(found, "", "the build typed into the terminal: {done}");
    }
}

#[test]
fn what_a_build_prints_can_not_command_the_terminal() {
    let world = crate::world();
    let text = "print('\\x1b]0;owned\\x07\\x1b[31m\\x9b2Jcolour\\rover\\x08')";
    let done = world
        .build(&Sdist::hello("painter", "1.0").prologue(text))
        .args(["-v"])
        .finish();
    done.built("painter-1.0-py3-none-any.whl");
    assert!(
        done.stderr.contains("colour"),
        "the output is shown: {done}"
    );
    for sign in ['\x1b', '\x07', '\u{9b}', '\x08'] {
        assert!(
            !done.stderr.contains(sign),
            "{sign:?} reached the terminal: {done}"
        );
    }
}

/// A build that says something and waits.
fn waiting(name: &str, says: &str) -> Sdist {
    let text = format!("print({says:?}, flush=True)\nimport hold\nhold.until_released()");
    let hold = Sdist::waiting();
    let mut files = hold.files();
    let module = files
        .find(|(name, _)| *name == "hold.py")
        .expect("the fixture holds");
    Sdist::hello(name, "1.0")
        .file("hold.py", module.1)
        .prologue(&text)
}

/// The lines without the spinner that stand on a screen while two builds wait, and those at the end.
fn watched(world: &World<'_>, flags: &[&str]) -> (Screen, Screen, String) {
    let sdists = [
        waiting("one", "compiling part 1"),
        waiting("two", "compiling part 2"),
    ];
    let paths = sdists.each_ref().map(|sdist| world.archive(sdist));
    let file = world.file("typed", "");
    let run = world.wheels(paths).without(&["--output-format", "json"]);
    let run = run.args(["-j", "2"]).args(flags).env("TERM", "xterm");
    let mut running = run.in_terminal(&file).start();
    let first = running.wait_until_ready();
    let second = running.wait_until_ready_beside(std::slice::from_ref(&first));
    let builds = |text: &str| Screen::of(text).showed(&["one", "two"]);
    let shown = running.wait_until("both builds were shown", |running| {
        let text = running.stdout();
        // Not in the middle of an escape sequence.
        let text = text.get(..text.rfind('\r')?)?.to_owned();
        builds(&text).then_some(text)
    });
    for folder in [first, second] {
        release(&folder, "{}");
    }
    let done = running.finish();
    done.succeeds();
    (
        Screen::of(&shown),
        Screen::of(&done.stdout),
        done.stdout.clone(),
    )
}

#[test]
fn a_terminal_shows_all_builds_while_they_run_and_nothing_of_that_remains() {
    let world = crate::world();
    let (_, last, _) = watched(&world, &[]);
    // The backend is imported once, when the first hook is called.
    let stage = [
        "one: building (get_requires_for_build_wheel)",
        "two: building (get_requires_for_build_wheel)",
    ];
    assert!(last.showed(&stage), "{last:#?}");
    let lines = last.lines();
    let is = |words: &str| lines.iter().filter(|line| line.starts_with(words)).count();
    assert_eq!(is("built one"), 1, "{lines:?}");
    assert_eq!(is("built two"), 1, "{lines:?}");
    assert_eq!(is("2 built, 0 cached, 0 downloaded"), 1, "{lines:?}");
    // Two paths, and these three.
    assert_eq!(lines.len(), 5, "{lines:?}");
}

#[test]
fn a_verbose_terminal_shows_the_last_line_of_each_build_and_keeps_none_and_twice_verbose_keeps_all()
{
    let world = crate::world();
    let (_, last, _) = watched(&world, &["-v"]);
    let both = [
        "one: building (get_requires_for_build_wheel)  compiling part 1",
        "two: building (get_requires_for_build_wheel)  compiling part 2",
    ];
    assert!(last.showed(&both), "{last:#?}");
    let kept = |screen: &Screen| screen.lines().iter().any(|line| line.contains("compiling"));
    assert!(!kept(&last), "{:?}", last.lines());
    let world = crate::world();
    let (_, last, _) = watched(&world, &["-vv"]);
    assert!(kept(&last), "{:?}", last.lines());
}

#[test]
fn a_terminal_shows_how_much_of_a_download_is_there() {
    let world = crate::world();
    let sdist = Sdist::hello("large", "1.0").file("data", vec![b'x'; 300_000]);
    world.index.sdist(&sdist);
    let gate = Gate::default();
    let path = format!("/files/{}", sdist.filename("tar.gz"));
    world.index.fault(&path, Fault::Held(gate.clone()));
    let file = world.file("typed", "");
    let run = world
        .wheel("large==1.0")
        .without(&["--output-format", "json"]);
    let mut running = run.env("TERM", "xterm").in_terminal(&file).start();
    running.wait_until("a byte was shown", |running| {
        running.stdout().contains("fetching 1 B of ").then_some(())
    });
    gate.open();
    let done = running.finish();
    done.succeeds();
    let lines = Screen::of(&done.stdout).lines();
    assert!(
        !lines.iter().any(|line| line.contains("fetching")),
        "{lines:?}"
    );
}

#[test]
fn where_nobody_watches_each_step_is_a_plain_line() {
    let world = crate::world();
    let sdist = Sdist::hello("plain", "1.0");
    let path = world.archive(&sdist);
    let file = world.file("typed", "");
    let run = || {
        world
            .wheel(&path)
            .without(&["--output-format", "json"])
            .env("TERM", "xterm")
    };
    let in_ci = run()
        .env("CI", "true")
        .env("NO_COLOR", "1")
        .in_terminal(&file)
        .finish();
    let piped = run()
        .args(["--no-progress"])
        .args(["--force"])
        .out("again")
        .finish();
    for (done, text) in [(&in_ci, &in_ci.stdout), (&piped, &piped.stderr)] {
        done.succeeds();
        assert!(!text.contains('\x1b'), "{done}");
        assert!(text.contains("lowest level"), "{done}");
    }
    let steps = in_ci
        .stdout
        .lines()
        .filter(|line| line.contains("plain: building ("))
        .count();
    assert!(steps >= 2, "{in_ci}");
}
