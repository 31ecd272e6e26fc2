//! Why an archive is refused, or could not be handled.

use std::io;

use crate::{Kind, guard};

/// Why an archive is refused. Names of members are made printable and cut short.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A name climbs.
    #[error("the member `{member}` climbs out with `..`")]
    Traversal {
        /// The member's name.
        member: String,
    },
    /// A name starts at a root or a drive.
    #[error("the member `{member}` has an absolute name")]
    Absolute {
        /// The member's name.
        member: String,
    },
    /// A name that no source file has.
    #[error("the member `{member}` has a name that {why}")]
    Names {
        /// The member's name.
        member: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A symbolic link leaves the tree.
    #[error("the link `{member}` leads out of the tree, to `{target}`")]
    LinkOut {
        /// The link's name.
        member: String,
        /// Where it points.
        target: String,
    },
    /// A hard link to something that is not an earlier regular member.
    #[error("the hard link `{member}` is to `{target}`, which is not an earlier regular member")]
    HardLink {
        /// The link's name.
        member: String,
        /// Where it points.
        target: String,
    },
    /// A member lies below a link.
    #[error("the member `{member}` lies below `{link}`, which is a link")]
    ThroughLink {
        /// The member's name.
        member: String,
        /// The link.
        link: String,
    },
    /// A device, a FIFO, a socket, or something that only backups hold.
    #[error("the member `{member}` is {what}")]
    Special {
        /// The member's name.
        member: String,
        /// What it is.
        what: &'static str,
    },
    /// A sparse member or a part of a multi-volume archive.
    #[error("the member `{member}` is {what}")]
    Sparse {
        /// The member's name.
        member: String,
        /// Which of the two.
        what: &'static str,
    },
    /// More members than the budget.
    #[error("more than {cap} members")]
    TooMany {
        /// The budget.
        cap: u64,
    },
    /// More bytes than the budget.
    #[error("more than {cap} bytes when unpacked")]
    TooLarge {
        /// The budget.
        cap: u64,
    },
    /// Grows too much when unpacked.
    #[error("unpacks to more than {ratio} times its size")]
    Ratio {
        /// The budget.
        ratio: u64,
    },
    /// Folders in folders in folders.
    #[error("the member `{member}` lies more than {depth} folders deep")]
    TooDeep {
        /// The member's name.
        member: String,
        /// The budget.
        depth: u32,
    },
    /// Something that should be small is not.
    #[error("{what} takes more than {cap} bytes")]
    TooHeavy {
        /// What it is.
        what: String,
        /// What it may take.
        cap: u64,
    },
    /// The compressed data is damaged.
    #[error("the compressed data is damaged")]
    Compression {
        /// What the decoder said.
        #[source]
        source: io::Error,
    },
    /// The archive's structure is damaged.
    #[error("the archive is damaged: {why}")]
    Damaged {
        /// What is wrong.
        why: String,
    },
    /// Not an archive of a known kind.
    #[error("it is not a tar or zip archive")]
    NotAnArchive,
    /// A zip's member is stored in a way that is not read.
    #[error("the member `{member}` is compressed by method {method}, which is not read")]
    Method {
        /// The member's name.
        member: String,
        /// The number in the format's list.
        method: u16,
    },
    /// Only a worker may decode this kind.
    #[error("a {kind} is only read by a worker")]
    NeedsWorker {
        /// What it is.
        kind: Kind,
    },
    /// No bytes, or no members.
    #[error("the archive is empty")]
    Empty,
    /// The top is not one folder.
    #[error("one folder at the top is wanted, found {found}")]
    Top {
        /// What was found.
        found: String,
    },
    /// Two headers of one member, or two readers, would disagree where it ends or what it is called.
    #[error("the member `{member}` {why}")]
    SizeConfusion {
        /// The member's name.
        member: String,
        /// What disagrees.
        why: &'static str,
    },
    /// Two members with one name, or a file where a folder is.
    #[error("the member `{member}` stands in the archive twice")]
    Duplicate {
        /// The member's name.
        member: String,
    },
    /// Data behind the end.
    #[error("data follows the end of the {what}")]
    Trailing {
        /// The end of what.
        what: &'static str,
    },
    /// The parts of a zip disagree.
    #[error("the zip contradicts itself at `{member}`: {why}")]
    ZipMismatch {
        /// The member's name, or the record.
        member: String,
        /// What disagrees.
        why: &'static str,
    },
    /// An operation on the archive or the tree failed.
    #[error("could not {doing}")]
    Io {
        /// What was done, with the member's name.
        doing: String,
        /// The reason.
        #[source]
        source: io::Error,
    },
}

impl Refusal {
    /// Returns the word of the rule, as it stands in reports and in the protocol.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Traversal { .. } => "traversal",
            Self::Absolute { .. } => "absolute",
            Self::Names { .. } => "names",
            Self::LinkOut { .. } | Self::HardLink { .. } | Self::ThroughLink { .. } => "link-out",
            Self::Special { .. } => "device",
            Self::Sparse { .. } => "sparse",
            Self::TooMany { .. }
            | Self::TooLarge { .. }
            | Self::Ratio { .. }
            | Self::TooDeep { .. }
            | Self::TooHeavy { .. } => "bomb",
            Self::Compression { .. }
            | Self::Damaged { .. }
            | Self::NotAnArchive
            | Self::Method { .. }
            | Self::NeedsWorker { .. } => "compression",
            Self::Empty => "empty",
            Self::Top { .. } => "top",
            Self::SizeConfusion { .. } => "size-confusion",
            Self::Duplicate { .. } => "duplicate",
            Self::Trailing { .. } => "trailing",
            Self::ZipMismatch { .. } => "zip-mismatch",
            Self::Io { .. } => "io",
        }
    }

    /// A failure to read the archive's own file.
    pub(crate) fn reading(source: io::Error) -> Self {
        Self::Io {
            doing: "read the archive".to_owned(),
            source,
        }
    }

    /// A structure that makes no sense; `why` may quote the archive.
    pub(crate) fn damaged(why: &str) -> Self {
        Self::Damaged {
            why: guard::shown(why.as_bytes()),
        }
    }

    /// Turns what a chain of readers said back into a refusal: our own readers smuggle theirs
    /// through, anything else is the parser's complaint.
    pub(crate) fn of_reader(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(refusal) => refusal,
            Err(error) => Self::damaged(&error.to_string()),
        }
    }

    /// Turns what a decoder said into a refusal.
    pub(crate) fn of_decoder(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(refusal) => refusal,
            Err(source) => Self::Compression { source },
        }
    }
}
