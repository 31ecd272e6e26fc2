//! What the words and files mean that ask for something: `-r`, `-c`, `--group`, hashes.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr as _;

use model::ExtraName;
use requirements::{Asked, Collected, Constraint, Extras, Options, Wish};

use super::twin::Twin;
use super::{Layers, Origin, SettingsError, Value, constraints, places};
use crate::args::WantedArgs;

/// What is asked for besides what was typed, and what it is held to.
#[derive(Clone, Debug, Default)]
pub(crate) struct WantedSettings {
    /// Lines of files, and locks, in order.
    pub(crate) asked: Vec<Asked>,
    /// Which optional dependencies of locks.
    pub(crate) extras: Extras,
    /// Which dependency groups of locks.
    pub(crate) groups: Vec<String>,
    /// What narrows all of it.
    pub(crate) constraints: Vec<Constraint>,
    /// What the files say about indexes and files to choose from.
    pub(crate) options: Options,
    /// Who wants a hash of everything, in words.
    pub(crate) require_hashes: Option<String>,
    /// What is not heard.
    pub(crate) notes: Vec<String>,
}

impl WantedSettings {
    /// Understands the flags and reads the files; relative paths hang on `directory`.
    ///
    /// # Errors
    /// If a file can not be read or understood.
    pub(crate) fn new(
        args: &WantedArgs,
        layers: &Layers,
        directory: &Path,
    ) -> Result<Self, SettingsError> {
        let environment = &layers.environment;
        let extras = extras(args)?;
        // With a lock, groups are its own.
        let is_lock = |path: &String| {
            Path::new(path)
                .file_name()
                .is_some_and(|name| requirements::Lock::is_name(&name.to_string_lossy()))
        };
        let has_lock = args.requirements.iter().any(is_lock);
        let files = args.requirements.iter().cloned().map(Wish::Requirements);
        let groups = args.group.iter().cloned().map(Wish::Group);
        let mut wishes: Vec<_> = files.collect();
        if !has_lock {
            wishes.extend(groups);
        }
        let twin = Twin::new("--constraint", "FUMEHOOD_CONSTRAINT");
        let mut narrowing = Vec::new();
        for Value { value, origin } in twin.every(&args.constraint, layers, |text| {
            places::path(text, directory).map(|_| text.to_owned())
        })? {
            match origin {
                Origin::Flag(_) => wishes.push(Wish::Constraints(value)),
                _ => narrowing.extend(constraints::only(
                    Path::new(&value),
                    directory,
                    environment,
                )?),
            }
        }
        let collected = constraints::collect(&wishes, &extras, directory, environment)?;
        if !extras.is_empty() && !collected.had_extras {
            return Err(SettingsError::Unfit {
                origin: Origin::Flag(if extras.all { "--all-extras" } else { "--extra" }),
                what: "there are extras in a pyproject.toml and in a pylock.toml, and none is named with -r"
                    .to_owned(),
            });
        }
        let typed = Twin::new("--require-hashes", "FUMEHOOD_REQUIRE_HASHES")
            .demanded(args.require_hashes, layers)?;
        let Collected {
            asked,
            constraints,
            options,
            notes,
            ..
        } = collected;
        let hashed = asked.iter().find_map(|asked| match asked {
            Asked::Line(line) => (!line.hashes.is_empty()).then_some(&line.place),
            Asked::Lock(_) => None,
        });
        let in_file = options.require_hashes.as_ref();
        let require_hashes = if typed {
            Some("--require-hashes".to_owned())
        } else if let Some(place) = in_file {
            Some(format!("--require-hashes at {place}"))
        } else {
            // As in pip: who gives the hash of one gives that of all.
            hashed.map(|place| format!("the --hash at {place}"))
        };
        narrowing.extend(constraints);
        Ok(Self {
            asked,
            extras,
            groups: if has_lock {
                args.group.clone()
            } else {
                Vec::new()
            },
            constraints: narrowing,
            options,
            require_hashes,
            notes,
        })
    }
}

fn extras(args: &WantedArgs) -> Result<Extras, SettingsError> {
    let names = args.extra.iter().flat_map(|text| text.split(','));
    let names: BTreeSet<_> = names
        .map(|name| {
            let name = name.trim();
            let unfit = || SettingsError::Unfit {
                origin: Origin::Flag("--extra"),
                what: format!("`{name}` is not the name of an extra"),
            };
            if name.is_empty() {
                return Err(unfit());
            }
            ExtraName::from_str(name).map_err(|_| unfit())
        })
        .collect::<Result<_, _>>()?;
    Ok(Extras {
        names,
        all: args.all_extras,
    })
}
