//! The build itself: its log, its scratch, its attempts, and what is left of it.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use cache::{Scratch, Standing};
use model::{ConfigSettings, PackageName};
use protocol::Hook;
use rustix::fs::{Mode, OFlags, openat};
use sources::{BuildSystem, Source};

use super::corridor::{Expectation, Pipeline, blocking};
use super::equip::Equipment;
use super::keep;
use super::run::{Came, Run, is_gone, removed};
use crate::assignment::Layout;
use crate::build_id::BuildId;
use crate::canary::Home;
use crate::error::BuildError;
use crate::executor::Evidence;
use crate::furnished::furnished;
use crate::hook::{Goal, HookRequest};
use crate::local::{Lease, UidLease};
use crate::settings::Settings;
use crate::watch::Watcher;

/// A build that ended well: everything that publishing needs.
pub(super) struct Made {
    /// The hook that did the work.
    pub(super) by: Hook,
    /// The settings that the hooks got.
    pub(super) config_settings: ConfigSettings,
    pub(super) build: BuildId,
    /// What people call it.
    pub(super) label: String,
    pub(super) scratch: Scratch,
    pub(super) evidence: Evidence,
    pub(super) equipment: Equipment,
    pub(super) backend: String,
    pub(super) requires_by_hook: Vec<String>,
    pub(super) hooks: Vec<(String, u64)>,
    pub(super) home: Home,
    /// Held until the output is judged: the files are the uid's.
    pub(super) uid: Option<Arc<UidLease>>,
    pub(super) watcher: Arc<dyn Watcher>,
}

impl Made {
    /// Opens a folder below room `o`, following no link.
    pub(super) fn output(&self, folder: &str) -> Result<OwnedFd, BuildError> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(self.scratch.dir(), "o", flags, Mode::empty())
            .and_then(|room| openat(&room, folder, flags, Mode::empty()))
            .map_err(|errno| BuildError::Io {
                doing: "open the output folder",
                path: self.scratch.path().join("o").join(folder),
                source: errno.into(),
            })
    }

    /// Clears the scratch away, once everything of it was judged.
    pub(super) fn clear(self, settings: &Settings) -> Result<(), BuildError> {
        if settings.keep_scratch {
            let named = (&self.build, self.label.as_str());
            keep::keep(
                self.scratch,
                settings.cache.root(),
                named,
                self.watcher.as_ref(),
            );
        } else {
            self.scratch.remove()?;
        }
        // The uid is free for another build only now that none of its files is left.
        drop(self.uid);
        Ok(())
    }
}

/// What is built, whichever attempt at it this is.
pub(super) struct Work<'a> {
    pub(super) goal: Goal,
    /// The package whose settings count, if it is known.
    pub(super) package: Option<PackageName>,
    pub(super) source: &'a Source,
    pub(super) system: &'a BuildSystem,
    pub(super) build: BuildId,
    /// What people call it.
    pub(super) label: String,
}

impl Pipeline {
    /// Runs the hooks of `source` in its environment; once more with the trace on, if that may explain a failure.
    pub(super) async fn make(
        &self,
        goal: Goal,
        (source, system, package): (&Source, &BuildSystem, Option<PackageName>),
        equipment: Equipment,
        expectation: &Expectation,
    ) -> Result<Made, BuildError> {
        let cache = self.settings.cache.clone();
        let build = blocking("make a log", move || {
            let logs = cache.bucket(cache::Bucket::Logs);
            BuildId::take(&cache).map_err(|source| BuildError::Io {
                doing: "make a log in",
                path: logs,
                source,
            })
        })
        .await?;
        let name = expectation.name.as_ref();
        let work = Work {
            goal,
            package,
            source,
            system,
            build,
            label: name.map_or_else(|| source.label.clone(), ToString::to_string),
        };
        let bytes = Standing::of(&source.path);
        let trace = self.traces();
        let error = match self.attempt(&work, equipment.clone(), trace).await {
            Ok(made) => {
                if trace {
                    self.propose(&work, &made.evidence.traces, &[]).await;
                }
                return Ok(made);
            }
            Err(error) => error,
        };
        // Without its source a build fails in one of many ways, and none tells why.
        let error = if is_gone(bytes.as_ref()) {
            removed(&source.label)
        } else {
            self.explained(&work, equipment, error).await
        };
        let run = (&work.build, work.goal);
        self.sum_up(run, &work.label, source, Err((&error, expectation)));
        Err(error.in_build(work.build.name(), Vec::new()))
    }

    /// Whether what is built now is traced from the start: what was asked for, not what it needs first.
    pub(super) fn traces(&self) -> bool {
        self.settings.trace && self.chain.is_empty()
    }

    /// Runs the hooks once, in a scratch of its own: out of a slot if they may be, and by themselves if that
    /// comes to nothing.
    pub(super) async fn attempt(
        &self,
        work: &Work<'_>,
        mut equipment: Equipment,
        trace: bool,
    ) -> Result<Made, BuildError> {
        let (mut may_share, mut has_more) = (true, false);
        loop {
            let slot = self.slots.acquire().await.ok();
            let lease = if may_share && !trace {
                self.slot_for(work, &equipment).await?
            } else {
                None
            };
            let (run, place) = self.begin(work, trace, lease.as_ref()).await?;
            match run.hooks(place, equipment, lease, slot).await? {
                Came::Made(made) => return Ok(*made),
                Came::WishForMore(more) => {
                    equipment = more;
                    may_share = !std::mem::replace(&mut has_more, true);
                }
                Came::Nothing(same) => {
                    equipment = same;
                    may_share = false;
                }
            }
        }
    }

    /// Makes a scratch, with decoys of its own, and lays the build out, in a slot or by itself.
    async fn begin<'a>(
        &'a self,
        work: &'a Work<'_>,
        trace: bool,
        lease: Option<&Lease>,
    ) -> Result<(Run<'a>, (Scratch, Option<Arc<UidLease>>)), BuildError> {
        let settings = &self.settings;
        let host = settings.executor.host().await?;
        let uid = match lease {
            Some(lease) => lease.uid(),
            None => settings.executor.lease_uid(host).await?.map(Arc::new),
        };
        let cache = settings.cache.clone();
        let leased = uid.as_ref().map(|uid| uid.uid());
        let hidden = settings.redactor();
        let (scratch, home) = blocking("make a scratch", move || {
            let scratch = furnished(&cache)?;
            let room = scratch.path().join("h");
            let home = Home::lay(&room, leased, hidden).map_err(|source| BuildError::Io {
                doing: "furnish",
                path: room,
                source,
            })?;
            Ok((scratch, home))
        })
        .await?;
        let root = settings.cache.root();
        let at = lease.map_or(scratch.path(), Lease::scratch);
        let mut layout = Layout::new(host, leased, at, root)?;
        layout.trace = trace;
        layout.in_slot = lease.is_some();
        let mut project = layout.room('s')?;
        if let Some(folder) = &work.source.id.subdirectory {
            project = project.join(folder)?;
        }
        let limits = settings.limits.over(settings.policy.limits());
        let request = HookRequest {
            goal: work.goal,
            system: work.system.clone(),
            project: project.to_string(),
            output: layout.room('o')?.to_string(),
            settings: settings.config_settings_of(work.package.as_ref()),
            wall_ms: limits.wall_ms,
        };
        let run = Run {
            pipeline: self,
            source: work.source,
            build: work.build.clone(),
            layout,
            request,
            package: work.package.clone(),
            label: work.label.clone(),
            home,
        };
        Ok((run, (scratch, uid)))
    }
}
