//! Releases side by side in one cache: what a later one adds to a record is no damage to this one.

use std::path::PathBuf;

use serde_json::json;
use tests::{Sdist, Wheel, World, forged, search};

use crate::world;

/// What a later release might add.
const ADDED: &str = "added-by-a-later-release";

/// Every record of the cache; what lies in an environment is its packages'.
fn records(world: &World<'_>) -> Vec<PathBuf> {
    search::files(&world.cache())
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter(|path| !path.to_string_lossy().contains("/env/"))
        .collect()
}

#[test]
fn what_a_later_release_adds_to_records_is_passed_over() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0").requires(&["tool"]);
    world.index.wheel(&Wheel::new("tool", "1.0"));
    world.index.sdist(&sdist);
    let tree = world.lay("tree", &sdist);
    let specs = ["thing==1.0".to_owned(), tree.display().to_string()];
    world.wheels(&specs).finish().succeeds();
    let records = records(&world);
    for bucket in [
        "pointers-v1",
        "revisions-v1",
        "simple-v1",
        "environments-v1",
        "interpreters-v1",
        "wheels-v1",
    ] {
        let of_it = |path: &PathBuf| path.starts_with(world.cache().join(bucket));
        assert!(records.iter().any(of_it), "{bucket} has a record");
    }
    for path in &records {
        let mut record = forged::record(&world.cache(), path);
        record[ADDED] = json!({"of": ["any", {"form": 1}]});
        forged::forge(&world.cache(), path, &record);
    }
    let asked = world.index.all_requests().len();
    let again = world.wheels(&specs).args(["--offline"]).finish();
    again.succeeds();
    assert!(
        again
            .report()
            .wheels
            .iter()
            .all(|wheel| wheel.origin == "cached"),
        "{again}"
    );
    let other = world
        .wheels(&specs)
        .args(["--offline", "-C", "other=1"])
        .finish();
    other.succeeds();
    assert!(
        other
            .report()
            .wheels
            .iter()
            .all(|wheel| wheel.origin == "built"),
        "{other}"
    );
    assert_eq!(world.index.all_requests().len(), asked);
    // A folder that was written just now is looked at again in any case.
    let folders = world.cache().join("pointers-v1/path");
    for path in records {
        assert!(
            path.starts_with(&folders)
                || forged::record(&world.cache(), &path).get(ADDED).is_some(),
            "{} was made anew",
            path.display()
        );
    }
}
