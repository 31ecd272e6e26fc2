//! What the guest tells the host: JSON, one line each, over a serial port.

use serde::{Deserialize, Serialize};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Line {
    /// What kernel it is.
    Kernel {
        /// Its release.
        release: String,
        /// Its Landlock ABI, 0 without Landlock.
        landlock: u64,
        /// The controllers of the one hierarchy of control groups.
        controllers: String,
    },
    /// A scene has ended.
    Scene(Found),
    /// All scenes were tried.
    End,
}

/// What came of a scene.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// As whom and at which level.
    pub setting: String,
    /// What has to hold.
    pub scene: String,
    /// What was seen, or how it did not hold.
    pub seen: Result<String, String>,
}
