//! Promises of the index client, over real sockets on loopback.

mod downloads;
mod failures;
mod once;
mod pages;
mod server;
mod trust;
mod world;
