//! Limits of one worker: bounds that a policy or a flag sets and the kernel or the reaper enforces.

use serde::{Deserialize, Serialize};

/// What one worker may use. Every field is set: the worker fills in nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall clock from the start of the program, in milliseconds.
    pub wall_ms: u64,
    /// Processor seconds of one process (`RLIMIT_CPU`).
    pub cpu_seconds: u64,
    /// Bytes of private writable memory of one process (`RLIMIT_DATA`).
    pub memory_bytes: u64,
    /// Processes that the build may add to those its uid already has (`RLIMIT_NPROC`; not for uid 0).
    pub processes: u64,
    /// Open descriptors of one process (`RLIMIT_NOFILE`).
    pub open_files: u64,
    /// Bytes of one file (`RLIMIT_FSIZE`).
    pub file_bytes: u64,
    /// Bytes below the rooms, found by polling.
    pub scratch_bytes: u64,
    /// Files and folders below the rooms, found by polling.
    pub scratch_inodes: u64,
    /// Bytes that the build may write to its log before it is ended.
    pub log_bytes: u64,
}

/// One limit by name, as errors and records call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Limit {
    /// [`Limits::wall_ms`]
    Wall,
    /// [`Limits::cpu_seconds`]
    Cpu,
    /// [`Limits::memory_bytes`]
    Memory,
    /// [`Limits::processes`]
    Processes,
    /// [`Limits::scratch_bytes`]
    ScratchBytes,
    /// [`Limits::scratch_inodes`]
    ScratchInodes,
    /// [`Limits::log_bytes`]
    LogBytes,
}
