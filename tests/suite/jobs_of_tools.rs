//! Tools that builds start, and the jobs that they are lent: who shares them, and who is left as it was.

use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use tests::{Sdist, Setting, World, search};

use crate::jobs::{JOBS, at_a_time, can_be_held, held, slots};
use crate::site;

/// A makefile and a ninja file with jobs that write down when they begin and end, and what runs them.
const TOOLS: &str = r"import json, os, subprocess, sys

JOB = '''import glob, os, sys, time
begin, (me, together, seconds) = time.monotonic(), sys.argv[1:]
open('begun.' + me, 'w').close()
# Until as many as shall be there have begun, or long enough to see that they do not.
while len(glob.glob('begun.*')) < int(together) and time.monotonic() < begin + float(seconds):
    time.sleep(0.005)
with open('times', 'a') as times:
    times.write(f'{begin} {time.monotonic()}\\n')
'''

def do(targets):
    names = [f'job{at}' for at in range(6)]
    with open('job.py', 'w') as job:
        job.write(JOB)
    command = '{} -I job.py {{}} {} {}'.format(sys.executable, *targets['together'])
    with open('Makefile', 'w') as makefile:
        makefile.write('all: ' + ' '.join(names) + '\n.PHONY: all ' + ' '.join(names) + '\n')
        for name in names:
            makefile.write(f'{name}:\n\t@{command.format(name)}\n')
    with open('build.ninja', 'w') as ninja:
        ninja.write('rule job\n command = ' + command.format('$out') + '\n')
        for name in names:
            ninja.write(f'build {name}: job\n')
    done = subprocess.run(targets['command'], check=True, text=True, stdout=subprocess.PIPE)
    with open('times') as times:
        spans = [[float(word) for word in line.split()] for line in times]
    return {'spans': spans, 'output': done.stdout}
";

/// Spans of the jobs of a tool, and what it said. Each job waits for so many others to begin, for some seconds.
fn by_a_tool(
    world: &World<'_>,
    sdist: &Sdist,
    command: &[&str],
    together: (usize, f64),
) -> (Vec<Range<f64>>, String) {
    #[derive(Deserialize)]
    struct Found {
        spans: Vec<[f64; 2]>,
        output: String,
    }
    let sdist = sdist.clone().file("deed.py", TOOLS);
    let sdist = sdist.targets(&json!({ "command": command, "together": together }));
    held(world.build(&sdist), JOBS).finish().succeeds();
    let text = search::member(&world.out().join(sdist.wheel()), "spoils.json");
    let found: Found = serde_json::from_slice(&text).expect("the deed writes JSON");
    assert_eq!(found.spans.len(), 6);
    let spans = found.spans.into_iter().map(|[begin, end]| begin..end);
    (spans.collect(), found.output)
}

#[test]
fn a_plain_make_stays_serial_and_one_that_is_told_a_number_obeys_it() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let is_there = world.has_program("make") && Path::new("/usr/bin/make").exists();
        if !can_be_held(&world) || !is_there {
            return;
        }
        let serial = (&["make"][..], (6, 0.2), 1);
        let parallel = (&["make", "-j", "3"][..], (3, 20.0), 3);
        for (command, together, most) in [serial, parallel] {
            let sdist = Sdist::bare(&format!("made{most}"), "1.0").folder("common");
            let (spans, _) = by_a_tool(&world, &sdist, command, together);
            assert_eq!(at_a_time(&spans), most, "{setting}: {spans:?}");
        }
    }
}

#[test]
fn a_real_ninja_runs_as_many_jobs_as_it_is_lent() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        if !can_be_held(&world) {
            return;
        }
        world.index.real(site().inputs());
        let sdist = Sdist::bare("jobbed", "1.0").folder("common");
        let sdist = sdist.requires(&["ninja"]);
        // By itself it would run one more than there are processors.
        let (spans, said) = by_a_tool(&world, &sdist, &["ninja", "-v"], (6, 0.3));
        assert!(said.contains("Jobserver mode detected"), "{said}");
        let most = at_a_time(&spans);
        assert!((1..=slots(JOBS)).contains(&most), "{setting}: {spans:?}");
        let counted = sdist.named("counted");
        let (spans, _) = by_a_tool(&world, &counted, &["ninja", "-j", "3"], (3, 20.0));
        assert_eq!(at_a_time(&spans), 3, "{setting}: {spans:?}");
    }
}
