//! What the words about indexes mean. URLs stay text: they may hold credentials, and `index` is
//! where those are taken out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::str::FromStr as _;

use index::{CacheControl, IndexUrl, Refresh};
use jiff::Timestamp;
use model::PackageName;
use requirements::{Options, Placed};

use super::mapped::{explicit, mapped};
use super::twin::Twin;
use super::{Bound, Layers, Origin, SettingsError, Value, exceeds, words};
use crate::args::{Format, IndexArgs};

/// Where packages come from.
#[derive(Clone)]
pub(crate) struct IndexSettings {
    /// The default index, if it was named.
    pub(crate) default_index: Option<Value<String>>,
    /// Further indexes, asked first, in order.
    pub(crate) indexes: Vec<String>,
    /// Indexes that are asked for nothing but what is mapped to them.
    pub(crate) explicit: Vec<IndexUrl>,
    /// The name of the one index that a project is looked for on.
    pub(crate) mapped: BTreeMap<PackageName, Value<String>>,
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
    /// Take an older version with a wheel rather than a newer one without.
    pub(crate) prefer_binary: bool,
    /// Hosts whose certificates are not checked.
    pub(crate) trusted_hosts: Vec<String>,
    /// What is asked again.
    pub(crate) refresh: Refresh,
    /// What counts in place of the `Cache-Control` of indexes.
    pub(crate) cache_control: Vec<CacheControl>,
    /// The netrc file, if there is a name for one.
    pub(crate) netrc: Option<PathBuf>,
    /// Ask the program `keyring` for logins that nothing else has.
    pub(crate) keyring: bool,
    /// A file of certificate authorities.
    pub(crate) certificates: Option<PathBuf>,
    /// The indexes and places of files that the system's ceiling allows.
    pub(crate) allowed: Option<Bound<BTreeSet<String>>>,
    /// What is not heard.
    pub(crate) notes: Vec<String>,
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
        layers: &Layers,
        now: Timestamp,
    ) -> Result<Self, SettingsError> {
        let text = |text: &str| Ok(text.to_owned());
        let mut notes = Vec::new();
        let twin = Twin::new("--exclude-newer", "FUMEHOOD_EXCLUDE_NEWER");
        let asked = twin.all(args.exclude_newer.as_deref(), layers, |text| {
            words::cut_off(text, now)
        })?;
        let is_earlier = |bound: Option<&Value<Timestamp>>, moment: &Timestamp| {
            bound.is_none_or(|bound| *moment <= bound.value)
        };
        let exclude_newer = twin.narrowed(asked, is_earlier, &mut notes)?;
        let switch = |flag, variable, typed| Twin::new(flag, variable).switch(typed, layers);
        let refresh = Refresh {
            all: switch("--refresh", "FUMEHOOD_REFRESH", args.refresh)?,
            packages: Twin::new("--refresh-package", "FUMEHOOD_REFRESH_PACKAGE")
                .many(&args.refresh_package, layers, |text| {
                    PackageName::from_str(text).map_err(|error| error.to_string())
                })?
                .into_iter()
                .collect(),
        };
        let offline = Twin::new("--offline", "FUMEHOOD_OFFLINE").demanded(args.offline, layers)?;
        if offline && !refresh.is_empty() {
            return Err(SettingsError::OfflineRefresh);
        }
        let control = Twin::new("--index-cache-control", "FUMEHOOD_INDEX_CACHE_CONTROL");
        Ok(Self {
            default_index: Twin::new("--default-index", "FUMEHOOD_DEFAULT_INDEX").one(
                args.default_index.as_deref(),
                layers,
                text,
            )?,
            indexes: Twin::new("--index", "FUMEHOOD_INDEX").many(&args.index, layers, text)?,
            explicit: explicit(args, layers)?,
            mapped: mapped(args, layers)?,
            find_links: Twin::new("--find-links", "FUMEHOOD_FIND_LINKS").many(
                &args.find_links,
                layers,
                text,
            )?,
            no_index: switch("--no-index", "FUMEHOOD_NO_INDEX", args.no_index)?,
            offline,
            exclude_newer: exclude_newer.map(|value| value.value),
            formats: formats(&args.formats, layers)?,
            pre: switch("--pre", "FUMEHOOD_PRE", args.pre)?,
            prefer_binary: switch(
                "--prefer-binary",
                "FUMEHOOD_PREFER_BINARY",
                args.prefer_binary,
            )?,
            trusted_hosts: Vec::new(),
            refresh,
            cache_control: control.many(&args.index_cache_control, layers, |text| {
                CacheControl::parse(text).map_err(|error| error.to_string())
            })?,
            netrc: layers
                .environment
                .raw("NETRC")
                .map(PathBuf::from)
                .or_else(|| {
                    layers
                        .environment
                        .absolute("HOME")
                        .map(|home| home.join(".netrc"))
                }),
            keyring: Twin::new("--keyring-provider", "FUMEHOOD_KEYRING_PROVIDER")
                .one(args.keyring_provider.as_deref(), layers, keyring)?
                .is_some_and(|value| value.value),
            certificates: layers.environment.raw("SSL_CERT_FILE").map(PathBuf::from),
            allowed: layers.ceiling().and_then(|ceiling| ceiling.indexes.clone()),
            notes,
        })
    }
}

impl IndexSettings {
    /// Hears what files of requirements say. They were typed, so they say as much as flags; where a flag
    /// says something else than a file, the flag counts.
    ///
    /// # Errors
    /// If a host is to be trusted where the system's ceiling bounds the indexes.
    pub(crate) fn hear(mut self, options: &Options) -> Result<Self, SettingsError> {
        let is_typed = |value: &Value<String>| matches!(value.origin, Origin::Flag(_));
        if let Some(Placed { value, place }) = &options.index_url
            && !self.default_index.as_ref().is_some_and(is_typed)
        {
            self.default_index = Some(Value {
                value: value.clone(),
                origin: Origin::Requirements(place.clone()),
            });
        }
        let values = |all: &[Placed<String>]| -> Vec<String> {
            all.iter().map(|one| one.value.clone()).collect()
        };
        self.indexes.extend(values(&options.extra_index_urls));
        self.find_links.extend(values(&options.find_links));
        self.no_index |= options.no_index.is_some();
        self.pre |= options.pre;
        self.prefer_binary |= options.prefer_binary;
        for Placed { value, place } in &options.trusted_hosts {
            if let Some(bound) = &self.allowed {
                let what = format!(
                    "{place}: trusting `{}` without its certificate",
                    shown(value)
                );
                return Err(exceeds(what, &bound.value, &bound.place));
            }
            self.notes.push(format!(
                "{place}: the certificate of `{}` is not checked",
                shown(value)
            ));
            self.trusted_hosts.push(value.clone());
        }
        for (format, Placed { value, .. }) in &options.formats {
            let format = match format {
                requirements::Format::NoBinary => Format::NoBinary,
                requirements::Format::OnlyBinary => Format::OnlyBinary,
            };
            self.formats.push((format, value.clone()));
        }
        Ok(self)
    }
}

/// Whether a provider of passwords is the program.
fn keyring(text: &str) -> Result<bool, String> {
    match text {
        "disabled" => Ok(false),
        "subprocess" => Ok(true),
        "auto" | "import" => Err(
            "no keyring is loaded into this program: say `subprocess` for the program `keyring` on PATH, or `disabled`"
                .to_owned(),
        ),
        _ => Err("it is `disabled` or `subprocess`".to_owned()),
    }
}

fn shown(host: &str) -> String {
    model::lenient::printable(host)
}

/// Returns the typed words, else those of the two variables, else those of the files.
fn formats(
    typed: &[(Format, String)],
    layers: &Layers,
) -> Result<Vec<(Format, String)>, SettingsError> {
    const FLAGS: [(Format, &str, &str); 2] = [
        (Format::NoBinary, "--no-binary", "FUMEHOOD_NO_BINARY"),
        (Format::OnlyBinary, "--only-binary", "FUMEHOOD_ONLY_BINARY"),
    ];
    if !typed.is_empty() {
        return Ok(typed.to_vec());
    }
    let mut formats = Vec::new();
    for (format, _, name) in FLAGS {
        let words = layers.environment.text(name)?.unwrap_or_default();
        formats.extend(
            words
                .split_whitespace()
                .map(|word| (format, word.to_owned())),
        );
    }
    if formats.is_empty() {
        for (format, flag, _) in FLAGS {
            let words = layers.winning(flag).into_iter();
            formats.extend(words.map(|word| (format, word.value.to_owned())));
        }
    }
    Ok(formats)
}
