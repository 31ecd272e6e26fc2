//! Scratches that are kept are entered again, by the command that the build printed, confined as it was.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;

use model::Code;
use protocol::Level;
use tests::{Outcome, Run, Sdist, Setting, World};

use crate::{site, world};

/// A build that leaves a file and fails.
fn failing() -> Sdist {
    Sdist::hello("failing", "1.0")
        .prologue("open('left', 'w').write('by the build\\n')\nraise OSError('no')")
}

/// Builds it, keeping the scratch, and returns the words of the command that enters it.
fn keep(world: &World<'_>, run: Run<'_, '_>) -> Vec<String> {
    let done = run.args(["--keep-scratch"]).finish_anyhow();
    done.exits_with(Code::Backend);
    assert_eq!(world.scratches().len(), 1, "one scratch is kept: {done}");
    entering(&done)
}

/// Returns the words of the command that a run printed.
pub(crate) fn entering(done: &Outcome<'_, '_>) -> Vec<String> {
    let line = done
        .stderr
        .lines()
        .find_map(|line| line.split_once("confined as the build was: fumehood "));
    let (_, words) = line.unwrap_or_else(|| panic!("no command is printed: {done}"));
    words.split(' ').map(str::to_owned).collect()
}

/// Runs shell text in the scratch.
fn inside<'world>(
    world: &'world World<'static>,
    words: &[String],
    text: &str,
) -> Outcome<'world, 'static> {
    let run = world.run(words).args(["--", "sh", "-c", text]);
    run.finish_anyhow()
}

/// Says what of the kernel's locks is closed, from within.
const LOCKS: &str = "while read -r name rest; do case $name in \
    NoNewPrivs:|Seccomp:|CapEff:|CapBnd:) echo $name $rest;; esac; done < /proc/self/status";

#[test]
fn a_kept_scratch_is_entered_with_the_command_that_was_printed() {
    for setting in Setting::all(site())
        .into_iter()
        .chain(Setting::lower(site()))
    {
        let world = World::new(site(), setting);
        let words = keep(&world, world.build(&failing()));
        let text = "cat left; pwd; echo \"$HOME\"; python -c 'import hello_backend' 2>&1 | tail -1; \
            echo by a person > note; test -f \"$HOME/.netrc\" && echo decoys";
        let done = inside(&world, &words, text);
        done.succeeds();
        let lines: Vec<_> = done.stdout.lines().collect();
        assert_eq!(lines[0], "by the build", "{done}");
        let scratch = &world.scratches()[0];
        let rooms = match setting.level() {
            Level::Ns | Level::NsOnly => Path::new("/b"),
            _ => scratch,
        };
        assert_eq!(Path::new(lines[1]), rooms.join("s"), "{done}");
        assert_eq!(Path::new(lines[2]), rooms.join("h"), "{done}");
        assert_eq!(lines.last(), Some(&"decoys"), "{done}");
        let note = std::fs::read_to_string(scratch.join("s/note")).expect("the scratch stays");
        assert_eq!(note, "by a person\n");
        assert!(
            inside(&world, &words, "exit 7").code == Some(1),
            "a failure is told"
        );
    }
}

#[test]
fn who_enters_a_scratch_is_confined_as_its_build_was() {
    let probe = "import socket, os\n\
        def tried(what, act):\n    \
            try: act(); print(what, 'done')\n    \
            except OSError: print(what, 'refused')\n\
        tried('secret', lambda: open(@SECRET@).read())\n\
        tried('plant', lambda: open(@PLANT@, 'w'))\n\
        tried('connect', lambda: socket.create_connection(('127.0.0.1', @PORT@), 5))\n\
        tried('signal', lambda: os.kill(@PID@, 0))\n";
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let secret = world.file("mine/secret", "of mine");
        let plant = world.folder("mine").join("planted");
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port of the loopback");
        let number = port.local_addr().expect("its number").port();
        let fill = |text: &str| {
            text.replace("@SECRET@", &format!("{:?}", secret.display().to_string()))
                .replace("@PLANT@", &format!("{:?}", plant.display().to_string()))
                .replace("@PORT@", &number.to_string())
                .replace("@PID@", &std::process::id().to_string())
        };
        let control = Run::new(&world, world.python().path.as_os_str())
            .args(["-c", &fill(probe).replace("os.kill(", "(lambda *_: 0)(")])
            .unconfined()
            .finish_anyhow();
        let all = ["secret done", "plant done", "connect done", "signal done"];
        assert_eq!(control.stdout.lines().collect::<Vec<_>>(), all, "{control}");
        std::fs::remove_file(&plant).expect("the control has planted it");

        let locks = format!("import os, sys; sys.stdout.flush(); os.system({LOCKS:?})\n");
        let sdist = Sdist::hello("prober", "1.0").prologue(&format!("{}{locks}", fill(probe)));
        let built = world.build(&sdist).args(["--keep-scratch"]).finish_anyhow();
        built.built(&sdist.wheel());
        let words = entering(&built);
        let log = world
            .run(["log", &words[1], "--cache-dir"])
            .args([world.cache()])
            .finish_anyhow();
        let by_build: Vec<_> = log.stdout.lines().take(8).map(str::to_owned).collect();
        let done = world
            .run(&words)
            .args(["--", "python", "-c", &format!("{}{locks}", fill(probe))])
            .finish_anyhow();
        done.succeeds();
        let by_person: Vec<_> = done.stdout.lines().map(str::to_owned).collect();
        let refused = all.map(|one| one.replace("done", "refused"));
        assert_eq!(by_person[..4], refused, "{done}");
        assert_eq!(
            by_person,
            by_build[..by_person.len()],
            "the same holds: {log}{done}"
        );
        assert!(!plant.exists());
        assert!(
            done.stderr.contains("refused: socket") || done.stderr.contains("refused: connect"),
            "{done}"
        );
    }
}

#[test]
fn a_person_at_a_terminal_gets_a_terminal_that_is_not_theirs() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let words = keep(&world, world.build(&failing()));
        // What the first line draws retitles nothing; what runs is interrupted by a key; the last line
        // says how large the terminal is.
        let done = world
            .run(&words)
            .typed(&[
                (") $ ", "printf '\\033]0;ow''ned\\007\\033[31mr''ed'\r"),
                (") $ ", "sh -c 'echo r\"\"eady; exec sleep 600'\r"),
                ("ready", "\u{3}"),
                (") $ ", "stty size; echo in''side > typed\r"),
                (") $ ", "exit 0\r"),
            ])
            .finish_anyhow();
        done.succeeds();
        assert!(done.stdout.contains("43 171"), "{done}");
        assert!(
            done.stdout.contains("\u{1b}[31mred"),
            "colours pass: {done}"
        );
        assert!(!done.stdout.contains("\u{1b}]"), "a title does not: {done}");
        assert!(done.stdout.contains("the terminal is as it was"), "{done}");
        let typed = world.scratches()[0].join("s/typed");
        assert_eq!(
            std::fs::read_to_string(typed).ok().as_deref(),
            Some("inside\n"),
            "{done}"
        );
    }
}

#[test]
fn nobody_types_into_the_terminal_from_a_kept_scratch() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let words = keep(&world, world.build(&failing()));
        let text = "import fcntl, termios\nfor one in (0, 1, 2):\n    \
            try: fcntl.ioctl(one, termios.TIOCSTI, b'x'); print('typed')\n    \
            except OSError as error: print('refused', error.errno)";
        let file = world.file("typed/shell", "");
        let done = world
            .run(&words)
            .args(["--", "python", "-c", text])
            .in_terminal(&file)
            .finish_anyhow();
        done.succeeds();
        assert_eq!(done.stdout.matches("refused 1").count(), 3, "{done}");
        assert_eq!(
            std::fs::read_to_string(&file).ok().as_deref(),
            Some(""),
            "{done}"
        );
    }
}

#[test]
fn values_of_declared_variables_are_in_no_kept_scratch() {
    let world = world();
    let run = world.build(&failing()).args(["--allow-env", "MY_TOKEN"]);
    let words = keep(&world, run.env("MY_TOKEN", "s3cr3t-value"));
    let done = inside(&world, &words, "echo \"is ${MY_TOKEN-not set}\"");
    assert_eq!(done.stdout, "is not set\n", "{done}");
    assert!(done.stderr.contains("are missing: MY_TOKEN"), "{done}");
    assert_eq!(tests::search::find(&world.cache(), b"s3cr3t-value"), None);
}

#[test]
fn a_scratch_that_is_not_kept_or_is_in_use_is_not_entered() {
    let world = world();
    let done = world.build(&failing()).finish();
    let log = done.report().failures[0].log.clone().expect("a log");
    let id = log.rsplit(' ').next().expect("an id").to_owned();
    let cache = world.cache();
    let shell = |id: &str| world.run(["shell", id, "--cache-dir"]).args([&cache]);
    let refused = shell(&id).finish();
    refused.says(Code::BadFlag);
    assert!(refused.stderr.contains("--keep-scratch"), "{refused}");
    shell("none").finish().says(Code::BadFlag);

    let words = keep(&world, world.build(&failing()));
    let nested = std::fs::File::open(world.scratches()[0].join("lease")).expect("its lease");
    nested.lock().expect("nobody has it");
    let busy = inside(&world, &words, "true");
    busy.says(Code::BadFlag);
    assert!(busy.stderr.contains("already"), "{busy}");
    drop(nested);
    inside(&world, &words, "true").succeeds();
}

#[test]
fn a_kept_scratch_is_not_entered_above_a_ceiling_that_came_later() {
    let world = world();
    let folder = world.folder("granted");
    let run = world
        .build(&failing())
        .args(["--allow-read".as_ref(), folder.as_os_str()]);
    let words = keep(&world, run);
    for (ceiling, code) in [
        ("allow-read = ['/opt']", Code::Ceiling),
        ("policies = ['pure']", Code::Ceiling),
        ("allow-read = ['/']", Code::Bug),
    ] {
        let run = world.run(&words).args(["--", "true"]);
        let done = run
            .on_system(&format!("[ceiling]\n{ceiling}\n"))
            .finish_anyhow();
        match code {
            Code::Ceiling => done.says(code),
            _ => done.succeeds(),
        };
    }
}

#[test]
fn files_of_a_build_whose_uid_is_anothers_by_now_are_the_shells() {
    if Setting::PLAIN.identity.uid() != 0 {
        site().unrun.note("uids of builds, which only root gives");
        return;
    }
    let world = world();
    let words = keep(&world, world.build(&failing()));
    let scratch = world.scratches().remove(0);
    let left = scratch.join("s/left");
    let owner = || left.metadata().expect("it is kept").uid();
    let before = owner();
    let link = scratch.join("s/link");
    let mine = world.file("mine/file", "of mine");
    std::os::unix::fs::symlink(&mine, &link).expect("a link can be made");
    std::os::unix::fs::lchown(&link, Some(before), Some(before)).expect("root gives it away");
    // As long as this name is bound, no build gets the uid.
    let name = format!("fumehood-build-uid-{before}");
    let address = SocketAddr::from_abstract_name(name);
    let bound = UnixListener::bind_addr(&address.expect("a name"));
    let done = inside(&world, &words, "echo more >> left && id -u");
    done.succeeds();
    let uid = done.stdout.trim().parse::<u32>().expect("a number");
    assert_eq!(owner(), uid, "{done}");
    if bound.is_ok() {
        assert_ne!(uid, before, "{done}");
    }
    let mine = mine.metadata().expect("it is there").uid();
    assert_eq!(mine, 0, "no link is followed");
}
