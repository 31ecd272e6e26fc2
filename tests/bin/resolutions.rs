//! Resolves sets of requirements with fumehood and with `uv pip compile`, and compares the pins.
//!
//! ```text
//! resolutions FILE --uv PROGRAM                  every set of tests/resolutions/sets.toml, say
//!             --fumehood PROGRAM                 another fumehood than the one that was built beside this program
//!             --python PROGRAM                   for which Python; default: python3
//!             --exclude-newer DATE               for the sets that ask PyPI; `none` compares without
//!             --only TEXT                        sets whose name has this in it
//! ```
//!
//! One line a set: the same pins, none on both sides, a difference that the file explains, or a difference. The exit
//! code is 0 if there is none of the last kind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::time::Instant;

use serde::Deserialize;
use serde_json::Value;
use tests::{Index, Offer, Wheel};

const USAGE: &str = "usage: resolutions FILE --uv PROGRAM [--fumehood PROGRAM] [--python PROGRAM] [--exclude-newer DATE|none] [--only TEXT]";
/// Before this date both see the same files of PyPI, whenever they look.
const CUT_OFF: &str = "2025-09-01T00:00:00Z";

/// What was asked for.
struct Asked {
    file: PathBuf,
    uv: PathBuf,
    fumehood: PathBuf,
    python: PathBuf,
    cut_off: Option<String>,
    only: String,
}

#[derive(Deserialize)]
struct Sets {
    set: Vec<Set>,
}

/// One set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    name: String,
    requirements: Vec<String>,
    #[serde(default)]
    constraints: Vec<String>,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    impossible: bool,
    #[serde(default)]
    differs: Option<String>,
    #[serde(default)]
    first: Vec<Release>,
    #[serde(default)]
    default: Vec<Release>,
}

/// A wheel of an index on the loopback.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Release {
    name: String,
    version: String,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    extras: Vec<String>,
    #[serde(default)]
    requires_python: Option<String>,
    #[serde(default)]
    yanked: Option<String>,
}

/// Versions by project, or what was said instead.
type Pins = Result<BTreeMap<String, String>, String>;

fn main() -> ExitCode {
    let Some(asked) = asked() else {
        say(USAGE);
        return ExitCode::from(2);
    };
    let text = std::fs::read_to_string(&asked.file).expect("the file of sets can be read");
    let sets: Sets = toml::from_str(&text).expect("the file of sets is TOML of the known form");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let sets: Vec<_> = sets
        .set
        .into_iter()
        .filter(|set| set.name.contains(&asked.only))
        .collect();
    let (mut same, mut explained, mut different) = (0, 0, 0);
    for (number, set) in sets.iter().enumerate() {
        let place = folder.path().join(number.to_string());
        std::fs::create_dir(&place).expect("a folder can be made");
        let [(ours, our_time), (theirs, their_time)] = both(&asked, set, &place, folder.path());
        let verdict = match judged(set, &ours, &theirs) {
            Verdict::Same(word) => {
                same += 1;
                word
            }
            Verdict::Explained(why) => {
                explained += 1;
                format!("differs, as meant: {why}")
            }
            Verdict::Different(words) => {
                different += 1;
                format!("DIFFERS\n{words}")
            }
        };
        say(&format!(
            "| {} | {} | {our_time:.1} s | {their_time:.1} s | {verdict} |",
            number + 1,
            set.name
        ));
    }
    say(&format!(
        "{} sets: {same} the same, {explained} explained, {different} different; before {}",
        sets.len(),
        asked.cut_off.as_deref().unwrap_or("no date")
    ));
    ExitCode::from(u8::from(different > 0 || sets.is_empty()))
}

/// What a comparison comes to.
enum Verdict {
    Same(String),
    Explained(String),
    Different(String),
}

fn judged(set: &Set, ours: &Pins, theirs: &Pins) -> Verdict {
    let verdict = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) if ours == theirs && !set.impossible => {
            Verdict::Same(format!("the same {} pins", ours.len()))
        }
        (Err(_), Err(_)) if set.impossible => Verdict::Same("none on both sides".to_owned()),
        (Ok(ours), Ok(theirs)) => {
            let mut lines = Vec::new();
            for name in ours.keys().chain(theirs.keys()) {
                let [one, other] = [ours, theirs].map(|pins| pins.get(name));
                let word =
                    |version: Option<&String>| version.map_or("-", String::as_str).to_owned();
                let line = format!("    {name}: fumehood {}, uv {}", word(one), word(other));
                if one != other && !lines.contains(&line) {
                    lines.push(line);
                }
            }
            Verdict::Different(lines.join("\n"))
        }
        (ours, theirs) => {
            let word = |pins: &Pins| match pins {
                Ok(pins) => format!("{pins:?}"),
                Err(said) => said.trim().replace('\n', "\n      "),
            };
            Verdict::Different(format!(
                "    fumehood: {}\n    uv: {}",
                word(ours),
                word(theirs)
            ))
        }
    };
    match (verdict, &set.differs) {
        (Verdict::Different(_), Some(why)) => Verdict::Explained(why.clone()),
        (Verdict::Same(_), Some(_)) => Verdict::Different(
            "    they are the same, and the file says that they differ".to_owned(),
        ),
        (verdict, _) => verdict,
    }
}

/// Has both resolve a set, with the seconds that each took.
fn both(asked: &Asked, set: &Set, place: &Path, whole: &Path) -> [(Pins, f64); 2] {
    let requirements = place.join("requirements.in");
    let constraints = place.join("constraints.txt");
    std::fs::write(&requirements, lines(&set.requirements)).expect("a file can be written");
    std::fs::write(&constraints, lines(&set.constraints)).expect("a file can be written");
    let is_local = !set.default.is_empty();
    let indexes = is_local.then(|| [&set.first, &set.default].map(|releases| index(releases)));
    let mut common: Vec<String> = Vec::new();
    if let Some([first, default]) = &indexes {
        if !set.first.is_empty() {
            common.extend(["--index".to_owned(), first.url()]);
        }
        common.extend(["--default-index".to_owned(), default.url()]);
    } else if let Some(date) = &asked.cut_off {
        common.extend(["--exclude-newer".to_owned(), date.clone()]);
    }
    let ours = timed(|| {
        let mut command = Command::new(&asked.fumehood);
        command
            .args(["wheel", "--dry-run", "--output-format", "json"])
            .arg("-p")
            .arg(&asked.python)
            .arg("--cache-dir")
            .arg(whole.join("fumehood"))
            .arg("-c")
            .arg(&constraints)
            .args(&common)
            .args(&set.flags)
            .args(&set.requirements)
            .current_dir(place);
        our_pins(&command.output().expect("fumehood starts"))
    });
    let theirs = timed(|| {
        let mut command = Command::new(&asked.uv);
        command
            .args(["pip", "compile", "--no-header", "--no-annotate", "--quiet"])
            .arg("--no-config")
            .arg("--python")
            .arg(&asked.python)
            .arg("--cache-dir")
            .arg(whole.join("uv"))
            .arg("-c")
            .arg(&constraints)
            .args(&common)
            .args(&set.flags)
            .arg(&requirements)
            .current_dir(place);
        their_pins(&command.output().expect("uv starts"))
    });
    [ours, theirs]
}

fn timed(work: impl FnOnce() -> Pins) -> (Pins, f64) {
    let since = Instant::now();
    let pins = work();
    (pins, since.elapsed().as_secs_f64())
}

fn our_pins(output: &Output) -> Pins {
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let plan: Value = serde_json::from_slice(&output.stdout).expect("a plan is JSON");
    let planned = plan["planned"].as_array().expect("a plan has projects");
    let pins = planned.iter().filter_map(|one| {
        let text = |key: &str| one[key].as_str().map(str::to_owned);
        Some((text("name")?, text("version")?))
    });
    Ok(pins.collect())
}

fn their_pins(output: &Output) -> Pins {
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let pins = text.lines().filter_map(|line| {
        let (name, version) = line.split_once("==")?;
        let name = name.split('[').next()?;
        let version = version.split([' ', ';']).next()?;
        Some((name.trim().to_owned(), version.trim().to_owned()))
    });
    Ok(pins.collect())
}

fn index(releases: &[Release]) -> Index {
    let index = Index::start();
    for release in releases {
        let mut wheel = Wheel::new(&release.name, &release.version);
        for extra in &release.extras {
            wheel = wheel.header(&format!("Provides-Extra: {extra}"));
        }
        for requirement in &release.requires {
            wheel = wheel.header(&format!("Requires-Dist: {requirement}"));
        }
        if let Some(specifiers) = &release.requires_python {
            wheel = wheel.header(&format!("Requires-Python: {specifiers}"));
        }
        let mut offer = Offer::new(&release.name, &wheel.filename(), wheel.pack());
        offer = offer.metadata(wheel.metadata());
        if let Some(specifiers) = &release.requires_python {
            offer = offer.requires_python(specifiers);
        }
        if let Some(reason) = &release.yanked {
            offer = offer.yanked(reason);
        }
        index.offer(offer);
    }
    index
}

fn lines(texts: &[String]) -> String {
    texts.iter().map(|text| format!("{text}\n")).collect()
}

fn asked() -> Option<Asked> {
    let own = std::env::current_exe().expect("the kernel knows this file");
    let mut asked = Asked {
        file: PathBuf::new(),
        uv: "uv".into(),
        fumehood: own.with_file_name("fumehood"),
        python: "python3".into(),
        cut_off: Some(CUT_OFF.to_owned()),
        only: String::new(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--uv" => asked.uv = words.next()?.into(),
            "--fumehood" => asked.fumehood = words.next()?.into(),
            "--python" => asked.python = words.next()?.into(),
            "--exclude-newer" => asked.cut_off = words.next().filter(|date| date != "none"),
            "--only" => asked.only = words.next()?,
            file if !file.starts_with('-') => asked.file = file.into(),
            _ => return None,
        }
    }
    (asked.file.is_file() && asked.fumehood.is_file()).then_some(asked)
}

#[expect(clippy::print_stdout, reason = "it talks to whoever runs it")]
fn say(text: &str) {
    println!("{text}");
}
