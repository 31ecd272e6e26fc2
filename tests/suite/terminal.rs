//! The terminal of the user: a build can not type into it, and what it shows can not command it.

use serde_json::json;
use tests::decoy::secret;
use tests::{Identity, Run, Sdist, Setting, World};

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
