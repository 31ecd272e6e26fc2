//! Measures this program against its peers: `cargo build --release && cargo run --release -p tests --bin bench`.
//!
//! `--rounds N` (5), `--only SCENARIO` and `--without PEER` (repeatable), `--folder DIR` (beside the programs): where
//! caches and inputs lie, `--save FILE`: what was measured, added to a file scenario by scenario, `--from FILE`
//! (repeatable): tables of what was saved, and nothing is measured, `--write`: into `docs/performance.md` and its picture.
//! Beside CI; it needs the package index the first time, and a machine that does nothing else.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tests::bench::{
    Bench, FULL, MEASURE, Peers, Run, Scenario, Who, be_the_parent, machine, plot, table, told,
};
use tests::script;

/// What the tables stand between in the page.
const MARKS: [&str; 2] = ["<!-- figures -->\n", "<!-- end of figures -->\n"];

struct Asked {
    rounds: usize,
    only: Vec<String>,
    without: Vec<Who>,
    folder: Option<PathBuf>,
    save: Option<PathBuf>,
    from: Vec<PathBuf>,
    write: bool,
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    if words.next_if(|word| word == MEASURE).is_some() {
        be_the_parent(words);
        return ExitCode::SUCCESS;
    }
    match asked(words) {
        Ok(asked) => {
            let mut runs: Vec<_> = asked.from.iter().map(|path| Run::read(path)).collect();
            if runs.is_empty() {
                runs.push(measured(&asked));
            }
            tell(&runs, asked.write);
            ExitCode::SUCCESS
        }
        Err(why) => {
            drop(writeln!(std::io::stderr(), "bench: {why}"));
            ExitCode::from(2)
        }
    }
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked {
        rounds: 5,
        only: Vec::new(),
        without: Vec::new(),
        folder: None,
        save: None,
        from: Vec::new(),
        write: false,
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("`{word}` wants a value"));
        match word.as_str() {
            "--rounds" => {
                let text = value()?;
                let number = text.parse();
                asked.rounds = number.map_err(|_| format!("`{text}` is no number"))?;
            }
            "--only" => asked.only.push(value()?),
            "--without" => {
                let text = value()?;
                let peer = [Who::Uv, Who::Pip]
                    .into_iter()
                    .find(|who| who.name() == text);
                asked
                    .without
                    .extend([peer.ok_or(format!("`{text}` is no peer"))?]);
            }
            "--folder" => asked.folder = Some(PathBuf::from(value()?)),
            "--save" => asked.save = Some(PathBuf::from(value()?)),
            "--from" => asked.from.push(PathBuf::from(value()?)),
            "--write" => asked.write = true,
            other => return Err(format!("`{other}` is not known")),
        }
    }
    let mut known: Vec<_> = Scenario::ALL.map(Scenario::name).to_vec();
    known.push(FULL.to_owned());
    match asked.only.iter().find(|name| !known.contains(name)) {
        Some(name) => Err(format!("`{name}` is none of {}", known.join(", "))),
        None if asked.rounds == 0 => Err("no rounds, no figures".to_owned()),
        None => Ok(asked),
    }
}

fn measured(asked: &Asked) -> Run {
    let own = std::env::current_exe().expect("the kernel knows this file");
    let programs = own.parent().expect("a program lies in a folder");
    let folder = asked
        .folder
        .clone()
        .unwrap_or_else(|| programs.join("benched"));
    std::fs::create_dir_all(&folder).expect("a folder below Cargo's target folder can be made");
    let python = python();
    let deny = [
        python.display().to_string(),
        "-I".to_owned(),
        "-B".to_owned(),
        "-c".to_owned(),
        script("deny.py"),
        "namespaces".to_owned(),
    ];
    let bench = Bench {
        peers: Peers::furnish(&folder, programs, &python, deny.to_vec()),
        folder,
        without: asked.without.clone(),
    };
    let is_wanted = |name: &str| asked.only.is_empty() || asked.only.iter().any(|one| one == name);
    let mut run = match &asked.save {
        Some(path) if path.exists() => Run::read(path),
        _ => Run {
            machine: machine(),
            versions: bench.peers.versions(),
            results: Vec::new(),
            full: None,
        },
    };
    let save = |run: &Run| {
        if let Some(path) = &asked.save {
            run.save(path);
        }
    };
    for scenario in Scenario::ALL {
        if is_wanted(&scenario.name()) {
            drop(writeln!(std::io::stderr(), "bench: {}", scenario.title()));
            let result = bench.run(scenario, asked.rounds);
            // At once: a scenario that fails later takes nothing away.
            drop(writeln!(std::io::stderr(), "{}", table(&[&result])));
            run.add(result);
            save(&run);
        }
    }
    if is_wanted(FULL) {
        drop(writeln!(std::io::stderr(), "bench: caches of many entries"));
        run.full = Some(bench.full(asked.rounds));
        save(&run);
    }
    run
}

/// Prints the tables of some runs, and writes them into the page.
fn tell(runs: &[Run], write: bool) {
    let (text, results) = told(runs);
    write!(std::io::stdout(), "{text}").expect("standard output takes it");
    if write {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let page = docs.join("performance.md");
        let old = std::fs::read_to_string(&page).expect("the page is there");
        let (head, rest) = old.split_once(MARKS[0]).expect("the page has its marks");
        let (_, tail) = rest.split_once(MARKS[1]).expect("the page has its marks");
        let new = format!("{head}{}{text}{}{tail}", MARKS[0], MARKS[1]);
        std::fs::write(&page, new).expect("the page can be written");
        std::fs::write(docs.join("performance.svg"), plot(&results))
            .expect("the picture can be written");
    }
}

/// The `python3` on PATH, as itself: a shim would be measured with it.
fn python() -> PathBuf {
    let output = std::process::Command::new("python3")
        .args([
            "-I",
            "-c",
            "import os, sys; print(os.path.realpath(sys.executable))",
        ])
        .output()
        .expect("a `python3` on PATH");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}
