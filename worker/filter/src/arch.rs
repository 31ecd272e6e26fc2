//! The architectures that the filter knows: their audit words and their calls. Not here: the tables
//! themselves (`table`).

use crate::table;

/// A processor architecture with a 64-bit, little-endian call table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arch {
    /// 64-bit x86; its 32-bit and x32 entries are foreign.
    X86_64,
    /// 64-bit Arm; its 32-bit entry is foreign.
    Aarch64,
}

#[cfg(target_arch = "x86_64")]
const CURRENT: Arch = Arch::X86_64;
#[cfg(target_arch = "aarch64")]
const CURRENT: Arch = Arch::Aarch64;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("the system-call filter knows x86_64 and aarch64 only");

impl Arch {
    /// Returns the architecture this program was compiled for.
    #[must_use]
    pub fn current() -> Arch {
        CURRENT
    }

    /// Returns the word that the kernel gives a filter in `seccomp_data.arch` (`linux/audit.h`).
    pub(crate) fn audit_word(self) -> u32 {
        match self {
            Arch::X86_64 => 0xc000_003e,
            Arch::Aarch64 => 0xc000_00b7,
        }
    }

    /// Returns the highest number in the table; what lies above was added by a newer kernel.
    pub(crate) fn highest(self) -> u32 {
        self.calls().last().map_or(0, |(_, number)| *number)
    }

    /// Returns all known calls in the order of their numbers.
    pub(crate) fn calls(self) -> &'static [(&'static str, u32)] {
        table::of(self)
    }

    /// Returns the name behind a number, if the table knows it.
    pub(crate) fn name_of(self, number: u32) -> Option<&'static str> {
        let calls = self.calls();
        let at = calls.binary_search_by_key(&number, |(_, number)| *number);
        at.ok().map(|at| calls[at].0)
    }
}
