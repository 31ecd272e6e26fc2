//! `fumehood wheel`: wheels for whatever is named, and for what that depends on.

use model::Code;

use super::Surroundings;
use super::making::{self, Course, Typed};
use crate::args::WheelArgs;
use crate::render::Problem;

/// Makes them.
pub(super) fn run(args: &WheelArgs, around: &Surroundings) -> Result<Option<Code>, Problem> {
    let typed = Typed {
        specs: &args.specs,
        course: match (args.dry_run, args.no_deps) {
            (true, _) => Course::DryRun,
            (false, true) => Course::Named,
            (false, false) => Course::Whole,
        },
        wanted: &args.wanted,
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
