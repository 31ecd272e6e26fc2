//! From a spec to bytes: which file of which index, or what lies behind a URL or a path.

use cache::Bucket;
use index::{Candidate, Choice, File, FileKind, FormatControl, Mapped, choose, left_out};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use model::{Digest, LinePlace, Requirement, Sha256, Version, VersionSpecifiers};
use sources::{Located, Means, Source, Spec};
use url::Url;

use super::corridor::{Expectation, Pipeline, blocking};
use super::given::GivenWheel;
use super::turn::{Found, Turn, behind, work_of};
use crate::error::BuildError;
use crate::hash_book::Held;
use crate::outcome::Wheel;
use crate::shelf::Kept;
use crate::watch::BuildEvent;

/// Versions that an error names at most.
const SHOWN: usize = 10;

/// What a spec stands for.
pub(super) enum Identified {
    /// A wheel that an index has already.
    Wheel(Box<File>),
    /// A wheel that was named by its place.
    Given(Box<GivenWheel>),
    /// A source, and what it must turn out to be.
    Source(Box<Located>, Expectation),
    /// A wheel that was built earlier from the very file that the spec names.
    Kept(Box<Kept>),
}

impl Pipeline {
    /// Finds out what `spec` stands for, and fetches it if it is a source. Nobody gave hashes.
    pub(super) async fn identify_spec(&self, spec: &Spec) -> Result<Identified, BuildError> {
        let settings = &self.settings;
        if let Spec::Named(requirement) = spec {
            return self.named(requirement, None).await;
        }
        if let Spec::Listed(file) = spec {
            return self.listed(file).await;
        }
        if let Spec::Git {
            url,
            reference,
            subdirectory,
            ..
        } = spec
        {
            let (reference, folder) = (reference.as_ref(), subdirectory.as_deref());
            return self.repository(spec, url, reference, folder).await;
        }
        self.check_tags(spec)?;
        let label = spec
            .name()
            .map_or_else(|| "the source".to_owned(), ToString::to_string);
        let exclusions = [settings.out_dir.clone()];
        let progress = self.progress(&label);
        let on_bytes = progress.on_bytes();
        let work = work_of(spec);
        let _turn = match &work {
            Some(work) => Some(self.turn(work.clone(), &spec.to_string()).await?),
            None => None,
        };
        let repository = self.repository_of(spec).await?;
        let means = Means {
            repository: repository.as_ref(),
            known: work.as_deref().and_then(|work| self.bytes_of(work)),
            ..self.means(&on_bytes)
        };
        let located = sources::locate(&means, spec, &exclusions).await?;
        if let (Some(work), Spec::Archive { .. } | Spec::Directory { .. }) = (work, spec) {
            self.turns.note(work, Found::Bytes(located.id.digest));
        }
        drop(on_bytes);
        progress.done();
        if let Some(file) = spec.wheel().cloned() {
            return Ok(Identified::Given(Box::new(GivenWheel { located, file })));
        }
        let expectation = Expectation {
            name: spec.name().cloned(),
            version: None,
        };
        Ok(Identified::Source(Box::new(located), expectation))
    }

    pub(super) async fn named(
        &self,
        requirement: &Requirement,
        origin: Option<&LinePlace>,
    ) -> Result<Identified, BuildError> {
        let settings = &self.settings;
        let name = &requirement.name;
        if !requirement.marker.evaluate(&settings.facts.markers, &[]) {
            return Err(BuildError::Marker {
                requirement: requirement.to_string(),
            });
        }
        let specifiers = self.constrained(requirement);
        settings.hashes.demand(name, None, origin)?;
        if let Some(kept) = self.pinned_and_kept(name, &specifiers).await? {
            return Ok(Identified::Kept(Box::new(kept)));
        }
        let files = settings.hashes.fitting(self.files(name).await?);
        let python = python_version(&settings.facts);
        let choice = Choice {
            name,
            specifiers: &specifiers,
            tags: &settings.tags,
            python: &python,
            formats: &settings.formats,
            pre: settings.pre,
            exclude_newer: settings.exclude_newer,
        };
        let mut choices = choose(&files, &choice);
        if settings.prefer_binary {
            choices.sort_by_key(|candidate| candidate.wheel.is_none());
        }
        let Some(best) = choices.into_iter().next() else {
            return Err(nothing_fits(&files, &choice, settings.mapped.get(name)));
        };
        let Candidate {
            version,
            wheel,
            sdist,
        } = best;
        match (wheel, sdist) {
            (Some(wheel), _) => Ok(Identified::Wheel(Box::new(wheel))),
            (None, Some(sdist)) => {
                settings.hashes.demand(name, Some(&version), origin)?;
                let held = settings.hashes.of(name, &version);
                let mut source = self.locate_sdist(&sdist).await?;
                self.hold(&mut source, &held).await?;
                let expectation = Expectation {
                    name: Some(name.clone()),
                    version: Some(version),
                };
                Ok(Identified::Source(Box::new(source), expectation))
            }
            (None, None) => {
                let why = "neither a wheel for this Python nor an sdist";
                Err(BuildError::NoSource {
                    name: name.clone(),
                    version,
                    why,
                })
            }
        }
    }

    /// A file that was named with its index: no page is asked.
    async fn listed(&self, file: &File) -> Result<Identified, BuildError> {
        match &file.kind {
            FileKind::Wheel(_) => Ok(Identified::Wheel(Box::new(file.clone()))),
            FileKind::Sdist(sdist) => {
                let expectation = Expectation {
                    name: Some(sdist.name.clone()),
                    version: Some(sdist.version.clone()),
                };
                let source = self.locate_sdist(file).await?;
                Ok(Identified::Source(Box::new(source), expectation))
            }
        }
    }

    /// Finds out which bytes an index's sdist is; fetches it only if nobody says so.
    pub(super) async fn locate_sdist(&self, file: &File) -> Result<Located, BuildError> {
        let progress = self.progress(&file.filename);
        let on_bytes = progress.on_bytes();
        // With a digest on its page nothing is fetched to find it out.
        let _turn = match file.sha256 {
            Some(_) => None,
            None => Some(self.fetching(&file.url, &file.filename).await?),
        };
        let mut source = sources::locate_file(&self.means(&on_bytes), file).await?;
        source.is_public = self.is_public(file);
        drop(on_bytes);
        progress.done();
        Ok(source)
    }

    /// Whether a file stands on an index that is asked without a login; a page of links is none.
    fn is_public(&self, file: &File) -> bool {
        let settings = &self.settings;
        let mapped = settings
            .mapped
            .values()
            .filter_map(|mapped| mapped.index.as_ref());
        let digest = file.index.digest();
        let is_listed = settings
            .indexes
            .iter()
            .chain(mapped)
            .any(|index| index.digest() == digest);
        is_listed && settings.client.is_public(file)
    }

    /// Makes sure that the bytes of a source are in the cache; it may have changed meanwhile.
    pub(super) async fn materialise(&self, source: &Located) -> Result<Source, BuildError> {
        let progress = self.progress(&source.label);
        let on_bytes = progress.on_bytes();
        let sha256 = &source.id.digest.sha256;
        let _turn = if source.blob_in(&self.settings.cache).is_file() {
            None
        } else {
            Some(self.turn(format!("source {sha256}"), &source.label).await?)
        };
        let source = source.materialise(&self.means(&on_bytes)).await?;
        drop(on_bytes);
        progress.done();
        Ok(source)
    }

    /// Waits until nobody else fetches what lies behind `url`.
    async fn fetching(&self, url: &Url, label: &str) -> Result<Turn, BuildError> {
        self.turn(behind(url), label).await
    }

    /// Returns what a local place turned out to be earlier in this call.
    fn bytes_of(&self, work: &str) -> Option<Digest> {
        match self.turns.found(work)? {
            Found::Bytes(digest) => Some(digest),
            Found::Commit(_) => None,
        }
    }

    fn means<'a>(&'a self, on_bytes: sources::OnBytes<'a>) -> Means<'a> {
        Means {
            cache: &self.settings.cache,
            client: &self.settings.client,
            on_bytes,
            repository: None,
            known: None,
        }
    }

    /// Fetches a wheel into the cache and returns its digest and blob.
    pub(super) async fn fetch_wheel(&self, file: &File) -> Result<(Digest, PathBuf), BuildError> {
        let settings = &self.settings;
        if let Some(sha256) = file.sha256 {
            let cache = settings.cache.clone();
            if let Some(known) =
                blocking("look for a wheel", move || Ok(known(&cache, sha256))).await?
            {
                return Ok(known);
            }
        }
        let progress = self.progress(&file.filename);
        let digest = settings
            .client
            .download_file(file, Bucket::Downloads, &progress.on_bytes())
            .await?;
        progress.done();
        Ok((
            digest,
            settings.cache.blob_path(Bucket::Downloads, &digest.sha256),
        ))
    }

    fn progress(&self, label: &str) -> Progress<'_> {
        Progress {
            pipeline: self,
            label: label.to_owned(),
            came: AtomicBool::new(false),
        }
    }

    /// Takes a wheel that an index has.
    pub(super) async fn download_wheel(
        &self,
        file: &File,
        own: Option<Held>,
        place: Option<&LinePlace>,
    ) -> Result<Wheel, BuildError> {
        let hashes = &self.settings.hashes;
        let (name, version) = (file.name(), file.version());
        let mut held = hashes.of(name, version);
        held.extend(own);
        if held.is_empty() {
            hashes.demand(name, Some(version), place)?;
        }
        let (digest, path) = self.fetch_wheel(file).await?;
        self.hold_blob(&file.filename, &digest, &path, &held)
            .await?;
        let project = (name.clone(), version.clone());
        Ok(Wheel::taken(project, file.filename.clone(), path, digest))
    }
}

/// Why no file fits: the version has files of the other kind only, or no version fits at all.
fn nothing_fits(files: &[File], choice: &Choice<'_>, mapped: Option<&Mapped>) -> BuildError {
    let of_any_kind = Choice {
        formats: &FormatControl::default(),
        ..choice.clone()
    };
    if let Some(excluded) = choose(files, &of_any_kind).into_iter().next() {
        return BuildError::NoSource {
            name: choice.name.clone(),
            version: excluded.version,
            why: "--no-binary or --only-binary excludes the kind of file that it has",
        };
    }
    let mut versions: Vec<_> = files.iter().map(File::version).collect();
    versions.sort();
    versions.dedup();
    let newest: Vec<_> = versions
        .iter()
        .rev()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    let mut left_out = left_out(files, choice);
    if !newest.is_empty() {
        let more = if versions.len() > SHOWN { ", ..." } else { "" };
        left_out.insert(0, format!("there is: {}{more}", newest.join(", ")));
    }
    left_out.extend(mapped.map(|mapped| format!("it is looked for on {mapped}")));
    BuildError::NoVersion {
        name: choice.name.clone(),
        wanted: choice.specifiers.to_string(),
        left_out,
    }
}

/// Tells of the bytes of one file as they come; says nothing of a file that was there already.
struct Progress<'a> {
    pipeline: &'a Pipeline,
    label: String,
    came: AtomicBool,
}

impl Progress<'_> {
    fn on_bytes(&self) -> impl Fn(u64, Option<u64>) + Send + Sync + '_ {
        move |bytes, of| {
            self.came.store(true, Ordering::Relaxed);
            self.pipeline.say(BuildEvent::Fetching {
                label: self.label.clone(),
                bytes,
                of,
            });
        }
    }

    fn done(self) {
        if self.came.into_inner() {
            self.pipeline.say(BuildEvent::Fetched { label: self.label });
        }
    }
}

/// A downloaded file that is here already, its bytes checked.
fn known(cache: &cache::Cache, sha256: Sha256) -> Option<(Digest, PathBuf)> {
    let size = std::fs::metadata(cache.blob_path(Bucket::Downloads, &sha256))
        .ok()?
        .len();
    let digest = Digest { sha256, size };
    Some((digest, cache.blob(Bucket::Downloads, &digest)?))
}

/// The version part of a requirement without a URL.
pub(crate) fn specifiers_of(requirement: &Requirement) -> VersionSpecifiers {
    match &requirement.version_or_url {
        Some(pep508_rs::VersionOrUrl::VersionSpecifier(specifiers)) => specifiers.clone(),
        Some(pep508_rs::VersionOrUrl::Url(_)) | None => VersionSpecifiers::empty(),
    }
}

/// The interpreter's version, as `requires-python` compares it.
pub(super) fn python_version(facts: &model::PythonFacts) -> Version {
    facts.markers.python_full_version().version.clone()
}
