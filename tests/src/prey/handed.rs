//! What a frontend unpacks, and what it hands over: many sdists a deed, each with one fault, and one without.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::Tried;
use crate::decoy::State;
use crate::escape::at_once;
use crate::hostile::release;
use crate::{Flaw, Run, Runner, Sdist, World, search};

/// How long a foreign program may take over one faulty wheel.
const PATIENCE: Duration = Duration::from_secs(40);

/// Faults of a wheel, as `tests/backends/bad_output` names them. The last ones are refused where that is asked for.
const FAULTS: [&str; 17] = [
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
    "changes-when-taken",
    "names-another",
    "pth",
    "set-id",
];

/// What a file outside holds that no frontend has any business with.
const OUTSIDE: &[u8] = b"as it was\n";

/// Has wheels with faults built: the harm is that something is handed over as a wheel. Two of them are sound as they
/// are: of these the harm is that one changes when it was handed over, or that a file from outside is.
pub(super) fn wheels(world: &World<'_>, runner: &Runner) -> Tried {
    let out = world.folder("work/out");
    let mut tried = Tried {
        possible: FAULTS.map(str::to_owned).into(),
        ..Tried::default()
    };
    for fault in ["nothing"].into_iter().chain(FAULTS) {
        let outside = world.file("outside/target.whl", OUTSIDE);
        let targets = json!({"fault": fault, "outside": outside});
        let sdist = Sdist::fixture("bad_output").targets(&targets);
        let run = match runner {
            Runner::Control => {
                let deed = world.lay("d", &sdist);
                python(world, FRONTEND).args([&out]).directory(&deed)
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
                let handed = handed_over(&out, fault) && done.is_ok();
                (handed, done.unwrap_or_default())
            }
            _ => {
                let said = run.finish_anyhow().to_string();
                (handed_over(&out, fault), said)
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

/// The simplest frontend: it takes away what the hook names, and looks at it a moment later.
const FRONTEND: &str = "\
import os, sys, time
sys.path.insert(0, '.')
import in_tree
os.makedirs('made', exist_ok=True)
name = in_tree.build_wheel(os.path.abspath('made'))
os.rename(os.path.join('made', name), os.path.join(sys.argv[1], os.path.basename(name)))
for entry in os.scandir('made'):
    os.rename(entry.path, os.path.join(sys.argv[1], entry.name))
until = time.monotonic() + 5
while in_tree.targets['fault'] == 'changes-when-taken' and time.monotonic() < until:
    if b'changed' in open(os.path.join(sys.argv[1], name), 'rb').read():
        break
    time.sleep(0.01)
";

/// Whether something was handed over that must not be; takes all away.
fn handed_over(out: &Path, fault: &str) -> bool {
    let holds = |needle: &[u8]| search::find(out, needle).is_some();
    let special = match fault {
        "changes-when-taken" => Some(holds(b"changed")),
        "names-another" => Some(holds(OUTSIDE)),
        _ => None,
    };
    let any = take(out);
    special.unwrap_or(any)
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

/// Archives with one flaw, and the word for what it does: something outside is changed or made.
const FLAWS: [(&str, Flaw); 4] = [
    ("climbing", Flaw::Traversal),
    ("absolute", Flaw::Absolute),
    ("through a link", Flaw::ThroughLink),
    ("through a hard link", Flaw::ThroughHardLink),
];

/// Archives that hold what no source needs: the harm is that a build gets it to see.
const MEMBERS: [(&str, Flaw); 6] = [
    ("a pipe", Flaw::Pipe),
    ("a set-id bit", Flaw::SetId),
    ("a bomb", Flaw::Bomb),
    ("two of one name", Flaw::Twice),
    ("a name of two lines", Flaw::Newline),
    ("a sparse file", Flaw::Sparse),
];

/// Has archives with flaws unpacked.
pub(super) fn archives(world: &World<'_>, runner: &Runner) -> Tried {
    let ways = FLAWS.iter().chain(&MEMBERS);
    let mut tried = Tried {
        possible: ways.map(|(way, _)| (*way).to_owned()).collect(),
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
    let came = at_once(&MEMBERS, |(way, flaw)| {
        // What one of them leaves is not to be taken for another's.
        let world = World::new(world.site, world.setting);
        (*way, seen(&world, runner, *flaw))
    });
    for (way, (is_seen, said)) in came {
        if is_seen {
            tried.harm.insert(way.to_owned());
            tried.said += &said;
        }
    }
    tried
}

/// Whether a build gets to see what is wrong with an archive: it waits, and is looked at from outside.
fn seen(world: &World<'_>, runner: &Runner, flaw: Flaw) -> (bool, String) {
    let sdist = Sdist::waiting();
    let archive = format!("sdists/{}", sdist.filename(flaw.extension()));
    let archive = world.file(archive, flaw.spoil(&sdist, "/nowhere"));
    if let Runner::Control = runner {
        let (_, said) = unpack(world, runner, "seen", &archive);
        let tree = world.folder("q/seen/room/waits-1.0");
        return (is_there(&tree, flaw), said);
    }
    let mut running = runner.run_on(world, &archive).limit(PATIENCE).start();
    let folder = running.ready_below(&world.folder(""));
    let is_seen = folder.as_ref().is_some_and(|tree| is_there(tree, flaw));
    if let Some(folder) = folder {
        release(&folder, "{}");
    }
    (is_seen, running.finish_anyhow().to_string())
}

/// Whether a tree holds what makes up a flaw.
fn is_there(tree: &Path, flaw: Flaw) -> bool {
    let found = |name: &str| fs::symlink_metadata(tree.join(name)).ok();
    match flaw {
        Flaw::Pipe => found("pipe").is_some_and(|found| found.file_type().is_fifo()),
        Flaw::SetId => found("tool").is_some_and(|found| found.mode() & 0o6000 != 0),
        Flaw::Bomb => found("zeros").is_some(),
        Flaw::Twice => found("same").is_some(),
        Flaw::Newline => found("new\nline").is_some(),
        Flaw::Sparse => found("holes").is_some(),
        other => panic!("{other:?} is not seen in a tree"),
    }
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
