//! Layers left out of a test build, and the harm that is done then: read from `tests/escape/removals.txt`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::rows::listed;
use crate::prey::{Deed, Tried};
use crate::runner::Runner;
use crate::setting::{Identity, Namespaces, Setting};
use crate::site::Site;
use crate::world::World;

/// One or more layers that are left out, what is tried then, and what comes of it.
#[derive(Clone, Debug)]
pub struct Removal {
    /// The layers, joined by `+`.
    pub layers: String,
    /// Whether there are namespaces.
    pub namespaces: Namespaces,
    /// Whether root builds, and not the least privileged user.
    pub by_root: bool,
    /// The deed.
    pub fixture: String,
    /// The harm that it does; nothing where something else holds as well.
    pub opens: Vec<String>,
    /// What holds as well, where nothing is done.
    pub behind: String,
}

impl Removal {
    /// Reads every removal that is tried here; what only root can lose is tried by root alone.
    ///
    /// # Panics
    /// When a line is no removal.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("escape/removals.txt");
        let text = fs::read_to_string(path).expect("the suite's own files can be read");
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let is_root = Identity::Caller.uid() == 0;
        let all = lines.map(Self::read);
        all.filter(|one| is_root || !one.by_root).collect()
    }

    fn read(line: &str) -> Self {
        let fields: Vec<_> = line.split('|').map(str::trim).collect();
        let [layers, whereabouts, fixture, harm, behind] = fields[..] else {
            panic!("not five fields: {line}");
        };
        let namespaces = match whereabouts.split(',').next() {
            Some("ns") => Namespaces::Allowed,
            Some("confined") => Namespaces::Denied,
            _ => panic!("no level: {line}"),
        };
        let opens = listed(harm);
        assert_eq!(opens.is_empty(), !behind.is_empty(), "{line}");
        Self {
            layers: layers.into(),
            namespaces,
            by_root: whereabouts.ends_with("root"),
            fixture: fixture.into(),
            opens,
            behind: behind.into(),
        }
    }

    /// Says where it is tried.
    #[must_use]
    pub fn level(&self) -> String {
        let level = match self.namespaces {
            Namespaces::Allowed => "ns",
            Namespaces::Denied => "confined",
        };
        match self.by_root {
            true => format!("{level}, root"),
            false => level.to_owned(),
        }
    }

    /// Tries it, with namespaces or without; nothing where the host has no such setting.
    #[must_use]
    pub fn attempt(&self, site: &Site) -> Option<Tried> {
        let mut settings = Setting::all(site).into_iter();
        let setting = match self.by_root {
            true => settings.find(|one| one.namespaces == self.namespaces),
            false => settings.rfind(|one| one.namespaces == self.namespaces),
        }?;
        let world = World::new(site, setting);
        Some(Deed::named(&self.fixture).attempt(&world, &Runner::Lacking(self.layers.clone())))
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
