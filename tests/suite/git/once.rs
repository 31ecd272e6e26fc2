//! A reference that is given more than once in one call is fetched once.

use tests::{GitServer, Repository, Sdist, World};

use crate::world;

/// Serves a repository of two projects, makes a wheel of each spec, and returns what the server was asked.
fn asked(world: &World<'static>, specs: &[&str], arguments: &[&str]) -> usize {
    let server = GitServer::start(world, "served", None, "");
    let repository = Repository::new(world, "repository");
    repository.lay("packages/one", &Sdist::hello("one", "1.0"));
    repository.lay("packages/two", &Sdist::hello("two", "2.0"));
    repository.commit("both");
    repository.publish(server.root(), "both");
    let url = server.url("", "both");
    let specs = specs.iter().map(|spec| spec.replace("URL", &url));
    let specs: Vec<_> = specs.collect();
    for _ in 0..2 {
        let done = world.wheels(&specs).args(arguments).finish();
        done.succeeds();
        assert_eq!(done.report().wheels.len(), specs.len(), "{done}");
    }
    server.requests().len()
}

#[test]
fn a_reference_that_is_given_twice_in_one_call_is_fetched_as_often_as_one() {
    for arguments in [&[][..], &["--refresh"]] {
        let one = "URL@main#subdirectory=packages/one";
        let once = asked(&world(), &[one], arguments);
        assert!(once > 0, "the server was asked");
        let both = [
            one,
            "one @ URL@main#subdirectory=packages/one",
            "URL@main#subdirectory=packages/two",
        ];
        assert_eq!(asked(&world(), &both, arguments), once, "{arguments:?}");
    }
}
