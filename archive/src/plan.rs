//! The whole tree of an archive as its headers announce it, judged before anything is written.
//!
//! The plan is made on the first walk; the second one lays down what the plan holds.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;

use crate::guard::shown;
use crate::links::{Names, Node};
use crate::member::{Member, Visitor, What};
use crate::top::{Top, TopWatch, is_noise};
use crate::{Budget, Refusal};

/// Bytes of all names together that are kept in memory.
const MAX_NAMES: u64 = 64 << 20;
/// How many oddities are told one by one.
const MAX_NOTES: usize = 20;

/// What is known of an archive so far.
#[derive(Debug)]
pub(crate) struct Plan {
    budget: Budget,
    names: Names,
    folded: HashMap<String, String>,
    links: Vec<String>,
    top: TopWatch,
    members: u64,
    bytes: u64,
    name_bytes: u64,
    notes: Vec<String>,
    more_notes: u64,
}

/// An archive that has passed.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The folder that is stripped.
    pub(crate) strip: Option<String>,
    /// Every path, not stripped.
    pub(crate) names: Names,
    /// Symbolic links, in the archive's order: path (not stripped).
    pub(crate) links: Vec<String>,
    /// Files, folders and links that will be laid down.
    pub(crate) members: u64,
    /// Bytes of all files.
    pub(crate) bytes: u64,
    /// What was odd and accepted.
    pub(crate) notes: Vec<String>,
    left_out: BTreeSet<String>,
}

impl Plan {
    pub(crate) fn new(budget: &Budget) -> Self {
        Self {
            budget: *budget,
            names: Names::default(),
            folded: HashMap::new(),
            links: Vec::new(),
            top: TopWatch::default(),
            members: 0,
            bytes: 0,
            name_bytes: 0,
            notes: Vec::new(),
            more_notes: 0,
        }
    }

    /// Returns the first folder seen so far.
    pub(crate) fn first_folder(&self) -> Option<&str> {
        self.top.first_folder()
    }

    /// Ends the first walk: decides the top and follows every link through the whole tree.
    pub(crate) fn finish(mut self, top: Top) -> Result<Tree, Refusal> {
        if self.members == 0 {
            return Err(Refusal::Empty);
        }
        let (strip, noise) = self.top.decide(top)?;
        if self.more_notes > 0 {
            self.notes
                .push(format!("and {} more like these", self.more_notes));
        }
        let mut members = self.members;
        if strip.is_some() {
            members -= 1 + noise.len() as u64;
            self.notes.extend(
                noise
                    .iter()
                    .take(MAX_NOTES)
                    .map(|path| format!("`{}` at the top was left out", shown(path.as_bytes()))),
            );
        }
        if members == 0 {
            return Err(Refusal::Empty);
        }
        self.names.check_links(&self.links, strip.is_some())?;
        Ok(Tree {
            strip,
            names: self.names,
            links: self.links,
            members,
            bytes: self.bytes,
            notes: self.notes,
            left_out: noise.into_iter().collect(),
        })
    }

    fn add(&mut self, path: &str, node: Node) -> Result<(), Refusal> {
        self.members += 1;
        if self.members > self.budget.members {
            return Err(Refusal::TooMany {
                cap: self.budget.members,
            });
        }
        self.name_bytes += path.len() as u64;
        if let Node::Link { target } = &node {
            self.name_bytes += target.len() as u64;
        }
        if self.name_bytes > MAX_NAMES {
            return Err(Refusal::TooHeavy {
                what: "all names together".to_owned(),
                cap: MAX_NAMES,
            });
        }
        self.note_case(path);
        self.names.insert(path, node);
        Ok(())
    }

    /// Linux tells the two apart, so the archive is fine; other systems may not, so it is told.
    fn note_case(&mut self, path: &str) {
        let folded = path.to_lowercase();
        if let Some(other) = self.folded.get(&folded) {
            if self.notes.len() < MAX_NOTES {
                let (path, other) = (shown(path.as_bytes()), shown(other.as_bytes()));
                self.notes
                    .push(format!("`{other}` and `{path}` differ only in case"));
            } else {
                self.more_notes += 1;
            }
        } else {
            self.folded.insert(folded, path.to_owned());
        }
    }

    /// Makes sure that all folders above `path` are folders.
    fn add_parents(&mut self, path: &str) -> Result<(), Refusal> {
        for (at, _) in path.match_indices('/') {
            let parent = &path[..at];
            match self.names.get(parent) {
                Some(Node::Folder) => {}
                None => self.add(parent, Node::Folder)?,
                Some(Node::Link { .. }) => {
                    return Err(Refusal::ThroughLink {
                        member: shown(path.as_bytes()),
                        link: shown(parent.as_bytes()),
                    });
                }
                Some(Node::File { .. }) => {
                    return Err(Refusal::Duplicate {
                        member: shown(parent.as_bytes()),
                    });
                }
            }
        }
        Ok(())
    }

    /// A hard link becomes a copy; `None` is one to itself, which changes nothing.
    fn hard_link(&self, member: &Member, target: &str) -> Result<Option<Node>, Refusal> {
        match self.names.get(target) {
            Some(Node::File { .. }) if target == member.path.as_str() => Ok(None),
            Some(Node::File { size, copy_of }) => {
                let first = copy_of.clone().unwrap_or_else(|| target.to_owned());
                Ok(Some(Node::File {
                    size: *size,
                    copy_of: Some(first),
                }))
            }
            _ => Err(Refusal::HardLink {
                member: member.path.to_string(),
                target: shown(target.as_bytes()),
            }),
        }
    }

    fn count_bytes(&mut self, size: u64) -> Result<(), Refusal> {
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > self.budget.bytes {
            return Err(Refusal::TooLarge {
                cap: self.budget.bytes,
            });
        }
        Ok(())
    }
}

impl Visitor for Plan {
    fn member(&mut self, member: &Member, _content: &mut dyn Read) -> Result<(), Refusal> {
        let path = member.path.as_str();
        self.add_parents(path)?;
        let node = match &member.what {
            What::Folder => Node::Folder,
            What::File { size, .. } => Node::File {
                size: *size,
                copy_of: None,
            },
            What::Symlink { target } => Node::Link {
                target: target.clone(),
            },
            What::HardLink { target } => match self.hard_link(member, target.as_str())? {
                Some(node) => node,
                None => return Ok(()),
            },
        };
        self.top.see(path, node == Node::Folder);
        match (self.names.get(path), &node) {
            (Some(Node::Folder), Node::Folder) => return Ok(()),
            (Some(_), _) => {
                return Err(Refusal::Duplicate {
                    member: member.path.to_string(),
                });
            }
            (None, _) => {}
        }
        match &node {
            Node::File { size, .. } => self.count_bytes(*size)?,
            Node::Link { .. } => self.links.push(path.to_owned()),
            Node::Folder => {}
        }
        self.add(path, node)
    }
}

impl Tree {
    /// Returns where a member goes, below the stripped folder; `None` if it is not laid down.
    pub(crate) fn place<'a>(&self, path: &'a str) -> Result<Option<&'a str>, Refusal> {
        let Some(strip) = &self.strip else {
            return Ok(Some(path));
        };
        if path == strip || is_noise(path) && self.left_out.contains(path) {
            return Ok(None);
        }
        match path
            .strip_prefix(strip.as_str())
            .and_then(|rest| rest.strip_prefix('/'))
        {
            Some(rest) => Ok(Some(rest)),
            None => Err(Refusal::damaged("the archive changed while it was read")),
        }
    }
}
