//! Archives with one fault each: refused by name, before any code runs, without a trace.

use model::Code;
use tests::decoy::State;
use tests::{Flaw, Offer, Sdist, Setting, World};

use crate::{site, world};

#[test]
fn an_archive_with_a_flaw_is_refused_and_leaves_no_trace() {
    let settings = Setting::all(site());
    for (number, flaw) in Flaw::ALL.into_iter().enumerate() {
        // Every flaw in one setting, the settings in turn: what refuses is the same code in all of them.
        let mut world = World::new(site(), settings[number % settings.len()]);
        world.about = format!("{flaw:?}");
        let outside = world.file("outside/untouched", "as it was\n");
        let before = State::of(&outside);
        let sdist = Sdist::hello("flawed", "1.0");
        let bytes = flaw.spoil(&sdist, outside.to_str().expect("plain names"));
        let archive = world.file(
            format!("sdists/{}", sdist.filename(flaw.extension())),
            bytes,
        );
        let done = world.wheel(&archive).finish();
        done.fails_with(Code::BadArchive);
        assert_eq!(State::of(&outside), before, "{flaw:?} reached out: {done}");
        let escaped = tests::search::files(&world.folder(""))
            .into_iter()
            .find(|path| path.ends_with("escaped"));
        assert_eq!(escaped, None, "{flaw:?} left the scratch: {done}");
    }
}

#[test]
fn an_honest_archive_of_each_kind_is_built() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = |name: &str| Sdist::hello(name, "1.0");
        let archives = [
            ("gz", "tar.gz", sdist("gz").tar_gz()),
            ("plain", "tar", sdist("plain").tar()),
            ("bz2", "tar.bz2", sdist("bz2").tar_bz2()),
            ("xz", "tar.xz", sdist("xz").tar_xz()),
            ("zip", "zip", sdist("zip").zip()),
        ];
        for (name, extension, bytes) in archives {
            let archive = world.file(format!("sdists/{name}-1.0.{extension}"), bytes);
            let done = world.wheel(&archive).out(&format!("out-{name}")).finish();
            let wheel = done.built(&sdist(name).wheel());
            assert_eq!(
                wheel.source.expect("a built wheel has a source").kind,
                "archive",
                "{done}"
            );
        }
    }
}

#[test]
fn an_index_may_only_serve_sdists_with_one_top_folder() {
    let world = world();
    let two = Sdist::hello("two", "1.0").top("");
    world
        .index
        .offer(Offer::new("two", "two-1.0.tar.gz", two.tar_gz()));
    world
        .wheel("two==1.0")
        .finish()
        .fails_with(Code::BadArchive);
    // A local archive may have one folder of any name, or none.
    world.build(&two).finish().built(&two.wheel());
    let other = Sdist::hello("other", "1.0").top("whatever-this-is");
    world
        .index
        .offer(Offer::new("other", "other-1.0.tar.gz", other.tar_gz()));
    world
        .wheels(["other==1.0"])
        .out("out-other")
        .finish()
        .built(&other.wheel());
}
