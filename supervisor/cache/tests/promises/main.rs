//! What the cache promises, tried on the real kernel and real file systems, as root and not.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can not go on has failed; the lint spares only test functions"
)]

mod blob;
mod check;
mod deliver;
mod force;
mod full;
mod killed;
mod layer;
mod lock;
mod order;
mod place;
mod prune;
mod publish;
mod removal;
mod root;
mod scratch;
mod shelves;
mod support;
mod sweep;
