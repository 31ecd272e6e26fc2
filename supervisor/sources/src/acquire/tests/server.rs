//! A file behind a URL: a real server on loopback that honours validators and counts.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// What the server has, and what it did so far.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) body: Vec<u8>,
    pub(super) cache_control: Option<&'static str>,
    /// Answers with this status instead.
    pub(super) status: Option<u16>,
    /// Complete answers.
    pub(super) full: usize,
    /// Answers with status 304.
    pub(super) unchanged: usize,
}

/// The server; its thread ends with the tests.
pub(super) struct Server {
    pub(super) base: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(super) fn start(body: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            body,
            ..State::default()
        }));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut asked = String::new();
                for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                    let Ok(line) = line else { break };
                    if line.is_empty() {
                        break;
                    }
                    asked.push_str(&line.to_ascii_lowercase());
                    asked.push('\n');
                }
                let answer = shared.lock().unwrap().answer(&asked);
                let _ = stream.write_all(&answer);
            }
        });
        Self { base, state }
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    /// Complete answers and those with status 304 so far.
    pub(super) fn count(&self) -> (usize, usize) {
        let state = self.state.lock().unwrap();
        (state.full, state.unchanged)
    }
}

impl State {
    fn answer(&mut self, asked: &str) -> Vec<u8> {
        if let Some(status) = self.status {
            return format!(
                "HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            .into_bytes();
        }
        let tag = format!("\"{}\"", &model::Sha256::of(&self.body).to_string()[..16]);
        let control = self
            .cache_control
            .map_or_else(String::new, |text| format!("Cache-Control: {text}\r\n"));
        let head = format!("ETag: {tag}\r\n{control}Connection: close\r\n");
        if asked.contains(&format!("if-none-match: {tag}")) {
            self.unchanged += 1;
            return format!("HTTP/1.1 304 Not Modified\r\n{head}\r\n").into_bytes();
        }
        self.full += 1;
        let length = self.body.len();
        let mut answer =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{head}\r\n").into_bytes();
        answer.extend(&self.body);
        answer
    }
}
