//! Pruning: what nobody will ask for again, and on request what was not used for long.
//!
//! A built wheel is removed only if its source is known to be of the past: a pointer says that its
//! place stood for it once, and no pointer stands for it now. A pointer that can not be read might
//! stand for anything, so then nothing is of the past. What a commit was packed to is only remembered: it is
//! of the past when a reference of its repository led there and none does any more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use model::Sha256;

use super::{Plan, Reason};
use crate::{Bucket, Inventory, Item, Pointer, What};

/// What is to be pruned beyond what nobody will ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prune {
    /// Also everything that can be fetched or made again without a build.
    pub ci: bool,
    /// Also what was not used for this long, built wheels too.
    pub older_than: Option<Duration>,
    /// Also what was used least recently, built wheels too, until no more than these bytes stay.
    pub max_size: Option<u64>,
}

/// What the pointers say of sources.
struct Places<'a> {
    current: BTreeSet<&'a Sha256>,
    /// What commits were packed to that no reference of their repositories has left.
    remembered: BTreeSet<&'a Sha256>,
    /// Repositories that sources were taken from.
    repositories: BTreeSet<&'a Sha256>,
    former: BTreeMap<&'a Sha256, &'a str>,
    /// One could not be read.
    is_unsure: bool,
}

impl<'a> Places<'a> {
    fn of(found: &'a Inventory) -> Self {
        let mut places = Self {
            current: BTreeSet::new(),
            remembered: BTreeSet::new(),
            repositories: BTreeSet::new(),
            former: BTreeMap::new(),
            is_unsure: !found.unreadable.is_empty(),
        };
        let mut commits = Vec::new();
        let mut left = BTreeSet::new();
        for item in &found.items {
            match &item.what {
                What::Pointer(pointer) => {
                    places.current.extend(&pointer.current);
                    for repository in &pointer.repositories {
                        let with = |digest| (repository, digest);
                        commits.extend(pointer.remembered.iter().map(with));
                        left.extend(pointer.former.iter().map(with));
                    }
                    if pointer.names_sources() {
                        places.repositories.extend(&pointer.repositories);
                    }
                    let label = pointer.label.as_str();
                    places
                        .former
                        .extend(pointer.former.iter().map(|digest| (digest, label)));
                }
                What::Damaged(_) if item.bucket == Some(Bucket::Pointers) => {
                    places.is_unsure = true;
                }
                _ => {}
            }
        }
        commits.retain(|commit| !left.contains(commit));
        places.remembered = commits.into_iter().map(|(_, digest)| digest).collect();
        places
    }

    fn is_without(&self, source: &Sha256) -> bool {
        !self.is_unsure && !self.current.contains(source) && !self.remembered.contains(source)
    }

    /// Whether nothing was taken from a repository any more.
    fn is_left(&self, repository: &Sha256) -> bool {
        !self.is_unsure && !self.repositories.contains(repository)
    }

    /// Why a pointer is of no use any more.
    fn leaves(&self, pointer: &Pointer) -> Option<Reason> {
        if !pointer.names_sources() {
            let mut repositories = pointer.repositories.iter();
            return repositories
                .all(|name| self.is_left(name))
                .then_some(Reason::NoPlace);
        }
        let only_remembers = pointer.current.is_empty();
        let mut labels = pointer.remembered.iter().map(|digest| self.former(digest));
        let label = labels.next().flatten().filter(|_| only_remembers)?;
        labels
            .all(|label| label.is_some())
            .then(|| Reason::Superseded(label.to_owned()))
    }

    /// Returns what the place is called that stood for a source of the past.
    fn former(&self, source: &Sha256) -> Option<&'a str> {
        self.former
            .get(source)
            .copied()
            .filter(|_| self.is_without(source))
    }
}

impl Plan {
    /// Plans a pruning.
    #[must_use]
    pub fn prune(found: &Inventory, wish: &Prune, now: SystemTime) -> Self {
        let mut plan = Self::tidy(found, now);
        let places = Places::of(found);
        for item in &found.items {
            if !plan.holds(item)
                && let Some(reason) = reason(item, &places, wish, now)
            {
                plan.add(item, reason);
            }
        }
        plan.take_metadata_along(found);
        if let Some(most) = wish.max_size {
            plan.shrink(found, most);
            plan.take_metadata_along(found);
        }
        plan
    }

    /// Adds what downloaded wheels say of themselves that go, or are not there any more.
    fn take_metadata_along(&mut self, found: &Inventory) {
        let mut wheels = BTreeMap::new();
        for item in &found.items {
            if let What::Download(digest) = &item.what {
                wheels.insert(digest, self.why(item).cloned());
            }
        }
        for item in &found.items {
            let What::WheelMetadata(digest) = &item.what else {
                continue;
            };
            let reason = wheels.get(digest).cloned();
            if let Some(reason) = reason.unwrap_or(Some(Reason::NoWheel))
                && !self.holds(item)
            {
                self.add(item, reason);
            }
        }
    }

    /// Adds what was used least recently until the rest is not larger than `most`.
    fn shrink(&mut self, found: &Inventory, most: u64) {
        let mut staying: Vec<_> = found
            .items
            .iter()
            .filter(|item| !self.holds(item))
            .collect();
        let mut total: u64 = staying.iter().map(|item| item.bytes).sum();
        let mut beside = BTreeMap::new();
        for item in &staying {
            if let What::WheelMetadata(digest) = &item.what {
                beside.insert(*digest, item.bytes);
            }
        }
        staying.retain(|item| ages(item));
        // Of equal age, what costs no build goes first.
        staying.sort_by_key(|item| {
            let is_built = matches!(item.what, What::Wheel(_));
            (item.used, is_built, &item.path)
        });
        for item in staying {
            if total <= most {
                return;
            }
            total -= item.bytes;
            if let What::Download(digest) = &item.what {
                total -= beside.get(digest).copied().unwrap_or_default();
            }
            self.add(item, Reason::LeastRecent { most });
        }
    }
}

fn reason(item: &Item, places: &Places<'_>, wish: &Prune, now: SystemTime) -> Option<Reason> {
    let plain = match &item.what {
        What::Source(_) | What::Repository(_) | What::Download(_) if wish.ci => {
            Some(Reason::FetchedAgain)
        }
        What::Environment(_) | What::StandIn(_) if wish.ci => Some(Reason::MadeAgain),
        What::Source(digest) if places.is_without(digest) => Some(Reason::NoPlace),
        What::StandIn(name) if places.is_left(name) => Some(Reason::NoPlace),
        What::Pointer(pointer) => places.leaves(pointer),
        What::Environment(installed) if installed.is_orphan => Some(Reason::NoInterpreter),
        // It serves nobody, and who wants it builds it anew.
        What::Wheel(built) if !built.is_reachable => Some(Reason::Keyless),
        What::Wheel(built) => {
            let former = places.former(&built.source.digest.sha256);
            former.map(|label| Reason::Superseded(label.to_owned()))
        }
        What::Revision(digest) => {
            let former = places.former(digest);
            former.map(|label| Reason::Superseded(label.to_owned()))
        }
        What::LostKey(_) => Some(Reason::Dangling),
        What::Lock => Some(Reason::Unheld),
        _ => None,
    };
    let aged = || {
        let span = wish.older_than?;
        let age = now.duration_since(item.used).unwrap_or_default();
        (ages(item) && age >= span).then_some(Reason::Unused { span })
    };
    plain.or_else(aged)
}

/// Whether something goes when it was not used for long.
fn ages(item: &Item) -> bool {
    matches!(
        item.what,
        What::Source(_)
            | What::Repository(_)
            | What::StandIn(_)
            | What::Download(_)
            | What::Environment(_)
            | What::Wheel(_)
    )
}
