//! The limits of a policy: keys that carry their unit, and bounds for each.

use protocol::Limits;

use crate::PolicyError;
use crate::document::Section;

const MIB: u64 = 1024 * 1024;

/// One key of `[limits]`.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// What one unit of the key is in the unit of the field.
    unit: u64,
    /// The most that may be written.
    most: u64,
    pub(crate) of: fn(&Limits) -> u64,
    set: fn(&mut Limits, u64),
    pub(crate) meaning: &'static str,
}

macro_rules! key {
    ($name:literal, $field:ident, $unit:expr, $most:expr, $meaning:literal) => {
        Key {
            name: $name,
            unit: $unit,
            most: $most,
            of: |limits| limits.$field,
            set: |limits, value| limits.$field = value,
            meaning: $meaning,
        }
    };
}

/// Every key, in the order of [`Limits`].
pub(crate) const KEYS: [Key; 10] = [
    key!(
        "wall_seconds",
        wall_ms,
        1000,
        7 * 86_400,
        "time by the clock"
    ),
    key!(
        "silence_seconds",
        silence_ms,
        1000,
        7 * 86_400,
        "time without output"
    ),
    key!(
        "cpu_seconds",
        cpu_seconds,
        1,
        7 * 86_400,
        "processor time of one process"
    ),
    key!(
        "memory_mib",
        memory_bytes,
        MIB,
        16 * MIB,
        "memory of all processes together"
    ),
    key!(
        "processes",
        processes,
        1,
        1 << 20,
        "processes and threads at a time"
    ),
    key!(
        "open_files",
        open_files,
        1,
        1 << 20,
        "open files of one process"
    ),
    key!("file_mib", file_bytes, MIB, 16 * MIB, "size of one file"),
    key!(
        "scratch_mib",
        scratch_bytes,
        MIB,
        64 * MIB,
        "bytes in the build's own folders"
    ),
    key!(
        "scratch_inodes",
        scratch_inodes,
        1,
        1 << 28,
        "files and folders in them"
    ),
    key!("log_mib", log_bytes, MIB, 64 * 1024, "output"),
];

impl Key {
    /// Returns the value as the key writes it, with its unit.
    pub(crate) fn shown(&self, limits: &Limits) -> String {
        let value = (self.of)(limits) / self.unit;
        match self.name.rsplit_once('_') {
            Some((_, "seconds")) => format!("{value} s"),
            Some((_, "mib")) => format!("{value} MiB"),
            _ => value.to_string(),
        }
    }
}

/// Returns what holds where no policy says anything: an hour, and room for ordinary builds.
pub(crate) fn defaults() -> Limits {
    Limits {
        wall_ms: 3_600_000,
        silence_ms: 600_000,
        cpu_seconds: 3600,
        memory_bytes: 8192 * MIB,
        processes: 512,
        open_files: 4096,
        file_bytes: 4096 * MIB,
        scratch_bytes: 20_480 * MIB,
        scratch_inodes: 1_000_000,
        log_bytes: 64 * MIB,
    }
}

/// Reads `[limits]` over what is already set.
pub(crate) fn read(section: &Section<'_>, limits: &mut Limits) -> Result<(), PolicyError> {
    section.only(&KEYS.map(|key| key.name))?;
    for key in &KEYS {
        let Some(value) = section.count(key.name)? else {
            continue;
        };
        if value > key.most {
            let problem = format!("{value} is more than any build may have");
            return Err(section.fail(key.name, &problem, &format!("write at most {}", key.most)));
        }
        (key.set)(limits, value * key.unit);
    }
    Ok(())
}
