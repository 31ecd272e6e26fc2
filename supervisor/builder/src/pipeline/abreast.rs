//! Many requests side by side, but not all of a large call.
//!
//! Each that has begun holds what it has read: pages, metadata, the plan of its environment. So memory does not grow with the length of
//! a list. Hooks are queued behind this, see [`super::queue`]; what goes on here beside them is looking and
//! fetching, for which this many are plenty.

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

/// How many are under way at a time. Of so many, too, the queue chooses the one that takes longest.
const AT_ONCE: usize = 50;

/// Carries out all of `work`, begun in its order; answers are in that order as well. One that waits holds up only its own
/// place. Dropping the future drops all that is under way.
pub(super) async fn abreast<F: Future>(work: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut to_come = work.into_iter().enumerate();
    let mut under_way = FuturesUnordered::new();
    let mut done = Vec::new();
    loop {
        let free = AT_ONCE - under_way.len();
        under_way.extend(
            to_come
                .by_ref()
                .take(free)
                .map(|(at, one)| async move { (at, one.await) }),
        );
        match under_way.next().await {
            Some(one) => done.push(one),
            None => break,
        }
    }
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn no_more_than_so_many_are_under_way_and_answers_keep_the_order() {
        let (now, most) = (Cell::new(0_usize), Cell::new(0_usize));
        let (now, most) = (&now, &most);
        let work = (0..3 * AT_ONCE).map(|at| async move {
            now.set(now.get() + 1);
            most.set(most.get().max(now.get()));
            // Later ones of a handful end first.
            for _ in 0..(7 - at % 7) {
                tokio::task::yield_now().await;
            }
            now.set(now.get() - 1);
            at
        });
        let answers = abreast(work).await;
        assert_eq!(answers, (0..3 * AT_ONCE).collect::<Vec<_>>());
        assert_eq!((now.get(), most.get()), (0, AT_ONCE));
    }

    #[tokio::test]
    async fn one_that_waits_holds_up_only_its_own_place() {
        let (sender, last_one) = tokio::sync::oneshot::channel();
        let (mut sender, mut last_one) = (Some(sender), Some(last_one));
        let last = 2 * AT_ONCE;
        let work = (0..=last).map(|at| {
            let waits = (at == 0).then(|| last_one.take()).flatten();
            let wakes = (at == last).then(|| sender.take()).flatten();
            async move {
                if let Some(waits) = waits {
                    waits.await.unwrap();
                }
                if let Some(wakes) = wakes {
                    wakes.send(()).unwrap();
                }
            }
        });
        assert_eq!(abreast(work).await.len(), last + 1);
    }
}
