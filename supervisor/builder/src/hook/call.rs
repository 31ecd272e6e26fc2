//! A hook call as the Python side reads it. Paths are as the build sees them.

use model::ConfigSettings;
use protocol::{Hook, HookCall};
use serde_json::json;
use sources::BuildSystem;

use super::Goal;

/// The Python side, run with `-I -c` by the environment's interpreter.
pub(crate) const SHIM: &str = concat!(include_str!("shim.py"), "\n\nmain()\n");

/// The same for an interpreter that serves several builds. It is told the backend and how many.
pub(crate) const SLOT: &str = concat!(
    include_str!("shim.py"),
    include_str!("slot.py"),
    "\n\nslot()\n"
);

/// The folder below room `o` that a hook leaves its file in.
pub(crate) const OUTPUT: &str = "d";

/// The folder below room `o` that metadata is left in; another one, for a wheel may have to be built after it.
pub(crate) const PREPARED: &str = "m";

/// The backend of a source without `[build-system]` or without `build-backend` (PEP 517).
const LEGACY: &str = "setuptools.build_meta:__legacy__";

/// What a call needs to know.
#[derive(Clone, Debug)]
pub(crate) struct HookRequest {
    /// What the hooks are called for.
    pub(crate) goal: Goal,
    /// The backend and where it is looked for.
    pub(crate) system: BuildSystem,
    /// The project's folder as the build sees it.
    pub(crate) project: String,
    /// Room `o` as the build sees it.
    pub(crate) output: String,
    /// Settings for every hook.
    pub(crate) settings: ConfigSettings,
    /// Milliseconds for one hook.
    pub(crate) wall_ms: u64,
}

impl HookRequest {
    /// Returns the backend as it is imported.
    pub(crate) fn backend(&self) -> &str {
        backend_of(&self.system)
    }
}

/// Returns the backend of a source as it is imported.
pub(crate) fn backend_of(system: &BuildSystem) -> &str {
    system.backend.as_deref().unwrap_or(LEGACY)
}

/// Makes the call of `hook`.
pub(crate) fn call(hook: Hook, request: &HookRequest) -> HookCall {
    let result = format!("{}.json", hook.name());
    let directory = match hook {
        Hook::GetRequiresForBuildWheel | Hook::GetRequiresForBuildSdist => None,
        Hook::PrepareMetadataForBuildWheel => Some(format!("{}/{PREPARED}", request.output)),
        Hook::BuildWheel | Hook::BuildSdist => Some(format!("{}/{OUTPUT}", request.output)),
    };
    let settings = if request.settings.is_empty() {
        serde_json::Value::Null
    } else {
        request.settings.to_json()
    };
    let backend_path: Vec<_> = request
        .system
        .backend_path
        .iter()
        .map(|folder| format!("{}/{folder}", request.project))
        .collect();
    let line = json!({
        "hook": hook.name(),
        "backend": request.backend(),
        "backend_path": backend_path,
        "directory": directory,
        "config_settings": settings,
        "project": request.project,
        "result": format!("{}/{result}", request.output),
    });
    HookCall {
        hook,
        line: line.to_string(),
        result,
        wall_ms: request.wall_ms,
    }
}
