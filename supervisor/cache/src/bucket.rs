//! The buckets: one folder a kind of entry, versioned by name.
//!
//! A change of format bumps the number in the folder's name; old and new live side by side.

/// The kinds of entry, each in a folder of its own under the cache root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// Source archives by digest, and directories packed into the normal form.
    ///
    /// `sources-v1/<2 hex>/<64 hex>`
    Sources,
    /// Downloaded wheels by digest, and beside each what it was found to say of itself.
    ///
    /// `downloads-v1/<2 hex>/{<64 hex>, <64 hex>.json}`
    Downloads,
    /// Project pages and metadata of indexes, with what HTTP said of their freshness.
    ///
    /// `simple-v1/<digest of the index>/<project>...`
    Simple,
    /// Bare git repositories, one an address; they grow by fetching, under a lock of their own.
    ///
    /// `git-v1/<64 hex: digest of the address>/{HEAD, config, objects/, refs/, ...}`, and
    /// `git-v1/<64 hex: digest of the list>/{tree/, sealed.json}`
    Git,
    /// Which source blob a place stands for, with the freshness of that answer.
    ///
    /// `pointers-v1/<digest of the place>/...json`
    Pointers,
    /// What is known of a source by its bytes: how its projects are built, digests by other
    /// algorithms.
    ///
    /// `revisions-v1/<2 hex>/<64 hex>.json`
    Revisions,
    /// What interpreters answered about themselves.
    ///
    /// `interpreters-v1/<digest of the stamp>.json`
    Interpreters,
    /// Immutable build environments by the digest of what was asked to be in them.
    ///
    /// `environments-v1/<64 hex>/{env/, environment.json, manifest.json}`
    Environments,
    /// Finished wheels, one folder a build key, with their record.
    ///
    /// `wheels-v1/<name>/<version>/<key>/{<wheel file>, record.json}`
    Wheels,
    /// Full logs of builds.
    ///
    /// `logs-v1/<build>...`
    Logs,
    /// Advisory locks; each file is empty and its name is a digest of the lock's name.
    ///
    /// `locks-v1/<32 hex>`
    Locks,
    /// Unfinished things, never read by others; what nobody holds is swept.
    ///
    /// `staging-v1/<16 hex>` (a file, or a folder with `lease` and `tree/`)
    Staging,
}

impl Bucket {
    /// Every bucket.
    pub const ALL: [Self; 12] = [
        Self::Sources,
        Self::Downloads,
        Self::Simple,
        Self::Git,
        Self::Pointers,
        Self::Revisions,
        Self::Interpreters,
        Self::Environments,
        Self::Wheels,
        Self::Logs,
        Self::Locks,
        Self::Staging,
    ];

    /// Returns the folder's name, `<word>-v<number>`.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Sources => "sources-v1",
            Self::Downloads => "downloads-v1",
            Self::Simple => "simple-v1",
            Self::Git => "git-v1",
            Self::Pointers => "pointers-v1",
            Self::Revisions => "revisions-v1",
            Self::Interpreters => "interpreters-v1",
            Self::Environments => "environments-v1",
            Self::Wheels => "wheels-v1",
            Self::Logs => "logs-v1",
            Self::Locks => "locks-v1",
            Self::Staging => "staging-v1",
        }
    }
}
