//! Lending to one build while it runs: the doing of what `lender` decides.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::fifo::Fifo;
use super::host::{Jobs, Use, slots};
use super::lender::{Act, Lender, Seen};

/// How long a run goes on before anything is lent: a short one pays nothing.
const BEFORE: Duration = Duration::from_millis(200);
/// How often is looked.
const TICK: Duration = Duration::from_millis(100);

impl Jobs {
    /// Has `run` go on to its end, and lends it tokens through `fifo` meanwhile. All of them are back when
    /// it has ended, whatever the build did with them.
    pub(crate) async fn serve<T>(
        self: &Arc<Self>,
        fifo: Option<&Fifo>,
        least: usize,
        run: impl Future<Output = T>,
    ) -> T {
        let Some(fifo) = fifo else {
            return run.await;
        };
        let run = pin!(run);
        tokio::select! {
            biased;
            outcome = run => outcome,
            never = self.lend(fifo, slots(least)) => match never {},
        }
    }

    async fn lend(self: &Arc<Self>, fifo: &Fifo, slots: usize) -> Infallible {
        let since = Instant::now();
        sleep(BEFORE).await;
        // What a run before this one left there.
        fifo.take();
        // One job is the run itself.
        let mut lender = Lender::new(slots - 1);
        let mut lent: Vec<Use> = Vec::new();
        loop {
            let act = lender.tick(Seen {
                at: since.elapsed(),
                unread: fifo.unread(),
                is_wanted: self.is_wanted().await,
            });
            match act {
                Act::Rest => {}
                Act::Lend(count) => {
                    for _ in 0..count {
                        let Some(token) = self.enter(slots).await else {
                            break;
                        };
                        if !fifo.put() {
                            break;
                        }
                        lender.has_lent(1);
                        lent.push(token);
                    }
                }
                Act::TakeBack => {
                    let free = lender.has_read(fifo.take());
                    lent.truncate(lent.len() - free);
                }
                Act::GiveUp => drop(lent.pop()),
            }
            tokio::select! {
                () = sleep(TICK) => {}
                () = self.asked() => {}
            }
        }
    }
}
