//! What the words about indexes mean. URLs stay text: they may hold credentials, and `index` is
//! where those are taken out.

use std::path::PathBuf;
use std::str::FromStr as _;

use index::{CacheControl, Refresh};
use jiff::Timestamp;
use model::PackageName;

use super::origin::Twin;
use super::{Environment, SettingsError, Value, words};
use crate::args::{Format, IndexArgs};

/// Where packages come from.
#[derive(Clone)]
pub(crate) struct IndexSettings {
    /// The default index, if it was named.
    pub(crate) default_index: Option<Value<String>>,
    /// Further indexes, asked first, in order.
    pub(crate) indexes: Vec<String>,
    /// Folders and pages of links.
    pub(crate) find_links: Vec<String>,
    /// Ask no index.
    pub(crate) no_index: bool,
    /// Use the cache only.
    pub(crate) offline: bool,
    /// Files from this moment on are ignored.
    pub(crate) exclude_newer: Option<Timestamp>,
    /// Which files may be used, in the order typed.
    pub(crate) formats: Vec<(Format, String)>,
    /// Take pre-releases.
    pub(crate) pre: bool,
    /// What is asked again.
    pub(crate) refresh: Refresh,
    /// What counts in place of the `Cache-Control` of indexes.
    pub(crate) cache_control: Vec<CacheControl>,
    /// The netrc file, if there is a name for one.
    pub(crate) netrc: Option<PathBuf>,
    /// A file of certificate authorities.
    pub(crate) certificates: Option<PathBuf>,
}

/// Shows no URL: they may hold credentials.
impl std::fmt::Debug for IndexSettings {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("IndexSettings")
            .field("no_index", &self.no_index)
            .field("offline", &self.offline)
            .field("exclude_newer", &self.exclude_newer)
            .finish_non_exhaustive()
    }
}

impl IndexSettings {
    /// Understands the flags; `now` is what spans of time count back from.
    ///
    /// # Errors
    /// If a value does not fit.
    pub(crate) fn new(
        args: &IndexArgs,
        environment: &Environment,
        now: Timestamp,
    ) -> Result<Self, SettingsError> {
        let text = |text: &str| Ok(text.to_owned());
        let exclude_newer = Twin::new("--exclude-newer", "FUMEHOOD_EXCLUDE_NEWER").one(
            args.exclude_newer.as_deref(),
            environment,
            |text| words::cut_off(text, now),
        )?;
        let switch = |flag, variable, typed| Twin::new(flag, variable).switch(typed, environment);
        let refresh = Refresh {
            all: switch("--refresh", "FUMEHOOD_REFRESH", args.refresh)?,
            packages: Twin::new("--refresh-package", "FUMEHOOD_REFRESH_PACKAGE")
                .many(&args.refresh_package, environment, |text| {
                    PackageName::from_str(text).map_err(|error| error.to_string())
                })?
                .into_iter()
                .collect(),
        };
        let offline = switch("--offline", "FUMEHOOD_OFFLINE", args.offline)?;
        if offline && !refresh.is_empty() {
            return Err(SettingsError::OfflineRefresh);
        }
        let control = Twin::new("--index-cache-control", "FUMEHOOD_INDEX_CACHE_CONTROL");
        Ok(Self {
            default_index: Twin::new("--default-index", "FUMEHOOD_DEFAULT_INDEX").one(
                args.default_index.as_deref(),
                environment,
                text,
            )?,
            indexes: Twin::new("--index", "FUMEHOOD_INDEX").many(&args.index, environment, text)?,
            find_links: Twin::new("--find-links", "FUMEHOOD_FIND_LINKS").many(
                &args.find_links,
                environment,
                text,
            )?,
            no_index: switch("--no-index", "FUMEHOOD_NO_INDEX", args.no_index)?,
            offline,
            exclude_newer: exclude_newer.map(|value| value.value),
            formats: formats(&args.formats, environment)?,
            pre: switch("--pre", "FUMEHOOD_PRE", args.pre)?,
            refresh,
            cache_control: control.many(&args.index_cache_control, environment, |text| {
                CacheControl::parse(text).map_err(|error| error.to_string())
            })?,
            netrc: environment
                .raw("NETRC")
                .map(PathBuf::from)
                .or_else(|| environment.absolute("HOME").map(|home| home.join(".netrc"))),
            certificates: environment.raw("SSL_CERT_FILE").map(PathBuf::from),
        })
    }
}

/// Returns the typed words, or those of the two variables where nothing was typed.
fn formats(
    typed: &[(Format, String)],
    environment: &Environment,
) -> Result<Vec<(Format, String)>, SettingsError> {
    if !typed.is_empty() {
        return Ok(typed.to_vec());
    }
    let mut formats = Vec::new();
    for (format, name) in [
        (Format::NoBinary, "FUMEHOOD_NO_BINARY"),
        (Format::OnlyBinary, "FUMEHOOD_ONLY_BINARY"),
    ] {
        let words = environment.text(name)?.unwrap_or_default();
        formats.extend(
            words
                .split_whitespace()
                .map(|word| (format, word.to_owned())),
        );
    }
    Ok(formats)
}
