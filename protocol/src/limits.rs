//! Limits of one worker: bounds that a policy or a flag sets. `docs/limits.md` says who enforces which.

use serde::{Deserialize, Serialize};

/// What one worker may use. Every field is set: the worker fills in nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall clock from the start of the program, in milliseconds.
    pub wall_ms: u64,
    /// Time without a line of output or a hook that returns, in milliseconds.
    pub silence_ms: u64,
    /// Processor seconds of one process.
    pub cpu_seconds: u64,
    /// Bytes of memory of all processes together.
    pub memory_bytes: u64,
    /// Processes and threads at a time.
    pub processes: u64,
    /// Open descriptors of one process (`RLIMIT_NOFILE`).
    pub open_files: u64,
    /// Bytes of one file (`RLIMIT_FSIZE`).
    pub file_bytes: u64,
    /// Bytes below the rooms, those of unlinked files that are still open included.
    pub scratch_bytes: u64,
    /// Files and folders below the rooms.
    pub scratch_inodes: u64,
    /// Bytes that the build may write to its log before it is ended.
    pub log_bytes: u64,
}

/// One limit by name, as errors and records call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Limit {
    /// [`Limits::wall_ms`]
    Wall,
    /// [`Limits::silence_ms`]
    Silence,
    /// [`Limits::cpu_seconds`]
    Cpu,
    /// [`Limits::memory_bytes`]
    Memory,
    /// [`Limits::processes`]
    Processes,
    /// [`Limits::open_files`]
    OpenFiles,
    /// [`Limits::file_bytes`]
    FileBytes,
    /// [`Limits::scratch_bytes`]
    ScratchBytes,
    /// [`Limits::scratch_inodes`]
    ScratchInodes,
    /// [`Limits::log_bytes`]
    LogBytes,
}

impl Limit {
    /// Every limit, in the order of [`Limits`].
    pub const ALL: [Self; 10] = [
        Self::Wall,
        Self::Silence,
        Self::Cpu,
        Self::Memory,
        Self::Processes,
        Self::OpenFiles,
        Self::FileBytes,
        Self::ScratchBytes,
        Self::ScratchInodes,
        Self::LogBytes,
    ];

    /// Returns its value in `limits`, in the unit of its field.
    #[must_use]
    pub fn of(self, limits: &Limits) -> u64 {
        match self {
            Self::Wall => limits.wall_ms,
            Self::Silence => limits.silence_ms,
            Self::Cpu => limits.cpu_seconds,
            Self::Memory => limits.memory_bytes,
            Self::Processes => limits.processes,
            Self::OpenFiles => limits.open_files,
            Self::FileBytes => limits.file_bytes,
            Self::ScratchBytes => limits.scratch_bytes,
            Self::ScratchInodes => limits.scratch_inodes,
            Self::LogBytes => limits.log_bytes,
        }
    }
}
