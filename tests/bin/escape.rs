//! Tries every hostile sdist in every environment of this host, or in somebody else's command.
//!
//! ```text
//! escape                               fumehood at each level, as each user
//! escape --runner "CMD {}"             a foreign command, beside nothing at all
//! escape --write [--compare NAME=CMD]  the same as a page: docs/escape-matrix.md
//! escape --only DEED                   one deed, a folder of tests/backends; again for more
//! escape --layers                      what each layer lets through when it is left out, and nothing else
//! escape -v                            what each program said
//! ```

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use tests::escape::{Cell, Column, Removal, Row, at_once, contained, inside, page};
use tests::prey::Deed;
use tests::{Identity, Namespaces, Runner, Setting, Site, World};

const USAGE: &str = "usage: escape [-v] [--only DEED]... [--runner \"CMD {}\" | --layers | --write [--compare NAME=\"CMD {}\"]...]";

/// What was asked for.
#[derive(Default)]
struct Asked {
    runner: Option<String>,
    compared: Vec<(String, String)>,
    /// Where a run inside a container writes what it found.
    inside: Option<PathBuf>,
    only: Vec<Deed>,
    layers: bool,
    write: bool,
    verbose: bool,
}

fn main() -> ExitCode {
    let Some(asked) = asked() else {
        say(USAGE);
        return ExitCode::from(2);
    };
    // A deed that can not be tried panics; that is told as such.
    std::panic::set_hook(Box::new(|_| {}));
    let rows = Row::all();
    let deeds = match asked.only.is_empty() {
        true => Deed::all().collect(),
        false => asked.only.clone(),
    };
    if let Some(file) = &asked.inside {
        let mut site = site(Path::new("/tmp/escape-suite"));
        site.watches = true;
        inside(&site, &deeds, file);
        return ExitCode::SUCCESS;
    }
    let own = std::env::current_exe().expect("the kernel knows this file");
    let site = site(&own.with_file_name("escape-suite"));
    if asked.layers {
        return layers(&site, &deeds);
    }
    let mut broken = controls(&site, &deeds);
    let columns = match &asked.runner {
        Some(command) => vec![foreign(&site, "the command", command, &deeds)],
        None => columns(&site, &asked.compared, &own, &deeds),
    };
    if asked.verbose {
        for column in &columns {
            for (fixture, tried) in column.all_tried() {
                say(&format!(
                    "== {}: {fixture}: {:?}\n{}",
                    column.name, tried.harm, tried.said
                ));
            }
        }
    }
    broken.extend(
        columns
            .iter()
            .filter(|column| column.is_own)
            .flat_map(failed),
    );
    for column in &columns {
        for guarantee in column.broken_words(&rows) {
            broken.push(format!(
                "{}: `{}` is printed and does not hold",
                column.name,
                guarantee.word()
            ));
        }
    }
    if asked.write {
        let removals = at_once(&Removal::all(), |removal| {
            progress(&format!("without {}", removal.layers));
            (removal.clone(), removal.attempt(&site))
        });
        for (removal, tried) in &removals {
            broken.extend(tried.iter().filter_map(|tried| removal.mistake(tried)));
        }
        let text = page(&rows, &host(&site), &columns, &removals);
        std::fs::write(repository().join("docs/escape-matrix.md"), text)
            .expect("the page can be written");
    } else {
        print(&rows, &columns);
    }
    for line in &broken {
        say(line);
    }
    ExitCode::from(u8::from(!broken.is_empty()))
}

fn asked() -> Option<Asked> {
    let mut asked = Asked::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--runner" => asked.runner = Some(words.next()?),
            "--compare" => {
                let (name, command) = words
                    .next()?
                    .split_once('=')
                    .map(|(a, b)| (a.to_owned(), b.to_owned()))?;
                asked.compared.push((name, command));
            }
            "--inside" => asked.inside = Some(words.next()?.into()),
            "--only" => {
                let name = words.next()?;
                asked
                    .only
                    .push(Deed::all().find(|deed| deed.fixture == name)?);
            }
            "--layers" => asked.layers = true,
            "--write" => asked.write = true,
            "-v" => asked.verbose = true,
            _ => return None,
        }
    }
    Some(asked)
}

/// Finds the programs beside this one, which Cargo builds when it can be asked.
fn site(target: &Path) -> Site {
    if let Some(cargo) = std::env::var_os("CARGO") {
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--package", "tests", "--bins"])
            .status();
        assert!(
            built.is_ok_and(|status| status.success()),
            "the programs can be built"
        );
    }
    let own = std::env::current_exe().expect("the kernel knows this file");
    let beside = |name: &str| own.with_file_name(name).display().to_string();
    Site::new(
        &beside("fumehood-under-test"),
        &beside("warden"),
        &target.display().to_string(),
    )
}

/// Leaves out each layer that has to do with these deeds, and says what came of it.
fn layers(site: &Site, deeds: &[Deed]) -> ExitCode {
    let mut wrong = false;
    let is_asked_for = |removal: &Removal| deeds.iter().any(|deed| deed.fixture == removal.fixture);
    let removals: Vec<_> = Removal::all().into_iter().filter(is_asked_for).collect();
    let came = at_once(&removals, |removal| {
        (removal.clone(), removal.attempt(site))
    });
    for (removal, tried) in came {
        let Some(tried) = tried else { continue };
        let Removal {
            layers, fixture, ..
        } = &removal;
        say(&format!(
            "{layers} {} {fixture}: {:?}",
            removal.level(),
            tried.harm
        ));
        if let Some(mistake) = removal.mistake(&tried) {
            say(&mistake);
            wrong = true;
        }
    }
    ExitCode::from(u8::from(wrong))
}

/// Does every deed unconfined, as each user; returns those that did not do all of their harm.
fn controls(site: &Site, deeds: &[Deed]) -> Vec<String> {
    let mut broken = Vec::new();
    let allowed = |setting: &Setting| setting.namespaces == Namespaces::Allowed;
    for setting in Setting::all(site).into_iter().filter(allowed) {
        progress(&format!("controls as uid {}", setting.identity.uid()));
        let came = at_once(deeds, |deed| {
            (
                deed.fixture,
                deed.attempt(&World::new(site, setting), &Runner::Control),
            )
        });
        for (fixture, tried) in came {
            if tried.possible.is_empty() || tried.harm != tried.possible {
                let missed: Vec<_> = tried.possible.difference(&tried.harm).collect();
                broken.push(format!(
                    "the control of {} as uid {} did not do {missed:?}: {}",
                    fixture,
                    setting.identity.uid(),
                    tried.said
                ));
            }
        }
    }
    broken
}

/// The program at each level as each user, and what it is compared with.
fn columns(
    site: &Site,
    compared: &[(String, String)],
    program: &Path,
    deeds: &[Deed],
) -> Vec<Column> {
    let own = Setting::all(site).into_iter().map(|setting| {
        progress(&setting.to_string());
        Column::try_all(site, &setting.to_string(), setting, &Runner::Own, deeds)
    });
    let own: Vec<_> = own.collect();
    progress("in a container");
    let contained = contained(site, program, deeds).unwrap_or_default();
    let others = compared
        .iter()
        .map(|(name, command)| foreign(site, name, command, deeds));
    own.into_iter().chain(contained).chain(others).collect()
}

/// Builds of this program that did not come to their end, and so show nothing.
fn failed(column: &Column) -> Vec<String> {
    let failed = column.all_tried().filter(|(_, tried)| !tried.built);
    failed
        .map(|(fixture, tried)| format!("{}: {fixture} was not built: {}", column.name, tried.said))
        .collect()
}

/// A foreign command, as the least privileged user that there is.
fn foreign(site: &Site, name: &str, command: &str, deeds: &[Deed]) -> Column {
    progress(name);
    let identity = match Identity::Caller.uid() {
        0 => Identity::Unprivileged,
        _ => Identity::Caller,
    };
    let setting = Setting {
        identity,
        ..Setting::PLAIN
    };
    let runner = Runner::Foreign(command.to_owned());
    Column::try_all(site, name, setting, &runner, deeds)
}

fn print(rows: &[Row], columns: &[Column]) {
    for row in rows {
        let cells: Vec<_> = columns.iter().map(|column| column.cell(row)).collect();
        if cells.iter().any(|cell| *cell != Cell::Untried) {
            let words: Vec<_> = cells.iter().map(|cell| format!("{cell:<12}")).collect();
            say(&format!(
                "{:>4}  {} {}",
                row.number,
                words.join(" "),
                row.attack
            ));
        }
    }
}

/// What the page was made on.
fn host(site: &Site) -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "Linux {}, Landlock ABI {}",
        release.trim(),
        site.python(Identity::Caller).landlock()
    )
}

fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests lie in it").to_owned()
}

/// The table, for whoever asked.
fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// What is tried now, for whoever waits.
fn progress(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "escape: {text}");
}
