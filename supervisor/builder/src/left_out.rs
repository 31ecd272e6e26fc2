//! Layers of this side that a test build leaves out, to show that each of them holds something.
//!
//! Without the feature `leave-out`, which no shipped program has, every layer stands: there is nothing
//! to switch, and what asks is a constant.

/// One thing that the supervisor does for isolation, whatever its workers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// Workers start without a variable.
    ClearingVariables,
    /// Workers are not believed: what they started is looked at from outside, and what they leave is ended.
    Supervisor,
    /// Decoys are watched.
    Watch,
}

#[cfg(not(feature = "leave-out"))]
mod whole {
    /// Whether a layer stands: it does.
    pub(crate) const fn stands(_: super::Layer) -> bool {
        true
    }
}

#[cfg(feature = "leave-out")]
mod lacking {
    use std::sync::OnceLock;

    use super::Layer;

    static LEFT_OUT: OnceLock<Vec<Layer>> = OnceLock::new();

    /// Whether a layer stands.
    pub(crate) fn stands(layer: Layer) -> bool {
        LEFT_OUT.get().is_none_or(|layers| !layers.contains(&layer))
    }

    /// Has this process do without some layers: words joined by `+`, such as `supervisor+watch`.
    ///
    /// # Panics
    /// When a word is no layer, or this process has left out others before.
    pub fn leave_out(words: &str) {
        let layers = words.split('+').map(|word| match word {
            "clearing-variables" => Layer::ClearingVariables,
            "supervisor" => Layer::Supervisor,
            "watch" => Layer::Watch,
            other => panic!("`{other}` is no layer of the supervisor"),
        });
        let fresh = LEFT_OUT.set(layers.collect());
        assert!(fresh.is_ok(), "layers are left out once");
    }
}

#[cfg(feature = "leave-out")]
pub use lacking::leave_out;
#[cfg(feature = "leave-out")]
pub(crate) use lacking::stands;
#[cfg(not(feature = "leave-out"))]
pub(crate) use whole::stands;
