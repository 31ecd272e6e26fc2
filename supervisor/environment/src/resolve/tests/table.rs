//! A table of packages that answers like an index.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use index::{Candidate, File, FileKind, IndexUrl};
use model::{
    Code, MarkerEnvironment, PackageName, Requirement, Version, VersionSpecifiers, WheelFilename,
};
use pep508_rs::MarkerEnvironmentBuilder;

use crate::resolve::{Metadata, Provider, ProviderError, Question, ResolveError, Root, resolve};

/// One version in the table.
#[derive(Clone, Default)]
pub(super) struct Release {
    pub(super) requires: Vec<Requirement>,
    pub(super) requires_python: Option<&'static str>,
    pub(super) requires_python_in_metadata: Option<&'static str>,
    pub(super) yanked: bool,
    pub(super) broken: Option<&'static str>,
    pub(super) fails: bool,
    pub(super) no_file: bool,
}

#[derive(Default)]
pub(super) struct Table {
    pub(super) projects: BTreeMap<PackageName, BTreeMap<Version, Release>>,
    pub(super) unreachable: bool,
    pub(super) asked: Mutex<Vec<String>>,
    pub(super) questions: AtomicUsize,
}

impl Table {
    /// Adds a version and what it requires.
    pub(super) fn with(self, name: &str, version: &str, requires: &[&str]) -> Self {
        self.release(
            name,
            version,
            Release {
                requires: requirements(requires),
                ..Release::default()
            },
        )
    }

    pub(super) fn release(mut self, name: &str, version: &str, release: Release) -> Self {
        self.projects
            .entry(PackageName::from_str(name).unwrap())
            .or_default()
            .insert(Version::from_str(version).unwrap(), release);
        self
    }

    pub(super) async fn resolve(self, roots: &[&str]) -> Result<String, ResolveError> {
        self.constrained(roots, &[]).await
    }

    pub(super) async fn constrained(
        self,
        roots: &[&str],
        constraints: &[&str],
    ) -> Result<String, ResolveError> {
        Arc::new(self).ask(roots, constraints).await
    }

    /// Returns `name version` of everything chosen.
    pub(super) async fn ask(
        self: Arc<Self>,
        roots: &[&str],
        constraints: &[&str],
    ) -> Result<String, ResolveError> {
        let python = Version::from_str("3.11.7").unwrap();
        let roots: Vec<_> = requirements(roots).into_iter().map(Root::from).collect();
        let question = Question {
            roots: &roots,
            constraints: &requirements(constraints),
            markers: &markers(),
            python: &python,
            pre: false,
            prefer_binary: false,
            urls: BTreeMap::new(),
        };
        let resolution = resolve(&question, self).await?;
        Ok(resolution
            .0
            .iter()
            .map(|(name, chosen)| format!("{name} {}", chosen.candidate.version))
            .collect::<Vec<_>>()
            .join(", "))
    }
}

impl Provider for Table {
    fn candidates<'a>(
        &'a self,
        project: &'a PackageName,
    ) -> BoxFuture<'a, Result<Vec<Candidate>, ProviderError>> {
        async move {
            self.questions.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            if self.unreachable {
                return Err(ProviderError::failed(
                    Code::Transport,
                    "the connection was cut",
                ));
            }
            let releases = self.projects.get(project).ok_or(ProviderError::Unknown {
                reason: "the index does not know it".to_owned(),
            })?;
            Ok(releases
                .iter()
                .rev()
                .map(|(version, release)| candidate(project, version, release))
                .collect())
        }
        .boxed()
    }

    fn metadata<'a>(
        &'a self,
        project: &'a PackageName,
        candidate: &'a Candidate,
    ) -> BoxFuture<'a, Result<Metadata, ProviderError>> {
        async move {
            self.asked
                .lock()
                .unwrap()
                .push(format!("{project} {}", candidate.version));
            let release = &self.projects[project][&candidate.version];
            if release.fails {
                return Err(ProviderError::failed(
                    Code::HashMismatch,
                    "not the bytes promised",
                ));
            }
            match release.broken {
                Some(reason) => Err(ProviderError::Excluded {
                    reason: reason.to_owned(),
                }),
                None => Ok(Metadata {
                    requires: release.requires.clone(),
                    requires_python: release.requires_python_in_metadata.map(specifiers),
                    extras: Vec::new(),
                }),
            }
        }
        .boxed()
    }
}

pub(super) fn specifiers(text: &str) -> VersionSpecifiers {
    VersionSpecifiers::from_str(text).unwrap()
}

pub(super) fn requirements(texts: &[&str]) -> Vec<Requirement> {
    texts
        .iter()
        .map(|text| Requirement::from_str(text).unwrap())
        .collect()
}

pub(super) fn candidate(project: &PackageName, version: &Version, release: &Release) -> Candidate {
    let filename = format!(
        "{}-{version}-py3-none-any.whl",
        project.to_string().replace('-', "_")
    );
    let file = File {
        url: url::Url::parse(&format!("https://files.example.invalid/{filename}")).unwrap(),
        kind: FileKind::Wheel(WheelFilename::parse(&filename).unwrap()),
        filename,
        sha256: None,
        other_hashes: BTreeMap::new(),
        size: None,
        requires_python: release.requires_python.map(specifiers),
        yanked: release.yanked.then(String::new),
        metadata: None,
        uploaded: None,
        index: IndexUrl::parse("https://index.example.invalid/simple").unwrap(),
    };
    Candidate {
        version: version.clone(),
        wheel: (!release.no_file).then_some(file),
        sdist: None,
    }
}

pub(super) fn markers() -> MarkerEnvironment {
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: "3.11.7",
        os_name: "posix",
        platform_machine: "x86_64",
        platform_python_implementation: "CPython",
        platform_release: "6.1",
        platform_system: "Linux",
        platform_version: "1",
        python_full_version: "3.11.7",
        python_version: "3.11",
        sys_platform: "linux",
    })
    .unwrap()
}
