//! Calls of PEP 517 hooks, as they reach the program, and what comes back.

use serde::{Deserialize, Serialize};

/// The hooks of PEP 517 that a worker calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hook {
    /// `get_requires_for_build_wheel`
    GetRequiresForBuildWheel,
    /// `prepare_metadata_for_build_wheel`
    PrepareMetadataForBuildWheel,
    /// `build_wheel`
    BuildWheel,
    /// `get_requires_for_build_sdist`
    GetRequiresForBuildSdist,
    /// `build_sdist`
    BuildSdist,
}

impl Hook {
    /// Returns the name of the hook in PEP 517.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GetRequiresForBuildWheel => "get_requires_for_build_wheel",
            Self::PrepareMetadataForBuildWheel => "prepare_metadata_for_build_wheel",
            Self::BuildWheel => "build_wheel",
            Self::GetRequiresForBuildSdist => "get_requires_for_build_sdist",
            Self::BuildSdist => "build_sdist",
        }
    }
}

impl std::fmt::Display for Hook {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name())
    }
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookCall {
    /// Which hook.
    pub hook: Hook,
    /// One line of JSON for the program; the worker passes it on and does not read it.
    pub line: String,
    /// The result file that the program writes, a plain name in room `o`.
    pub result: String,
    /// Milliseconds until the hook counts as hanging.
    pub wall_ms: u64,
}

/// What a hook left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookReturn {
    /// Which hook.
    pub hook: Hook,
    /// The bytes of the result file, at most 512 KiB; `None` if there was no regular file of that
    /// name or it was larger.
    pub result: Option<Vec<u8>>,
    /// Milliseconds that the hook took.
    pub elapsed_ms: u64,
}
