//! When a build is lent a token, and when one is taken back. Pure: what was seen comes in, what is to be
//! done goes out.
//!
//! The bytes in a fifo are the build's, so they are never believed: what is lent is counted here alone.

use std::time::Duration;

/// How long a token may lie unread while nobody is known to want it; then others may try.
const LONG: Duration = Duration::from_secs(2);
/// How long they may.
const PAUSE: Duration = Duration::from_millis(200);
/// How long somebody waits for a token that a build has read before the slot is theirs all the same: a
/// client that has work takes a token again in the moment in which it gives it back, or never gives it back.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Nothing.
    Rest,
    /// Lend so many tokens, as far as slots are free.
    Lend(usize),
    /// Read what lies unread.
    TakeBack,
    /// Let one slot go whose token the build has.
    GiveUp,
}

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Time since the run began.
    pub(super) at: Duration,
    /// Bytes in the fifo.
    pub(super) unread: usize,
    /// Whether a run waits for a slot.
    pub(super) is_wanted: bool,
}

/// What is lent to one build.
#[derive(Debug)]
pub(super) struct Lender {
    most: usize,
    lent: usize,
    /// Tokens that the build has and whose slots were given up.
    lost: usize,
    unread_since: Option<Duration>,
    wanted_since: Option<Duration>,
    not_before: Duration,
}

impl Lender {
    /// Lends at most `most` tokens.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            lent: 0,
            lost: 0,
            unread_since: None,
            wanted_since: None,
            not_before: Duration::ZERO,
        }
    }

    /// Decides what is done next.
    pub(super) fn tick(&mut self, seen: Seen) -> Act {
        let Seen { at, unread, .. } = seen;
        if unread > 0 {
            self.wanted_since = None;
            let since = *self.unread_since.get_or_insert(at);
            // More than was lent are none of ours, whoever wrote them.
            if seen.is_wanted || unread > self.lent || at.saturating_sub(since) >= LONG {
                self.unread_since = None;
                self.not_before = at + PAUSE;
                return Act::TakeBack;
            }
            return Act::Rest;
        }
        self.unread_since = None;
        if seen.is_wanted {
            if self.lent == 0 {
                return Act::Rest;
            }
            let since = *self.wanted_since.get_or_insert(at);
            if at.saturating_sub(since) < PATIENCE {
                return Act::Rest;
            }
            self.wanted_since = None;
            self.lent -= 1;
            self.lost += 1;
            return Act::GiveUp;
        }
        self.wanted_since = None;
        let left = self.most.saturating_sub(self.lent + self.lost);
        if at < self.not_before || left == 0 {
            return Act::Rest;
        }
        // All that was lent is at work: as much again, so that many processors are reached soon.
        Act::Lend(self.lent.max(1).min(left))
    }

    /// Takes note that `count` tokens were lent.
    pub(super) fn has_lent(&mut self, count: usize) {
        self.lent += count;
    }

    /// Takes note that `count` bytes were read back, and returns how many slots are free by that.
    pub(super) fn has_read(&mut self, count: usize) -> usize {
        let ours = count.min(self.lent);
        self.lent -= ours;
        self.lost = self.lost.saturating_sub(count - ours);
        ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(ms: u64, unread: usize, is_wanted: bool) -> Seen {
        Seen {
            at: Duration::from_millis(ms),
            unread,
            is_wanted,
        }
    }

    fn with(most: usize, lent: usize) -> Lender {
        let mut lender = Lender::new(most);
        lender.has_lent(lent);
        lender
    }

    #[test]
    fn a_build_that_reads_its_tokens_gets_more_up_to_the_most() {
        let mut lender = Lender::new(6);
        let mut lent = Vec::new();
        for ms in [0, 100, 200, 300] {
            if let Act::Lend(count) = lender.tick(seen(ms, 0, false)) {
                lender.has_lent(count);
                lent.push(count);
            }
        }
        assert_eq!(lent, [1, 1, 2, 2]);
        assert_eq!(lender.tick(seen(400, 0, false)), Act::Rest);
    }

    #[test]
    fn nothing_is_lent_while_a_run_waits() {
        assert_eq!(Lender::new(3).tick(seen(0, 0, true)), Act::Rest);
    }

    #[test]
    fn a_token_that_lies_unread_goes_to_who_wants_it() {
        let mut lender = with(3, 1);
        assert_eq!(lender.tick(seen(0, 1, false)), Act::Rest);
        assert_eq!(lender.tick(seen(1, 1, true)), Act::TakeBack);
        assert_eq!(lender.has_read(1), 1);
    }

    #[test]
    fn a_token_that_nobody_reads_is_left_to_others_for_a_moment() {
        let mut lender = with(3, 1);
        assert_eq!(lender.tick(seen(0, 1, false)), Act::Rest);
        assert_eq!(lender.tick(seen(2_000, 1, false)), Act::TakeBack);
        assert_eq!(lender.has_read(1), 1);
        assert_eq!(lender.tick(seen(2_100, 0, false)), Act::Rest);
        assert_eq!(lender.tick(seen(2_200, 0, false)), Act::Lend(1));
    }

    #[test]
    fn bytes_that_a_build_writes_of_its_own_are_no_slots() {
        let mut lender = with(3, 1);
        assert_eq!(lender.tick(seen(0, 100, false)), Act::TakeBack);
        assert_eq!(lender.has_read(100), 1);
        assert_eq!(lender.has_read(100), 0);
    }

    #[test]
    fn a_build_that_gives_nothing_back_loses_its_slots_to_who_waits_and_gets_no_others() {
        let mut lender = with(2, 2);
        assert_eq!(lender.tick(seen(0, 0, true)), Act::Rest);
        assert_eq!(lender.tick(seen(29_999, 0, true)), Act::Rest);
        assert_eq!(lender.tick(seen(30_000, 0, true)), Act::GiveUp);
        assert_eq!(lender.tick(seen(30_001, 0, true)), Act::Rest);
        assert_eq!(lender.tick(seen(60_001, 0, true)), Act::GiveUp);
        assert_eq!(lender.tick(seen(60_002, 0, false)), Act::Rest);
        // They come back after all: none of them is a slot any more, and it may be lent to again.
        assert_eq!(lender.tick(seen(60_003, 2, false)), Act::TakeBack);
        assert_eq!(lender.has_read(2), 0);
        assert_eq!(lender.tick(seen(60_300, 0, false)), Act::Lend(1));
    }

    #[test]
    fn waiting_begins_anew_when_something_comes_back() {
        let mut lender = with(2, 2);
        assert_eq!(lender.tick(seen(0, 0, true)), Act::Rest);
        assert_eq!(lender.tick(seen(20_000, 1, true)), Act::TakeBack);
        assert_eq!(lender.has_read(1), 1);
        assert_eq!(lender.tick(seen(40_000, 0, true)), Act::Rest);
    }
}
