//! Repositories behind ssh: the user's key and known hosts are enough, and nothing else of the user's is used.

use model::Code;
use tests::{Ear, Repository, Setting, SshServer, World};

use crate::{site, world};

#[test]
fn a_key_in_the_home_and_a_known_host_are_enough_in_every_setting() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let Some(server) = SshServer::start(&world) else {
            return;
        };
        let repository = Repository::hello(&world, "repository");
        server.give_key(&world, "id_ed25519");
        server.make_known(&world, "host");
        let spec = server.url(repository.folder());
        let done = world.wheel(&spec).finish();
        done.built("hello-1.0-py3-none-any.whl");
        assert!(server.log().contains("Accepted publickey"), "{done}");
        assert_eq!(done.tells("BEGIN OPENSSH PRIVATE KEY"), None);
        done.is_tidy();
    }
}

#[test]
fn a_host_that_is_not_known_is_refused_before_a_key_is_shown() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let Some(server) = SshServer::start(&world) else {
            return;
        };
        let repository = Repository::hello(&world, "repository");
        server.give_key(&world, "id_ed25519");
        let spec = server.url(repository.folder());
        for known in [None, Some("other")] {
            if let Some(key) = known {
                server.make_known(&world, key);
            }
            let done = world.wheel(&spec).finish();
            let failure = done.fails_with(Code::GitFailed);
            let hint = failure.hint.clone().unwrap_or_default();
            assert!(hint.contains("ssh-keyscan"), "{known:?} {done}");
        }
        let log = server.log();
        assert!(log.contains("Connection"), "{log}");
        assert!(!log.contains("publickey"), "{log}");
    }
}

#[test]
fn a_key_of_another_name_or_none_is_refused_with_the_remedy() {
    let world = world();
    let Some(server) = SshServer::start(&world) else {
        return;
    };
    let repository = Repository::hello(&world, "repository");
    server.give_key(&world, "deploy_key");
    server.make_known(&world, "host");
    let done = world.wheel(server.url(repository.folder())).finish();
    let failure = done.fails_with(Code::GitFailed);
    let hint = failure.hint.clone().unwrap_or_default();
    assert!(hint.contains("id_ed25519"), "{done}");
    assert!(!server.log().contains("Accepted"), "{done}");
}

#[test]
fn settings_of_ssh_and_an_agent_are_neither_started_nor_asked() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let Some(server) = SshServer::start(&world) else {
            return;
        };
        let repository = Repository::hello(&world, "repository");
        server.give_key(&world, "id_ed25519");
        server.make_known(&world, "host");
        let mark = world.folder("marks").join("ran");
        let touch = format!("touch {}", mark.display());
        world.file(
            "home/.ssh/config",
            format!("Match exec \"{touch}\"\nHost *\n  ProxyCommand {touch}\n"),
        );
        let agent = Ear::stream(&world.folder("agent").join("socket"));
        let done = world
            .wheel(server.url(repository.folder()))
            .env("SSH_AUTH_SOCK", world.folder("agent").join("socket"))
            .env("GIT_SSH_COMMAND", &touch)
            .env("GIT_SSH", "/usr/bin/false")
            .finish();
        done.built("hello-1.0-py3-none-any.whl");
        assert!(!mark.exists(), "{done}");
        assert!(!agent.heard(), "{done}");
    }
}
