//! Which indexes are asked, and the client that asks them.

use std::collections::BTreeMap;
use std::path::Path;

use builder::LocalExecutor;
use cache::Cache;
use index::{
    Client, ClientSettings, FindLinks, FormatControl, IndexUrl, Keyring, Mapped, PipConfiguration,
    Proxies, default_index, pip_configuration,
};
use model::{Code, PackageName};

use super::interpreter::{Interpreter, Wish, default_index_of_others};
use super::mapped::{idle, mapped};
use super::of_settings;
use crate::args::Format;
use crate::render::Problem;
use crate::settings::{Environment, IndexSettings, exceeds};

/// The indexes of one run.
#[derive(Debug)]
pub(crate) struct Indexes {
    /// In the order asked.
    pub(crate) urls: Vec<IndexUrl>,
    /// The default one and where it was named, in words; none with `--no-index`.
    pub(crate) default: Option<(IndexUrl, String)>,
    /// Those that are asked for nothing but what is mapped to them.
    pub(crate) explicit: Vec<IndexUrl>,
    /// The one index of each project that is mapped.
    pub(crate) mapped: BTreeMap<PackageName, Mapped>,
    /// Folders and pages of links.
    pub(crate) find_links: Vec<FindLinks>,
    /// What pip is configured to use, for the client.
    pip: PipConfiguration,
    /// What people should know about all this.
    pub(crate) notes: Vec<String>,
}

/// Finds out which indexes are asked: flags, then pip's settings, then what is built into pip.
///
/// # Errors
/// If one is no index, or none is known.
pub(crate) async fn indexes(
    settings: &IndexSettings,
    python: &Interpreter,
    wish: Wish<'_>,
    (cache, executor): (&Cache, &LocalExecutor),
) -> Result<Indexes, Problem> {
    let pip = pip(python, wish.environment);
    let mut find_links = Vec::new();
    for text in settings.find_links.iter().chain(&pip.find_links) {
        find_links.push(FindLinks::parse(text).map_err(|error| unfit(&error))?);
    }
    let mut notes = pip.notes.clone();
    // A folder that pip's settings name and that is not there disturbs pip as little.
    find_links.retain(|place| {
        let there = place.path().is_none_or(Path::exists);
        if !there {
            notes.push(format!("`{place}` (find-links) does not exist"));
        }
        there
    });
    for place in &find_links {
        allowed(
            settings,
            "the place",
            &place.to_string(),
            &place.canonical(),
        )?;
    }
    let mut indexes = Indexes {
        urls: Vec::new(),
        default: None,
        explicit: Vec::new(),
        mapped: BTreeMap::new(),
        find_links,
        pip,
        notes,
    };
    if settings.no_index {
        indexes.mapped = mapped(settings, &[])?;
        return Ok(indexes);
    }
    let named = settings.default_index.is_some() || !settings.indexes.is_empty();
    if named || !indexes.pip.no_index {
        list(settings, &mut indexes, python, wish, (cache, executor)).await?;
    }
    indexes.explicit.clone_from(&settings.explicit);
    for url in indexes.urls.iter().chain(&indexes.explicit) {
        allowed(settings, "the index", &url.to_string(), &url.canonical())?;
    }
    indexes.notes.extend(idle(settings));
    indexes.mapped = mapped(settings, &indexes.urls)?;
    Ok(indexes)
}

/// Adds the indexes that are asked for everything: further ones, then the default one.
async fn list(
    settings: &IndexSettings,
    indexes: &mut Indexes,
    python: &Interpreter,
    wish: Wish<'_>,
    (cache, executor): (&Cache, &LocalExecutor),
) -> Result<(), Problem> {
    for text in settings.indexes.iter().chain(&indexes.pip.extra_index_urls) {
        indexes
            .urls
            .push(IndexUrl::parse(text).map_err(|error| unfit(&error))?);
    }
    if settings.indexes.is_empty() && !indexes.pip.extra_index_urls.is_empty() {
        indexes.notes.push(
            "pip's settings name several indexes; pip takes the best version of all of them, fumehood the first index that knows a project, further ones before the default one"
                .to_owned(),
        );
    }
    let default = default(settings, &indexes.pip, python, wish, (cache, executor)).await?;
    indexes.urls.push(default.0.clone());
    indexes.default = Some(default);
    Ok(())
}

/// Refuses an index or a place of files that the system's ceiling does not list, whoever named it.
fn allowed(
    settings: &IndexSettings,
    kind: &str,
    shown: &str,
    canonical: &str,
) -> Result<(), Problem> {
    match &settings.allowed {
        Some(bound) if !bound.value.contains(canonical.trim_end_matches('/')) => {
            let what = format!("{kind} `{shown}`");
            Err(of_settings(&exceeds(what, &bound.value, &bound.place)))
        }
        _ => Ok(()),
    }
}

/// Returns what pip would be configured to use for this Python.
fn pip(python: &Interpreter, environment: &Environment) -> PipConfiguration {
    let found = &python.found;
    pip_configuration::read(&pip_configuration::Environment {
        variables: environment.texts(),
        prefix: Some(
            found
                .environment
                .clone()
                .unwrap_or_else(|| found.base_prefix.clone()),
        ),
    })
}

/// Returns the default index and where it was named.
async fn default(
    settings: &IndexSettings,
    pip: &PipConfiguration,
    python: &Interpreter,
    wish: Wish<'_>,
    (cache, executor): (&Cache, &LocalExecutor),
) -> Result<(IndexUrl, String), Problem> {
    let explicit = settings
        .default_index
        .as_ref()
        .map(|named| (named.value.as_str(), named.origin.to_string()));
    let explicit = explicit
        .as_ref()
        .map(|(url, origin)| (*url, origin.as_str()));
    let facts = &python.facts;
    let built_in = facts.pip_default_index.as_deref().map(|url| {
        let origin = facts.pip_default_origin.as_deref();
        (url, origin.unwrap_or("the pip of this Python"))
    });
    let others = if explicit.is_none() && pip.index_url.is_none() && built_in.is_none() {
        default_index_of_others(wish, cache, executor).await
    } else {
        None
    };
    let others = others
        .as_ref()
        .map(|(url, origin)| (url.as_str(), origin.as_str()));
    default_index(explicit, pip, built_in.or(others)).map_err(|error| match error.code() {
        Code::NoIndex => Problem::new(Code::NoIndex, "no package index is known")
            .why(format!(
                "neither a flag nor a variable nor pip's settings name one, and `{}` has no pip whose default could be used, nor has any other Python on PATH",
                python.found.executable.display()
            ))
            .fix(format!(
                "name one: --default-index URL\nor give that Python a pip: `{} -m ensurepip`, or the distribution's package python3-pip\nor do without: --no-index --find-links DIR",
                python.found.executable.display()
            )),
        code => Problem::of(code, &error),
    })
}

/// Makes the client.
///
/// # Errors
/// If certificates or proxies do not fit.
pub(crate) fn client(
    settings: &IndexSettings,
    indexes: &Indexes,
    keyring: Option<Keyring>,
    environment: &Environment,
    cache: &Cache,
) -> Result<Client, Problem> {
    let pip = &indexes.pip;
    let unfit_proxy = |error: index::BadProxy| Problem::of(Code::BadFlag, &error);
    let mut proxies = Proxies::from_environment(&environment.texts()).map_err(unfit_proxy)?;
    if let Some(proxy) = &pip.proxy {
        proxies = proxies
            .with_all("pip's setting `proxy`", proxy)
            .map_err(unfit_proxy)?;
    }
    let client = ClientSettings {
        offline: settings.offline,
        refresh: settings.refresh.clone(),
        cache_control: settings.cache_control.clone(),
        netrc: settings.netrc.clone(),
        keyring,
        proxy: (!proxies.is_empty()).then_some(proxies),
        ca_file: settings.certificates.clone().or_else(|| pip.cert.clone()),
        client_cert: pip.client_cert.clone(),
        trusted_hosts: [&pip.trusted_hosts[..], &settings.trusted_hosts].concat(),
        ..ClientSettings::default()
    };
    Client::new(client, cache.clone()).map_err(|error| Problem::of(error.code(), &error))
}

/// Understands `--no-binary` and `--only-binary`, in the order typed.
///
/// # Errors
/// If a value is no name.
pub(crate) fn format_control(typed: &[(Format, String)]) -> Result<FormatControl, Problem> {
    let mut control = FormatControl::default();
    for (format, value) in typed {
        match format {
            Format::NoBinary => control.no_binary(value),
            Format::OnlyBinary => control.only_binary(value),
        }
        .map_err(|error| {
            let flag = match format {
                Format::NoBinary => "--no-binary",
                Format::OnlyBinary => "--only-binary",
            };
            Problem::new(Code::BadFlag, format!("`{flag}`: {error}"))
        })?;
    }
    Ok(control)
}

/// The text is no address; it says so without credentials.
fn unfit(error: &index::BadIndexUrl) -> Problem {
    Problem::of(Code::BadFlag, error)
}
