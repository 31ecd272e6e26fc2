//! The options that may stand in a file of requirements: which there are, and what each is here.

use model::LinePlace;

use super::words::words;

/// A value and the line that it stands on. `Debug` shows the line alone: values may be URLs.
#[derive(Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: LinePlace,
}

impl<T> std::fmt::Debug for Placed<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Placed({})", self.place)
    }
}

/// Which of the two flags about kinds of files; their order matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `--no-binary`
    NoBinary,
    /// `--only-binary`
    OnlyBinary,
}

/// What the files say about everything that is asked for, in the order of their lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The first line that holds one.
    pub first: Option<LinePlace>,
    /// `-i`, `--index-url`: the last one.
    pub index_url: Option<Placed<String>>,
    /// `--extra-index-url`
    pub extra_index_urls: Vec<Placed<String>>,
    /// `-f`, `--find-links`: URLs, or paths as they are to be opened.
    pub find_links: Vec<Placed<String>>,
    /// `--no-index`
    pub no_index: Option<LinePlace>,
    /// `--pre`
    pub pre: bool,
    /// `--prefer-binary`
    pub prefer_binary: bool,
    /// `--require-hashes`
    pub require_hashes: Option<LinePlace>,
    /// `--trusted-host`
    pub trusted_hosts: Vec<Placed<String>>,
    /// `--no-binary` and `--only-binary`
    pub formats: Vec<(Format, Placed<String>)>,
}

/// What an option is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Requirements,
    Constraints,
    Editable,
    IndexUrl,
    ExtraIndexUrl,
    NoIndex,
    FindLinks,
    Format(Format),
    PreferBinary,
    RequireHashes,
    Pre,
    TrustedHost,
    /// Bears on pip alone; noted.
    OfPip,
    /// Belongs to a requirement.
    Hash,
    /// Belongs to a requirement.
    ConfigSetting,
    /// Why it is not taken, and what to do instead.
    Refused(&'static str, &'static str),
}

impl Meaning {
    /// Whether it stands behind a requirement.
    pub(super) fn is_of_a_requirement(self) -> bool {
        matches!(self, Self::Hash | Self::ConfigSetting)
    }
}

/// Names, whether a value follows, and the meaning.
pub(crate) type Row = (&'static [&'static str], bool, Meaning);

const SETUP_PY: &str = "it is handed to `setup.py`, which is not run by its command line here";
const SETTING: &str = "hand settings to the backend: --config-settings KEY=VALUE";
const CUT_OFF: &str = "a cut-off date is typed for a run: --exclude-newer DATE";
const GONE: &str = "pip does not know it any more";

/// Every option that pip knows or knew in such files.
pub(crate) const ROWS: &[Row] = &[
    (
        &["-r", "--requirement", "--requirements"],
        true,
        Meaning::Requirements,
    ),
    (
        &["-c", "--constraint", "--constraints"],
        true,
        Meaning::Constraints,
    ),
    (&["-e", "--editable"], true, Meaning::Editable),
    (
        &["-i", "--index-url", "--pypi-url"],
        true,
        Meaning::IndexUrl,
    ),
    (&["--extra-index-url"], true, Meaning::ExtraIndexUrl),
    (&["--no-index"], false, Meaning::NoIndex),
    (&["-f", "--find-links"], true, Meaning::FindLinks),
    (&["--no-binary"], true, Meaning::Format(Format::NoBinary)),
    (
        &["--only-binary"],
        true,
        Meaning::Format(Format::OnlyBinary),
    ),
    (&["--prefer-binary"], false, Meaning::PreferBinary),
    (&["--require-hashes"], false, Meaning::RequireHashes),
    (&["--pre"], false, Meaning::Pre),
    (&["--trusted-host"], true, Meaning::TrustedHost),
    (&["--use-feature"], true, Meaning::OfPip),
    (&["--hash"], true, Meaning::Hash),
    (
        &["-C", "--config-settings", "--config-setting"],
        true,
        Meaning::ConfigSetting,
    ),
    (
        &["--global-option"],
        true,
        Meaning::Refused(SETUP_PY, SETTING),
    ),
    (
        &["--install-option"],
        true,
        Meaning::Refused(SETUP_PY, SETTING),
    ),
    (
        &["--build-option"],
        true,
        Meaning::Refused(SETUP_PY, SETTING),
    ),
    (
        &["--uploaded-prior-to"],
        true,
        Meaning::Refused("whose day it is would hang on the file", CUT_OFF),
    ),
    (
        &["--all-releases", "--only-final"],
        true,
        Meaning::Refused(
            "pre-releases of single projects are not told apart",
            "name the pre-release: NAME==1.0rc1",
        ),
    ),
    (
        &["-b", "--build-constraint"],
        true,
        Meaning::Refused("pip does not take it in a file", "type it: -b FILE"),
    ),
    (
        &["--no-build-isolation"],
        false,
        Meaning::Refused(
            "a build sees its declared requirements and nothing else",
            "name what the package forgot to declare: --extra-build-dep PKG:REQ",
        ),
    ),
    (
        &["-Z", "--always-unzip"],
        false,
        Meaning::Refused(GONE, "take it out"),
    ),
    (
        &["--use-wheel", "--no-use-wheel"],
        false,
        Meaning::Refused(GONE, "say --no-binary or --only-binary"),
    ),
    (
        &["--process-dependency-links"],
        false,
        Meaning::Refused(GONE, "write the dependency as NAME @ URL"),
    ),
    (
        &["--allow-external", "--allow-unverified"],
        true,
        Meaning::Refused(GONE, "take it out"),
    ),
    (
        &["--allow-all-external"],
        false,
        Meaning::Refused(GONE, "take it out"),
    ),
];

/// Why an option is not taken: what, and what to do.
pub(super) type Unfit = (String, Option<&'static str>);

/// Cuts the options of a line into meanings with their values.
pub(super) fn options(text: &str) -> Result<Vec<(Meaning, String, &'static str)>, Unfit> {
    let mut words = words(text)
        .map_err(|what| (what.to_owned(), None))?
        .into_iter();
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        let (name, glued) = match word.strip_prefix("--") {
            Some(_) => match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (word, None),
            },
            None if word.starts_with('-') && word.chars().count() > 2 => {
                let end = word.char_indices().nth(2).map_or(word.len(), |(at, _)| at);
                (word[..end].to_owned(), Some(word[end..].to_owned()))
            }
            None => (word, None),
        };
        let row = ROWS
            .iter()
            .find(|(names, ..)| names.contains(&name.as_str()));
        let Some((names, takes, meaning)) = row else {
            return Err(unknown(&name));
        };
        let long = names
            .iter()
            .find(|name| name.starts_with("--"))
            .unwrap_or(&names[0]);
        if let Meaning::Refused(why, fix) = meaning {
            return Err((format!("`{long}` is not taken in a file: {why}"), Some(fix)));
        }
        let value = match (takes, glued) {
            (true, Some(value)) => value,
            (true, None) => words
                .next()
                .ok_or_else(|| (format!("`{long}` has no value"), None))?,
            (false, None) => String::new(),
            (false, Some(_)) => return Err((format!("`{long}` takes no value"), None)),
        };
        if *takes && value.is_empty() {
            return Err((format!("`{long}` has an empty value"), None));
        }
        found.push((*meaning, value, *long));
    }
    Ok(found)
}

fn unknown(name: &str) -> Unfit {
    let shown = model::lenient::printable(name);
    let begins = ROWS
        .iter()
        .flat_map(|(names, ..)| names.iter())
        .find(|known| name.len() > 3 && known.starts_with(name));
    match begins {
        Some(known) => (
            format!("`{shown}` is cut short; it is written `{known}`"),
            None,
        ),
        None if name.starts_with('-') => (
            format!("`{shown}` is not an option of files of requirements"),
            None,
        ),
        None => (format!("`{shown}` stands behind the options"), None),
    }
}
