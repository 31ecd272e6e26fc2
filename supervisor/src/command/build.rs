//! `fumehood build`: an sdist of one source tree, and a wheel from that sdist.

use std::path::Path;
use std::sync::Arc;

use builder::{Failure, Sdist, Settings, Watcher, Wheel};
use model::Code;

use super::made::Made;
use super::making::{self, Course, Order, Typed};
use super::{Surroundings, remarks};
use crate::args::{BuildArgs, WantedArgs};
use crate::compose;
use crate::render::Problem;
use crate::report::SdistEntry;

/// What is made beside an sdist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// Nothing.
    Nothing,
    /// A wheel of the sdist.
    ItsWheel,
    /// A wheel straight from the source.
    AWheel,
}

/// What the flags ask for.
fn course(args: &BuildArgs) -> Course {
    match (args.sdist, args.wheel) {
        (true, true) => Course::Sdist(Beside::AWheel),
        (true, false) => Course::Sdist(Beside::Nothing),
        (false, true) => Course::Named,
        (false, false) => Course::Sdist(Beside::ItsWheel),
    }
}

/// Makes it.
pub(super) fn run(args: &BuildArgs, around: &Surroundings) -> Result<Option<Code>, Problem> {
    let course = course(args);
    let source = path(&args.source)?;
    let is_file = Path::new(&source).is_file();
    if is_file && source.to_ascii_lowercase().ends_with(".whl") {
        return Err(of_a_wheel(&args.source));
    }
    if course != Course::Named && is_file {
        return Err(Problem::new(
            Code::BadFlag,
            format!("`{}` is an sdist already", args.source),
        )
        .why("an sdist is made of a source tree")
        .fix(format!("fumehood build --wheel {}", args.source)));
    }
    let typed = Typed {
        specs: &[source],
        course,
        wanted: &WantedArgs::default(),
        out_dir: args.out.out_dir.as_deref(),
        making: &args.making,
        report: &args.report,
        index: &args.index,
        sandbox: &args.sandbox,
        places: &args.places,
        work: &args.work,
    };
    making::run(&typed, around)
}

/// Refuses to build what is built.
pub(super) fn of_a_wheel(shown: &str) -> Problem {
    let message = format!("`{shown}` is a wheel: there is nothing to build");
    Problem::new(Code::BadSpec, message)
        .why("whoever made it has built it already")
        .fix("name its source; `fumehood wheel` and `fumehood install` take the wheel as it is")
}

/// Makes an sdist and delivers it; returns the wheel that is made beside it.
pub(super) async fn carry_out(
    beside: Beside,
    order: &Order,
    settings: &Arc<Settings>,
    (made, around): (&mut Made, &Surroundings),
) -> Vec<Result<Wheel, Failure>> {
    let specs = order.specs();
    let Some(spec) = specs.first() else {
        return Vec::new();
    };
    let watcher = Arc::clone(&around.talk) as Arc<dyn Watcher>;
    let and_wheel = beside == Beside::ItsWheel;
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
        Err(failure) => made.failed(&failure),
    }
    match beside {
        Beside::AWheel => {
            builder::wheels(Arc::clone(settings), order.wanted().to_vec(), watcher).await
        }
        Beside::Nothing | Beside::ItsWheel => built.wheel.into_iter().collect(),
    }
}

/// Puts an sdist into the output directory.
fn deliver(sdist: &Sdist, order: &Order, label: &str) -> Result<SdistEntry, Problem> {
    let making = &order.making;
    let (out_dir, digest) = (&making.out_dir, &sdist.digest.sha256);
    cache::deliver(&sdist.path, out_dir, &sdist.filename, digest).map_err(|error| {
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
