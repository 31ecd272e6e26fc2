//! Pages: JSON and HTML, freshness, folders, links, metadata.

use std::io::Write as _;

use cache::Bucket;
use index::{ClientSettings, FindLinks};
use model::{Code, Sha256};

use crate::server::{Reply, Server};
use crate::world::{World, index, name, names, page};

const JSON: &str = r#"{"meta": {"api-version": "1.1"}, "name": "foo", "files": [
    {"filename": "foo-1.0.tar.gz", "url": "/files/foo-1.0.tar.gz", "hashes": {}}]}"#;

#[tokio::test]
async fn a_page_comes_in_json_or_in_html() {
    let server = Server::start(|request, _| match &*request.path {
        "/json/foo/" => Reply::json(JSON),
        "/html/foo/" => Reply::new(
            "200 OK",
            &[("content-type", "text/html; charset=utf-8")],
            "<!DOCTYPE html><a href='../../files/foo-1.0.tar.gz#md5=00'>foo</a>",
        ),
        _ => Reply::missing(),
    });
    let world = World::new();
    let client = world.client();
    for kind in ["/json", "/html/"] {
        let page = page(&client, &server.url(kind))
            .await
            .expect("an answer")
            .expect("a page");
        assert_eq!(names(&page), ["foo-1.0.tar.gz"]);
        assert_eq!(
            page.files[0].url.as_str(),
            server.url("/files/foo-1.0.tar.gz")
        );
    }
    let accept = server.seen()[0]
        .header("accept")
        .expect("a header")
        .to_owned();
    assert!(
        accept.starts_with("application/vnd.pypi.simple.v1+json,"),
        "{accept}"
    );
    assert_eq!(client.requests(), 2);
}

#[tokio::test]
async fn a_project_that_the_index_does_not_know_is_none() {
    let server = Server::start(|_, _| Reply::missing());
    let world = World::new();
    let answer = page(&world.client(), &server.url("/simple")).await;
    assert!(answer.expect("an answer").is_none());
}

#[tokio::test]
async fn a_page_may_be_compressed() {
    let server = Server::start(|request, _| {
        assert_eq!(request.header("accept-encoding"), Some("gzip"));
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(JSON.as_bytes()).expect("compressed");
        let body = encoder.finish().expect("compressed");
        Reply::new("200 OK", &[("content-encoding", "gzip")], body)
    });
    let world = World::new();
    let page = page(&world.client(), &server.url("/simple")).await;
    assert_eq!(
        names(&page.expect("an answer").expect("a page")),
        ["foo-1.0.tar.gz"]
    );
}

#[tokio::test]
async fn links_are_relative_to_where_the_page_came_from() {
    let server = Server::start(|request, _| match &*request.path {
        "/simple/foo/" => Reply::redirect("/moved/to/foo/"),
        _ => Reply::json(
            r#"{"files": [{"filename": "foo-1.zip", "url": "foo-1.zip", "hashes": {}}]}"#,
        ),
    });
    let world = World::new();
    let page = page(&world.client(), &server.url("/simple")).await;
    let page = page.expect("an answer").expect("a page");
    assert_eq!(
        page.files[0].url.as_str(),
        server.url("/moved/to/foo/foo-1.zip")
    );
}

#[tokio::test]
async fn a_fresh_page_is_not_asked_for_again() {
    let server =
        Server::start(|_, _| Reply::new("200 OK", &[("cache-control", "max-age=600")], JSON));
    let world = World::new();
    let first = page(&world.client(), &server.url("/simple"))
        .await
        .expect("an answer");
    let client = world.client();
    let second = page(&client, &server.url("/simple"))
        .await
        .expect("an answer");
    assert_eq!(first, second);
    assert_eq!(client.requests(), 0);
    let refreshing = world.client_with(ClientSettings {
        refresh: index::Refresh::everything(),
        ..World::settings()
    });
    page(&refreshing, &server.url("/simple"))
        .await
        .expect("an answer");
    assert_eq!(refreshing.requests(), 1);
}

#[tokio::test]
async fn a_stale_page_is_validated_and_used_when_it_did_not_change() {
    let server = Server::start(|request, number| match number {
        0 => Reply::new(
            "200 OK",
            &[
                ("etag", "\"one\""),
                ("last-modified", "Mon, 01 Jan 2024 00:00:00 GMT"),
            ],
            JSON,
        ),
        1 => {
            assert_eq!(request.header("if-none-match"), Some("\"one\""));
            assert_eq!(
                request.header("if-modified-since"),
                Some("Mon, 01 Jan 2024 00:00:00 GMT")
            );
            Reply::new("304 Not Modified", &[("cache-control", "max-age=600")], "")
        }
        _ => Reply::missing(),
    });
    let world = World::new();
    let ask = async || page(&world.client(), &server.url("/simple")).await;
    let first = ask().await.expect("an answer");
    let second = ask().await.expect("an answer");
    assert!(second.is_some());
    assert_eq!(first, second);
    let third = ask().await.expect("renewed by the 304");
    assert_eq!(first, third);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn what_must_not_be_stored_is_not() {
    let server = Server::start(|_, _| Reply::new("200 OK", &[("cache-control", "no-store")], JSON));
    let world = World::new();
    page(&world.client(), &server.url("/simple"))
        .await
        .expect("an answer");
    assert_eq!(world.count(Bucket::Simple), 0);
}

#[tokio::test]
async fn without_the_network_a_stale_page_is_good_and_none_is_an_error() {
    let server = Server::start(|_, _| Reply::json(JSON));
    let world = World::new();
    let online = page(&world.client(), &server.url("/simple"))
        .await
        .expect("an answer");
    let offline = world.client_with(ClientSettings {
        offline: true,
        ..World::settings()
    });
    assert_eq!(
        page(&offline, &server.url("/simple"))
            .await
            .expect("the stored one"),
        online
    );
    let error = page(&offline, &server.url("/other"))
        .await
        .expect_err("not stored");
    assert_eq!(error.code(), Code::Offline);
    assert_eq!(offline.requests(), 0);
}

#[tokio::test]
async fn metadata_is_fetched_once_and_checked() {
    let good = Sha256::of("Name: foo\n");
    let body = format!(
        r#"{{"files": [
        {{"filename": "foo-1-py3-none-any.whl", "url": "/a/foo-1-py3-none-any.whl", "hashes": {{}}, "core-metadata": {{"sha256": "{good}"}}}},
        {{"filename": "foo-2-py3-none-any.whl", "url": "/b/foo-2-py3-none-any.whl", "hashes": {{}}, "dist-info-metadata": {{"sha256": "{good}"}}}},
        {{"filename": "foo-3-py3-none-any.whl", "url": "/c/foo-3-py3-none-any.whl", "hashes": {{}}}}]}}"#
    );
    let server = Server::start(move |request, _| match &*request.path {
        "/simple/foo/" => Reply::json(&body),
        "/b/foo-2-py3-none-any.whl.metadata" => Reply::file("Name: foo\n"),
        "/a/foo-1-py3-none-any.whl.metadata" => Reply::file("Name: bad\n"),
        _ => Reply::missing(),
    });
    let world = World::new();
    let client = world.client();
    let page = page(&client, &server.url("/simple"))
        .await
        .expect("an answer")
        .expect("a page");
    let [bad, good, none] = &page.files[..] else {
        panic!("three files: {page:?}");
    };
    let error = client.metadata(bad).await.expect_err("another digest");
    assert_eq!(error.code(), Code::IndexLied);
    assert_eq!(client.metadata(none).await.expect("an answer"), None);
    let before = client.requests();
    for _ in 0..2 {
        let bytes = client
            .metadata(good)
            .await
            .expect("an answer")
            .expect("metadata");
        assert_eq!(bytes, b"Name: foo\n");
    }
    assert_eq!(client.requests(), before + 1);
}

#[tokio::test]
async fn a_folder_in_simple_layout_is_an_index() {
    let world = World::new();
    let root = world.folder.path().join("simple");
    std::fs::create_dir_all(root.join("foo")).expect("made");
    std::fs::create_dir_all(root.join("bar")).expect("made");
    std::fs::write(root.join("foo/foo-1.0.zip"), "x").expect("written");
    std::fs::write(root.join("bar/index.html"), "<a href='bar-2.0.zip'>x</a>").expect("written");
    let client = world.client();
    let index = index(&root.display().to_string());
    let foo = client
        .page(&index, &name("foo"))
        .await
        .expect("read")
        .expect("a page");
    assert_eq!(names(&foo), ["foo-1.0.zip"]);
    let bar = client
        .page(&index, &name("bar"))
        .await
        .expect("read")
        .expect("a page");
    assert_eq!(names(&bar), ["bar-2.0.zip"]);
    assert_eq!(
        bar.files[0].url.to_file_path(),
        Ok(root.join("bar/bar-2.0.zip"))
    );
    assert!(
        client
            .page(&index, &name("none"))
            .await
            .expect("read")
            .is_none()
    );
    assert_eq!(client.requests(), 0);
}

#[tokio::test]
async fn links_are_found_in_folders_files_and_pages() {
    let server = Server::start(|_, _| {
        Reply::new(
            "200 OK",
            &[("content-type", "text/html")],
            "<a href='foo-1.0.zip'>x</a><a href='bar_baz-2.0-py3-none-any.whl'>y</a><a href='readme.txt'>z</a>",
        )
    });
    let world = World::new();
    let folder = world.folder.path().join("wheels");
    std::fs::create_dir(&folder).expect("made");
    for file in ["foo-1.0-py3-none-any.whl", "bar-2.0.tar.gz", "readme.txt"] {
        std::fs::write(folder.join(file), "x").expect("written");
    }
    let client = world.client();
    let find = async |text: &str| {
        let links = FindLinks::parse(text).expect(text);
        let page = client.find_links(&links).await.expect(text);
        let names = names(&page).join(" ");
        (names, page.notes.len())
    };
    let text = folder.display().to_string();
    let both = "bar-2.0.tar.gz foo-1.0-py3-none-any.whl".to_owned();
    assert_eq!(find(&text).await, (both, 0));
    let one = ("bar-2.0.tar.gz".to_owned(), 0);
    assert_eq!(find(&format!("{text}/bar-2.0.tar.gz")).await, one);
    assert_eq!(find("/does/not/exist").await, (String::new(), 1));
    let page = ("foo-1.0.zip bar_baz-2.0-py3-none-any.whl".to_owned(), 0);
    assert_eq!(find(&server.url("/links.html")).await, page);
}
