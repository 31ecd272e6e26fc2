//! What a hostile sdist is given to: the program, with or without a layer, nothing at all, or somebody else's command.

use std::path::Path;

use crate::command::Run;
use crate::sdist::Sdist;
use crate::world::World;

/// What the supervisor leaves out, not the worker.
const OF_THE_PROGRAM: [&str; 3] = ["clearing-variables", "supervisor", "watch"];

/// Who builds.
#[derive(Clone, Debug)]
pub enum Runner {
    /// Nobody: the deed is done as it is, as the same user.
    Control,
    /// The program under test.
    Own,
    /// The program, which records what the build opens and starts.
    Traced,
    /// The program with a worker that lacks layers, or that lacks one itself: words joined by `+`.
    Lacking(String),
    /// A shell command in which `{}` is the sdist's path. It runs in an empty folder, and puts its wheel there.
    Foreign(String),
}

impl Runner {
    /// Puts the run of a build together; the control has none.
    ///
    /// # Panics
    /// For the control.
    pub(crate) fn run<'world, 'site>(
        &self,
        world: &'world World<'site>,
        sdist: &Sdist,
    ) -> Run<'world, 'site> {
        self.run_on(world, &world.archive(sdist))
    }

    /// The same with an archive.
    ///
    /// # Panics
    /// For the control.
    pub(crate) fn run_on<'world, 'site>(
        &self,
        world: &'world World<'site>,
        archive: &Path,
    ) -> Run<'world, 'site> {
        match self {
            Self::Control => panic!("a control builds nothing"),
            Self::Own => world.wheel(archive),
            Self::Traced => world.wheel(archive).args(["--trace"]),
            Self::Lacking(words) => {
                let (of_program, of_worker): (Vec<_>, Vec<_>) = words
                    .split('+')
                    .partition(|word| OF_THE_PROGRAM.contains(word));
                let mut run = world.wheel(archive);
                if !of_program.is_empty() {
                    run = run.program(&world.lacking_program(&of_program.join("+")));
                }
                match of_worker.is_empty() {
                    true => run,
                    false => run.worker(&world.lacking_worker(&of_worker.join("+"))),
                }
            }
            Self::Foreign(command) => {
                let archive = archive.display().to_string();
                let python = world.python().path.display().to_string();
                let command = command.replace("{}", &archive).replace("{python}", &python);
                Run::new(world, "/bin/sh".as_ref())
                    .args(["-c", &command])
                    .directory(&world.folder("work/out"))
                    .env("TMPDIR", world.folder("tmp"))
                    // Nothing has to be fetched, and nothing shall be.
                    .env("PIP_NO_INDEX", "1")
                    .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
                    .env("UV_OFFLINE", "1")
            }
        }
    }
}
