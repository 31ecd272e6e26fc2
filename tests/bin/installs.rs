//! The same wheels installed by the program and by pip, beside CI: `cargo run -p tests --bin installs -- FILE [UV]`.
//!
//! FILE holds `name==version` lines. Each wheel is fetched by pip once; then two environments are filled without
//! bytecode, and every difference between the two trees is named, each RECORD row by row. What `docs/install.md` explains
//! is counted, anything else is an error. With the path of a `uv`, its list has to agree with pip's too. Build the other
//! programs first: `cargo build -p tests --bins`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

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
    let file = words.next().expect("usage: installs FILE [UV]");
    let uv = words.next();
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
    let run = ours.install(["--no-deps"]).args(&wheels).finish_anyhow();
    run.succeeds();
    say(&format!(
        "{} wheels installed by the program in {:.1} s",
        wheels.len(),
        run.took.as_secs_f64()
    ));
    let mut command = vec!["install", "--no-deps", "--no-index", "--no-compile"];
    command.extend(wheels.iter().map(String::as_str));
    let since = std::time::Instant::now();
    let by_pip = theirs.pip(&command);
    assert!(
        by_pip.status.success(),
        "{}",
        String::from_utf8_lossy(&by_pip.stderr)
    );
    say(&format!(
        "{} wheels installed by pip in {:.1} s",
        wheels.len(),
        since.elapsed().as_secs_f64()
    ));
    let mut bad = compare(&ours, &theirs);
    bad += agree(
        "pip list",
        &format!("{:?}", ours.listed()),
        &format!("{:?}", theirs.listed()),
    );
    let check =
        |venv: &Venv<'_, '_>| String::from_utf8_lossy(&venv.pip(&["check"]).stdout).into_owned();
    bad += agree("pip check", &check(&ours), &check(&theirs));
    if let Some(uv) = uv {
        let list = |venv: &Venv<'_, '_>| {
            let output = Command::new(&uv)
                .args(["pip", "list", "-p"])
                .arg(&venv.root)
                .output();
            String::from_utf8_lossy(&output.expect("uv starts").stdout).into_owned()
        };
        bad += agree("uv pip list", &list(&ours), &list(&theirs));
    }
    say(&format!("{bad} unexplained differences"));
    if bad == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
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
