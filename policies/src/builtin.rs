//! The policies that are compiled in, by name.

/// The names, the narrowest first.
pub(crate) const NAMES: &[&str] = &["pure", "strict", "native"];

/// Returns the TOML of a built-in policy.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    match name {
        "pure" => Some(include_str!("../pure.toml")),
        "strict" => Some(include_str!("../strict.toml")),
        "native" => Some(include_str!("../native.toml")),
        _ => None,
    }
}
