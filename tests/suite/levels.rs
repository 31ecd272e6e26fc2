//! Levels below the default: what each holds and does not hold, and that nobody comes to one unasked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use model::Code;
use protocol::{Guarantee, Level};
use serde_json::{Value, json};
use tests::decoy::secret;
use tests::{Lacking, Outcome, Prey, Sdist, Setting, World, hostile};

use crate::limits::groups_are_there;
use crate::site;

/// The lower settings of the least privileged identity, and those of the caller.
fn settings() -> Vec<Setting> {
    let mut settings = Setting::lower(site());
    for setting in settings.clone() {
        if setting.of_caller() != setting {
            settings.push(setting.of_caller());
        }
    }
    // A filter that has a listener already is met in another way than a kernel that has none.
    let taken = settings
        .iter()
        .copied()
        .find(|setting| setting.lacking == Lacking::Listener);
    settings.extend(taken.map(|setting| Setting {
        lacking: Lacking::FreeListener,
        ..setting
    }));
    settings
}

/// What the vector has to be where a setting lacks something.
fn vector(setting: Setting) -> BTreeMap<&'static str, &'static str> {
    let in_namespaces = setting.level() == Level::NsOnly;
    let unscoped = setting.lacking == Lacking::Scopes;
    let listens = !matches!(setting.lacking, Lacking::Listener | Lacking::FreeListener);
    let held = |holds: bool| if holds { "enforced" } else { "absent" };
    let by_root = setting.identity.uid() == 0;
    // Counted from outside at least; by the kernel in a group, or under a uid of the build's own.
    let in_group = by_root && groups_are_there();
    let counted = |by_kernel: bool| if by_kernel { "enforced" } else { "partial" };
    BTreeMap::from([
        ("fs-read", "enforced"),
        ("fs-write", "enforced"),
        ("metadata", held(setting.holds_metadata())),
        ("ip-net", "enforced"),
        // Where no socket can be made nobody can call in.
        (
            "unix-net",
            if in_namespaces || unscoped {
                "enforced"
            } else {
                "partial"
            },
        ),
        ("signals", held(!unscoped)),
        ("ptrace", "enforced"),
        ("ipc", "enforced"),
        ("proc-view", "enforced"),
        ("orphan-kill", if unscoped { "partial" } else { "enforced" }),
        ("memory", counted(in_group)),
        ("pids", counted(in_group || (by_root && in_namespaces))),
        ("disk", "partial"),
        ("reporting", held(listens)),
    ])
}

#[test]
fn a_host_that_lacks_something_says_what_it_does_not_hold_and_builds_only_where_that_is_accepted() {
    for setting in settings() {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("careful", "1.0");
        let level = setting.level();
        if level < Level::Confined {
            let done = world
                .build(&sdist)
                .without(&["--min-isolation", level.word()])
                .finish();
            let failure = done.fails_with(Code::Isolation);
            let hint = failure.hint.unwrap_or_default();
            assert!(hint.contains(&format!("--min-isolation {level}")), "{done}");
        }
        let done = world.build(&sdist).finish();
        let isolation = done
            .built(&sdist.wheel())
            .isolation
            .expect("a built wheel tells its isolation");
        assert_eq!(isolation.level, level.word(), "{setting}: {done}");
        let told: BTreeMap<_, _> = isolation
            .guarantees
            .iter()
            .map(|(name, held)| (name.as_str(), held.as_str()))
            .collect();
        assert_eq!(told, vector(setting), "{setting}: {done}");
        let absent: Vec<_> = Guarantee::ALL
            .into_iter()
            .map(Guarantee::word)
            .filter(|name| told[name] == "absent")
            .collect();
        let last = done.stderr.trim_end().lines().last().unwrap_or_default();
        let named = last.split_once("not enforced: ").map(|(_, names)| names);
        assert_eq!(
            named.unwrap_or_default(),
            absent.join(" "),
            "{setting}: {done}"
        );
    }
}

#[test]
fn where_signals_are_not_scoped_a_build_has_no_socket_with_an_address() {
    let deed = "import errno, socket\n\
                one, other = socket.socketpair()\n\
                one.sendall(b'x')\n\
                assert other.recv(1) == b'x'\n\
                for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):\n    \
                    try:\n        \
                        socket.socket(socket.AF_UNIX, kind)\n    \
                    except OSError as error:\n        \
                        assert error.errno == errno.EACCES, error\n    \
                    else:\n        \
                        raise AssertionError(kind)";
    for setting in settings() {
        if setting.lacking != Lacking::Scopes {
            continue;
        }
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("paired", "1.0").prologue(deed);
        let done = world.build(&sdist).finish();
        let wheel = done.built(&sdist.wheel());
        let refused: BTreeSet<_> = wheel
            .denials
            .iter()
            .map(|denial| format!("{} {}", denial.what, denial.target))
            .collect();
        let kinds = ["stream", "seqpacket", "datagram"].map(|kind| format!("socket unix {kind}"));
        assert_eq!(refused, kinds.into(), "{done}");
    }
}

#[test]
fn without_a_listener_every_connect_is_refused_all_the_same() {
    let deed = "import errno, socket\n\
                listener = socket.socket(socket.AF_UNIX)\n\
                listener.bind('own.sock')\n\
                listener.listen(1)\n\
                caller = socket.socket(socket.AF_UNIX)\n\
                assert caller.connect_ex('own.sock') == errno.EACCES";
    for setting in settings() {
        if !matches!(setting.lacking, Lacking::Listener | Lacking::FreeListener) {
            continue;
        }
        let world = World::new(site(), setting);
        let hooks = format!(
            "import os\nif not os.path.exists('own.sock'):\n    {}",
            deed.replace('\n', "\n    ")
        );
        let sdist = Sdist::hello("unheard", "1.0").prologue(&hooks);
        let done = world.build(&sdist).finish();
        let wheel = done.built(&sdist.wheel());
        assert!(wheel.denials.is_empty(), "nobody listened: {done}");
    }
}

/// A secret that lies outside whatever root a build has.
struct Outside {
    secret: String,
    file: PathBuf,
}

impl Outside {
    fn lay(world: &World<'_>, ground: &Path) -> Self {
        let secret = secret();
        let file = world.file(ground.join("secret"), &secret);
        Self { secret, file }
    }
}

impl Prey for Outside {
    fn targets(&self) -> Value {
        json!({"fd": self.file, "cwd": self.file, "root": self.file})
    }

    fn possible(&self) -> BTreeSet<String> {
        ["told".to_owned()].into()
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        let told = done.tells(&self.secret).map(|_| "told".to_owned());
        told.into_iter().collect()
    }
}

#[test]
fn a_build_that_follows_what_its_reaper_holds_open_stays_where_it_is() {
    hostile(site(), "follows_descriptors", Outside::lay);
}
