//! The same wheels installed by the program and by pip, beside CI: `cargo run -p tests --bin installs -- FILE`.
//!
//! FILE holds `name==version` lines. Each wheel is fetched by pip once; then two environments are filled without
//! bytecode, and every difference between the two trees is named, each RECORD row by row. What `docs/install.md` explains
//! is counted, anything else is an error. pip and uv have to list and check both alike; then uv takes every wheel out of both,
//! one by one, and after a second installation pip all of them: what both leave has to be the same. Build the other
//! programs first: `cargo build -p tests --bins`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Output};

use tests::{Setting, Site, Venv, World};

/// Files whose content differs, each for a reason that the documentation names.
fn explained(path: &str, programs: &BTreeSet<String>) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_info = path.contains(".dist-info/");
    match name {
        "INSTALLER" if is_info => Some("INSTALLER names who installed"),
        "RECORD" if is_info => Some("RECORD has other line ends, and the rows of these files"),
        "direct_url.json" if is_info => Some("direct_url.json has other spaces"),
        _ if programs.contains(path) => {
            Some("programs that are made of entry points have another text")
        }
        _ => None,
    }
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let file = words.next().expect("usage: installs FILE");
    let text = fs::read_to_string(&file).expect("the list can be read");
    let pins: Vec<&str> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let own = std::env::current_exe().expect("a program has a path");
    let beside = |name: &str| own.with_file_name(name).display().to_string();
    let target = own
        .parent()
        .and_then(Path::parent)
        .expect("a target folder")
        .join("tmp");
    fs::create_dir_all(&target).expect("Cargo's folder can be written");
    let tmp = target.display().to_string();
    let site = Site::new(&beside("fumehood-under-test"), &beside("warden"), &tmp);
    let world = World::new(&site, Setting::PLAIN);
    let wheels = fetch(&world, &pins, &target.join("installs"));
    let (ours, theirs) = (Venv::new(&world, "a/env"), Venv::new(&world, "b/env"));
    let empty = ours.everything();
    fill(&ours, &theirs, &wheels);
    let mut bad = compare(&ours, &theirs);
    let listed = |venv: &Venv<'_, '_>| format!("{:?}", venv.listed());
    bad += agree("pip list", &listed(&ours), &listed(&theirs));
    for (who, word) in [
        ("pip", "check"),
        ("uv", "check"),
        ("uv", "list"),
        ("uv", "freeze"),
    ] {
        let said = |venv: &Venv<'_, '_>| match who {
            "pip" => words_of(venv, &venv.pip(&[word])),
            _ => words_of(venv, &venv.uv([word])),
        };
        bad += agree(&format!("{who} {word}"), &said(&ours), &said(&theirs));
    }
    let names: Vec<_> = pins
        .iter()
        .filter_map(|pin| pin.split("==").next())
        .collect();
    let mut gone = 0;
    for name in &names {
        let taken = |venv: &Venv<'_, '_>| words_of(venv, &venv.uv(["uninstall", name]));
        let (ours, theirs) = (taken(&ours), taken(&theirs));
        match ours == theirs && ours.starts_with("exit 0\n") && ours.contains(" - ") {
            true => gone += 1,
            false => bad += agree(&format!("uv pip uninstall {name}"), &ours, &theirs).max(1),
        }
    }
    say(&format!("{gone} wheels taken out by uv"));
    bad += left("uv", &ours, &theirs, &empty);
    fill(&ours, &theirs, &wheels);
    let mut command = vec!["uninstall", "-y"];
    command.extend(&names);
    for venv in [&ours, &theirs] {
        let output = venv.pip(&command);
        let taken = String::from_utf8_lossy(&output.stdout)
            .matches("Successfully uninstalled")
            .count();
        say(&format!("{taken} wheels taken out by pip"));
        bad += usize::from(taken != names.len());
    }
    bad += left("pip", &ours, &theirs, &empty);
    say(&format!("{bad} unexplained differences"));
    if bad == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Installs the wheels by the program into one environment, by pip into the other.
fn fill(ours: &Venv<'_, '_>, theirs: &Venv<'_, '_>, wheels: &[String]) {
    let run = ours.install(["--no-deps"]).args(wheels).finish_anyhow();
    run.succeeds();
    let seconds = run.took.as_secs_f64();
    let count = wheels.len();
    say(&format!(
        "{count} wheels installed by the program in {seconds:.1} s"
    ));
    let mut command = vec!["install", "--no-deps", "--no-index", "--no-compile"];
    command.extend(wheels.iter().map(String::as_str));
    let since = std::time::Instant::now();
    let by_pip = theirs.pip(&command);
    let errors = String::from_utf8_lossy(&by_pip.stderr);
    assert!(by_pip.status.success(), "{errors}");
    let seconds = since.elapsed().as_secs_f64();
    say(&format!(
        "{count} wheels installed by pip in {seconds:.1} s"
    ));
}

/// Returns how it ended and all that it said, wherever the environment lies and however long it took.
fn words_of(venv: &Venv<'_, '_>, output: &Output) -> String {
    let root = venv.root.display().to_string();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&root, "ENV");
    let is_timed =
        |line: &&str| line.ends_with("ms") || line.ends_with('s') && line.contains(" in ");
    let errors = said(&output.stderr);
    let errors: Vec<_> = errors.lines().filter(|line| !is_timed(line)).collect();
    let code = output.status.code().unwrap_or(-1);
    format!("exit {code}\n{}{}", said(&output.stdout), errors.join("\n"))
}

/// Compares what is left where everything was taken out, with each other and with what was there before.
fn left(
    by: &str,
    ours: &Venv<'_, '_>,
    theirs: &Venv<'_, '_>,
    empty: &BTreeMap<String, Vec<u8>>,
) -> usize {
    let (one, other) = (ours.everything(), theirs.everything());
    let of = |tree: &BTreeMap<String, Vec<u8>>| -> BTreeSet<String> {
        let more = tree.keys().filter(|path| !empty.contains_key(*path));
        more.cloned().collect()
    };
    let (one_more, other_more) = (of(&one), of(&other));
    // `.lock` is uv's own.
    let files = one_more
        .iter()
        .filter(|path| one[*path] != b"folder" && *path != ".lock");
    let files: Vec<_> = files.collect();
    say(&format!(
        "{by} leaves {} folders and {} files of the program's: {files:?}",
        one_more.len() - files.len(),
        files.len()
    ));
    let differ: Vec<_> = one_more.symmetric_difference(&other_more).collect();
    if !differ.is_empty() {
        say(&format!("{by} leaves of one alone: {differ:?}"));
    }
    differ.len() + files.len()
}

/// Has pip fetch the wheels that are not there yet, and returns their paths.
fn fetch(world: &World<'_>, pins: &[&str], folder: &Path) -> Vec<String> {
    fs::create_dir_all(folder).expect("a folder can be made");
    let done = Command::new(&world.python().path)
        .args([
            "-I",
            "-m",
            "pip",
            "--disable-pip-version-check",
            "download",
            "--quiet",
        ])
        .args(["--no-deps", "--only-binary", ":all:", "--dest"])
        .arg(folder)
        .args(pins)
        .status();
    assert!(
        done.is_ok_and(|status| status.success()),
        "pip fetches the wheels"
    );
    let names: BTreeSet<String> = pins
        .iter()
        .map(|pin| {
            pin.replace("==", "-")
                .replace(['_', '.'], "-")
                .to_lowercase()
        })
        .collect();
    let entries = fs::read_dir(folder).expect("it can be listed").flatten();
    let wheels = entries.map(|entry| entry.path()).filter(|path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut parts = name.split('-');
        let stem = format!(
            "{}-{}",
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default()
        );
        names.contains(&stem.replace(['_', '.'], "-").to_lowercase())
    });
    let mut wheels: Vec<_> = wheels.map(|path| path.display().to_string()).collect();
    wheels.sort();
    assert_eq!(wheels.len(), pins.len(), "one wheel a line");
    wheels
}

fn compare(ours: &Venv<'_, '_>, theirs: &Venv<'_, '_>) -> usize {
    let (a, b) = (ours.everything(), theirs.everything());
    let before = |path: &str| {
        path == "pyvenv.cfg"
            || (path.starts_with("bin/") && (path.contains("ctivate") || path.contains("python")))
    };
    let programs: BTreeSet<String> = a
        .keys()
        .filter(|path| path.starts_with("bin/"))
        .cloned()
        .collect();
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut bad, mut same) = (0, 0);
    for path in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
        match (a.get(path), b.get(path)) {
            _ if before(path) => {}
            (Some(one), Some(other)) if one == other => same += 1,
            (Some(one), Some(other)) => {
                let reason = explained(path, &programs);
                let rows = path
                    .ends_with("/RECORD")
                    .then(|| rows_differ(one, other, &programs));
                let modes = one.split(|byte| *byte == b' ').next()
                    == other.split(|byte| *byte == b' ').next();
                match reason {
                    Some(reason) if rows.as_ref().is_none_or(Vec::is_empty) && modes => {
                        *reasons.entry(reason).or_default() += 1;
                    }
                    _ => {
                        bad += 1;
                        say(&format!(
                            "differs: {path} {}",
                            rows.unwrap_or_default().join(", ")
                        ));
                    }
                }
            }
            (one, _) => {
                bad += 1;
                let who = if one.is_some() { "the program" } else { "pip" };
                say(&format!("only by {who}: {path}"));
            }
        }
    }
    say(&format!("{same} files and folders are the same"));
    for (reason, count) in reasons {
        say(&format!("{count} differ: {reason}"));
    }
    bad
}

/// Returns the rows of two RECORDs that differ and are not of files that differ themselves.
fn rows_differ(one: &[u8], other: &[u8], programs: &BTreeSet<String>) -> Vec<String> {
    let rows = |text: &[u8]| -> BTreeSet<String> {
        let text = String::from_utf8_lossy(text).into_owned();
        // The mode stands before the content.
        let text = text
            .split_once(' ')
            .map_or(String::new(), |(_, text)| text.to_owned());
        text.lines()
            .map(|line| line.trim_end_matches('\r').to_owned())
            .collect()
    };
    let (one, other) = (rows(one), rows(other));
    let differing = one.symmetric_difference(&other).filter(|row| {
        let path = row
            .split(',')
            .next()
            .unwrap_or_default()
            .trim_start_matches("../");
        explained(path, programs).is_none()
    });
    differing.cloned().collect()
}

fn agree(what: &str, ours: &str, theirs: &str) -> usize {
    if ours == theirs {
        say(&format!("{what} says the same of both"));
        return 0;
    }
    say(&format!(
        "{what} says of the program's: {ours}\nand of pip's: {theirs}"
    ));
    1
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
