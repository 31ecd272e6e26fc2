//! `cache check`: what it reads of each kind, what it names, and the caches below.

use std::path::PathBuf;

use model::Code;
use serde_json::{Value, json};
use tests::{Outcome, Sdist, Wheel, World, forged, search};

use crate::wheel_files::lay;
use crate::world;

fn check<'a>(world: &'a World<'_>, flags: &[&str]) -> Outcome<'a, 'a> {
    let run = world.run(["cache", "check"]).args(flags);
    run.flag("--cache-dir", world.cache()).finish_anyhow()
}

/// A cache with a record of every kind that has a schema, a log with both of its records among them.
fn filled(world: &World<'_>) -> Vec<PathBuf> {
    let sdist = Sdist::hello("thing", "1.0").requires(&["tool"]);
    world.index.wheel(&Wheel::new("tool", "1.0")).sdist(&sdist);
    let tree = world.lay("tree", &sdist).display().to_string();
    let taken = lay(world, &Wheel::new("taken", "1.0"));
    let run = world
        .wheels(["thing", &tree, &taken])
        .args(["--keep-scratch"]);
    run.finish_anyhow().succeeds();
    let mut records = search::files(&world.cache());
    records.retain(|path| {
        let is_record = path.extension().is_some_and(|ending| ending == "json");
        let is_ours = !path.iter().any(|part| part == "env" || part.len() == 6);
        is_record && is_ours && forged::record(&world.cache(), path)["schema"] != Value::Null
    });
    records
}

#[test]
fn a_record_of_another_form_is_damage_also_if_its_checksum_fits() {
    let world = world();
    let records = filled(&world);
    let kinds: std::collections::BTreeSet<_> = records
        .iter()
        .filter_map(|path| path.strip_prefix(world.cache()).ok()?.iter().next())
        .map(|kind| kind.to_string_lossy().into_owned())
        .collect();
    let expected = [
        "downloads-v1",
        "environments-v1",
        "interpreters-v1",
        "logs-v1",
        "pointers-v1",
        "revisions-v1",
        "simple-v1",
        "wheels-v1",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
    check(&world, &[]).succeeds();
    for path in &records {
        let whole = forged::record(&world.cache(), path);
        let damages = [
            // What another release may write.
            json!({"schema": "fumehood/of-another-release/9"}),
            json!({"schema": whole["schema"], "digest": 7, "projects": 7}),
            json!({"of": "nobody"}),
        ];
        for damage in damages {
            forged::forge(&world.cache(), path, &damage);
            let done = check(&world, &[]);
            done.exits_with(Code::CacheDamaged);
            let about = format!("{} {damage}: {done}", path.display());
            assert!(done.stdout.contains(" 1 damaged"), "{about}");
            forged::forge(&world.cache(), path, &whole);
        }
    }
    check(&world, &[]).succeeds();
    // All of it at once is mended, and made anew by the next run.
    for path in &records {
        forged::forge(&world.cache(), path, &json!({"of": "nobody"}));
    }
    check(&world, &["--repair"]).succeeds();
    // A wheel's record that went leaves a key behind.
    check(&world, &["--repair"]).succeeds();
    check(&world, &[]).succeeds();
    world.wheel("thing").finish_anyhow().succeeds();
    check(&world, &[]).succeeds();
}

#[test]
fn what_is_none_of_ours_is_named_for_people_and_for_programs() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    let before = check(&world, &[]);
    assert!(!before.succeeds().stdout.contains("not ours"), "{before}");
    for path in [
        "notes.txt",
        "thesis/chapter",
        "wheels-v1/mine",
        "locks-v1/mine",
    ] {
        world.file(world.cache().join(path), "mine\n");
    }
    let done = check(&world, &[]);
    let named = done.succeeds().stdout.lines();
    let named: Vec<_> = named
        .filter_map(|line| line.strip_prefix("not ours: "))
        .collect();
    for path in ["notes.txt", "thesis", "wheels-v1/mine", "locks-v1/mine"] {
        assert!(named.contains(&path), "{path}: {done}");
    }
    assert_eq!(named.len(), 4, "{done}");
    let done = check(&world, &["--output-format", "json"]);
    let told: Value = serde_json::from_str(&done.succeeds().stdout).expect("one document");
    assert_eq!(
        told["strangers"].as_array().map(Vec::len),
        Some(4),
        "{done}"
    );
    assert_eq!(told["damage"], json!([]), "{done}");
}

#[test]
fn caches_below_are_checked_and_mended_by_nobody_from_above() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    world.build(&sdist).finish().built(&sdist.wheel());
    let lower = world.move_cache("lower");
    let other = Sdist::hello("other", "1.0");
    world.build(&other).finish().built(&other.wheel());
    let below = lower.to_str().expect("text");
    let flags = ["--cache-readonly", below];
    check(&world, &flags).succeeds();
    for path in search::files(&lower.join("sources-v1")) {
        std::fs::write(path, "spoilt").expect("an own file");
    }
    check(&world, &[]).succeeds();
    let before = tests::decoy::states(&lower);
    for more in [&[][..], &["--repair"]] {
        let done = check(&world, &[&flags, more].concat());
        done.exits_with(Code::CacheDamaged);
        assert!(done.stdout.contains(&format!(" of {below}: ")), "{done}");
        assert_eq!(
            tests::decoy::changes(&before, &tests::decoy::states(&lower)),
            Vec::<String>::new()
        );
    }
    let by_variable = world
        .run(["cache", "check"])
        .flag("--cache-dir", world.cache())
        .env("FUMEHOOD_CACHE_READONLY", &lower)
        .finish_anyhow();
    by_variable.exits_with(Code::CacheDamaged);
}
