//! Build requirements that name a URL. A package decides nothing of the kind unless the caller
//! allows it; then what the URL holds is built first, like everything else, unless it is a wheel, and taken by
//! name.

use std::collections::BTreeMap;
use std::path::Path;

use environment::WheelInput;
use index::{Candidate, File, FileKind, IndexUrl};
use model::{PackageName, Requirement, Version};
use pep508_rs::VersionOrUrl;
use sources::Spec;
use url::Url;

use super::corridor::{Pipeline, wheel_of};
use super::identify::Identified;
use super::provider::input;
use crate::error::BuildError;
use crate::local::neutralised;
use crate::outcome::Wheel;

/// Where such a requirement may stand, for errors.
const ORIGIN: &str = "a URL, allowed by --allow-url-build-requires";

/// Projects whose one candidate is what a URL held, with that wheel or the one that was built of it.
pub(super) type Fixed = BTreeMap<PackageName, (Candidate, WheelInput)>;

impl Pipeline {
    /// Builds what the URLs among `roots` hold, and returns the roots by name.
    pub(super) async fn built_from_urls(
        &self,
        roots: &[Requirement],
    ) -> Result<(Vec<Requirement>, Fixed), BuildError> {
        let mut named = Vec::new();
        let mut fixed = Fixed::new();
        for root in roots {
            let Some(VersionOrUrl::Url(url)) = &root.version_or_url else {
                named.push(root.clone());
                continue;
            };
            if !root.marker.evaluate(&self.settings.facts.markers, &[]) {
                continue;
            }
            let built = self.build_url(&root.name, &url.to_string()).await?;
            fixed.insert(root.name.clone(), built);
            named.push(Requirement {
                version_or_url: None,
                ..root.clone()
            });
        }
        Ok((named, fixed))
    }

    async fn build_url(
        &self,
        name: &PackageName,
        url: &str,
    ) -> Result<(Candidate, WheelInput), BuildError> {
        let text = format!("{name} @ {url}");
        let refuse = |why: &str| BuildError::BuildRequires {
            requirement: neutralised(text.as_bytes()).chars().take(200).collect(),
            origin: ORIGIN,
            why: why.to_owned(),
        };
        let spec =
            Spec::parse(&text, Path::new("/")).map_err(|error| refuse(&error.to_string()))?;
        let Spec::Url {
            url,
            sha256,
            hashes,
            ..
        } = &spec
        else {
            return Err(refuse(
                "only archives and wheels behind https URLs are taken",
            ));
        };
        let given = &self.settings.build_hashes;
        if sha256.is_none() && hashes.is_empty() {
            given.demand(name, None, None)?;
        }
        if !self.may_be_asked(url) {
            return Err(refuse(
                "only https URLs of public hosts, or of an index's own host, are taken",
            ));
        }
        let first = |label: &str| label.split(' ').next() == Some(name.as_ref());
        if self.chain.iter().any(|label| first(label)) {
            let chain = self
                .chain
                .iter()
                .cloned()
                .chain([name.to_string()])
                .collect();
            return Err(BuildError::Cycle { chain });
        }
        let pipeline = self.deeper(&format!("{name} {}", url.host_str().unwrap_or_default()));
        let held = given.of_any(name);
        let Wheel {
            version,
            filename,
            path,
            sha256,
            ..
        } = match Box::pin(pipeline.identify_spec(&spec)).await? {
            Identified::Source(mut source, expectation) => {
                pipeline.hold(&mut source, &held).await?;
                let (kept, origin) = pipeline.build(&source, &expectation).await?;
                wheel_of(kept, origin)
            }
            Identified::Given(mut wheel) => {
                pipeline.hold(&mut wheel.located, &held).await?;
                pipeline.take_given(&wheel).await?
            }
            Identified::Wheel(_) | Identified::Kept(_) => {
                return Err(refuse("it is neither a source nor a wheel"));
            }
        };
        let wheel = input(path, &filename, sha256)?;
        Ok((candidate(version, &filename, &wheel)?, wheel))
    }

    /// Whether a package may have us ask this host: never one of the caller's own network, unless
    /// the caller has named it as an index.
    fn may_be_asked(&self, url: &Url) -> bool {
        let host = |index: &IndexUrl| {
            Url::parse(&index.canonical())
                .ok()?
                .host_str()
                .map(ToOwned::to_owned)
        };
        let is_indexes = self
            .settings
            .indexes
            .iter()
            .filter_map(host)
            .any(|known| url.host_str() == Some(&known));
        let is_public = match url.host() {
            Some(url::Host::Domain(name)) => name.contains('.') && !name.ends_with(".localhost"),
            Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) | None => false,
        };
        is_indexes || (url.scheme() == "https" && is_public)
    }
}

/// The one candidate of a project that a URL settled.
fn candidate(
    version: Version,
    filename: &str,
    wheel: &WheelInput,
) -> Result<Candidate, BuildError> {
    let task = |_| BuildError::Task {
        doing: "name a wheel",
    };
    let url = Url::from_file_path(&wheel.path).map_err(task)?;
    let index = IndexUrl::parse(url.as_str()).map_err(|_| task(()))?;
    let file = File {
        filename: filename.to_owned(),
        url,
        sha256: Some(wheel.sha256),
        other_hashes: BTreeMap::new(),
        size: None,
        requires_python: None,
        yanked: None,
        metadata: None,
        uploaded: None,
        index,
        kind: FileKind::Wheel(wheel.filename.clone()),
    };
    Ok(Candidate {
        version,
        wheel: Some(file),
        sdist: None,
    })
}
