//! From typed words, lines of files and locks to what the pipeline is asked for.

use std::collections::BTreeMap;
use std::path::Path;

use builder::HashBook;
use index::FormatControl;
use model::{Code, ConfigSettings, LinePlace, PackageName, PythonFacts, Requirement, lenient};
use requirements::{Asked, Constraint, Line, Stated};
use sources::{Spec, SpecError, Wanted};

use super::locked::Picker;
use crate::render::Problem;
use crate::settings::{MakingSettings, WantedSettings};

/// Understands what was typed and what stands in lines; relative paths hang on `directory`, as in pip.
///
/// # Errors
/// Names the word, or file, line and column, that is nothing to build.
pub(crate) fn wanted(
    typed: &[String],
    settings: &WantedSettings,
    directory: &Path,
    is_whole: bool,
) -> Result<Vec<Wanted>, Problem> {
    // Alone, without what it depends on, extras and markers of a URL mean nothing.
    let understood = |text: &str| {
        if is_whole {
            Wanted::parse(text, directory)
        } else {
            Spec::parse(text, directory).map(Wanted::from)
        }
    };
    let mut wanted = Vec::new();
    for text in typed {
        wanted.push(understood(text).map_err(|error| of_spec(&error))?);
    }
    for asked in &settings.asked {
        if let Asked::Line(line) = asked {
            let one = of_line(line, &understood)?;
            if !line.settings.is_empty() && one.spec.name().is_none() {
                let what = "settings belong to a project whose name is not known here";
                return Err(unfit(&line.place, what).fix("write NAME @ URL"));
            }
            wanted.push(one);
        }
    }
    Ok(wanted)
}

fn of_line(
    line: &Line,
    understood: &dyn Fn(&str) -> Result<Wanted, SpecError>,
) -> Result<Wanted, Problem> {
    let wanted = match &line.stated {
        Stated::Requirement(requirement) => requirement.clone().into(),
        Stated::Text(text) => understood(text).map_err(|error| {
            // Where a variable stands, no message shows the line with its value.
            let is_as_written = *text == line.written;
            let mut problem = of_spec(&error);
            let column = match &error {
                SpecError::Requirement { source } if is_as_written => source.column,
                _ => None,
            };
            let column = column.map_or_else(String::new, |column| format!(":{column}"));
            if is_as_written {
                problem.message = format!("{}{column}: {}", line.place, problem.message);
                problem
            } else {
                let written = lenient::printable(&line.written);
                let message = format!("{}: `{written}` is not understood", line.place);
                let why = "with the values of its variables, which are not shown, it is neither a requirement nor a URL or a path";
                let shown = Problem::new(problem.code, message).why(error.why().unwrap_or(why));
                Problem {
                    hint: problem.hint,
                    ..shown
                }
            }
        })?,
    };
    Ok(wanted.at(line.place.clone(), line.hashes.clone()))
}

/// Refuses what a lock leaves no room for: it says everything, so nothing is resolved with it. Says whether
/// there is one.
///
/// # Errors
/// If something else is asked for that would have to be resolved, or a plan is.
pub(crate) fn with_locks(
    settings: &WantedSettings,
    wanted: &[Wanted],
    is_dry_run: bool,
) -> Result<bool, Problem> {
    let lock = settings.asked.iter().find_map(|asked| match asked {
        Asked::Lock(lock) => Some(lock),
        Asked::Line(_) => None,
    });
    let Some(lock) = lock else {
        return Ok(false);
    };
    let file = lock.file().display();
    if is_dry_run {
        return Err(Problem::new(
            Code::BadFlag,
            "`--dry-run` tells what resolving comes to, and a lock is not resolved",
        )
        .fix(format!("`{file}` says what would be taken")));
    }
    if !wanted.is_empty() {
        return Err(Problem::new(
            Code::BadFlag,
            format!("`{file}` is a lock, and something else is asked for beside it"),
        )
        .why("a lock says everything that is needed; what would be resolved beside it could contradict it")
        .fix("run them one after the other, or add --no-deps: then nothing is resolved"));
    }
    Ok(true)
}

/// What everything that is made is held to.
#[derive(Debug)]
pub(crate) struct Bounds {
    /// For what is asked for.
    pub(crate) constraints: Vec<Requirement>,
    /// For what is asked for.
    pub(crate) hashes: HashBook,
    /// For build requirements.
    pub(crate) build_constraints: Vec<Requirement>,
    /// For build requirements.
    pub(crate) build_hashes: HashBook,
    /// For the hooks of single packages.
    pub(crate) package_settings: BTreeMap<PackageName, ConfigSettings>,
}

/// Puts constraints and hashes together, as far as their markers hold for this Python.
pub(crate) fn bounds(
    wanted: &[Wanted],
    settings: &WantedSettings,
    making: &MakingSettings,
    facts: &PythonFacts,
) -> Bounds {
    let (constraints, mut hashes) = split(&settings.constraints, facts);
    for one in wanted {
        if let Spec::Named(requirement) = &one.spec
            && requirement.marker.evaluate(&facts.markers, &[])
        {
            hashes.add(requirement, one.hashes.clone(), one.place.clone());
        }
    }
    hashes.required.clone_from(&settings.require_hashes);
    let (build_constraints, mut build_hashes) = split(&making.build_constraints, facts);
    build_hashes.required = making
        .require_build_hashes
        .then(|| "--require-build-hashes".to_owned());
    let mut package_settings = making.package_settings.clone();
    let lines = settings.asked.iter().filter_map(|asked| match asked {
        Asked::Line(line) => Some(line),
        Asked::Lock(_) => None,
    });
    let of_lines = wanted.iter().filter(|one| one.place.is_some()).zip(lines);
    for (one, line) in of_lines.filter(|(_, line)| !line.settings.is_empty()) {
        if let Some(name) = one.spec.name() {
            let own = package_settings.entry(name.clone()).or_default();
            // What is typed for the package counts before its line.
            *own = line.settings.under(own);
        }
    }
    Bounds {
        package_settings,
        constraints,
        hashes,
        build_constraints,
        build_hashes,
    }
}

fn split(constraints: &[Constraint], facts: &PythonFacts) -> (Vec<Requirement>, HashBook) {
    let mut book = HashBook::default();
    for one in constraints {
        if one.requirement.marker.evaluate(&facts.markers, &[]) {
            let place = Some(one.place.clone());
            book.add(&one.requirement, one.hashes.clone(), place);
        }
    }
    let requirements = constraints.iter().map(|one| one.requirement.clone());
    (requirements.collect(), book)
}

/// Returns what is wanted for this Python: lines whose marker holds, and entries of locks. Says in notes
/// what is left out.
///
/// # Errors
/// If a lock is for others, or an entry of it can not be had.
pub(crate) fn here(
    wanted: &[Wanted],
    settings: &WantedSettings,
    facts: &PythonFacts,
    formats: &FormatControl,
) -> Result<(Vec<Wanted>, Vec<String>), Problem> {
    let mut notes = Vec::new();
    let mut all = Vec::new();
    for one in wanted {
        match &one.place {
            Some(place) if !one.applies(&facts.markers) => {
                let what = one.spec.name().map(ToString::to_string);
                let what = what.unwrap_or_else(|| one.spec.to_string());
                notes.push(format!(
                    "{place}: {what} is left out: its marker does not hold for this Python"
                ));
            }
            _ => all.push(one.clone()),
        }
    }
    for asked in &settings.asked {
        if let Asked::Lock(lock) = asked {
            let picker = Picker::new(facts, formats);
            for package in picker.select(lock, settings, facts)? {
                all.push(picker.wanted(package)?);
            }
        }
    }
    Ok((all, notes))
}

pub(super) fn of_spec(error: &SpecError) -> Problem {
    let mut problem = Problem::of(error.code(), error);
    if let Some(why) = error.why() {
        problem = problem.why(why);
    }
    problem.hint = error.hint().map(str::to_owned);
    problem
}

pub(super) fn unfit(place: &LinePlace, what: &str) -> Problem {
    Problem::new(Code::BadRequirements, format!("{place}: {what}"))
}
