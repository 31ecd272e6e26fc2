//! The corridor of the commands that make wheels: understand, wire, build, deliver, tell.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use builder::{LocalExecutor, Origin, Settings, Watcher, Wheel};
use cache::Cache;
use model::{Code, TagSet};
use policies::OffLimits;
use protocol::Level;
use sources::{Spec, Wanted};

use super::build;
pub(super) use super::course::Course;
use super::delivery::{Answer, deliver};
use super::made::{Made, tell};
use super::{Surroundings, remarks, whole};
use crate::args::{
    IndexArgs, MakingArgs, PlaceArgs, ReportArgs, SandboxArgs, WantedArgs, WorkArgs,
};
use crate::compose::{self, Wish};
use crate::render::{Problem, last_line};
use crate::report::{Document, WheelEntry};
use crate::settings::{
    Ceiling, IndexSettings, MakingSettings, PlaceSettings, ReportSettings, SandboxSettings,
    SettingsError, WantedSettings,
};
use crate::signals;

/// How long threads of ours may go on after an interruption: what they still do is swept later.
const LAST_BREATH: Duration = Duration::from_secs(2);

/// What was typed.
#[derive(Debug)]
pub(super) struct Typed<'a> {
    /// What to make wheels of.
    pub(super) specs: &'a [String],
    /// What of it to make.
    pub(super) course: Course,
    /// What is wanted besides, and what it is held to.
    pub(super) wanted: &'a WantedArgs,
    /// Where they are put, for a command that delivers them.
    pub(super) out_dir: Option<&'a str>,
    /// How to make them.
    pub(super) making: &'a MakingArgs,
    /// What to report.
    pub(super) report: &'a ReportArgs,
    /// Where packages come from.
    pub(super) index: &'a IndexArgs,
    /// What builds may touch.
    pub(super) sandbox: &'a SandboxArgs,
    /// Where things are kept.
    pub(super) places: &'a PlaceArgs,
    /// Where work is done.
    pub(super) work: &'a WorkArgs,
}

/// What it means.
pub(super) struct Order {
    /// What is asked for, but for what locks hold.
    wanted: Vec<Wanted>,
    bounds: WantedSettings,
    course: Course,
    pub(super) making: MakingSettings,
    index: IndexSettings,
    sandbox: SandboxSettings,
    places: PlaceSettings,
}

/// Runs the corridor.
pub(super) fn run(typed: &Typed<'_>, around: &Surroundings) -> Result<Option<Code>, Problem> {
    let unfit = |error: SettingsError| compose::of_settings(&error);
    let places =
        PlaceSettings::for_work(typed.places, typed.work, &around.layers).map_err(unfit)?;
    let report =
        ReportSettings::new(typed.report, &around.layers, &places.directory).map_err(unfit)?;
    if let Some(folder) = report.file.as_deref().and_then(Path::parent) {
        cache::check_out_dir(folder).map_err(|error| compose::of_cache(&error))?;
    }
    let order = Order::new(typed, places, around);
    if typed.course == Course::DryRun {
        return whole::dry_run(order, &report, around);
    }
    let made = order.and_then(|order| order.make(around));
    around.talk.end();
    match made {
        Ok(made) => {
            for problem in &made.problems {
                around.talk.problem(problem);
            }
            tell(&made.document, &report)?;
            around.talk.say(&last_line(&made.document));
            Ok(made.problems.first().map(|problem| problem.code))
        }
        Err(problem) => {
            tell(&Document::of_problem(&problem), &report)?;
            Err(problem)
        }
    }
}

impl Order {
    /// Understands what was typed.
    pub(super) fn new(
        typed: &Typed<'_>,
        places: PlaceSettings,
        around: &Surroundings,
    ) -> Result<Self, Problem> {
        let unfit = |error: SettingsError| compose::of_settings(&error);
        let layers = &around.layers;
        let directory = &places.directory;
        let bounds = WantedSettings::new(typed.wanted, layers, directory).map_err(unfit)?;
        let index = IndexSettings::new(typed.index, layers, around.now)
            .and_then(|index| index.hear(&bounds.options))
            .map_err(unfit)?;
        let wanted = compose::wanted(typed.specs, &bounds, directory, typed.course.is_whole())?;
        let mut course = typed.course;
        let is_dry_run = course == Course::DryRun;
        if course.is_whole() && compose::with_locks(&bounds, &wanted, is_dry_run)? {
            course = Course::Named;
        }
        Ok(Self {
            wanted,
            bounds,
            course,
            making: MakingSettings::new(typed.making, typed.out_dir, layers, directory)
                .map_err(unfit)?,
            index,
            sandbox: SandboxSettings::new(typed.sandbox, layers, directory).map_err(unfit)?,
            places,
        })
    }

    /// Returns what is asked for.
    pub(super) fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// Whether nothing is resolved: what is named is made, and no more.
    pub(super) fn is_named(&self) -> bool {
        self.course == Course::Named
    }

    /// Returns what is asked for, each with what it is called.
    pub(super) fn specs(&self) -> Vec<(String, Spec)> {
        let specs = self.wanted.iter().map(|wanted| &wanted.spec);
        specs.map(|spec| (spec.to_string(), spec.clone())).collect()
    }

    /// Makes the wheels and delivers them.
    fn make(self, around: &Surroundings) -> Result<Made, Problem> {
        // Before any work: a wheel that can not be delivered is not worth a build.
        cache::check_out_dir(&self.making.out_dir).map_err(|error| compose::of_cache(&error))?;
        if self.sandbox.keep_scratch && self.places.work.no_cache.is_some() {
            return Err(Problem::new(
                Code::BadFlag,
                "`--keep-scratch` and `--no-cache` contradict each other",
            )
            .why("a run without a cache leaves nothing, a kept scratch included")
            .fix("drop one of them"));
        }
        let (made, is_fresh) =
            self.host(around, async |settings| self.work(settings, around).await)?;
        Ok(if is_fresh {
            made.without_the_cache()
        } else {
            made
        })
    }

    /// Opens the places, wires the settings and does `work` with them. Says whether the cache ends with it.
    pub(super) fn host<T>(
        &self,
        around: &Surroundings,
        work: impl AsyncFnOnce(Settings) -> Result<T, Problem>,
    ) -> Result<(T, bool), Problem> {
        if self.sandbox.floor == Level::None {
            around.talk.warn(
                "with `--min-isolation none` a build may do whatever you may do, where this machine can not hold it",
            );
        }
        let opened = compose::open(&self.places, Some(&self.making.out_dir), &around.talk)?;
        opened.check_exec(&around.talk)?;
        let cache = &opened.cache;
        let runtime = compose::runtime()?;
        let done = runtime.block_on(async {
            let executor = compose::executor(&self.places, cache);
            let work = async {
                let settings = self.settings(cache, &executor, around).await?;
                work(settings).await
            };
            let done = signals::unless_interrupted(work).await?;
            // Dropping the work told every worker to end; here they have ended.
            executor.idle().await;
            done.unwrap_or_else(|| Err(signals::interrupted()))
        });
        runtime.shutdown_timeout(LAST_BREATH);
        done.map(|done| (done, opened.is_fresh()))
    }

    async fn work(&self, settings: Settings, around: &Surroundings) -> Result<Made, Problem> {
        let settings = Arc::new(settings);
        let python = compose::of_this_folder(&settings.found, &self.places.directory);
        if let Some(note) = &python {
            around.talk.note(note);
        }
        let mut made = Made::default();
        let results = match self.course {
            Course::Whole => self.whole(&settings, around).await?,
            Course::Sdist(beside) => {
                build::carry_out(beside, self, &settings, (&mut made, around)).await
            }
            Course::Named | Course::DryRun => {
                let watcher = Arc::clone(&around.talk) as Arc<dyn Watcher>;
                let wanted = self.here(&settings, around)?;
                builder::wheels(Arc::clone(&settings), wanted, watcher).await
            }
        };
        for answer in deliver(&self.making.out_dir, results) {
            match answer {
                Answer::Delivered(wheel) => {
                    let (wheel, mut entry) = self.entry(&settings, wheel);
                    if wheel.origin == Origin::Built {
                        entry.notes.extend(python.clone());
                    }
                    remarks::of(&wheel, &around.talk);
                    made.document.wheels.push(entry);
                }
                Answer::Undelivered(wheel, problem) => made.undelivered(&wheel.filename, problem),
                Answer::Failed(failure) => made.failed(&failure),
            }
        }
        Ok(made)
    }

    /// Returns what is asked for of this Python.
    pub(super) fn here(
        &self,
        settings: &Settings,
        around: &Surroundings,
    ) -> Result<Vec<Wanted>, Problem> {
        let (facts, formats) = (&settings.facts, &settings.formats);
        let (wanted, notes) = compose::here(&self.wanted, &self.bounds, facts, formats)?;
        for note in notes {
            around.talk.note(&note);
        }
        Ok(wanted)
    }

    /// Wires what the pipeline works with.
    async fn settings(
        &self,
        cache: &Cache,
        executor: &Arc<LocalExecutor>,
        around: &Surroundings,
    ) -> Result<Settings, Problem> {
        let (sandbox, mut notes) = (&self.sandbox, self.sandbox.notes.clone());
        notes.extend(self.index.notes.clone());
        notes.extend(self.bounds.notes.clone());
        let policy = compose::chosen(sandbox, &mut notes)?;
        let ceiling = self.ceiling();
        let limits = compose::overrides(&sandbox.limits, &policy, ceiling, &mut notes)?;
        for note in &notes {
            around.talk.note(note);
        }
        let sources = self.sources();
        let wish = Wish {
            request: self.making.python.as_deref(),
            sources: &sources,
            places: &self.places,
            environment: &around.layers.environment,
        };
        let python = compose::interpreter(wish, cache, executor).await?;
        compose::check_length(cache, executor).await?;
        let indexes = compose::indexes(&self.index, &python, wish, (cache, executor)).await?;
        let notes = indexes.notes.iter();
        notes.for_each(|note| around.talk.note(note));
        let keyring = compose::keyring(&self.index, wish, executor);
        let environment = &around.layers.environment;
        let client = compose::client(&self.index, &indexes, keyring, environment, cache)?;
        let mut variables = compose::passed(&policy, &python.facts, &around.layers.environment)?;
        variables.extend(self.sandbox.variables.clone());
        let off_limits = self.off_limits(cache, around);
        let bounds = compose::bounds(&self.wanted, &self.bounds, &self.making, &python.facts);
        Ok(Settings {
            cache: cache.clone(),
            client,
            indexes: indexes.urls,
            mapped: indexes.mapped,
            find_links: indexes.find_links,
            found: python.found,
            tags: Arc::new(TagSet::of(&python.facts)),
            facts: python.facts,
            extras: compose::extras(&self.sandbox)?,
            approvals: compose::approvals(&off_limits, ceiling, &around.talk)?,
            on_trial: Vec::new(),
            off_limits,
            trace: self.sandbox.trace,
            retrace: self.sandbox.retrace,
            policy,
            variables,
            package_variables: self.sandbox.package_variables.clone(),
            floor: builder::Floor {
                level: self.sandbox.floor,
                require: self.sandbox.require.clone(),
            },
            limits,
            config_settings: self.making.config_settings.clone(),
            package_settings: bounds.package_settings,
            constraints: bounds.constraints,
            installed: std::collections::BTreeMap::new(),
            hashes: bounds.hashes,
            build_constraints: bounds.build_constraints,
            build_hashes: bounds.build_hashes,
            extra_build_deps: self.making.extra_build_deps.clone(),
            match_runtime: builder::MatchRuntime {
                wanted: self.making.match_runtime.clone(),
                is_resolved: false,
            },
            allow_url_build_requires: self.making.allow_url_build_requires,
            formats: compose::format_control(&self.index.formats)?,
            exclude_newer: self.index.exclude_newer,
            pre: self.index.pre,
            prefer_binary: self.index.prefer_binary,
            jobs: self.making.jobs,
            keep_scratch: self.sandbox.keep_scratch,
            out_dir: self.making.out_dir.clone(),
            source_date_epoch: self.making.source_date_epoch,
            ssh_folder: self.making.ssh_folder.clone(),
            strict_output: self.sandbox.strict_output,
            executor: Arc::clone(executor),
            lock_timeout: self.places.lock_timeout,
            force: self.making.force,
        })
    }

    /// Returns what no proposed grant may reach. The account's home counts whatever `HOME` says.
    fn off_limits(&self, cache: &Cache, around: &Surroundings) -> OffLimits {
        let named = around.layers.environment.absolute("HOME");
        let homes = named.into_iter().chain(compose::account_home());
        let caches = [cache.root().to_owned(), self.places.cache.value.clone()];
        OffLimits {
            homes: homes.filter(|home| home != Path::new("/")).collect(),
            caches: caches
                .into_iter()
                .chain(self.places.work.scratch.clone())
                .collect(),
        }
    }

    /// Returns what nothing exceeds.
    pub(super) fn ceiling(&self) -> Option<&Ceiling> {
        self.sandbox.ceiling.as_ref()
    }

    /// Returns the source trees among the requests.
    fn sources(&self) -> Vec<PathBuf> {
        self.wanted
            .iter()
            .filter_map(|wanted| match &wanted.spec {
                Spec::Directory { path, .. } => Some(path.clone()),
                _ => None,
            })
            .collect()
    }

    /// What is told of a wheel that was delivered.
    fn entry(&self, settings: &Settings, mut wheel: Wheel) -> (Wheel, WheelEntry) {
        let path = self.making.out_dir_typed.join(&wheel.filename);
        if settings.trace && wheel.origin != Origin::Downloaded {
            builder::forget(settings, &wheel);
            wheel.record = None;
        }
        let entry = WheelEntry::new(&wheel, &path);
        (wheel, entry)
    }
}
