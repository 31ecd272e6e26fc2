//! The log of a build: every line of its output, neutralised, kept, capped, shown live if asked.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::unix::pipe;

use super::heard::Heard;
use super::neutral::neutralised;
use protocol::Limit;

use crate::executor::{ExecuteError, LineSink};
use crate::limit::{Known, Reached};
use crate::redact::Redactor;

/// Bytes of one line that are held before it is cut.
const LINE_CAP: usize = 64 * 1024;

/// The reading end of a log's pipe.
pub(super) type Pipe = BufReader<pipe::Receiver>;

/// What became of a log, and its pipe.
pub(super) type LogOutcome = (Result<Option<Reached>, ExecuteError>, Pipe);

/// Takes the reading end of a log's pipe over.
pub(super) fn pipe_of(descriptor: OwnedFd) -> Result<Pipe, ExecuteError> {
    let receiver = pipe::Receiver::from_owned_fd(descriptor);
    let receiver = receiver.map_err(|source| ExecuteError::Plumbing {
        doing: "read the log pipe",
        source,
    })?;
    Ok(BufReader::new(receiver))
}

/// Reads a worker's output until every process that could write it is gone.
pub(super) struct LogReader {
    pub(super) pipe: Pipe,
    pub(super) path: Option<PathBuf>,
    pub(super) lines: Option<LineSink>,
    pub(super) redactor: Redactor,
    pub(super) limit: u64,
    pub(super) heard: Heard,
}

/// One log while it is written.
struct Sink<'a> {
    path: Option<&'a Path>,
    file: Option<BufWriter<File>>,
    lines: Option<&'a LineSink>,
    redactor: &'a Redactor,
    total: u64,
}

impl LogReader {
    /// Runs to the end of the output, or to its limit; then the pipe closes. When it is `over`, nobody
    /// writes for now, and what is there is the end.
    pub(super) async fn run(mut self, over: impl Future<Output = ()>) -> LogOutcome {
        let outcome = self.read(over).await;
        (outcome, self.pipe)
    }

    async fn read(
        &mut self,
        over: impl Future<Output = ()>,
    ) -> Result<Option<Reached>, ExecuteError> {
        let mut over = std::pin::pin!(over);
        let mut sink = Sink {
            path: self.path.as_deref(),
            file: match &self.path {
                Some(path) => Some(open(path).await?),
                None => None,
            },
            lines: self.lines.as_ref(),
            redactor: &self.redactor,
            total: 0,
        };
        let mut line = Vec::new();
        loop {
            line.clear();
            let is_over = tokio::select! {
                () = read_line(&mut self.pipe, &mut line, &self.heard) => false,
                () = &mut over => true,
            };
            if is_over {
                // What was read of a line is in `line`, and the rest behind it.
                take_the_rest(&mut self.pipe, &mut line);
                for line in line.split_inclusive(|byte| *byte == b'\n') {
                    for line in line.chunks(LINE_CAP) {
                        sink.keep(line).await?;
                    }
                }
            } else if !line.is_empty() {
                sink.keep(&line).await?;
            }
            if sink.total > self.limit {
                flush(&mut sink.file, sink.path).await?;
                return Ok(Some(Reached {
                    limit: Limit::LogBytes,
                    allowed: self.limit,
                    used: sink.total,
                    known: Known::Counted,
                }));
            }
            if is_over || line.is_empty() {
                break;
            }
        }
        flush(&mut sink.file, sink.path).await?;
        Ok(None)
    }
}

impl Sink<'_> {
    async fn keep(&mut self, line: &[u8]) -> Result<(), ExecuteError> {
        self.total += line.len() as u64;
        let text = self.redactor.hide(&neutralised(line));
        if let Some(lines) = self.lines {
            lines(&text);
        }
        match (&mut self.file, self.path) {
            (Some(file), Some(path)) => write(file, path, &text).await,
            _ => Ok(()),
        }
    }
}

/// Reads to the end of a line, or as much as is held of one. Every piece counts as a sign of life. What
/// was read is in `line`, also if this is dropped half way.
async fn read_line(from: &mut Pipe, line: &mut Vec<u8>, heard: &Heard) {
    while line.len() < LINE_CAP {
        let got = from.fill_buf().await.unwrap_or_default();
        if got.is_empty() {
            return;
        }
        heard.now();
        let piece = &got[..got.len().min(LINE_CAP - line.len())];
        let end = piece.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(piece.len(), |end| end + 1);
        line.extend_from_slice(&piece[..taken]);
        from.consume(taken);
        if end.is_some() {
            return;
        }
    }
}

/// Takes what is in the pipe, without waiting for more.
fn take_the_rest(from: &mut Pipe, rest: &mut Vec<u8>) {
    rest.extend_from_slice(from.buffer());
    from.consume(from.buffer().len());
    let mut buffer = [0; 16 * 1024];
    // An error means that nothing is there for now.
    while let Ok(got @ 1..) = rustix::io::read(from.get_ref(), &mut buffer[..]) {
        rest.extend_from_slice(&buffer[..got]);
    }
}

async fn open(path: &Path) -> Result<BufWriter<File>, ExecuteError> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .await
        .map(BufWriter::new)
        .map_err(|source| ExecuteError::Log {
            path: path.to_owned(),
            source,
        })
}

async fn write(file: &mut BufWriter<File>, path: &Path, text: &str) -> Result<(), ExecuteError> {
    let failed = |source| ExecuteError::Log {
        path: path.to_owned(),
        source,
    };
    file.write_all(text.as_bytes()).await.map_err(failed)?;
    file.write_all(b"\n").await.map_err(failed)
}

async fn flush(
    file: &mut Option<BufWriter<File>>,
    path: Option<&Path>,
) -> Result<(), ExecuteError> {
    match (file, path) {
        (Some(file), Some(path)) => file.flush().await.map_err(|source| ExecuteError::Log {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}
