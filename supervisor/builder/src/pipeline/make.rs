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
use super::queue::Wish;
use super::run::{Came, Run, is_gone, removed};
use crate::assignment::Layout;
use crate::build_id::BuildId;
use crate::canary::Home;
use crate::error::BuildError;
use crate::executor::Evidence;
use crate::furnished::furnished;
use crate::hook::{Goal, HookRequest};
use crate::jobs::Fifo;
use crate::local::{Lease, UidLease};
use crate::settings::Settings;
use crate::shelf;
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

/// How hooks are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Out of an interpreter that others share, where that may be.
    Shared,
    /// In one of their own.
    Alone,
    /// In one of their own, and what is opened and started is written down.
    Traced,
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
    /// Runs the hooks of `source` in its environment; once more, if that may explain a failure.
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
        let way = if self.traces() {
            Way::Traced
        } else {
            Way::Shared
        };
        let error = match self.attempt(&work, equipment.clone(), way).await {
            Ok(made) => {
                if way == Way::Traced {
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
            match self.once_more(&work, equipment, error).await {
                Ok(made) => return Ok(made),
                Err(error) => error,
            }
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
        way: Way,
    ) -> Result<Made, BuildError> {
        let trace = way == Way::Traced;
        let (mut may_share, mut has_more) = (way == Way::Shared, false);
        let earlier_ms = self.earlier(work).await;
        loop {
            let terms = if may_share {
                self.terms(work, &equipment).await?
            } else {
                None
            };
            let wish = Wish {
                goes_on: has_more,
                earlier_ms,
                terms,
            };
            let going = self.going(wish, &work.label).await;
            let lease = match terms {
                Some(terms) => self.slot_for(terms).await?,
                None => None,
            };
            let (run, place) = self.begin(work, trace, lease.as_ref()).await?;
            match run.hooks(place, equipment, lease, going).await? {
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

    /// How long the hooks of the package took at an earlier build, where that helps to choose among many.
    async fn earlier(&self, work: &Work<'_>) -> Option<u64> {
        let name = work.package.clone().filter(|_| !self.is_alone)?;
        let cache = self.settings.cache.clone();
        let known = blocking("look for earlier builds", move || {
            Ok(shelf::earlier_ms(&cache, &name))
        });
        known.await.ok().flatten()
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
        let (scratch, home, fifo) = blocking("make a scratch", move || {
            let scratch = furnished(&cache)?;
            let room = scratch.path().join("h");
            let home = Home::lay(&room, leased, hidden).map_err(|source| BuildError::Io {
                doing: "furnish",
                path: room,
                source,
            })?;
            // Without one a build has one job, as far as we know.
            let fifo = Fifo::lay(scratch.dir(), leased)
                .inspect_err(|error| tracing::debug!(%error, "no fifo for jobs"))
                .ok();
            Ok((scratch, home, fifo))
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
            fifo,
        };
        Ok((run, (scratch, uid)))
    }
}
