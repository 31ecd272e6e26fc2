//! Files: kept under their digest when they are what was promised, and not at all otherwise.

use std::sync::Mutex;

use cache::Bucket;
use index::{ClientSettings, IndexError};
use model::{Code, Sha256};
use url::Url;

use crate::server::{Reply, Server};
use crate::world::{World, page, quiet};

const BYTES: &[u8] = b"the bytes of a file";

fn url(text: &str) -> Url {
    Url::parse(text).expect(text)
}

/// Nothing is kept, and nothing unfinished is left.
fn assert_nothing_kept(world: &World) {
    assert_eq!(world.count(Bucket::Sources), 0);
    assert_eq!(world.count(Bucket::Downloads), 0);
    assert_eq!(world.count(Bucket::Staging), 0);
}

#[tokio::test]
async fn a_file_is_kept_under_its_digest_and_not_fetched_twice() {
    let server = Server::start(|request, _| {
        assert_eq!(request.header("accept-encoding"), Some("identity"));
        Reply::file(BYTES)
    });
    let world = World::new();
    let client = world.client();
    let told = Mutex::new(Vec::new());
    let tell = |got, of| told.lock().expect("the list").push((got, of));
    let sha256 = Sha256::of(BYTES);
    let source = url(&server.url("/foo.zip#sha256=ignored"));
    let digest = client
        .download(&source, Some(&sha256), Bucket::Sources, &tell)
        .await;
    let digest = digest.expect("fetched");
    assert_eq!((digest.sha256, digest.size), (sha256, BYTES.len() as u64));
    let path = world.cache.blob(Bucket::Sources, &digest).expect("kept");
    assert_eq!(std::fs::read(path).expect("read"), BYTES);
    let size = BYTES.len() as u64;
    assert_eq!(
        told.lock().expect("the list").last(),
        Some(&(size, Some(size)))
    );
    let again = client
        .download(&source, Some(&sha256), Bucket::Sources, &quiet)
        .await;
    assert_eq!(again.expect("found"), digest);
    assert_eq!(client.requests(), 1);
    assert_eq!(world.count(Bucket::Staging), 0);
}

#[tokio::test]
async fn bytes_that_a_server_calls_compressed_are_kept_as_they_came() {
    let server = Server::start(|_, _| Reply::new("200 OK", &[("content-encoding", "gzip")], BYTES));
    let world = World::new();
    let expected = Sha256::of(BYTES);
    let digest = world
        .client()
        .download(
            &url(&server.url("/foo.tar.gz")),
            Some(&expected),
            Bucket::Sources,
            &quiet,
        )
        .await;
    assert_eq!(digest.expect("fetched").sha256, expected);
}

#[tokio::test]
async fn other_bytes_than_promised_are_not_kept() {
    let server = Server::start(|_, _| Reply::file(BYTES));
    let world = World::new();
    let expected = Sha256::of("something else");
    let error = world
        .client()
        .download(
            &url(&server.url("/foo.zip")),
            Some(&expected),
            Bucket::Sources,
            &quiet,
        )
        .await
        .expect_err("another digest");
    assert_eq!(error.code(), Code::HashMismatch);
    assert_nothing_kept(&world);
}

#[tokio::test]
async fn a_file_of_an_index_must_have_its_size_and_digest() {
    let size = BYTES.len() + 1;
    let good = Sha256::of(BYTES);
    let body = format!(
        r#"{{"files": [{{"filename": "foo-1.zip", "url": "/foo-1.zip", "hashes": {{"sha256": "{good}"}}, "size": {size}}},
                      {{"filename": "foo-2.zip", "url": "/foo-2.zip", "hashes": {{"sha256": "{good}"}}}}]}}"#
    );
    let server = Server::start(move |request, _| match &*request.path {
        "/simple/foo/" => Reply::json(&body),
        _ => Reply::file(BYTES),
    });
    let world = World::new();
    let client = world.client();
    let page = page(&client, &server.url("/simple"))
        .await
        .expect("an answer")
        .expect("a page");
    let error = client
        .download_file(&page.files[0], Bucket::Sources, &quiet)
        .await
        .expect_err("another size");
    assert!(matches!(error, IndexError::SizeMismatch { .. }), "{error}");
    assert_nothing_kept(&world);
    let digest = client
        .download_file(&page.files[1], Bucket::Sources, &quiet)
        .await;
    assert_eq!(digest.expect("the control").sha256, good);
}

#[tokio::test]
async fn a_download_that_is_cut_is_repeated_and_else_an_error() {
    let server = Server::start(|request, number| match (&*request.path, number) {
        ("/once", 0) => Reply::file(BYTES).cut(5),
        ("/once", _) => Reply::file(BYTES),
        _ => Reply::file(BYTES).cut(5),
    });
    let world = World::new();
    let client = world.client_with(ClientSettings {
        retries: 1,
        ..World::settings()
    });
    let once = client
        .download(&url(&server.url("/once")), None, Bucket::Downloads, &quiet)
        .await;
    assert_eq!(once.expect("the second attempt").sha256, Sha256::of(BYTES));
    let world = World::new();
    let client = world.client();
    let error = client
        .download(
            &url(&server.url("/always")),
            None,
            Bucket::Downloads,
            &quiet,
        )
        .await
        .expect_err("cut");
    assert_eq!(error.code(), Code::Transport);
    assert_nothing_kept(&world);
}

#[tokio::test]
async fn files_are_bounded_and_missing_ones_have_their_status() {
    let unannounced = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nmore than ten bytes".to_vec();
    let server = Server::start(move |request, _| match &*request.path {
        "/large" => Reply::file(BYTES),
        "/unannounced" => Reply::Raw(unannounced.clone()),
        _ => Reply::missing(),
    });
    let world = World::new();
    let client = world.client_with(ClientSettings {
        max_file_bytes: 10,
        ..World::settings()
    });
    for path in ["/large", "/unannounced"] {
        let answer = client
            .download(&url(&server.url(path)), None, Bucket::Sources, &quiet)
            .await;
        let error = answer.expect_err(path);
        assert!(
            matches!(error, IndexError::TooLarge { limit: 10, .. }),
            "{error}"
        );
    }
    let answer = client
        .download(&url(&server.url("/none")), None, Bucket::Sources, &quiet)
        .await;
    assert!(
        matches!(answer, Err(IndexError::Status { status: 404, .. })),
        "{answer:?}"
    );
    assert_nothing_kept(&world);
}

#[tokio::test]
async fn local_files_are_copied_and_checked_too() {
    let world = World::new();
    let path = world.folder.path().join("foo.zip");
    std::fs::write(&path, BYTES).expect("written");
    let client = world.client_with(ClientSettings {
        offline: true,
        ..World::settings()
    });
    let source = Url::from_file_path(&path).expect("a URL");
    let wrong = Sha256::of("else");
    let error = client
        .download(&source, Some(&wrong), Bucket::Sources, &quiet)
        .await;
    assert_eq!(
        error.expect_err("another digest").code(),
        Code::HashMismatch
    );
    assert_nothing_kept(&world);
    let digest = client
        .download(&source, None, Bucket::Sources, &quiet)
        .await;
    assert_eq!(digest.expect("copied").sha256, Sha256::of(BYTES));
    let folder = Url::from_file_path(world.folder.path()).expect("a URL");
    let error = client
        .download(&folder, None, Bucket::Sources, &quiet)
        .await;
    assert_eq!(error.expect_err("a folder").code(), Code::Io);
}

#[tokio::test]
async fn without_the_network_only_what_is_kept_is_there() {
    let server = Server::start(|_, _| Reply::file(BYTES));
    let world = World::new();
    let sha256 = Sha256::of(BYTES);
    let source = url(&server.url("/foo.zip"));
    let offline = world.client_with(ClientSettings {
        offline: true,
        ..World::settings()
    });
    let error = offline
        .download(&source, Some(&sha256), Bucket::Sources, &quiet)
        .await;
    assert_eq!(error.expect_err("not there").code(), Code::Offline);
    world
        .client()
        .download(&source, None, Bucket::Sources, &quiet)
        .await
        .expect("fetched");
    let found = offline
        .download(&source, Some(&sha256), Bucket::Sources, &quiet)
        .await;
    assert_eq!(found.expect("kept").sha256, sha256);
}
