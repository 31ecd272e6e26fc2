//! Builds real packages by a list, under the default policy and without network, and uv beside it:
//!
//! ```text
//! cargo run --release -p tests --bin corpus -- FILE [flags]
//!
//! FILE              tab-separated; the first column is NAME==VERSION, the rest may be missing: kind, backend,
//!                   seconds (by which the smallest come first), wheel and source digest that are expected
//! --work DIR        caches, wheels, logs and results; a run goes on where the last one stopped [corpus-work]
//! --only NAMES      these alone, separated by commas, whatever is known of them
//! --limit COUNT     no more than so many, the smallest first
//! --jobs COUNT      so many at the same time [1]
//! --again           those that are not well, once more
//! --uv PATH         build them with this uv too, and compare
//! --python PYTHON   the Python for both
//! --program PATH    another fumehood than the one that is built into this program
//! --flags WORDS     further words for `fumehood wheel`, such as "--policy native"
//! --page FILE       write the table as Markdown, too
//! --table           build nothing, show what is known
//! ```
//!
//! It needs the network once a package: what it tells is the second build, offline, after the wheel was dropped.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use tests::corpus::{Difference, Entry, Kept, Ours, Row, Theirs, entries, page, text};

/// What was asked for.
#[derive(Default)]
struct Asked {
    list: PathBuf,
    work: PathBuf,
    only: Vec<String>,
    limit: Option<usize>,
    jobs: usize,
    again: bool,
    table: bool,
    uv: Option<PathBuf>,
    python: Option<String>,
    program: Option<PathBuf>,
    flags: Vec<String>,
    page: Option<PathBuf>,
}

fn main() -> ExitCode {
    // It is the program and its worker, too, so that one build makes all.
    let zeroth = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&zeroth).file_name();
    if ["fumehood", "fumehood-worker"]
        .map(OsStr::new)
        .contains(&name.unwrap_or_default())
    {
        return fumehood::main(Path::new("/etc/fumehood"));
    }
    match asked(std::env::args().skip(1)).and_then(|asked| run(&asked)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::from(2)
        }
    }
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked {
        work: "corpus-work".into(),
        jobs: 1,
        ..Asked::default()
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        let number = |text: String| text.parse().map_err(|_| format!("{text} is no number"));
        match word.as_str() {
            "--work" => asked.work = value()?.into(),
            "--only" => asked.only = value()?.split(',').map(ToOwned::to_owned).collect(),
            "--limit" => asked.limit = Some(number(value()?)?),
            "--jobs" => asked.jobs = number(value()?)?.max(1),
            "--again" => asked.again = true,
            "--table" => asked.table = true,
            "--uv" => asked.uv = Some(value()?.into()),
            "--python" => asked.python = Some(value()?),
            "--program" => asked.program = Some(value()?.into()),
            "--flags" => asked.flags = value()?.split_whitespace().map(ToOwned::to_owned).collect(),
            "--page" => asked.page = Some(value()?.into()),
            _ if word.starts_with('-') || asked.list != PathBuf::new() => {
                return Err(format!(
                    "{word} is not expected; the file's head has the usage"
                ));
            }
            _ => asked.list = word.into(),
        }
    }
    if asked.list == PathBuf::new() {
        return Err("a list is needed: corpus FILE".to_owned());
    }
    Ok(asked)
}

/// Builds what is to be built and shows the table. Returns whether all that was asked for is well.
fn run(asked: &Asked) -> Result<bool, String> {
    let said = |error: std::io::Error| error.to_string();
    let mut list = entries(&asked.list)?;
    list.sort_by(|one, other| one.weight.total_cmp(&other.weight));
    list.retain(|entry| {
        asked.only.is_empty() || asked.only.iter().any(|name| name == entry.name())
    });
    list.truncate(asked.limit.unwrap_or(usize::MAX));
    fs::create_dir_all(&asked.work).map_err(said)?;
    let work = asked.work.canonicalize().map_err(said)?;
    for folder in ["logs", "dist"] {
        fs::create_dir_all(work.join(folder)).map_err(said)?;
    }
    let kept = Kept::open(work.join("results")).map_err(said)?;
    let wanted = |entry: &&Entry| match kept.get(&entry.requirement) {
        _ if asked.table => false,
        _ if !asked.only.is_empty() => true,
        Some(row) => asked.again && !row.is_well(),
        None => true,
    };
    let queue: VecDeque<_> = list.iter().filter(wanted).cloned().collect();
    let bench = Bench::new(asked, work)?;
    let queue = Mutex::new(queue);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..asked.jobs)
            .map(|_| scope.spawn(|| bench.work(&queue, &kept)))
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a thread panicked".to_owned())?)
    })?;
    let rows: Vec<_> = list
        .iter()
        .filter_map(|entry| kept.get(&entry.requirement))
        .collect();
    writeln!(std::io::stdout(), "{}", text(&rows)).map_err(said)?;
    if let Some(path) = &asked.page {
        fs::write(path, page(&rows)).map_err(said)?;
    }
    Ok(rows.len() == list.len() && rows.iter().all(Row::is_well))
}

/// What builds.
struct Bench {
    ours: Ours,
    theirs: Option<Theirs>,
    work: PathBuf,
}

impl Bench {
    fn new(asked: &Asked, work: PathBuf) -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let ours = Ours {
            program: asked.program.clone().unwrap_or(own),
            cache: work.join("cache"),
            logs: work.join("logs"),
            python: asked.python.clone(),
            flags: asked.flags.iter().map(Into::into).collect(),
        };
        let theirs = asked.uv.clone().map(|program| Theirs {
            program,
            cache: work.join("uv"),
            logs: work.join("logs"),
            python: asked.python.clone(),
        });
        Ok(Self { ours, theirs, work })
    }

    fn work(&self, queue: &Mutex<VecDeque<Entry>>, kept: &Kept) -> Result<(), String> {
        let next = || {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = queue.pop_front()?;
            Some((entry, queue.len()))
        };
        while let Some((entry, left)) = next() {
            let row = self.row(&entry)?;
            let how = row.difference.as_ref().map(Difference::words);
            let _ = writeln!(
                std::io::stderr(),
                "{} {} {:.2} s {} ({left} left)",
                row.requirement,
                row.ours.result,
                row.ours.seconds,
                how.unwrap_or_default()
            );
            kept.put(row).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn row(&self, entry: &Entry) -> Result<Row, String> {
        let name = entry.name();
        let dist = self.work.join("dist");
        let ours = self.ours.attempt(name, &entry.requirement, &dist)?;
        let mut row = Row {
            requirement: entry.requirement.clone(),
            ours: ours.made,
            ..Row::default()
        };
        let source = ours.source.as_ref();
        if let (Some(wanted), Some(found)) = (&entry.sha256, source)
            && wanted != found
        {
            row.notes.push(format!("its source is {found}"));
        }
        if let (Some(wanted), Some(found)) = (&entry.wheel, &row.ours.wheel)
            && wanted != found
        {
            row.notes.push(format!("the list expects {wanted}"));
        }
        if let (Some(theirs), Some(digest)) = (&self.theirs, source) {
            let blob = self
                .ours
                .cache
                .join("sources-v1")
                .join(&digest[..2])
                .join(digest);
            let folder = tempfile::tempdir_in(&self.work).map_err(|error| error.to_string())?;
            let (made, wheel) = theirs.attempt(name, &entry.requirement, &blob, folder.path())?;
            row.theirs = Some(made);
            if let (Some(ours), Some(theirs)) = (&ours.wheel, &wheel) {
                row.difference = Some(Difference::between(ours, theirs)?);
            }
        } else if let (Some(theirs), None) = (&self.theirs, source) {
            row.notes.push(format!(
                "{} had no source to build",
                theirs.program.display()
            ));
        }
        Ok(row)
    }
}
