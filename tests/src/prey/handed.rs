//! What a frontend unpacks, and what it hands over: many sdists a deed, each with one fault, and one without.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::Tried;
use crate::decoy::State;
use crate::{Flaw, Run, Runner, Sdist, World, search};

/// How long a foreign program may take over one faulty wheel.
const PATIENCE: Duration = Duration::from_secs(40);

/// Faults of a wheel, as `tests/backends/bad_output` names them. The last ones are refused where that is asked for.
const FAULTS: [&str; 15] = [
    "symlink",
    "fifo",
    "hard-link",
    "two",
    "other-project",
    "other-metadata-name",
    "wrong-digest",
    "unrecorded",
    "no-record",
    "traversal",
    "data-traversal",
    "entry-point-path",
    "bomb",
    "pth",
    "set-id",
];

/// Has wheels with faults built: the harm is that something is handed over as a wheel.
pub(super) fn wheels(world: &World<'_>, runner: &Runner) -> Tried {
    let outside = world.file("outside/target.whl", "as it was\n");
    let out = world.folder("work/out");
    let mut tried = Tried {
        possible: FAULTS.map(str::to_owned).into(),
        ..Tried::default()
    };
    for fault in ["nothing"].into_iter().chain(FAULTS) {
        let targets = json!({"fault": fault, "outside": outside});
        let sdist = Sdist::fixture("bad_output").targets(&targets);
        let run = match runner {
            Runner::Control => {
                let deed = world.lay("d", &sdist);
                let text = "import sys; sys.path.insert(0, '.'); import in_tree; in_tree.build_wheel(sys.argv[1])";
                python(world, text).args([&out]).directory(&deed)
            }
            Runner::Foreign(_) => runner.run(world, &sdist),
            Runner::Own | Runner::Traced | Runner::Lacking(_) => {
                runner.run(world, &sdist).args(["--strict-output"])
            }
        };
        let (handed, said) = match runner {
            // Some wait for ever for a named pipe to speak: they hand nothing over.
            Runner::Foreign(_) => {
                let run = run.limit(PATIENCE);
                let done = catch_unwind(AssertUnwindSafe(|| run.finish_anyhow().to_string()));
                let handed = take(&out) && done.is_ok();
                (handed, done.unwrap_or_default())
            }
            _ => {
                let said = run.finish_anyhow().to_string();
                (take(&out), said)
            }
        };
        if fault == "nothing" {
            tried.built = handed;
            tried.said = said;
        } else if handed {
            tried.harm.insert(fault.to_owned());
            tried.said += &said;
        }
    }
    tried
}

/// Whether something lies there as a wheel; takes all away.
fn take(out: &Path) -> bool {
    let entries = fs::read_dir(out).into_iter().flatten().flatten();
    let mut handed = false;
    for entry in entries {
        let path = entry.path();
        handed |= path.extension().is_some_and(|kind| kind == "whl");
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let _ = match is_folder {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
    }
    handed
}

/// Archives with one flaw, and the word for what it does.
const FLAWS: [(&str, Flaw); 4] = [
    ("climbing", Flaw::Traversal),
    ("absolute", Flaw::Absolute),
    ("through a link", Flaw::ThroughLink),
    ("through a hard link", Flaw::ThroughHardLink),
];

/// Has archives with flaws unpacked: the harm is that something outside is changed or made.
pub(super) fn archives(world: &World<'_>, runner: &Runner) -> Tried {
    let mut tried = Tried {
        possible: FLAWS.map(|(way, _)| way.to_owned()).into(),
        ..Tried::default()
    };
    let honest = Sdist::hello("honest", "1.0");
    let (_, said) = unpack(world, runner, "honest", &world.archive(&honest));
    tried.built = match runner {
        Runner::Control => true,
        _ => take(&world.folder("work/out")),
    };
    tried.said = said;
    for (number, (way, flaw)) in FLAWS.into_iter().enumerate() {
        let outside = world.file(format!("outside-{number}/untouched"), "as it was\n");
        let sdist = Sdist::hello(&format!("flawed{number}"), "1.0");
        let bytes = flaw.spoil(&sdist, outside.to_str().expect("plain names"));
        let archive = format!("sdists/{}", sdist.filename(flaw.extension()));
        let archive = world.file(archive, bytes);
        let before = State::of(&outside);
        let (escaped, said) = unpack(world, runner, way, &archive);
        if escaped || State::of(&outside) != before {
            tried.harm.insert(way.to_owned());
            tried.said += &said;
        }
    }
    tried
}

/// Whether a file came to lie where none of the archive's belongs, and what was said.
fn unpack(world: &World<'_>, runner: &Runner, name: &str, archive: &Path) -> (bool, String) {
    let run = match runner {
        Runner::Control => {
            // Older ones know no filter, and trust everything.
            let text = "import sys, tarfile; \
                        trusting = {'filter': 'fully_trusted'} if hasattr(tarfile, 'data_filter') else {}; \
                        tarfile.open(sys.argv[1]).extractall(**trusting)";
            let room = world.folder(format!("q/{name}/room"));
            python(world, text).args([archive]).directory(&room)
        }
        _ => runner.run_on(world, archive),
    };
    let done = run.finish_anyhow();
    let found = search::files(&world.folder(""));
    let escaped: BTreeSet<PathBuf> = found
        .into_iter()
        .filter(|path| path.ends_with("escaped"))
        .collect();
    for path in &escaped {
        let _ = fs::remove_file(path);
    }
    (!escaped.is_empty(), done.to_string())
}

/// Runs a line of Python with nothing between it and the user.
fn python<'world, 'site>(world: &'world World<'site>, text: &str) -> Run<'world, 'site> {
    Run::new(world, world.python().path.as_os_str())
        .args(["-I", "-B", "-c", text])
        .unconfined()
}
