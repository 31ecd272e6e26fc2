//! Scripts that stand by as the user of a world: victims, keepers of secrets.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::site::script;
use crate::world::World;

/// A script that stands by while a program runs. Ended on drop.
#[derive(Debug)]
pub struct Companion {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Companion {
    /// Starts one of the suite's scripts as the world's user and tells it one line.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(
        world: &World<'_>,
        name: &str,
        arguments: &[&str],
        told: &serde_json::Value,
    ) -> Self {
        let setting = world.setting;
        let dropping = world.site.without_watching(setting.identity).iter();
        let mut words = dropping
            .map(OsStr::new)
            .chain([world.python().path.as_os_str()]);
        let mut command = Command::new(words.next().expect("at least the interpreter"));
        command
            .args(words)
            .args(["-I", "-B", "-c", &script(name)])
            .args(arguments)
            .current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(uid) = setting.identity.other_uid() {
            command.uid(uid).gid(uid);
        }
        command
            .env_clear()
            .env("FIXTURE", told["environment"].as_str().unwrap_or_default());
        let mut child = command.spawn().expect("Python starts");
        let output = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        let mut companion = Self { child, output };
        companion.tell(&told.to_string());
        companion
    }

    /// Returns its pid.
    ///
    /// # Panics
    /// Never: a pid fits.
    #[must_use]
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid fits")
    }

    /// Writes a line to it.
    ///
    /// # Panics
    /// When it has ended.
    pub fn tell(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("standard input is a pipe");
        writeln!(input, "{line}").expect("the companion reads");
    }

    /// Reads a line of JSON from it.
    ///
    /// # Panics
    /// When it says anything else.
    pub fn hear(&mut self) -> serde_json::Value {
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .expect("the companion writes");
        serde_json::from_str(&line).expect("the companion writes JSON")
    }

    /// Tells it that nothing more is asked and waits until it has ended by itself, having removed what it laid out.
    pub fn dismiss(&mut self) {
        drop(self.child.stdin.take());
        let _ = io::copy(&mut self.output, &mut io::sink());
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
