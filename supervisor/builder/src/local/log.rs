//! The log of a build: every line of its output, neutralised, kept, capped, shown live if asked.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::unix::pipe;

use super::neutral::neutralised;
use crate::executor::{ExecuteError, LineSink};
use crate::redact::Redactor;

/// Bytes of one line that are held before it is cut.
const LINE_CAP: u64 = 64 * 1024;

/// Reads a worker's output until every process that could write it is gone.
pub(super) struct LogReader {
    pub(super) pipe: OwnedFd,
    pub(super) path: Option<PathBuf>,
    pub(super) lines: Option<LineSink>,
    pub(super) redactor: Redactor,
    pub(super) limit: u64,
}

impl LogReader {
    /// Runs to the end of the output. Past the limit it returns an error, and the pipe closes.
    pub(super) async fn run(self) -> Result<u64, ExecuteError> {
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
            let mut limited = tokio::io::AsyncReadExt::take(&mut from, LINE_CAP);
            let got = limited.read_until(b'\n', &mut line).await.unwrap_or(0);
            if got == 0 {
                break;
            }
            total += got as u64;
            let text = self.redactor.hide(&neutralised(&line));
            if let Some(lines) = &self.lines {
                lines(&text);
            }
            if let (Some(file), Some(path)) = (&mut file, &self.path) {
                write(file, path, &text).await?;
            }
            if total > self.limit {
                flush(&mut file, self.path.as_deref()).await?;
                return Err(ExecuteError::LogLimit { limit: self.limit });
            }
        }
        flush(&mut file, self.path.as_deref()).await?;
        Ok(total)
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
