//! Identical questions of one run are asked once; what was fetched before is asked for with its
//! validators.

use std::sync::atomic::{AtomicUsize, Ordering};

use cache::Bucket;
use index::{CacheControl, ClientSettings, Fetched, Refresh};
use model::Sha256;
use tokio::task::JoinSet;
use url::Url;

use crate::server::{Reply, Server};
use crate::world::{World, index, name, page, quiet};

const PAGE: &str =
    r#"{"files": [{"filename": "foo-1.0.tar.gz", "url": "foo-1.0.tar.gz", "hashes": {}}]}"#;

fn url(text: &str) -> Url {
    Url::parse(text).expect(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_tasks_that_want_the_same_page_and_file_send_two_requests() {
    let server = Server::start(|request, _| match &*request.path {
        "/simple/foo/" => Reply::json(PAGE),
        _ => Reply::file("the file"),
    });
    let world = World::new();
    let client = world.client();
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let (client, at) = (client.clone(), server.url("/simple"));
        tasks.spawn(async move {
            let page = client.page(&index(&at), &name("foo")).await;
            let file = page.expect("an answer").expect("a page").files.remove(0);
            let digest = Sha256::of("the file");
            let got = client
                .download(&file.url, Some(&digest), Bucket::Sources, &quiet)
                .await;
            assert_eq!(got.expect("fetched").sha256, digest);
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no task fails");
    }
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_failed_request_is_nobodys_answer() {
    let server = Server::start(|_, number| match number {
        0 => Reply::new("403 Forbidden", &[], ""),
        _ => Reply::json(PAGE),
    });
    let world = World::new();
    let client = world.client();
    let at = server.url("/simple");
    let (one, two) = tokio::join!(page(&client, &at), page(&client, &at));
    assert!(one.is_err() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn refresh_asks_for_what_it_names_once_a_run() {
    let fresh = ("cache-control", "max-age=600");
    let server = Server::start(move |_, _| Reply::new("200 OK", &[fresh], PAGE));
    let world = World::new();
    let at = index(&server.url("/simple"));
    let ask = async |refresh: Refresh, project: &str| {
        let before = server.seen().len();
        let client = world.client_with(ClientSettings {
            refresh,
            ..World::settings()
        });
        for _ in 0..3 {
            let page = client.page(&at, &name(project)).await;
            assert!(page.expect("an answer").is_some());
        }
        server.seen().len() - before
    };
    let only_foo = || Refresh {
        all: false,
        packages: [name("foo")].into(),
    };
    assert_eq!(ask(Refresh::default(), "foo").await, 1, "unknown yet");
    assert_eq!(ask(Refresh::default(), "foo").await, 0);
    assert_eq!(ask(Refresh::everything(), "foo").await, 1);
    assert_eq!(ask(only_foo(), "foo").await, 1);
    assert_eq!(ask(Refresh::default(), "bar").await, 1, "unknown yet");
    assert_eq!(ask(only_foo(), "bar").await, 0);
}

#[tokio::test]
async fn what_the_user_says_of_an_index_counts_for_its_stored_pages() {
    let server = Server::start(|_, _| Reply::new("200 OK", &[("cache-control", "no-cache")], PAGE));
    let world = World::new();
    let address = server.url("/simple");
    let requests = async |control: Option<&str>| {
        let before = server.seen().len();
        let overrides = control.map(|control| format!("{address}/={control}"));
        let client = world.client_with(ClientSettings {
            cache_control: overrides
                .iter()
                .map(|text| CacheControl::parse(text).expect("an override"))
                .collect(),
            ..World::settings()
        });
        page(&client, &address).await.expect("an answer");
        server.seen().len() - before
    };
    assert_eq!(requests(None).await, 1);
    assert_eq!(requests(None).await, 1, "it says no-cache");
    assert_eq!(requests(Some("max-age=600")).await, 0);
    assert_eq!(requests(Some("no-cache")).await, 1);
}

#[tokio::test]
async fn a_damaged_page_is_fetched_anew_without_a_word() {
    let fresh = ("cache-control", "max-age=600");
    let server = Server::start(move |_, _| Reply::new("200 OK", &[fresh], PAGE));
    let world = World::new();
    let at = server.url("/simple");
    let first = page(&world.client(), &at).await.expect("an answer");
    let stored = world
        .cache
        .bucket(Bucket::Simple)
        .join(index(&at).digest().to_string())
        .join("foo.json");
    for damage in ["", "{\"schema\":1", "[]", "\u{0}\u{1}"] {
        std::fs::write(&stored, damage).expect("damaged");
        let again = page(&world.client(), &at).await.expect("healed");
        assert_eq!(again, first);
    }
    assert_eq!(server.seen().len(), 5);
    page(&world.client(), &at).await.expect("an answer");
    assert_eq!(server.seen().len(), 5, "what was made anew is kept");
}

#[tokio::test]
async fn a_file_is_asked_for_again_with_its_validators() {
    let changed = std::sync::Arc::new(AtomicUsize::new(0));
    let state = changed.clone();
    let server = Server::start(move |request, _| {
        let tag = format!("\"{}\"", state.load(Ordering::SeqCst));
        if request.header("if-none-match") == Some(&tag) {
            return Reply::new("304 Not Modified", &[("cache-control", "max-age=60")], "");
        }
        Reply::new("200 OK", &[("etag", &*tag)], format!("bytes {tag}"))
    });
    let world = World::new();
    let at = url(&server.url("/get/thing.tar.gz"));
    let ask = async |known| {
        let client = world.client();
        let answer = client
            .download_again(&at, known, Bucket::Sources, &quiet)
            .await;
        (client.requests(), answer.expect("an answer"))
    };
    let (_, first) = ask(None).await;
    let Fetched::Came(digest, known) = first else {
        panic!("{first:?}");
    };
    assert_eq!(digest.sha256, Sha256::of("bytes \"0\""));
    assert!(!world.client().is_fresh(&known), "it did not say how long");
    let (_, second) = ask(Some(&known)).await;
    let Fetched::Unchanged(renewed) = second else {
        panic!("{second:?}");
    };
    assert!(world.client().is_fresh(&renewed));
    changed.store(1, Ordering::SeqCst);
    let (_, third) = ask(Some(&renewed)).await;
    assert!(
        matches!(third, Fetched::Came(digest, _) if digest.sha256 == Sha256::of("bytes \"1\"")),
        "{third:?}"
    );
    assert_eq!(world.count(Bucket::Sources), 2, "the old bytes stay");
}
