//! What a filter is asked to be. Not here: what that means call by call (`rules`).

/// The part of a build that runs behind a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Our own code reading a stranger's archive: no program, no process, no socket, no metadata.
    Unpack,
    /// A stranger's program: Python, compilers, anything that a build starts.
    Program,
    /// Our own choice of program that fetches from a network, git: as `Program`, but it may open
    /// Internet sockets and no local ones.
    Fetch,
}

/// One filter, described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spec {
    /// Which rules.
    pub stage: Stage,
    /// Not in `Stage::Unpack`: attempts to reach a network are notified instead of refused. The
    /// filter must then be installed with a listener; without one the kernel answers `ENOSYS`.
    pub listener: bool,
    /// Only in `Stage::Program`: unix stream sockets can be made, and a connect is the listener's to
    /// decide. Otherwise only pairs, which have no address.
    pub local_sockets: bool,
    /// Together with `listener`: every call that changes metadata is notified. Otherwise such calls
    /// pass, and something else (a read-only mount) protects, or nothing does and the report says so.
    pub broker_metadata: bool,
    /// Together with `listener`: every open of a file and every start of a program is notified, so that
    /// it can be recorded before it goes on. Nothing else changes: what was refused still is.
    pub trace: bool,
}

impl Spec {
    /// Returns whether a filter of this description leaves any call to a listener.
    #[must_use]
    pub fn notifies(&self) -> bool {
        self.stage != Stage::Unpack && self.listener
    }
}
