//! Whatever happens in whatever order: no wheel of a current revision is pruned.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use cache::{Bucket, Clean, InUse, Kinds, Plan, Prune};
use model::{Digest, Sha256};
use proptest::prelude::*;

use crate::prune::{other, prune};
use crate::shelves::{blob, point, wheel};
use crate::support::World;

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
    Prune {
        ci: bool,
    },
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
}

fn step() -> impl Strategy<Value = Step> {
    let project = 0..3_usize;
    prop_oneof![
        3 => (project.clone(), 0..3_usize)
            .prop_map(|(project, revision)| Step::Revise { project, revision }),
        4 => (project.clone(), 0..3_usize)
            .prop_map(|(project, settings)| Step::Build { project, settings }),
        3 => any::<bool>().prop_map(|ci| Step::Prune { ci }),
        1 => Just(Step::CleanSources),
        1 => project.clone().prop_map(|project| Step::LosePointer { project }),
        1 => project.clone().prop_map(|project| Step::BreakPointer { project }),
        1 => project.prop_map(|project| Step::LoseSource { project }),
    ]
}

/// What a cache holds as its users see it.
#[derive(Default)]
struct Story {
    current: BTreeMap<usize, (Digest, Vec<Digest>, PathBuf)>,
    /// Wheels with the project and the source that each was built from.
    wheels: Vec<(usize, Digest, PathBuf)>,
}

impl Story {
    fn happen(&mut self, world: &World, step: &Step) {
        let cache = other(&world.cache);
        match step {
            Step::Revise { project, revision } => {
                let bytes = format!("{project} {revision}");
                let digest = blob(&cache, Bucket::Sources, bytes.as_bytes());
                let mut former = Vec::new();
                if let Some((last, older, _)) = self.current.get(project) {
                    former.clone_from(older);
                    former.push(*last);
                    former.retain(|one| *one != digest);
                }
                let path = point(&cache, &format!("p{project}"), &digest, &former);
                self.current.insert(*project, (digest, former, path));
            }
            Step::Build { project, settings } => {
                let Some((digest, ..)) = self.current.get(project) else {
                    return;
                };
                let key = Sha256::of(format!("{digest:?} {settings}"));
                if cache.find_wheels(&key).next().is_none() {
                    let folder = wheel(&cache, &format!("p{project}"), digest, &key);
                    self.wheels.push((*project, *digest, folder));
                }
            }
            Step::Prune { ci } => {
                let wish = Prune {
                    ci: *ci,
                    ..Prune::default()
                };
                let done = prune(&cache, &wish);
                assert!(done.left.is_empty(), "{done:?}");
            }
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
                if let Some((.., path)) = self.current.get(project) {
                    let _ = fs::remove_file(path);
                }
            }
            Step::BreakPointer { project } => {
                if let Some((.., path)) = self.current.get(project)
                    && path.exists()
                {
                    fs::write(path, b"{ \"digest").unwrap();
                }
            }
            Step::LoseSource { project } => {
                if let Some((digest, ..)) = self.current.get(project) {
                    let path = cache.blob_path(Bucket::Sources, &digest.sha256);
                    let _ = fs::remove_file(path);
                }
            }
        }
    }

    /// Every wheel of what a place stands for now is there, whole and reachable.
    fn holds(&mut self, world: &World) {
        let current = &self.current;
        // A wheel of the past may have gone; its source may be the present one again later.
        self.wheels.retain(|(project, source, folder)| {
            folder.exists() || current.get(project).is_some_and(|(now, ..)| now == source)
        });
        for (project, source, folder) in &self.wheels {
            if self
                .current
                .get(project)
                .is_some_and(|(now, ..)| now == source)
            {
                let record = fs::read_to_string(folder.join("record.json")).unwrap();
                let record: serde_json::Value = serde_json::from_str(&record).unwrap();
                let filename = record["filename"].as_str().unwrap();
                assert!(folder.join(filename).is_file());
                let key = record["key"].as_str().unwrap().parse().unwrap();
                assert_eq!(world.cache.find_wheels(&key).next().as_ref(), Some(folder));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_wheel_of_a_current_revision_is_ever_pruned(
        steps in proptest::collection::vec(step(), 1..40)
    ) {
        let world = World::new();
        let mut story = Story::default();
        for step in &steps {
            story.happen(&world, step);
            story.holds(&world);
        }
    }
}
