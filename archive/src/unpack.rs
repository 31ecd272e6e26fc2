//! Lays an archive's tree down in a folder, after the whole of it was judged.

use std::fs::File;
use std::io::Read;
use std::os::fd::BorrowedFd;

use crate::guard::shown;
use crate::links::Node;
use crate::member::{Member, Visitor, What, drain};
use crate::plan::{Plan, Tree};
use crate::tree::Writer;
use crate::walk::walk;
use crate::{Budget, Kind, Refusal, Top};

/// What was laid down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// Files, folders and links.
    pub members: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// The folder that was stripped, if one was.
    pub top_folder: Option<String>,
    /// Oddities that were accepted, such as names that differ only in case; printable.
    pub notes: Vec<String>,
}

/// Unpacks `archive` into the empty folder `into`.
///
/// Files get mode 0644 or 0755 and folders 0755, less the umask; times are those of the archive,
/// not earlier than 1980; hard links become copies; symbolic links come last and only if they stay
/// inside. The archive's headers are judged before anything is written; what only shows in the data
/// (a wrong checksum) leaves a partial tree behind, which is the caller's to throw away.
///
/// # Errors
/// The first rule that is broken, or the failure of an operation.
pub fn unpack(
    archive: &File,
    into: BorrowedFd<'_>,
    top: Top,
    budget: &Budget,
) -> Result<Unpacked, Refusal> {
    let kind = Kind::of(archive)?;
    let mut plan = Plan::new(budget);
    walk(archive, kind, budget, &mut plan)?;
    let mut laying = Laying {
        tree: plan.finish(top)?,
        writer: Writer::new(into),
    };
    walk(archive, kind, budget, &mut laying)?;
    laying.finish()
}

impl Unpacked {
    /// Returns what an archive that has passed lays down.
    pub(crate) fn of(tree: Tree) -> Self {
        Self {
            members: tree.members,
            bytes: tree.bytes,
            top_folder: tree.strip.map(|folder| shown(folder.as_bytes())),
            notes: tree.notes,
        }
    }
}

/// The second walk.
struct Laying<'a> {
    tree: Tree,
    writer: Writer<'a>,
}

impl Laying<'_> {
    fn finish(mut self) -> Result<Unpacked, Refusal> {
        for link in &self.tree.links {
            let Some(Node::Link { target }) = self.tree.names.get(link) else {
                continue;
            };
            if let Some(place) = self.tree.place(link)? {
                self.writer.link(place, target)?;
            }
        }
        Ok(Unpacked::of(self.tree))
    }

    /// Copies an earlier file; a link to itself is there already.
    fn copy(&mut self, member: &Member, place: &str, target: &str) -> Result<(), Refusal> {
        if target == member.path.as_str() {
            return Ok(());
        }
        let Some(from) = self.tree.place(target)? else {
            return Err(Refusal::HardLink {
                member: member.path.to_string(),
                target: shown(target.as_bytes()),
            });
        };
        let mut from = self.writer.reopen(from)?;
        let metadata = from.metadata().map_err(Refusal::reading)?;
        let executable = std::os::unix::fs::MetadataExt::mode(&metadata) & 0o100 != 0;
        let mut file = self.writer.create(place, executable)?;
        file.copy(&mut from)?;
        file.finish(member.mtime)
    }
}

impl Visitor for Laying<'_> {
    fn member(&mut self, member: &Member, content: &mut dyn Read) -> Result<(), Refusal> {
        let Some(place) = self.tree.place(member.path.as_str())? else {
            return Ok(());
        };
        match &member.what {
            What::Folder => self.writer.folder(place),
            What::File { size, executable } => {
                let mut file = self.writer.create(place, *executable)?;
                drain(content, *size, |piece| file.write(piece))?;
                file.finish(member.mtime)
            }
            What::HardLink { target } => self.copy(member, place, target.as_str()),
            What::Symlink { .. } => Ok(()),
        }
    }
}
