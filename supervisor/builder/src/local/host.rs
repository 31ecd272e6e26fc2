//! What this host can do, asked once, and the executor that uses it.

use std::sync::{Arc, LazyLock};

use cache::{Cache, Scratch};
use futures::future::BoxFuture;
use protocol::{
    AbsPath, Assignment, Confinement, Fault, Guarantees, IsolationReport, Level, Limits,
    Namespaces, Network, Rooms, Step,
};
use tokio::sync::{OnceCell, oneshot};

use super::group::Parents;
use super::live::Live;
use super::session;
use super::slot::{self, Kit, Lease, Place, Pool, Terms, end_all};
use super::spawn::WorkerProgram;
use super::uid::UidLease;
use crate::error::BuildError;
use crate::executor::{Evidence, ExecuteError, Executor, Floor, Job};
use crate::jobs::Jobs;
use crate::pipeline::blocking;

/// What this host can do for isolation.
#[derive(Clone, Debug)]
pub struct Host {
    /// The namespaces that builds enter here.
    pub namespaces: Namespaces,
    /// Whether the kernel has Landlock.
    pub landlock: bool,
    /// What a worker reported that did nothing but confine itself.
    pub report: IsolationReport,
    /// Why namespaces are not used, in the kernel's words.
    pub without_namespaces: Option<String>,
}

/// Runs workers on this host.
#[derive(Debug)]
pub struct LocalExecutor {
    program: WorkerProgram,
    cache: Cache,
    live: Live,
    host: OnceCell<Host>,
    groups: Arc<LazyLock<Parents>>,
    pool: Arc<Pool>,
    jobs: Arc<Jobs>,
}

impl LocalExecutor {
    /// Makes an executor. Makes this process the one that orphans of its workers fall to, and hides
    /// its memory and environment from other processes of its uid.
    #[must_use]
    pub fn new(program: WorkerProgram, cache: Cache) -> Self {
        // Both are second locks: a kernel that refuses them still has the first.
        let _ = nix::sys::prctl::set_child_subreaper(true);
        let _ = nix::sys::prctl::set_dumpable(false);
        Self {
            program,
            jobs: Jobs::new(cache.clone()),
            cache,
            live: Live::new(),
            host: OnceCell::new(),
            groups: Arc::new(LazyLock::new(Parents::find)),
            pool: Arc::default(),
        }
    }

    /// Says that this process runs programs for its user as well: they, and what they leave running, are
    /// no orphans of a worker. Those are known by the filter that a build can not get rid of.
    pub fn has_company(&self) {
        self.live.lock().expect_company();
    }

    /// Returns the jobs of this process.
    pub(crate) fn jobs(&self) -> &Arc<Jobs> {
        &self.jobs
    }

    /// Ends the workers that wait for builds, and waits until every worker has ended and its scratch is gone.
    /// None is kept from now on.
    pub async fn idle(&self) {
        end_all(self.pool.close()).await;
        self.live.idle().await;
    }

    /// Finds out what this host can do, by having workers do it.
    ///
    /// # Errors
    /// If not even the lowest level can be reached, with the kernel's words.
    pub async fn host(&self) -> Result<&Host, BuildError> {
        self.host.get_or_try_init(|| self.ask_host()).await
    }

    /// Returns the control groups below which this process makes one for each build, in words.
    #[must_use]
    pub fn control_groups(&self) -> Vec<String> {
        self.groups.in_words()
    }

    async fn ask_host(&self) -> Result<Host, BuildError> {
        let wished = if nix::unistd::geteuid().is_root() {
            Namespaces::WithoutUser
        } else {
            Namespaces::WithUser
        };
        // A kernel without Landlock still gives what its namespaces give: a level of its own, below
        // the default floor.
        for landlock in [true, false] {
            match self.probe(wished, landlock).await {
                Ok(report) => {
                    let without_namespaces = None;
                    return Ok(Host {
                        namespaces: wished,
                        landlock,
                        report,
                        without_namespaces,
                    });
                }
                Err(BuildError::Execute(ExecuteError::Fault(fault)))
                    if fault.step == Step::Landlock => {}
                Err(BuildError::Execute(ExecuteError::Fault(fault))) => {
                    let report = self.probe(Namespaces::None, true).await;
                    let report = report.map_err(|error| too_old(&fault, error))?;
                    return Ok(Host {
                        namespaces: Namespaces::None,
                        landlock: true,
                        report,
                        without_namespaces: Some(fault.to_string()),
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Err(BuildError::NoLock)
    }

    /// Runs a worker that only confines itself.
    async fn probe(
        &self,
        namespaces: Namespaces,
        landlock: bool,
    ) -> Result<IsolationReport, BuildError> {
        let scratch = self.cache.scratch()?;
        scratch.room('o')?;
        let lease = (namespaces == Namespaces::WithoutUser)
            .then(UidLease::take)
            .flatten();
        let assignment = Assignment {
            rooms: Rooms {
                scratch: AbsPath::new(scratch.path())?,
                writable: vec!["o".to_owned()],
                seen_as: AbsPath::new(crate::assignment::ROOMS_AT)?,
            },
            confinement: Confinement {
                namespaces,
                build_uid: lease.as_ref().map(UidLease::uid),
                landlock,
                landlock_floor: 1,
                network: Network::None,
                grants: Vec::new(),
                must_not_open: AbsPath::new(self.cache.root().join("CACHEDIR.TAG"))?,
                trace: false,
            },
            limits: Limits {
                wall_ms: 20_000,
                silence_ms: 20_000,
                cpu_seconds: 20,
                memory_bytes: 1 << 30,
                processes: 64,
                open_files: 256,
                file_bytes: 1 << 20,
                scratch_bytes: 1 << 20,
                scratch_inodes: 100,
                log_bytes: 64 * 1024,
            },
            unpack: None,
            program: None,
            slot: None,
        };
        let job = Job {
            assignment,
            scratch,
            dialogue: Box::new(|_| None),
            floor: Floor {
                level: Level::None,
                require: Vec::new(),
            },
            log: None,
            lines: None,
            redactor: crate::redact::Redactor::default(),
            watched: true,
            stream: None,
        };
        let (evidence, _) = self.execute(job).await.map_err(BuildError::Execute)?;
        Ok(evidence.report)
    }

    /// Leases the uid that a build gets on `host`, if it gets one of its own.
    pub(crate) async fn lease_uid(&self, host: &Host) -> Result<Option<UidLease>, BuildError> {
        if host.namespaces != Namespaces::WithoutUser {
            return Ok(None);
        }
        loop {
            if let Some(lease) = UidLease::take() {
                return Ok(Some(lease));
            }
            match self.pool.take_oldest() {
                Some(slot) => end_all(vec![slot]).await,
                None => return Err(BuildError::NoUid),
            }
        }
    }

    /// Leases a slot under `terms`: one that idles, or the place for a new one. Nothing where slots are of
    /// no use.
    pub(crate) async fn lease_slot(
        &self,
        terms: Terms,
        host: &Host,
        most: usize,
    ) -> Result<Option<Lease>, BuildError> {
        if !self.pool.may_serve(&terms) {
            return Ok(None);
        }
        let slot = match self.pool.take(&terms) {
            Some(slot) => Ok(slot),
            None => {
                let uid = self.lease_uid(host).await?;
                let (cache, namespaces) = (self.cache.clone(), host.namespaces);
                let place = move || Place::new(&cache, namespaces, uid);
                Err(blocking("make a scratch", place).await?)
            }
        };
        Ok(Some(Lease::new(terms, slot, most)))
    }

    /// Runs a job in a slot. Dropping the future ends the worker.
    pub(crate) async fn execute_in(
        &self,
        job: Job,
        mut lease: Lease,
    ) -> Result<(Evidence, Scratch), ExecuteError> {
        let (terms, most) = (lease.terms(), lease.most);
        let Some(slot) = lease.take() else {
            return Err(ExecuteError::Cancelled);
        };
        let kit = Kit {
            program: self.program.clone(),
            live: self.live.clone(),
            parents: Arc::clone(&self.groups),
        };
        let pool = Arc::clone(&self.pool);
        let is_new = slot.is_err();
        // Dropped with this future, which tells the session to end.
        let (_keep, abandoned) = oneshot::channel();
        let run = tokio::spawn(async move {
            let (outcome, slot) = slot::run(job, slot, &kit, abandoned).await;
            let surplus = match (&outcome, slot) {
                (_, Some(slot)) => pool.put(terms, slot, most),
                (Err(ExecuteError::Slot(_)), None) if is_new => pool.forgo(terms),
                (_, None) => Vec::new(),
            };
            // The build does not wait for it; who waits for all to end does.
            tokio::spawn(end_all(surplus));
            outcome
        });
        run.await.unwrap_or(Err(ExecuteError::Cancelled))
    }

    /// Whether an interpreter under `terms` waits for a build.
    pub(crate) fn idles(&self, terms: &Terms) -> bool {
        self.pool.idles(terms)
    }

    /// Takes note that slots under `terms` are of no use.
    pub(crate) async fn forgo(&self, terms: Terms) {
        end_all(self.pool.forgo(terms)).await;
    }

    /// Returns the vector that a build reaches here at most, for `doctor`.
    ///
    /// # Errors
    /// As [`LocalExecutor::host`].
    pub async fn guarantees(&self) -> Result<&Guarantees, BuildError> {
        Ok(&self.host().await?.report.guarantees)
    }
}

/// Says both reasons where neither namespaces nor Landlock alone can be had.
fn too_old(namespaces: &Fault, error: BuildError) -> BuildError {
    match error {
        BuildError::Execute(ExecuteError::Fault(fault)) if fault.step == Step::Landlock => {
            BuildError::TooOld {
                namespaces: namespaces.reason(),
                landlock: fault.reason(),
            }
        }
        error => error,
    }
}

impl Executor for LocalExecutor {
    fn execute(&self, job: Job) -> BoxFuture<'_, Result<(Evidence, Scratch), ExecuteError>> {
        let program = self.program.clone();
        let live = self.live.clone();
        let groups = Arc::clone(&self.groups);
        Box::pin(async move {
            // Dropped with this future, which tells the session to end.
            let (_keep, abandoned) = oneshot::channel();
            let run =
                tokio::spawn(
                    async move { session::run(job, program, live, &groups, abandoned).await },
                );
            match run.await {
                Ok(outcome) => outcome,
                Err(_) => Err(ExecuteError::Cancelled),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(step: Step, doing: &str, errno: Option<i32>) -> Fault {
        let doing = doing.to_owned();
        Fault { step, errno, doing }
    }

    #[test]
    fn without_namespaces_and_with_an_old_landlock_both_are_told() {
        let namespaces = fault(Step::Namespaces, "unshare", Some(1));
        let landlock = fault(Step::Landlock, "Landlock ABI 3 or later is needed", None);
        let error = BuildError::Execute(ExecuteError::Fault(landlock));
        assert_eq!(
            too_old(&namespaces, error).to_string(),
            "namespaces are refused here (unshare: Operation not permitted (os error 1)), and Landlock ABI 3 or later is needed"
        );
        let other = fault(Step::Limits, "limit processor time", None);
        let error = BuildError::Execute(ExecuteError::Fault(other.clone()));
        let kept = too_old(&namespaces, error).to_string();
        assert!(kept.ends_with(&other.to_string()), "{kept}");
    }
}
