//! `fumehood policy approve`: the narrowest grant that a failed build of one source wants, proved and written down.
//!
//! What the log says is not believed: the build runs again without the grant and must fail for want of it, and
//! again with it and must succeed. Only then the grant goes into the user's file, for these bytes alone.

use std::sync::Arc;

use builder::{Approval, BuildSummary, Failure, Fix, Goal, Refusal, Settings, Watcher};
use cache::{Bucket, Cache};
use model::{Code, PackageName, Sha256, SourceId, SourceKind, Version};
use policies::Extra;

use super::making::{Course, Order, Typed};
use super::{Surroundings, log, no_output};
use crate::args::{ApproveArgs, Format, ReportArgs, WantedArgs};
use crate::render::Problem;
use crate::settings::{Ceiling, PlaceSettings, SettingsError};
use crate::{compose, data, neutralise};

/// Grants that one source may need at most; each is a build of its own.
const MOST_GRANTS: usize = 8;

/// A grant and why it is wanted.
#[derive(Clone)]
struct Wanted {
    grant: Extra,
    flag: String,
    evidence: String,
}

/// What was made in the proof: a wheel, an sdist or metadata, whatever the failed run was for.
struct Proved {
    name: PackageName,
    version: Version,
    source: Option<SourceId>,
}

/// Approves what a build wants.
pub(super) fn run(args: &ApproveArgs, around: &Surroundings) -> Result<(), Problem> {
    no_output::check(&args.out, "policy approve")?;
    let unfit = |error: SettingsError| compose::of_settings(&error);
    let places =
        PlaceSettings::for_work(&args.places, &args.work, &around.layers).map_err(unfit)?;
    let summary = summary(&places, &args.build)?;
    let source = check(&summary)?;
    let mut index = args.index.clone();
    let spec = spec_of(&summary)?;
    if let (Some(SourceKind::Index), Some(name)) =
        (summary.source.as_ref().map(|id| id.kind), &summary.name)
    {
        index.formats.push((Format::NoBinary, name.to_string()));
    }
    let typed = Typed {
        specs: &[spec],
        course: Course::Named,
        wanted: &WantedArgs::default(),
        out_dir: None,
        making: &args.making,
        report: &ReportArgs::default(),
        index: &index,
        sandbox: &args.sandbox,
        places: &args.places,
        work: &args.work,
    };
    let order = Order::new(&typed, places, around)?;
    let proof = order.host(around, async |settings| {
        let watcher = Arc::clone(&around.talk) as Arc<dyn Watcher>;
        let bench = Bench {
            settings,
            ceiling: order.ceiling(),
            order: &order,
            goal: summary.goal.unwrap_or(Goal::Wheel),
            watcher,
            source,
        };
        let (proved, wanted) = bench.prove().await?;
        Ok((
            approvals(&proved, source, &wanted, around),
            wanted,
            proved,
            bench.settings.off_limits,
        ))
    });
    around.talk.end();
    let ((new, wanted, proved, off_limits), _) = proof?;
    let mut said = format!(
        "{} {}, source sha256 {source}\n",
        proved.name, proved.version
    );
    for one in &wanted {
        said.push_str(&format!("  {}  because: {}\n", one.flag, one.evidence));
    }
    said.push_str("proved: it builds with this, and fails without any of it\n");
    data::put(&neutralise::text(&said))?;
    if args.dry_run {
        around.talk.note("--dry-run: nothing was written");
        return Ok(());
    }
    let file = compose::approve(&new, &off_limits)?;
    data::put(&format!("written: {}\n", file.display()))
}

/// Reads what became of the build.
fn summary(places: &PlaceSettings, wanted: &str) -> Result<BuildSummary, Problem> {
    let cache =
        Cache::open_existing(&places.cache.value).map_err(|error| compose::of_cache(&error))?;
    let cache = cache.ok_or_else(|| log::unknown(wanted))?;
    let past = log::past(&cache.bucket(Bucket::Logs))?;
    let build = log::one(&past, wanted)?;
    log::summary(&cache, build).ok_or_else(|| {
        Problem::new(Code::BadFlag, format!("the build {} did not end", build.id))
            .fix("run it again; what it is refused is written down at its end")
    })
}

/// Returns the source's digest, if the build wants something that can be approved.
fn check(summary: &BuildSummary) -> Result<Sha256, Problem> {
    let nothing = |why: &str| {
        Problem::new(
            Code::BadFlag,
            format!("the build {} wants no approval", summary.build),
        )
        .why(why)
    };
    if let Some(wheel) = &summary.wheel {
        return Err(nothing(&format!("it made {wheel}")));
    }
    let refusals: Vec<_> = summary.refusals.iter().filter(|one| one.decisive).collect();
    if refusals.is_empty() {
        let why = "no file or program that it was refused was decisive, as far as is known";
        return Err(nothing(why).fix(format!(
            "`fumehood log {0} --denials` shows what it was refused; a run with --no-retrace knows of no files",
            summary.build
        )));
    }
    for refusal in refusals {
        approvable(refusal)?;
    }
    let source = summary.source.as_ref();
    source
        .map(|source| source.digest.sha256)
        .ok_or_else(|| nothing("its source is not known"))
}

/// Returns the grant that would allow a refused touch, or why it is never approved.
fn approvable(refusal: &Refusal) -> Result<Extra, Problem> {
    let refused = |why: &str| {
        Problem::new(
            Code::BadPolicy,
            format!("never approved: {}", refusal.sentence()),
        )
        .why(why)
    };
    match (&refusal.fix, refusal.fix.grant()) {
        (_, Some((path, access))) => Ok(Extra { path, access }),
        (Fix::Never(why), _) => Err(refused(why)),
        (Fix::Policy(name), _) => Err(refused("a policy that is built in grants it")
            .fix(format!("--policy {name}, for the builds that want it"))),
        _ => Err(refused("its path is not one that can be granted")),
    }
}

/// Says what to build again.
fn spec_of(summary: &BuildSummary) -> Result<String, Problem> {
    let kind = summary.source.as_ref().map(|source| source.kind);
    match (kind, &summary.name, &summary.version, &summary.source_label) {
        (Some(SourceKind::Index), Some(name), Some(version), _) => Ok(format!("{name}=={version}")),
        (Some(kind), _, _, Some(label)) if kind != SourceKind::Index => Ok(label.clone()),
        _ => Err(Problem::new(
            Code::BadFlag,
            format!(
                "where the source of the build {} came from is not known",
                summary.build
            ),
        )),
    }
}

/// Builds of one source under more or less.
struct Bench<'a> {
    settings: Settings,
    /// What nothing exceeds.
    ceiling: Option<&'a Ceiling>,
    order: &'a Order,
    /// What the failed run was for.
    goal: Goal,
    watcher: Arc<dyn Watcher>,
    source: Sha256,
}

impl Bench<'_> {
    /// Finds what the source needs, one refusal after the other, and that it needs all of it.
    async fn prove(&self) -> Result<(Proved, Vec<Wanted>), Problem> {
        let mut wanted: Vec<Wanted> = Vec::new();
        let proved = loop {
            match self.build(&wanted, true).await {
                Ok(proved) => break proved,
                Err(failure) => self.learn(&failure, &mut wanted)?,
            }
        };
        if proved.source.as_ref().map(|id| id.digest.sha256) != Some(self.source) {
            return Err(Problem::new(
                Code::BadFlag,
                "the source is another one than that of the build",
            )
            .why("an approval holds for one archive's bytes; these have changed")
            .fix("build it anew, and approve what that build says"));
        }
        if wanted.is_empty() {
            return Err(
                Problem::new(Code::BadFlag, "it builds without any new grant").why(
                    "what the build was refused is granted by now, or it did not fail because of it",
                ),
            );
        }
        let wanted = self.without_one(wanted).await?;
        Ok((proved, wanted))
    }

    /// Takes the grants that a failed build wants besides those that it had.
    fn learn(&self, failure: &Failure, wanted: &mut Vec<Wanted>) -> Result<(), Problem> {
        let build = failure.log.as_deref().unwrap_or("?");
        let before = wanted.len();
        for refusal in failure.refusals.iter().filter(|one| one.decisive) {
            let grant = approvable(refusal)?;
            // Before any build has it: a proof may not have more than the system allows either.
            let allowed = compose::approvable(&grant, self.ceiling);
            allowed.map_err(|error| compose::of_settings(&error))?;
            if wanted.iter().all(|one| one.grant != grant) {
                wanted.push(Wanted {
                    grant,
                    flag: refusal.fix.flag().unwrap_or_default(),
                    evidence: format!("{}, build {build}", refusal.sentence()),
                });
            }
        }
        if wanted.len() == before || wanted.len() > MOST_GRANTS {
            let mut problem = compose::of_failure(failure);
            let why = format!("with {before} grants it still fails, so nothing was approved");
            problem.details.push(("why", why));
            return Err(problem);
        }
        Ok(())
    }

    /// Leaves out what the build does well without, when it has the others.
    async fn without_one(&self, mut wanted: Vec<Wanted>) -> Result<Vec<Wanted>, Problem> {
        // Of one grant it is known: the first build had none, and failed.
        let mut at = 0;
        while wanted.len() > 1 && at < wanted.len() {
            let mut fewer = wanted.clone();
            fewer.remove(at);
            match self.build(&fewer, false).await {
                Ok(_) => wanted = fewer,
                Err(_) => at += 1,
            }
        }
        Ok(wanted)
    }

    /// Runs again what failed.
    async fn build(&self, wanted: &[Wanted], retrace: bool) -> Result<Proved, Failure> {
        let mut settings = self.settings.clone();
        settings.trace = false;
        settings.retrace = retrace;
        settings.keep_scratch = false;
        settings.more_for(self.source, wanted.iter().map(|one| one.grant.clone()));
        let (settings, watcher) = (Arc::new(settings), Arc::clone(&self.watcher));
        let one = "one request has one answer";
        match self.goal {
            Goal::Sdist => {
                let specs = self.order.specs();
                let built = builder::build(settings, specs.first().expect(one), false, watcher);
                let sdist = built.await.sdist?;
                Ok(Proved {
                    name: sdist.name,
                    version: sdist.version,
                    source: Some(sdist.source),
                })
            }
            Goal::Metadata => {
                let told = builder::metadata(settings, self.order.specs(), watcher).await;
                let described = told.into_iter().next().expect(one)?;
                Ok(Proved {
                    name: described.metadata.name,
                    version: described.metadata.version,
                    source: described.source,
                })
            }
            // What a wheel's build asks for is asked at its beginning.
            Goal::Wheel | Goal::Requirements => {
                let wanted = self.order.wanted().to_vec();
                let made = builder::wheels(settings, wanted, watcher).await;
                let wheel = made.into_iter().next().expect(one)?;
                Ok(Proved {
                    name: wheel.name,
                    version: wheel.version,
                    source: wheel.source,
                })
            }
        }
    }
}

fn approvals(
    proved: &Proved,
    source: Sha256,
    wanted: &[Wanted],
    around: &Surroundings,
) -> Vec<Approval> {
    let of = |one: &Wanted| Approval {
        name: proved.name.clone(),
        version: proved.version.clone(),
        source,
        grant: one.grant.clone(),
        evidence: one.evidence.clone(),
        approved_at: around.now,
    };
    wanted.iter().map(of).collect()
}
