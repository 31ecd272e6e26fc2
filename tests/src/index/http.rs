//! The little of HTTP that an index needs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

/// One request, as it was made.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, say.
    pub method: String,
    /// The path, or the whole URL when the index was used as a proxy.
    pub path: String,
    headers: Vec<(String, String)>,
}

impl Request {
    /// Returns a header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Reads the head of a request; nothing when the other side closes or does not speak HTTP.
pub(super) fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let line = lines.next()?.ok()?;
        if line.is_empty() {
            return Some(Request {
                method,
                path,
                headers,
            });
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// An answer without a body.
    pub(super) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A good answer.
    pub(super) fn ok(kind: &str, body: Vec<u8>) -> Self {
        Self {
            body,
            ..Self::status(200)
        }
        .header("Content-Type", kind)
    }

    /// Adds a header.
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Returns the entity tag.
    pub(super) fn etag(&self) -> Option<String> {
        self.headers
            .iter()
            .find(|(name, _)| name == "ETag")
            .map(|(_, value)| value.clone())
    }

    /// Sends all of it.
    pub(super) fn send(&self, stream: &TcpStream) {
        self.send_part(stream, usize::MAX);
    }

    /// Sends the head and so many bytes of the body, though the head promises all of it.
    pub(super) fn send_part(&self, mut stream: &TcpStream, bytes: usize) {
        let mut head = format!("HTTP/1.1 {} Status\r\nConnection: close\r\n", self.status);
        head += &format!("Content-Length: {}\r\n", self.body.len());
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let part = &self.body[..bytes.min(self.body.len())];
        let _ = stream.write_all(format!("{head}\r\n").as_bytes());
        let _ = stream.write_all(part);
        let _ = stream.flush();
    }

    /// Sends what [`Self::send_part`] left out.
    pub(super) fn send_rest(&self, mut stream: &TcpStream, bytes: usize) {
        let _ = stream.write_all(&self.body[bytes.min(self.body.len())..]);
    }
}
