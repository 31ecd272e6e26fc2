//! Flags about where packages come from and which of their files may be used.

use clap::Args;

/// The two flags whose order matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `--no-binary`
    NoBinary,
    /// `--only-binary`
    OnlyBinary,
}

/// Indexes, folders of files, and the choice among what they offer.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Index")]
pub(crate) struct IndexArgs {
    /// The package index; without it pip's own settings and default are used
    #[arg(long, value_name = "[NAME=]URL", alias = "index-url")]
    pub(crate) default_index: Option<String>,
    /// A further index, asked before the default one; the first that knows a project serves it
    #[arg(long, value_name = "[NAME=]URL", alias = "extra-index-url")]
    pub(crate) index: Vec<String>,
    /// An index that is asked for nothing but what `--index-package` maps to it
    #[arg(long, value_name = "NAME=URL")]
    pub(crate) explicit_index: Vec<String>,
    /// Look for a project on the index of this name and nowhere else, also where a build requires it
    #[arg(long, value_name = "PKG:NAME")]
    pub(crate) index_package: Vec<String>,
    /// A folder of files, or a page of links to files, to choose from as well
    #[arg(short, long, value_name = "DIR|URL")]
    pub(crate) find_links: Vec<String>,
    /// Ask no index; only `--find-links`
    #[arg(long)]
    pub(crate) no_index: bool,
    /// Use only what is in the cache already
    #[arg(long)]
    pub(crate) offline: bool,
    /// Ignore files uploaded after a date (`2026-01-31`), a moment (RFC 3339) or within a span (`7d`)
    #[arg(long, value_name = "DATE|SPAN")]
    pub(crate) exclude_newer: Option<String>,
    /// Build these from source, never take their wheels; `:all:` for everything
    #[arg(long, value_name = "NAMES|:all:")]
    pub(crate) no_binary: Vec<String>,
    /// Take only wheels for these, never build them; `:all:` for everything
    #[arg(long, value_name = "NAMES|:all:")]
    pub(crate) only_binary: Vec<String>,
    /// Both of the above in the order typed.
    #[arg(skip)]
    pub(crate) formats: Vec<(Format, String)>,
    /// Take an older version with a wheel rather than a newer one without
    #[arg(long)]
    pub(crate) prefer_binary: bool,
    /// Take pre-releases too
    #[arg(long)]
    pub(crate) pre: bool,
    /// Ask, hash and pack again, however fresh the last answer is
    #[arg(long)]
    pub(crate) refresh: bool,
    /// The same for one project
    #[arg(long, value_name = "PKG")]
    pub(crate) refresh_package: Vec<String>,
    /// How long answers of an index may be used, in place of what it says: `corp=max-age=600`
    #[arg(long, value_name = "INDEX=DIRECTIVES")]
    pub(crate) index_cache_control: Vec<String>,
    /// Whether the program `keyring` on PATH is asked for logins that URLs and netrc lack; it runs outside the
    /// sandbox, as you do; without it none is
    #[arg(long, value_name = "disabled|subprocess")]
    pub(crate) keyring_provider: Option<String>,
}
