//! What a build uses, counted from outside: its processes, what they hold open, what lies in its rooms.

mod held;
mod rooms;
mod tree;

pub(super) use held::Held;
pub(super) use rooms::{Amount, Rooms};
pub(super) use tree::Tree;
