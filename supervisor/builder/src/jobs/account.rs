//! What this process holds of the host's slots, and how much of its work uses them. Pure.

/// Slots that are held, and uses of them: runs of hooks, and tokens that are lent to builds.
///
/// There are never more uses than slots, but for the first: a process may always do one thing, so that no
/// other one can keep it from all work. That one has a slot as well as soon as one is free.
#[derive(Debug)]
pub(super) struct Account<Slot> {
    held: Vec<Slot>,
    uses: usize,
}

impl<Slot> Default for Account<Slot> {
    fn default() -> Self {
        Self {
            held: Vec::new(),
            uses: 0,
        }
    }
}

impl<Slot> Account<Slot> {
    /// Enters one more use, with slots that `free` finds. Says whether it may begin; a slot that the first
    /// use lacked is kept either way.
    pub(super) fn enter(&mut self, mut free: impl FnMut() -> Option<Slot>) -> bool {
        while self.held.len() <= self.uses {
            match free() {
                Some(slot) => self.held.push(slot),
                None => break,
            }
        }
        let may = self.uses == 0 || self.held.len() > self.uses;
        self.uses += usize::from(may);
        may
    }

    /// Strikes one use out, and returns the slots that nothing needs any more.
    pub(super) fn leave(&mut self) -> Vec<Slot> {
        self.uses = self.uses.saturating_sub(1);
        self.held.split_off(self.uses.min(self.held.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host with `free` slots, and the processes on it.
    struct World {
        free: usize,
        accounts: Vec<Account<()>>,
    }

    impl World {
        fn new(free: usize, processes: usize) -> Self {
            let accounts = (0..processes).map(|_| Account::default()).collect();
            Self { free, accounts }
        }

        fn enter(&mut self, at: usize) -> bool {
            let free = &mut self.free;
            self.accounts[at].enter(|| {
                *free = free.checked_sub(1)?;
                Some(())
            })
        }

        fn leave(&mut self, at: usize) {
            self.free += self.accounts[at].leave().len();
        }
    }

    #[test]
    fn one_process_does_as_much_as_there_are_slots() {
        let mut world = World::new(2, 1);
        assert!(world.enter(0) && world.enter(0) && !world.enter(0));
        world.leave(0);
        assert!(world.enter(0));
    }

    #[test]
    fn the_first_use_of_a_process_waits_for_nobody_and_the_second_does() {
        let mut world = World::new(2, 2);
        assert!(world.enter(0) && world.enter(0));
        assert!(world.enter(1) && !world.enter(1));
        world.leave(0);
        assert!(!world.enter(1), "the first one has its slot now");
        world.leave(0);
        assert!(world.enter(1));
    }

    #[test]
    fn all_slots_are_free_when_nothing_is_done() {
        let mut world = World::new(3, 2);
        for at in [0, 1, 0, 1, 1] {
            world.enter(at);
        }
        for at in [0, 1, 1, 0, 1] {
            world.leave(at);
        }
        assert_eq!(world.free, 3);
    }

    #[test]
    fn uses_never_exceed_the_slots_by_more_than_the_other_processes() {
        let (slots, processes) = (3, 3);
        let mut world = World::new(slots, processes);
        let mut state: u64 = 1;
        for _ in 0..10_000 {
            // A linear congruential generator: some order that nobody chose.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let at = usize::try_from(state >> 40).unwrap_or(0) % processes;
            if state >> 63 == 0 {
                world.enter(at);
            } else {
                world.leave(at);
            }
            let uses: usize = world.accounts.iter().map(|account| account.uses).sum();
            let held: usize = world
                .accounts
                .iter()
                .map(|account| account.held.len())
                .sum();
            assert!(uses < slots + processes, "{uses}");
            assert_eq!(held + world.free, slots);
        }
    }
}
