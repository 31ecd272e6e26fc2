//! Files as people write them, read from memory.

mod constructs;
mod groups;
mod locks;
mod properties;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::str::FromStr as _;

use model::ExtraName;

use crate::collect::plain;
use crate::{Asked, Collected, Extras, Line, Means, RequirementsError, Stated, Wish, collect};

/// Files and variables.
#[derive(Default)]
struct World {
    files: BTreeMap<String, Vec<u8>>,
    variables: BTreeMap<String, String>,
    extras: Extras,
}

impl World {
    fn file(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.files
            .insert(name.to_owned(), content.as_ref().to_vec());
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn extra(mut self, names: &[&str]) -> Self {
        let names = names.iter().map(|name| ExtraName::from_str(name).unwrap());
        self.extras.names = names.collect::<BTreeSet<_>>();
        self
    }

    fn collect(&self, wishes: &[Wish]) -> Result<Collected, RequirementsError> {
        let read = |path: &Path| {
            let name = plain(path).to_string_lossy().into_owned();
            let found = self.files.get(&name).cloned();
            found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        };
        let variable = |name: &str| self.variables.get(name).cloned();
        let exists = |path: &Path| self.files.contains_key(&*path.to_string_lossy());
        let means = Means {
            read: &read,
            variable: &variable,
            exists: &exists,
        };
        collect(wishes, &self.extras, &means)
    }

    fn requirements(&self, name: &str) -> Result<Collected, RequirementsError> {
        self.collect(&[Wish::Requirements(name.to_owned())])
    }

    fn error(&self, name: &str) -> String {
        self.requirements(name).unwrap_err().to_string()
    }
}

/// Reads a text as `r.txt`.
fn read(text: &str) -> Result<Collected, RequirementsError> {
    World::default().file("r.txt", text).requirements("r.txt")
}

fn lines(collected: &Collected) -> Vec<&Line> {
    let lines = collected.asked.iter().filter_map(|asked| match asked {
        Asked::Line(line) => Some(line),
        Asked::Lock(_) => None,
    });
    lines.collect()
}

/// What is asked for, in words.
fn texts(collected: &Collected) -> Vec<String> {
    let texts = lines(collected).into_iter().map(|line| match &line.stated {
        Stated::Text(text) => text.clone(),
        Stated::Requirement(requirement) => requirement.to_string(),
    });
    texts.collect()
}
