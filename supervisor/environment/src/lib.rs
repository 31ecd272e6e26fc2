//! Equip: interpreters, resolution of build requirements, immutable environments.
