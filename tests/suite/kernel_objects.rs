//! The kernel's own stores: keyrings and System V shared memory of the user.

use crate::site;
use tests::prey::Stores;
use tests::{Identity, hostile};

#[test]
fn a_build_that_searches_keyrings_and_shared_memory_finds_and_leaves_nothing() {
    let python = site().python(Identity::Caller);
    for feature in ["keyring", "System V memory"] {
        if !python.can(feature) {
            site().unrun.note(feature);
            return;
        }
    }
    hostile(site(), "reads_kernel_objects", |world, _| {
        Stores::lay(world)
    });
}
