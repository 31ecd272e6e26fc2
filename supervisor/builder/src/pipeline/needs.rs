//! Who waits for what in one call. Work that would wait for itself by way of others is told so, for it would wait
//! for ever: the chain of one build does not show what another one holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::BuildError;

/// Work that a way through holds while it goes on.
#[derive(Clone, Debug)]
pub(super) struct Holding {
    /// Its name.
    name: String,
    /// How long the chain was when it began.
    depth: usize,
}

impl Holding {
    /// Some work, begun below `chain`.
    pub(super) fn new(name: String, chain: &[String]) -> Self {
        let depth = chain.len();
        Self { name, depth }
    }
}

/// One piece of work that another one is needed for.
#[derive(Debug)]
struct Edge {
    from: String,
    to: String,
    /// What people call that which lies between.
    through: Vec<String>,
}

/// All that is needed at the moment.
#[derive(Debug, Default)]
pub(super) struct Needs(Mutex<Edges>);

#[derive(Debug, Default)]
struct Edges {
    next: u64,
    all: BTreeMap<u64, Edge>,
}

/// That something is needed, until it is dropped.
#[must_use = "it is not needed any more when this is dropped"]
#[derive(Debug)]
pub(super) struct Need {
    needs: Arc<Needs>,
    id: u64,
}

impl Drop for Need {
    fn drop(&mut self) {
        let mut edges = self.needs.0.lock().unwrap_or_else(PoisonError::into_inner);
        edges.all.remove(&self.id);
    }
}

impl Needs {
    /// Takes note that what is held needs the work `to`; `chain` leads to it. Nothing is to be noted where nothing
    /// is held.
    ///
    /// # Errors
    /// If that work needs, by way of others, what is held.
    pub(super) fn note(
        self: &Arc<Self>,
        holding: Option<&Holding>,
        to: &str,
        chain: &[String],
    ) -> Result<Option<Need>, BuildError> {
        let Some(Holding { name: from, depth }) = holding else {
            return Ok(None);
        };
        let mut edges = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(way) = edges.way(to, from) {
            let chain = without_repetition(chain.iter().chain(way));
            return Err(BuildError::Cycle { chain });
        }
        let id = edges.next;
        edges.next += 1;
        let edge = Edge {
            from: from.clone(),
            to: to.to_owned(),
            through: chain.get(*depth..).unwrap_or_default().to_vec(),
        };
        edges.all.insert(id, edge);
        drop(edges);
        let needs = Arc::clone(self);
        Ok(Some(Need { needs, id }))
    }
}

impl Edges {
    /// What lies on the way from one piece of work to another, if the one needs the other.
    fn way(&self, from: &str, to: &str) -> Option<Vec<&String>> {
        let mut seen = BTreeSet::from([from]);
        let mut ways = vec![(from, Vec::new())];
        while let Some((at, way)) = ways.pop() {
            if at == to {
                return Some(way);
            }
            for edge in self.all.values().filter(|edge| edge.from == at) {
                if seen.insert(&edge.to) {
                    let further = way.iter().copied().chain(&edge.through).collect();
                    ways.push((&edge.to, further));
                }
            }
        }
        None
    }
}

/// The labels, without those that follow upon one of the same project.
fn without_repetition<'a>(labels: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut chain = Vec::<String>::new();
    for label in labels {
        let project = |label: &String| label.split(' ').next().map(str::to_owned);
        if chain.last().and_then(project) != project(label) {
            chain.push(label.clone());
        }
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(labels: &[&str]) -> Vec<String> {
        labels.iter().map(|&label| label.to_owned()).collect()
    }

    #[test]
    fn what_would_wait_for_itself_by_way_of_others_is_told_the_way_and_nobody_else() {
        let needs = Arc::new(Needs::default());
        let hold = |name: &str| Holding::new(name.to_owned(), &[]);
        let (one, two, three) = (hold("1"), hold("2"), hold("3"));
        let note =
            |from: &Holding, to: &str, chain: &[&str]| needs.note(Some(from), to, &owned(chain));
        let first = note(&one, "2", &["a", "b 1.0"]).expect("nothing waits yet");
        let second = note(&two, "3", &["b", "c 1.0"]).expect("3 needs nothing");
        let beside = note(&one, "3", &["a", "c 1.0"]).expect("3 needs nothing");
        let closes = note(&three, "1", &["c", "a 1.0"]);
        let Err(BuildError::Cycle { chain }) = closes else {
            panic!("it closes a cycle");
        };
        assert!(
            chain == owned(&["c", "a 1.0", "b 1.0", "c 1.0"])
                || chain == owned(&["c", "a 1.0", "c 1.0"]),
            "{chain:?}"
        );
        drop((second, beside));
        let open = note(&three, "1", &["c", "a 1.0"]).expect("nothing needs 3 any more");
        assert!(open.is_some() && first.is_some());
        assert!(
            needs
                .note(None, "1", &[])
                .expect("nothing is held")
                .is_none()
        );
    }
}
