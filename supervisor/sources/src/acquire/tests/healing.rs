//! A blob that is missing or damaged comes again and has to be the same.

use index::Refresh;

use super::server::Server;
use super::*;

/// The ways in which a blob can be lost.
fn damages() -> [fn(&Path); 4] {
    [
        |blob| fs::remove_file(blob).unwrap(),
        |blob| fs::write(blob, b"").unwrap(),
        |blob| {
            let bytes = fs::read(blob).unwrap();
            fs::write(blob, &bytes[..bytes.len() - 1]).unwrap();
        },
        |blob| {
            let mut bytes = fs::read(blob).unwrap();
            bytes[100] ^= 1;
            fs::write(blob, bytes).unwrap();
        },
    ]
}

#[tokio::test]
async fn every_kind_of_source_is_healed_and_is_the_same() {
    let world = world();
    let server = Server::start(tar("x/"));
    server.change(|state| state.cache_control = Some("max-age=600"));
    fs::write(world.path("a.tar"), tar("a/")).unwrap();
    fs::create_dir(world.path("project")).unwrap();
    fs::write(world.path("project/setup.py"), "x").unwrap();
    let digest = Sha256::of(tar("x/"));
    for text in [
        format!("{}/x.tar.gz", server.base),
        format!("{}/y.tar.gz#sha256={digest}", server.base),
        "./a.tar".to_owned(),
        "./project".to_owned(),
    ] {
        let source = world.take(&text).await.unwrap();
        let sound = fs::read(&source.path).unwrap();
        for damage in damages() {
            damage(&source.path);
            let client = Client::new(ClientSettings::default(), world.cache.clone()).unwrap();
            let spec = Spec::parse(&text, world.dir.path()).unwrap();
            let healed = acquire(&world.cache, &client, &spec, &[], &|_, _| ()).await;
            let healed = healed.unwrap();
            assert_eq!(healed.id, source.id, "{text}");
            assert_eq!(fs::read(&healed.path).unwrap(), sound, "{text}");
        }
    }
}

#[tokio::test]
async fn locating_needs_no_blob() {
    let world = world();
    let server = Server::start(tar("x/"));
    let url = format!("{}/x.tar.gz", server.base);
    let source = world.take(&url).await.unwrap();
    fs::remove_file(&source.path).unwrap();
    let client = Client::new(ClientSettings::default(), world.cache.clone()).unwrap();
    let means = Means {
        cache: &world.cache,
        client: &client,
        on_bytes: &|_, _| (),
        repository: None,
        known: None,
    };
    let spec = Spec::parse(&url, world.dir.path()).unwrap();
    let located = locate(&means, &spec, &[]).await.unwrap();
    assert_eq!(located.id, source.id);
    assert_eq!(server.count(), (1, 1), "asked, not fetched");
    assert_eq!(world.blobs(), 0);
    located.materialise(&means).await.unwrap();
    assert_eq!(server.count(), (2, 1));
}

#[tokio::test]
async fn a_url_that_is_fresh_and_has_other_bytes_is_no_healing() {
    let world = world();
    let server = Server::start(tar("x/"));
    server.change(|state| state.cache_control = Some("max-age=600"));
    let url = format!("{}/x.tar.gz", server.base);
    let source = world.take(&url).await.unwrap();
    fs::remove_file(&source.path).unwrap();
    server.change(|state| state.body = tar("y/"));
    let error = world.take(&url).await.unwrap_err();
    assert!(matches!(error, SourceError::Replaced { .. }), "{error:?}");
    assert_eq!(error.code(), Code::HashMismatch);
    let text = error.to_string();
    for digest in [Sha256::of(tar("x/")), Sha256::of(tar("y/"))] {
        assert!(text.contains(&digest.to_string()), "{text}");
    }
    assert!(error.hint().unwrap().contains("--refresh"));
    assert_eq!(world.blobs(), 0);
    let settings = ClientSettings {
        refresh: Refresh::everything(),
        ..ClientSettings::default()
    };
    let client = Client::new(settings, world.cache.clone()).unwrap();
    let spec = Spec::parse(&url, world.dir.path()).unwrap();
    let source = acquire(&world.cache, &client, &spec, &[], &|_, _| ()).await;
    assert_eq!(source.unwrap().id.digest.sha256, Sha256::of(tar("y/")));
}

#[tokio::test]
async fn what_can_not_come_again_is_named_and_wheels_are_not_in_danger() {
    let world = world();
    let server = Server::start(tar("x/"));
    let url = format!("docopt @ {}/docopt-0.6.2.tar.gz", server.base);
    let source = world.take(&url).await.unwrap();
    fs::remove_file(&source.path).unwrap();
    let spec = Spec::parse(&url, world.dir.path()).unwrap();
    let error = acquire(&world.cache, &world.offline(), &spec, &[], &|_, _| ()).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), Code::Offline);
    assert!(error.to_string().contains("docopt 0.6.2"), "{error}");
    assert!(error.hint().unwrap().contains("still served"));
    server.change(|state| state.cache_control = Some("max-age=600"));
    world.take(&url).await.unwrap();
    fs::remove_file(&source.path).unwrap();
    server.change(|state| state.status = Some(410));
    let error = world.take(&url).await.unwrap_err();
    assert!(matches!(error, SourceError::NotFetched { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("still served"));
}

#[tokio::test]
async fn a_file_of_an_index_that_was_replaced_is_an_error() {
    let world = world();
    let server = Server::start(tar("x/"));
    let take = async |file: &index::File| {
        let client = Client::new(ClientSettings::default(), world.cache.clone()).unwrap();
        acquire_file(&world.cache, &client, file, &|_, _| ()).await
    };
    let plain = listed(&server.base, None);
    let source = take(&plain).await.unwrap();
    // The index promises other bytes now.
    let promised = listed(&server.base, Some(Sha256::of("other")));
    let error = take(&promised).await.unwrap_err();
    assert_eq!(error.code(), Code::HashMismatch);
    let text = error.to_string();
    assert!(text.contains("docopt 0.6.2"), "{text}");
    assert!(text.contains(&Sha256::of("other").to_string()), "{text}");
    assert!(
        text.contains(&source.id.digest.sha256.to_string()),
        "{text}"
    );
    assert!(
        error
            .hint()
            .unwrap()
            .contains("fumehood cache clean docopt")
    );
    // It promises nothing and has other bytes, which shows when they are needed again.
    server.change(|state| state.body = tar("y/"));
    assert_eq!(
        take(&plain).await.unwrap().id,
        source.id,
        "nobody asks for what is here"
    );
    fs::remove_file(&source.path).unwrap();
    let error = take(&plain).await.unwrap_err();
    assert!(matches!(error, SourceError::Replaced { .. }), "{error:?}");
    assert_eq!(world.blobs(), 0, "other bytes are not kept");
    server.change(|state| state.body = tar("x/"));
    assert_eq!(take(&plain).await.unwrap().id, source.id);
}

fn sha512(bytes: &[u8]) -> String {
    let digest = sha2::Sha512::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_digest_of_another_algorithm_is_added_and_is_no_damage() {
    let world = world();
    let server = Server::start(tar("x/"));
    let source = world.take(&format!("{}/x.tar", server.base)).await.unwrap();
    let (right, wrong) = (sha512(&tar("x/")), sha512(b"other"));
    let base = &server.base;
    let asked = |digest: &str| format!("{base}/x.tar#sha512={digest}");
    for _ in 0..2 {
        assert_eq!(world.take(&asked(&right)).await.unwrap().id, source.id);
    }
    let known = crate::Revisions::of(&world.cache).hashes(&source.id.digest.sha256);
    assert_eq!(known.get("sha512"), Some(&right));
    let error = world.take(&asked(&wrong)).await.unwrap_err();
    assert!(
        matches!(error, SourceError::OtherHashMismatch { .. }),
        "{error:?}"
    );
    assert!(source.path.exists(), "the blob is as sound as before");
    fs::write(world.path("a.tar"), tar("x/")).unwrap();
    world.take(&format!("a.tar#sha512={right}")).await.unwrap();
    let error = world.take(&format!("a.tar#sha512={wrong}")).await;
    assert_eq!(error.unwrap_err().code(), Code::HashMismatch);
}
