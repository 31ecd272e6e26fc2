//! The files that were named, with those that they name, as one collection.

mod naming;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{ConfigSettings, Hashes, LinePlace, Requirement, VersionOrUrl, lenient};

use crate::file::{Meaning, Options, Placed, Said, read};
use crate::project::{self, Extras};
use crate::{Lock, RequirementsError};
#[cfg(test)]
pub(crate) use naming::plain;

/// Files that one collection may be made of, each time one is named.
const MOST_FILES: usize = 500;

/// The seam to the world.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Reads a file; a relative path is relative to the working directory.
    pub read: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    /// Returns the value of a variable of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Whether something is at a path.
    pub exists: &'a dyn Fn(&Path) -> bool,
}

impl std::fmt::Debug for Means<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Means")
    }
}

/// One thing that was named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// `-r`: a file of requirements, a lock or a `pyproject.toml`.
    Requirements(String),
    /// `-c`
    Constraints(String),
    /// `--group [PATH:]NAME`
    Group(String),
}

/// What is asked for in a line.
#[derive(Clone, PartialEq, Eq)]
pub enum Stated {
    /// A requirement, where only one may stand.
    Requirement(Requirement),
    /// A requirement, URL or path, as it may be typed too. Variables have their values.
    Text(String),
}

impl std::fmt::Debug for Stated {
    /// A URL in it may hold credentials.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Requirement(requirement) => write!(out, "Requirement({requirement})"),
            Self::Text(text) => write!(out, "Text({})", lenient::printable(text)),
        }
    }
}

/// One line that asks for something.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// What for. May hold credentials.
    pub stated: Stated,
    /// As it stands there, without the values of variables.
    pub written: String,
    /// Where.
    pub place: LinePlace,
    /// `--hash`
    pub hashes: Hashes,
    /// `--config-settings`
    pub settings: ConfigSettings,
}

impl std::fmt::Debug for Line {
    /// A URL in it may hold credentials.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let written = lenient::printable(&self.written);
        write!(out, "Line({}: {written})", self.place)
    }
}

/// A line of a file of constraints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// A name, versions and a marker.
    pub requirement: Requirement,
    /// `--hash`
    pub hashes: Hashes,
    /// Where it stands.
    pub place: LinePlace,
}

/// What of the collection asks for something, in order.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are lines, and there are few of either"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A line of a file of requirements, or an entry of a `pyproject.toml`.
    Line(Line),
    /// A lock.
    Lock(Box<Lock>),
}

/// Everything that the files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// What is asked for.
    pub asked: Vec<Asked>,
    /// What it is held to.
    pub constraints: Vec<Constraint>,
    /// What is said about all of it.
    pub options: Options,
    /// What is not heard, in words.
    pub notes: Vec<String>,
    /// Whether there was a file that has extras.
    pub had_extras: bool,
}

/// Reads what was named and what that names.
///
/// # Errors
/// Names the file, and the line that does not fit.
pub fn collect(
    wishes: &[Wish],
    extras: &Extras,
    means: &Means<'_>,
) -> Result<Collected, RequirementsError> {
    let mut collector = Collector {
        means,
        extras,
        collected: Collected::default(),
        count: 0,
    };
    for wish in wishes {
        match wish {
            Wish::Requirements(path) => collector.named(path)?,
            Wish::Constraints(path) => {
                let path = naming::address(path, None, None)?;
                collector.file(&path, true, None, &mut Vec::new())?;
            }
            Wish::Group(text) => collector.group(text)?,
        }
    }
    Ok(collector.collected)
}

struct Collector<'a> {
    means: &'a Means<'a>,
    extras: &'a Extras,
    collected: Collected,
    count: usize,
}

impl Collector<'_> {
    /// A file that was named with `-r` on the command line.
    fn named(&mut self, text: &str) -> Result<(), RequirementsError> {
        let path = naming::address(text, None, None)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file: Arc<Path> = Arc::from(path.as_path());
        if name == "pyproject.toml" {
            let text = self.text(&file)?;
            self.collected.had_extras = true;
            let (lines, notes) = project::dependencies(&text, &file, self.extras)?;
            self.collected.notes.extend(notes);
            self.add(lines);
            Ok(())
        } else if Lock::is_name(&name) {
            let text = self.text(&file)?;
            self.collected.had_extras = true;
            let lock = Lock::parse(&text, &file)?;
            self.collected.asked.push(Asked::Lock(Box::new(lock)));
            Ok(())
        } else {
            self.file(&path, false, None, &mut Vec::new())
        }
    }

    fn group(&mut self, text: &str) -> Result<(), RequirementsError> {
        let (path, name) = text.rsplit_once(':').unwrap_or(("pyproject.toml", text));
        let file: Arc<Path> = Arc::from(Path::new(path));
        let is_project = file
            .file_name()
            .is_some_and(|name| name == "pyproject.toml");
        if !is_project {
            return Err(RequirementsError::Kind {
                file: lenient::printable(path),
                asked_by: None,
                why: "a dependency group stands in a pyproject.toml".to_owned(),
                fix: "write --group NAME or --group FOLDER/pyproject.toml:NAME".to_owned(),
            });
        }
        let text = self.text(&file)?;
        let lines = project::group(&text, &file, name)?;
        self.add(lines);
        Ok(())
    }

    /// Reads a TOML file.
    fn text(&self, file: &Arc<Path>) -> Result<String, RequirementsError> {
        let bytes = (self.means.read)(file).map_err(|source| RequirementsError::Read {
            file: file.to_path_buf(),
            asked_by: None,
            source,
        })?;
        String::from_utf8(bytes).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            let place = LinePlace {
                file: Arc::clone(file),
                line,
            };
            RequirementsError::line(&place, "it is not UTF-8, as TOML has to be")
        })
    }

    fn add(&mut self, lines: Vec<Line>) {
        for line in lines {
            let same = |one: &Asked| match one {
                Asked::Line(other) => other.stated == line.stated && other.hashes == line.hashes,
                Asked::Lock(_) => false,
            };
            if !self.collected.asked.iter().any(same) {
                self.collected.asked.push(Asked::Line(line));
            }
        }
    }

    /// A file of requirements or constraints. `chain` is the way to it.
    fn file(
        &mut self,
        path: &Path,
        is_constraints: bool,
        asked_by: Option<&LinePlace>,
        chain: &mut Vec<PathBuf>,
    ) -> Result<(), RequirementsError> {
        naming::check_kind(path, asked_by)?;
        let place = |at: Option<&LinePlace>| {
            at.cloned().unwrap_or_else(|| LinePlace {
                file: Arc::from(path),
                line: 1,
            })
        };
        if chain
            .iter()
            .any(|one| naming::plain(one) == naming::plain(path))
        {
            let shown = chain.iter().map(PathBuf::as_path).chain([path]);
            return Err(RequirementsError::Recursion {
                place: place(asked_by),
                file: path.to_owned(),
                chain: shown.map(|path| format!("`{}`", path.display())).collect(),
            });
        }
        self.count += 1;
        if self.count > MOST_FILES {
            let what = format!("more than {MOST_FILES} files are included");
            return Err(RequirementsError::line(&place(asked_by), what));
        }
        let bytes = (self.means.read)(path).map_err(|source| RequirementsError::Read {
            file: path.to_owned(),
            asked_by: asked_by.cloned(),
            source,
        })?;
        let file: Arc<Path> = Arc::from(path);
        let said = read(&bytes, &file, self.means.variable)?;
        chain.push(path.to_owned());
        for (place, said) in said {
            match said {
                Said::File {
                    is_constraints,
                    path: named,
                } => {
                    let nested = naming::address(&named, path.parent(), Some(&place))?;
                    self.file(&nested, is_constraints, Some(&place), chain)?;
                }
                Said::Option(meaning, value) => self.option(meaning, value, place),
                Said::Requirement {
                    text,
                    hashes,
                    settings,
                    ..
                } if is_constraints => {
                    if !settings.is_empty() {
                        let what = "settings of a build do not belong to a constraint";
                        return Err(RequirementsError::line(&place, what));
                    }
                    let requirement = constraint(&text, &place)?;
                    self.collected.constraints.push(Constraint {
                        requirement,
                        hashes,
                        place,
                    });
                }
                Said::Requirement {
                    text,
                    written,
                    hashes,
                    settings,
                } => self.add(vec![Line {
                    stated: Stated::Text(text),
                    written,
                    place,
                    hashes,
                    settings,
                }]),
            }
        }
        chain.pop();
        Ok(())
    }

    fn option(&mut self, meaning: Meaning, value: String, place: LinePlace) {
        let options = &mut self.collected.options;
        options.first.get_or_insert_with(|| place.clone());
        match meaning {
            Meaning::IndexUrl => options.index_url = Some(Placed { value, place }),
            Meaning::ExtraIndexUrl => options.extra_index_urls.push(Placed { value, place }),
            Meaning::NoIndex => options.no_index = Some(place),
            Meaning::FindLinks => {
                // As pip does: beside the file if it is there, else as it stands.
                let beside = place.file.parent().map(|folder| folder.join(&value));
                let beside = beside.filter(|path| {
                    !value.contains("://")
                        && !value.starts_with("file:")
                        && (self.means.exists)(path)
                });
                let value = beside.map_or(value, |path| path.display().to_string());
                options.find_links.push(Placed { value, place });
            }
            Meaning::Format(format) => options.formats.push((format, Placed { value, place })),
            Meaning::PreferBinary => options.prefer_binary = true,
            Meaning::RequireHashes => options.require_hashes = Some(place),
            Meaning::Pre => options.pre = true,
            Meaning::TrustedHost => options.trusted_hosts.push(Placed { value, place }),
            // The others do not come here.
            _ => self.collected.notes.push(format!(
                "{place}: a switch of pip's own, which means nothing here"
            )),
        }
    }
}

/// Understands a constraint.
fn constraint(text: &str, place: &LinePlace) -> Result<Requirement, RequirementsError> {
    const FORM: &str = "a constraint is a name with versions and perhaps a marker: NAME<2";
    let requirement = lenient::requirement(text).map_err(|error| {
        let what = format!("not a constraint: {}", error.why);
        RequirementsError::line(place, what).with(error.column, Some(FORM))
    })?;
    let unfit = if !requirement.extras.is_empty() {
        "a constraint has no extras: they would ask for something"
    } else if matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_))) {
        "a constraint does not say where something comes from"
    } else {
        return Ok(requirement);
    };
    Err(RequirementsError::line(place, unfit).with(None, Some(FORM)))
}

impl Collected {
    /// Returns the first line that is more than a constraint, if there is one.
    #[must_use]
    pub fn beyond_constraints(&self) -> Option<LinePlace> {
        let asked = self.asked.iter().find_map(|asked| match asked {
            Asked::Line(line) => Some(line.place.clone()),
            Asked::Lock(_) => None,
        });
        self.options.first.clone().or(asked)
    }
}
