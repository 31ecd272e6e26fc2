//! Sockets: nothing goes out and nothing comes in, whatever the protocol.

use crate::site;
use tests::hostile;
use tests::prey::{Doors, Ears};

#[test]
fn a_build_that_connects_to_the_agents_socket_reaches_nobody() {
    hostile(site(), "connects_to_unix_sockets", Ears::unix);
}

#[test]
fn a_build_that_sends_over_the_network_reaches_nobody() {
    hostile(site(), "connects_to_ports", Ears::ports);
}

#[test]
fn a_build_that_listens_or_asks_the_kernel_about_the_network_opens_no_door() {
    hostile(site(), "opens_sockets", |_, _| Doors::default());
}
