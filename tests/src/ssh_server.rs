//! An ssh server on the loopback: one `sshd` a connection, with a key and settings of the test's own.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{User, geteuid};

use crate::world::World;

/// Where distributions have it; it wants to be started by its full path.
const SSHD: &str = "/usr/sbin/sshd";
/// As root it wants an empty folder of the system's, which is made where nobody else sees it.
const IN_OWN_MOUNTS: &str = "mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec \"$@\"";

/// A running server; it ends with the test's process.
#[derive(Debug)]
pub struct SshServer {
    port: u16,
    folder: PathBuf,
    user: String,
}

impl SshServer {
    /// Starts one that lets the key `key.pub` in; none where this host can not.
    ///
    /// # Panics
    /// When keys or settings can not be written.
    #[must_use]
    pub fn start(world: &World<'_>) -> Option<Self> {
        let root = geteuid().is_root();
        let can_mount = || {
            let done = Command::new("unshare").args(["--mount", "true"]).status();
            done.is_ok_and(|status| status.success())
        };
        if !Path::new(SSHD).is_file() || (root && !can_mount()) {
            world.site.unrun.note("sshd");
            return None;
        }
        let folder = world.folder("sshd");
        for name in ["host", "other", "key"] {
            make_key(&folder.join(name));
        }
        let at = folder.display();
        let settings = format!(
            "HostKey {at}/host\nAuthorizedKeysFile {at}/key.pub\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\nLogLevel VERBOSE\n\
             PermitRootLogin prohibit-password\n\
             SetEnv GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*\n"
        );
        let configuration = folder.join("sshd_config");
        fs::write(&configuration, settings).expect("a file can be written");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let log = folder.join("log");
        File::create(&log).expect("a file can be made");
        let mut words: Vec<String> = Vec::new();
        if root {
            let enter = ["unshare", "--mount", "/bin/sh", "-c", IN_OWN_MOUNTS, "sh"];
            words.extend(enter.map(str::to_owned));
        }
        let configuration = configuration.display().to_string();
        words.extend([SSHD, "-i", "-e", "-f", &configuration].map(str::to_owned));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let both = stream.try_clone().expect("a socket can be copied");
                let log = File::options().append(true).open(&log);
                let Ok(log) = log else { return };
                let mut process = Command::new(&words[0])
                    .args(&words[1..])
                    .stdin(OwnedFd::from(both))
                    .stdout(OwnedFd::from(stream))
                    .stderr(Stdio::from(log))
                    .spawn()
                    .expect("sshd starts");
                std::thread::spawn(move || drop(process.wait()));
            }
        });
        let user = User::from_uid(geteuid()).ok().flatten();
        Some(Self {
            port,
            folder,
            user: user.expect("the suite's user has a name").name,
        })
    }

    /// Returns the address of a repository of this host, as fumehood takes it.
    #[must_use]
    pub fn url(&self, repository: &Path) -> String {
        let (user, port) = (&self.user, self.port);
        format!("git+ssh://{user}@127.0.0.1:{port}{}", repository.display())
    }

    /// Gives a key that is let in to the user who runs the program, under a name in `~/.ssh`.
    ///
    /// # Panics
    /// When it can not be written.
    pub fn give_key(&self, world: &World<'_>, name: &str) {
        let text = fs::read(self.folder.join("key")).expect("a key was made");
        let path = world.file(Path::new("home/.ssh").join(name), text);
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(path, private).expect("a mode can be set");
    }

    /// Writes a key of this server, `host` or a wrong one, into the hosts that the user knows.
    ///
    /// # Panics
    /// When it can not be written.
    pub fn make_known(&self, world: &World<'_>, key: &str) {
        let text = fs::read_to_string(self.folder.join(format!("{key}.pub")));
        let line = format!(
            "[127.0.0.1]:{} {}",
            self.port,
            text.expect("a key was made")
        );
        world.file("home/.ssh/known_hosts", line);
    }

    /// Returns what it wrote to its log.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).expect("it was made")
    }
}

fn make_key(path: &Path) {
    let output = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "tests", "-f"])
        .arg(path)
        .output()
        .expect("ssh-keygen starts");
    assert!(output.status.success(), "{output:?}");
}
