//! What the host wants of the guest, a file of the image, and what the guest tells: JSON, one line each, over a serial
//! port.

use serde::{Deserialize, Serialize};

/// What shall be tried.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Wish {
    /// Hostile builds, by their folders.
    pub deeds: Vec<String>,
    /// Parts of `SETTING: SCENE`, one of which a scene has to have; everything if there is none.
    pub only: Vec<String>,
}

impl Wish {
    /// Whether a scene shall be tried.
    #[must_use]
    pub fn has(&self, setting: &str, scene: &str) -> bool {
        let text = format!("{setting}: {scene}");
        self.only.is_empty() || self.only.iter().any(|part| text.contains(part))
    }
}

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
