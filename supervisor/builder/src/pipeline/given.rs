//! Wheels that were named by where they are: taken as they are, if they are what their name says and fit the
//! interpreter.

use sources::{CoreMetadata, Located, Source, Spec, WheelFile};

use super::corridor::Pipeline;
use super::identify::python_version;
use crate::error::BuildError;
use crate::outcome::{Described, MetadataOrigin, Wheel};

/// A wheel, and what its file is called.
#[derive(Clone, Debug)]
pub(crate) struct GivenWheel {
    /// Its bytes.
    pub(crate) located: Located,
    /// Its name.
    pub(crate) file: WheelFile,
}

impl GivenWheel {
    /// Whether the two are one wheel, wherever they were found.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.located.id.digest == other.located.id.digest
            && self.file.filename == other.file.filename
    }
}

impl Pipeline {
    /// Refuses a wheel that the interpreter can not use, before it is fetched.
    pub(super) fn check_tags(&self, spec: &Spec) -> Result<(), BuildError> {
        let Some(wheel) = spec.wheel() else {
            return Ok(());
        };
        if self.settings.tags.rank(&wheel.parts).is_some() {
            return Ok(());
        }
        let facts = &self.settings.facts;
        let (major, minor, _) = facts.version;
        Err(BuildError::Unfit {
            wheel: wheel.filename.clone(),
            why: format!(
                "it is not made for {} {major}.{minor} on {}",
                facts.implementation, facts.platform
            ),
        })
    }

    /// Reads what the wheel says of itself, which has to agree with its name.
    pub(super) async fn metadata_of_given(
        &self,
        given: &GivenWheel,
    ) -> Result<Described, BuildError> {
        let sha256 = &given.located.id.digest.sha256;
        let kept = self.kept_metadata(sha256, &given.file.parts).await?;
        let metadata = match kept {
            Some(kept) => kept,
            None => {
                let source = self.bring_given(given).await?;
                self.read_given(given, &source).await?
            }
        };
        Ok(Described {
            metadata,
            origin: MetadataOrigin::Wheel,
            place: format!("METADATA of {}", given.file.filename),
            source: Some(given.located.id.clone()),
            isolation: None,
            denials: Vec::new(),
        })
    }

    /// Takes the wheel.
    pub(super) async fn take_given(&self, given: &GivenWheel) -> Result<Wheel, BuildError> {
        let source = self.bring_given(given).await?;
        let metadata = self.read_given(given, &source).await?;
        let python = python_version(&self.settings.facts).only_release();
        if let Some(wanted) = metadata.requires_python.filter(|it| !it.contains(&python)) {
            return Err(BuildError::Unfit {
                wheel: given.file.filename.clone(),
                why: format!("it needs Python {wanted}, this is {python}"),
            });
        }
        let project = (metadata.name, metadata.version);
        let (filename, digest) = (given.file.filename.clone(), source.id.digest);
        Ok(Wheel {
            source: Some(source.id),
            ..Wheel::taken(project, filename, source.path, digest)
        })
    }

    /// Makes sure that the bytes are in the cache, and still those that were looked at.
    async fn bring_given(&self, given: &GivenWheel) -> Result<Source, BuildError> {
        let source = self.materialise(&given.located).await?;
        self.check_same(&given.located, &source)?;
        Ok(source)
    }

    /// Refuses a local file that changed while it was read.
    pub(super) fn check_same(&self, located: &Located, source: &Source) -> Result<(), BuildError> {
        let (expected, found) = (located.id.digest.sha256, source.id.digest.sha256);
        if expected == found {
            return Ok(());
        }
        Err(BuildError::HashMismatch {
            label: located.label.clone(),
            expected,
            found,
        })
    }

    async fn read_given(
        &self,
        given: &GivenWheel,
        source: &Source,
    ) -> Result<CoreMetadata, BuildError> {
        let name = given.file.parts.clone();
        self.metadata_in_blob(&source.id.digest.sha256, source.path.clone(), name)
            .await
    }
}
