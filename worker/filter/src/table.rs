//! The calls of each architecture. Not here: what happens to them (`rules`).

mod aarch64;
mod x86_64;

use crate::arch::Arch;

/// Returns an architecture's calls with their numbers, in the order of the numbers.
pub(crate) fn of(arch: Arch) -> &'static [(&'static str, u32)] {
    match arch {
        Arch::X86_64 => x86_64::CALLS,
        Arch::Aarch64 => aarch64::CALLS,
    }
}
