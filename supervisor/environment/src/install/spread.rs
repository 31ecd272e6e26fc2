//! Spreading a wheel (PEP 427): which member goes where, which become programs, what is written besides.

use std::io::Write;

use super::InstallError;
use super::entry_points::{self, Program};
use super::record::{self, Installed};
use super::script::{self, Starter};
use super::tree::{Tree, printable};
use super::wheel::{Member, Wheel};

/// Where the parts of a wheel belong. All relative to the tree's root; data belongs to the root itself.
#[derive(Clone, Debug)]
pub(crate) struct Scheme<'a> {
    /// Packages, pure or not; empty for the root.
    pub(crate) site_packages: String,
    /// Programs.
    pub(crate) scripts: String,
    /// Folders of headers, one a distribution.
    pub(crate) headers: String,
    /// How programs find their Python.
    pub(crate) starter: Starter<'a>,
}

/// Writes a wheel's files into the tree, INSTALLER and further `documents` of its `.dist-info`
/// (name and content), and returns what there is now. RECORD is still missing, see [`write_record`].
pub(crate) fn spread(
    wheel: &mut Wheel,
    tree: &mut Tree,
    scheme: &Scheme<'_>,
    documents: &[(&str, Vec<u8>)],
) -> Result<Vec<Installed>, InstallError> {
    let programs = programs(wheel)?;
    let mut spread = Spread {
        wheel,
        tree,
        scheme,
        installed: Vec::new(),
    };
    let ours = ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json"]
        .map(|name| spread.wheel.dist_info(name));
    for member in spread.wheel.members.clone() {
        if ours.contains(&member.path) {
            continue;
        }
        match spread.place(&member.path)? {
            Place::File(path) => spread.file(&member, &path, member.executable)?,
            Place::Script(name) if is_made(&name, &programs) => {}
            Place::Script(name) => {
                let path = joined(&scheme.scripts, &name);
                if !spread.rewritten(&member, &path)? {
                    spread.file(&member, &path, true)?;
                }
            }
        }
    }
    for program in &programs {
        let path = joined(&scheme.scripts, &program.name);
        spread.put(&path, &script::of_program(program, scheme.starter), true)?;
    }
    let installer = ("INSTALLER", b"fumehood\n".to_vec());
    for (name, text) in std::iter::once(&installer).chain(documents) {
        let path = joined(&scheme.site_packages, &spread.wheel.dist_info(name));
        spread.put(&path, text, false)?;
    }
    Ok(spread.installed)
}

/// Writes the RECORD of what was installed. `of` is the wheel's file name and the name of its
/// `.dist-info` folder.
pub(crate) fn write_record(
    tree: &mut Tree,
    scheme: &Scheme<'_>,
    of: (&str, &str),
    installed: Vec<Installed>,
) -> Result<(), InstallError> {
    let (label, info) = of;
    let own = format!("{info}/RECORD");
    let text = record::write(installed, &scheme.site_packages, &own);
    tree.put(&joined(&scheme.site_packages, &own), &text, false, label)?;
    Ok(())
}

/// Returns the path of something in a folder, which is empty for the root.
pub(crate) fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// Returns the programs that the entry points name.
fn programs(wheel: &mut Wheel) -> Result<Vec<Program>, InstallError> {
    let Some(text) = wheel.document("entry_points.txt")? else {
        return Ok(Vec::new());
    };
    let text = String::from_utf8(text)
        .map_err(|_| wheel.refused("its entry_points.txt is not UTF-8".to_owned()))?;
    entry_points::programs(&text).map_err(|why| wheel.refused(why))
}

/// Whether a script is a wrapper of a program that we make ourselves; older build tools put such
/// wrappers into wheels.
fn is_made(script: &str, programs: &[Program]) -> bool {
    let name = [".exe", "-script.py", ".pya"]
        .iter()
        .find_map(|end| script.strip_suffix(end))
        .unwrap_or(script);
    programs.iter().any(|program| program.name == name)
}

/// One wheel on its way into the tree.
struct Spread<'a> {
    wheel: &'a mut Wheel,
    tree: &'a mut Tree,
    scheme: &'a Scheme<'a>,
    installed: Vec<Installed>,
}

impl Spread<'_> {
    /// Returns where a member belongs.
    fn place(&self, path: &str) -> Result<Place, InstallError> {
        let scheme = self.scheme;
        let data = format!("{}.data/", self.wheel.stem);
        let Some(inside) = path.strip_prefix(&data) else {
            return Ok(Place::File(joined(&scheme.site_packages, path)));
        };
        let (kind, rest) = inside.split_once('/').unwrap_or((inside, ""));
        Ok(match kind {
            _ if rest.is_empty() => {
                return Err(self
                    .wheel
                    .refused("its .data folder holds a file".to_owned()));
            }
            "purelib" | "platlib" => Place::File(joined(&scheme.site_packages, rest)),
            "scripts" => Place::Script(rest.to_owned()),
            "headers" => {
                let folder = joined(&scheme.headers, &self.wheel.distribution);
                Place::File(joined(&folder, rest))
            }
            "data" => Place::File(rest.to_owned()),
            _ => {
                return Err(self.wheel.refused(format!(
                    "its .data folder holds the unknown kind `{}`",
                    printable(kind)
                )));
            }
        })
    }

    /// Copies a member, checking it on the way.
    fn file(&mut self, member: &Member, path: &str, executable: bool) -> Result<(), InstallError> {
        let label = self.wheel.label.clone();
        let Some(sha256) = self.wheel.stated_sha256(member) else {
            let bytes = self.wheel.checked_bytes(member)?;
            return self.put(path, &bytes, executable);
        };
        if let Some(mut file) = self.tree.claim(path, sha256, executable, &label)? {
            let full = self.tree.root().join(path);
            self.wheel.extract(member, |chunk| {
                file.write_all(chunk)
                    .map_err(InstallError::io("write", &full))
            })?;
            self.tree.finish(path, &file, executable)?;
        }
        self.installed.push(Installed {
            path: path.to_owned(),
            content: Some((sha256, member.size)),
        });
        Ok(())
    }

    /// Installs a script that is written for `python`; false if it is of another kind.
    fn rewritten(&mut self, member: &Member, path: &str) -> Result<bool, InstallError> {
        const START: &[u8] = b"#!python";
        let mut start = Vec::new();
        // Reads the whole member; scripts are small, and programs among them are few.
        self.wheel.extract(member, |chunk| {
            let missing = START.len() - start.len();
            start.extend_from_slice(&chunk[..missing.min(chunk.len())]);
            Ok(())
        })?;
        if start != START {
            return Ok(false);
        }
        let bytes = self.wheel.checked_bytes(member)?;
        match script::of_script(&bytes, self.scheme.starter)
            .map_err(|why| self.wheel.refused(why))?
        {
            None => Ok(false),
            Some(text) => self.put(path, &text, true).map(|()| true),
        }
    }

    fn put(&mut self, path: &str, bytes: &[u8], executable: bool) -> Result<(), InstallError> {
        let sha256 = self.tree.put(path, bytes, executable, &self.wheel.label)?;
        self.installed.push(Installed {
            path: path.to_owned(),
            content: Some((sha256, bytes.len() as u64)),
        });
        Ok(())
    }
}

enum Place {
    File(String),
    /// In the folder of programs.
    Script(String),
}
