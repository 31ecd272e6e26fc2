//! Wheels that lie here: named by a path or a `file:` URL, they are taken as they are, with what they depend on.

use std::fs;
use std::os::unix::fs::symlink;

use model::Code;
use serde_json::Value;
use tests::search::sha256;
use tests::{Outcome, Run, Venv, Wheel, World};

use crate::freshness::files;
use crate::world;

/// A wheel with a dependency, and one more for its extra.
pub(crate) fn top() -> Wheel {
    Wheel::new("top", "1.0")
        .header("Requires-Dist: base")
        .header("Provides-Extra: more")
        .header("Requires-Dist: leaf; extra == 'more'")
}

/// Serves what it depends on, and a newer one of it that nobody asked for.
pub(crate) fn serve(world: &World<'_>) {
    for wheel in [
        Wheel::new("base", "1.0"),
        Wheel::new("leaf", "1.0"),
        Wheel::new("top", "9.0"),
    ] {
        world.index.wheel(&wheel);
    }
}

/// Prepares `fumehood wheel` with what is needed besides.
pub(crate) fn whole<'w, 's>(world: &'w World<'s>, words: &[&str]) -> Run<'w, 's> {
    world.run(["wheel"]).args(words).places().report()
}

/// The file names of what was made, with origin and kind of source.
#[track_caller]
pub(crate) fn made(done: &Outcome<'_, '_>) -> Vec<String> {
    done.succeeds();
    let wheels = done.report().wheels.into_iter();
    wheels
        .map(|wheel| {
            let kind = wheel.source.map_or_else(|| "-".to_owned(), |it| it.kind);
            format!("{} {} {kind}", wheel.filename, wheel.origin)
        })
        .collect()
}

/// Lays a wheel beside the user and returns its path there.
pub(crate) fn lay(world: &World<'_>, wheel: &Wheel) -> String {
    world.file(format!("work/w/{}", wheel.filename()), wheel.pack());
    format!("w/{}", wheel.filename())
}

const TOP: &str = "top-1.0-py3-none-any.whl downloaded archive";
const BASE: &str = "base-1.0-py3-none-any.whl downloaded -";
const LEAF: &str = "leaf-1.0-py3-none-any.whl downloaded -";

#[test]
fn a_wheel_that_lies_here_is_taken_as_it_is_in_every_way_of_naming_it() {
    let world = world();
    serve(&world);
    let path = lay(&world, &top());
    let absolute = world.folder("work").join(&path).display().to_string();
    let digest = sha256(&top().pack());
    for spec in [
        path.clone(),
        format!("./{path}"),
        absolute.clone(),
        format!("file://{absolute}"),
        format!("top @ file://{absolute}"),
        format!("Top @ file://{absolute}#sha256={digest}"),
        format!("{path}#egg=top&sha256={digest}"),
        format!("./{path} ; python_version >= '3'"),
    ] {
        let done = whole(&world, &[&spec]).finish();
        assert_eq!(made(&done), [TOP, BASE], "{spec}");
        let wheel = done.report().wheels.remove(0);
        assert_eq!(wheel.sha256, digest, "{done}");
        assert_eq!(
            wheel.source.map(|it| it.sha256),
            Some(digest.clone()),
            "{done}"
        );
        assert_eq!(wheel.record, None, "{done}");
        assert_eq!(
            fs::read(world.out().join(top().filename())).ok(),
            Some(top().pack()),
            "{done}"
        );
        fs::remove_dir_all(world.out()).expect("it was delivered");
    }
    for spec in [
        format!("{path}[more]"),
        format!("./{path}[more]"),
        format!("top[more] @ file://{absolute}"),
    ] {
        let done = whole(&world, &[&spec]).finish();
        assert_eq!(made(&done), [TOP, BASE, LEAF], "{spec}");
    }
    let done = whole(&world, &[&path, "--no-deps", "--no-binary", ":all:"]).finish();
    assert_eq!(made(&done), [TOP], "what is named is taken");
    let none = whole(&world, &[&format!("./{path} ; os_name == 'nt'")]).finish();
    assert_eq!(made(&none), [""; 0]);
    assert_eq!(world.index.requests("/files/top-9.0-py3-none-any.whl"), 0);
    // It is kept where downloaded wheels are, and no source is.
    let blob = format!("{}/{digest}", &digest[..2]);
    assert!(world.cache().join("downloads-v1").join(blob).is_file());
    assert_eq!(files(&world.cache().join("sources-v1")).len(), 0);
}

#[test]
fn the_name_is_that_of_the_link_and_the_bytes_those_of_now() {
    let world = world();
    let stored = world.file("work/store/1234", Wheel::new("one", "1.0").pack());
    world.folder("work/links");
    let link = world.folder("work/links").join("one-1.0-py3-none-any.whl");
    symlink(&stored, &link).expect("a link can be made");
    let run = || whole(&world, &["links/one-1.0-py3-none-any.whl"]).finish();
    let first = run().wheel();
    assert_eq!(first.filename, "one-1.0-py3-none-any.whl");
    let other = Wheel::new("one", "1.0").file("more.py", "x = 1\n");
    fs::write(&stored, other.pack()).expect("it can be written");
    let second = run().wheel();
    assert_eq!(second.sha256, sha256(&other.pack()));
    assert_ne!(first.sha256, second.sha256);
    // The cache may lose it: it is taken again.
    fs::remove_dir_all(world.cache().join("downloads-v1")).expect("it was kept");
    assert_eq!(run().wheel().sha256, second.sha256);
}

#[test]
fn files_of_requirements_and_projects_name_wheels_with_hashes_markers_and_extras() {
    let world = world();
    serve(&world);
    let path = lay(&world, &top());
    let one = lay(&world, &Wheel::new("one", "1.0"));
    let (digest, of_one) = (
        sha256(&top().pack()),
        sha256(&Wheel::new("one", "1.0").pack()),
    );
    let of = |wheel: &str| sha256(&Wheel::new(wheel, "1.0").pack());
    let place = world.folder("work").display().to_string();
    world.file(
        "work/r.txt",
        format!(
            "./{path}[more] --hash=sha256:{digest}\none @ file://{place}/{one} ; python_version >= '3' --hash=sha256:{of_one}\n./w/never-1.0-py3-none-any.whl ; os_name == 'nt'\nbase==1.0 --hash=sha256:{}\nleaf==1.0 --hash=sha256:{}\n",
            of("base"),
            of("leaf"),
        ),
    );
    lay(&world, &Wheel::new("never", "1.0"));
    let run = |words: &[&str]| whole(&world, words).finish_anyhow();
    let done = run(&["-r", "r.txt", "--require-hashes"]);
    let all = [
        TOP,
        "one-1.0-py3-none-any.whl downloaded archive",
        BASE,
        LEAF,
    ];
    assert_eq!(made(&done), all);
    for (text, code) in [
        (format!("{path} --hash=sha256:{of_one}\n"), Code::HashWrong),
        (format!("{path}#sha256={of_one}\n"), Code::HashMismatch),
        (format!("{path}\n--require-hashes\n"), Code::HashMissing),
        (
            format!("{path} --hash=sha512:{}\n", "0".repeat(128)),
            Code::HashWrong,
        ),
    ] {
        world.file("work/bad.txt", &text);
        let out = world.folder("work/never");
        let done = whole(&world, &["-r", "bad.txt", "--no-deps"])
            .out("never")
            .finish();
        done.exits_with(code);
        assert_eq!(
            fs::read_dir(out).map(Iterator::count).ok(),
            Some(0),
            "{text}"
        );
    }
    // A constraint's hash holds it too.
    world.file("work/c.txt", format!("one==1.0 --hash=sha256:{digest}\n"));
    run(&[&one, "-c", "c.txt"]).exits_with(Code::HashWrong);
    world.file(
        "work/pyproject.toml",
        format!("[project]\nname = 'mine'\nversion = '1'\ndependencies = ['top[more] @ file://{place}/{path}']\n"),
    );
    assert_eq!(made(&run(&["-r", "pyproject.toml"])), [TOP, BASE, LEAF]);
}

#[test]
fn a_wheel_that_is_not_what_its_name_says_or_is_for_others_is_refused() {
    let world = world();
    let place = |name: &str, content: Vec<u8>| {
        world.file(format!("work/w/{name}"), content);
        format!("./w/{name}")
    };
    let good = Wheel::new("one", "1.0").pack();
    let picky = Wheel::new("picky", "1.0").header("Requires-Python: >=99");
    let other = place("two-1.0-py3-none-any.whl", good.clone());
    let address = world.folder("work/w").display().to_string();
    for (spec, code) in [
        (other.clone(), Code::BadWheel),
        (
            place("one-2.0-py3-none-any.whl", good.clone()),
            Code::BadWheel,
        ),
        (place("one-1.0-py3-none.whl", good.clone()), Code::BadWheel),
        (
            place("one-1.0-py3-none-win_amd64.whl", good.clone()),
            Code::NoSource,
        ),
        (
            place("one-1.0-cp27-cp27m-any.whl", good.clone()),
            Code::NoSource,
        ),
        (place(&picky.filename(), picky.pack()), Code::NoSource),
        (
            place("zip-1.0-py3-none-any.whl", b"no zip".to_vec()),
            Code::BadArchive,
        ),
        (
            place("cut-1.0-py3-none-any.whl", good[..200].to_vec()),
            Code::BadWheel,
        ),
        (
            format!("one @ file://{address}/two-1.0-py3-none-any.whl"),
            Code::WrongName,
        ),
        (format!("{other}#subdirectory=x"), Code::BadSpec),
        ("./w/none-1.0-py3-none-any.whl".to_owned(), Code::BadSpec),
    ] {
        let done = whole(&world, &[&spec, "--no-deps"]).finish();
        assert_eq!(done.code, Some(code.exit() as i32), "{spec}: {done}");
        done.says(code);
        assert_eq!(world.delivered(), [""; 0], "{spec}: {done}");
        if matches!(code, Code::NoSource | Code::WrongName) {
            assert!(done.stderr.contains("fix:"), "{done}");
        }
    }
    let whole_set = whole(&world, &[&format!("./w/{}", picky.filename())]).finish();
    assert_eq!(
        whole_set.code,
        Some(Code::NoVersion.exit() as i32),
        "{whole_set}"
    );
    let one = lay(&world, &Wheel::new("one", "1.0"));
    let twin = Wheel::new("one", "1.0").file("x.py", "");
    world.file(format!("work/x/{}", twin.filename()), twin.pack());
    let rivals = whole(&world, &[&one, &format!("x/{}", twin.filename())]).finish();
    rivals.exits_with(Code::Unresolvable);
    world.file(
        format!("work/x/{}", twin.filename()),
        Wheel::new("one", "1.0").pack(),
    );
    let same = whole(&world, &[&one, &format!("x/{}", twin.filename())]).finish();
    assert_eq!(made(&same), ["one-1.0-py3-none-any.whl downloaded archive"]);
}

#[test]
fn nothing_is_built_of_a_wheel_and_its_metadata_is_read() {
    let world = world();
    let path = lay(&world, &top());
    for words in [
        ["build", &path].as_slice(),
        &["build", "--wheel", &path],
        &["lock-build", &format!("./{path}")],
    ] {
        let run = world.run(words).flag("--cache-dir", world.cache());
        let done = run.flag("-p", &world.python().path).finish();
        assert!(
            done.says(Code::BadSpec)
                .stderr
                .contains("is a wheel: there is nothing to build"),
            "{done}"
        );
    }
    let run = world
        .run(["metadata", &format!("./{path}")])
        .places()
        .report();
    let done = run.finish();
    let said: Value = serde_json::from_str(&done.succeeds().stdout).expect("JSON");
    assert_eq!(said["name"], "top", "{said}");
    assert_eq!(said["origin"], "wheel", "{said}");
    assert_eq!(said["source"]["kind"], "archive", "{said}");
    assert_eq!(said["requires_dist"][0], "base", "{said}");
}

#[test]
fn after_a_fetch_what_a_wheel_file_needs_is_there() {
    let world = world();
    serve(&world);
    let path = lay(&world, &top());
    let fetch = world.run(["fetch", &format!("{path}[more]")]).places();
    fetch.report().finish().succeeds();
    let asked = world.index.all_requests().len();
    let done = whole(&world, &[&format!("{path}[more]"), "--offline"]).finish();
    assert_eq!(made(&done), [TOP, BASE, LEAF]);
    assert_eq!(world.index.all_requests().len(), asked, "{done}");
}

#[test]
fn an_installed_wheel_file_is_told_of_as_pip_tells_of_it() {
    let world = world();
    serve(&world);
    let (ours, theirs) = (Venv::new(&world, "ours"), Venv::new(&world, "theirs"));
    let path = ours.wheel(&top());
    world.file("work/r.txt", format!("{path}[more]\n"));
    ours.install(["-r", "r.txt"]).finish().succeeds();
    let done = theirs.pip(&["install", "--no-index", "--no-deps", &path]);
    assert!(done.status.success(), "{done:?}");
    let told = |venv: &Venv<'_, '_>| -> Value {
        let text = venv.info("top-1.0", "direct_url.json").expect("it is told");
        serde_json::from_str(&text).expect("JSON")
    };
    assert_eq!(told(&ours), told(&theirs));
    assert!(ours.info("top-1.0", "REQUESTED").is_some());
    assert!(ours.pip(&["check"]).status.success());
    let wanted = ["base", "leaf", "top"].map(|name| (name.to_owned(), "1.0".to_owned()));
    assert_eq!(ours.listed(), wanted.into_iter().collect());
    // The same version again, with other bytes.
    let other = ours.wheel(&top().file("top_more.py", "x = 1\n"));
    let done = ours.install([&other]).report().finish();
    assert!(done.succeeds().stderr.contains("1 installed"), "{done}");
    assert_eq!(ours.python("import top_more; print(top_more.x)"), "1");
    ours.install([&other, "--require-hashes"])
        .finish()
        .says(Code::HashMissing);
}
