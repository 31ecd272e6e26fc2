//! Wheels behind URLs: fetched once, validated as HTTP has it, and taken as they are.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use model::Code;
use serde_json::Value;
use tests::decoy::secret;
use tests::search::sha256;
use tests::{Fault, Offer, Sdist, Venv, Wheel, World};

use crate::freshness::files;
use crate::wheel_files::{made, serve, top, whole};
use crate::world;

const TOP: &str = "top-1.0-py3-none-any.whl downloaded url";
const BASE: &str = "base-1.0-py3-none-any.whl downloaded -";
const LEAF: &str = "leaf-1.0-py3-none-any.whl downloaded -";

/// Serves a wheel that stands on no page, and returns its URL.
fn behind_url(world: &World<'_>, wheel: &Wheel) -> String {
    let name = wheel.filename();
    world.index.replace(Offer::new("x", &name, wheel.pack()));
    world.index.file_url(&name)
}

fn path(wheel: &Wheel) -> String {
    format!("/files/{}", wheel.filename())
}

#[test]
fn a_wheel_behind_a_url_is_taken_as_it_is_in_every_way_of_naming_it() {
    let world = world();
    serve(&world);
    let url = behind_url(&world, &top());
    let digest = sha256(&top().pack());
    for spec in [
        url.clone(),
        format!("{url}?some=thing"),
        format!("top @ {url}"),
        format!("{url}#sha256={digest}"),
        format!("{url}#egg=top"),
        format!("TOP @ {url}#sha256={digest} ; python_version >= '3'"),
    ] {
        let done = whole(&world, &[&spec]).finish();
        assert_eq!(made(&done), [TOP, BASE], "{spec}");
        let wheel = done.report().wheels.remove(0);
        let source = wheel.source.map(|it| it.sha256);
        assert_eq!(
            (wheel.sha256, source),
            (digest.clone(), Some(digest.clone()))
        );
        assert_eq!(
            std::fs::read(world.out().join(top().filename())).ok(),
            Some(top().pack())
        );
        std::fs::remove_dir_all(world.out()).expect("it was delivered");
    }
    let extra = format!("top[more] @ {url}");
    assert_eq!(made(&whole(&world, &[&extra]).finish()), [TOP, BASE, LEAF]);
    world.file(
        "work/r.txt",
        format!(
            "{extra} --hash=sha256:{digest}\n{url} ; os_name == 'nt' --hash=sha256:{digest}\nbase --hash=sha256:{}\nleaf --hash=sha256:{}\n",
            sha256(&Wheel::new("base", "1.0").pack()),
            sha256(&Wheel::new("leaf", "1.0").pack()),
        ),
    );
    assert_eq!(
        made(&whole(&world, &["-r", "r.txt"]).finish()),
        [TOP, BASE, LEAF]
    );
    world.file(
        "work/pyproject.toml",
        format!("[project]\nname = 'mine'\nversion = '1'\ndependencies = ['{extra}']\n"),
    );
    let project = whole(&world, &["-r", "pyproject.toml"]).finish();
    assert_eq!(made(&project), [TOP, BASE, LEAF]);
    let alone = whole(&world, &[&url, "--no-deps", "--no-binary", ":all:"]).finish();
    assert_eq!(made(&alone), [TOP]);
    let blob = format!("downloads-v1/{}/{digest}", &digest[..2]);
    assert!(world.cache().join(blob).is_file());
    assert_eq!(files(&world.cache().join("sources-v1")).len(), 0);
    let run = world.run(["metadata", &url]).places().report().finish();
    let said: Value = serde_json::from_str(&run.succeeds().stdout).expect("JSON");
    assert_eq!(
        (&said["name"], &said["source"]["kind"]),
        (&"top".into(), &"url".into())
    );
}

#[test]
fn after_a_fetch_a_wheel_behind_a_url_makes_no_request() {
    let world = world();
    serve(&world);
    let url = behind_url(&world, &top());
    let spec = format!("top[more] @ {url}");
    let offline = || whole(&world, &[&spec, "--offline"]).finish_anyhow();
    offline().exits_with(Code::Offline);
    let fetched = world.run(["fetch", &spec]).places().report().finish();
    let said: Value = serde_json::from_str(&fetched.succeeds().stdout).expect("JSON");
    assert_eq!(said["fetched"][0]["kind"], "wheel", "{said}");
    let asked = world.index.all_requests().len();
    let done = offline();
    assert_eq!(made(&done), [TOP, BASE, LEAF]);
    let venv = Venv::new(&world, "env");
    venv.install([&spec, "--offline"]).finish().succeeds();
    assert_eq!(world.index.all_requests().len(), asked, "{done}");
}

#[test]
fn what_lies_behind_the_url_is_validated_and_what_changed_is_taken() {
    let world = world();
    let one = Wheel::new("one", "1.0");
    let other = Wheel::new("one", "1.0").file("more.py", "x = 1\n");
    let url = behind_url(&world, &one);
    let run = |words: &[&str]| whole(&world, words).finish().wheel().sha256;
    let (first, second) = (sha256(&one.pack()), sha256(&other.pack()));
    assert_eq!(run(&[&url]), first);
    assert_eq!(run(&[&url]), first);
    let requests = world.index.all_requests();
    let asked: Vec<_> = requests.iter().filter(|it| it.path == path(&one)).collect();
    assert_eq!(asked.len(), 2, "asked once a run: {asked:?}");
    assert!(asked[1].header("if-none-match").is_some(), "{asked:?}");
    // With its digest nobody is asked.
    let pinned = format!("{url}#sha256={first}");
    behind_url(&world, &other);
    assert_eq!(run(&[&pinned]), first);
    assert_eq!(world.index.requests(&path(&one)), 2);
    assert_eq!(run(&[&url]), second);
    assert_eq!(run(&[&pinned]), first, "what it was is kept");
    let mut blobs = files(&world.cache().join("downloads-v1"));
    blobs.retain(|path| path.extension().is_none());
    assert_eq!(blobs.len(), 2);
    // The cache lost it: what comes now is not what was pinned.
    std::fs::remove_dir_all(world.cache().join("downloads-v1")).expect("it was kept");
    whole(&world, &[&pinned])
        .finish_anyhow()
        .exits_with(Code::HashMismatch);
    assert_eq!(run(&[&url]), second);
    let clean = world.run(["cache", "clean", "one"]);
    clean.flag("--cache-dir", world.cache()).finish().succeeds();
    assert_eq!(files(&world.cache().join("downloads-v1")).len(), 0);
    whole(&world, &[&url, "--offline"])
        .finish_anyhow()
        .exits_with(Code::Offline);
}

#[test]
fn what_is_not_the_wheel_that_was_meant_is_refused_and_delivered_nowhere() {
    let world = world();
    let one = Wheel::new("one", "1.0");
    let url = behind_url(&world, &one);
    let serve = |name: &str, content: Vec<u8>| {
        world.index.replace(Offer::new("x", name, content));
        world.index.file_url(name)
    };
    let (zeros, long) = ("0".repeat(64), "0".repeat(128));
    world.file("work/wrong.txt", format!("{url} --hash=sha256:{zeros}\n"));
    world.file("work/long.txt", format!("{url} --hash=sha512:{long}\n"));
    let foreign = serve("one-1.0-py3-none-win_amd64.whl", one.pack());
    for (words, code) in [
        (vec![format!("{url}#sha256={zeros}")], Code::HashMismatch),
        (vec![format!("{url}#sha512={long}")], Code::HashMismatch),
        (
            vec!["-r".to_owned(), "wrong.txt".to_owned()],
            Code::HashWrong,
        ),
        (
            vec!["-r".to_owned(), "long.txt".to_owned()],
            Code::HashWrong,
        ),
        (
            vec![url.clone(), "--require-hashes".to_owned()],
            Code::HashMissing,
        ),
        (vec![foreign], Code::NoSource),
        (
            vec![serve("liar-1.0-py3-none-any.whl", one.pack())],
            Code::BadWheel,
        ),
        (vec![format!("other @ {url}")], Code::WrongName),
        (
            vec![serve("page-1.0-py3-none-any.whl", b"<html>".to_vec())],
            Code::BadArchive,
        ),
        (
            vec![world.index.file_url("gone-1.0-py3-none-any.whl")],
            Code::HttpStatus,
        ),
        (vec![world.index.file_url("one-1.0.whl")], Code::BadWheel),
    ] {
        for alone in [true, false] {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let flag: &[&str] = if alone { &["--no-deps"] } else { &[] };
            let done = whole(&world, &words).args(flag).finish_anyhow();
            done.says(code);
            assert_eq!(world.delivered(), [""; 0], "{done}");
        }
    }
    let asked = world
        .index
        .requests("/files/one-1.0-py3-none-win_amd64.whl");
    assert_eq!(asked, 0, "its name tells enough");
    let short = Wheel::new("short", "1.0");
    let url = behind_url(&world, &short);
    world.index.fault(&path(&short), Fault::CutAfter(100));
    let cut = whole(&world, &[&url]).finish_anyhow();
    cut.exits_with(Code::Transport);
    assert_eq!(world.delivered(), [""; 0], "{cut}");
}

#[test]
fn the_password_of_a_wheels_url_appears_nowhere() {
    let world = world();
    let (marker, one) = (secret(), Wheel::new("one", "1.0"));
    let words = BASE64_STANDARD.encode(format!("user:{marker}"));
    let url = behind_url(&world, &one);
    world.index.wants_login(&words);
    let with_login = url.replace("http://", &format!("http://user:{marker}@"));
    whole(&world, &[&url])
        .finish_anyhow()
        .says(Code::Unauthorized);
    let venv = Venv::new(&world, "env");
    world.file("work/r.txt", format!("one @ {with_login}\n"));
    let wheel = whole(&world, &["-r", "r.txt", "-v", "-v"]).finish();
    assert_eq!(made(&wheel), ["one-1.0-py3-none-any.whl downloaded url"]);
    let install = venv.install([&with_login, "-v", "-v"]).report().finish();
    install.succeeds();
    let wrong = format!("{with_login}#sha256={}", "0".repeat(64));
    let refused = whole(&world, &[&wrong]).finish_anyhow();
    refused.says(Code::HashMismatch);
    for done in [&wheel, &install, &refused] {
        assert_eq!(done.tells(&marker), None, "{done}");
        assert_eq!(done.tells(&words), None, "{done}");
    }
    let told = venv.info("one-1.0", "direct_url.json").expect("it is told");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["url"], url, "{told}");
    // A place is known without its credentials.
    let offline = whole(&world, &[&url, "--offline"]).finish();
    assert_eq!(made(&offline), ["one-1.0-py3-none-any.whl downloaded url"]);
}

#[test]
fn an_installed_wheel_of_a_url_is_told_of_as_pip_tells_of_it() {
    let world = world();
    serve(&world);
    let url = behind_url(&world, &top());
    let digest = sha256(&top().pack());
    for (at, spec) in [
        format!("top[more] @ {url}"),
        url.clone(),
        format!("{url}#sha256={digest}"),
    ]
    .iter()
    .enumerate()
    {
        let ours = Venv::new(&world, &format!("ours{at}"));
        let theirs = Venv::new(&world, &format!("theirs{at}"));
        ours.install([spec]).finish().succeeds();
        let index = world.index.url();
        let words = ["install", "--no-cache-dir", "--index-url", &index, spec];
        let by_pip = theirs.pip(&words);
        assert!(by_pip.status.success(), "{by_pip:?}");
        assert_eq!(ours.listed(), theirs.listed(), "{spec}");
        assert!(ours.pip(&["check"]).status.success());
        let told = |venv: &Venv<'_, '_>| -> Value {
            let text = venv.info("top-1.0", "direct_url.json").expect("it is told");
            serde_json::from_str(&text).expect("JSON")
        };
        assert_eq!(told(&ours), told(&theirs), "{spec}");
        assert_eq!(ours.info("base-1.0", "direct_url.json"), None);
    }
}

#[test]
fn a_package_names_the_url_of_a_wheel_only_if_the_caller_names_the_same() {
    let world = world();
    let url = behind_url(&world, &Wheel::new("tool", "1.0"));
    let by_url = format!("tool @ {url}");
    let app = Wheel::new("app", "1.0").header(&format!("Requires-Dist: {by_url}"));
    world.index.wheel(&app);
    let refused = whole(&world, &["app"]).finish_anyhow();
    refused.exits_with(Code::NoVersion);
    assert!(
        refused.stderr.contains("packages may not name URLs"),
        "{refused}"
    );
    assert_eq!(world.index.requests("/files/tool-1.0-py3-none-any.whl"), 0);
    let taken = whole(&world, &["app", &by_url]).finish();
    let tool = "tool-1.0-py3-none-any.whl downloaded url";
    assert_eq!(
        made(&taken),
        ["app-1.0-py3-none-any.whl downloaded -", tool]
    );
}

#[test]
fn a_build_requirement_may_be_the_url_of_a_wheel_where_the_caller_lets_it() {
    let world = world();
    let tool = Wheel::new("tool", "1.0");
    let by_url = format!("tool @ {}", behind_url(&world, &tool));
    let sdist = Sdist::hello("thing", "1.0")
        .requires(&[&by_url])
        .prologue("import tool\nassert tool.version == '1.0'\n");
    world.build(&sdist).finish().fails_with(Code::BuildRequires);
    let flag = ["--allow-url-build-requires"];
    let done = world.build(&sdist).args(flag).finish();
    done.built(&sdist.wheel());
    assert_eq!(world.index.requests(&path(&tool)), 1);
    let liar = Wheel::new("other", "1.0");
    let wrong = format!("tool @ {}", behind_url(&world, &liar));
    let sdist = Sdist::hello("wronged", "1.0").requires(&[&wrong]);
    let refused = world.build(&sdist).args(flag).finish();
    refused.exits_with(Code::BuildRequires);
}
