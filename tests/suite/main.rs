//! The suite: what the shipped program promises, one sentence a test.

use std::sync::OnceLock;

use tests::{Setting, Site, World};

mod approvals;
mod archives;
mod backends;
mod build;
mod ceiling;
mod check;
mod cli;
mod concurrency;
mod configuration;
mod containers;
mod crash;
mod credentials;
mod decoys;
mod deeds;
mod default_index;
mod dependencies;
mod described;
mod environment_looks;
mod environments;
mod escape;
mod fetching;
mod force;
mod formats;
mod founding;
mod freshness;
mod full;
mod git;
mod healing;
mod hints;
mod index;
mod index_maps;
mod install;
mod interpreters;
mod isolation;
mod jobs;
mod jobs_of_tools;
mod kernel_objects;
mod keys;
mod killed;
mod layout;
mod leases;
mod levels;
mod limits;
mod local_sockets;
mod local_sources;
mod look;
mod lower_caches;
mod match_runtime;
mod matrix;
mod metadata;
mod needs;
mod order;
mod outputs;
mod packages;
mod places;
mod processes;
mod projects;
mod promises;
mod races;
mod real;
mod refused_lines;
mod removal;
mod requirement_files;
mod retrace;
mod scratches;
mod sdists;
mod shell;
mod sockets;
mod terminal;
mod traced;
mod unfit_places;
mod url_twice;
mod uv;
mod warm;
mod wheel_files;
mod wheel_metadata;
mod wheel_urls;
mod without_cache;
mod without_links;
mod workers;

/// Returns what the suite stands on.
fn site() -> &'static Site {
    static SITE: OnceLock<Site> = OnceLock::new();
    SITE.get_or_init(|| {
        Site::new(
            env!("CARGO_BIN_EXE_fumehood-under-test"),
            env!("CARGO_BIN_EXE_warden"),
            env!("CARGO_TARGET_TMPDIR"),
        )
    })
}

/// Returns a world of the caller on the host as it is.
fn world() -> World<'static> {
    World::new(site(), Setting::PLAIN)
}
