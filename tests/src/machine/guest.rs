//! In the machine: its first process, and the scenes one after the other.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use super::disk::PROGRAM;
use super::found::{Found, Line, Wish};
use super::groups::Groups;
use super::scenes;
use crate::prey::Deed;
use crate::setting::Identity;
use crate::site::Site;

/// The word by which the program tries the scenes.
pub const INSIDE: &str = "--inside";
/// Where the host listens.
const FOUND: &str = "/dev/ttyS1";

/// Makes the machine ready, has the scenes tried, and switches it off.
///
/// # Panics
/// When the machine can not be made ready; the kernel says so then, and the host hears no end.
pub fn first_process() -> ! {
    let run = |words: &[&str]| {
        let mut command = Command::new(words[0]);
        let status = command.args(&words[1..]).status();
        assert!(status.is_ok_and(|status| status.success()), "{words:?}");
    };
    run(&["mount", "-o", "remount,rw", "/"]);
    run(&["ip", "link", "set", "lo", "up"]);
    fs::create_dir_all("/dev/shm").expect("a folder can be made");
    run(&["mount", "-t", "tmpfs", "none", "/dev/shm"]);
    fs::set_permissions("/tmp", fs::Permissions::from_mode(0o1777)).expect("it is there");
    let mut suite = Command::new(PROGRAM);
    suite.arg(INSIDE).stdin(Stdio::null());
    #[expect(
        clippy::zombie_processes,
        reason = "it is waited for with all that falls to this process"
    )]
    let suite = suite.spawn().expect("the program can be started");
    let suite = Pid::from_raw(i32::try_from(suite.id()).expect("a pid fits"));
    // Orphans fall to this process.
    while let Ok(status) = waitpid(None, None) {
        let is_last = matches!(status, WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..) if pid == suite);
        if is_last {
            break;
        }
    }
    nix::unistd::sync();
    fs::write("/proc/sysrq-trigger", "o").expect("the machine can be switched off");
    // The kernel does it in its own time, and would take the end of this process for a mishap.
    loop {
        nix::unistd::pause();
    }
}

/// Tries every scene and tells the host of each.
///
/// # Panics
/// When the host can not be told.
pub fn inside() {
    // A scene that does not hold panics; that is told as such.
    std::panic::set_hook(Box::new(|_| {}));
    let controllers = Groups::mount();
    let beside = |name: &str| Path::new(PROGRAM).with_file_name(name);
    let path = |name: &str| beside(name).display().to_string();
    let site = Site::new(&path("fumehood-under-test"), &path("warden"), &path("tmp"));
    let wish = fs::read(beside("wish.json")).expect("the host wrote it");
    let wish: Wish = serde_json::from_slice(&wish).expect("the host wrote it");
    let deeds: Vec<_> = wish.deeds.iter().map(|name| Deed::named(name)).collect();
    let host = OpenOptions::new().write(true).open(FOUND);
    let host = Mutex::new(host.expect("the host listens"));
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    tell(
        &host,
        &Line::Kernel {
            release: release.trim().to_owned(),
            landlock: site.python(Identity::Caller).landlock(),
            controllers,
        },
    );
    for setting in scenes::settings(&site) {
        let groups = Groups::of(setting.identity.uid());
        let name = setting.to_string();
        let scenes = scenes::of(&site, setting, &deeds).into_iter();
        for scene in scenes.filter(|scene| wish.has(&name, &scene.name)) {
            let seen = catch_unwind(AssertUnwindSafe(|| scene.play(&site, &groups)));
            let seen = seen.map_err(|panic| {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                text.unwrap_or("it panicked").to_owned()
            });
            let found = Found {
                setting: name.clone(),
                scene: scene.name,
                seen,
            };
            tell(&host, &Line::Scene(found));
        }
    }
    tell(&host, &Line::End);
}

fn tell(host: &Mutex<File>, line: &Line) {
    let text = serde_json::to_string(line).expect("a line is JSON");
    let mut host = host.lock().expect("nobody panics while telling");
    writeln!(host, "{text}").expect("the host listens");
    let mut console = std::io::stderr().lock();
    let _ = writeln!(console, "{text}");
}
