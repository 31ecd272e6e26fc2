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

/// Reads a worker's output until every process that could write it is gone.
pub(super) struct LogReader {
    pub(super) pipe: OwnedFd,
    pub(super) path: Option<PathBuf>,
    pub(super) lines: Option<LineSink>,
    pub(super) redactor: Redactor,
    pub(super) limit: u64,
    pub(super) heard: Heard,
}

impl LogReader {
    /// Runs to the end of the output, or to its limit; then the pipe closes.
    pub(super) async fn run(self) -> Result<Option<Reached>, ExecuteError> {
        let receiver =
            pipe::Receiver::from_owned_fd(self.pipe).map_err(|source| ExecuteError::Plumbing {
                doing: "read the log pipe",
                source,
            })?;
        let mut from = BufReader::new(receiver);
        let mut file = match &self.path {
            Some(path) => Some(open(path).await?),
            None => None,
        };
        let mut total = 0;
        let mut line = Vec::new();
        loop {
            line.clear();
            read_line(&mut from, &mut line, &self.heard).await;
            if line.is_empty() {
                break;
            }
            total += line.len() as u64;
            let text = self.redactor.hide(&neutralised(&line));
            if let Some(lines) = &self.lines {
                lines(&text);
            }
            if let (Some(file), Some(path)) = (&mut file, &self.path) {
                write(file, path, &text).await?;
            }
            if total > self.limit {
                flush(&mut file, self.path.as_deref()).await?;
                return Ok(Some(Reached {
                    limit: Limit::LogBytes,
                    allowed: self.limit,
                    used: total,
                    known: Known::Counted,
                }));
            }
        }
        flush(&mut file, self.path.as_deref()).await?;
        Ok(None)
    }
}

/// Reads to the end of a line, or as much as is held of one. Every piece counts as a sign of life.
async fn read_line(from: &mut BufReader<pipe::Receiver>, line: &mut Vec<u8>, heard: &Heard) {
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
