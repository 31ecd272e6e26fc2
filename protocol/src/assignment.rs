//! The one complete message a worker starts from: absolute, sorted, nothing left to fill in.

use serde::{Deserialize, Serialize};

use crate::{AbsPath, Confinement, Limits};

/// All that a worker is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The folders of the scratch.
    pub rooms: Rooms,
    /// What to enforce.
    pub confinement: Confinement,
    /// What the build may use.
    pub limits: Limits,
    /// The archive to unpack into the source room first.
    pub unpack: Option<Unpack>,
    /// The program to run; none for a worker that only unpacks.
    pub program: Option<Program>,
    /// Set for a worker that serves several builds out of one interpreter, one after the other. Then the
    /// program imports the backend and has no other use, and nothing is unpacked at the start.
    pub slot: Option<Slot>,
}

/// One interpreter for several builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Builds that it serves at most.
    pub builds: u32,
    /// The rooms (one letter each) that the supervisor moves into the one room of the scratch for a
    /// build, and out of it again.
    pub rooms: Vec<String>,
    /// What else may lie in that room: nothing of a build's.
    pub fixtures: Vec<String>,
}

impl Slot {
    /// Returns how many tasks its interpreter has besides those of builds: a thread for each, and the first.
    #[must_use]
    pub fn tasks(&self) -> u64 {
        u64::from(self.builds) + 1
    }
}

/// One build in a slot. The descriptor of its archive comes with it, where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotBuild {
    /// The archive to unpack first.
    pub unpack: Option<Unpack>,
}

/// The rooms of a scratch, as the host sees them; the build may write below them, not beside them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rooms {
    /// The scratch folder itself: `<root>/<6 characters>`.
    pub scratch: AbsPath,
    /// The one-letter rooms below it that the program may write, such as `s`, `t`, `h`, `o`.
    pub writable: Vec<String>,
    /// Where the scratch appears to the build at level `ns`; its own path elsewhere.
    pub seen_as: AbsPath,
}

/// One archive to unpack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpack {
    /// The archive, as the host sees it. The program's stage can not read it.
    pub archive: AbsPath,
    /// The room (one letter) that receives the tree.
    pub room: String,
    /// What the archive's top may look like.
    pub top: Top,
    /// Bytes that the tree may hold.
    pub max_bytes: u64,
    /// Members that the archive may hold.
    pub max_members: u64,
}

/// What stands at the top of a source archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Top {
    /// Exactly one folder of any name, which is stripped (an index's sdist).
    OneFolder,
    /// One folder is stripped; anything else is taken as it is (URLs, local archives, packed folders).
    Any,
    /// Nothing is stripped (a folder that fumehood packed itself).
    Bare,
}

/// The program of the hook stage. Paths are as the build sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The executable.
    pub path: AbsPath,
    /// `argv`, the zeroth included.
    pub arguments: Vec<String>,
    /// The whole environment, sorted by name.
    pub environment: Vec<(String, String)>,
    /// The working folder.
    pub directory: AbsPath,
    /// Whether it takes calls over its standard input and answers each on the control pipe
    /// (descriptor 3); otherwise its end is its answer.
    pub takes_calls: bool,
    /// The file that is its standard input, if it takes no calls; else it reads nothing.
    pub input: Option<AbsPath>,
    /// The file in a room that receives its standard output, made anew; the log where `None`.
    pub output: Option<AbsPath>,
    /// Whether it reads from what is its log, too: a terminal or a socket behind which a person is. A
    /// terminal becomes its own.
    pub talks: bool,
}

/// What an unpacking worker says it laid down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Files, folders and links.
    pub members: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// The folder that was stripped, if one was.
    pub top_folder: Option<String>,
    /// Oddities that were accepted, such as names that differ only in case.
    pub notes: Vec<String>,
}
