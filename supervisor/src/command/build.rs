//! `fumehood build`: an sdist of one source tree, and a wheel from that sdist.

use std::path::Path;
use std::sync::Arc;

use builder::{Failure, Sdist, Settings, Watcher, Wheel};
use model::Code;

use super::made::Made;
use super::making::{self, Order, Typed};
use super::{Surroundings, remarks};
use crate::args::BuildArgs;
use crate::compose;
use crate::render::Problem;
use crate::report::SdistEntry;

/// What is made of what was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// A wheel of each.
    Wheels,
    /// An sdist.
    Sdist,
    /// An sdist, and a wheel from it.
    Chain,
    /// An sdist and a wheel, both straight from the source.
    Both,
}

impl Plan {
    fn of(args: &BuildArgs) -> Self {
        match (args.sdist, args.wheel) {
            (true, true) => Self::Both,
            (true, false) => Self::Sdist,
            (false, true) => Self::Wheels,
            (false, false) => Self::Chain,
        }
    }
}

/// Makes it.
pub(super) fn run(args: &BuildArgs, around: &Surroundings) -> Result<Option<Code>, Problem> {
    let plan = Plan::of(args);
    let source = path(&args.source)?;
    if plan != Plan::Wheels && Path::new(&source).is_file() {
        return Err(Problem::new(
            Code::BadFlag,
            format!("`{}` is an sdist already", args.source),
        )
        .why("an sdist is made of a source tree")
        .fix(format!("fumehood build --wheel {}", args.source)));
    }
    let typed = Typed {
        specs: &[source],
        plan,
        name_dependencies: false,
        making: &args.making,
        report: &args.report,
        index: &args.index,
        sandbox: &args.sandbox,
        places: &args.places,
        work: &args.work,
    };
    making::run(&typed, around)
}

/// Makes what a plan with an sdist wants: the sdist is delivered, the wheel is returned.
pub(super) async fn carry_out(
    plan: Plan,
    order: &Order,
    (settings, watcher): (&Arc<Settings>, Arc<dyn Watcher>),
    (made, around): (&mut Made, &Surroundings),
) -> Vec<Result<Wheel, Failure>> {
    let Some(spec) = order.specs().first() else {
        return Vec::new();
    };
    let and_wheel = plan == Plan::Chain;
    let built = builder::build(Arc::clone(settings), spec, and_wheel, Arc::clone(&watcher)).await;
    let label = &spec.0;
    match built.sdist {
        Ok(sdist) => match deliver(&sdist, order, label) {
            Ok(entry) => {
                remarks::of_sdist(&sdist, &around.talk);
                made.document.sdists.push(entry);
            }
            Err(problem) => made.undelivered(label, problem),
        },
        Err(failure) => made.failed(label, &failure),
    }
    match plan {
        Plan::Both => {
            let specs = order.specs().to_vec();
            builder::wheels(Arc::clone(settings), specs, watcher).await
        }
        _ => built.wheel.into_iter().collect(),
    }
}

/// Puts an sdist into the output directory.
fn deliver(sdist: &Sdist, order: &Order, label: &str) -> Result<SdistEntry, Problem> {
    let making = &order.making;
    cache::deliver(&sdist.path, &making.out_dir, &sdist.filename).map_err(|error| {
        let mut problem = compose::of_cache(&error);
        problem.message = format!("{label}: {}", problem.message);
        problem
    })?;
    let path = making.out_dir_typed.join(&sdist.filename);
    Ok(SdistEntry::new(sdist, &path))
}

/// Returns SRC so that it can only be read as a path: `build attrs` means the folder `attrs`.
fn path(source: &str) -> Result<String, Problem> {
    if !Path::new(source).exists() {
        return Err(Problem::new(
            Code::BadSpec,
            format!("there is no folder or file `{source}`"),
        )
        .fix("to build what an index has: fumehood wheel NAME --no-binary NAME"));
    }
    Ok(if Path::new(source).is_absolute() {
        source.to_owned()
    } else {
        format!("./{source}")
    })
}
