//! Control groups: one for each run of a worker, where this process may make some.
//!
//! The worker is put into its group before it is told anything, so that whatever it starts is born
//! there. A group that can not be made is no error: it is missing in the vector of guarantees.

mod made;
mod parents;

pub(super) use made::Group;
pub(super) use parents::Parents;
