//! One run of one program: how long, how much processor, how much memory.
//!
//! Each program gets a parent of its own, which is this program by another word: what the kernel counts for
//! ended children is then that program's alone, with all that it started and waited for.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};

/// By this word the program is the parent of one that is measured.
pub const MEASURE: &str = "measure";
/// Between two looks at the peak memory of the program itself; the kernel keeps the peak meanwhile.
const LOOK: Duration = Duration::from_millis(5);

/// What one run took.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Measured {
    /// From start to end, in seconds.
    pub wall: f64,
    /// Of the program and everything that it started and waited for, in seconds.
    pub cpu: f64,
    /// The most that the program itself held, in KiB, as last seen before its end.
    pub own_kib: u64,
    /// The most that any of its processes held, in KiB.
    pub largest_kib: u64,
    /// Whether it exited with 0.
    pub ok: bool,
}

impl Measured {
    /// Runs `command` with its output in `folder`, in the files `stdout` and `stderr`.
    ///
    /// # Panics
    /// When it can not be started, or fails; then its last words are shown.
    #[must_use]
    pub fn run(command: &Command, folder: &Path) -> Self {
        let own = std::env::current_exe().expect("the kernel knows this file");
        let mut parent = Command::new(own);
        parent
            .arg(MEASURE)
            .arg(folder)
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                parent.env(name, value);
            }
        }
        if let Some(directory) = command.get_current_dir() {
            parent.current_dir(directory);
        }
        let output = parent.output().expect("this program can be started");
        let measured: Self = serde_json::from_slice(&output.stdout).expect("figures are printed");
        if !measured.ok {
            let words = fs::read_to_string(folder.join("stderr")).unwrap_or_default();
            panic!("{command:?} failed:\n{words}");
        }
        measured
    }
}

/// Is the parent of the program that `words` name, after the folder for what it prints; prints the figures.
///
/// # Panics
/// When the program can not be started.
pub fn be_the_parent(mut words: impl Iterator<Item = String>) {
    let folder = words.next().expect("a folder");
    let program = words.next().expect("a program");
    let file = |name: &str| Stdio::from(File::create(Path::new(&folder).join(name)).expect("new"));
    let since = Instant::now();
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(file("stdout"))
        .stderr(file("stderr"))
        .spawn()
        .expect("the program can be started");
    let status = format!("/proc/{}/status", child.id());
    let (peak, ended) = (AtomicU64::new(0), AtomicBool::new(false));
    let (wall, ok) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                let now = peak_of(&status).unwrap_or(0);
                peak.fetch_max(now, Ordering::Relaxed);
                std::thread::park_timeout(LOOK);
            }
        });
        let status = child.wait().expect("a child can be waited for");
        ended.store(true, Ordering::Relaxed);
        (since.elapsed(), status.success())
    });
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts");
    let microseconds =
        usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    let measured = Measured {
        wall: wall.as_secs_f64(),
        cpu: Duration::from_micros(microseconds.unsigned_abs()).as_secs_f64(),
        own_kib: peak.load(Ordering::Relaxed),
        largest_kib: usage.max_rss().unsigned_abs(),
        ok,
    };
    let out = std::io::stdout();
    serde_json::to_writer(out, &measured).expect("standard output takes it");
}

fn peak_of(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
