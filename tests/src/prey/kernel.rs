//! What the kernel gives on request and no build needs, seen in the tables of the processes that hold it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::processes::Process;
use crate::{Held, Outcome, Prey, World};

/// Things of the kernel that the deed holds: the harm is that one of its processes has one.
///
/// What is possible is read from the kernel's own switches, so that it is known without a try.
#[derive(Debug)]
pub struct Kernel {
    possible: BTreeSet<String>,
    found: BTreeSet<String>,
}

/// What a descriptor's link in `/proc/PID/fd` says, and the word for it.
const LINKS: [(&str, &str); 7] = [
    ("anon_inode:[io_uring]", "io_uring"),
    ("anon_inode:bpf-map", "bpf"),
    ("anon_inode:[userfaultfd]", "userfaultfd"),
    ("anon_inode:[perf_event]", "perf"),
    ("anon_inode:[fanotify]", "fanotify"),
    ("/secretmem", "hidden memory"),
    ("ptmx", "terminal"),
];
/// Kinds of sockets as the kernel names them, and whether root alone may have them.
const SOCKETS: [(&str, bool); 6] = [
    ("RAW", true),
    ("PING", false),
    ("PACKET", true),
    ("AF_VSOCK", false),
    ("XDP", true),
    ("UDP-Lite", false),
];

impl Kernel {
    /// Reads what this kernel gives to the user of a world.
    #[must_use]
    pub fn lay(world: &World<'_>) -> Self {
        let root = world.setting.identity.uid() == 0;
        let switch = |name: &str| {
            let text = fs::read_to_string(format!("/proc/sys/{name}")).ok()?;
            text.trim().parse::<i64>().ok()
        };
        let most = |name: &str, most: i64| switch(name).is_some_and(|value| root || value <= most);
        let there = |name: &str| Path::new(name).exists();
        let own_namespaces = switch("user/max_user_namespaces").is_some_and(|most| most > 0)
            && switch("kernel/apparmor_restrict_unprivileged_userns") != Some(1)
            && switch("kernel/unprivileged_userns_clone") != Some(0);
        let foreign = cfg!(target_arch = "x86_64") && there("/proc/sys/abi/vsyscall32");
        let mut possible: BTreeSet<&str> = [
            ("io_uring", most("kernel/io_uring_disabled", 0)),
            ("bpf", most("kernel/unprivileged_bpf_disabled", 0)),
            (
                "userfaultfd",
                there("/proc/sys/vm/unprivileged_userfaultfd"),
            ),
            ("perf", most("kernel/perf_event_paranoid", 2)),
            ("fanotify", there("/proc/sys/fs/fanotify")),
            ("hidden memory", world.python().can("memfd_secret")),
            ("terminal", there("/dev/ptmx")),
            ("personality", true),
            ("a mount", own_namespaces),
            ("another root", own_namespaces),
            ("a device", root),
            ("a 32-bit call", foreign),
        ]
        .into_iter()
        .filter(|(_, possible)| *possible)
        .map(|(word, _)| word)
        .collect();
        let known = fs::read_to_string("/proc/net/protocols").unwrap_or_default();
        let is_known = |name: &str| {
            known
                .lines()
                .any(|line| line.split(' ').next() == Some(name))
        };
        possible.extend(
            SOCKETS
                .into_iter()
                .filter(|(name, for_root)| is_known(name) && (root || !for_root))
                .filter(|(name, _)| *name != "PING" || may_ping(world))
                .map(|(name, _)| name),
        );
        Self {
            possible: possible.into_iter().map(str::to_owned).collect(),
            found: BTreeSet::new(),
        }
    }

    fn look_at(&mut self, process: &Process) {
        let folder = format!("/proc/{}", process.pid);
        let entries = fs::read_dir(format!("{folder}/fd")).into_iter().flatten();
        for entry in entries.flatten() {
            let path = entry.path();
            let link = fs::read_link(&path).unwrap_or_default();
            let link = link.to_string_lossy();
            let known = LINKS.iter().filter(|(text, _)| link.contains(text));
            self.found.extend(known.map(|(_, word)| (*word).to_owned()));
            if let Some(name) = protocol(&path) {
                self.found.insert(name);
            }
        }
        let personality = fs::read_to_string(format!("{folder}/personality")).unwrap_or_default();
        if !personality.trim().trim_start_matches('0').is_empty() {
            self.found.insert("personality".into());
        }
        let mounts = fs::read_to_string(format!("{folder}/mountinfo")).unwrap_or_default();
        let mut places = mounts.lines().filter_map(|line| line.split(' ').nth(4));
        if places.any(|place| place.ends_with("/mounted")) {
            self.found.insert("a mount".into());
        }
        if Path::new(&folder).join("root/jailed").exists() {
            self.found.insert("another root".into());
        }
    }
}

/// Whether the user's group may make sockets for echo requests, icmp(7).
fn may_ping(world: &World<'_>) -> bool {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ping_group_range").unwrap_or_default();
    let range: Vec<u32> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let group = world.setting.identity.uid();
    matches!(range[..], [low, high] if (low..=high).contains(&group))
}

/// The name of a held socket's protocol, as the kernel knows it, if it is one of those that are looked for.
fn protocol(descriptor: &Path) -> Option<String> {
    let mut name = [0u8; 64];
    let length = rustix::fs::getxattr(descriptor, "system.sockprotoname", &mut name).ok()?;
    let name = String::from_utf8_lossy(&name[..length]);
    let name = name.trim_end_matches('\0');
    let known = SOCKETS.iter().any(|(known, _)| *known == name);
    known.then(|| name.to_owned())
}

impl Prey for Kernel {
    const HOLDS: bool = true;

    fn targets(&self) -> Value {
        json!({})
    }

    fn possible(&self) -> BTreeSet<String> {
        self.possible.clone()
    }

    fn look(&mut self, held: &Held) {
        for process in &held.processes {
            self.look_at(process);
        }
        let device = fs::symlink_metadata(held.folder.join("device"));
        if device.is_ok_and(|found| found.file_type().is_char_device()) {
            self.found.insert("a device".into());
        }
        if held.folder.join("by-a-32-bit-call").exists() {
            self.found.insert("a 32-bit call".into());
        }
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        self.found.clone()
    }
}
