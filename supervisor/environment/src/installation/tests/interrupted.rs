//! An installation that is interrupted at every single step, on file systems of every kind.

use std::collections::BTreeMap;
use std::fs;

use super::super::carry;
use super::super::journal::{Entry, Journal, Step, kept_in};
use super::super::old::Old;
use super::super::owners::Owners;
use super::super::plan::{Abilities, Ground, New, plan};
use super::{Env, Wheel, everything, rich};

const ALL: Abilities = Abilities {
    exchanges: true,
    folders: true,
};
const KINDS: [Abilities; 3] = [
    ALL,
    // An overlay.
    Abilities {
        folders: false,
        ..ALL
    },
    // A network's.
    Abilities {
        exchanges: false,
        folders: true,
    },
];

/// Begins to bring `new` in, and stops after some steps. Returns how many there are.
fn begin(env: &Env, new: &Wheel, abilities: Abilities, steps: usize) -> usize {
    let session = env.session();
    let mut prepared = session
        .prepare(&env.wanted(&[new]), &env.world.facts)
        .unwrap();
    prepared.seal().unwrap();
    let staged = &prepared.staged[0];
    let (beneath, site_packages) = (&session.beneath, session.target.site_packages.as_str());
    let there = session.installed().unwrap();
    let there: Vec<_> = there.iter().filter(|it| it.name == staged.name).collect();
    let owners = Owners::read(beneath, site_packages).unwrap();
    let old = Old::gather(beneath, site_packages, &there, &owners).unwrap();
    let files = staged.files();
    let ground = Ground {
        beneath,
        site_packages,
        abilities,
        owners: &owners,
        leaving: &BTreeMap::new(),
    };
    let new = New {
        number: 0,
        label: &staged.label,
        info: &staged.info,
        files: &files,
    };
    let entry = plan(ground, new, &old).unwrap();
    let mut journal = Journal::new();
    journal.entries.push(entry.clone());
    journal.write(beneath).unwrap();
    beneath.make_folder(&kept_in(0)).unwrap();
    let part = Entry {
        steps: entry.steps[..steps.min(entry.steps.len())].to_vec(),
        ..entry.clone()
    };
    carry::forward(beneath, &part).unwrap();
    entry.steps.len()
}

/// How often a project is installed, and which versions its files are of.
fn versions(env: &Env) -> (Vec<String>, Vec<String>) {
    let mut infos = Vec::new();
    for entry in fs::read_dir(env.site()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with("rich-") && name.ends_with(".dist-info") {
            infos.push(name);
        }
    }
    let read = |path: &str| fs::read_to_string(env.site().join(path)).unwrap();
    let files = [
        "rich/__init__.py",
        "rich/deep/er/__init__.py",
        "rich_beside.py",
    ];
    (infos, files.map(read).to_vec())
}

#[test]
fn an_upgrade_that_is_interrupted_anywhere_is_the_old_version_or_the_new_one() {
    for abilities in KINDS {
        let outcome = |version: &str| {
            let env = Env::new();
            env.install(&[
                &rich("1.0"),
                &Wheel::new("other", "1").with("shared/x.py", ""),
            ]);
            if version == "2.0" {
                env.install(&[&rich("2.0")]);
            }
            let root = env.root.display().to_string();
            let all = everything(&env.root).into_iter();
            all.map(|(path, text)| (path, text.replace(&root, "ROOT")))
                .collect::<BTreeMap<_, _>>()
        };
        let (old, new) = (outcome("1.0"), outcome("2.0"));
        let (mut at, mut seen) = (0, [0, 0]);
        loop {
            let env = Env::new();
            env.install(&[
                &rich("1.0"),
                &Wheel::new("other", "1").with("shared/x.py", ""),
            ]);
            let steps = begin(&env, &rich("2.0"), abilities, at);
            // Nobody has repaired anything yet: something is installed, and its files are there.
            let (infos, files) = versions(&env);
            assert!(!infos.is_empty(), "{abilities:?}, {at}");
            if abilities.exchanges && abilities.folders {
                assert_eq!(infos.len(), 1, "{abilities:?}, {at}");
            }
            assert!(files.iter().all(|text| text.starts_with("version = ")));
            if infos == ["rich-2.0.dist-info"] {
                let is_new = |text: &String| text.starts_with("version = \"2.0\"");
                assert!(files.iter().all(is_new), "{abilities:?}, {at}: {files:?}");
            }
            assert!(env.session().is_repaired());
            let root = env.root.display().to_string();
            let now: BTreeMap<_, _> = everything(&env.root)
                .into_iter()
                .map(|(path, text)| (path, text.replace(&root, "ROOT")))
                .collect();
            let strip = |all: &BTreeMap<String, String>| -> BTreeMap<String, String> {
                let mut all = all.clone();
                // The programs' digests differ with the environment's place.
                all.retain(|path, _| !path.ends_with("RECORD"));
                all
            };
            if strip(&now) == strip(&old) {
                seen[0] += 1;
            } else {
                assert_eq!(strip(&now), strip(&new), "{abilities:?}, after step {at}");
                seen[1] += 1;
            }
            if at == steps {
                break;
            }
            at += 1;
        }
        assert!(seen[0] > 3 && seen[1] > 0, "{abilities:?}: {seen:?}");
    }
}

#[test]
fn a_first_installation_that_is_interrupted_is_whole_or_not_there() {
    let mut at = 0;
    loop {
        let env = Env::new();
        let before = everything(&env.root);
        let steps = begin(&env, &rich("1.0"), ALL, at);
        assert!(env.session().is_repaired());
        if at < steps {
            assert_eq!(everything(&env.root), before, "after step {at}");
        } else {
            assert_eq!(versions(&env).0, ["rich-1.0.dist-info"]);
            break;
        }
        at += 1;
    }
}

#[test]
fn the_same_version_again_may_be_interrupted_anywhere() {
    for abilities in KINDS {
        let mut at = 0;
        loop {
            let env = Env::new();
            env.install(&[&rich("1.0")]);
            let before = everything(&env.root);
            let steps = begin(&env, &rich("1.0"), abilities, at);
            env.session();
            assert_eq!(
                everything(&env.root),
                before,
                "{abilities:?}, after step {at}"
            );
            if at == steps {
                break;
            }
            at += 1;
        }
    }
}

#[test]
fn metadata_changes_at_one_moment() {
    let env = Env::new();
    env.install(&[&rich("1.0")]);
    let session = env.session();
    drop(session);
    let steps = begin(&env, &rich("2.0"), ALL, 0);
    let journal = fs::read(env.root.join(".fumehood/journal.json")).unwrap();
    let journal: Journal = serde_json::from_slice(&journal).unwrap();
    let entry = &journal.entries[0];
    assert_eq!(entry.steps.len(), steps);
    let commit = &entry.steps[entry.commit];
    assert!(
        matches!(commit, Step::Exchange { path, becomes: Some(name), .. }
            if path.ends_with("rich-1.0.dist-info") && name.ends_with("rich-2.0.dist-info")),
        "{commit:?}"
    );
    assert!(
        entry.steps[entry.commit + 1..]
            .iter()
            .all(|step| matches!(step, Step::Take { .. }))
    );
}
