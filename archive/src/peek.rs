//! Reads a few small files out of an archive without laying anything down.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;

use crate::links::{Node, Reached};
use crate::member::{Member, Visitor, What, drain};
use crate::plan::{Plan, Tree};
use crate::walk::walk;
use crate::{Budget, Kind, Refusal, Top, Unpacked};

/// The largest file that is read, in bytes.
pub const MAX_PEEKED: u64 = 4 << 20;

/// Returns the bytes of those of the `wanted` files that the archive holds; see [`survey`].
///
/// # Errors
/// As [`survey`].
pub fn peek(
    archive: &File,
    wanted: &[&str],
    top: Top,
    budget: &Budget,
) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
    survey(archive, wanted, top, budget).map(|(_, found)| found)
}

/// Returns what unpacking would lay down, and the bytes of those of the `wanted` files that the
/// archive holds. Names are relative to the top, the stripped folder if there is one; links inside
/// the archive are followed.
///
/// The whole archive is judged as [`crate::unpack`] judges it, but for the data of other members.
///
/// # Errors
/// The first rule that is broken; `compression` for a kind that only a worker decodes; `bomb` for a
/// wanted file above [`MAX_PEEKED`].
pub fn survey(
    archive: &File,
    wanted: &[&str],
    top: Top,
    budget: &Budget,
) -> Result<(Unpacked, BTreeMap<String, Vec<u8>>), Refusal> {
    let kind = Kind::of(archive)?;
    if !kind.decodable_in_supervisor() {
        return Err(Refusal::NeedsWorker { kind });
    }
    let mut first = FirstLook {
        plan: Plan::new(budget),
        wanted,
        taken: HashMap::new(),
    };
    walk(archive, kind, budget, &mut first)?;
    let FirstLook {
        plan, mut taken, ..
    } = first;
    let tree = plan.finish(top)?;
    let places = places(&tree, wanted)?;
    if places.values().any(|place| !taken.contains_key(place)) {
        let missing = places.values().filter(|place| !taken.contains_key(*place));
        let mut second = SecondLook {
            wanted: missing.map(|place| (place.clone(), Vec::new())).collect(),
        };
        walk(archive, kind, budget, &mut second)?;
        taken.extend(second.wanted);
    }
    let found = places
        .into_iter()
        .filter_map(|(name, place)| Some((name, taken.get(&place)?.clone())));
    let found = found.collect();
    Ok((Unpacked::of(tree), found))
}

/// Finds which member holds the bytes of each wanted file.
fn places(tree: &Tree, wanted: &[&str]) -> Result<BTreeMap<String, String>, Refusal> {
    let start = tree.strip.as_deref().unwrap_or("");
    let floor = usize::from(tree.strip.is_some());
    let mut work = 0;
    let mut places = BTreeMap::new();
    for name in wanted {
        let Reached::Path(path) = tree.names.follow(start, name, floor, &mut work)? else {
            continue;
        };
        let Some(Node::File { size, copy_of }) = tree.names.get(&path) else {
            continue;
        };
        if *size > MAX_PEEKED {
            return Err(Refusal::TooHeavy {
                what: format!("`{name}`"),
                cap: MAX_PEEKED,
            });
        }
        places.insert((*name).to_owned(), copy_of.clone().unwrap_or(path));
    }
    Ok(places)
}

/// Plans, and takes on the way what will most probably be wanted once the top is known.
struct FirstLook<'a> {
    plan: Plan,
    wanted: &'a [&'a str],
    taken: HashMap<String, Vec<u8>>,
}

impl FirstLook<'_> {
    fn may_be_wanted(&self, path: &str) -> bool {
        let stripped = self
            .plan
            .first_folder()
            .and_then(|folder| path.strip_prefix(folder)?.strip_prefix('/'));
        self.wanted
            .iter()
            .any(|name| *name == path || Some(*name) == stripped)
    }
}

impl Visitor for FirstLook<'_> {
    fn member(&mut self, member: &Member, content: &mut dyn Read) -> Result<(), Refusal> {
        self.plan.member(member, content)?;
        let path = member.path.as_str();
        match member.what {
            What::File { size, .. } if size <= MAX_PEEKED && self.may_be_wanted(path) => {
                self.taken.insert(path.to_owned(), read(content, size)?);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Reads what a link led to.
struct SecondLook {
    wanted: HashMap<String, Vec<u8>>,
}

impl Visitor for SecondLook {
    fn member(&mut self, member: &Member, content: &mut dyn Read) -> Result<(), Refusal> {
        if let (What::File { size, .. }, Some(bytes)) =
            (&member.what, self.wanted.get_mut(member.path.as_str()))
        {
            *bytes = read(content, (*size).min(MAX_PEEKED))?;
        }
        Ok(())
    }
}

fn read(content: &mut dyn Read, size: u64) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    drain(content, size, |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(bytes)
}
