//! Ends a program at a system call of it: `killer ORDER PROGRAM ARGUMENTS...`.
//!
//! The order is JSON ([`tests::killpoint::Order`]). The threads of the program are traced, the processes that it
//! starts are not. Which calls count is seen from outside alone: their numbers and arguments in `/proc`, the paths
//! in the program's memory and among its descriptors.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid};
use tests::killpoint::{Order, Seen, shape};

type Failure = Box<dyn std::error::Error>;

/// What a call is told, in the order of its arguments.
#[derive(Clone, Copy)]
enum Told {
    /// A path at this argument.
    Path(usize),
    /// A directory's descriptor at this argument, and a path after it.
    At(usize),
    /// A descriptor at this argument.
    Descriptor(usize),
    /// A directory's descriptor, a path, and flags at the third argument; counts if it makes a file.
    Open,
}

fn known(number: i64) -> Option<(&'static str, &'static [Told])> {
    use Told::{At, Descriptor, Open, Path};
    #[cfg(target_arch = "x86_64")]
    match number {
        libc::SYS_mkdir => return Some(("mkdir", &[Path(0)])),
        libc::SYS_rmdir => return Some(("rmdir", &[Path(0)])),
        libc::SYS_unlink => return Some(("unlink", &[Path(0)])),
        libc::SYS_chmod => return Some(("chmod", &[Path(0)])),
        libc::SYS_rename => return Some(("rename", &[Path(0), Path(1)])),
        libc::SYS_link => return Some(("link", &[Path(0), Path(1)])),
        libc::SYS_symlink => return Some(("symlink", &[Path(1)])),
        _ => {}
    }
    Some(match number {
        libc::SYS_mkdirat => ("mkdir", &[At(0)]),
        libc::SYS_unlinkat => ("unlink", &[At(0)]),
        libc::SYS_fchmodat => ("chmod", &[At(0)]),
        libc::SYS_fchmod => ("chmod", &[Descriptor(0)]),
        libc::SYS_renameat | libc::SYS_renameat2 => ("rename", &[At(0), At(2)]),
        libc::SYS_linkat => ("link", &[At(0), At(2)]),
        libc::SYS_symlinkat => ("symlink", &[At(1)]),
        libc::SYS_fsync | libc::SYS_fdatasync => ("sync", &[Descriptor(0)]),
        libc::SYS_write | libc::SYS_pwrite64 => ("write", &[Descriptor(0)]),
        libc::SYS_copy_file_range => ("write", &[Descriptor(2)]),
        libc::SYS_sendfile => ("write", &[Descriptor(0)]),
        libc::SYS_ftruncate => ("truncate", &[Descriptor(0)]),
        libc::SYS_openat => ("create", &[Open]),
        _ => return None,
    })
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "killer: {error}");
            ExitCode::from(98)
        }
    }
}

fn run() -> Result<ExitCode, Failure> {
    let mut arguments = std::env::args_os().skip(1);
    let order = arguments.next().ok_or("an order is missing")?;
    let order: Order = serde_json::from_slice(order.as_encoded_bytes())?;
    let program: Vec<OsString> = arguments.collect();
    // It waits for a line, so that it is traced before it is the program.
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "read line; exec \"$@\" </dev/null", "sh"])
        .args(program)
        .stdin(Stdio::piped());
    if let Some(uid) = order.uid {
        command.uid(uid).gid(uid);
    }
    let mut child = command.spawn()?;
    let pid = Pid::from_raw(i32::try_from(child.id())?);
    let options =
        Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
    ptrace::seize(pid, options)?;
    ptrace::interrupt(pid)?;
    waitpid(pid, Some(WaitPidFlag::__WALL))?;
    ptrace::syscall(pid, None)?;
    child.stdin.take().ok_or("a pipe")?.write_all(b"\n")?;
    let mut watch = Watch {
        log: File::create(&order.log)?,
        order,
        program: pid,
        seen: BTreeMap::new(),
        inside: BTreeSet::new(),
        leaving: BTreeSet::new(),
    };
    match watch.follow()? {
        WaitStatus::Signaled(_, signal, _) => {
            // Whoever waits for this process is told what happened to the program.
            kill(getpid(), signal)?;
            Ok(ExitCode::from(97))
        }
        WaitStatus::Exited(_, code) => Ok(ExitCode::from(u8::try_from(code)?)),
        other => Err(format!("the program ended as {other:?}").into()),
    }
}

struct Watch {
    order: Order,
    log: File,
    program: Pid,
    /// How often each call with its shape was seen.
    seen: BTreeMap<(String, String), usize>,
    /// Threads that are inside of a call.
    inside: BTreeSet<Pid>,
    /// Those that end the program when they leave it.
    leaving: BTreeSet<Pid>,
}

impl Watch {
    /// Follows the threads until none is left and returns how the program ended.
    fn follow(&mut self) -> Result<WaitStatus, Failure> {
        let mut ended = None;
        loop {
            let status = match waitpid(None, Some(WaitPidFlag::__WALL)) {
                Ok(status) => status,
                Err(Errno::ECHILD) => return ended.ok_or_else(|| "the program got lost".into()),
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let (thread, signal) = match status {
                WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, _, _) => {
                    self.inside.remove(&pid);
                    if pid == self.program {
                        ended = Some(status);
                    }
                    continue;
                }
                WaitStatus::PtraceSyscall(pid) => {
                    self.at_call(pid)?;
                    (pid, None)
                }
                WaitStatus::Stopped(pid, signal) => (pid, Some(signal)),
                WaitStatus::PtraceEvent(pid, _, _) => (pid, None),
                _ => continue,
            };
            match ptrace::syscall(thread, signal) {
                // It was ended meanwhile.
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn at_call(&mut self, thread: Pid) -> Result<(), Failure> {
        if self.inside.remove(&thread) {
            if self.leaving.remove(&thread) {
                kill(self.program, Signal::SIGKILL)?;
            }
            return Ok(());
        }
        self.inside.insert(thread);
        let Some((call, paths)) = look(thread) else {
            return Ok(());
        };
        let Some(shape) = shape(&paths, &self.order.places) else {
            return Ok(());
        };
        let number = self
            .seen
            .entry((call.to_owned(), shape.clone()))
            .or_default();
        *number += 1;
        let target = self.order.target.as_ref().filter(|target| {
            target.call == call && target.shape == shape && target.number == *number
        });
        let seen = Seen {
            call: call.to_owned(),
            paths,
            shape,
            killed: target.is_some(),
        };
        let mut line = serde_json::to_vec(&seen)?;
        line.push(b'\n');
        self.log.write_all(&line)?;
        match target {
            Some(target) if target.leaving => {
                self.leaving.insert(thread);
            }
            Some(_) => kill(self.program, Signal::SIGKILL)?,
            None => {}
        }
        Ok(())
    }
}

/// Returns what a thread is about to do, and to which paths; nothing if that changes no file.
fn look(thread: Pid) -> Option<(&'static str, Vec<PathBuf>)> {
    let text = std::fs::read_to_string(format!("/proc/{thread}/syscall")).ok()?;
    let mut words = text.split_whitespace();
    let (name, told) = known(words.next()?.parse().ok()?)?;
    let arguments: Vec<u64> = words
        .map_while(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok())
        .collect();
    let mut paths = Vec::new();
    for one in told {
        paths.push(match *one {
            Told::Path(at) => absolute(thread, None, *arguments.get(at)?)?,
            Told::At(at) => absolute(thread, arguments.get(at).copied(), *arguments.get(at + 1)?)?,
            Told::Descriptor(at) => descriptor(thread, *arguments.get(at)?)?,
            Told::Open => {
                let flags = i32::try_from(*arguments.get(2)? & 0x7fff_ffff).ok()?;
                let makes =
                    flags & libc::O_CREAT != 0 || flags & libc::O_TMPFILE == libc::O_TMPFILE;
                makes
                    .then(|| absolute(thread, arguments.first().copied(), *arguments.get(1)?))
                    .flatten()?
            }
        });
    }
    Some((name, paths))
}

fn absolute(thread: Pid, folder: Option<u64>, address: u64) -> Option<PathBuf> {
    let path = text(thread, address)?;
    if let Some(number) = path
        .strip_prefix("/proc/self/fd")
        .ok()
        .and_then(Path::to_str)
    {
        return descriptor(thread, number.parse().ok()?);
    }
    // The lower half is the number: `AT_FDCWD` is negative.
    let base = match folder.map(|number| number as u32).map(u32::cast_signed) {
        Some(number) if number >= 0 => descriptor(thread, u64::try_from(number).ok()?)?,
        _ => std::fs::read_link(format!("/proc/{thread}/cwd")).ok()?,
    };
    Some(base.join(path))
}

fn descriptor(thread: Pid, number: u64) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{thread}/fd/{}", number & 0xffff_ffff)).ok()
}

/// Reads a text that ends with a zero byte from a thread's memory.
fn text(thread: Pid, address: u64) -> Option<PathBuf> {
    let memory = File::open(format!("/proc/{thread}/mem")).ok()?;
    let mut found = Vec::new();
    while found.len() < 4096 {
        let here = address + found.len() as u64;
        // Never over the end of a page: the next one may not be there.
        let mut piece = vec![0; usize::try_from(4096 - here % 4096).ok()?];
        let count = memory
            .read_at(&mut piece, here)
            .ok()
            .filter(|count| *count > 0)?;
        if let Some(end) = piece[..count].iter().position(|byte| *byte == 0) {
            found.extend(&piece[..end]);
            return Some(OsString::from_vec(found).into());
        }
        found.extend(&piece[..count]);
    }
    None
}
