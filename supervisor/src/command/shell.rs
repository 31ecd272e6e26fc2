//! `fumehood shell`: a program of a person's choice in the scratch of a failed build, confined as the
//! build was.

use builder::{KeptBuild, Visit, Visited};
use cache::{Bucket, Cache, Kept, Scratch};
use model::Code;
use policies::Policy;
use protocol::Ending;
use tokio::signal::unix::{SignalKind, signal};

use super::{Surroundings, log};
use crate::args::ShellArgs;
use crate::render::Problem;
use crate::settings::{PlaceSettings, SettingsError};
use crate::visit::Stream;
use crate::{compose, signals};

/// Enters the scratch, and leaves it as the program left it.
pub(super) fn run(args: &ShellArgs, around: &Surroundings) -> Result<Option<Code>, Problem> {
    let unfit = |error: SettingsError| compose::of_settings(&error);
    let places = PlaceSettings::new(&args.places, &around.layers).map_err(unfit)?;
    let mut kept = find(&places, &args.build)?;
    let policy = Policy::parse(&kept.policy, "the policy of the kept build")
        .map_err(|error| Problem::of(Code::BadPolicy, &error))?;
    compose::below_the_ceiling(&mut kept, &policy, around.layers.ceiling())?;
    let opened = compose::open(&places, None, &around.talk)?;
    opened.check_exec(&around.talk)?;
    let cache = &opened.cache;
    let scratch = take(cache, &kept)?;
    let environment = &around.layers.environment;
    let mut variables: Vec<_> = compose::passed(&policy, &kept.facts, environment)?
        .into_iter()
        .collect();
    let (stream, theirs) = Stream::new().map_err(|error| no_stream(&error))?;
    if stream.is_terminal() {
        let prompt = format!("(fumehood {}) $ ", kept.build);
        variables.push(("PS1".to_owned(), prompt));
        let kind = environment.raw("TERM").and_then(|term| term.to_str());
        variables.extend(kind.map(|kind| ("TERM".to_owned(), kind.to_owned())));
    }
    announce(&kept, around);
    let visit = Visit {
        executor: compose::executor(&places, cache),
        cache: cache.clone(),
        scratch,
        kept,
        policy,
        variables,
        command: args.command.clone(),
        stream: theirs,
    };
    let visited = go(visit, &stream)?;
    Ok(tell(&visited, around))
}

/// Finds what was kept of a build.
fn find(places: &PlaceSettings, wanted: &str) -> Result<KeptBuild, Problem> {
    let cache =
        Cache::open_existing(&places.cache.value).map_err(|error| compose::of_cache(&error))?;
    let cache = cache.ok_or_else(|| log::unknown(wanted))?;
    let past = log::past(&cache.bucket(Bucket::Logs))?;
    let build = log::one(&past, wanted)?;
    KeptBuild::read(&cache, &build.id).ok_or_else(|| gone(&build.id))
}

/// Takes its scratch, so that nobody removes it meanwhile.
fn take(cache: &Cache, kept: &KeptBuild) -> Result<Scratch, Problem> {
    match cache.kept_scratch(&kept.scratch) {
        Ok(Kept::Taken(scratch)) => Ok(scratch),
        Ok(Kept::Busy) => Err(Problem::new(
            Code::BadFlag,
            format!(
                "somebody is in the scratch of the build {} already",
                kept.build
            ),
        )
        .fix("leave the other shell first")),
        Ok(Kept::Gone) => Err(gone(&kept.build)),
        Err(error) => Err(compose::of_cache(&error)),
    }
}

fn gone(build: &str) -> Problem {
    Problem::new(
        Code::BadFlag,
        format!("the scratch of the build {build} is not there"),
    )
    .why("a scratch is kept only where --keep-scratch asks for it, and goes after a week")
    .fix("build it again with --keep-scratch")
}

fn no_stream(error: &std::io::Error) -> Problem {
    Problem::new(Code::Io, "could not make a terminal for the program").why(error.to_string())
}

/// Says where the person is, and what is different from the build.
fn announce(kept: &KeptBuild, around: &Surroundings) {
    around.talk.note(&format!(
        "in the scratch of {}, build {}, confined as it was; what you do there stays: {}",
        kept.label,
        kept.build,
        kept.scratch.display()
    ));
    if !kept.declared.is_empty() {
        around.talk.note(&format!(
            "values of declared variables are kept nowhere, so these are missing: {}",
            kept.declared.join(", ")
        ));
    }
}

/// Runs the program while the person's keys and its letters go to and fro.
fn go(visit: Visit, stream: &Stream) -> Result<Visited, Problem> {
    let build = visit.kept.build.clone();
    let executor = std::sync::Arc::clone(&visit.executor);
    let runtime = compose::runtime()?;
    let open = stream.open().map_err(|error| no_stream(&error))?;
    let done = runtime.block_on(async {
        let done = signals::unless_interrupted(async {
            tokio::select! {
                visited = visit.run() => visited,
                never = resized(stream) => match never {},
            }
        })
        .await;
        executor.idle().await;
        done
    });
    let shown = open.close();
    let visited = done?.ok_or_else(|| {
        Problem::new(Code::Interrupted, "interrupted; the scratch stays as it is")
    })?;
    let visited = visited.map_err(|error| compose::of_build(&build, &error))?;
    shown.map_err(|error| {
        Problem::new(Code::Io, "could not show what the program wrote").why(error.to_string())
    })?;
    Ok(visited)
}

/// Passes each change of the terminal's size on.
async fn resized(stream: &Stream) -> std::convert::Infallible {
    let Ok(mut changes) = signal(SignalKind::window_change()) else {
        return std::future::pending().await;
    };
    loop {
        changes.recv().await;
        stream.resize();
    }
}

/// Says what was refused. A program that failed is a failed build.
fn tell(visited: &Visited, around: &Surroundings) -> Option<Code> {
    for denial in &visited.denials {
        around.talk.note(&format!(
            "refused: {} {} ({} times)",
            denial.what, denial.target, denial.count
        ));
    }
    (visited.claim.ending != Ending::Exited(0)).then_some(Code::Backend)
}
