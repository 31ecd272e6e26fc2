//! A program that runs: what it says, which processes it has, how it ends.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::outcome::Outcome;
use crate::processes::{self, Process};
use crate::world::World;

/// How often a running program is looked at while a test waits for something to become true.
const LOOK: Duration = Duration::from_millis(5);

/// Bytes that a thread collects from a stream.
type Collected = Arc<Mutex<Vec<u8>>>;

/// A program under the warden. Ended, with all that it started, on drop.
#[derive(Debug)]
pub struct Running<'world, 'site> {
    world: &'world World<'site>,
    warden: Child,
    link: UnixStream,
    told: Receiver<String>,
    program: i32,
    ended: Option<String>,
    left: Vec<String>,
    empty: bool,
    output: [Collected; 2],
    readers: Vec<JoinHandle<()>>,
    since: Instant,
    limit: Duration,
}

impl<'world, 'site> Running<'world, 'site> {
    pub(crate) fn new(
        world: &'world World<'site>,
        mut warden: Child,
        link: UnixStream,
        limit: Duration,
    ) -> Self {
        let (tell, told) = channel();
        let lines = BufReader::new(link.try_clone().expect("a descriptor can be copied"));
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        let output = [Collected::default(), Collected::default()];
        let readers = vec![
            collect(warden.stdout.take().expect("a pipe"), output[0].clone()),
            collect(warden.stderr.take().expect("a pipe"), output[1].clone()),
        ];
        let first = told.recv_timeout(limit).unwrap_or_else(|_| {
            panic!("the program did not start: {}", text(&output[1]));
        });
        let program = first
            .strip_prefix("started ")
            .and_then(|pid| pid.parse().ok());
        let program = program.expect("the warden begins with `started PID`");
        let since = Instant::now();
        Self {
            world,
            warden,
            link,
            told,
            program,
            ended: None,
            left: Vec::new(),
            empty: false,
            output,
            readers,
            since,
            limit,
        }
    }

    /// Returns the program's pid.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.program
    }

    /// Lists the processes of the run, orphans included.
    #[must_use]
    pub fn family(&self) -> Vec<Process> {
        let warden = i32::try_from(self.warden.id()).expect("a pid fits");
        processes::family(warden).into_iter().skip(1).collect()
    }

    /// Whether the program has ended, as far as the warden has told.
    pub fn has_ended(&mut self) -> bool {
        self.listen(Duration::ZERO);
        self.ended.is_some()
    }

    /// Returns what the program has written to standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        text(&self.output[1])
    }

    /// Returns what the program has written to standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        text(&self.output[0])
    }

    /// Sends a signal to the program alone.
    ///
    /// # Panics
    /// When it has ended.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.program), signal).expect("the program still runs");
    }

    /// Sends a signal as a terminal does: to the program's whole process group.
    ///
    /// # Panics
    /// When it has ended.
    pub fn signal_group(&self, signal: Signal) {
        nix::sys::signal::killpg(Pid::from_raw(self.program), signal)
            .expect("the program still runs");
    }

    /// Waits until something is true.
    ///
    /// # Panics
    /// When the program ends first, or it never becomes true.
    pub fn wait_until<T>(&mut self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            self.listen(LOOK);
            assert!(
                self.ended.is_none(),
                "the program ended before {what}: {}",
                self.so_far()
            );
            assert!(
                self.since.elapsed() < self.limit,
                "{what} did not come: {}",
                self.so_far()
            );
        }
    }

    /// Waits until the build says `ready`, and returns the folder in which it waits.
    ///
    /// # Panics
    /// When the program ends first.
    pub fn wait_until_ready(&mut self) -> PathBuf {
        self.wait_until_ready_looking(|_| {})
    }

    /// The same beside other builds that are ready already, in these folders.
    ///
    /// # Panics
    /// When the program ends first.
    pub fn wait_until_ready_beside(&mut self, others: &[PathBuf]) -> PathBuf {
        let cache = self.world.cache();
        self.wait_until("another build was ready", |_| {
            crate::world::scratches(&cache)
                .into_iter()
                .filter_map(|scratch| find_ready(&scratch, 3))
                .find(|folder| !others.contains(folder))
        })
    }

    /// The same, and looks at the run again and again meanwhile.
    ///
    /// # Panics
    /// When the program ends first.
    pub fn wait_until_ready_looking(&mut self, mut look: impl FnMut(&Self)) -> PathBuf {
        let cache = self.world.cache();
        self.wait_until("the build was ready", |running| {
            look(running);
            crate::world::scratches(&cache)
                .into_iter()
                .find_map(|scratch| find_ready(&scratch, 3))
        })
    }

    /// Waits until a build anywhere below a folder says `ready`; nothing when the program ends first or takes too long.
    pub(crate) fn ready_below(&mut self, root: &std::path::Path) -> Option<PathBuf> {
        loop {
            if let Some(folder) = find_ready(root, 10) {
                return Some(folder);
            }
            self.listen(LOOK);
            if self.ended.is_some() || self.since.elapsed() > self.limit {
                return None;
            }
        }
    }

    /// Waits for the end and sees that nothing is left behind: no process, no scratch, no partial file.
    #[must_use]
    pub fn finish(self) -> Outcome<'world, 'site> {
        let outcome = self.finish_anyhow();
        outcome.is_tidy();
        outcome
    }

    /// Waits for the end and says what is left.
    ///
    /// # Panics
    /// When the program takes too long.
    #[must_use]
    pub fn finish_anyhow(mut self) -> Outcome<'world, 'site> {
        while self.listen(LOOK * 20) {
            assert!(
                self.since.elapsed() < self.limit,
                "it did not end in time: {}",
                self.so_far()
            );
        }
        let seconds = self.since.elapsed();
        self.warden.wait().expect("the warden can be waited for");
        for reader in self.readers.drain(..) {
            reader.join().expect("a reader does not panic");
        }
        let ended = self
            .ended
            .take()
            .expect("the warden says how the program ended");
        let bytes = |stream: &Collected| stream.lock().expect("no reader panics").clone();
        let output = [bytes(&self.output[0]), bytes(&self.output[1])];
        Outcome::new(
            self.world,
            &ended,
            output,
            std::mem::take(&mut self.left),
            seconds,
        )
    }

    /// Takes in what the warden says; false when it has said everything.
    fn listen(&mut self, wait: Duration) -> bool {
        match self.told.recv_timeout(wait) {
            Ok(line) if line == "empty" => self.empty = true,
            Ok(line) => {
                if let Some(how) = line.strip_prefix("ended ") {
                    self.ended = Some(how.to_owned());
                } else if let Some(process) = line.strip_prefix("left ") {
                    self.left.push(process.to_owned());
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.empty = true,
        }
        !self.empty
    }

    fn so_far(&self) -> String {
        format!(
            "\n--- standard output\n{}\n--- standard error\n{}",
            text(&self.output[0]),
            text(&self.output[1])
        )
    }
}

impl Drop for Running<'_, '_> {
    fn drop(&mut self) {
        let _ = self.link.shutdown(std::net::Shutdown::Both);
        let _ = self.warden.wait();
    }
}

fn collect(mut from: impl Read + Send + 'static, into: Collected) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            into.lock()
                .expect("no reader panics")
                .extend_from_slice(&buffer[..count]);
        }
    })
}

fn text(stream: &Collected) -> String {
    String::from_utf8_lossy(&stream.lock().expect("no reader panics")).into_owned()
}

/// Looks for a file `ready` a few folders down and returns the folder that holds it.
pub(crate) fn find_ready(folder: &std::path::Path, depth: u32) -> Option<PathBuf> {
    if folder.join("ready").exists() {
        return Some(folder.to_owned());
    }
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut folders = folders.filter(|_| depth > 0);
    folders.find_map(|entry| find_ready(&entry.path(), depth - 1))
}
