//! One installation under the environment's lock: choose, make, lay out, move into place.

use std::collections::BTreeMap;
use std::sync::Arc;

use builder::{Mode, Origin, Plan, Planned, Settings, Watcher, Wheel};
use environment::{Change, Distribution, Session, TargetError, Wanted, WheelInput};
use model::{Code, PackageName, WheelFilename};
use sources::Spec;

use super::place::of_target;
use super::{direct_url, there};
use crate::args::InstallArgs;
use crate::command::made::Made;
use crate::command::making::Order;
use crate::command::{Surroundings, remarks};
use crate::compose;
use crate::render::Problem;
use crate::report::{InstalledEntry, WheelEntry};

/// What an installation works with.
pub(super) struct Work<'a> {
    pub(super) args: &'a InstallArgs,
    pub(super) around: &'a Surroundings,
    pub(super) order: &'a Order,
    pub(super) settings: Arc<Settings>,
    /// What is installed.
    pub(super) there: Vec<Distribution>,
}

/// What became of it.
#[derive(Default)]
pub(super) struct Done {
    pub(super) made: Made,
    /// What was installed already and stays.
    pub(super) kept: usize,
    /// Wheels of traced builds, which nobody keeps.
    pub(super) traced: Vec<Wheel>,
}

impl Work<'_> {
    /// Puts what is installed into the settings, so that it is preferred where it may stay.
    pub(super) fn prefer(&mut self, mut settings: Settings) {
        let named: Vec<_> = self
            .order
            .wanted()
            .iter()
            .filter_map(|it| it.spec.name())
            .collect();
        let args = self.args;
        let is_open =
            |name: &PackageName| args.reinstall || (args.upgrade && named.contains(&name));
        settings.installed = there::preferred(&self.there, is_open);
        self.settings = Arc::new(settings);
    }

    /// Makes what is wanted and installs it.
    pub(super) async fn run(&self, session: &Session) -> Result<Done, Problem> {
        let mut done = Done::default();
        let mut wanted = Vec::new();
        if self.order.is_named() {
            self.make_named(&mut done, &mut wanted).await?;
        } else if there::is_everything(&self.settings, self.order.wanted()) {
            done.kept = self.order.wanted().len();
        } else {
            self.make_whole(&mut done, &mut wanted).await?;
        }
        if !done.made.problems.is_empty() {
            return Ok(done);
        }
        check_once(&wanted)?;
        let changes = self.put(session, &wanted).await?;
        for change in &changes {
            for note in &change.notes {
                let about = format!("{} {}", change.name, change.version);
                self.around.talk.note(&format!("{about}: {note}"));
            }
        }
        for wheel in &done.traced {
            builder::forget(&self.settings, wheel);
        }
        let entries = changes.iter().map(InstalledEntry::new);
        done.made.document.installed = Some(entries.collect());
        Ok(done)
    }

    /// Makes what is named and not installed, and nothing that it depends on.
    async fn make_named(&self, done: &mut Done, wanted: &mut Vec<Wanted>) -> Result<(), Problem> {
        let all = self.order.here(&self.settings, self.around)?;
        let (kept, open): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| {
            matches!(&one.spec, Spec::Named(requirement) if self.settings.satisfies(requirement))
        });
        done.kept += kept.len();
        let watcher = Arc::clone(&self.around.talk) as Arc<dyn Watcher>;
        let results = builder::wheels(Arc::clone(&self.settings), open.clone(), watcher).await;
        for (result, asked) in results.into_iter().zip(&open) {
            let spec = &asked.spec;
            match result {
                Ok(wheel) => match self.is_same(&wheel.name, &wheel.version, spec) {
                    true => done.kept += 1,
                    false => wanted.push(self.take(done, &wheel, Some(spec), true)?),
                },
                Err(failure) => done.made.failed(&failure),
            }
        }
        Ok(())
    }

    /// Makes what is wanted and everything that it depends on, as far as it is not installed.
    async fn make_whole(&self, done: &mut Done, wanted: &mut Vec<Wanted>) -> Result<(), Problem> {
        let Some(mut plan) = self.plan(&mut done.made).await? else {
            return Ok(());
        };
        let named = plan
            .projects
            .iter()
            .filter(|it| it.is_installed() && it.asked.is_some());
        done.kept += named.count();
        let stays = |it: &Planned| it.spec.is_none() && self.is_there(&it.name, &it.version);
        let before = plan.projects.len();
        plan.retain(|it| it.is_installed() || !stays(it));
        done.kept += before - plan.projects.len();
        let watcher = Arc::clone(&self.around.talk) as Arc<dyn Watcher>;
        let results = builder::carry_out(Arc::clone(&self.settings), &plan, watcher).await;
        let planned: BTreeMap<_, _> = plan.projects.iter().map(|it| (&it.name, it)).collect();
        for result in results {
            match result {
                Ok(wheel) => {
                    let planned = planned.get(&wheel.name);
                    let spec = planned.and_then(|it| it.spec.as_ref());
                    let requested = planned.is_some_and(|it| it.asked.is_some());
                    wanted.push(self.take(done, &wheel, spec, requested)?);
                }
                Err(failure) => done.made.failed(&failure),
            }
        }
        Ok(())
    }

    /// Resolves what is wanted; nothing if that fails.
    pub(super) async fn plan(&self, made: &mut Made) -> Result<Option<Plan>, Problem> {
        let wanted = self.order.wanted().to_vec();
        let watcher = Arc::clone(&self.around.talk) as Arc<dyn Watcher>;
        match builder::plan(Arc::clone(&self.settings), wanted, watcher).await {
            Ok(plan) => {
                for note in &plan.notes {
                    self.around.talk.note(note);
                }
                Ok(Some(plan))
            }
            Err(failure) => {
                made.failed(&failure);
                Ok(None)
            }
        }
    }

    /// Whether this very version is installed and may stay.
    fn is_there(&self, name: &PackageName, version: &model::Version) -> bool {
        let is_same = |it: &Distribution| it.name == *name && it.version.as_ref() == Some(version);
        !self.args.reinstall && self.there.iter().any(is_same)
    }

    fn is_same(&self, name: &PackageName, version: &model::Version, spec: &Spec) -> bool {
        matches!(spec, Spec::Named(_) | Spec::Listed(_)) && self.is_there(name, version)
    }

    /// Takes a wheel that is ready.
    fn take(
        &self,
        done: &mut Done,
        wheel: &Wheel,
        spec: Option<&Spec>,
        requested: bool,
    ) -> Result<Wanted, Problem> {
        remarks::of(wheel, &self.around.talk);
        let mut entry = WheelEntry::new(wheel, &wheel.path);
        if self.settings.trace && wheel.origin != Origin::Downloaded {
            entry.record = None;
            done.traced.push(wheel.clone());
        }
        done.made.document.wheels.push(entry);
        let filename = WheelFilename::parse(&wheel.filename)
            .map_err(|error| Problem::of(Code::BadWheel, &error))?;
        let source = wheel.source.as_ref().map(|it| it.digest.sha256.to_string());
        let direct_url = spec
            .and_then(|spec| direct_url::of_spec(spec, source.as_deref(), wheel.commit.as_deref()));
        Ok(Wanted {
            direct_url,
            wheel: WheelInput {
                path: wheel.path.clone(),
                filename,
                sha256: wheel.sha256,
            },
            requested,
        })
    }

    /// Lays the wheels out, has them compiled if that is wanted, and moves them into place.
    async fn put(&self, session: &Session, wanted: &[Wanted]) -> Result<Vec<Change>, Problem> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let failed = |error: TargetError| of_target(&error);
        // In place: an interruption is heard before this and after it.
        let prepare = || session.prepare(wanted, &self.settings.facts);
        let mut prepared = tokio::task::block_in_place(prepare).map_err(failed)?;
        if self.args.compile_bytecode {
            let compiled =
                builder::compile_bytecode(&self.settings, &prepared.root(), Mode::Timestamp)
                    .await
                    .map_err(|error| compose::of_build("the bytecode", &error))?;
            match compiled {
                Some(compiled) => {
                    let adopt = || prepared.adopt(&compiled.folder());
                    tokio::task::block_in_place(adopt).map_err(failed)?;
                }
                None => self
                    .around
                    .talk
                    .note("a limit was reached: nothing was byte-compiled"),
            }
        }
        tokio::task::block_in_place(|| prepared.install()).map_err(failed)
    }
}

/// One project can be installed once.
fn check_once(wanted: &[Wanted]) -> Result<(), Problem> {
    let mut seen: BTreeMap<&PackageName, &WheelFilename> = BTreeMap::new();
    for one in wanted {
        let filename = &one.wheel.filename;
        if let Some(first) = seen.insert(&filename.name, filename) {
            return Err(Problem::new(
                Code::Unresolvable,
                format!("{} is wanted twice", filename.name),
            )
            .why(format!("as {first} and as {filename}"))
            .fix("ask for it once"));
        }
    }
    Ok(())
}
