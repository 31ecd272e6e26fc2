//! Whatever happens in whatever order: no wheel of a current revision is pruned.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use cache::{Bucket, Cache, Checks, Clean, InUse, Kinds, Plan, Prune};
use model::{Digest, Sha256};
use proptest::prelude::*;
use serde_json::json;

use crate::prune::{other, prune};
use crate::shelves::{blob, point, wheel};
use crate::support::World;

/// The revision that all projects share: the same bytes, wherever they come from.
const SHARED: usize = 2;

/// One thing that happens to a cache.
#[derive(Clone, Debug)]
enum Step {
    /// A place stands for other bytes from now on.
    Revise {
        project: usize,
        revision: usize,
    },
    /// The present source of a project is built with some settings.
    Build {
        project: usize,
        settings: usize,
    },
    /// A run begins that uses that wheel, or is about to make it.
    Hold {
        project: usize,
        settings: usize,
    },
    /// All such runs end.
    Release,
    Prune {
        ci: bool,
    },
    Repair,
    CleanSources,
    LosePointer {
        project: usize,
    },
    BreakPointer {
        project: usize,
    },
    LoseSource {
        project: usize,
    },
    /// The bytes of the present source are put again, as a heal does.
    Heal {
        project: usize,
    },
    LoseKey {
        project: usize,
        settings: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let project = 0..5_usize;
    let settled = (project.clone(), 0..3_usize);
    prop_oneof![
        4 => (project.clone(), 0..3_usize)
            .prop_map(|(project, revision)| Step::Revise { project, revision }),
        5 => settled.clone().prop_map(|(project, settings)| Step::Build { project, settings }),
        2 => settled.clone().prop_map(|(project, settings)| Step::Hold { project, settings }),
        1 => Just(Step::Release),
        4 => any::<bool>().prop_map(|ci| Step::Prune { ci }),
        1 => Just(Step::Repair),
        1 => Just(Step::CleanSources),
        1 => project.clone().prop_map(|project| Step::LosePointer { project }),
        1 => project.clone().prop_map(|project| Step::BreakPointer { project }),
        1 => project.clone().prop_map(|project| Step::LoseSource { project }),
        1 => project.prop_map(|project| Step::Heal { project }),
        1 => settled.prop_map(|(project, settings)| Step::LoseKey { project, settings }),
    ]
}

/// What is known of a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Its pointer says what it stands for.
    Whole,
    /// Its pointer can not be read, and so could say anything.
    Broken,
    /// Its pointer is gone.
    Nothing,
}

/// A place, as whoever asked for it knows it.
struct Place {
    bytes: String,
    digest: Digest,
    former: Vec<Digest>,
    known: Known,
}

impl Place {
    /// Returns its bytes' digest and the name of its wheels, which is told by its bytes, whoever asks for them.
    fn named(&self, project: usize) -> (Digest, String) {
        let name = match self.bytes.as_str() {
            "shared" => "shared".to_owned(),
            _ => format!("p{project}"),
        };
        (self.digest, name)
    }
}

/// A wheel that was built.
struct Built {
    source: Digest,
    folder: PathBuf,
    has_key: bool,
}

/// What a cache holds as its users see it.
#[derive(Default)]
struct Story {
    /// By pointer.
    places: BTreeMap<PathBuf, Place>,
    /// The place that a project has now.
    latest: BTreeMap<usize, PathBuf>,
    /// By key.
    wheels: BTreeMap<Sha256, Built>,
    /// Runs, with what each found when it began.
    holders: Vec<(Cache, Option<PathBuf>)>,
}

/// Writes the pointer of a project whose place is of the kind that its number says: a file of an index
/// (two of these), a URL, a folder, a commit of a repository, which is a place of its own.
fn stand(cache: &Cache, project: usize, revision: usize, now: &Digest, old: &[Digest]) -> PathBuf {
    let pointers = cache.bucket(Bucket::Pointers);
    let name = Sha256::of(project.to_string());
    let former: Vec<_> = old.iter().map(|digest| digest.sha256).collect();
    let (path, record) = match project {
        0 | 1 => return point(cache, &format!("p{project}"), now, old),
        2 => (
            pointers.join("url").join(format!("{name}.json")),
            json!({"schema": "fumehood/pointer/1", "digest": now, "filename": "p.tar.gz", "url": "", "former": former}),
        ),
        3 => (
            pointers.join("path").join(format!("{name}.json")),
            json!({"schema": "fumehood/pointer/1", "digest": now, "path": "/p", "former": former}),
        ),
        _ => (
            pointers
                .join("git")
                .join(name.to_string())
                .join(format!("{revision:040}.json")),
            json!({"schema": "fumehood/git-pointer/1", "digest": now, "commit": format!("{revision:040}"), "notes": []}),
        ),
    };
    cache.write_record(&path, &record).unwrap();
    path
}

impl Story {
    fn place(&self, project: usize) -> Option<&Place> {
        self.places.get(self.latest.get(&project)?)
    }

    fn key(&self, project: usize, settings: usize) -> Option<Sha256> {
        let digest = self.place(project)?.digest;
        Some(Sha256::of(format!("{digest:?} {settings}")))
    }

    fn happen(&mut self, world: &World, step: &Step) {
        let cache = other(&world.cache);
        match step {
            Step::Revise { project, revision } => {
                let bytes = match *revision {
                    SHARED => "shared".to_owned(),
                    _ => format!("{project} {revision}"),
                };
                let digest = blob(&cache, Bucket::Sources, bytes.as_bytes());
                let mut former = Vec::new();
                if let Some(last) = self.place(*project).filter(|_| *project != 4) {
                    former.clone_from(&last.former);
                    former.push(last.digest);
                    former.retain(|one| *one != digest);
                }
                let path = stand(&cache, *project, *revision, &digest, &former);
                self.latest.insert(*project, path.clone());
                let place = Place {
                    bytes,
                    digest,
                    former,
                    known: Known::Whole,
                };
                self.places.insert(path, place);
            }
            Step::Build { project, settings } => {
                let Some(key) = self.key(*project, *settings) else {
                    return;
                };
                if cache.find_wheels(&key).next().is_none() {
                    let (source, name) = self.place(*project).unwrap().named(*project);
                    // What no key leads to is replaced, as a build does it.
                    if let Some(old) = self.wheels.get(&key) {
                        cache.remove_wheel(&key, &old.folder).unwrap();
                    }
                    let folder = wheel(&cache, &name, &source, &key);
                    let built = Built {
                        source,
                        folder,
                        has_key: true,
                    };
                    self.wheels.insert(key, built);
                }
            }
            Step::Hold { project, settings } => {
                if let Some(key) = self.key(*project, *settings) {
                    cache.hold_wheel(&key);
                    let found = cache.find_wheels(&key).next();
                    let found = found.filter(|folder| folder.exists());
                    self.holders.push((cache, found));
                }
            }
            Step::Release => self.holders.clear(),
            Step::Prune { ci } => {
                let wish = Prune {
                    ci: *ci,
                    ..Prune::default()
                };
                let done = prune(&cache, &wish);
                assert!(done.left.is_empty(), "{done:?}");
            }
            Step::Repair => {
                let checked = cache.check(Checks {
                    entry: &|_| Ok(()),
                    repository: &|_| Ok(()),
                });
                drop(cache);
                other(&world.cache).repair(&checked).unwrap();
                for (path, place) in &mut self.places {
                    if place.known == Known::Broken && !path.exists() {
                        place.known = Known::Nothing;
                    }
                }
                // A wheel that a run holds has its key from that run.
                for (key, built) in &mut self.wheels {
                    let led = world.cache.find_wheels(key).next();
                    built.has_key |= led.as_ref() == Some(&built.folder);
                    let is_free = self.holders.is_empty() && built.folder.exists();
                    assert!(built.has_key || !is_free, "a repair gives lost keys back");
                }
            }
            _ => self.go(&cache, step),
        }
    }

    /// Something goes, breaks or comes back beside what runs do.
    fn go(&mut self, cache: &Cache, step: &Step) {
        match step {
            Step::CleanSources => {
                let kinds = Kinds {
                    sources: true,
                    ..Kinds::default()
                };
                let wish = Clean {
                    packages: Vec::new(),
                    kinds,
                };
                cache.carry_out(&Plan::clean(&cache.inventory(), &wish), InUse::Stays);
            }
            Step::LosePointer { project } => {
                if let Some(path) = self.latest.get(project) {
                    let _ = fs::remove_file(path);
                    self.places.get_mut(path).unwrap().known = Known::Nothing;
                }
            }
            Step::BreakPointer { project } => {
                if let Some(path) = self.latest.get(project)
                    && let Ok(text) = fs::read_to_string(path)
                {
                    // It can still be decoded, and names another source.
                    let digest = self.places[path].digest.sha256.to_string();
                    let other = Sha256::of("another").to_string();
                    fs::write(path, text.replace(&digest, &other)).unwrap();
                    self.places.get_mut(path).unwrap().known = Known::Broken;
                }
            }
            Step::LoseSource { project } => {
                if let Some(place) = self.place(*project) {
                    let path = cache.blob_path(Bucket::Sources, &place.digest.sha256);
                    let _ = fs::remove_file(path);
                }
            }
            Step::Heal { project } => {
                if let Some(place) = self.place(*project) {
                    let again = blob(cache, Bucket::Sources, place.bytes.as_bytes());
                    assert_eq!(again, place.digest);
                }
            }
            Step::LoseKey { project, settings } => {
                if let Some(key) = self.key(*project, *settings) {
                    let keys = cache.bucket(Bucket::Wheels).join("by-key");
                    let _ = fs::remove_file(keys.join(format!("{key}.json")));
                    if let Some(built) = self.wheels.get_mut(&key) {
                        built.has_key = false;
                    }
                }
            }
            _ => unreachable!("runs do {step:?}"),
        }
    }

    /// Whether a place stands for a source now, as far as the cache can know.
    fn is_current(&self, source: &Digest) -> bool {
        let of = |known: Known| {
            self.places
                .values()
                .filter(move |place| place.known == known)
        };
        // While a pointer can not be read, nothing is of the past.
        let is_unsure = of(Known::Broken).next().is_some();
        let is_named = of(Known::Whole).any(|place| place.digest == *source);
        let is_former = of(Known::Whole).any(|place| place.former.contains(source));
        let was_named = of(Known::Nothing).any(|place| place.digest == *source);
        is_unsure || is_named || (was_named && !is_former)
    }

    /// Every wheel of what a place stands for now is there, whole and reachable, and so is what a run holds.
    fn holds(&mut self, world: &World) {
        // What was of the past may have gone, and may be wanted again later.
        let gone: Vec<_> = self
            .wheels
            .iter()
            .filter(|(_, built)| !built.folder.exists())
            .filter(|(_, built)| !built.has_key || !self.is_current(&built.source))
            .map(|(key, _)| *key)
            .collect();
        for key in gone {
            self.wheels.remove(&key);
        }
        for (key, built) in &self.wheels {
            if !built.has_key || !self.is_current(&built.source) {
                continue;
            }
            let folder = &built.folder;
            let record = folder.join("record.json");
            let record: serde_json::Value = world.cache.read_record(&record).unwrap();
            let filename = record["filename"].as_str().unwrap();
            assert!(folder.join(filename).is_file());
            assert_eq!(record["key"], key.to_string());
            assert_eq!(world.cache.find_wheels(key).next().as_ref(), Some(folder));
        }
        for folder in self.holders.iter().filter_map(|(_, found)| found.as_ref()) {
            assert!(folder.join("record.json").is_file(), "it is in use");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_wheel_of_a_current_revision_is_ever_pruned(
        steps in proptest::collection::vec(step(), 1..60)
    ) {
        let world = World::new();
        let mut story = Story::default();
        for step in &steps {
            story.happen(&world, step);
            story.holds(&world);
        }
    }
}
