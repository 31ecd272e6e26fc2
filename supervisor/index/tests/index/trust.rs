//! Credentials, redirects and proxies: who gets to know what, and who may lead where.

use std::collections::BTreeMap;

use cache::Bucket;
use index::{ClientSettings, IndexError, IndexUrl, Proxies};
use model::Code;
use url::Url;

use crate::server::{Reply, Server};
use crate::world::{World, index, name, page, quiet};

/// `me:marker` as basic authentication.
const BASIC: &str = "Basic bWU6bWFya2Vy";
const PAGE: &str =
    r#"{"files": [{"filename": "foo-1.zip", "url": "/files/foo-1.zip", "hashes": {}}]}"#;

fn page_linking_to(url: &str) -> String {
    format!(r#"{{"files": [{{"filename": "foo-1.zip", "url": "{url}", "hashes": {{}}}}]}}"#)
}

#[tokio::test]
async fn credentials_go_to_their_origin_and_its_files_and_are_not_written() {
    let server =
        Server::start(
            |request, _| match (request.header("authorization"), &*request.path) {
                (Some(BASIC), "/simple/foo/") => Reply::json(PAGE),
                (Some(BASIC), _) => Reply::file("x"),
                _ => Reply::new("401 Unauthorized", &[], ""),
            },
        );
    let world = World::new();
    let client = world.client();
    let index = index(&server.url_with("me:marker", "/simple"));
    let page = client
        .page(&index, &name("foo"))
        .await
        .expect("an answer")
        .expect("a page");
    let file = &page.files[0];
    client
        .download_file(file, Bucket::Sources, &quiet)
        .await
        .expect("with credentials");
    client
        .download(&file.url, None, Bucket::Sources, &quiet)
        .await
        .expect("by its link");
    let shown = format!("{client:?} {page:?} {index:?} {index}");
    assert!(
        !shown.contains("marker") && !shown.contains("bWU6"),
        "{shown}"
    );
    let written = world.everything_written();
    assert!(!written.contains("marker") && !written.contains("bWU6"));
    let error = page_without(&world, &server).await;
    assert_eq!(error.code(), Code::Unauthorized);
}

async fn page_without(world: &World, server: &Server) -> IndexError {
    let client = world.client();
    let without = IndexUrl::parse(&server.url("/other")).expect("an index");
    client
        .page(&without, &name("foo"))
        .await
        .expect_err("no credentials")
}

#[tokio::test]
async fn credentials_are_not_forwarded_to_another_port_by_redirect_or_link() {
    let other = Server::start(|_, _| Reply::file("x"));
    let (page_at, file_at) = (other.url("/stolen/foo/"), other.url("/foo-1.zip"));
    let server = Server::start(move |request, _| match &*request.path {
        "/simple/foo/" => Reply::json(&page_linking_to(&file_at)),
        _ => Reply::redirect(&page_at),
    });
    let world = World::new();
    let netrc = world.folder.path().join("netrc");
    std::fs::write(&netrc, "machine 127.0.0.1 login me password marker\n").expect("written");
    let settings = ClientSettings {
        netrc: Some(netrc),
        ..World::settings()
    };
    for (settings, user) in [(World::settings(), "me:marker@"), (settings, "")] {
        let client = world.client_with(settings);
        let at = |path: &str| {
            server
                .url(path)
                .replace("http://", &format!("http://{user}"))
        };
        let listed = page(&client, &at("/simple"))
            .await
            .expect("an answer")
            .expect("a page");
        client
            .download(&listed.files[0].url, None, Bucket::Sources, &quiet)
            .await
            .expect("a file");
        let moved = page(&client, &at("/moved")).await;
        assert_eq!(moved.expect_err("`x` is no page").code(), Code::BadPage);
    }
    assert_eq!(server.seen().len(), 4);
    assert!(
        server
            .seen()
            .iter()
            .all(|request| request.header("authorization") == Some(BASIC))
    );
    assert_eq!(other.seen().len(), 4);
    assert!(
        other
            .seen()
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
}

#[tokio::test]
async fn errors_show_neither_credentials_nor_queries() {
    let server = Server::start(|_, _| Reply::new("500 Internal Server Error", &[], ""));
    let world = World::new();
    let client = world.client();
    let url = server.url_with("me:marker", "/foo.zip?signature=marker#marker");
    let url = Url::parse(&url).expect("a URL");
    let error = client
        .download(&url, None, Bucket::Sources, &quiet)
        .await
        .expect_err("status");
    assert!(
        !format!("{error} {error:?}").contains("marker"),
        "{error:?}"
    );
    drop(server);
    let error = client
        .download(&url, None, Bucket::Sources, &quiet)
        .await
        .expect_err("gone");
    assert_eq!(error.code(), Code::Transport);
    let mut text = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text.push_str(&format!("{error} {error:?}"));
        cause = error.source();
    }
    assert!(!text.contains("marker"), "{text}");
}

#[tokio::test]
async fn a_private_index_may_redirect_to_private_places() {
    let other = Server::start(|_, _| Reply::json(PAGE));
    let to = other.url("/simple/foo/");
    let server = Server::start(move |_, _| Reply::redirect(&to));
    let world = World::new();
    let answer = page(&world.client(), &server.url("/simple")).await;
    assert_eq!(answer.expect("an answer").expect("a page").files.len(), 1);
}

#[tokio::test]
async fn a_public_index_may_not() {
    // Behind a proxy every host is within reach: the "public" index answers from loopback, and
    // what it leads to would too, were it not refused.
    let inside = Server::start(|_, _| Reply::json(PAGE));
    let to = inside.url("/simple/foo/");
    let linked = inside.url("/foo-1.zip");
    let proxy = Server::start(move |request, _| match &*request.path {
        "http://192.0.2.1/redirects/foo/" => Reply::redirect(&to),
        "http://192.0.2.1/links/foo/" => Reply::json(&page_linking_to(&linked)),
        "http://192.0.2.1/simple/foo/" => Reply::json(PAGE),
        _ => Reply::missing(),
    });
    let world = World::new();
    let proxies = BTreeMap::from([("http_proxy".to_owned(), proxy.url(""))]);
    let client = world.client_with(ClientSettings {
        proxy: Some(Proxies::from_environment(&proxies).expect("a proxy")),
        ..World::settings()
    });
    let error = page(&client, "http://192.0.2.1/redirects")
        .await
        .expect_err("refused");
    assert_eq!(error.code(), Code::Redirect);
    let links = page(&client, "http://192.0.2.1/links")
        .await
        .expect("an answer")
        .expect("a page");
    assert_eq!((links.files.len(), links.notes.len()), (0, 1));
    let control = page(&client, "http://192.0.2.1/simple")
        .await
        .expect("an answer");
    assert_eq!(control.expect("a page").files.len(), 1);
    assert_eq!(inside.seen().len(), 0, "nothing may have come there");
}

#[tokio::test]
async fn the_proxys_password_goes_to_the_proxy_and_shows_nowhere() {
    let proxy = Server::start(|request, _| match &*request.path {
        "http://192.0.2.1/simple/foo/" => Reply::json(PAGE),
        _ => Reply::new("407 Proxy Authentication Required", &[], ""),
    });
    let world = World::new();
    let variables = BTreeMap::from([("http_proxy".to_owned(), proxy.url_with("me:marker", ""))]);
    let client = world.client_with(ClientSettings {
        proxy: Some(Proxies::from_environment(&variables).expect("a proxy")),
        ..World::settings()
    });
    let good = page(&client, "http://192.0.2.1/simple").await;
    assert!(good.expect("an answer").is_some());
    let seen = proxy.seen();
    assert_eq!(seen[0].header("proxy-authorization"), Some(BASIC));
    let error = page(&client, "http://192.0.2.1/other")
        .await
        .expect_err("407");
    assert_eq!(error.code(), Code::Unauthorized);
    drop(proxy);
    let gone = page(&client, "http://192.0.2.1/gone")
        .await
        .expect_err("no proxy");
    let shown = format!(
        "{client:?} {:?} {error:?} {gone:?} {gone}",
        client.settings()
    );
    assert!(
        !shown.contains("marker") && !shown.contains("bWU6"),
        "{shown}"
    );
    let written = world.everything_written();
    assert!(!written.contains("marker") && !written.contains("bWU6"));
}

#[tokio::test]
async fn redirects_are_counted() {
    let server = Server::start(|request, _| Reply::redirect(&format!("{}x/", request.path)));
    let world = World::new();
    let client = world.client();
    let error = page(&client, &server.url("/simple"))
        .await
        .expect_err("endless");
    assert_eq!(error.code(), Code::Redirect);
    assert_eq!(client.requests(), 11);
}

#[tokio::test]
async fn a_missing_bundle_of_certificates_is_an_error_and_a_broken_one_too() {
    let world = World::new();
    let path = world.folder.path().join("ca.pem");
    let settings = ClientSettings {
        ca_file: Some(path.clone()),
        ..World::settings()
    };
    let made = index::Client::new(settings.clone(), world.cache.clone());
    assert_eq!(made.expect_err("missing").code(), Code::Io);
    std::fs::write(
        &path,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .expect("written");
    let server = Server::start(|_, _| Reply::json(PAGE));
    let error = page(&world.client_with(settings), &server.url("/simple")).await;
    assert_eq!(error.expect_err("broken").code(), Code::BadFlag);
}
