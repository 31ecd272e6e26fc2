//! What commands that deliver nothing say to `--out-dir`: a flag that does nothing is not taken.

use model::Code;

use crate::args::NoOutArgs;
use crate::render::Problem;

/// Refuses a folder for wheels that `command` would never fill.
pub(super) fn check(args: &NoOutArgs, command: &str) -> Result<(), Problem> {
    match &args.out_dir {
        None => Ok(()),
        Some(_) => Err(Problem::new(
            Code::BadFlag,
            format!("`{command}` delivers no wheels, so it has no `--out-dir`"),
        )
        .fix("drop it; or make the wheels: fumehood wheel SPEC -o DIR")),
    }
}
