//! From typed words, lines of files and locks to what the pipeline is asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use builder::HashBook;
use index::{Choice, File, FormatControl, NamedFile, choose, file_url};
use model::{
    Code, ConfigSettings, HashAlgorithm, Hashes, LinePlace, PackageName, PythonFacts, Requirement,
    Sha256, TagSet, Version, VersionSpecifiers, lenient,
};
use requirements::{
    Asked, Constraint, Form, Line, Location, Lock, LockedFile, LockedPackage, RequirementsError,
    Selection, Stated,
};
use sources::{Spec, SpecError, Wanted};

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

fn of_spec(error: &SpecError) -> Problem {
    let mut problem = Problem::of(error.code(), error);
    problem.hint = error.hint().map(str::to_owned);
    problem
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
                Problem::new(
                    problem.code,
                    format!("{}: `{written}` is not understood", line.place),
                )
                .why("with the values of its variables, which are not shown, it is neither a requirement nor a URL or a path")
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
                notes.push(format!(
                    "{place}: {} is left out: its marker does not hold for this Python",
                    one.spec
                ));
            }
            _ => all.push(one.clone()),
        }
    }
    for asked in &settings.asked {
        if let Asked::Lock(lock) = asked {
            let picker = Picker {
                tags: TagSet::of(facts),
                python: facts.markers.python_full_version().version.clone(),
                formats,
            };
            for package in picker.select(lock, settings, facts)? {
                all.push(picker.wanted(package)?);
            }
        }
    }
    Ok((all, notes))
}

/// Chooses the file of each entry of a lock.
struct Picker<'a> {
    tags: TagSet,
    python: Version,
    formats: &'a FormatControl,
}

impl Picker<'_> {
    fn select<'l>(
        &self,
        lock: &'l Lock,
        settings: &WantedSettings,
        facts: &PythonFacts,
    ) -> Result<Vec<&'l LockedPackage>, Problem> {
        lock.select(&Selection {
            markers: &facts.markers,
            python: &self.python,
            extras: &settings.extras,
            groups: &settings.groups,
        })
        .map_err(|error| of_requirements(&error))
    }

    fn wanted(&self, package: &LockedPackage) -> Result<Wanted, Problem> {
        let unfit = |what: &str| unfit(&package.place, &format!("{}: {what}", package.name));
        let (spec, hashes) = match &package.form {
            Form::Files { sdist, wheels } => {
                let listed = wheels.iter().chain(sdist);
                let mut files = Vec::new();
                for locked in listed {
                    let file = listed_file(package, locked)?;
                    let version = package.version.as_ref();
                    if version.is_some_and(|version| version != file.version()) {
                        let what = format!("`{}` is of another version", shown(&locked.name));
                        return Err(self::unfit(&locked.place, &what));
                    }
                    files.push((file, locked));
                }
                let (file, locked) = self.best(package, files)?;
                (Spec::Listed(Box::new(file)), locked.hashes.clone())
            }
            Form::Archive { file, .. } if file.name.ends_with(".whl") => {
                let listed = listed_file(package, file)?;
                (Spec::Listed(Box::new(listed)), file.hashes.clone())
            }
            Form::Archive { file, subdirectory } => {
                let spec = match &file.at {
                    Location::Path(path) => {
                        let (path, folder) = (path.clone(), subdirectory.clone());
                        Spec::local(package.name.clone(), &path, folder)
                    }
                    Location::Url(url) => {
                        let mut parts = Vec::new();
                        parts.extend(
                            only_sha256(&file.hashes).map(|sha256| format!("sha256={sha256}")),
                        );
                        parts.extend(
                            subdirectory
                                .iter()
                                .map(|folder| format!("subdirectory={folder}")),
                        );
                        let bare = url.split('#').next().unwrap_or_default();
                        let text = format!("{} @ {bare}#{}", package.name, parts.join("&"));
                        Spec::parse(&text, Path::new("/"))
                    }
                };
                (
                    spec.map_err(|error| at(&file.place, of_spec(&error)))?,
                    file.hashes.clone(),
                )
            }
            Form::Vcs {
                kind,
                at: location,
                commit,
                subdirectory,
            } => {
                if kind != "git" {
                    return Err(unfit("it is in a repository of another system than git"));
                }
                let address = match location {
                    Location::Url(url) => url.clone(),
                    Location::Path(path) => absolute(path)
                        .as_deref()
                        .and_then(file_url)
                        .ok_or_else(|| unfit("the repository is not there"))?,
                };
                let folder = subdirectory
                    .as_ref()
                    .map_or_else(String::new, |folder| format!("#subdirectory={folder}"));
                let address = address.strip_prefix("git+").unwrap_or(&address);
                let text = format!("{} @ git+{address}@{commit}{folder}", package.name);
                let spec = Spec::parse(&text, Path::new("/"));
                (
                    spec.map_err(|error| at(&package.place, of_spec(&error)))?,
                    Hashes::default(),
                )
            }
            Form::Directory { path, subdirectory } => {
                let spec = Spec::local(package.name.clone(), path, subdirectory.clone());
                (
                    spec.map_err(|error| at(&package.place, of_spec(&error)))?,
                    Hashes::default(),
                )
            }
        };
        Ok(Wanted::from(spec).at(package.place.clone(), hashes))
    }

    /// Chooses as among the files of a page.
    fn best<'l>(
        &self,
        package: &LockedPackage,
        files: Vec<(File, &'l LockedFile)>,
    ) -> Result<(File, &'l LockedFile), Problem> {
        let candidates: Vec<File> = files.iter().map(|(file, _)| file.clone()).collect();
        let choice = Choice {
            name: &package.name,
            specifiers: &VersionSpecifiers::empty(),
            tags: &self.tags,
            python: &self.python,
            formats: self.formats,
            pre: true,
            exclude_newer: None,
        };
        let best = choose(&candidates, &choice).into_iter().next();
        let best = best.and_then(|best| best.wheel.or(best.sdist));
        let chosen = best.and_then(|best| files.into_iter().find(|(file, _)| *file == best));
        chosen.ok_or_else(|| {
            let problem = Problem::new(
                Code::NoSource,
                format!("{}: {} has no file for this Python", package.place, package.name),
            );
            problem.why("no wheel of the lock fits it, and there is no sdist; or --no-binary or --only-binary excludes what there is")
        })
    }
}

/// Returns a file of a lock as if a page had listed it.
fn listed_file(package: &LockedPackage, locked: &LockedFile) -> Result<File, Problem> {
    let url = match &locked.at {
        Location::Url(url) => url.clone(),
        Location::Path(path) => absolute(path)
            .as_deref()
            .and_then(file_url)
            .ok_or_else(|| {
                unfit(
                    &locked.place,
                    &format!("`{}` is not there", shown(&path.to_string_lossy())),
                )
            })?,
    };
    let named = NamedFile {
        filename: &locked.name,
        project: &package.name,
        url: &url,
        index: package.index.as_deref(),
        sha256: only_sha256(&locked.hashes),
        size: locked.size,
    };
    named
        .file()
        .map_err(|what| unfit(&locked.place, &format!("`{}`: {what}", shown(&locked.name))))
}

/// The SHA-256 among the hashes, if there is just one.
fn only_sha256(hashes: &Hashes) -> Option<Sha256> {
    let prefix = format!("{}:", HashAlgorithm::Sha256);
    let texts: Vec<_> = hashes.texts().collect();
    let mut found = texts.iter().filter_map(|text| text.strip_prefix(&prefix));
    let first = found.next()?;
    found.next().is_none().then(|| first.parse().ok()).flatten()
}

fn absolute(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

fn shown(text: &str) -> String {
    lenient::printable(text)
}

fn unfit(place: &LinePlace, what: &str) -> Problem {
    Problem::new(Code::BadRequirements, format!("{place}: {what}"))
}

fn at(place: &LinePlace, mut problem: Problem) -> Problem {
    problem.message = format!("{place}: {}", problem.message);
    problem
}

fn of_requirements(error: &RequirementsError) -> Problem {
    let mut problem = Problem::of(error.code(), error);
    if let Some(why) = error.why() {
        problem = problem.why(why);
    }
    problem.hint = error.hint();
    problem
}
