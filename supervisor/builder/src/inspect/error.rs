//! Why an output or a wheel is refused. Names that a build chose are made printable and cut short.

use std::io;
use std::path::PathBuf;

use model::{BadFilename, Code};

/// Why what lies in the output folder is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputRefused {
    /// The folder is empty.
    #[error("the backend left no file in the output folder")]
    None,
    /// The folder holds more than one thing.
    #[error("the backend left {count} entries in the output folder instead of one: {names}")]
    Several {
        /// How many; counting stops at 1,000.
        count: usize,
        /// The first of them.
        names: String,
    },
    /// The name is not plain text.
    #[error("the backend left an output with a name that no distribution has: `{name}`")]
    Name {
        /// The name.
        name: String,
    },
    /// It is not a regular file.
    #[error("the output `{name}` is a {kind}, not a file")]
    Kind {
        /// The name.
        name: String,
        /// `symlink`, `fifo`, `socket`, `device`, `directory`.
        kind: &'static str,
    },
    /// It has other names elsewhere.
    #[error("the output `{name}` has {links} names: it is a hard link to something else")]
    HardLinked {
        /// The name.
        name: String,
        /// How many names the file has.
        links: u64,
    },
    /// It belongs to someone else.
    #[error("the output `{name}` belongs to uid {owner}, not to the build's uid {wanted}")]
    Owner {
        /// The name.
        name: String,
        /// Whose it is.
        owner: u32,
        /// Whose it should be.
        wanted: u32,
    },
    /// It lies on another file system than its folder.
    #[error("the output `{name}` lies on another file system than its folder")]
    Mount {
        /// The name.
        name: String,
    },
    /// It is too large.
    #[error("the output `{name}` has {size} bytes; at most {cap} are taken")]
    TooLarge {
        /// The name.
        name: String,
        /// Its size.
        size: u64,
        /// The bound.
        cap: u64,
    },
    /// It consists of holes.
    #[error("the output `{name}` is sparse: of {size} bytes only {stored} are stored")]
    Sparse {
        /// The name.
        name: String,
        /// Its size.
        size: u64,
        /// Bytes on disk.
        stored: u64,
    },
    /// It changed while it was copied.
    #[error("the output `{name}` changed while it was copied")]
    Changed {
        /// The name.
        name: String,
    },
    /// It, or its folder, can not be read.
    #[error("the output `{name}` can not be read")]
    Unreadable {
        /// The name; `.` for the folder.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The copy can not be written.
    #[error("could not write the copy `{}`", path.display())]
    Copy {
        /// The copy.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl OutputRefused {
    /// Returns the word of the rule that was broken, for reports.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Several { .. } => "several",
            Self::Name { .. } => "name",
            Self::Kind { kind, .. } => kind,
            Self::HardLinked { .. } => "hard-link",
            Self::Owner { .. } => "owner",
            Self::Mount { .. } => "mount",
            Self::TooLarge { .. } => "size",
            Self::Sparse { .. } => "sparse",
            Self::Changed { .. } => "changed",
            Self::Unreadable { .. } | Self::Copy { .. } => "io",
        }
    }

    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Copy { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Code::DiskFull
            }
            Self::Copy { .. } => Code::Io,
            _ => Code::OutputRefused,
        }
    }
}

/// Why a file is not the wheel that was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadWheel {
    /// The file's name is not that of a wheel.
    #[error(transparent)]
    Filename(#[from] BadFilename),
    /// The zip is not sound.
    #[error("the wheel is not a sound zip archive")]
    Zip(#[source] archive::Refusal),
    /// The zip can not be read.
    #[error("the wheel's zip can not be read: {why}")]
    Damaged {
        /// What the reader said.
        why: String,
    },
    /// A member has a name or a kind that a wheel does not have.
    #[error("the member `{member}` {why}")]
    Member {
        /// The member.
        member: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two members would be one file.
    #[error("the wheel holds `{member}` twice")]
    Duplicate {
        /// The member.
        member: String,
    },
    /// Something that should be small is not.
    #[error("`{member}` has {size} bytes; at most {cap} are read")]
    TooLarge {
        /// The member.
        member: String,
        /// Its size.
        size: u64,
        /// The bound.
        cap: u64,
    },
    /// There is not exactly one fitting `.dist-info` folder.
    #[error("the wheel needs exactly one folder like `{wanted}`; it has {found}")]
    DistInfo {
        /// The folder that was looked for.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// A file of the `.dist-info` folder is missing.
    #[error("the wheel has no `{member}`")]
    Missing {
        /// The file.
        member: String,
    },
    /// `METADATA` is not valid.
    #[error("the wheel's METADATA can not be used")]
    Metadata(#[source] sources::MetadataError),
    /// Names or versions differ.
    #[error("the {what} of {left_of} is `{left}`, but {right_of} says `{right}`")]
    Differs {
        /// `name` or `version`.
        what: &'static str,
        /// Where the one stands.
        left_of: &'static str,
        /// The one.
        left: String,
        /// Where the other stands.
        right_of: &'static str,
        /// The other.
        right: String,
    },
    /// `WHEEL` is not valid.
    #[error("the wheel's WHEEL file {why}")]
    WheelFile {
        /// What is wrong.
        why: String,
    },
    /// The interpreter can not use it.
    #[error("`{filename}` does not fit the interpreter that it was built for")]
    Tags {
        /// The wheel.
        filename: String,
    },
    /// `RECORD` does not tell the truth.
    #[error("the wheel's RECORD {why}: `{member}`")]
    Record {
        /// The file, or the line.
        member: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A member below `.data` that can not be installed.
    #[error("the member `{member}` {why}")]
    Data {
        /// The member.
        member: String,
        /// What is wrong.
        why: &'static str,
    },
    /// `entry_points.txt` would make a program that nobody should start.
    #[error("entry_points.txt, line {line}: {why}: `{text}`")]
    EntryPoint {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        why: &'static str,
        /// The line.
        text: String,
    },
    /// A decoy of the build's home is in it.
    #[error("`{member}` holds a decoy of the build's home: something looked for credentials there")]
    Decoy {
        /// The member, or the wheel itself.
        member: String,
    },
    /// Something odd, and oddities are refused.
    #[error("{oddity} (refused because of --strict-output)")]
    Odd {
        /// What is odd.
        oddity: String,
    },
    /// Reading failed.
    #[error("the wheel can not be read")]
    Io(#[source] io::Error),
}

impl BadWheel {
    /// Returns the word of the rule that was broken, for reports.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Filename(_) => "filename",
            Self::Zip(refusal) => refusal.rule(),
            Self::Damaged { .. } => "zip",
            Self::Member { .. } => "member",
            Self::Duplicate { .. } => "duplicate",
            Self::TooLarge { .. } => "bomb",
            Self::DistInfo { .. } | Self::Missing { .. } => "dist-info",
            Self::Metadata(_) => "metadata",
            Self::Differs { what, .. } => what,
            Self::WheelFile { .. } => "wheel-file",
            Self::Tags { .. } => "tags",
            Self::Record { .. } => "record",
            Self::Data { .. } => "data",
            Self::EntryPoint { .. } => "entry-points",
            Self::Decoy { .. } => "decoy",
            Self::Odd { .. } => "strict",
            Self::Io(_) => "io",
        }
    }

    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Differs { .. } => Code::WrongName,
            Self::Decoy { .. } => Code::Canary,
            Self::Io(_) => Code::Io,
            _ => Code::BadWheel,
        }
    }
}

/// Makes text of a build fit to be printed: at most 160 characters, nothing that moves the cursor
/// or turns the direction of writing.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 160;
    let mut printable = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == MOST {
            printable.push_str("...");
            break;
        }
        match character {
            '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => printable.extend(character.escape_unicode()),
            _ if character.is_control() => printable.extend(character.escape_default()),
            _ => printable.push(character),
        }
    }
    printable
}
