//! What pip is configured to use, read as pip reads it and never by running pip.
//!
//! Files are merged in pip's order (global, user, site, `PIP_CONFIG_FILE`), then sections
//! (`[global]`, `[download]`, `[install]`, `[wheel]`), then `PIP_*` variables. Values may hold
//! credentials: `Debug` does not show them.

mod ini;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Bytes of a configuration file; real ones have some hundred.
const LARGEST: u64 = 1024 * 1024;

/// Sections in the order in which they override one another, the last wins.
const SECTIONS: [&str; 4] = ["global", "download", "install", "wheel"];

/// Everything of the process's surroundings that pip's configuration depends on, read once and
/// handed in.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// The variables of the environment.
    pub variables: BTreeMap<String, String>,
    /// `sys.prefix` of the interpreter, for the `pip.conf` of a virtual environment.
    pub prefix: Option<PathBuf>,
}

impl Environment {
    /// Returns a variable that is set to something.
    fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    fn home(&self) -> Option<PathBuf> {
        self.get("HOME").map(PathBuf::from)
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Environment")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// What pip would use. Addresses come with where they were said, in words.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PipConfiguration {
    /// The index and where it was said.
    pub index_url: Option<(String, String)>,
    /// Further indexes.
    pub extra_index_urls: Vec<String>,
    /// Folders and pages of links; `~` is replaced.
    pub find_links: Vec<String>,
    /// No index at all.
    pub no_index: bool,
    /// A bundle of certificates.
    pub cert: Option<PathBuf>,
    /// A client certificate.
    pub client_cert: Option<PathBuf>,
    /// A proxy for everything.
    pub proxy: Option<String>,
    /// Hosts whose certificates are not checked.
    pub trusted_hosts: Vec<String>,
    /// What could not be read or understood, in words.
    pub notes: Vec<String>,
}

impl std::fmt::Debug for PipConfiguration {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let clean = |text: &String| model::lenient::without_credentials(text);
        let index = self.index_url.as_ref();
        out.debug_struct("PipConfiguration")
            .field(
                "index_url",
                &index.map(|(url, origin)| (clean(url), origin)),
            )
            .field(
                "find_links",
                &self.find_links.iter().map(clean).collect::<Vec<_>>(),
            )
            .field("no_index", &self.no_index)
            .field("cert", &self.cert)
            .field("trusted_hosts", &self.trusted_hosts)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

/// Returns the files that pip would read, the last wins. `PIP_CONFIG_FILE` set to the null device
/// means none at all; set to a file that exists it replaces the user's files.
#[must_use]
pub fn files(environment: &Environment) -> Vec<PathBuf> {
    let named = environment.get("PIP_CONFIG_FILE").map(Path::new);
    if named == Some(Path::new("/dev/null")) {
        return Vec::new();
    }
    let shared = environment.get("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg");
    let mut files: Vec<PathBuf> = std::env::split_paths(shared)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("pip/pip.conf"))
        .collect();
    files.push("/etc/pip.conf".into());
    if !named.is_some_and(Path::exists) {
        let home = environment.home();
        let own = environment
            .get("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| home.as_ref().map(|home| home.join(".config")));
        files.extend(home.map(|home| home.join(".pip/pip.conf")));
        files.extend(own.map(|own| own.join("pip/pip.conf")));
    }
    files.extend(
        environment
            .prefix
            .as_ref()
            .map(|prefix| prefix.join("pip.conf")),
    );
    files.extend(named.map(Path::to_owned));
    files
}

/// Reads what pip is configured to use.
#[must_use]
pub fn read(environment: &Environment) -> PipConfiguration {
    let mut merged = Merged::default();
    for path in files(environment) {
        merged.read_file(&path);
    }
    merged.read_variables(environment);
    merged.understand(environment)
}

/// A value and where it was said.
#[derive(Clone, Debug)]
struct Said {
    value: String,
    origin: String,
}

#[derive(Default)]
struct Merged {
    /// By section and key, the last file wins.
    said: BTreeMap<(String, String), Said>,
    /// By key, above all files.
    variables: BTreeMap<String, Said>,
    notes: Vec<String>,
}

impl Merged {
    fn read_file(&mut self, path: &Path) {
        let text = match read_bounded(path) {
            Ok(text) => text,
            Err(error) => {
                let silent = [
                    std::io::ErrorKind::NotFound,
                    std::io::ErrorKind::NotADirectory,
                ];
                if !silent.contains(&error.kind()) {
                    self.note(format!(
                        "pip's configuration `{}` is not read: {error}",
                        path.display()
                    ));
                }
                return;
            }
        };
        let shown = path.display();
        match ini::parse(&text) {
            Ok(items) => {
                for ini::Item {
                    section,
                    key,
                    value,
                } in items
                {
                    let origin = format!("`{key}` in [{section}] of `{shown}`");
                    self.said.insert((section, key), Said { value, origin });
                }
            }
            Err(line) => self.note(format!(
                "pip's configuration `{shown}` is not used: line {line} can not be understood"
            )),
        }
    }

    fn read_variables(&mut self, environment: &Environment) {
        for (name, value) in &environment.variables {
            let Some(key) = name.strip_prefix("PIP_") else {
                continue;
            };
            if value.is_empty() {
                continue;
            }
            let key = key.to_ascii_lowercase().replace('_', "-");
            let said = Said {
                value: value.clone(),
                origin: format!("the variable {name}"),
            };
            self.variables.insert(key, said);
        }
    }

    fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Returns what was said last about a key; an empty value says nothing.
    fn get(&self, key: &str) -> Option<&Said> {
        let in_section = |section: &&str| self.said.get(&((*section).to_owned(), key.to_owned()));
        self.variables.get(key).or_else(|| {
            let mut sections = SECTIONS.iter().rev();
            sections.find_map(|section| in_section(section).filter(|said| !said.value.is_empty()))
        })
    }

    fn text(&self, key: &str) -> Option<String> {
        self.get(key).map(|said| said.value.clone())
    }

    fn list(&self, key: &str) -> Vec<String> {
        let text = self.text(key).unwrap_or_default();
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn understand(mut self, environment: &Environment) -> PipConfiguration {
        let no_index = match self.get("no-index").cloned() {
            None => false,
            Some(said) => boolean(&said.value).unwrap_or_else(|| {
                self.note(format!(
                    "{} is neither true nor false and is ignored",
                    said.origin
                ));
                false
            }),
        };
        let home = environment.home();
        let expand = |text: String| expand(&text, home.as_deref());
        let path = |key: &str| self.text(key).map(|text| PathBuf::from(expand(text)));
        PipConfiguration {
            index_url: self
                .get("index-url")
                .cloned()
                .map(|said| (said.value, said.origin)),
            extra_index_urls: self.list("extra-index-url"),
            find_links: self.list("find-links").into_iter().map(expand).collect(),
            no_index,
            cert: path("cert"),
            client_cert: path("client-cert"),
            proxy: self.text("proxy"),
            trusted_hosts: self.list("trusted-host"),
            notes: self.notes,
        }
    }
}

fn read_bounded(path: &Path) -> std::io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    File::open(path)?.take(LARGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// Reads a truth value as pip does.
fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn expand(text: &str, home: Option<&Path>) -> String {
    let rest = text
        .strip_prefix('~')
        .filter(|rest| rest.is_empty() || rest.starts_with('/'));
    match (rest, home) {
        (Some(rest), Some(home)) => format!("{}{rest}", home.display()),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
