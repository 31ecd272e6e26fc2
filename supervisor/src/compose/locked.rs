//! From the entries of a lock to what the pipeline is asked for: of each the file that fits best.

use std::path::{Path, PathBuf};

use index::{Choice, File, FormatControl, NamedFile, choose, file_url};
use model::{
    Code, HashAlgorithm, Hashes, LinePlace, PythonFacts, Sha256, TagSet, Version,
    VersionSpecifiers, lenient,
};
use requirements::{Form, Location, Lock, LockedFile, LockedPackage, RequirementsError, Selection};
use sources::{Spec, Wanted};

use super::wanted::{of_spec, unfit};
use crate::render::Problem;
use crate::settings::WantedSettings;

/// Chooses the file of each entry of a lock.
pub(super) struct Picker<'a> {
    tags: TagSet,
    python: Version,
    formats: &'a FormatControl,
}

impl<'a> Picker<'a> {
    /// Chooses for the interpreter of these facts.
    pub(super) fn new(facts: &PythonFacts, formats: &'a FormatControl) -> Self {
        Self {
            tags: TagSet::of(facts),
            python: facts.markers.python_full_version().version.clone(),
            formats,
        }
    }

    pub(super) fn select<'l>(
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

    pub(super) fn wanted(&self, package: &LockedPackage) -> Result<Wanted, Problem> {
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
                let spec = archive(package, file, subdirectory.as_ref())?;
                (spec, file.hashes.clone())
            }
            Form::Vcs {
                kind,
                at: location,
                commit,
                subdirectory,
            } => {
                if kind != "git" {
                    let other = unfit("it is in a repository of another system than git");
                    return Err(other
                        .why("of the systems of repositories git alone is spoken here")
                        .fix("lock an archive of it, or a git repository"));
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

/// Returns an archive of a lock.
fn archive(
    package: &LockedPackage,
    file: &LockedFile,
    subdirectory: Option<&String>,
) -> Result<Spec, Problem> {
    match &file.at {
        Location::Path(path) => {
            let (path, folder) = (path.clone(), subdirectory.cloned());
            Spec::local(package.name.clone(), &path, folder)
        }
        Location::Url(url) => {
            let mut parts = Vec::new();
            parts.extend(only_sha256(&file.hashes).map(|sha256| format!("sha256={sha256}")));
            parts.extend(
                subdirectory
                    .iter()
                    .map(|folder| format!("subdirectory={folder}")),
            );
            let bare = url.split('#').next().unwrap_or_default();
            let text = format!("{} @ {bare}#{}", package.name, parts.join("&"));
            Spec::parse(&text, Path::new("/"))
        }
    }
    .map_err(|error| at(&file.place, of_spec(&error)))
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
