//! The findings of `doctor` for people.

use protocol::Enforcement;

use super::findings::{Configured, Finding, Findings, Isolation};
use super::host::HostFacts;
use crate::render::{Sheet, bytes};
use crate::report::FailureEntry;

/// Returns the text, one topic a paragraph.
pub(super) fn of(findings: &Findings) -> String {
    let mut sheet = Sheet::default();
    sheet.line("fumehood", findings.fumehood);
    sheet.line("kernel", &findings.kernel);
    sheet.gap();
    configuration(&mut sheet, &findings.configuration);
    sheet.finding("isolation", &findings.isolation, isolation);
    sheet.gap();
    sheet.line("cache", &findings.cache.root);
    sheet.more(&format!("from {}", findings.cache.origin));
    if findings.cache.path != "fits" {
        sheet.more(&format!(
            "its path is {} for builds without namespaces",
            findings.cache.path
        ));
    }
    if findings.cache.noexec {
        sheet.more("mounted noexec: programs of build environments can not start there");
    }
    if findings.cache.scratches != findings.cache.root {
        sheet.more(&format!("scratches in {}", findings.cache.scratches));
    }
    if findings.cache.scratches_noexec {
        sheet
            .more("scratches can not start programs there, so nothing is built: --scratch-dir DIR");
    }
    for root in &findings.cache.read_only {
        sheet.more(&format!("above {root}, which is only read"));
    }
    host(&mut sheet, &findings.host);
    sheet.finding("python", &findings.python, |sheet, python| {
        sheet.line("python", &python.executable);
        sheet.more(&format!("{}, {}", python.version, python.platform));
        if let Some(libc) = &python.libc {
            sheet.more(libc);
        }
        sheet.more(&python.origin);
    });
    sheet.finding("index", &findings.index, |sheet, index| {
        sheet.line("index", "");
        for url in index.urls.iter().chain(&index.find_links) {
            sheet.more(url);
        }
        if let Some(origin) = &index.default_origin {
            sheet.more(&format!("the default one from {origin}"));
        }
        for explicit in &index.explicit {
            sheet.more(&format!("{explicit}, for nothing but what is mapped to it"));
        }
        for (project, name) in &index.mapped {
            sheet.more(&format!("{project} from `{name}` alone"));
        }
        for note in &index.notes {
            sheet.more(note);
        }
    });
    sheet.finding("tools", &findings.tools, |sheet, tools| {
        sheet.line("tools", "");
        for (tool, place) in tools {
            sheet.entry(tool, place.as_deref().unwrap_or("not found"));
        }
    });
    sheet.finding("jobs", &findings.jobs, |sheet, jobs| {
        sheet.line("jobs", &format!("{} at a time", jobs.at_a_time));
        sheet.more(&format!("shared by {}", jobs.shared_by.join(" and ")));
        if let Some(reason) = jobs.without_cargo {
            sheet.more(&format!("not by cargo: {reason}"));
        }
    });
    sheet.text
}

fn host(sheet: &mut Sheet, host: &HostFacts) {
    sheet.gap();
    sheet.line("places", "");
    for mount in &host.mounts {
        let options = match mount.options.as_slice() {
            [] => String::new(),
            options => format!(", {}", options.join(", ")),
        };
        let free = bytes(mount.free_bytes);
        let lies = format!(
            "{} on {}{options}; {free} free",
            mount.path, mount.file_system
        );
        sheet.more(&format!("{lies} ({})", mount.purpose));
    }
    sheet.gap();
    sheet.line(
        "groups",
        match host.control_groups.as_slice() {
            [] => "none can be made: limits are counted from outside",
            _ => "one for each build, below",
        },
    );
    for group in &host.control_groups {
        sheet.more(group);
    }
    sheet.gap();
    sheet.line("doors", "that are open to you and closed to builds");
    for socket in &host.sockets {
        sheet.more(socket);
    }
    sheet.more(match host.legacy_tiocsti {
        Some(false) => "typing into a shared terminal is off in this kernel",
        Some(true) | None => "typing into a shared terminal (TIOCSTI)",
    });
}

fn configuration(sheet: &mut Sheet, configuration: &Configured) {
    // The labels are narrow.
    sheet.line("settings", "");
    if configuration.files.is_empty() {
        sheet.more("no configuration file");
    }
    for file in &configuration.files {
        sheet.more(&format!("{} ({})", file.path, file.layer));
    }
    for note in &configuration.notes {
        sheet.more(note);
    }
    match &configuration.ceiling {
        None => sheet.entry("ceiling", "none"),
        Some(lines) => {
            for line in lines {
                sheet.entry("ceiling", line);
            }
        }
    }
}

fn isolation(sheet: &mut Sheet, isolation: &Isolation) {
    let verdict = if isolation.accepted_by_default {
        "accepted by default"
    } else {
        "below the default floor"
    };
    sheet.line("isolation", &format!("{}, {verdict}", isolation.level));
    let words: Vec<_> = isolation
        .reachable
        .iter()
        .map(|level| level.word())
        .collect();
    sheet.entry("levels", &words.join(", "));
    sheet.entry(
        "landlock",
        &match isolation.landlock_abi {
            0 => "not there".to_owned(),
            abi => format!("ABI {abi}, errata {:#x}", isolation.landlock_errata),
        },
    );
    sheet.entry("listener", if isolation.listener { "yes" } else { "no" });
    sheet.entry(
        "namespaces",
        &match &isolation.without_namespaces {
            Some(why) => format!("none: {why}"),
            None => isolation.namespaces.to_owned(),
        },
    );
    sheet.entry("builds run as", &format!("uid {}", isolation.uid));
    sheet.gap();
    sheet.line("guarantees", "");
    for (guarantee, enforcement) in &isolation.guarantees {
        let mark = match enforcement {
            Enforcement::Enforced => "enforced",
            Enforcement::Partial => "partial",
            Enforcement::Absent => "ABSENT",
        };
        sheet.entry(guarantee.word(), mark);
    }
}

impl Sheet {
    /// Adds a paragraph: the finding, or why there is none.
    fn finding<T>(&mut self, label: &str, finding: &Finding<T>, show: impl Fn(&mut Self, &T)) {
        self.gap();
        match finding {
            Finding::Found(found) => show(self, found),
            Finding::Failed(failure) => self.failure(label, failure),
        }
    }

    fn failure(&mut self, label: &str, failure: &FailureEntry) {
        self.line(
            label,
            &format!("error[{}]: {}", failure.code, failure.message),
        );
        let details = failure.details.iter().map(|detail| detail.text.as_str());
        for line in details.chain(failure.hint.as_deref()).flat_map(str::lines) {
            self.more(line);
        }
    }
}
