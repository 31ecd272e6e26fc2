//! Indexes that fail: statuses, garbage, cut connections, silence, too much. Each ends in its own
//! typed error, and nothing is kept of it.

use std::time::Duration;

use cache::Bucket;
use index::{ClientSettings, IndexError};
use model::Code;

use crate::server::{Reply, Server};
use crate::world::{World, page};

const PAGE: &str = r#"{"files": [{"filename": "foo-1.zip", "url": "foo-1.zip", "hashes": {}}]}"#;

/// Asks a server that answers like this and returns the error's code.
async fn code_of(reply: impl Fn() -> Reply + Send + 'static) -> Code {
    let server = Server::start(move |_, _| reply());
    let world = World::new();
    let error = page(&world.client(), &server.url("/simple"))
        .await
        .expect_err("an error");
    assert_eq!(world.count(Bucket::Simple), 0, "something was kept");
    error.code()
}

#[tokio::test]
async fn statuses_have_their_codes() {
    for (status, code) in [
        ("500 Internal Server Error", Code::HttpStatus),
        ("418 Teapot", Code::HttpStatus),
        ("302 Found", Code::HttpStatus),
        ("206 Partial Content", Code::HttpStatus),
        ("401 Unauthorized", Code::Unauthorized),
        ("403 Forbidden", Code::Unauthorized),
    ] {
        let found = code_of(move || Reply::new(status, &[], "")).await;
        assert_eq!(found, code, "{status}");
    }
}

#[tokio::test]
async fn a_server_that_fails_once_is_asked_again() {
    let server = Server::start(|_, number| match number {
        0 => Reply::new("500 Internal Server Error", &[], ""),
        1 => Reply::Raw(Vec::new()),
        2 => Reply::json(PAGE).cut(10),
        _ => Reply::json(PAGE),
    });
    let world = World::new();
    let client = world.client_with(ClientSettings {
        retries: 3,
        ..World::settings()
    });
    let answer = page(&client, &server.url("/simple"))
        .await
        .expect("an answer");
    assert_eq!(answer.expect("a page").files.len(), 1);
    assert_eq!(client.requests(), 4);
}

#[tokio::test]
async fn a_server_that_goes_on_failing_is_not_asked_for_ever() {
    let server = Server::start(|_, _| Reply::new("503 Unavailable", &[], ""));
    let world = World::new();
    let client = world.client_with(ClientSettings {
        retries: 2,
        ..World::settings()
    });
    let error = page(&client, &server.url("/simple"))
        .await
        .expect_err("an error");
    assert!(
        matches!(error, IndexError::Status { status: 503, .. }),
        "{error}"
    );
    assert_eq!(client.requests(), 3);
}

#[tokio::test]
async fn garbage_is_not_a_page() {
    let html = ("content-type", "text/html");
    let json = ("content-type", "application/vnd.pypi.simple.v1+json");
    assert_eq!(
        code_of(|| Reply::Raw(b"\x16\x03\x01 not http at all\r\n\r\n".to_vec())).await,
        Code::Transport
    );
    assert_eq!(
        code_of(move || Reply::new("200 OK", &[json], "<html></html>")).await,
        Code::BadPage
    );
    assert_eq!(
        code_of(move || Reply::new("200 OK", &[html], "\x00\x01\x02")).await,
        Code::BadPage
    );
    assert_eq!(
        code_of(|| Reply::new("200 OK", &[("content-type", "image/png")], "x")).await,
        Code::BadPage
    );
    assert_eq!(
        code_of(|| Reply::new("200 OK", &[("content-encoding", "gzip")], "x")).await,
        Code::BadPage
    );
    assert_eq!(
        code_of(|| Reply::new("200 OK", &[("content-encoding", "br")], "x")).await,
        Code::BadPage
    );
    assert_eq!(
        code_of(|| Reply::new("304 Not Modified", &[], "")).await,
        Code::BadPage
    );
}

#[tokio::test]
async fn a_cut_connection_is_an_error() {
    assert_eq!(code_of(|| Reply::json(PAGE).cut(20)).await, Code::Transport);
    assert_eq!(
        code_of(|| Reply::Raw(b"HTTP/1.1 200 OK\r\nconte".to_vec())).await,
        Code::Transport
    );
    assert_eq!(code_of(|| Reply::Raw(Vec::new())).await, Code::Transport);
}

#[tokio::test]
async fn nobody_listening_is_an_error() {
    // Bound and dropped: the port was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!(
        "http://{}/simple",
        listener.local_addr().expect("an address")
    );
    drop(listener);
    let world = World::new();
    let error = page(&world.client(), &url).await.expect_err("an error");
    assert_eq!(error.code(), Code::Transport);
}

#[tokio::test]
async fn a_silent_server_ends_in_a_time_out() {
    let server = Server::start(|request, _| match &*request.path {
        "/head/foo/" => Reply::Silence,
        _ => Reply::json(PAGE),
    });
    let world = World::new();
    let settings = ClientSettings {
        read_timeout: Duration::from_millis(200),
        retries: 5,
        ..World::settings()
    };
    let client = world.client_with(settings);
    let error = page(&client, &server.url("/head"))
        .await
        .expect_err("an error");
    assert!(matches!(error, IndexError::TimedOut { .. }), "{error:?}");
    assert_eq!(client.requests(), 1, "a time-out is not waited for twice");
    assert!(
        page(&client, &server.url("/simple"))
            .await
            .expect("the control")
            .is_some()
    );
}

#[tokio::test]
async fn pages_are_bounded_announced_or_not_and_compressed_or_not() {
    let world = World::new();
    let settings = || ClientSettings {
        max_page_bytes: 1000,
        ..World::settings()
    };
    let big = "x".repeat(2000);
    let unannounced = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{big}").into_bytes();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, &vec![b' '; 500_000]).expect("compressed");
    let bomb = encoder.finish().expect("compressed");
    assert!(bomb.len() < 1000);
    let server = Server::start(move |request, _| match &*request.path {
        "/announced/foo/" => Reply::new("200 OK", &[], &big),
        "/unannounced/foo/" => Reply::Raw(unannounced.clone()),
        "/bomb/foo/" => Reply::new("200 OK", &[("content-encoding", "gzip")], &bomb),
        _ => Reply::json(PAGE),
    });
    let client = world.client_with(settings());
    for path in ["/announced", "/unannounced", "/bomb"] {
        let error = page(&client, &server.url(path)).await.expect_err(path);
        assert!(
            matches!(error, IndexError::TooLarge { limit: 1000, .. }),
            "{path}: {error}"
        );
        assert_eq!(error.code(), Code::BadPage);
    }
    assert!(
        page(&client, &server.url("/small"))
            .await
            .expect("the control")
            .is_some()
    );
}
