//! What is known of a Python: its answers about itself, and its identity in keys.

use std::path::PathBuf;

use pep508_rs::MarkerEnvironment;
use serde::{Deserialize, Serialize};

/// The answers of an interpreter about itself, asked inside a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PythonFacts {
    /// The values of PEP 508 markers.
    pub markers: MarkerEnvironment,
    /// `sys.version_info[:3]`
    pub version: (u64, u64, u64),
    /// `sys.implementation.name`: `cpython`, `pypy`, ...
    pub implementation: String,
    /// `sys.implementation.cache_tag`: `cpython-311`; bytecode files carry it.
    pub cache_tag: Option<String>,
    /// `sysconfig.get_config_var("SOABI")`
    pub soabi: Option<String>,
    /// `sys.abiflags`
    pub abiflags: String,
    /// A debug build (`Py_DEBUG`).
    pub debug: bool,
    /// A build without the global interpreter lock (`Py_GIL_DISABLED`).
    pub free_threaded: bool,
    /// `sysconfig.get_platform()`: `linux-x86_64`
    pub platform: String,
    /// `platform.machine()`
    pub machine: String,
    /// The C library and its version: `("glibc", 2, 36)`, `("musl", 1, 2)`; none if it can not be told.
    pub libc: Option<(String, u32, u32)>,
    /// `sys.executable` of the *base* interpreter, links resolved.
    pub executable: PathBuf,
    /// `sys.base_prefix`
    pub base_prefix: PathBuf,
    /// `sys.base_exec_prefix`
    pub base_exec_prefix: PathBuf,
    /// Folders that the interpreter reads besides its prefixes: `stdlib`, `platstdlib`, the folder
    /// of a shared libpython, include folders. Sorted, without duplicates.
    pub library_folders: Vec<PathBuf>,
    /// The default index that is built into the pip of this interpreter or of its ensurepip.
    pub pip_default_index: Option<String>,
    /// Where [`Self::pip_default_index`] was found, in words.
    pub pip_default_origin: Option<String>,
}

impl PythonFacts {
    /// Returns the identity that enters keys: everything about the interpreter and the platform
    /// that may change a wheel, one item a line, no path of this machine.
    #[must_use]
    pub fn identity(&self) -> String {
        let (major, minor, patch) = self.version;
        let libc = self.libc.as_ref().map_or_else(
            || "?".to_owned(),
            |(name, major, minor)| format!("{name} {major}.{minor}"),
        );
        format!(
            "{} {major}.{minor}.{patch} ({})\nsoabi {}\nabiflags {}\ndebug {}\nfree-threaded {}\nplatform {} {}\nlibc {libc}\n",
            self.implementation,
            self.markers.implementation_version(),
            self.soabi.as_deref().unwrap_or("-"),
            self.abiflags,
            self.debug,
            self.free_threaded,
            self.platform,
            self.machine,
        )
    }
}
