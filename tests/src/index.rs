//! A package index: a real HTTP/1.1 server on the loopback, with faults on demand and a memory of what it was asked.

mod fault;
mod http;
mod page;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

pub use fault::{Fault, Gate};
pub use http::Request;
pub use page::Offer;

use crate::inputs::Inputs;
use crate::sdist::Sdist;
use crate::wheel::Wheel;
use http::Answer;

/// A running index. It stops on drop.
#[derive(Debug)]
pub struct Index {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    stopped: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    offers: Vec<Offer>,
    html_only: bool,
    login: Option<String>,
    faults: BTreeMap<String, Fault>,
    requests: Vec<Request>,
}

impl Index {
    /// Starts an empty index.
    ///
    /// # Panics
    /// When the loopback has no free port.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let index = Self {
            address,
            shared: Arc::default(),
        };
        let shared = index.shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopped.load(Ordering::Relaxed) {
                    return;
                }
                let shared = shared.clone();
                thread::spawn(move || shared.serve(stream));
            }
        });
        index
    }

    /// Returns the address of the simple index.
    #[must_use]
    pub fn url(&self) -> String {
        self.at("/simple/")
    }

    /// Returns the URL of a path.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the URL of a path with credentials in it.
    #[must_use]
    pub fn with_login(&self, user: &str, password: &str) -> String {
        format!("http://{user}:{password}@{}/simple/", self.address)
    }

    /// Returns the URL of an offered file.
    #[must_use]
    pub fn file_url(&self, filename: &str) -> String {
        self.at(&format!("/files/{filename}"))
    }

    /// Offers a file.
    pub fn offer(&self, offer: Offer) -> &Self {
        self.state().offers.push(offer);
        self
    }

    /// Offers a file in the place of the one of the same name.
    pub fn replace(&self, offer: Offer) -> &Self {
        self.state()
            .offers
            .retain(|other| other.filename() != offer.filename());
        self.offer(offer)
    }

    /// Offers an sdist as `.tar.gz`.
    pub fn sdist(&self, sdist: &Sdist) -> &Self {
        self.offer(Offer::new(
            sdist.name(),
            &sdist.filename("tar.gz"),
            sdist.tar_gz(),
        ))
    }

    /// Offers a wheel with its metadata beside it.
    pub fn wheel(&self, wheel: &Wheel) -> &Self {
        let offer = Offer::new(wheel.name(), &wheel.filename(), wheel.pack());
        self.offer(offer.metadata(wheel.metadata()))
    }

    /// Offers all pinned real packages.
    pub fn real(&self, inputs: &Inputs) -> &Self {
        for name in inputs.names() {
            let project = name
                .split('-')
                .next()
                .unwrap_or(name)
                .to_lowercase()
                .replace('_', "-");
            self.offer(Offer::new(&project, name, inputs.read(name)));
        }
        self
    }

    /// Serves HTML pages only, as an old index does.
    pub fn html_only(&self) -> &Self {
        self.state().html_only = true;
        self
    }

    /// Wants basic authentication with these words (`user:password` in base64).
    pub fn wants_login(&self, words: &str) -> &Self {
        self.state().login = Some(words.into());
        self
    }

    /// Answers a path with a fault.
    pub fn fault(&self, path: &str, fault: Fault) -> &Self {
        self.state().faults.insert(path.into(), fault);
        self
    }

    /// Counts the requests for a path.
    #[must_use]
    pub fn requests(&self, path: &str) -> usize {
        self.state()
            .requests
            .iter()
            .filter(|request| request.path == path)
            .count()
    }

    /// Returns all requests so far.
    #[must_use]
    pub fn all_requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        // The listener waits in accept; one connection lets it see that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no thread of the index panics while it holds the state")
    }

    /// Answers one connection: one request, then it is closed.
    fn serve(&self, stream: TcpStream) {
        let Some(request) = http::read(&stream) else {
            return;
        };
        let (answer, fault) = {
            let mut state = self.state();
            state.requests.push(request.clone());
            let fault = fault::take(&mut state.faults, &request.path);
            (state.answer(&request), fault)
        };
        match fault {
            Some(fault) => fault.act(&stream, answer),
            None => answer.send(&stream),
        }
    }
}

impl State {
    fn answer(&self, request: &Request) -> Answer {
        let words = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Basic "));
        if self.login.is_some() && words != self.login.as_deref() {
            return Answer::status(401).header("WWW-Authenticate", "Basic realm=\"index\"");
        }
        // A request to a proxy names the whole URL.
        let path = request
            .path
            .strip_prefix("http://")
            .map_or(request.path.as_str(), |rest| {
                rest.find('/').map_or("/", |slash| &rest[slash..])
            });
        let path = path.split('?').next().unwrap_or_default();
        let answer = self.content(path, request);
        match answer.etag() {
            Some(tag) if request.header("if-none-match") == Some(&tag) => {
                Answer::status(304).header("ETag", &tag)
            }
            _ => answer,
        }
    }

    fn content(&self, path: &str, request: &Request) -> Answer {
        if let Some(name) = path.strip_prefix("/files/") {
            return page::file(&self.offers, name);
        }
        let Some(project) = path
            .strip_prefix("/simple/")
            .and_then(|rest| rest.strip_suffix('/'))
        else {
            return Answer::status(404);
        };
        let json = !self.html_only
            && request
                .header("accept")
                .is_some_and(|accept| accept.contains("json"));
        page::project(&self.offers, project, json)
    }
}
