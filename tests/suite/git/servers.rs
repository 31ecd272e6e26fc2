//! Repositories behind a web server: who is reached, and with which credentials.

use std::fs;

use model::Code;
use tests::{Ear, FileServer, Repository, Sdist, Setting, World};

use crate::{site, world};

#[test]
fn a_server_is_reached_by_git_and_never_by_the_build() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let ear = Ear::tcp();
        let prologue = format!(
            "import socket\ntry:\n    socket.create_connection(('127.0.0.1', {}), 2)\nexcept OSError:\n    pass\n",
            ear.port()
        );
        let repository = Repository::new(&world, "repository");
        repository.lay("", &Sdist::hello("hello", "1.0").prologue(&prologue));
        repository.commit("one");
        let root = world.folder("www");
        repository.publish(&root, "hello");
        let server = FileServer::start(root);
        server.wants("me:s3cret-s3cret");
        let done = world
            .wheel(server.url("me:s3cret-s3cret", "hello"))
            .finish();
        let wheel = done.built("hello-1.0-py3-none-any.whl");
        assert!(server.requests() > 0);
        assert!(!ear.heard(), "{done}");
        let isolation = wheel.isolation.expect("a built wheel has one");
        assert_eq!(isolation.guarantees["ip-net"], "enforced", "{done}");
        assert_eq!(done.tells("s3cret-s3cret"), None);
        assert_eq!(done.tells("bWU6czNjcmV0LXMzY3JldA"), None);
    }
    let world = world();
    let root = world.folder("www");
    Repository::hello(&world, "repository").publish(&root, "hello");
    let server = FileServer::start(root);
    server.wants("me:s3cret-s3cret");
    let done = world.wheel(server.url("me:wr0ng-wr0ng", "hello")).finish();
    let failure = done.fails_with(Code::GitFailed);
    assert!(!format!("{failure:?}").contains("wr0ng"), "{done}");
    assert_eq!(done.tells("wr0ng-wr0ng"), None);
}

#[test]
fn credentials_stand_in_no_list_of_arguments() {
    let world = world();
    let root = world.folder("www");
    Repository::hello(&world, "repository").publish(&root, "hello");
    let server = FileServer::start(root);
    server.wants("me:s3cret-s3cret");
    let log = world.folder("work").join("calls");
    let spec = world.file("requirement", server.url("me:s3cret-s3cret", "hello"));
    let text = fs::read_to_string(spec).expect("it was written");
    world
        .wheel(&text)
        .traced(&log, "execve")
        .finish()
        .succeeds();
    let calls = fs::read_to_string(&log).expect("strace wrote");
    let fetched: Vec<_> = calls
        .lines()
        .filter(|line| line.contains("\"fetch\""))
        .collect();
    assert!(!fetched.is_empty(), "{calls}");
    for line in calls.lines().filter(|line| line.contains("git")) {
        // The suite's own command line names the spec; everything behind it is the program's.
        let own = line.contains("fumehood") || line.contains("warden");
        assert!(own || !line.contains("s3cret"), "{line}");
        assert!(own || !line.contains("bWU6czNjcmV0"), "{line}");
    }
}

#[test]
fn a_proxy_is_asked_instead_of_the_server_and_its_password_appears_nowhere() {
    let world = world();
    let root = world.folder("www");
    Repository::hello(&world, "repository").publish(&root, "hello");
    let server = FileServer::start(root);
    // The index plays the proxy: it knows no such path.
    let proxy = world.index.with_login("me", "s3cret-s3cret");
    let done = world
        .wheel(server.url("", "hello"))
        .env("http_proxy", proxy.replace("/simple/", ""))
        .finish();
    done.fails_with(Code::GitFailed);
    assert_eq!(done.tells("s3cret-s3cret"), None);
    assert_eq!(server.requests(), 0, "{done}");
    let asked = world.index.all_requests();
    let of_git = |path: &str| path.starts_with("http://") && path.contains("/info/refs");
    assert!(
        asked.iter().any(|request| of_git(&request.path)),
        "{asked:?}"
    );
    let spared = world
        .wheel(server.url("", "hello"))
        .env("http_proxy", proxy.replace("/simple/", ""))
        .env("no_proxy", "127.0.0.1,localhost")
        .finish();
    spared.built("hello-1.0-py3-none-any.whl");
}
