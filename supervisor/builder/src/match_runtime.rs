//! Further build requirements whose version is the one that is chosen for the run time.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{MarkerEnvironment, PackageName, Requirement, Version, VersionOrUrl, VersionSpecifier};
use sources::{Spec, Wanted};

use crate::error::BuildError;
use crate::settings::Settings;

/// What is to be matched, and what there is to match it with.
#[derive(Clone, Debug, Default)]
pub struct MatchRuntime {
    /// By the package that is built: what it is built with, without versions.
    pub wanted: BTreeMap<PackageName, Vec<Requirement>>,
    /// Whether versions were chosen. What is still wanted then is not among what was chosen.
    pub is_resolved: bool,
}

impl MatchRuntime {
    /// Whether anything is to be matched for builds of `package`.
    pub(crate) fn speaks_of(&self, package: &PackageName) -> bool {
        self.wanted.contains_key(package)
    }

    /// Sees that nothing is left to be matched for builds of `package`.
    ///
    /// # Errors
    /// If something is: the build would have another version, or any.
    pub(crate) fn settled(
        &self,
        package: Option<&PackageName>,
        markers: &MarkerEnvironment,
    ) -> Result<(), BuildError> {
        let wanted = package.and_then(|package| self.wanted.get(package));
        let mut wanted = wanted.into_iter().flatten();
        let open = wanted.find(|one| one.marker.evaluate(markers, &[]));
        match (open, package) {
            (Some(requirement), Some(package)) => Err(BuildError::MatchRuntime {
                package: package.clone(),
                requirement: requirement.name.clone(),
                is_resolved: self.is_resolved,
            }),
            _ => Ok(()),
        }
    }
}

impl Settings {
    /// The same settings; where files of a lock are wanted, it has chosen their versions.
    pub(crate) fn matched_by_locks(self: Arc<Self>, wanted: &[Wanted]) -> Arc<Self> {
        let locked = wanted.iter().filter_map(|one| match &one.spec {
            Spec::Listed(file) => Some((file.name().clone(), file.version().clone())),
            _ => None,
        });
        let locked: BTreeMap<_, _> = locked.collect();
        if locked.is_empty() || self.match_runtime.wanted.is_empty() {
            return self;
        }
        Arc::new(self.matched(&locked))
    }

    /// The same settings once versions are chosen: what is to be matched is a further build requirement of exactly
    /// that version.
    pub(crate) fn matched(&self, chosen: &BTreeMap<PackageName, Version>) -> Self {
        let mut settings = self.clone();
        settings.match_runtime.is_resolved = true;
        let wanted = std::mem::take(&mut settings.match_runtime.wanted);
        for (package, requirements) in wanted {
            for requirement in requirements {
                let open = &mut settings.match_runtime.wanted;
                let (place, requirement) = match chosen.get(&requirement.name) {
                    Some(version) => {
                        let exactly = VersionSpecifier::equals_version(version.clone());
                        let exactly = VersionOrUrl::VersionSpecifier(exactly.into());
                        let pinned = Requirement {
                            version_or_url: Some(exactly),
                            ..requirement
                        };
                        (&mut settings.extra_build_deps, pinned)
                    }
                    None => (open, requirement),
                };
                place.entry(package.clone()).or_default().push(requirement);
            }
        }
        settings
    }
}
