//! Package indexes: which file is chosen, and what happens when the index misbehaves.

use model::Code;
use tests::{Fault, Gate, Offer, Outcome, Sdist, Wheel, World};

use crate::world;

fn serve(world: &World<'_>, name: &str, versions: &[&str]) {
    for version in versions {
        world.index.sdist(&Sdist::hello(name, version));
    }
}

#[track_caller]
fn takes(done: &Outcome<'_, '_>, version: &str) {
    assert_eq!(done.wheel().version, version, "{done}");
}

#[test]
fn the_version_is_chosen_by_its_meaning_and_not_by_the_pages_order() {
    for html in [false, true] {
        let world = world();
        serve(
            &world,
            "thing",
            &["1.9", "1.10", "1.2", "2.0rc1", "1.10.dev1"],
        );
        if html {
            world.index.html_only();
        }
        takes(&world.wheel("thing").finish(), "1.10");
        takes(&world.wheel("thing<1.10").finish(), "1.9");
        takes(&world.wheel("thing==1.2").finish(), "1.2");
        takes(&world.wheel("thing").args(["--pre"]).finish(), "2.0rc1");
        takes(&world.wheel("thing==2.0rc1").finish(), "2.0rc1");
    }
}

#[test]
fn a_yanked_version_is_only_taken_when_it_is_named() {
    for html in [false, true] {
        let world = world();
        serve(&world, "thing", &["1.0"]);
        let yanked = Sdist::hello("thing", "2.0");
        let offer = Offer::new("thing", &yanked.filename("tar.gz"), yanked.tar_gz());
        world.index.offer(offer.yanked("it was bad"));
        if html {
            world.index.html_only();
        }
        takes(&world.wheel("thing").finish(), "1.0");
        takes(&world.wheel("thing==2.0").finish(), "2.0");
    }
}

#[test]
fn a_version_for_another_python_is_passed_over() {
    for html in [false, true] {
        let world = world();
        serve(&world, "thing", &["1.0"]);
        let other = Sdist::hello("thing", "2.0");
        let offer = Offer::new("thing", &other.filename("tar.gz"), other.tar_gz());
        world.index.offer(offer.requires_python(">=99"));
        if html {
            world.index.html_only();
        }
        takes(&world.wheel("thing").finish(), "1.0");
        world
            .wheel("thing==2.0")
            .out("other")
            .finish_anyhow()
            .exits_with(Code::NoVersion);
    }
}

#[test]
fn a_wheel_of_the_index_is_taken_as_it_is_unless_that_is_forbidden() {
    let world = world();
    let wheel = Wheel::new("thing", "1.0");
    world.index.wheel(&wheel);
    serve(&world, "thing", &["1.0"]);
    let done = world
        .wheel("thing")
        .without(&["--no-binary", ":all:"])
        .finish();
    let taken = done.wheel();
    assert_eq!(
        (taken.origin.as_str(), taken.isolation.is_none()),
        ("downloaded", true),
        "{done}"
    );
    assert_eq!(world.index.requests("/files/thing-1.0.tar.gz"), 0, "{done}");
    world
        .wheel("thing")
        .finish()
        .built("thing-1.0-py3-none-any.whl");
    let refused = world
        .wheel("thing")
        .without(&["--no-binary", ":all:"])
        .args(["--only-binary", "thing", "--refresh"]);
    assert_eq!(refused.finish().wheel().origin, "downloaded");
}

#[test]
fn a_project_with_wheels_alone_has_no_source_to_build() {
    let world = world();
    world.index.wheel(&Wheel::new("thing", "1.0"));
    world
        .wheel("thing==1.0")
        .finish()
        .fails_with(Code::NoSource);
}

#[test]
fn an_unknown_project_is_said_to_be_unknown() {
    let world = world();
    let done = world.wheel("nobody-has-this").finish();
    let failure = done.fails_with(Code::UnknownProject);
    assert!(failure.message.contains("nobody-has-this"), "{done}");
}

#[test]
fn a_version_that_does_not_exist_is_said_to_be_missing() {
    let world = world();
    serve(&world, "thing", &["1.0"]);
    let done = world.wheel("thing==7").finish();
    done.fails_with(Code::NoVersion);
    assert!(
        done.stderr.contains("1.0"),
        "the error tells what there is: {done}"
    );
}

#[test]
fn a_file_with_another_digest_is_not_unpacked_and_not_kept() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    world.index.offer(
        Offer::new("thing", &sdist.filename("tar.gz"), sdist.tar_gz()).digest(&"0".repeat(64)),
    );
    world
        .wheel("thing==1.0")
        .finish()
        .fails_with(Code::IndexLied);
    let kept = tests::search::files(&world.cache().join("sources-v1"));
    assert!(kept.is_empty(), "the cache keeps {kept:?}");
}

#[test]
fn a_file_that_was_altered_on_the_way_is_refused() {
    let world = world();
    serve(&world, "thing", &["1.0"]);
    world.index.fault("/files/thing-1.0.tar.gz", Fault::Altered);
    world
        .wheel("thing==1.0")
        .finish()
        .fails_with(Code::IndexLied);
}

#[test]
fn an_index_that_fails_twice_is_asked_a_third_time() {
    let world = world();
    serve(&world, "thing", &["1.0"]);
    world
        .index
        .fault("/simple/thing/", Fault::StatusTimes(503, 2));
    world
        .index
        .fault("/files/thing-1.0.tar.gz", Fault::StatusTimes(502, 1));
    takes(&world.wheel("thing==1.0").finish(), "1.0");
    assert_eq!(world.index.requests("/simple/thing/"), 3);
}

#[test]
fn an_index_that_is_slow_is_waited_for() {
    let sdist = Sdist::hello("thing", "1.0");
    for path in ["/simple/thing/", "/files/thing-1.0.tar.gz"] {
        let world = world();
        let gate = Gate::default();
        world
            .index
            .sdist(&sdist)
            .fault(path, Fault::Held(gate.clone()));
        let mut running = world.wheel("thing==1.0").start();
        running.wait_until("the index was asked", |_| {
            (world.index.requests(path) > 0).then_some(())
        });
        assert!(!running.has_ended(), "half an answer is no answer");
        gate.open();
        running.finish().built(&sdist.wheel());
    }
}

macro_rules! misbehaves {
    ($($name:ident: $path:literal, $fault:expr => $code:ident;)*) => {
        $(#[test] fn $name() {
            let world = world();
            serve(&world, "thing", &["1.0"]);
            world.index.fault($path, $fault);
            world.wheel("thing==1.0").finish().fails_with(Code::$code);
        })*
    };
}

misbehaves! {
    an_index_that_always_fails_is_an_error: "/simple/thing/", Fault::Status(500) => HttpStatus;
    an_index_that_wants_a_login_is_an_error: "/simple/thing/", Fault::Status(401) => Unauthorized;
    a_page_of_another_kind_is_an_error:
        "/simple/thing/", Fault::Garbage("image/png", b"\x89PNG".to_vec()) => BadPage;
    a_page_that_is_not_json_is_an_error:
        "/simple/thing/", Fault::Garbage("application/vnd.pypi.simple.v1+json", b"{\"files\": [".to_vec()) => BadPage;
    a_page_of_another_shape_is_an_error:
        "/simple/thing/", Fault::Garbage("application/vnd.pypi.simple.v1+json", b"[1, 2, 3]".to_vec()) => BadPage;
    a_page_that_is_cut_is_an_error: "/simple/thing/", Fault::CutAfter(10) => Transport;
    a_file_that_is_not_there_is_an_error: "/files/thing-1.0.tar.gz", Fault::Status(404) => HttpStatus;
    a_file_that_is_cut_is_an_error: "/files/thing-1.0.tar.gz", Fault::CutAfter(100) => Transport;
    a_redirect_in_a_circle_is_an_error: "/simple/thing/", Fault::Redirect("/simple/thing/".into()) => Redirect;
}

#[test]
fn an_index_that_nobody_runs_is_an_error() {
    let world = world();
    let gone = tests::Index::start().url();
    let done = world.wheel("thing==1.0").args(["--index", &gone]).finish();
    done.fails_with(Code::Transport);
}

#[test]
fn a_redirect_on_the_same_host_is_followed() {
    let world = world();
    serve(&world, "thing", &["1.0"]);
    world.index.fault(
        "/simple/thing/",
        Fault::Redirect(world.index.at("/simple/thing/?again")),
    );
    takes(&world.wheel("thing==1.0").finish(), "1.0");
    assert_eq!(world.index.requests("/simple/thing/?again"), 1);
}

#[test]
fn offline_asks_nobody_and_says_so() {
    let world = world();
    serve(&world, "thing", &["1.0"]);
    world
        .wheel("thing==1.0")
        .args(["--offline"])
        .finish()
        .fails_with(Code::Offline);
    assert_eq!(world.index.all_requests().len(), 0);
    takes(&world.wheel("thing==1.0").finish(), "1.0");
    let asked = world.index.all_requests().len();
    let done = world.wheel("thing==1.0").args(["--offline"]).finish();
    done.cached("thing-1.0-py3-none-any.whl");
    assert_eq!(world.index.all_requests().len(), asked, "{done}");
}

#[test]
fn the_first_index_that_knows_a_project_serves_it() {
    let world = world();
    let private = tests::Index::start();
    private.sdist(&Sdist::hello("thing", "1.0"));
    serve(&world, "thing", &["2.0"]);
    takes(
        &world
            .wheel("thing")
            .args(["--index", &private.url()])
            .finish(),
        "1.0",
    );
    assert_eq!(world.index.requests("/simple/thing/"), 0);
}

#[test]
fn a_folder_of_files_serves_like_an_index() {
    let world = world();
    world.archive(&Sdist::hello("thing", "1.0"));
    world.archive(&Sdist::hello("thing", "1.1"));
    let folder = world.folder("sdists");
    let done = world
        .wheel("thing")
        .args([
            "--no-index".as_ref(),
            "--find-links".as_ref(),
            folder.as_os_str(),
        ])
        .finish();
    takes(&done, "1.1");
    assert_eq!(world.index.all_requests().len(), 0, "{done}");
}

#[test]
fn an_answer_is_asked_for_again_only_when_it_may_have_changed() {
    let world = world();
    serve(&world, "thing", &["1.0"]);
    takes(&world.wheel("thing").finish(), "1.0");
    serve(&world, "thing", &["1.1"]);
    takes(&world.wheel("thing").args(["--refresh"]).finish(), "1.1");
    assert_eq!(world.index.requests("/files/thing-1.0.tar.gz"), 1);
}
