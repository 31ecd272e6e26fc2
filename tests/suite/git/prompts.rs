//! Whom git would ask for a login, by the settings of the user, of the system or at the terminal: nobody.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use model::Code;
use tests::{GitServer, Repository, Run, Setting, World, search};

use crate::site;

const LOGIN: &str = "me:s3cret-s3cret";
/// The same as servers are sent it.
const ENCODED: &str = "bWU6czNjcmV0LXMzY3JldA==";

/// What a user or a system could have that answers for them: each leaves a mark or logs in.
struct Answers<'world> {
    world: &'world World<'static>,
    marks: PathBuf,
    server: GitServer,
    ask: PathBuf,
    /// Settings with a helper, and with a header.
    helper: String,
    header: String,
}

impl<'world> Answers<'world> {
    fn new(world: &'world World<'static>) -> Self {
        let marks = world.folder("marks");
        let server = GitServer::start(world, "served", None, LOGIN);
        Repository::hello(world, "repository").publish(server.root(), "hello");
        let program = |name: &str, says: &str| {
            let text = format!("#!/bin/sh\necho ran > {}/{name}\n{says}\n", marks.display());
            let path = world.file(format!("answers/{name}"), text);
            let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs::set_permissions(&path, everybody).expect("a mode can be set");
            path
        };
        let says = "case $1 in Username*) echo me ;; *) echo s3cret-s3cret ;; esac";
        let ask = program("ask", says);
        let says = "echo username=me; echo password=s3cret-s3cret";
        let helper = program("helper", says);
        let helper = format!(
            "[credential]\n\thelper = {}\n[core]\n\taskPass = {}\n",
            helper.display(),
            ask.display()
        );
        let header = format!("[http]\n\textraHeader = Authorization: Basic {ENCODED}\n");
        Self {
            world,
            marks,
            server,
            ask,
            helper,
            header,
        }
    }

    fn url(&self) -> String {
        let url = self.server.url("", "hello");
        url.trim_start_matches("git+").to_owned()
    }

    /// Mounts in which the system has these settings.
    fn system(&self, settings: &str) -> String {
        let file = system_file();
        let folder = file.parent().expect("a file lies in a folder").display();
        let ours = self.world.file("system/gitconfig", settings);
        let ours = ours.parent().expect("a file lies in a folder").display();
        format!(
            "mount -t overlay overlay -o lowerdir={ours}:{folder} {folder} || exit 71; exec \"$@\""
        )
    }

    /// git as the user has it, which asks the server.
    fn control(&self, home: &Path) -> Run<'_, 'static> {
        let run = Run::new(self.world, "/usr/bin/env".as_ref()).unconfined();
        let url = self.url();
        run.env("HOME", home).args(["git", "ls-remote", &url])
    }

    fn marks(&self) -> Vec<PathBuf> {
        search::files(&self.marks)
    }

    /// Whether the server was ever shown the login.
    fn told(&self) -> bool {
        let asked = self.server.requests();
        asked.iter().any(|line| line.contains(ENCODED))
    }
}

/// The system's settings, as the git of this host looks for them; `/etc/gitconfig` where it does not tell.
fn system_file() -> PathBuf {
    let asked = Command::new("git")
        .args(["var", "GIT_CONFIG_SYSTEM"])
        .output();
    let asked = asked.ok().filter(|answer| answer.status.success());
    let told = asked.and_then(|answer| String::from_utf8(answer.stdout).ok());
    told.and_then(|text| text.lines().next().map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("/etc/gitconfig"))
}

#[test]
fn where_a_server_wants_a_login_nothing_of_user_or_system_answers_and_no_terminal_is_asked() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let answers = Answers::new(&world);
        let both = format!("{}{}", answers.helper, answers.header);
        for name in ["home/.gitconfig", "home/.config/git/config"] {
            world.file(name, &both);
        }
        let typed = world.folder("work").join("typed");
        let run = world
            .wheel(answers.server.url("", "hello"))
            .env("GIT_ASKPASS", &answers.ask)
            .env("SSH_ASKPASS", &answers.ask)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("DISPLAY", ":0")
            .env("XDG_CONFIG_HOME", world.home().join(".config"))
            .in_own_mounts(&answers.system(&both))
            .in_terminal(&typed);
        let done = run.finish();
        if done.code == Some(71) {
            site().unrun.note("mounts of its own");
            return;
        }
        done.exits_with(Code::GitFailed);
        assert!(done.stdout.contains(Code::GitFailed.text()), "{done}");
        // git says what it could not ask.
        let shown = done.stdout.replace("could not read Username for", "");
        for question in ["Username for", "Password for", "s3cret"] {
            assert!(!shown.contains(question), "{done}");
        }
        assert!(!answers.server.requests().is_empty(), "it was asked");
        assert!(!answers.told(), "{:?}", answers.server.requests());
        assert_eq!(answers.marks(), Vec::<PathBuf>::new(), "{done}");
    }
}

#[test]
fn each_of_these_answers_gits_own_user() {
    let world = World::new(site(), Setting::PLAIN);
    let answers = Answers::new(&world);
    let empty = world.folder("empty");
    let runs = |name: &str, run: Run<'_, '_>| {
        let done = run.finish();
        if done.code == Some(71) {
            site().unrun.note("mounts of its own");
            return;
        }
        done.succeeds();
        let mark = answers.marks.join(name);
        assert_eq!(fs::read_to_string(&mark).ok().as_deref(), Some("ran\n"));
        fs::remove_file(mark).expect("a mark can be removed");
    };
    world.file("home/.gitconfig", &answers.helper);
    runs("helper", answers.control(&world.home()));
    let system = answers.control(&empty);
    runs(
        "helper",
        system.in_own_mounts(&answers.system(&answers.helper)),
    );
    runs(
        "ask",
        answers.control(&empty).env("GIT_ASKPASS", &answers.ask),
    );

    world.file("home/.gitconfig", &answers.header);
    answers.control(&world.home()).finish().succeeds();
    let steps = [
        ("Username for", "me\r"),
        ("Password for", "s3cret-s3cret\r"),
    ];
    let done = answers.control(&empty).typed(&steps).finish();
    done.succeeds();
    assert!(done.stdout.contains("refs/heads/main"), "{done}");
}
