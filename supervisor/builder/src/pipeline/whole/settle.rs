//! What was asked for, each by itself: whether it counts here, whether there is anything of it, and which
//! project and version a URL, a path or a repository is.

use std::collections::BTreeMap;

use environment::Metadata;
use index::{Candidate, File, FileKind, IndexUrl};
use model::{PackageName, Requirement, SdistExtension, SdistFilename, VersionOrUrl};
use sources::{CoreMetadata, Located, Spec, Wanted};
use url::Url;

use super::super::corridor::{Expectation, Pipeline};
use super::super::identify::Identified;
use crate::error::BuildError;
use crate::plan::Means;

/// A project whose one version what was asked for has settled.
pub(super) struct Settled {
    pub(super) candidate: Candidate,
    pub(super) metadata: Metadata,
    pub(super) means: Means,
    /// The commit, if a repository was named.
    pub(super) commit: Option<String>,
}

/// One thing that was asked for, as the resolver takes it.
pub(super) struct Ready {
    pub(super) requirement: Requirement,
    pub(super) settled: Option<Settled>,
}

impl Pipeline {
    /// Finds out what `wanted` is; none if it does not count here.
    pub(super) async fn settle(&self, wanted: &Wanted) -> Result<Option<Ready>, BuildError> {
        if !wanted.applies(&self.settings.facts.markers) {
            return Ok(None);
        }
        if let Spec::Named(requirement) = &wanted.spec
            && self.settings.satisfies(requirement)
        {
            return Ok(named(&wanted.spec));
        }
        let mut commit = None;
        let identified = match self.identify(wanted).await {
            // Where a constraint leaves nothing, the resolver says which one it is.
            Err(BuildError::NoVersion { name, .. })
                if self.settings.constraints.iter().any(|one| one.name == name) =>
            {
                return Ok(named(&wanted.spec));
            }
            outcome => outcome?,
        };
        let (means, learned) = match identified {
            // A file that was named is the only one.
            Identified::Wheel(file) if matches!(wanted.spec, Spec::Listed(_)) => {
                let metadata = self.metadata_of_wheel(&file).await?.metadata;
                (Means::Wheel(file), metadata)
            }
            // The resolver chooses; this was only to see that there is something to choose from.
            Identified::Wheel(_) => return Ok(named(&wanted.spec)),
            Identified::Source(..) if matches!(wanted.spec, Spec::Named(_)) => {
                return Ok(named(&wanted.spec));
            }
            Identified::Given(given) => {
                let metadata = self.metadata_of_given(&given).await?.metadata;
                (Means::Given(given), metadata)
            }
            Identified::Source(source, expectation) => {
                commit.clone_from(&source.commit);
                self.settled(&source, &expectation).await?
            }
            Identified::Kept(kept) => {
                let metadata = self.metadata_of_kept(&kept).await?.metadata;
                (Means::Kept(kept), metadata)
            }
        };
        let requirement = Requirement {
            name: learned.name.clone(),
            extras: wanted.extras().to_vec(),
            version_or_url: match &wanted.spec {
                Spec::Named(requirement) => requirement.version_or_url.clone(),
                _ => None,
            },
            marker: model::MarkerTree::TRUE,
            origin: None,
        };
        Ok(Some(Ready {
            requirement,
            settled: Some(Settled {
                candidate: candidate(&learned)?,
                metadata: Metadata {
                    requires: learned.requires_dist,
                    requires_python: learned.requires_python,
                    extras: learned.provides_extra,
                },
                means,
                commit,
            }),
        }))
    }

    async fn settled(
        &self,
        source: &Located,
        expectation: &Expectation,
    ) -> Result<(Means, CoreMetadata), BuildError> {
        let metadata = self.describe(source, expectation).await?.metadata;
        Ok((self.means_of(source, expectation).await?, metadata))
    }

    /// How the wheel of a source is come by: a description may have taken a build.
    pub(super) async fn means_of(
        &self,
        source: &Located,
        expectation: &Expectation,
    ) -> Result<Means, BuildError> {
        let key = self.key(source, expectation).await?;
        Ok(match self.kept(&key, expectation).await? {
            Some(kept) => Means::Kept(Box::new(kept)),
            None => Means::Source(Box::new(source.clone())),
        })
    }
}

fn named(spec: &Spec) -> Option<Ready> {
    match spec {
        Spec::Named(requirement) => Some(Ready {
            requirement: requirement.clone(),
            settled: None,
        }),
        _ => None,
    }
}

/// The one candidate of a project that was settled. Nobody fetches by it.
fn candidate(learned: &CoreMetadata) -> Result<Candidate, BuildError> {
    let (name, version) = (&learned.name, &learned.version);
    let nowhere = "file:///";
    let task = || BuildError::Task {
        doing: "name a source",
    };
    let file = File {
        filename: format!("{name}-{version}.tar.gz"),
        url: Url::parse(nowhere).map_err(|_| task())?,
        sha256: None,
        other_hashes: BTreeMap::new(),
        size: None,
        requires_python: None,
        yanked: None,
        metadata: None,
        uploaded: None,
        index: IndexUrl::parse(nowhere).map_err(|_| task())?,
        kind: FileKind::Sdist(SdistFilename {
            name: name.clone(),
            version: version.clone(),
            extension: SdistExtension::TarGz,
        }),
    };
    Ok(Candidate {
        version: version.clone(),
        wheel: None,
        sdist: Some(file),
    })
}

/// The URL of what was asked for, as a package's metadata would write it.
pub(super) fn url_of(spec: &Spec) -> Option<String> {
    match spec {
        Spec::Url { .. } | Spec::Git { .. } => {
            let text = spec.to_string();
            let text = match spec {
                Spec::Git { .. } if !text.starts_with("git+") => format!("git+{text}"),
                _ => text,
            };
            let requirement: Requirement = format!("a @ {text}").parse().ok()?;
            match requirement.version_or_url {
                Some(VersionOrUrl::Url(url)) => Some(url.to_string()),
                _ => None,
            }
        }
        Spec::Named(_) | Spec::Listed(_) | Spec::Archive { .. } | Spec::Directory { .. } => None,
    }
}

/// Two things that were asked for settle the same project differently.
pub(super) fn rivals(name: &PackageName, specs: [&Spec; 2]) -> environment::ResolveError {
    let [one, other] = specs.map(|spec| match spec {
        Spec::Named(requirement) => format!("`{requirement}` is asked for"),
        spec => format!("`{name} @ {spec}` is asked for"),
    });
    environment::ResolveError::Contradiction {
        facts: vec![one, other],
    }
}
