//! What is known of a place is used as long as it holds, and asked, hashed or packed again after.

use index::Refresh;

use super::server::Server;
use super::*;
use crate::shown::shown_url;

/// One run of the program: a client of its own.
async fn run(world: &World, text: &str, refresh: Refresh) -> Result<Located, SourceError> {
    let settings = ClientSettings {
        refresh,
        ..ClientSettings::default()
    };
    let client = Client::new(settings, world.cache.clone()).unwrap();
    let means = Means {
        cache: &world.cache,
        client: &client,
        on_bytes: &|_, _| (),
        repository: None,
        known: None,
    };
    let spec = Spec::parse(text, world.dir.path()).unwrap();
    locate(&means, &spec, &[]).await
}

async fn digest(world: &World, text: &str) -> Sha256 {
    let located = run(world, text, Refresh::default()).await.unwrap();
    located.id.digest.sha256
}

#[tokio::test]
async fn a_url_is_asked_with_its_validators_and_what_changed_is_another_revision() {
    let world = world();
    let server = Server::start(tar("one/"));
    let url = format!("{}/get/x.tar.gz", server.base);
    assert_eq!(digest(&world, &url).await, Sha256::of(tar("one/")));
    assert_eq!(server.count(), (1, 0));
    assert_eq!(digest(&world, &url).await, Sha256::of(tar("one/")));
    assert_eq!(server.count(), (1, 1), "it is validated, not fetched");

    server.change(|state| state.body = tar("two/"));
    assert_eq!(digest(&world, &url).await, Sha256::of(tar("two/")));
    assert_eq!(server.count(), (2, 1));
    assert_eq!(world.blobs(), 2, "the old one stays until it is pruned");
    let record = Pointers::of(&world.cache).get_url(&url.parse().unwrap());
    let record = record.unwrap();
    assert_eq!(record.digest.sha256, Sha256::of(tar("two/")));
    assert_eq!(record.former, [Sha256::of(tar("one/"))]);
    assert_eq!(record.url, shown_url(&url.parse().unwrap()));
}

#[tokio::test]
async fn a_url_that_is_fresh_is_not_asked_unless_it_is_to_be_refreshed() {
    let world = world();
    let server = Server::start(tar("one/"));
    server.change(|state| state.cache_control = Some("max-age=600"));
    let url = format!("foo @ {}/x.tar.gz", server.base);
    digest(&world, &url).await;
    digest(&world, &url).await;
    assert_eq!(server.count(), (1, 0));
    let only = |name: &str| Refresh {
        all: false,
        packages: [crate::names::project(name).unwrap()].into(),
    };
    for (refresh, unchanged) in [
        (only("other"), 0),
        (only("foo"), 1),
        (Refresh::everything(), 2),
    ] {
        run(&world, &url, refresh).await.unwrap();
        assert_eq!(server.count(), (1, unchanged));
    }
    // Without the network, stale is good enough.
    server.change(|state| state.status = Some(500));
    let spec = Spec::parse(&url, world.dir.path()).unwrap();
    let source = acquire(&world.cache, &world.offline(), &spec, &[], &|_, _| ()).await;
    assert_eq!(source.unwrap().id.digest.sha256, Sha256::of(tar("one/")));
}

#[tokio::test]
async fn a_damaged_pointer_is_made_anew_without_a_word() {
    let world = world();
    let server = Server::start(tar("one/"));
    let url = format!("{}/x.tar.gz", server.base);
    fs::write(world.path("a.tar"), tar("a/")).unwrap();
    digest(&world, &url).await;
    digest(&world, "./a.tar").await;
    let pointers = world.cache.bucket(Bucket::Pointers);
    for (folder, text, expected) in [("url", &*url, "one/"), ("path", "./a.tar", "a/")] {
        let entry = fs::read_dir(pointers.join(folder)).unwrap().next();
        let path = entry.unwrap().unwrap().path();
        let sound = fs::read(&path).unwrap();
        for damage in [&b""[..], b"{", b"null", &sound[..sound.len() / 2]] {
            fs::write(&path, damage).unwrap();
            assert_eq!(digest(&world, text).await, Sha256::of(tar(expected)));
            assert!(serde_json_is_sound(&path), "it is written anew");
        }
    }
}

fn serde_json_is_sound(path: &Path) -> bool {
    fs::read_to_string(path).unwrap().trim_end().ends_with('}')
}

/// Makes it as if the last looks had been taken so long after the last change that they are not in
/// doubt.
fn age(world: &World) {
    rewrite(world, |text| {
        let (before, rest) = text.split_once("\"taken\":").unwrap();
        let end = rest.find([',', '}']).unwrap();
        let taken: i64 = rest[..end].parse().unwrap();
        format!("{before}\"taken\":{}{}", taken + 60, &rest[end..])
    });
}

/// Rewrites the records of all local places.
fn rewrite(world: &World, change: impl Fn(&str) -> String) {
    let folder = world.cache.bucket(Bucket::Pointers).join("path");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let record: serde_json::Value = world.cache.read_record(&path).unwrap();
        let text = record.to_string();
        let other = change(&text);
        assert_ne!(text, other);
        let record: serde_json::Value = serde_json::from_str(&other).unwrap();
        world.cache.write_record(&path, &record).unwrap();
    }
}

/// Puts another digest into the record of a local place: only who does not read it returns that.
fn forge(world: &World, digest: Sha256) -> Sha256 {
    let forged = Sha256::of("forged");
    rewrite(world, |text| {
        text.replace(&digest.to_string(), &forged.to_string())
    });
    forged
}

#[tokio::test]
async fn a_local_archive_is_read_again_only_when_it_looks_changed() {
    let world = world();
    let path = world.path("a.tar");
    fs::write(&path, tar("one/")).unwrap();
    let one = digest(&world, "./a.tar").await;
    let forged = forge(&world, one);
    assert_eq!(
        digest(&world, "./a.tar").await,
        one,
        "a look so early proves nothing"
    );
    forge(&world, one);
    age(&world);
    assert_eq!(digest(&world, "./a.tar").await, forged, "it was read");
    let refreshed = run(&world, "./a.tar", Refresh::everything()).await;
    assert_eq!(refreshed.unwrap().id.digest.sha256, one);

    // Other bytes of the same size and time, as after restoring a backup.
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    age(&world);
    fs::write(&path, tar("two/")).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(modified).unwrap();
    let two = digest(&world, "./a.tar").await;
    assert_eq!(two, Sha256::of(tar("two/")));
    assert_eq!(world.blobs(), 2, "the old revision stays");
}

/// A project in `project`, and a file in it whose reading shows.
fn lay(world: &World) -> PathBuf {
    let folder = world.path("project");
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("setup.py"), "x").unwrap();
    fs::write(folder.join("src/a.py"), "1").unwrap();
    folder
}

#[tokio::test]
async fn an_unchanged_folder_is_not_packed_again() {
    let world = world();
    let folder = lay(&world);
    let one = digest(&world, "./project").await;
    let forged = forge(&world, one);
    assert_eq!(
        digest(&world, "./project").await,
        one,
        "a look so early proves nothing"
    );
    forge(&world, one);
    age(&world);
    assert_eq!(digest(&world, "./project").await, forged, "it was packed");
    let refreshed = run(&world, "./project", Refresh::everything()).await;
    assert_eq!(refreshed.unwrap().id.digest.sha256, one);
    forge(&world, one);
    age(&world);
    fs::write(folder.join("setup.py"), "x").unwrap();
    assert_eq!(digest(&world, "./project").await.to_string().len(), 64);
    assert_ne!(digest(&world, "./project").await, forged, "it was touched");
    // Another output folder leaves out something else.
    let spec = Spec::parse("./project", world.dir.path()).unwrap();
    let out = folder.join("src");
    let source = acquire(&world.cache, &world.client, &spec, &[out], &|_, _| ()).await;
    assert_ne!(source.unwrap().id.digest.sha256, one);
}

#[tokio::test]
async fn every_change_of_a_folder_makes_another_revision_and_undoing_it_the_old_one() {
    let world = world();
    let folder = lay(&world);
    let times = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let first = digest(&world, "./project").await;
    age(&world);
    // A file that is deleted.
    let modified = times(&folder.join("src/a.py"));
    fs::remove_file(folder.join("src/a.py")).unwrap();
    let without = digest(&world, "./project").await;
    assert_ne!(without, first);
    age(&world);
    // An older file is restored.
    fs::write(folder.join("src/a.py"), "1").unwrap();
    let file = fs::File::options()
        .write(true)
        .open(folder.join("src/a.py"));
    file.unwrap().set_modified(modified).unwrap();
    assert_eq!(digest(&world, "./project").await, first);
    age(&world);
    // One byte changes, size and time of modification stay.
    fs::write(folder.join("src/a.py"), "2").unwrap();
    let file = fs::File::options()
        .write(true)
        .open(folder.join("src/a.py"));
    file.unwrap().set_modified(modified).unwrap();
    let third = digest(&world, "./project").await;
    assert!(third != first && third != without);
    assert_eq!(world.blobs(), 3, "old revisions stay");
    // What is never packed changes nothing.
    fs::create_dir(folder.join("__pycache__")).unwrap();
    fs::write(folder.join("__pycache__/a.pyc"), "x").unwrap();
    assert_eq!(digest(&world, "./project").await, third);
}

#[tokio::test]
async fn a_change_at_the_time_of_the_look_is_seen() {
    let world = world();
    let folder = lay(&world);
    let file = folder.join("src/a.py");
    for round in 0..50 {
        fs::write(&file, format!("{}", round % 10)).unwrap();
        digest(&world, "./project").await;
        // Very likely within one tick of the file system's clock.
        fs::write(&file, format!("{}", (round + 1) % 10)).unwrap();
        let located = run(&world, "./project", Refresh::default()).await.unwrap();
        let blob = world
            .cache
            .blob_path(Bucket::Sources, &located.id.digest.sha256);
        let packed = fs::read(blob).unwrap();
        let wanted = format!("{}", (round + 1) % 10).into_bytes()[0];
        assert!(
            packed
                .windows(512)
                .step_by(512)
                .any(|block| { block[0] == wanted && block[1..].iter().all(|byte| *byte == 0) }),
            "round {round}"
        );
    }
}
