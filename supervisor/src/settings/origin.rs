//! Where a value came from.

use super::configuration::Place;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Typed, under this flag.
    Flag(&'static str),
    /// The variable of this name.
    Variable(&'static str),
    /// A line of a configuration file.
    File(Place),
    /// A line of a file of requirements that was typed.
    Requirements(model::LinePlace),
    /// Nothing of these.
    Default,
}

impl Origin {
    /// Whether what comes from here may widen what builds may touch and use.
    pub(crate) fn widens(&self) -> bool {
        match self {
            Self::Flag(_) | Self::Requirements(_) | Self::Default => true,
            Self::Variable(_) => false,
            Self::File(place) => place.layer.widens(),
        }
    }

    /// Whether both stand in the same layer: typed, in a variable, or in the same file.
    pub(crate) fn is_of_the_layer_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(other)) => one.file == other.file,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => write!(out, "`{flag}`"),
            Self::Variable(name) => write!(out, "the variable {name}"),
            Self::File(place) => place.fmt(out),
            Self::Requirements(place) => place.fmt(out),
            Self::Default => out.write_str("the default"),
        }
    }
}

/// A value that knows where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it came from.
    pub(crate) origin: Origin,
}
