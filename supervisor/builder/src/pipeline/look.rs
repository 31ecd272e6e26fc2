//! A look into a source before any of it is unpacked for a build: `pyproject.toml`, and what
//! `PKG-INFO` claims. What it showed is kept, so that the archive is not opened for it again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use archive::Budget;
use protocol::Access;
use rustix::fs::{Mode, OFlags, openat};
use sources::{BuildSystem, CoreMetadata, Located, Project, Revisions, Source};
use std::sync::Arc;

use super::corridor::{Pipeline, blocking};
use crate::assignment::{Layout, ROOMS, unpack_order};
use crate::error::BuildError;
use crate::executor::{Executor, Job};

/// The largest `pyproject.toml` that is read, in bytes.
const LARGEST: u64 = 4 << 20;

impl Pipeline {
    /// Returns the build system of `source` if an earlier look showed it.
    pub(super) async fn known(&self, source: &Located) -> Result<Option<BuildSystem>, BuildError> {
        let (cache, id) = (self.settings.cache.clone(), source.id.clone());
        blocking("look what is known of a source", move || {
            let project = Revisions::of(&cache).project(&id);
            Ok(project.and_then(|project| project.build_system()))
        })
        .await
    }

    /// Reads the build system of `source` out of its archive.
    pub(super) async fn look(&self, source: &Source) -> Result<BuildSystem, BuildError> {
        let inside = |name: &str| match &source.id.subdirectory {
            Some(folder) => format!("{folder}/{name}"),
            None => name.to_owned(),
        };
        let name = inside("pyproject.toml");
        let (text, said) = if source.kind.decodable_in_supervisor() {
            let (source, names) = (source.clone(), [name, inside("PKG-INFO")]);
            blocking("look into the source", move || peek(&source, &names)).await?
        } else {
            (self.look_by_worker(source, &name).await?, None)
        };
        let system = BuildSystem::from_pyproject(text.as_deref())?;
        let said = said.and_then(|text| CoreMetadata::parse(&text).ok());
        let project = Project::new(&system, said.as_ref());
        let (cache, id) = (self.settings.cache.clone(), source.id.clone());
        blocking("keep what a source says", move || {
            Revisions::of(&cache).keep(&id, project);
            Ok(())
        })
        .await?;
        Ok(system)
    }

    /// Has a worker decode what no memory-safe decoder of the supervisor reads.
    async fn look_by_worker(
        &self,
        source: &Source,
        name: &str,
    ) -> Result<Option<Vec<u8>>, BuildError> {
        let settings = Arc::clone(&self.settings);
        let host = settings.executor.host().await?;
        let lease = settings.executor.lease_uid(host)?;
        let cache = settings.cache.clone();
        let scratch = blocking("make a scratch", move || {
            let scratch = cache.scratch()?;
            for room in ROOMS {
                scratch.room(room)?;
            }
            Ok(scratch)
        })
        .await?;
        let uid = lease.as_ref().map(crate::local::UidLease::uid);
        let layout = Layout::new(host, uid, scratch.path(), settings.cache.root())?;
        let limits = settings.limits.over(settings.policy.limits());
        let grants = vec![crate::assignment::readable(
            "/dev/null".as_ref(),
            Access::ReadWriteFile,
        )?];
        let assignment = layout.assignment(grants, limits, Some(unpack_order(source)?), None)?;
        let job = Job {
            assignment,
            scratch,
            dialogue: Box::new(|_| None),
            floor: settings.floor.without_guarantees(),
            log: None,
            lines: None,
            redactor: crate::redact::Redactor::default(),
        };
        let (evidence, scratch) = settings.executor.execute(job).await?;
        if let Some((rule, detail)) = evidence.refused {
            return Err(BuildError::Archive { rule, detail });
        }
        let name = name.to_owned();
        blocking("read what a worker unpacked", move || {
            let room = openat(
                scratch.dir(),
                "s",
                OFlags::DIRECTORY | OFlags::NOFOLLOW,
                Mode::empty(),
            )
            .map_err(|errno| io("open the room of", scratch.path(), errno))?;
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let Ok(file) = openat(&room, name.as_str(), flags, Mode::empty()) else {
                return Ok(None);
            };
            let file = File::from(file);
            let fits = file
                .metadata()
                .is_ok_and(|found| found.is_file() && found.len() <= LARGEST);
            let mut text = Vec::new();
            let read = fits && file.take(LARGEST).read_to_end(&mut text).is_ok();
            Ok(read.then_some(text))
        })
        .await
    }
}

/// Two files of an archive, as far as they are there.
type Peeked = (Option<Vec<u8>>, Option<Vec<u8>>);

fn peek(source: &Source, names: &[String; 2]) -> Result<Peeked, BuildError> {
    let file = File::open(&source.path).map_err(|error| BuildError::Io {
        doing: "open",
        path: source.path.clone(),
        source: error,
    })?;
    let asked = names.each_ref().map(String::as_str);
    let mut found: BTreeMap<String, Vec<u8>> =
        archive::peek(&file, &asked, source.top, &Budget::default()).map_err(|refusal| {
            BuildError::Archive {
                rule: refusal.rule().to_owned(),
                detail: refusal.to_string(),
            }
        })?;
    let [pyproject, pkg_info] = asked.map(|name| found.remove(name));
    Ok((pyproject, pkg_info))
}

fn io(doing: &'static str, path: &std::path::Path, errno: rustix::io::Errno) -> BuildError {
    BuildError::Io {
        doing,
        path: path.to_owned(),
        source: errno.into(),
    }
}
