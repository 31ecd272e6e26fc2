//! Repositories behind TLS: which servers are believed, where they may lead, and who is told a login.

use model::Code;
use tests::{Authority, FileServer, GitServer, Outcome, Repository, Setting, World};

use crate::{site, world};

const LOGIN: &str = "me:s3cret-s3cret";
/// The same as servers are sent it.
const ENCODED: &str = "bWU6czNjcmV0LXMzY3JldA";

/// A server with a repository `hello`, for a login or for everybody.
fn server(world: &World<'_>, name: &str, certificate: &std::path::Path, login: &str) -> GitServer {
    let server = GitServer::start(world, name, Some(certificate), login);
    Repository::hello(world, &format!("{name}-work")).publish(server.root(), "hello");
    server
}

/// Runs a build that trusts the authority.
fn wheel<'a>(world: &'a World<'static>, authority: &Authority, spec: &str) -> Outcome<'a, 'static> {
    let trusted = authority.certificate();
    world.wheel(spec).env("SSL_CERT_FILE", trusted).finish()
}

fn keeps_the_login(done: &Outcome<'_, '_>) {
    assert_eq!(done.tells("s3cret-s3cret"), None, "{done}");
    assert_eq!(done.tells(ENCODED), None, "{done}");
}

#[test]
fn a_certificate_of_a_named_authority_is_believed_and_no_other() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let Some(authority) = Authority::new(&world) else {
            return;
        };
        let good = authority.sign("good", "IP:127.0.0.1");
        let served = server(&world, "good-server", &good, LOGIN);
        let done = wheel(&world, &authority, &served.url(LOGIN, "hello"));
        done.built("hello-1.0-py3-none-any.whl");
        keeps_the_login(&done);
        done.is_tidy();
        let asked = served.requests();
        assert!(asked.iter().any(|line| line.contains(ENCODED)), "{asked:?}");

        // Nobody said that the authority is to be believed.
        let count = served.requests().len();
        let strange = world
            .wheel(served.url(LOGIN, "hello"))
            .args(["--refresh"])
            .out("none")
            .finish();
        strange.exits_with(Code::GitFailed);
        let hint = strange.report().failures[0]
            .hint
            .clone()
            .unwrap_or_default();
        assert!(hint.contains("SSL_CERT_FILE"), "{strange}");
        keeps_the_login(&strange);
        assert_eq!(served.requests().len(), count);
        // The certificate is of somebody else.
        let bad = authority.sign("bad", "DNS:example.invalid");
        let served = server(&world, "bad-server", &bad, "");
        let done = world.wheel(served.url(LOGIN, "hello"));
        let trusted = authority.certificate();
        let done = done.env("SSL_CERT_FILE", trusted).out("none").finish();
        done.exits_with(Code::GitFailed);
        assert!(served.requests().is_empty());
    }
}

#[test]
fn a_login_of_the_netrc_file_is_for_its_host_alone() {
    let world = world();
    let Some(authority) = Authority::new(&world) else {
        return;
    };
    let certificate = authority.sign("server", "IP:127.0.0.1");
    let served = server(&world, "server", &certificate, LOGIN);
    let spec = served.url("", "hello");
    world.file("home/.netrc", "default login me password s3cret-s3cret\n");
    let done = wheel(&world, &authority, &spec);
    done.fails_with(Code::GitFailed);
    let asked = served.requests();
    assert!(
        asked.iter().all(|line| line.ends_with(" none")),
        "{asked:?}"
    );
    world.file(
        "home/.netrc",
        "machine 127.0.0.1 login me password s3cret-s3cret\n",
    );
    let done = wheel(&world, &authority, &spec);
    done.built("hello-1.0-py3-none-any.whl");
    keeps_the_login(&done);
}

#[test]
fn a_server_that_leads_elsewhere_is_followed_without_the_login() {
    let world = world();
    let Some(authority) = Authority::new(&world) else {
        return;
    };
    let certificate = authority.sign("server", "IP:127.0.0.1,DNS:localhost");
    let other = server(&world, "other", &certificate, "");
    let private = server(&world, "private", &certificate, LOGIN);
    let served = GitServer::start(&world, "served", Some(&certificate), LOGIN);
    served.redirect(
        "/hello.git",
        &format!("{}/hello.git", other.address("", "localhost")),
    );
    let spec = served.url(LOGIN, "hello");
    let done = wheel(&world, &authority, &spec);
    done.built("hello-1.0-py3-none-any.whl");
    let told = other.requests();
    assert!(
        !told.is_empty() && told.iter().all(|line| line.ends_with(" none")),
        "{told:?}"
    );
    // One that wants a login is not told that of the first, even if it is the same.
    served.redirect(
        "/hello.git",
        &format!("{}/hello.git", private.address("", "localhost")),
    );
    let refused = world
        .wheel(&spec)
        .env("SSL_CERT_FILE", authority.certificate())
        .args(["--refresh"])
        .out("none")
        .finish();
    refused.exits_with(Code::GitFailed);
    let told = private.requests();
    assert!(
        !told.is_empty() && told.iter().all(|line| line.ends_with(" none")),
        "{told:?}"
    );
    keeps_the_login(&refused);
}

#[test]
fn a_server_leads_neither_to_another_transport_nor_away_from_this_machine() {
    let world = world();
    let Some(authority) = Authority::new(&world) else {
        return;
    };
    let plain = FileServer::start(world.folder("plain"));
    Repository::hello(&world, "repository").publish(&world.folder("plain"), "hello");
    let to = plain.url("", "hello").trim_start_matches("git+").to_owned();
    let certificate = authority.sign("server", "IP:127.0.0.1");
    let file = format!(
        "file://{}",
        world.folder("plain").join("hello.git").display()
    );
    for (name, certificate) in [("tls", Some(certificate.as_path())), ("open", None)] {
        let served = GitServer::start(&world, name, certificate, "");
        for target in [
            to.as_str(),
            file.as_str(),
            "ext::sh -c id",
            "ssh://a@127.0.0.1/b",
        ] {
            served.redirect("/hello.git", target);
            let done = wheel(&world, &authority, &served.url("", "hello"));
            done.fails_with(Code::GitFailed);
        }
        assert!(!served.requests().is_empty());
    }
    assert_eq!(plain.requests(), 0);
}

#[test]
fn a_plain_file_server_names_no_objects_of_another_server() {
    let world = world();
    let other = FileServer::start(world.folder("other"));
    let root = world.folder("root");
    let repository = Repository::hello(&world, "repository");
    repository.publish(&world.folder("other"), "hello");
    repository.publish(&root, "hello");
    let bare = root.join("hello.git");
    std::fs::remove_dir_all(bare.join("objects")).expect("objects can be removed");
    let elsewhere = other.url("", "hello") + "/objects\n";
    let elsewhere = elsewhere.trim_start_matches("git+");
    for name in ["http-alternates", "alternates"] {
        world.file(
            bare.join("objects/info").join(name),
            format!(
                "{elsewhere}{}\n",
                world.folder("other/hello.git/objects").display()
            ),
        );
    }
    let served = FileServer::start(root);
    let done = world.wheel(served.url("", "hello")).finish();
    done.fails_with(Code::GitFailed);
    assert!(served.requests() > 0);
    assert_eq!(other.requests(), 0);
}
