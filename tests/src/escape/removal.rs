//! Layers left out of a test build, and the harm that is done then. A layer whose removal opens nothing stands
//! behind another one: then both are named.

use std::collections::BTreeSet;

use crate::prey::{Deed, Tried};
use crate::runner::Runner;
use crate::setting::{Namespaces, Setting};
use crate::site::Site;
use crate::world::World;

/// One or more layers that are left out, what is tried then, and what comes of it.
#[derive(Clone, Copy, Debug)]
pub struct Removal {
    /// The layers, joined by `+`.
    pub layers: &'static str,
    /// Whether there are namespaces.
    pub namespaces: Namespaces,
    /// The deed.
    pub fixture: &'static str,
    /// The harm that it does; nothing where something else holds as well.
    pub opens: &'static [&'static str],
    /// What holds as well, where nothing is done.
    pub behind: &'static str,
}

const NS: Namespaces = Namespaces::Allowed;
const CONFINED: Namespaces = Namespaces::Denied;

const SECRETS: &[&str] = &[
    ".ssh/id_rsa",
    ".aws/credentials",
    ".netrc",
    ".pypirc",
    ".config/pip/pip.conf",
    "linked",
    "pinned",
    "printed",
    "included",
    "listed",
];

const TENANTS: &[&str] = &["scratch", "names", "source", "wheel", "planted", "poisoned"];

const fn opens(
    layers: &'static str,
    namespaces: Namespaces,
    fixture: &'static str,
    opens: &'static [&'static str],
) -> Removal {
    Removal {
        layers,
        namespaces,
        fixture,
        opens,
        behind: "",
    }
}

const fn behind(
    layers: &'static str,
    namespaces: Namespaces,
    fixture: &'static str,
    behind: &'static str,
) -> Removal {
    Removal {
        layers,
        namespaces,
        fixture,
        opens: &[],
        behind,
    }
}

impl Removal {
    /// Every removal that is tried.
    pub const ALL: &[Self] = &[
        opens("landlock-files", CONFINED, "reads_secrets", SECRETS),
        opens(
            "landlock-files",
            CONFINED,
            "writes_outside",
            &[
                "written",
                "appended",
                "cut",
                "removed",
                "written through a link",
                "written through a hard link",
                "replaced",
                "moved in",
                "created",
                "made",
                "moved out",
                "own folder",
                ".cache/pip",
                ".ccache",
                ".cargo/registry",
                "/tmp",
                "/var/tmp",
                "/dev/shm",
            ],
        ),
        opens(
            "landlock-files",
            CONFINED,
            "reads_processes",
            &["arguments"],
        ),
        behind("landlock-files", NS, "reads_secrets", "mount-namespace"),
        behind("landlock-files", NS, "writes_outside", "mount-namespace"),
        opens(
            "filter-sockets",
            CONFINED,
            "connects_to_ports",
            &["fast open", "udp"],
        ),
        opens(
            "filter-sockets+filter-connects",
            CONFINED,
            "connects_to_ports",
            &["fast open", "mptcp", "udp", "udp connected"],
        ),
        opens(
            "filter-sockets",
            CONFINED,
            "opens_sockets",
            &["a listening socket", "a netlink socket", "an open port"],
        ),
        opens(
            "filter-sockets",
            CONFINED,
            "connects_to_unix_sockets",
            &["datagram", "datagram of a pair"],
        ),
        behind(
            "filter-sockets",
            NS,
            "connects_to_ports",
            "network-namespace",
        ),
        behind(
            "landlock-ports",
            CONFINED,
            "connects_to_ports",
            "filter-sockets",
        ),
        opens(
            "filter-sockets+filter-connects+landlock-ports",
            CONFINED,
            "connects_to_ports",
            &[
                "tcp",
                "tcp6",
                "fast open",
                "mptcp",
                "shell",
                "udp",
                "udp connected",
            ],
        ),
        behind(
            "network-namespace",
            NS,
            "connects_to_ports",
            "filter-sockets",
        ),
        opens(
            "network-namespace+filter-sockets",
            NS,
            "connects_to_ports",
            &["fast open", "udp"],
        ),
        opens(
            "filter-connects",
            CONFINED,
            "connects_to_unix_sockets",
            &["stream", "stream through a link", "packets"],
        ),
        opens(
            "filter-metadata",
            CONFINED,
            "changes_metadata",
            &[
                "mode",
                "mode by descriptor",
                "mode by newest call",
                "mode by empty path",
                "mode through a link",
                "folder",
                "times",
                "attribute",
                "removed attribute",
            ],
        ),
        behind("filter-metadata", NS, "changes_metadata", "mount-namespace"),
        opens(
            "filter-processes",
            CONFINED,
            "tunes_processes",
            &[
                "limit",
                "nice",
                "processors",
                "scheduler",
                "input and output",
            ],
        ),
        behind("filter-processes", CONFINED, "reads_processes", "scopes"),
        opens(
            "filter-processes",
            NS,
            "makes_namespaces",
            &[
                "1 more user namespaces",
                "2 more user namespaces",
                "3 more user namespaces",
                "capabilities",
            ],
        ),
        opens(
            "filter-host",
            CONFINED,
            "reads_kernel_objects",
            &[
                "key",
                "search",
                "memory",
                "left key",
                "changed memory",
                "left memory",
            ],
        ),
        opens(
            "filter-host+landlock-files",
            CONFINED,
            "reads_kernel_objects",
            &[
                "key",
                "search",
                "memory",
                "left key",
                "changed memory",
                "left memory",
                "message",
            ],
        ),
        behind("ipc-namespace", NS, "reads_kernel_objects", "filter-host"),
        opens(
            "mount-namespace",
            NS,
            "changes_metadata",
            &[
                "mode",
                "mode by descriptor",
                "mode by newest call",
                "mode by empty path",
                "mode through a link",
                "folder",
                "times",
                "attribute",
                "removed attribute",
            ],
        ),
        behind("mount-namespace", NS, "reads_secrets", "landlock-files"),
        opens(
            "mount-namespace+landlock-files",
            NS,
            "reads_secrets",
            SECRETS,
        ),
        opens(
            "mount-namespace+landlock-files",
            NS,
            "robs_tenants",
            TENANTS,
        ),
        behind("landlock-files", NS, "robs_tenants", "mount-namespace"),
        opens("landlock-files", CONFINED, "robs_tenants", TENANTS),
        opens(
            "landlock-files",
            CONFINED,
            "writes_what_it_may_read",
            &["written", "appended", "linked", "removed", "planted"],
        ),
        opens(
            "filter-metadata",
            CONFINED,
            "writes_what_it_may_read",
            &["mode", "times"],
        ),
        opens(
            "filter-requests",
            CONFINED,
            "writes_what_it_may_read",
            &["flag"],
        ),
        behind(
            "filter-requests",
            NS,
            "writes_what_it_may_read",
            "mount-namespace",
        ),
        behind(
            "filter-requests",
            CONFINED,
            "types_into_the_terminal",
            "session",
        ),
        opens("pid-namespace", NS, "reads_processes", &["arguments"]),
        behind("pid-namespace", NS, "signals_processes", "scopes"),
        behind("pid-namespace", NS, "leaves_daemons", "reaper"),
        behind(
            "environment",
            CONFINED,
            "reads_environment",
            "clearing-variables",
        ),
        behind(
            "clearing-variables",
            CONFINED,
            "reads_environment",
            "environment",
        ),
        opens(
            "environment+clearing-variables",
            CONFINED,
            "reads_environment",
            &["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PYPI_TOKEN"],
        ),
        opens("lifeline", CONFINED, "outlives", &["a process"]),
        opens("lifeline", NS, "outlives", &["a process"]),
        opens(
            "filter-host",
            CONFINED,
            "calls_the_kernel",
            &["io_uring", "userfaultfd", "perf", "hidden memory"],
        ),
        opens(
            "filter-processes",
            CONFINED,
            "calls_the_kernel",
            &["personality"],
        ),
        opens(
            "filter-sockets",
            CONFINED,
            "calls_the_kernel",
            &["AF_VSOCK", "UDP-Lite"],
        ),
        opens("filter-files", CONFINED, "calls_the_kernel", &["fanotify"]),
        opens(
            "landlock-files",
            CONFINED,
            "calls_the_kernel",
            &["terminal"],
        ),
        opens("filter-files", CONFINED, "watches_files", &["names"]),
        opens(
            "filter-files",
            CONFINED,
            "makes_set_id_files",
            &["by-open", "by-creat", "by-openat2", "by-mknod"],
        ),
        behind(
            "capabilities",
            NS,
            "makes_namespaces",
            "exec under no_new_privs",
        ),
        behind("closing", CONFINED, "reads_descriptors", "closing-on-exec"),
        behind("closing-on-exec", CONFINED, "reads_descriptors", "closing"),
        opens(
            "closing+closing-on-exec",
            CONFINED,
            "reads_descriptors",
            &["read", "listed", "written", "sent"],
        ),
        opens(
            "limits",
            CONFINED,
            "waits",
            &[
                "Max file size",
                "Max cpu time",
                "Max processes",
                "Max data size",
                "Max open files",
                "Max core file size",
                "Max locked memory",
                "Max msgqueue size",
                "Max pending signals",
            ],
        ),
        behind("reaper", CONFINED, "leaves_daemons", "supervisor"),
        behind("reaper", NS, "leaves_daemons", "pid-namespace"),
    ];

    /// Tries it as the least privileged user that this host has, with namespaces or without; nothing where the host
    /// has no such setting.
    #[must_use]
    pub fn attempt(&self, site: &Site) -> Option<Tried> {
        let settings = Setting::all(site);
        let setting = settings
            .iter()
            .rfind(|setting| setting.namespaces == self.namespaces)?;
        let world = World::new(site, *setting);
        Some(Deed::named(self.fixture).attempt(&world, &Runner::Lacking(self.layers.to_owned())))
    }

    /// Says what is wrong if other harm was done than is expected.
    #[must_use]
    pub fn mistake(&self, tried: &Tried) -> Option<String> {
        let possible = tried.possible.iter();
        let expected: BTreeSet<_> = possible
            .filter(|harm| self.expects(harm))
            .cloned()
            .collect();
        let is_right = tried.harm == expected && self.opens.is_empty() == expected.is_empty();
        let Tried { harm, said, .. } = tried;
        (!is_right).then(|| format!("{self:?} let {harm:?} be done: {said}"))
    }

    /// Whether a harm is one of those that are opened; the folders that everybody shares are named with their files.
    #[must_use]
    pub fn expects(&self, harm: &str) -> bool {
        self.opens.iter().any(|way| super::table::is(way, harm))
    }
}
