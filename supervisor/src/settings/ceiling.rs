//! The ceiling: what nothing exceeds on this system, whoever asks for it.
//!
//! It stands in `[ceiling]` of the system's file. A key that is missing bounds nothing; an empty list
//! allows nothing. It binds this program, not the user: who can run another program is not held by it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use index::{FindLinks, IndexUrl};
use policies::{PolicyError, Section};
use protocol::{Access, Level};

use super::configuration::{Layer, Place};
use super::{Origin, SettingsError, Value, words};

/// The keys of grants, each with what it lets be granted.
const GRANTS: [(&str, &[Access]); 3] = [
    ("allow-read", &[Access::Read]),
    ("allow-write", &[Access::Read, Access::ReadWrite]),
    ("allow-exec", &[Access::Read, Access::ReadExecute]),
];
/// The keys of limits.
const LIMITS: [&str; 6] = [
    "timeout",
    "idle-timeout",
    "memory",
    "disk",
    "processes",
    "log-limit",
];

/// A bound, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bound<T> {
    /// The bound.
    pub(crate) value: T,
    /// Its line.
    pub(crate) place: Place,
}

/// What nothing exceeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ceiling {
    /// Policies; whatever allows more than each of them is refused.
    pub(crate) policies: Option<Bound<Vec<String>>>,
    /// The lowest level.
    pub(crate) floor: Option<Bound<Level>>,
    /// Indexes and places of loose files, in the spelling of keys.
    pub(crate) indexes: Option<Bound<BTreeSet<String>>>,
    /// Paths below which something may be granted; one entry a key that is there.
    grants: Vec<(&'static [Access], Bound<Vec<PathBuf>>)>,
    /// Variables that may be handed to builds.
    variables: Option<Bound<Vec<String>>>,
    /// Limits by flag: milliseconds, bytes or a count.
    limits: Vec<(&'static str, Bound<u64>)>,
}

impl Ceiling {
    /// Reads the table.
    ///
    /// # Errors
    /// Names file, line and key.
    pub(super) fn read(section: &Section<'_>, file: &Arc<Path>) -> Result<Self, PolicyError> {
        let mut known = vec!["policies", "min-isolation", "indexes", "allow-env"];
        known.extend(GRANTS.map(|(key, _)| key));
        known.extend(LIMITS);
        section.only(&known)?;
        let table = Table { section, file };
        let mut ceiling = Self {
            policies: table.list("policies")?,
            floor: table.one("min-isolation", str::parse)?,
            variables: table.list("allow-env")?,
            ..Self::default()
        };
        for text in ceiling.policies.iter_mut().flat_map(|it| &mut it.value) {
            if text.contains('/') && !text.starts_with('/') {
                let problem = "neither a name nor an absolute path";
                return Err(section.fail("policies", problem, "write names or absolute paths"));
            }
        }
        for (key, allowed) in GRANTS {
            if let Some(list) = table.list(key)? {
                ceiling.grants.push((allowed, paths(list, section, key)?));
            }
        }
        for key in LIMITS {
            let bound = table.one(key, |text| match key {
                "timeout" | "idle-timeout" => words::span(text)
                    .map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
                "processes" => words::count(text),
                _ => words::size(text),
            })?;
            ceiling.limits.extend(bound.map(|bound| (key, bound)));
        }
        if let Some(list) = table.list("indexes")? {
            let canonical = list.value.iter().map(|text| canonical(text));
            let value = canonical.collect::<Result<_, _>>().map_err(|problem| {
                section.fail("indexes", &problem, "write URLs and absolute paths")
            })?;
            let place = list.place;
            ceiling.indexes = Some(Bound { value, place });
        }
        Ok(ceiling)
    }

    /// Resolves the links of paths, as is done for what is granted.
    pub(super) fn resolve(&mut self) {
        for (_, bound) in &mut self.grants {
            for path in &mut bound.value {
                if let Ok(real) = path.canonicalize() {
                    *path = real;
                }
            }
        }
    }

    /// Returns the level that holds: the one asked for, or the ceiling's where nobody asked.
    ///
    /// # Errors
    /// If a lower one was asked for.
    pub(super) fn floor(&self, asked: Value<Level>) -> Result<Value<Level>, SettingsError> {
        match &self.floor {
            Some(bound) if asked.value < bound.value => match asked.origin {
                Origin::Default => Ok(Value {
                    value: bound.value,
                    origin: Origin::File(bound.place.clone()),
                }),
                origin => Err(SettingsError::BelowFloor {
                    what: format!("{origin}: the level `{}`", asked.value),
                    allowed: bound.value.to_string(),
                    place: bound.place.clone(),
                }),
            },
            _ => Ok(asked),
        }
    }

    /// Refuses a grant that is not below what may be granted.
    ///
    /// # Errors
    /// If it is not. Without any of the three keys nothing is bounded; with one, what the others
    /// would allow is not.
    pub(crate) fn grant(
        &self,
        who: &dyn std::fmt::Display,
        path: &Path,
        access: Access,
    ) -> Result<(), SettingsError> {
        let allowed = self.grants.iter().any(|(accesses, below)| {
            accesses.contains(&access) && below.value.iter().any(|folder| path.starts_with(folder))
        });
        match self.grants.last() {
            Some((_, bound)) if !allowed => {
                let paths: Vec<_> = self
                    .grants
                    .iter()
                    .flat_map(|(_, below)| &below.value)
                    .map(|path| path.display().to_string())
                    .collect();
                Err(exceeds(
                    format!("{who}: a grant of `{}`", path.display()),
                    &paths,
                    &bound.place,
                ))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a variable that may not be handed to builds.
    ///
    /// # Errors
    /// If it may not.
    pub(super) fn variable(&self, asked: &Value<&str>) -> Result<(), SettingsError> {
        match &self.variables {
            Some(bound) if !bound.value.iter().any(|name| name == asked.value) => Err(exceeds(
                format!("{}: the variable {}", asked.origin, asked.value),
                &bound.value,
                &bound.place,
            )),
            _ => Ok(()),
        }
    }

    /// Returns the bound of the limit that a flag sets.
    pub(crate) fn limit(&self, flag: &str) -> Option<&Bound<u64>> {
        let key = flag.trim_start_matches('-');
        let held = self.limits.iter().find(|(name, _)| *name == key);
        held.map(|(_, bound)| bound)
    }

    /// Refuses packages that say where their build requirements come from.
    ///
    /// # Errors
    /// If indexes are bounded.
    pub(super) fn urls(&self, asked: &Origin) -> Result<(), SettingsError> {
        match &self.indexes {
            Some(bound) => Err(exceeds(
                format!("{asked}: build requirements from anywhere"),
                &bound.value,
                &bound.place,
            )),
            None => Ok(()),
        }
    }

    /// Returns what it says, one line a key.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(bound) = &self.policies {
            lines.push(format!("policies within {}", list(&bound.value)));
        }
        if let Some(bound) = &self.floor {
            lines.push(format!("no level below {}", bound.value));
        }
        for (accesses, bound) in &self.grants {
            let paths: Vec<_> = bound.value.iter().map(|path| path.display()).collect();
            let what = match accesses.last() {
                Some(Access::ReadWrite) => "writing",
                Some(Access::ReadExecute) => "executing",
                _ => "reading",
            };
            lines.push(format!("grants for {what} below {}", list(&paths)));
        }
        if let Some(bound) = &self.variables {
            lines.push(format!("variables {}", list(&bound.value)));
        }
        if let Some(bound) = &self.indexes {
            lines.push(format!("indexes {}", list(&bound.value)));
        }
        for (key, bound) in &self.limits {
            lines.push(format!("{key} at most {}", amount(key, bound.value)));
        }
        lines
    }
}

/// Says what exceeds which line.
pub(crate) fn exceeds(
    what: String,
    allowed: impl IntoIterator<Item = impl std::fmt::Display>,
    place: &Place,
) -> SettingsError {
    SettingsError::Exceeds {
        what,
        allowed: list(allowed),
        place: place.clone(),
    }
}

/// Returns the value of a limit with its unit.
pub(crate) fn amount(flag: &str, value: u64) -> String {
    match flag.trim_start_matches('-') {
        "timeout" | "idle-timeout" => format!("{value} ms"),
        "processes" => value.to_string(),
        _ => format!("{value} bytes"),
    }
}

/// Returns a list in words.
fn list(items: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    match items.as_slice() {
        [] => "nothing".to_owned(),
        items => items.join(", "),
    }
}

/// Returns the spelling in which indexes and places of files are compared.
fn canonical(text: &str) -> Result<String, String> {
    if !text.contains("://") && !text.starts_with('/') {
        return Err(format!("`{text}` is neither a URL nor an absolute path"));
    }
    // A page of links may have a query, which no index has.
    let spelled = IndexUrl::parse(text)
        .map(|index| index.canonical())
        .or_else(|_| FindLinks::parse(text).map(|place| place.canonical()));
    spelled
        .map(|text| text.trim_end_matches('/').to_owned())
        .map_err(|error| error.to_string())
}

/// Takes a list of absolute paths.
fn paths(
    list: Bound<Vec<String>>,
    section: &Section<'_>,
    key: &str,
) -> Result<Bound<Vec<PathBuf>>, PolicyError> {
    if list.value.iter().any(|path| !path.starts_with('/')) {
        return Err(section.fail(key, "a relative path", "write absolute paths"));
    }
    Ok(Bound {
        value: list.value.into_iter().map(PathBuf::from).collect(),
        place: list.place,
    })
}

/// The table while it is read.
struct Table<'a> {
    section: &'a Section<'a>,
    file: &'a Arc<Path>,
}

impl Table<'_> {
    fn place(&self, key: &str) -> Place {
        Place {
            file: Arc::clone(self.file),
            line: self.section.line(key),
            layer: Layer::System,
        }
    }

    fn list(&self, key: &str) -> Result<Option<Bound<Vec<String>>>, PolicyError> {
        let texts = self.section.texts(key)?;
        Ok(texts.map(|texts| Bound {
            value: texts.into_iter().map(str::to_owned).collect(),
            place: self.place(key),
        }))
    }

    fn one<T>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<Bound<T>>, PolicyError> {
        let Some(text) = self.section.word(key)? else {
            return Ok(None);
        };
        let value = parse(&text).map_err(|problem| {
            self.section
                .fail(key, &problem, "write what the flag takes")
        })?;
        Ok(Some(Bound {
            value,
            place: self.place(key),
        }))
    }
}
