//! The `.dist-info` folder: exactly one that fits, and its METADATA and WHEEL.

use std::collections::{BTreeMap, BTreeSet};

use model::{PackageName, Version, WheelFilename, lenient};
use sources::CoreMetadata;

use super::contents::Contents;
use super::error::shown;
use super::member::Member;
use super::{BadWheel, notes::Notes};

pub(super) const METADATA_CAP: u64 = 4 << 20;
const WHEEL_CAP: u64 = 64 << 10;
/// Tag lines of one WHEEL file.
const MOST_TAGS: usize = 10_000;

/// Finds the one folder that belongs to the wheel; it is returned without a slash.
pub(super) fn find(
    members: &BTreeMap<String, Member>,
    wheel: &WheelFilename,
    notes: &mut Notes,
) -> Result<String, BadWheel> {
    let folders: BTreeSet<&str> = members
        .keys()
        .filter_map(|name| name.split_once('/'))
        .map(|(top, _)| top)
        .filter(|top| top.to_ascii_lowercase().ends_with(".dist-info"))
        .collect();
    let (ours, others): (Vec<&str>, Vec<&str>) = folders
        .into_iter()
        .partition(|folder| belongs(folder, ".dist-info", (&wheel.name, &wheel.version)));
    for other in &others {
        notes.oddity(format!(
            "it brings the folder `{}` of another distribution",
            shown(other)
        ))?;
    }
    match ours[..] {
        [one] => Ok(one.to_owned()),
        _ => Err(BadWheel::DistInfo {
            wanted: format!(
                "{}-{}.dist-info",
                wheel.name.as_dist_info_name(),
                wheel.version
            ),
            found: match [&ours[..], &others[..]].concat()[..] {
                [] => "none".to_owned(),
                ref all => shown(&all.join(", ")),
            },
        }),
    }
}

/// Whether a top-level folder such as `Foo-1.0.dist-info` is that of a project and version.
pub(super) fn belongs(
    folder: &str,
    suffix: &str,
    (project, version): (&PackageName, &Version),
) -> bool {
    let parts = folder
        .strip_suffix(suffix)
        .and_then(|stem| stem.rsplit_once('-'));
    parts.is_some_and(|(name, text)| {
        name.parse::<PackageName>()
            .is_ok_and(|name| name == *project)
            && version_of(text).is_some_and(|text| text == *version)
    })
}

fn version_of(text: &str) -> Option<Version> {
    lenient::version(text)
        // Older tools wrote `_` where the version has a `-`.
        .or_else(|_| lenient::version(&text.replace('_', "-")))
        .ok()
}

/// Reads METADATA.
pub(super) fn metadata(
    contents: &mut Contents<'_>,
    folder: &str,
) -> Result<CoreMetadata, BadWheel> {
    let name = format!("{folder}/METADATA");
    let bytes = contents
        .read(&name, METADATA_CAP)?
        .ok_or(BadWheel::Missing { member: name })?;
    CoreMetadata::parse(&bytes).map_err(BadWheel::Metadata)
}

/// Checks WHEEL: its version, and its tags against those of the file's name.
pub(super) fn check_wheel_file(
    contents: &mut Contents<'_>,
    folder: &str,
    wheel: &WheelFilename,
    notes: &mut Notes,
) -> Result<(), BadWheel> {
    let name = format!("{folder}/WHEEL");
    let bytes = contents
        .read(&name, WHEEL_CAP)?
        .ok_or(BadWheel::Missing { member: name })?;
    let bad = |why: String| BadWheel::WheelFile { why };
    let (headers, _) = mailparse::parse_headers(&bytes)
        .map_err(|error| bad(format!("can not be read: {}", shown(&error.to_string()))))?;
    let values = |wanted: &str| -> Vec<String> {
        headers
            .iter()
            .filter(|header| header.get_key_ref().eq_ignore_ascii_case(wanted))
            .map(|header| header.get_value().trim().to_owned())
            .collect()
    };
    match values("Wheel-Version").as_slice() {
        [version] => check_version(version, notes)?,
        [] => return Err(bad("has no Wheel-Version".to_owned())),
        _ => return Err(bad("has more than one Wheel-Version".to_owned())),
    }
    match values("Root-Is-Purelib").as_slice() {
        [word] if ["true", "false"].contains(&word.to_ascii_lowercase().as_str()) => {}
        [] => {
            notes.note("WHEEL does not say whether the wheel is pure (Root-Is-Purelib)".to_owned())
        }
        _ => {
            return Err(bad(
                "has a Root-Is-Purelib that is neither true nor false".to_owned()
            ));
        }
    }
    check_tags(&values("Tag"), wheel, notes)
}

fn check_version(version: &str, notes: &mut Notes) -> Result<(), BadWheel> {
    let numbers = version
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    match numbers {
        Some((1, 0)) => Ok(()),
        Some((1, _)) => {
            notes.note(format!("WHEEL has the newer version {}", shown(version)));
            Ok(())
        }
        _ => Err(BadWheel::WheelFile {
            why: format!("has version `{}`; only 1.x is known", shown(version)),
        }),
    }
}

/// Installers go by the file's name; a WHEEL file that says something else is odd, not wrong.
fn check_tags(tags: &[String], wheel: &WheelFilename, notes: &mut Notes) -> Result<(), BadWheel> {
    if tags.is_empty() {
        return Err(BadWheel::WheelFile {
            why: "has no Tag".to_owned(),
        });
    }
    if tags.len() > MOST_TAGS {
        return Err(BadWheel::WheelFile {
            why: format!("has more than {MOST_TAGS} tags"),
        });
    }
    let mut inside = BTreeSet::new();
    for tag in tags {
        let [python, abi, platform] = tag.split('-').collect::<Vec<_>>()[..] else {
            return Err(BadWheel::WheelFile {
                why: format!(
                    "has the Tag `{}`, which does not have three parts",
                    shown(tag)
                ),
            });
        };
        inside.extend(expanded(python, abi, platform));
    }
    let outside: BTreeSet<_> = expanded(
        &wheel.python.join("."),
        &wheel.abi.join("."),
        &wheel.platform.join("."),
    )
    .collect();
    if inside != outside {
        notes.note(format!(
            "the tags in WHEEL ({}) are not those of the file's name",
            shown(&tags.join(", "))
        ));
    }
    Ok(())
}

/// Expands a compressed tag set; hostile ones are cut, which makes them differ.
fn expanded<'t>(
    python: &'t str,
    abi: &'t str,
    platform: &'t str,
) -> impl Iterator<Item = String> + use<'t> {
    let all = python.split('.').flat_map(move |python| {
        abi.split('.').flat_map(move |abi| {
            platform
                .split('.')
                .map(move |platform| format!("{python}-{abi}-{platform}").to_ascii_lowercase())
        })
    });
    all.take(MOST_TAGS)
}
