//! Which index a mapped project is looked for on: names become addresses here.

use std::collections::BTreeMap;

use index::{IndexUrl, Mapped};
use model::{Code, PackageName};

use crate::render::Problem;
use crate::settings::{IndexSettings, Value};

/// Finds the index of each mapped project by its name, among those that are asked for everything (`urls`)
/// and the explicit ones.
///
/// # Errors
/// If no index has the name, two have it, or one is explicit and asked for everything as well.
pub(super) fn mapped(
    settings: &IndexSettings,
    urls: &[IndexUrl],
) -> Result<BTreeMap<PackageName, Mapped>, Problem> {
    let named = named(urls, &settings.explicit)?;
    let index = |package: &PackageName, name: &Value<String>| match named.get(name.value.as_str()) {
        _ if settings.no_index => Ok(None),
        Some(index) => Ok(Some((*index).clone())),
        None => Err(nameless(package, name, &named)),
    };
    let mut mapped = BTreeMap::new();
    for (package, name) in &settings.mapped {
        let target = Mapped {
            index: index(package, name)?,
            name: name.value.clone(),
            origin: name.origin.to_string(),
        };
        mapped.insert(package.clone(), target);
    }
    Ok(mapped)
}

/// Returns the indexes by their names.
fn named<'a>(
    urls: &'a [IndexUrl],
    explicit: &'a [IndexUrl],
) -> Result<BTreeMap<&'a str, &'a IndexUrl>, Problem> {
    let asked_for_everything =
        |one: &&IndexUrl| urls.iter().any(|url| url.canonical() == one.canonical());
    if let Some(both) = explicit.iter().find(asked_for_everything) {
        let what = format!("the explicit index `{both}` is asked for everything as well");
        return Err(Problem::new(Code::BadFlag, what)
            .why("it is among those of --index, of the default one or of pip's settings; an explicit index is asked for nothing but what is mapped to it")
            .fix("leave it out of one of the two"));
    }
    let mut named = BTreeMap::<&str, &IndexUrl>::new();
    for index in urls.iter().chain(explicit) {
        let Some(name) = index.name() else {
            continue;
        };
        let known = named.entry(name).or_insert(index);
        if known.canonical() != index.canonical() {
            let what = format!("two indexes have the name `{name}`");
            return Err(Problem::new(Code::BadFlag, what)
                .why(format!("`{known}` and `{index}`"))
                .fix("give one of them another name"));
        }
    }
    Ok(named)
}

/// No index has the name.
fn nameless(
    package: &PackageName,
    name: &Value<String>,
    named: &BTreeMap<&str, &IndexUrl>,
) -> Problem {
    let Value { value, origin } = name;
    let names: Vec<_> = named.keys().map(|name| format!("`{name}`")).collect();
    let there = match names.as_slice() {
        [] => "no index has a name".to_owned(),
        names => format!("the names are {}", names.join(", ")),
    };
    let what =
        format!("{origin}: `{package}` is mapped to the index `{value}`, which nobody names");
    Problem::new(Code::BadFlag, what).why(there).fix(format!(
        "name it with --index {value}=URL, or with --explicit-index {value}=URL if it is for nothing else; what is typed takes the place of the list of a variable, and that of the list of a file"
    ))
}

/// Returns the explicit indexes that nothing is mapped to, in words.
pub(super) fn idle(settings: &IndexSettings) -> impl Iterator<Item = String> {
    let explicit = settings.explicit.iter().filter_map(IndexUrl::name);
    let idle = explicit.filter(|name| !settings.mapped.values().any(|one| one.value == *name));
    idle.map(|name| {
        format!(
            "the explicit index `{name}` is asked for nothing: --index-package maps nothing to it"
        )
    })
}
