//! Identical work of one process runs once: who comes second waits for the first and shares what
//! it brought. A failure is nobody's answer; whoever waited tries by itself.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Work by what it is about.
#[derive(Debug)]
pub(crate) struct Flights<K, V> {
    cells: Mutex<HashMap<K, Arc<OnceCell<V>>>>,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self {
            cells: Mutex::default(),
        }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Flights<K, V> {
    /// Returns what `work` for `key` brought, now or earlier; earlier answers are kept as long as
    /// this is.
    ///
    /// # Errors
    /// Those of `work`.
    pub(crate) async fn once<E>(
        &self,
        key: K,
        work: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let cell = self.cell(&key);
        cell.get_or_try_init(|| work).await.cloned()
    }

    /// As [`Self::once`], but an answer is shared only by those who waited for it.
    ///
    /// # Errors
    /// Those of `work`.
    pub(crate) async fn together<E>(
        &self,
        key: K,
        work: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let cell = self.cell(&key);
        let brought = cell.get_or_try_init(|| work).await.cloned();
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.get(&key).is_some_and(|now| Arc::ptr_eq(now, &cell)) {
            cells.remove(&key);
        }
        brought
    }

    /// Takes note of what other work brought, for whoever wants it of [`Self::once`] and was not answered yet.
    pub(crate) fn note(&self, key: K, brought: V) {
        let cell = self.cell(&key);
        // Who is about to ask, or has an answer, keeps it.
        let _ = cell.set(brought);
    }

    fn cell(&self, key: &K) -> Arc<OnceCell<V>> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(key.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn who_comes_second_shares_and_a_failure_is_tried_again() {
        let flights = Flights::<u8, u32>::default();
        let runs = AtomicU32::new(0);
        let work = async || {
            tokio::task::yield_now().await;
            match runs.fetch_add(1, Ordering::SeqCst) {
                0 => Err("no"),
                run => Ok(run),
            }
        };
        let (one, two, three) = tokio::join!(
            flights.together(1, work()),
            flights.together(1, work()),
            flights.together(1, work()),
        );
        assert_eq!((one, two, three), (Err("no"), Ok(1), Ok(1)));
        assert_eq!(flights.together(1, work()).await, Ok(2), "it is not kept");
        assert_eq!(flights.once(1, work()).await, Ok(3));
        assert_eq!(flights.once(1, work()).await, Ok(3), "it is kept");
        flights.note(1, 9);
        assert_eq!(flights.once(1, work()).await, Ok(3), "it stays");
        flights.note(2, 9);
        assert_eq!(
            flights.once(2, work()).await,
            Ok(9),
            "nothing is to be done"
        );
    }
}
