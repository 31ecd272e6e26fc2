//! `fumehood build --wheel`: a wheel from one source tree or sdist.

use std::path::Path;

use model::Code;

use super::Surroundings;
use super::making::{self, Course, Typed};
use crate::args::BuildArgs;
use crate::render::Problem;

/// Makes it.
pub(super) fn run(args: &BuildArgs, around: &Surroundings) -> Result<Option<Code>, Problem> {
    if !args.wheel {
        return Err(
            Problem::new(Code::BadFlag, "`fumehood build` makes wheels only, so far")
                .why("without a flag it will make an sdist, and a wheel from that sdist")
                .fix("fumehood build --wheel"),
        );
    }
    let source = path(&args.source)?;
    let typed = Typed {
        specs: &[source],
        course: Course::Named,
        constraints: &[],
        making: &args.making,
        report: &args.report,
        index: &args.index,
        sandbox: &args.sandbox,
        places: &args.places,
        work: &args.work,
    };
    making::run(&typed, around)
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
