//! Another build of the same user in the same cache: one that is done and one that still runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::told;
use crate::decoy::{State, secret};
use crate::hostile::release;
use crate::running::find_ready;
use crate::{Outcome, Prey, Sdist, World, scratches, search};

/// How long the other build may take to begin.
const PATIENCE: Duration = Duration::from_secs(60);

/// What others keep in the cache and in their scratch: the harm is that it turns up, or is no longer what it was.
#[derive(Debug)]
pub struct Tenants {
    running: Child,
    scratch: PathBuf,
    source: PathBuf,
    wheel: PathBuf,
    before: Option<State>,
    by_way: BTreeMap<&'static str, String>,
}

impl Tenants {
    /// Builds one wheel, and starts a build that waits.
    ///
    /// # Panics
    /// When a build of the program under test fails.
    #[must_use]
    pub fn lay(world: &World<'_>, ground: &Path) -> Self {
        let name = ground.file_name().expect("a named folder");
        let name = name.to_str().expect("a plain name");
        let by_way = ["scratch", "names", "source", "wheel"].map(|way| (way, secret()));
        let by_way = BTreeMap::from(by_way);

        let done = Sdist::hello(&format!("done-{name}"), "1.0")
            .file("kept.txt", &by_way["source"])
            .file(
                "deed.py",
                format!("def do(targets):\n    return {:?}\n", by_way["wheel"]),
            )
            .file("targets.json", "{}");
        // Not compressed, so that whoever can read it finds what is in it.
        let archive = format!("sdists/{}", done.filename("tar"));
        let archive = world.file(archive, done.tar());
        let out = format!("out-of-{name}");
        let built = world.wheel(&archive).out(&out).finish_anyhow();
        built.succeeds();
        let bytes = std::fs::read(&archive).expect("an own file");
        let kept = search::files(&world.cache());
        let is_source = |path: &&PathBuf| std::fs::read(path).is_ok_and(|found| found == bytes);
        let source = kept.iter().find(is_source);
        let source = source.expect("the cache keeps the source").clone();
        let is_wheel = |path: &&PathBuf| path.ends_with(done.wheel());
        let wheel = kept.iter().find(is_wheel);
        let wheel = wheel.expect("the cache keeps the wheel").clone();

        let waiting = Sdist::waiting()
            .named(&format!("waiting-{name}"))
            .file(&by_way["names"], &by_way["scratch"]);
        let others = scratches(&world.cache());
        let out = format!("out-beside-{name}");
        let mut command = world.build(&waiting).out(&out).command();
        let mut running = command.spawn().expect("the program starts");
        let until = Instant::now() + PATIENCE;
        let scratch = loop {
            let now = scratches(&world.cache());
            let now = now.iter().filter(|scratch| !others.contains(scratch));
            if let Some(folder) = now.into_iter().find_map(|scratch| find_ready(scratch, 3)) {
                break folder;
            }
            let ended = running.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "the other build ended: {ended:?}");
            assert!(Instant::now() < until, "the other build did not begin");
            std::thread::yield_now();
        };
        Self {
            before: State::of(&wheel),
            running,
            scratch,
            source,
            wheel,
            by_way,
        }
    }
}

impl Prey for Tenants {
    fn targets(&self) -> Value {
        json!({"scratch": self.scratch, "source": self.source, "wheel": self.wheel})
    }

    fn possible(&self) -> BTreeSet<String> {
        let told = self.by_way.keys().copied();
        told.chain(["planted", "poisoned"])
            .map(str::to_owned)
            .collect()
    }

    fn harm(&mut self, done: &Outcome<'_, '_>) -> BTreeSet<String> {
        // The texts themselves stand in the cache: whoever took one tells it backwards.
        let backwards = |text: &str| text.chars().rev().collect::<String>();
        let by_way = self.by_way.iter();
        let mut harm = told(done, by_way.map(|(way, text)| (way, backwards(text))));
        let planted = self.scratch.join("planted").exists().then_some("planted");
        let poisoned = (State::of(&self.wheel) != self.before).then_some("poisoned");
        harm.extend(planted.into_iter().chain(poisoned).map(str::to_owned));
        harm
    }
}

impl Drop for Tenants {
    /// Lets the other build come to its end, so that its scratch goes with it.
    fn drop(&mut self) {
        if self.running.try_wait().is_ok_and(|ended| ended.is_none()) {
            release(&self.scratch, "{}");
        }
        let _ = self.running.wait();
    }
}
