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
    let why = check_environment(&world.cache, &environment.name).unwrap_err();
    assert!(why.contains("tool/data.py"), "{why}");
    fs::remove_file(&file).unwrap();
    check_environment(&world.cache, &environment.name).unwrap_err();
    assert!(find_environment(&world.cache, &environment.name).is_none());
}

#[test]
fn what_is_in_no_record_of_a_package_is_checked_too() {
    let world = World::new();
    let wheel = Wheel::new("tool", "1.0").with("tool/data.py", "value = 1\n");
    let environment = world.install(&[&wheel]);
    let cfg = environment.path.join("pyvenv.cfg");
    let text = fs::read_to_string(&cfg).unwrap();
    fs::write(&cfg, text.replace("false", "fals3")).unwrap();
    let why = check_environment(&world.cache, &environment.name).unwrap_err();
    assert!(why.contains("beside the files"), "{why}");
    fs::write(&cfg, text).unwrap();
    check_environment(&world.cache, &environment.name).unwrap();
    fs::write(environment.path.with_file_name("manifest.json"), "{}").unwrap();
    let why = check_environment(&world.cache, &environment.name).unwrap_err();
    assert!(why.contains("manifest"), "{why}");
}
