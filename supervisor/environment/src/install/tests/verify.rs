//! Bytes of an environment against the RECORDs of its packages.

use std::fs;

use super::world::{Wheel, World};
use crate::install::{check_environment, find_environment, site_packages};

#[test]
fn other_bytes_of_the_same_length_are_found_and_a_sound_environment_is_not_blamed() {
    let world = World::new();
    let wheel = Wheel::new("tool", "1.0").with("tool/data.py", "value = 1\n");
    let environment = world.install(&[&wheel]);
    check_environment(&world.cache, &environment.name).unwrap();
    let file = environment
        .path
        .join(site_packages(&world.facts))
        .join("tool/data.py");
    fs::write(&file, "value = 2\n").unwrap();
    assert!(
        find_environment(&world.cache, &environment.name).is_some(),
        "a look from outside does not tell"
    );
    let why = check_environment(&world.cache, &environment.name).unwrap_err();
    assert!(why.contains("tool/data.py"), "{why}");
    fs::remove_file(&file).unwrap();
    check_environment(&world.cache, &environment.name).unwrap_err();
}
