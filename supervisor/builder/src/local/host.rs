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
use super::spawn::WorkerProgram;
use super::uid::UidLease;
use crate::error::BuildError;
use crate::executor::{ExecuteError, Executor, Floor, Job};

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
            cache,
            live: Live::new(),
            host: OnceCell::new(),
            groups: Arc::new(LazyLock::new(Parents::find)),
        }
    }

    /// Says that this process runs programs for its user as well: they, and what they leave running, are
    /// no orphans of a worker. Those are known by the filter that a build can not get rid of.
    pub fn has_company(&self) {
        self.live.lock().expect_company();
    }

    /// Waits until every worker has ended and its scratch is gone.
    pub async fn idle(&self) {
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
    pub(crate) fn lease_uid(&self, host: &Host) -> Result<Option<UidLease>, BuildError> {
        if host.namespaces != Namespaces::WithoutUser {
            return Ok(None);
        }
        match UidLease::take() {
            Some(lease) => Ok(Some(lease)),
            None => Err(BuildError::NoUid),
        }
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
    fn execute(
        &self,
        job: Job,
    ) -> BoxFuture<'_, Result<(crate::executor::Evidence, Scratch), ExecuteError>> {
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
