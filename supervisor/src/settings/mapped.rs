//! Projects that are mapped to one index, and indexes that are asked for nothing else.

use std::collections::BTreeMap;

use index::IndexUrl;
use model::PackageName;

use super::twin::Twin;
use super::{Layers, SettingsError, Value, words};
use crate::args::IndexArgs;

/// Returns the indexes that are asked for nothing but what is mapped to them.
///
/// # Errors
/// If one is no index, or has no name that something could be mapped to.
pub(super) fn explicit(args: &IndexArgs, layers: &Layers) -> Result<Vec<IndexUrl>, SettingsError> {
    let twin = Twin::new("--explicit-index", "FUMEHOOD_EXPLICIT_INDEX");
    twin.many(&args.explicit_index, layers, |text| {
        let index = IndexUrl::parse(text).map_err(|error| error.to_string())?;
        match index.name() {
            Some(_) => Ok(index),
            None => Err(format!(
                "`{index}` has no name that a project could be mapped to: NAME=URL"
            )),
        }
    })
}

/// Returns the name of the index that a project is looked for on, by project: what a later layer says of a
/// project replaces what the earlier ones say of it.
///
/// # Errors
/// If one is no map, or two in one layer are of the same project and differ.
pub(super) fn mapped(
    args: &IndexArgs,
    layers: &Layers,
) -> Result<BTreeMap<PackageName, Value<String>>, SettingsError> {
    let twin = Twin::new("--index-package", "FUMEHOOD_INDEX_PACKAGE");
    let maps = twin.every(&args.index_package, layers, |text| {
        let unfit = || {
            let text = model::lenient::without_credentials(text);
            let text = text.escape_debug();
            format!("`{text}` is not PKG:NAME, such as torch:corp, with the name of an index")
        };
        let (package, name) = text.split_once(':').ok_or_else(unfit)?;
        let package = words::package(package).ok_or_else(unfit)?;
        let name = name.trim();
        if !IndexUrl::is_name(name) {
            return Err(unfit());
        }
        Ok((package, name.to_owned()))
    })?;
    let mut mapped = BTreeMap::<_, Value<String>>::new();
    for Value { value, origin } in maps {
        let (package, name) = value;
        if let Some(known) = mapped.get(&package)
            && known.origin.is_of_the_layer_of(&origin)
            && known.value != name
        {
            let what = format!(
                "`{package}` is mapped to the index `{name}` and to the index `{}`; it is looked for on one alone",
                known.value
            );
            return Err(SettingsError::Unfit { origin, what });
        }
        let value = name;
        mapped.insert(package, Value { value, origin });
    }
    Ok(mapped)
}
