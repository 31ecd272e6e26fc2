//! How a worker breaks: the step, what was being done, the kernel's error number.

use protocol::{Fault, Step};

/// Turns a failed call into a [`Fault`] that says where and what.
pub(crate) trait At<T> {
    /// Adds the step and what was being done.
    fn at(self, step: Step, doing: impl Into<String>) -> Result<T, Fault>;
}

impl<T> At<T> for nix::Result<T> {
    fn at(self, step: Step, doing: impl Into<String>) -> Result<T, Fault> {
        self.map_err(|errno| Fault {
            step,
            errno: Some(errno as i32),
            doing: doing.into(),
        })
    }
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, step: Step, doing: impl Into<String>) -> Result<T, Fault> {
        self.map_err(|error| {
            let errno = error.raw_os_error();
            let doing = doing.into();
            let doing = if errno.is_none() {
                format!("{doing}: {error}")
            } else {
                doing
            };
            Fault { step, errno, doing }
        })
    }
}

/// A fault without an error number of the kernel.
pub(crate) fn fault(step: Step, doing: impl Into<String>) -> Fault {
    Fault {
        step,
        errno: None,
        doing: doing.into(),
    }
}
