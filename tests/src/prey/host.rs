//! What a host tells of itself, and what a terminal obeys.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

use serde_json::{Value, json};

use super::told;
use crate::decoy::secret;
use crate::{Outcome, Prey, World};

/// Facts of this host by the way in which the deed goes after them: the harm is that one turns up.
#[derive(Debug)]
pub struct Facts {
    by_way: BTreeMap<&'static str, String>,
}

/// Files with one line that is this host's alone.
const FILES: [(&str, &str); 3] = [
    ("boot", "/proc/sys/kernel/random/boot_id"),
    ("machine", "/etc/machine-id"),
    ("symbols", "/proc/kallsyms"),
];

impl Facts {
    /// Takes in what the user of a world may know.
    #[must_use]
    pub fn lay(world: &World<'_>) -> Self {
        let root = world.setting.identity.uid() == 0;
        let mut by_way = BTreeMap::new();
        for (way, path) in FILES
            .into_iter()
            .filter(|(way, _)| root || *way != "symbols")
        {
            let text = fs::read_to_string(path).unwrap_or_default();
            // The addresses of symbols are zeros for whoever may not know them, and zeros identify nobody.
            let line = text.lines().take(40).find(|line| !line.starts_with("0000"));
            if let Some(line) = line.filter(|line| line.len() > 8) {
                by_way.insert(way, line.to_owned());
            }
        }
        let everybodys = fs::read_to_string("/proc/sys/kernel/dmesg_restrict");
        if (root || everybodys.is_ok_and(|text| text.trim() == "0"))
            && let Some(line) = log()
        {
            by_way.insert("log by call", line.clone());
            by_way.insert("log by device", line);
        }
        Self { by_way }
    }
}

/// The text of a record of the kernel's log that stands nowhere else.
fn log() -> Option<String> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(nix::libc::O_NONBLOCK);
    let mut log = options.open("/dev/kmsg").ok()?;
    let mut found = None;
    let mut record = [0; 8192];
    while let Ok(length @ 1..) = log.read(&mut record) {
        let text = String::from_utf8_lossy(&record[..length]);
        let line = text
            .split_once(';')
            .and_then(|(_, text)| text.lines().next());
        let plain = line.filter(|line| {
            line.len() > 20 && line.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        });
        // Neither quoted nor escaped in a report.
        let plain = plain.filter(|line| !line.contains(['"', '\\', '<', '>']));
        found = plain.map(str::to_owned).or(found);
    }
    found
}

impl Prey for Facts {
    fn targets(&self) -> Value {
        json!({"files": FILES.map(|(_, path)| path)})
    }

    fn possible(&self) -> BTreeSet<String> {
        self.by_way.keys().map(|way| (*way).to_owned()).collect()
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        told(done, &self.by_way)
    }
}

/// Orders to a terminal: the harm is that one reaches whoever looks at what the program says.
#[derive(Debug)]
pub struct Orders {
    by_way: BTreeMap<&'static str, String>,
}

impl Default for Orders {
    fn default() -> Self {
        let with = |before: &str, after: &str| format!("{before}{}{after}", secret());
        Self {
            by_way: BTreeMap::from([
                ("title", with("\x1b]0;", "\x07")),
                ("colour", with("\x1b[31m", "\x1b[0m")),
                ("jump", with("\u{9b}2J", "")),
                ("over the line", with("hidden\r", "")),
                ("backwards", with("\u{202e}", "\u{202c}")),
            ]),
        }
    }
}

impl Prey for Orders {
    fn targets(&self) -> Value {
        json!(self.by_way)
    }

    /// The program shows what a build prints when it is asked to.
    fn arguments(&self) -> Vec<OsString> {
        vec!["-v".into()]
    }

    fn possible(&self) -> BTreeSet<String> {
        self.by_way.keys().map(|way| (*way).to_owned()).collect()
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        let arrived = self.by_way.iter();
        let arrived = arrived.filter(|(_, order)| {
            done.stdout.contains(order.as_str()) || done.stderr.contains(order.as_str())
        });
        arrived.map(|(way, _)| (*way).to_owned()).collect()
    }
}
