//! `fumehood install`: make wheels, and put them in place of what is installed.

mod direct_url;
mod place;
mod there;
mod work;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use builder::{Planned, Settings};
use environment::{Session, Target, TargetError};
use model::Code;

use self::place::{Place, of_target};
use self::work::{Done, Work};
use super::Surroundings;
use super::made::{give, tell};
use super::making::{Course, Order, Typed};
use crate::args::{InstallArgs, MakingArgs};
use crate::compose;
use crate::render::{Problem, last_line};
use crate::report::{Answer as _, Document, PlanDocument};
use crate::settings::{PlaceSettings, ReportSettings, SettingsError, Twin};

/// Runs the corridor: understand, wire, lock the environment, make, install, tell.
pub(super) fn run(args: &InstallArgs, around: &Surroundings) -> Result<Option<Code>, Problem> {
    let unfit = |error: SettingsError| compose::of_settings(&error);
    let layers = &around.layers;
    let places = PlaceSettings::for_work(&args.places, &args.work, layers).map_err(unfit)?;
    let report = ReportSettings::new(&args.report, layers, &places.directory).map_err(unfit)?;
    let answer = understand(args, places, around).and_then(|asked| asked.answer(around));
    around.talk.end();
    match answer {
        Ok(answer) => answer.tell(&report, around),
        Err(problem) => {
            tell(&Document::of_problem(&problem), &report)?;
            Err(problem)
        }
    }
}

/// What is asked for.
struct Asked<'a> {
    args: &'a InstallArgs,
    order: Order,
    place: Place,
    lock_timeout: Duration,
    /// Where the user stands.
    directory: PathBuf,
}

/// What came of it.
enum Answer {
    Installed(Done),
    /// What would be: the projects, and the policy of builds.
    Planned(Done, Vec<Planned>, String),
}

fn understand<'a>(
    args: &'a InstallArgs,
    mut places: PlaceSettings,
    around: &Surroundings,
) -> Result<Asked<'a>, Problem> {
    let python = Twin::new("--python", "FUMEHOOD_PYTHON")
        .one(args.making.python.as_deref(), &around.layers, |text| {
            Ok(text.to_owned())
        })
        .map_err(|error| compose::of_settings(&error))?
        .map(|value| value.value);
    let environment = &around.layers.environment;
    let place = Place::new(args, python.as_deref(), &places, environment)?;
    if let Some(no_cache) = &mut places.work.no_cache {
        no_cache.install.clone_from(&place.root);
    }
    let root = place.root.as_deref().and_then(Path::to_str);
    let making = MakingArgs {
        python: place.python.clone(),
        ..args.making.clone()
    };
    let typed = Typed {
        specs: &args.specs,
        course: match (args.dry_run, args.no_deps) {
            (true, _) => Course::DryRun,
            (false, true) => Course::Named,
            (false, false) => Course::Whole,
        },
        wanted: &args.wanted,
        out_dir: root,
        making: &making,
        report: &args.report,
        index: &args.index,
        sandbox: &args.sandbox,
        places: &args.places,
        work: &args.work,
    };
    let (lock_timeout, directory) = (places.lock_timeout, places.directory.clone());
    let order = Order::new(&typed, places, around)?;
    Ok(Asked {
        args,
        order,
        place,
        lock_timeout,
        directory,
    })
}

impl Asked<'_> {
    /// Opens the places, and installs or tells what would be installed.
    fn answer(&self, around: &Surroundings) -> Result<Answer, Problem> {
        let (answer, is_fresh) = self.order.host(around, async |settings| {
            let target = self.place.target(&settings)?;
            if let Some(note) = compose::of_this_folder(&settings.found, &self.directory) {
                around.talk.note(&note);
            }
            match self.args.dry_run {
                true => self.plan(&target, settings, around).await,
                false => self.install(&target, settings, around).await,
            }
        })?;
        Ok(match answer {
            Answer::Installed(done) if is_fresh => Answer::Installed(Done {
                made: done.made.without_the_cache(),
                ..done
            }),
            answer => answer,
        })
    }

    /// Readies what an installation works with.
    fn work<'b>(
        &'b self,
        there: Vec<environment::Distribution>,
        settings: Settings,
        around: &'b Surroundings,
    ) -> Work<'b> {
        let mut work = Work {
            args: self.args,
            around,
            order: &self.order,
            there,
            settings: Arc::new(settings.clone()),
        };
        work.prefer(settings);
        work
    }

    async fn plan(
        &self,
        target: &Target,
        settings: Settings,
        around: &Surroundings,
    ) -> Result<Answer, Problem> {
        let there = environment::installed(target).map_err(|error| of_target(&error))?;
        let work = self.work(there, settings, around);
        let mut done = Done::default();
        let plan = work.plan(&mut done.made).await?;
        if let Some(plan) = &plan {
            for (_, failure) in &plan.failures {
                done.made.failed(failure);
            }
            for failure in plan.projects.iter().filter_map(Planned::failure) {
                done.made.failed(failure);
            }
        }
        Ok(Answer::Planned(
            done,
            plan.map(|plan| plan.projects).unwrap_or_default(),
            work.settings.policy.name().to_owned(),
        ))
    }

    async fn install(
        &self,
        target: &Target,
        settings: Settings,
        around: &Surroundings,
    ) -> Result<Answer, Problem> {
        let (own, wait, talk) = (target.clone(), self.lock_timeout, Arc::clone(&around.talk));
        let session = blocking(move || {
            Session::begin(&own, wait, &mut || {
                talk.note("another installation into this environment goes on: waiting for it");
            })
        })
        .await?;
        if session.is_repaired() {
            around
                .talk
                .note("an installation that was interrupted here was finished or taken back");
        }
        let there = session.installed().map_err(|error| of_target(&error))?;
        let work = self.work(there, settings, around);
        work.run(&session).await.map(Answer::Installed)
    }
}

impl Answer {
    /// Tells it to whom it is for.
    fn tell(self, report: &ReportSettings, around: &Surroundings) -> Result<Option<Code>, Problem> {
        let problems = match &self {
            Self::Installed(done) | Self::Planned(done, ..) => &done.made.problems,
        };
        for problem in problems {
            around.talk.problem(problem);
        }
        let code = problems.first().map(|problem| problem.code);
        match self {
            Self::Installed(done) => {
                let document = &done.made.document;
                let entries = document.installed.iter().flatten();
                let lines = entries.map(|entry| format!("{}=={}\n", entry.name, entry.version));
                give(&document.text(), &lines.collect::<String>(), report)?;
                let installed = document.installed.as_ref().map_or(0, Vec::len);
                let line = last_line(document);
                let kept = done.kept;
                around.talk.say(&format!(
                    "{line}, {installed} installed, {kept} already there"
                ));
            }
            Self::Planned(done, projects, policy) => {
                let failures = done.made.document.failures;
                let document = PlanDocument::new(&projects, &policy, failures);
                give(&document.json(), &document.lines(), report)?;
                around.talk.say(&document.last_line());
            }
        }
        Ok(code)
    }
}

/// Does file work where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TargetError> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| of_target(&error)),
        Err(_) => Err(Problem::new(
            Code::Bug,
            "a task of the installation ended early",
        )),
    }
}
