//! Layers that a test build leaves out, to show that each of them holds something.
//!
//! Without the feature `leave-out`, which no shipped program has, every layer stands: there is
//! nothing to switch, and what asks is a constant. No layer that is left out lets the reaper end what is
//! not the build's: without the namespace of processes it ends what is in its domain, as where there are
//! no namespaces, and proves the domain first; without scopes it ends whom it finds below itself, as where
//! the kernel has none ([`crate::main_up_to`]). The probe is no layer.

use filter::{Arch, Program, Spec};

/// One layer of the confinement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    LandlockFiles,
    LandlockPorts,
    /// What keeps signals and abstract names in the domain.
    Scopes,
    /// The domain of the program's stage inside the reaper's.
    NestedDomain,
    /// The closing of what the worker inherited.
    Closing,
    /// The closing of everything once more, at exec.
    ClosingOnExec,
    /// The loss of every capability, also of those that root would get back at exec.
    Capabilities,
    /// The session of its own, which has no terminal.
    Session,
    /// The filter's listener, which is told of what is refused.
    Listener,
    NetworkNamespace,
    IpcNamespace,
    /// What is not granted is not there: without it the rest of the host is, writable.
    MountNamespace,
    PidNamespace,
    /// Nothing but the variables that the policy names; the supervisor starts its worker without any.
    Environment,
    /// The end of a build whose supervisor is gone.
    Lifeline,
    Limits,
    /// The end of every process of the build.
    Reaper,
    /// Left out with any other: it tells of what is missing before a build could use it.
    SelfTest,
}

#[cfg(not(feature = "leave-out"))]
mod whole {
    use super::{Arch, Layer, Program, Spec};

    /// Whether a layer stands: it does.
    pub(crate) const fn stands(_: Layer) -> bool {
        true
    }

    /// Compiles a filter.
    pub(crate) fn compile(arch: Arch, spec: &Spec) -> Program {
        filter::compile(arch, spec)
    }
}

#[cfg(feature = "leave-out")]
mod lacking {
    use std::process::ExitCode;
    use std::sync::OnceLock;

    use filter::Group;

    use super::{Arch, Layer, Program, Spec};

    static LEFT_OUT: OnceLock<(Vec<Layer>, Vec<Group>)> = OnceLock::new();

    /// Whether a layer stands.
    pub(crate) fn stands(layer: Layer) -> bool {
        LEFT_OUT
            .get()
            .is_none_or(|(layers, _)| !layers.contains(&layer) && layer != Layer::SelfTest)
    }

    /// Compiles a filter, without the rules that are left out.
    pub(crate) fn compile(arch: Arch, spec: &Spec) -> Program {
        let groups = LEFT_OUT.get().map_or(&[][..], |(_, groups)| groups);
        filter::compile_without(arch, spec, groups)
    }

    /// Runs a worker without some layers: words joined by `+`, such as `sockets+landlock-ports`.
    ///
    /// # Panics
    /// When a word is no layer, or this process has left out others before.
    #[must_use]
    pub fn main_without(words: &str) -> ExitCode {
        let (mut layers, mut groups) = (Vec::new(), Vec::new());
        for word in words.split('+') {
            match word {
                "landlock-files" => layers.push(Layer::LandlockFiles),
                "landlock-ports" => layers.push(Layer::LandlockPorts),
                "scopes" => layers.push(Layer::Scopes),
                "nested-domain" => layers.push(Layer::NestedDomain),
                "closing" => layers.push(Layer::Closing),
                "closing-on-exec" => layers.push(Layer::ClosingOnExec),
                "capabilities" => layers.push(Layer::Capabilities),
                "session" => layers.push(Layer::Session),
                "listener" => layers.push(Layer::Listener),
                "network-namespace" => layers.push(Layer::NetworkNamespace),
                "ipc-namespace" => layers.push(Layer::IpcNamespace),
                "mount-namespace" => layers.push(Layer::MountNamespace),
                "pid-namespace" => layers.push(Layer::PidNamespace),
                "environment" => layers.push(Layer::Environment),
                "lifeline" => layers.push(Layer::Lifeline),
                "limits" => layers.push(Layer::Limits),
                "reaper" => layers.push(Layer::Reaper),
                "filter-sockets" => groups.push(Group::Sockets),
                "filter-connects" => groups.push(Group::Connects),
                "filter-processes" => groups.push(Group::Processes),
                "filter-files" => groups.push(Group::Files),
                "filter-requests" => groups.push(Group::Requests),
                "filter-host" => groups.push(Group::Host),
                "filter-metadata" => groups.push(Group::Metadata),
                "filter-numbers" => groups.push(Group::Numbers),
                other => panic!("`{other}` is no layer"),
            }
        }
        let fresh = LEFT_OUT.set((layers, groups));
        assert!(fresh.is_ok(), "layers are left out once");
        crate::main()
    }
}

#[cfg(feature = "leave-out")]
pub use lacking::main_without;
#[cfg(feature = "leave-out")]
pub(crate) use lacking::{compile, stands};
#[cfg(not(feature = "leave-out"))]
pub(crate) use whole::{compile, stands};
