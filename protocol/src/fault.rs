//! Where and how a worker itself broke.

use serde::{Deserialize, Serialize};

/// The step at which a worker could not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Reading or understanding the first order.
    Assignment,
    /// `setsid`, descriptors, umask.
    Session,
    /// Resource limits.
    Limits,
    /// Namespaces and mounts.
    Namespaces,
    /// Changing to the build's uid.
    Uid,
    /// Capabilities and `no_new_privs`.
    Privileges,
    /// Landlock.
    Landlock,
    /// The probe: something that must fail did not.
    Probe,
    /// The system-call filter.
    Filter,
    /// The self-test before exec: something that must fail did not.
    SelfTest,
    /// Starting the program.
    Exec,
    /// Watching the build.
    Reaper,
    /// Keeping an interpreter for several builds: it is not as it was left.
    Slot,
}

/// A step, the errno if the kernel gave one, and what was being done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Where.
    pub step: Step,
    /// The kernel's error number.
    pub errno: Option<i32>,
    /// What was being done, such as `open rule path /usr/lib`.
    pub doing: String,
}

impl Fault {
    /// Says what was being done and what the kernel said, without the step.
    #[must_use]
    pub fn reason(&self) -> String {
        match self.errno {
            Some(errno) => {
                let said = std::io::Error::from_raw_os_error(errno);
                format!("{}: {said}", self.doing)
            }
            None => self.doing.clone(),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:?}: {}", self.step, self.reason())
    }
}
