//! Installing into real folders.
