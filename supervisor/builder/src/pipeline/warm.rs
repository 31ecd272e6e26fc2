//! Which builds may share an interpreter, one after the other, and with which others.
//!
//! Only those of sources that anybody may fetch: a hostile build requirement lives on in the interpreter,
//! and a private source must not be where it can be carried on from. `docs/decisions/0008` tells the rest.

use std::path::Path;

use model::SourceKind;
use policies::Compiled;
use protocol::{AbsPath, Access, Limits};

use super::corridor::Pipeline;
use super::equip::Equipment;
use super::make::Work;
use crate::assignment::{Layout, compile};
use crate::error::BuildError;
use crate::hook::backend_of;
use crate::local::{Host, Lease, Terms};

/// The first Landlock ABI with scopes, which keep a build from signalling what it was branched off from.
const SCOPES: u32 = 6;
/// Bytes of memory below which the stacks of the interpreter's threads would be felt.
const LEAST_MEMORY: u64 = 1 << 30;

impl Pipeline {
    /// Leases a slot for a build of these terms.
    pub(super) async fn slot_for(&self, terms: Terms) -> Result<Option<Lease>, BuildError> {
        let executor = &self.settings.executor;
        let host = executor.host().await?;
        executor.lease_slot(terms, host, self.settings.jobs).await
    }

    /// What must be equal for another build to share an interpreter with this one, if it may be served out of
    /// a slot.
    pub(super) async fn terms(
        &self,
        work: &Work<'_>,
        equipment: &Equipment,
    ) -> Result<Option<Terms>, BuildError> {
        let host = self.settings.executor.host().await?;
        if self.is_alone || !self.may_share(work) || !can_keep(host) {
            return Ok(None);
        }
        self.terms_on(work, equipment, host)
    }

    /// Whether a build may be branched off from an interpreter that others are branched off from as well.
    fn may_share(&self, work: &Work<'_>) -> bool {
        let (settings, source) = (&self.settings, work.source);
        settings.policy.reuses()
            && !settings.keep_scratch
            && source.id.kind == SourceKind::Index
            && source.is_public
            && work.system.backend_path.is_empty()
            && settings.facts.implementation == "cpython"
            && !settings.facts.free_threaded
    }

    /// The terms. Nothing where a grant lets a build leave something for the next.
    fn terms_on(
        &self,
        work: &Work<'_>,
        equipment: &Equipment,
        host: &Host,
    ) -> Result<Option<Terms>, BuildError> {
        let settings = &self.settings;
        let environment = &equipment.environment.path;
        let root = settings.cache.root();
        let seen_as = Layout::new(host, None, root, root)?.environment(environment)?;
        let extras = settings.extras_of(&work.source.id);
        let places = Some((AbsPath::new(environment)?, seen_as));
        let compiled = compile(&settings.policy, &extras, &settings.facts, places)?;
        let limits = settings.limits.over(&compiled.limits);
        if leaves_something(&compiled) || !is_roomy(&limits) {
            return Ok(None);
        }
        let variables = settings.variables_of(work.package.as_ref());
        let epoch = settings.source_date_epoch;
        let (backend, floor) = (backend_of(work.system), &settings.floor);
        let told = (
            environment,
            backend,
            &compiled,
            &limits,
            &variables,
            epoch,
            floor,
        );
        Ok(Some(Terms::of(&format!("{told:?}"))))
    }
}

/// Whether this host can keep an interpreter that no build reaches.
fn can_keep(host: &Host) -> bool {
    host.landlock && host.report.landlock_abi >= SCOPES && host.report.listener
}

/// Whether a build could write to what another one of the same terms reads.
fn leaves_something(compiled: &Compiled) -> bool {
    compiled.grants.iter().any(|grant| match grant.access {
        Access::Read | Access::ReadExecute => false,
        Access::ReadWrite => true,
        Access::ReadWriteFile => !is_device(grant.path.as_path()),
    })
}

/// The devices that a policy grants keep nothing of what is written to them.
fn is_device(path: &Path) -> bool {
    [
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/random",
        "/dev/urandom",
    ]
    .iter()
    .any(|device| path == Path::new(device))
}

fn is_roomy(limits: &Limits) -> bool {
    limits.memory_bytes >= LEAST_MEMORY
}
