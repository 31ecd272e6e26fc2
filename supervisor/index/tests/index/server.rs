//! A small HTTP server on loopback with scripted answers and real sockets.
//!
//! It does exactly what a test says, wrong things too: short bodies, silence, garbage.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What a client asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The target as it stood on the request line.
    pub(crate) path: String,
    /// Lines of the head, lower case names.
    pub(crate) head: Vec<String>,
}

impl Request {
    /// Returns the value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = |line: &'_ &String| line.starts_with(&format!("{name}: "));
        let line = self.head.iter().find(found)?;
        Some(&line[name.len() + 2..])
    }
}

/// What the server does with a request.
pub(crate) enum Reply {
    /// Sends these bytes and closes.
    Raw(Vec<u8>),
    /// Says nothing and keeps the connection until the server is dropped.
    Silence,
}

impl Reply {
    /// A complete answer: status line rest, headers, body.
    pub(crate) fn new(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut raw = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
        for (name, value) in headers {
            raw.push_str(&format!("{name}: {value}\r\n"));
        }
        raw.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        let mut raw = raw.into_bytes();
        raw.extend_from_slice(body);
        Self::Raw(raw)
    }

    /// A page in JSON.
    pub(crate) fn json(body: &str) -> Self {
        let kind = ("content-type", "application/vnd.pypi.simple.v1+json");
        Self::new("200 OK", &[kind], body)
    }

    /// A file.
    pub(crate) fn file(body: impl AsRef<[u8]>) -> Self {
        Self::new("200 OK", &[], body)
    }

    /// A redirect.
    pub(crate) fn redirect(to: &str) -> Self {
        Self::new("302 Found", &[("location", to)], "")
    }

    /// Not there.
    pub(crate) fn missing() -> Self {
        Self::new("404 Not Found", &[], "")
    }

    /// The first `keep` bytes of this answer; then the connection is cut.
    pub(crate) fn cut(self, keep_of_body: usize) -> Self {
        let Self::Raw(mut raw) = self else {
            return self;
        };
        let head = raw
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .expect("an answer has a head");
        raw.truncate(head + 4 + keep_of_body);
        Self::Raw(raw)
    }
}

/// A running server; dropped, it stops and closes what it kept open.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server that answers with what `answer` says to the request and its number.
    pub(crate) fn start(answer: impl Fn(&Request, usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (list, stopped) = (seen.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let Some(request) = read(&stream) else {
                    continue;
                };
                let number = {
                    let mut list = list.lock().expect("the list");
                    list.push(request.clone());
                    list.len() - 1
                };
                match answer(&request, number) {
                    Reply::Raw(bytes) => {
                        // The client may have had enough: that is for the test to judge.
                        let _ = (&stream).write_all(&bytes);
                    }
                    Reply::Silence => kept.push(stream),
                }
            }
        });
        Self {
            address,
            seen,
            stop,
            thread: Some(thread),
        }
    }

    /// Returns `http://127.0.0.1:PORT` and a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the same with user information.
    pub(crate) fn url_with(&self, user: &str, path: &str) -> String {
        format!("http://{user}@{}{path}", self.address)
    }

    /// Returns what was asked so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("the list").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread, which then sees that it should stop.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.expect("the server did not fail");
            }
        }
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut head = Vec::new();
    for line in lines {
        let line = line.ok()?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").unwrap_or((&line, ""));
        head.push(format!("{}: {value}", name.to_ascii_lowercase()));
    }
    Some(Request { path, head })
}
