//! A policy for people: grants and their reasons, limits, and what the kernel can not express.

use std::fmt::Write as _;

use crate::Policy;
use crate::environment::Folder;
use crate::grant::{Subject, Target};
use crate::limits::KEYS;
use crate::place::Place;

impl Policy {
    /// Returns a text of about two screens: what may be touched and why, and what no policy can stop.
    #[must_use]
    pub fn explain(&self) -> String {
        let mut text = String::new();
        self.write(&mut text)
            .expect("writing to a String does not fail");
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        write!(text, "{}: {}\n\n", self.name, self.summary)?;
        if let Some(base) = &self.extends {
            write!(text, "It adds to the policy {base}.\n\n")?;
        }
        text.push_str("A build may write its own folders (source copy, home, temporary files, output) and touch:\n");
        for rights in ["read and execute", "read", "read and write"] {
            self.write_grants(text, rights)?;
        }
        self.write_variables(text)?;
        text.push_str("\nlimits of one build\n");
        for key in &KEYS {
            let shown = key.shown(&self.limits);
            writeln!(text, "  {:<15} {shown:>10}   {}", key.name, key.meaning)?;
        }
        if !self.reuses {
            text.push_str("\nEach build gets an interpreter of its own.\n");
        }
        self.write_bounds(text)
    }

    fn write_grants(&self, text: &mut String, rights: &str) -> std::fmt::Result {
        let mut grants = self
            .written
            .iter()
            .filter(|grant| grant.rights.words() == rights)
            .peekable();
        if grants.peek().is_some() {
            write!(text, "\n{rights}\n")?;
        }
        for grant in grants {
            let from = match grant.policy == self.name {
                true => String::new(),
                false => format!("   (from {})", grant.policy),
            };
            match &grant.subject {
                Subject::Place(place) => {
                    writeln!(text, "  {}: {}{from}", place.word(), grant.why)?;
                    if let Place::Fixed { paths, .. } = place {
                        for path in *paths {
                            writeln!(text, "      {:<34} {}", path.path, path.why)?;
                        }
                    }
                }
                Subject::Path(path) => {
                    let where_it_is = if grant.optional { ", if it exists" } else { "" };
                    writeln!(text, "  {path}{where_it_is}: {}{from}", grant.why)?;
                }
            }
        }
        Ok(())
    }

    fn write_variables(&self, text: &mut String) -> std::fmt::Result {
        text.push_str(
            "\nvariables (nothing else comes from the caller unless --allow-env names it)\n",
        );
        let folders: Vec<_> = self
            .environment
            .path
            .iter()
            .map(|folder| match folder {
                Folder::Environment => "<environment>/bin".to_owned(),
                Folder::Path(path) => path.to_string(),
            })
            .collect();
        if !folders.is_empty() {
            let why = &self.environment.path_why;
            writeln!(text, "  PATH={}: {why}", folders.join(":"))?;
        }
        for (name, setting) in &self.environment.set {
            writeln!(text, "  {name}={}: {}", setting.value, setting.why)?;
        }
        for (name, why) in &self.environment.pass {
            writeln!(text, "  {name}, from the caller: {why}")?;
        }
        Ok(())
    }

    fn write_bounds(&self, text: &mut String) -> std::fmt::Result {
        text.push_str(
            "\nwhat no policy can express\n\
             \x20 - that a path exists, its size, owner and times, and where a link points, stay visible (below level `ns`)\n\
             \x20 - modes, owners and times of files are kept from change by a read-only mount or the broker, not by grants\n\
             \x20 - there is no network, whatever a policy says; sockets of the host are refused by the system-call filter\n\
             \x20 - a path that is missing is left out, and one that is a link stands for its target\n\
             \x20 - what a wheel does after it was installed\n",
        );
        let shared = self.grants.keys().any(|target| {
            matches!(target, Target::Path { path, .. } if path.to_string() == crate::guard::SHARED_MEMORY)
        });
        if shared {
            text.push_str("  - below level `ns`, /dev/shm is the host's: such builds can read and change what lies there and is theirs by owner\n");
        }
        Ok(())
    }
}
