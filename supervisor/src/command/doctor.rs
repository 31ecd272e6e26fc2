//! `fumehood doctor`: what will be enforced here, and what not. Found out by doing, in a worker.

mod findings;
mod host;
mod text;

use std::sync::Arc;

use builder::LocalExecutor;
use cache::Cache;
use model::Code;

use self::findings::{Configured, Findings, Isolation, Jobs, Place, Python};
use self::host::HostFacts;
use super::Surroundings;
use crate::args::DoctorArgs;
use crate::compose::{self, Wish};
use crate::render::Problem;
use crate::settings::{IndexSettings, PlaceSettings, ReportForm};
use crate::{data, report, settings, signals};

/// Finds out and prints. The exit code is that of the first thing that would end a build.
pub(super) fn run(args: &DoctorArgs, around: &Surroundings) -> Result<Option<Code>, Problem> {
    let unfit = |error| compose::of_settings(&error);
    let layers = &around.layers;
    let places = PlaceSettings::for_work(&args.places, &args.work, layers).map_err(unfit)?;
    let index = IndexSettings::new(&args.index, layers, around.now).map_err(unfit)?;
    let form = ReportForm::new(args.output_format.as_deref(), layers).map_err(unfit)?;
    let opened = compose::open(&places, None, &around.talk)?;
    let runtime = compose::runtime()?;
    let findings = runtime.block_on(async {
        let executor = compose::executor(&places, &opened.cache);
        let examination = Examination {
            python: args.python.as_deref(),
            index: &index,
            places: &places,
            cache: &opened.cache,
            executor: &executor,
            around,
        };
        let findings = signals::unless_interrupted(examination.run()).await?;
        executor.idle().await;
        findings.ok_or_else(signals::interrupted)
    })?;
    data::put(&match form {
        ReportForm::Json => report::text(&findings),
        ReportForm::Text => text::of(&findings),
    })?;
    Ok(findings.first_problem())
}

/// What is examined.
struct Examination<'a> {
    python: Option<&'a str>,
    index: &'a IndexSettings,
    places: &'a PlaceSettings,
    cache: &'a Cache,
    executor: &'a Arc<LocalExecutor>,
    around: &'a Surroundings,
}

impl Examination<'_> {
    /// Examines everything; what fails is a finding, not the end.
    async fn run(&self) -> Findings {
        let isolation = match self.executor.host().await {
            Ok(host) => Ok(Isolation::of(host)),
            Err(error) => Err(compose::of_build("isolation", &error)),
        };
        let wish = Wish {
            request: self.python,
            sources: &[],
            places: self.places,
            environment: &self.around.layers.environment,
        };
        let python = compose::interpreter(wish, self.cache, self.executor).await;
        let index = match &python {
            Ok(python) => {
                compose::indexes(self.index, python, wish, (self.cache, self.executor)).await
            }
            Err(problem) => Err(problem.clone()),
        };
        let tools = match &python {
            Ok(python) => compose::tools(&python.facts),
            Err(problem) => Err(problem.clone()),
        };
        let jobs = match &python {
            Ok(python) => compose::sharing(&python.facts).map(Jobs::of),
            Err(problem) => Err(problem.clone()),
        };
        Findings::new(
            (
                Configured::of(&self.around.layers),
                Place::of(self.places, self.cache),
                self.facts(),
            ),
            isolation,
            python.map(|python| Python::of(&python)),
            index,
            (tools, jobs),
        )
    }

    /// Looks at the places of this run and of the system's temporary files.
    fn facts(&self) -> HostFacts {
        let mut places = vec![
            (self.cache.root().to_owned(), "cache"),
            (self.cache.scratches_in().to_owned(), "scratches"),
        ];
        let temporary = settings::temporary(&self.around.layers.environment);
        places.extend(
            temporary
                .into_iter()
                .map(|(path, _)| (path, "temporary files")),
        );
        HostFacts::of(&places, self.executor.control_groups())
    }
}
