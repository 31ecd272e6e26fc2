//! Which run of hooks goes next, where only so many go at a time.
//!
//! One that goes on comes first: it has a scratch, and others may wait for it. Then those that took long when
//! their package was built last, so that the longest does not go alone at the end. Among equals one that an idle
//! interpreter can serve, then one whose interpreter is not busy with another: a second interpreter of the same kind
//! costs a start and an import. Then as they came.

use std::cmp::Reverse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::local::{LocalExecutor, Terms};

/// A run that wants to go.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    /// Whether it has begun and let others go meanwhile.
    pub(super) goes_on: bool,
    /// How long the hooks of its package took at an earlier build, in milliseconds, if that is known.
    pub(super) earlier_ms: Option<u64>,
    /// What an interpreter that serves it must be equal in, if it may share one.
    pub(super) terms: Option<Terms>,
}

/// The queue of one call.
#[derive(Debug)]
pub(super) struct Queue {
    executor: Arc<LocalExecutor>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    waiting: Vec<(Wish, oneshot::Sender<Permit>)>,
    /// The terms of those that go.
    going: Vec<Terms>,
}

/// The right to go; the next one has it when this is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    queue: Arc<Queue>,
    terms: Option<Terms>,
}

impl Queue {
    /// Makes a queue out of which `at_once` go at a time, but never none.
    pub(super) fn new(executor: Arc<LocalExecutor>, at_once: usize) -> Arc<Self> {
        let state = State {
            free: at_once.max(1),
            waiting: Vec::new(),
            going: Vec::new(),
        };
        Arc::new(Self {
            executor,
            state: Mutex::new(state),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a run may go. Dropping the future gives the place up.
    pub(super) async fn permit(self: &Arc<Self>, wish: Wish) -> Option<Permit> {
        let turn = {
            let mut state = self.lock();
            if state.free > 0 {
                return Some(self.admit(&mut state, wish.terms));
            }
            let (sender, turn) = oneshot::channel();
            state.waiting.push((wish, sender));
            turn
        };
        turn.await.ok()
    }

    fn admit(self: &Arc<Self>, state: &mut State, terms: Option<Terms>) -> Permit {
        state.free -= 1;
        state.going.extend(terms);
        Permit {
            queue: Arc::clone(self),
            terms,
        }
    }

    /// Takes a permit back and gives it to the next.
    fn release(self: &Arc<Self>, terms: Option<Terms>) {
        let mut state = self.lock();
        state.free += 1;
        if let Some(terms) = terms
            && let Some(place) = state.going.iter().position(|going| *going == terms)
        {
            state.going.swap_remove(place);
        }
        state.waiting.retain(|(_, sender)| !sender.is_closed());
        let wishes = state.waiting.iter().map(|(wish, _)| wish);
        let idles = |terms: &Terms| self.executor.idles(terms);
        let Some(next) = next(wishes, idles, &state.going) else {
            return;
        };
        let (wish, sender) = state.waiting.remove(next);
        let permit = self.admit(&mut state, wish.terms);
        drop(state);
        // Who has gone away since drops it here, and so it comes back and goes to another.
        drop(sender.send(permit));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.queue.release(self.terms);
    }
}

/// Chooses the place of the run that goes next.
fn next<'a>(
    waiting: impl Iterator<Item = &'a Wish>,
    idles: impl Fn(&Terms) -> bool,
    going: &[Terms],
) -> Option<usize> {
    let rank = |wish: &Wish| {
        let warmth = match &wish.terms {
            Some(terms) if idles(terms) => 2,
            Some(terms) if going.contains(terms) => 0,
            _ => 1,
        };
        (wish.goes_on, magnitude(wish.earlier_ms), warmth)
    };
    let ranked = waiting.map(rank).enumerate();
    // Of equals the first one.
    ranked
        .min_by_key(|(_, rank)| Reverse(*rank))
        .map(|(place, _)| place)
}

/// Puts a time into one of few classes, each twice as long as the one below it: within one, an interpreter that is
/// there already is worth more than the difference.
fn magnitude(milliseconds: Option<u64>) -> u32 {
    let seconds = milliseconds.unwrap_or(0) / 1000;
    seconds.checked_ilog2().map_or(0, |log| log + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(earlier_ms: Option<u64>, terms: Option<&str>) -> Wish {
        Wish {
            goes_on: false,
            earlier_ms,
            terms: terms.map(Terms::of),
        }
    }

    fn chosen(waiting: &[Wish], idle: &[&str], going: &[&str]) -> Option<usize> {
        let idle: Vec<_> = idle.iter().map(|text| Terms::of(text)).collect();
        let going: Vec<_> = going.iter().map(|text| Terms::of(text)).collect();
        next(waiting.iter(), |terms| idle.contains(terms), &going)
    }

    #[test]
    fn as_they_came_if_nothing_is_known() {
        let waiting = [wish(None, None), wish(None, Some("a")), wish(None, None)];
        assert_eq!(chosen(&waiting, &[], &[]), Some(0));
        assert_eq!(chosen(&[], &["a"], &[]), None);
    }

    #[test]
    fn the_longest_goes_first_and_one_that_goes_on_before_it() {
        let mut waiting = [
            wish(None, None),
            wish(Some(9_000), None),
            wish(Some(70_000), None),
        ];
        assert_eq!(chosen(&waiting, &[], &[]), Some(2));
        waiting[0].goes_on = true;
        assert_eq!(chosen(&waiting, &[], &[]), Some(0));
    }

    #[test]
    fn among_equals_an_idle_interpreter_decides_and_then_one_that_is_not_busy() {
        let waiting = [
            wish(None, Some("busy")),
            wish(None, Some("new")),
            wish(None, Some("idle")),
        ];
        assert_eq!(chosen(&waiting, &["idle"], &["busy"]), Some(2));
        assert_eq!(chosen(&waiting, &[], &["busy"]), Some(1));
        assert_eq!(chosen(&waiting[..1], &[], &["busy"]), Some(0));
        // A difference of milliseconds is none.
        let waiting = [wish(Some(900), Some("busy")), wish(Some(300), Some("new"))];
        assert_eq!(chosen(&waiting, &[], &["busy"]), Some(1));
    }
}
