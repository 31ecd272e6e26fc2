//! The two ends between a person and a program: a terminal of the program's own where the person sits
//! at one, else a socket.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

use super::Screen;

/// Ends everything that drawing may have left on.
const PLAIN: &[u8] = b"\x1b[0m\x1b[?25h\x1b[?2004l\x1b[?1l\r\n";

/// The person's side.
#[derive(Debug)]
pub(crate) struct Stream {
    ours: Ours,
}

#[derive(Debug)]
enum Ours {
    Terminal(OwnedFd),
    Socket(UnixStream),
}

/// A stream while something goes through it.
#[derive(Debug)]
pub(crate) struct Open {
    out: JoinHandle<io::Result<()>>,
    /// Dropped last: the terminal is as it was.
    raw: Option<Raw>,
}

impl Stream {
    /// Makes one, and the program's side.
    pub(crate) fn new() -> io::Result<(Self, OwnedFd)> {
        let at_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        if !at_terminal {
            let (ours, theirs) = UnixStream::pair()?;
            let ours = Ours::Socket(ours);
            return Ok((Self { ours }, theirs.into()));
        }
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let leader = openpt(flags)?;
        grantpt(&leader)?;
        unlockpt(&leader)?;
        let theirs = ioctl_tiocgptpeer(&leader, flags)?;
        // As the person has set it up: keys, colours, size.
        tcsetattr(&theirs, OptionalActions::Now, &tcgetattr(io::stdin())?)?;
        let stream = Self {
            ours: Ours::Terminal(leader),
        };
        stream.resize();
        Ok((stream, theirs))
    }

    /// Whether somebody sits at a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self.ours, Ours::Terminal(_))
    }

    /// Gives the program's terminal the size of the person's.
    pub(crate) fn resize(&self) {
        if let Ours::Terminal(leader) = &self.ours
            && let Ok(size) = tcgetwinsize(io::stdout())
        {
            // A program that learns of no change draws as before.
            let _ = tcsetwinsize(leader, size);
        }
    }

    /// Begins to carry. The thread that waits for keys ends with the process: nothing can wake it.
    pub(crate) fn open(&self) -> io::Result<Open> {
        let screen = Screen::new(self.is_terminal());
        let (from, into, raw) = match &self.ours {
            Ours::Terminal(leader) => {
                let raw = Raw::enter()?;
                let from = File::from(leader.try_clone()?);
                (from.try_clone()?, Into::Terminal(from), Some(raw))
            }
            Ours::Socket(socket) => {
                let from = File::from(OwnedFd::from(socket.try_clone()?));
                (from, Into::Socket(socket.try_clone()?), None)
            }
        };
        thread::Builder::new().spawn(move || into.carry())?;
        let out = thread::Builder::new().spawn(move || show(from, screen))?;
        Ok(Open { out, raw })
    }
}

impl Open {
    /// Waits until all is shown that the program wrote; every process that could write is gone.
    pub(crate) fn close(self) -> io::Result<()> {
        let shown = self.out.join().unwrap_or_else(|_| {
            Err(io::Error::other(
                "a thread of ours broke while it showed what was written",
            ))
        });
        drop(self.raw);
        shown
    }
}

/// Where what is typed goes.
enum Into {
    Terminal(File),
    Socket(UnixStream),
}

impl Into {
    fn carry(self) {
        // Who can not be written to has ended, which is noticed elsewhere.
        match self {
            Self::Terminal(mut leader) => {
                let _ = io::copy(&mut io::stdin().lock(), &mut leader);
            }
            Self::Socket(mut socket) => {
                let _ = io::copy(&mut io::stdin().lock(), &mut socket);
                let _ = socket.shutdown(Shutdown::Write);
            }
        }
    }
}

/// Shows everything that is written, to the end.
fn show(mut from: File, mut screen: Screen) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    let mut out = io::stdout();
    loop {
        let got = match from.read(&mut buffer) {
            // A terminal without its other side is an error, and the end.
            Ok(0) => return Ok(()),
            Err(error) if error.raw_os_error() == Some(nix::libc::EIO) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
            Ok(got) => got,
        };
        let text = screen.take(&buffer[..got]);
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
}

/// The person's terminal while every key goes through; as before when this is dropped.
#[derive(Debug)]
struct Raw {
    before: Termios,
}

impl Raw {
    fn enter() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(stdin.as_fd())?;
        let mut raw = before.clone();
        raw.make_raw();
        // What was typed already is typed.
        tcsetattr(stdin.as_fd(), OptionalActions::Now, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let mut out = io::stdout();
        let _ = out.write_all(PLAIN).and_then(|()| out.flush());
        let _ = tcsetattr(io::stdin().as_fd(), OptionalActions::Drain, &self.before);
    }
}
