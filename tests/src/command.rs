//! How a run of the program is put together: arguments, environment, wrappers.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::killpoint::Order;
use crate::outcome::Outcome;
use crate::running::Running;
use crate::site::script;
use crate::world::World;

/// A run that has not begun.
#[derive(Debug)]
pub struct Run<'world, 'site> {
    world: &'world World<'site>,
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: PathBuf,
    wrappers: Vec<Vec<OsString>>,
    limit: Duration,
    grace: Duration,
    confined: bool,
    watched: bool,
}

impl<'world, 'site> Run<'world, 'site> {
    /// A run of any program in the world's setting, with a clean environment.
    #[must_use]
    pub fn new(world: &'world World<'site>, program: &OsStr) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let environment = [
            ("PATH", path),
            ("HOME", world.home().into()),
            ("LANG", "C.UTF-8".into()),
        ];
        Self {
            world,
            program: program.to_owned(),
            arguments: Vec::new(),
            environment: environment.map(|(name, value)| (name.into(), value)).into(),
            directory: world.folder("work"),
            wrappers: Vec::new(),
            limit: Duration::from_secs(120),
            grace: Duration::from_millis(1000),
            confined: true,
            watched: false,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<Word: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = Word>) -> Self {
        self.arguments
            .extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment
            .push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Adds the flags that name the world's cache, index and Python, and the output folder of a command that has one.
    #[must_use]
    pub fn places(self) -> Self {
        let world = self.world;
        let command = self.arguments.first();
        let delivers = command.is_some_and(|word| word == "wheel" || word == "build");
        let run = self
            .flag("--cache-dir", world.cache())
            .flag("-p", &world.python().path)
            .flag("--default-index", world.index.url());
        match delivers {
            true => run.flag("-o", world.out()),
            false => run,
        }
    }

    /// Asks for the JSON report.
    #[must_use]
    pub fn report(self) -> Self {
        self.args(["--output-format", "json"])
    }

    /// Takes flags and their values back: `--output-format json`, say.
    #[must_use]
    pub fn without(mut self, words: &[&str]) -> Self {
        let place = self
            .arguments
            .windows(words.len())
            .position(|part| part.iter().eq(words));
        let place = place.expect("the arguments hold what shall be taken back");
        self.arguments.drain(place..place + words.len());
        self
    }

    /// Adds a flag with its value.
    #[must_use]
    pub fn flag(self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.args([name.as_ref(), value.as_ref()])
    }

    /// Gives another value to a flag that the run has.
    ///
    /// # Panics
    /// When it has no such flag.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let flag = self.arguments.iter().position(|word| word == name);
        let flag = flag.expect("the run has the flag");
        value.as_ref().clone_into(&mut self.arguments[flag + 1]);
        self
    }

    /// Puts the wheels into another folder below the working folder.
    #[must_use]
    pub fn out(self, name: &str) -> Self {
        self.set("-o", name)
    }

    /// Runs in another folder.
    #[must_use]
    pub fn directory(mut self, directory: &Path) -> Self {
        directory.clone_into(&mut self.directory);
        self
    }

    /// Runs in a terminal of its own; what was typed into it is found in the file afterwards.
    #[must_use]
    pub fn in_terminal(mut self, typed: &Path) -> Self {
        let mut words = self.python();
        words.extend(["-c".into(), script("terminal.py").into(), typed.into()]);
        self.wrappers.push(words);
        self
    }

    /// Runs before a person at a terminal, who awaits something on the screen and then types some keys,
    /// again and again.
    #[must_use]
    pub fn typed(mut self, steps: &[(&str, &str)]) -> Self {
        let mut words = self.python();
        let steps = serde_json::to_string(steps).expect("text is JSON");
        words.extend(["-c".into(), script("typist.py").into(), steps.into()]);
        self.wrappers.push(words);
        self
    }

    /// Begins with descriptors that a shell opened: `exec 5<FILE`.
    #[must_use]
    pub fn holding(mut self, text: &str) -> Self {
        let whole = format!("{text}; exec \"$@\"");
        self.wrappers
            .push(["bash", "-c", &whole, "bash"].map(Into::into).into());
        self
    }

    /// Runs in mounts of its own: a shell script makes them and then runs `"$@"`. Its exit code 71 says that the
    /// host refuses them.
    #[must_use]
    pub fn in_own_mounts(mut self, text: &str) -> Self {
        let enter: &[&str] = if self.world.setting.identity.uid() == 0 {
            &["unshare", "--mount"]
        } else {
            &[
                "unshare",
                "--user",
                "--map-current-user",
                "--keep-caps",
                "--mount",
            ]
        };
        let mut words: Vec<OsString> = enter.iter().map(Into::into).collect();
        words.extend(["/bin/sh", "-c", text, "sh"].map(Into::into));
        self.wrappers.push(words);
        self
    }

    /// Runs another program instead, with the same arguments.
    #[must_use]
    pub(crate) fn program(mut self, program: &Path) -> Self {
        self.program = program.into();
        self
    }

    /// Starts another worker than the program itself, by a configuration file: no variable can.
    #[must_use]
    pub fn worker(self, program: &Path) -> Self {
        let file = self
            .world
            .file("worker.toml", format!("worker = {program:?}\n"));
        self.args(["--config-file".as_ref(), file.as_os_str()])
    }

    /// Runs on a system with this file in `/etc/fumehood`, whose account database gives the user the world's home: in
    /// mounts of its own, see [`Run::in_own_mounts`].
    #[must_use]
    pub fn on_system(self, configuration: &str) -> Self {
        let (world, uid) = (self.world, self.world.setting.identity.uid());
        let account = format!("me:x:{uid}:{uid}::{}:/bin/sh\n", world.home().display());
        world.file("etc/passwd", account);
        world.file("etc/fumehood/fumehood.toml", configuration);
        let etc = world.folder("etc");
        self.in_own_mounts(&format!(
            "mount -t overlay overlay -o lowerdir={}:/etc /etc || exit 71; exec \"$@\"",
            etc.display()
        ))
    }

    /// Runs under `strace`, which writes these calls of all processes to a file: see [`crate::trace`].
    #[must_use]
    pub fn traced(self, log: &Path, calls: &str) -> Self {
        self.traced_failing(log, calls, &[])
    }

    /// The same, and lets some of these calls fail: `linkat:error=EPERM`.
    #[must_use]
    pub fn traced_failing(mut self, log: &Path, calls: &str, faults: &[&str]) -> Self {
        let mut words: Vec<OsString> = ["strace", "-f", "-y", "-s", "4096", "-e"]
            .map(Into::into)
            .into();
        words.extend([format!("trace={calls}").into(), "-o".into(), log.into()]);
        for fault in faults {
            words.extend(["-e".into(), format!("inject={fault}").into()]);
        }
        self.wrappers.push(words);
        self
    }

    /// Runs under `strace`, which lets some calls of all processes fail: `linkat:error=EPERM`.
    #[must_use]
    pub fn failing(mut self, log: &Path, faults: &[&str]) -> Self {
        let mut words: Vec<OsString> = vec!["strace".into(), "-f".into(), "-o".into(), log.into()];
        for fault in faults {
            let call = fault.split(':').next().unwrap_or_default();
            words.extend(["-e".into(), format!("trace={call}").into()]);
            words.extend(["-e".into(), format!("inject={fault}").into()]);
        }
        self.wrappers.push(words);
        self
    }

    /// Runs under `strace`, which has every attempt to lock one file succeed and lock nothing.
    #[must_use]
    pub fn without_lock(mut self, log: &Path, file: &Path) -> Self {
        let mut words: Vec<OsString> = ["strace", "-f", "-e", "trace=flock"].map(Into::into).into();
        words.extend(["-e", "inject=flock:retval=0", "-P"].map(Into::into));
        words.extend([file.into(), "-o".into(), log.into()]);
        self.wrappers.push(words);
        self
    }

    /// Runs under the program `killer`, which writes down what the program's threads do to files, and ends the
    /// program where the order says so: see [`crate::killpoint`].
    #[must_use]
    pub fn watched(mut self, order: &Order) -> Self {
        let text = serde_json::to_string(order).expect("an order is JSON");
        let killer = self.world.site.killer();
        self.wrappers.push(vec![killer.into(), text.into()]);
        self.watched = true;
        self
    }

    /// Runs as the host has it whatever the setting denies: for controls.
    #[must_use]
    pub fn unconfined(mut self) -> Self {
        self.confined = false;
        self
    }

    /// How long the program may run.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// How long what the program leaves may take to end before it counts as left behind.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Returns the command alone, without a warden: for a program that stands by while another one is looked at.
    pub(crate) fn command(&self) -> Command {
        let words = self.words();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear();
        command
            .envs(self.environment.iter().cloned())
            .current_dir(&self.directory);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(uid) = self.world.setting.identity.other_uid() {
            command.uid(uid).gid(uid);
        }
        command
    }

    /// Starts the program.
    ///
    /// # Panics
    /// When the host can not start it.
    #[must_use]
    pub fn start(self) -> Running<'world, 'site> {
        let (ours, theirs) = UnixStream::pair().expect("a socket pair can be made");
        let mut command = Command::new(&self.world.site.warden);
        // The killer stays who it is, and makes the program somebody else's.
        let other = self.world.setting.identity.other_uid();
        if let Some(uid) = other.filter(|_| !self.watched) {
            command.arg("--uid").arg(uid.to_string());
        }
        command
            .arg(self.grace.as_millis().to_string())
            .args(self.words());
        command
            .env_clear()
            .envs(self.environment)
            .current_dir(&self.directory);
        command
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Running::new(
            self.world,
            command.spawn().expect("the warden starts"),
            ours,
            self.limit,
        )
    }

    /// Runs the program to its end and sees that nothing is left behind.
    #[must_use]
    pub fn finish(self) -> Outcome<'world, 'site> {
        self.start().finish()
    }

    /// Runs the program to its end, whatever it leaves behind.
    #[must_use]
    pub fn finish_anyhow(self) -> Outcome<'world, 'site> {
        self.start().finish_anyhow()
    }

    /// Returns the whole command: wrappers, the denying filter, the program, its arguments.
    fn words(&self) -> Vec<OsString> {
        let setting = self.world.setting;
        let dropping = self.world.site.without_watching(setting.identity);
        let mut words: Vec<OsString> = dropping.iter().map(Into::into).collect();
        words.extend(self.wrappers.concat());
        if let Some(denied) = setting.denied().filter(|_| self.confined) {
            words.extend(self.python());
            words.extend(["-c".into(), script("deny.py").into(), denied.into()]);
        }
        words.push(self.program.clone());
        words.extend(self.arguments.iter().cloned());
        words
    }

    fn python(&self) -> Vec<OsString> {
        let python = self.world.python().path.clone();
        vec![python.into(), "-I".into(), "-B".into()]
    }
}
