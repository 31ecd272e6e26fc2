//! What the resolver is asked: the requirements, and everything that bears on the answer.

use std::collections::BTreeMap;

use model::{MarkerEnvironment, PackageName, Requirement, Version};

/// One requirement that was asked for.
#[derive(Clone, Debug)]
pub struct Root {
    /// The requirement: a name and versions, no URL.
    pub requirement: Requirement,
    /// Where it stands, in words that follow "is asked for": `in requirements.txt, line 3`. Empty for
    /// the command line.
    pub origin: String,
}

impl From<Requirement> for Root {
    fn from(requirement: Requirement) -> Self {
        Self {
            requirement,
            origin: String::new(),
        }
    }
}

/// A question for the resolver.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// What is asked for.
    pub roots: &'a [Root],
    /// What narrows every choice and wants nothing by itself.
    pub constraints: &'a [Requirement],
    /// What markers are compared with.
    pub markers: &'a MarkerEnvironment,
    /// The interpreter's full version.
    pub python: &'a Version,
    /// Whether pre-releases are as good as releases.
    pub pre: bool,
    /// Whether an older version with a wheel comes before a newer one without.
    pub prefer_binary: bool,
    /// Projects that a URL of the caller has settled, with that URL as [`super::Root`]s and packages may write
    /// it. A package that requires such a project from the same URL is content; from another one it is not.
    pub urls: BTreeMap<PackageName, String>,
}
