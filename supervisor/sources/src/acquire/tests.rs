//! From each kind of place to a blob, and what is refused on the way.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use index::{ClientSettings, FileKind, IndexUrl};
use model::Code;
use sha2::Digest as _;
use url::Url;

use super::*;
use crate::Pointers;

mod freshness;
mod healing;
mod server;

/// The shortest tar that is one: a folder's header and the end.
fn tar(name: &str) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000755\0");
    header[124..136].copy_from_slice(b"00000000000\0");
    header[136..148].copy_from_slice(b"00000000000\0");
    header[148..156].fill(b' ');
    header[156] = b'5';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut bytes = header.to_vec();
    bytes.extend([0; 1024]);
    bytes
}

struct World {
    dir: tempfile::TempDir,
    cache: Cache,
    client: Client,
}

fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let cache = Cache::open(&dir.path().join("cache")).unwrap();
    let client = Client::new(ClientSettings::default(), cache.clone()).unwrap();
    World { dir, cache, client }
}

impl World {
    fn offline(&self) -> Client {
        let settings = ClientSettings {
            offline: true,
            ..ClientSettings::default()
        };
        Client::new(settings, self.cache.clone()).unwrap()
    }

    fn blobs(&self) -> usize {
        let sizes = self.cache.sizes().unwrap();
        let (_, size) = sizes
            .iter()
            .find(|(bucket, _)| *bucket == Bucket::Sources)
            .unwrap();
        usize::try_from(size.files).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    async fn take(&self, text: &str) -> Result<Source, SourceError> {
        let spec = Spec::parse(text, self.dir.path()).unwrap();
        acquire(&self.cache, &self.client, &spec, &[], &|_, _| ()).await
    }
}

/// Serves one body to every request; counts them.
fn serve(body: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines
                .by_ref()
                .next()
                .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
            {}
            counted.fetch_add(1, Ordering::SeqCst);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&body);
        }
    });
    (format!("http://{address}"), requests)
}

#[tokio::test]
async fn a_local_archive_is_copied_and_named_by_its_bytes() {
    let world = world();
    let bytes = tar("docopt-0.6.2/");
    fs::write(world.path("docopt-0.6.2.tar.gz"), &bytes).unwrap();
    let source = world.take("./docopt-0.6.2.tar.gz").await.unwrap();
    assert_eq!(source.id.kind, SourceKind::Archive);
    assert_eq!(source.id.digest.sha256, Sha256::of(&bytes));
    // The kind is told from the bytes, not from the name.
    assert_eq!((source.kind, source.top), (Kind::Tar, Top::Any));
    assert_eq!(fs::read(&source.path).unwrap(), bytes);
    assert!(source.path.starts_with(world.cache.bucket(Bucket::Sources)));
    // The same bytes from another place are the same blob.
    fs::write(world.path("other.zip"), &bytes).unwrap();
    let again = world.take("./other.zip#subdirectory=x").await.unwrap();
    assert_eq!(again.path, source.path);
    assert_eq!(again.id.subdirectory.as_deref(), Some("x"));
    assert_eq!(world.blobs(), 1);
}

#[tokio::test]
async fn a_local_archive_with_another_digest_leaves_nothing() {
    let world = world();
    fs::write(world.path("a.tar"), tar("a/")).unwrap();
    let wrong = Sha256::of(b"other");
    let error = world
        .take(&format!("a.tar#sha256={wrong}"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, SourceError::HashMismatch { .. }),
        "{error:?}"
    );
    assert_eq!(error.code(), Code::HashMismatch);
    assert_eq!(world.blobs(), 0);
    let right = Sha256::of(tar("a/"));
    world.take(&format!("a.tar#sha256={right}")).await.unwrap();
}

#[tokio::test]
async fn what_is_no_archive_is_refused() {
    let world = world();
    for (name, bytes) in [("empty.zip", vec![]), ("text.tar.gz", b"<html>".to_vec())] {
        fs::write(world.path(name), bytes).unwrap();
        let error = world.take(name).await.unwrap_err();
        assert!(
            matches!(error, SourceError::NotAnArchive { .. }),
            "{error:?}"
        );
        assert_eq!(error.code(), Code::BadArchive);
    }
}

#[tokio::test]
async fn a_pipe_in_the_place_of_an_archive_is_an_error_and_no_wait() {
    let world = world();
    let path = world.path("a.tar");
    fs::write(&path, tar("a/")).unwrap();
    let spec = Spec::parse("a.tar", world.dir.path()).unwrap();
    fs::remove_file(&path).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
    let error = acquire(&world.cache, &world.client, &spec, &[], &|_, _| ())
        .await
        .unwrap_err();
    assert!(matches!(error, SourceError::Read { .. }), "{error:?}");
}

#[tokio::test]
async fn a_folder_is_packed_into_the_normal_form() {
    let world = world();
    let project = world.path("project");
    fs::create_dir_all(project.join("dist")).unwrap();
    fs::write(project.join("setup.py"), b"from setuptools import setup").unwrap();
    let spec = Spec::parse("./project", world.dir.path()).unwrap();
    let pack = async || {
        acquire(
            &world.cache,
            &world.client,
            &spec,
            &[project.join("dist")],
            &|_, _| (),
        )
        .await
        .unwrap()
    };
    let first = pack().await;
    assert_eq!(first.id.kind, SourceKind::Directory);
    assert_eq!((first.kind, first.top), (Kind::Tar, Top::Bare));
    // The output directory does not change the digest; a source file does.
    fs::write(project.join("dist/a.whl"), b"x").unwrap();
    assert_eq!(pack().await.id, first.id);
    fs::write(project.join("new.py"), b"x").unwrap();
    assert_ne!(pack().await.id, first.id);
}

#[tokio::test]
async fn a_cache_inside_the_project_is_not_packed() {
    let world = world();
    let root = world.path("project/inner-cache");
    let cache = Cache::open(&root).unwrap();
    // Without the tag it is told by its place alone.
    fs::remove_file(root.join("CACHEDIR.TAG")).unwrap();
    fs::write(world.path("project/setup.py"), b"x").unwrap();
    let spec = Spec::parse("./project", world.dir.path()).unwrap();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let source = acquire(&cache, &world.client, &spec, &[], &|_, _| ()).await;
        ids.push(source.unwrap().id);
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_folder_that_is_no_project_is_refused() {
    let world = world();
    fs::create_dir_all(world.path("project/deep")).unwrap();
    let error = world.take("./project").await.unwrap_err();
    assert!(
        matches!(error, SourceError::NotAProject { .. }),
        "{error:?}"
    );
    fs::write(world.path("project/deep/pyproject.toml"), b"").unwrap();
    let error = world.take("./project").await.unwrap_err();
    assert_eq!(error.code(), Code::BadSpec);
    let source = world.take("./project#subdirectory=deep").await.unwrap();
    assert_eq!(source.id.subdirectory.as_deref(), Some("deep"));
}

#[tokio::test]
async fn a_link_out_of_the_folder_is_refused() {
    let world = world();
    fs::create_dir_all(world.path("project")).unwrap();
    fs::write(world.path("project/setup.py"), b"x").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", world.path("project/link")).unwrap();
    let error = world.take("./project").await.unwrap_err();
    assert!(matches!(error, SourceError::Pack { .. }), "{error:?}");
    assert_eq!(error.code(), Code::BadArchive);
    assert_eq!(world.blobs(), 0);
}

#[tokio::test]
async fn a_url_without_validators_is_fetched_each_run_and_remembered_for_offline() {
    let world = world();
    let (base, requests) = serve(tar("x/"));
    let text = format!("docopt @ {base}/get/docopt-0.6.2.tar.gz?token=hunter2");
    let source = world.take(&text).await.unwrap();
    assert_eq!((source.id.kind, source.top), (SourceKind::Url, Top::Any));
    assert_eq!(source.label, format!("{base}/get/docopt-0.6.2.tar.gz"));
    let (name, version) = source.sdist_name.unwrap();
    assert_eq!(
        (name.to_string(), version.to_string()),
        ("docopt".into(), "0.6.2".into())
    );
    world.take(&text).await.unwrap();
    assert_eq!(requests.load(Ordering::SeqCst), 1, "once a run");
    let next = Client::new(ClientSettings::default(), world.cache.clone()).unwrap();
    let spec = Spec::parse(&text, world.dir.path()).unwrap();
    let again = acquire(&world.cache, &next, &spec, &[], &|_, _| ()).await;
    assert_eq!(again.unwrap().id, source.id);
    assert_eq!(requests.load(Ordering::SeqCst), 2);

    let spec = Spec::parse(&text, world.dir.path()).unwrap();
    let offline = world.offline();
    let again = acquire(&world.cache, &offline, &spec, &[], &|_, _| ()).await;
    assert_eq!(again.unwrap().id, source.id);
    let other = Spec::parse(&format!("{base}/other"), world.dir.path()).unwrap();
    let error = acquire(&world.cache, &offline, &other, &[], &|_, _| ())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Offline, "{error:?}");
    assert_eq!(requests.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_url_with_a_digest_is_fetched_once_and_healed() {
    let world = world();
    let (base, requests) = serve(tar("x/"));
    let digest = Sha256::of(tar("x/"));
    let text = format!("{base}/x.zip#sha256={digest}");
    let source = world.take(&text).await.unwrap();
    world.take(&text).await.unwrap();
    assert_eq!(requests.load(Ordering::SeqCst), 1);
    fs::write(&source.path, b"damaged").unwrap();
    world.take(&text).await.unwrap();
    assert_eq!(requests.load(Ordering::SeqCst), 2);
    assert_eq!(fs::read(&source.path).unwrap(), tar("x/"));
    let wrong = Sha256::of(b"other");
    let error = world
        .take(&format!("{base}/y.zip#sha256={wrong}"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::HashMismatch, "{error:?}");
    assert_eq!(world.blobs(), 1);
}

fn listed(base: &str, sha256: Option<Sha256>) -> index::File {
    let filename = "docopt-0.6.2.tar.gz".to_owned();
    let name = crate::names::project("docopt").unwrap();
    index::File {
        url: Url::parse(&format!("{base}/files/{filename}")).unwrap(),
        sha256,
        other_hashes: std::collections::BTreeMap::new(),
        size: None,
        requires_python: None,
        yanked: None,
        metadata: None,
        uploaded: None,
        index: IndexUrl::parse(&format!("{base}/simple")).unwrap(),
        kind: FileKind::Sdist(SdistFilename::parse(&filename, &name).unwrap()),
        filename,
    }
}

#[tokio::test]
async fn an_sdist_of_an_index_is_fetched_once() {
    let world = world();
    let (base, requests) = serve(tar("x/"));
    for file in [
        listed(&base, Some(Sha256::of(tar("x/")))),
        listed(&base, None),
    ] {
        let take = || acquire_file(&world.cache, &world.client, &file, &|_, _| ());
        let source = take().await.unwrap();
        assert_eq!(
            (source.id.kind, source.top),
            (SourceKind::Index, Top::OneFolder)
        );
        assert_eq!(source.label, "docopt-0.6.2.tar.gz");
        take().await.unwrap();
    }
    assert_eq!(requests.load(Ordering::SeqCst), 1);
    let (name, version) = (
        crate::names::project("docopt").unwrap(),
        "0.6.2".parse().unwrap(),
    );
    let index = IndexUrl::parse(&format!("{base}/simple")).unwrap().digest();
    let record = Pointers::of(&world.cache)
        .get(&index, &name, &version)
        .unwrap();
    assert_eq!(record.digest.sha256, Sha256::of(tar("x/")));
    assert_eq!(record.filename, "docopt-0.6.2.tar.gz");
}

#[tokio::test]
async fn an_index_that_promises_other_bytes_is_refused() {
    let world = world();
    let (base, _) = serve(tar("x/"));
    let file = listed(&base, Some(Sha256::of(b"other")));
    let error = acquire_file(&world.cache, &world.client, &file, &|_, _| ())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::IndexLied, "{error:?}");
    for (algorithm, digits) in [("sha512", 128), ("sha384", 96), ("sha512", 3)] {
        let mut file = listed(&base, None);
        file.other_hashes
            .insert(algorithm.into(), "0".repeat(digits));
        let error = acquire_file(&world.cache, &world.client, &file, &|_, _| ())
            .await
            .unwrap_err();
        assert!(
            matches!(error, SourceError::OtherHashMismatch { .. }),
            "{error:?}"
        );
        assert_eq!(error.code(), Code::HashMismatch);
    }
    assert_eq!(world.blobs(), 0);
    let mut file = listed(&base, None);
    let right = sha2::Sha512::digest(tar("x/"));
    let hex: String = right.iter().map(|byte| format!("{byte:02X}")).collect();
    file.other_hashes.insert("sha512".into(), hex);
    acquire_file(&world.cache, &world.client, &file, &|_, _| ())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_requirement_has_no_place() {
    let world = world();
    let error = world.take("docopt==0.6.2").await.unwrap_err();
    assert!(matches!(error, SourceError::Unresolved { .. }));
}
