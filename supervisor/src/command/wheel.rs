//! `fumehood wheel`: wheels for whatever is named.

use model::Code;

use super::Surroundings;
use super::build::Plan;
use super::making::{self, Typed};
use crate::args::WheelArgs;
use crate::render::Problem;

/// Makes them.
pub(super) fn run(args: &WheelArgs, around: &Surroundings) -> Result<Option<Code>, Problem> {
    let typed = Typed {
        specs: &args.specs,
        plan: Plan::Wheels,
        name_dependencies: !args.no_deps,
        making: &args.making,
        report: &args.report,
        index: &args.index,
        sandbox: &args.sandbox,
        places: &args.places,
        work: &args.work,
    };
    making::run(&typed, around)
}
