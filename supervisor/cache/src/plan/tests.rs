//! Plans against inventories made by hand.

mod downloads;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use model::{Digest, Sha256, SourceId, SourceKind};

use super::*;
use crate::{Bucket, Built, Installed, Inventory, Page, Pointer};

const DAY: Duration = Duration::from_secs(86_400);

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + DAY * 20_000
}

fn item(what: What, bytes: u64, days_ago: u32) -> Item {
    let bucket = match what {
        What::Pointer(_) => Bucket::Pointers,
        _ => Bucket::Sources,
    };
    let path = format!("{what:?}{bytes}{days_ago}");
    Item {
        path: Sha256::of(path).to_string().into(),
        bucket: Some(bucket),
        what,
        files: 1,
        bytes,
        used: now() - DAY * days_ago,
    }
}

fn digest(text: &str) -> Sha256 {
    Sha256::of(text)
}

fn pointer(project: &str, current: &str, former: &[&str]) -> What {
    What::Pointer(Pointer {
        current: BTreeSet::from([digest(current)]),
        former: former.iter().map(|text| digest(text)).collect(),
        remembered: BTreeSet::new(),
        repositories: BTreeSet::new(),
        project: project.parse().ok(),
        label: format!("{project}-1.0.tar.gz"),
    })
}

fn wheel(project: &str, source: &str, key: &str) -> What {
    What::Wheel(Box::new(Built {
        key: digest(key),
        name: project.parse().unwrap(),
        version: "1.0".parse().unwrap(),
        filename: format!("{project}-1.0-py3-none-any.whl"),
        python: "cpython".to_owned(),
        source: SourceId {
            kind: SourceKind::Index,
            digest: Digest {
                sha256: digest(source),
                size: 1,
            },
            subdirectory: None,
        },
        source_label: String::new(),
        is_reachable: true,
    }))
}

fn environment(project: &str, is_orphan: bool) -> What {
    What::Environment(Installed {
        packages: vec![(project.parse().unwrap(), "1.0".parse().unwrap())],
        is_orphan,
    })
}

fn inventory(items: Vec<Item>) -> Inventory {
    Inventory {
        items,
        ..Inventory::default()
    }
}

fn reasons(plan: &Plan) -> Vec<(String, String)> {
    plan.removals
        .iter()
        .map(|removal| (removal.label.clone(), removal.reason.to_string()))
        .collect()
}

#[test]
fn pruning_takes_only_what_is_known_to_be_of_the_past() {
    let found = inventory(vec![
        item(pointer("foo", "new", &["old"]), 1, 0),
        item(What::Source(digest("new")), 1, 0),
        item(What::Source(digest("old")), 1, 0),
        item(What::Revision(digest("new")), 1, 900),
        item(wheel("foo", "new", "a"), 1, 900),
        item(wheel("foo", "old", "b"), 1, 0),
        item(wheel("bar", "from a folder", "c"), 1, 900),
        item(What::Download(digest("w")), 1, 900),
        item(environment("setuptools", false), 1, 900),
        item(environment("gone", true), 1, 0),
        item(What::Stranger, 1, 900),
        item(What::Damaged("x".to_owned()), 1, 900),
    ]);
    let plan = Plan::prune(&found, &Prune::default(), now());
    let old = digest("old").to_string()[..12].to_owned();
    let expected = [
        (format!("source {old}"), "no place stands for it any more"),
        (
            "built wheel foo-1.0-py3-none-any.whl".to_owned(),
            "foo-1.0.tar.gz is another source now",
        ),
        ("environment gone 1.0".to_owned(), "its interpreter is gone"),
    ];
    let expected = expected.map(|(label, reason)| (label, reason.to_owned()));
    assert_eq!(reasons(&plan), expected);
}

#[test]
fn a_pointer_that_can_not_be_read_may_stand_for_anything() {
    let mut broken = item(What::Damaged("x".to_owned()), 1, 0);
    broken.bucket = Some(Bucket::Pointers);
    let found = inventory(vec![
        broken,
        item(pointer("foo", "new", &["old"]), 1, 0),
        item(What::Source(digest("old")), 1, 0),
        item(wheel("foo", "old", "b"), 1, 0),
    ]);
    assert!(Plan::prune(&found, &Prune::default(), now()).is_empty());
}

#[test]
fn ci_keeps_what_was_built_and_every_record() {
    let found = inventory(vec![
        item(pointer("foo", "new", &[]), 1, 0),
        item(What::Source(digest("new")), 1, 0),
        item(What::Download(digest("w")), 1, 0),
        item(environment("setuptools", false), 1, 0),
        item(What::Repository(digest("an address")), 1, 0),
        item(What::StandIn(digest("a folder")), 1, 0),
        item(wheel("foo", "new", "a"), 1, 0),
        item(wheel("foo", "new", "another setting"), 1, 0),
        item(What::Page(Page::default()), 1, 0),
        item(What::Interpreter, 1, 0),
        item(What::Revision(digest("new")), 1, 0),
        item(
            What::Revision(digest("of a folder that no pointer knows")),
            1,
            900,
        ),
        item(What::Log, 1, 0),
    ]);
    let wish = Prune {
        ci: true,
        ..Prune::default()
    };
    let gone: Vec<_> = Plan::prune(&found, &wish, now())
        .removals
        .into_iter()
        .map(|removal| removal.what)
        .collect();
    let expected: Vec<_> = found.items[1..6]
        .iter()
        .map(|item| item.what.clone())
        .collect();
    assert_eq!(gone, expected);
}

#[test]
fn age_and_size_take_what_was_used_least_recently() {
    let found = inventory(vec![
        item(pointer("foo", "new", &[]), 1, 900),
        item(wheel("foo", "new", "a"), 100, 1),
        item(wheel("foo", "new", "b"), 100, 40),
        item(What::Download(digest("w")), 100, 3),
        item(What::Source(digest("new")), 100, 2),
    ]);
    let old = Prune {
        older_than: Some(DAY * 30),
        ..Prune::default()
    };
    assert_eq!(
        reasons(&Plan::prune(&found, &old, now()))
            .into_iter()
            .map(|(_, reason)| reason)
            .collect::<Vec<_>>(),
        ["not used for 30 days"]
    );
    let small = Prune {
        max_size: Some(250),
        ..Prune::default()
    };
    let plan = Plan::prune(&found, &small, now());
    let bytes: u64 = plan.removals.iter().map(|removal| removal.bytes).sum();
    assert_eq!(bytes, 200, "401 bytes shrink to 201: {plan:?}");
    assert!(matches!(plan.removals[0].what, What::Wheel(_)));
    assert!(matches!(plan.removals[1].what, What::Download(_)));
}

#[test]
fn logs_stay_while_they_are_new_or_few_and_scratches_a_week() {
    let mut items: Vec<_> = (0..60)
        .map(|days| item(What::Log, u64::from(days), days))
        .collect();
    items.push(item(What::KeptScratch, 1, 6));
    items.push(item(What::KeptScratch, 1, 8));
    let plan = Plan::tidy(&inventory(items), now());
    let logs = plan
        .removals
        .iter()
        .filter(|removal| removal.what == What::Log);
    assert_eq!(logs.count(), 10, "the newest fifty stay: {plan:?}");
    let scratches: Vec<_> = plan
        .removals
        .iter()
        .filter(|removal| removal.what == What::KeptScratch)
        .map(|removal| removal.used)
        .collect();
    assert_eq!(scratches, [now() - DAY * 8]);
    let large = inventory(
        (1..4)
            .map(|days| item(What::Log, 400 << 20, days))
            .collect(),
    );
    let plan = Plan::tidy(&large, now());
    assert_eq!(plan.removals.len(), 2, "the newest stays: {plan:?}");
}

#[test]
fn cleaning_a_project_takes_what_is_its_own() {
    let page = |project: &str, file: &str| {
        What::Page(Page {
            project: project.parse().ok(),
            files: BTreeSet::from([digest(file)]),
        })
    };
    let found = inventory(vec![
        item(pointer("foo", "s", &[]), 1, 0),
        item(pointer("bar", "t", &[]), 1, 0),
        item(What::Source(digest("s")), 1, 0),
        item(What::Source(digest("t")), 1, 0),
        item(wheel("foo", "s", "a"), 1, 0),
        item(wheel("bar", "t", "b"), 1, 0),
        item(page("foo", "foo wheel"), 1, 0),
        item(page("bar", "bar wheel"), 1, 0),
        item(What::Download(digest("foo wheel")), 1, 0),
        item(What::Download(digest("bar wheel")), 1, 0),
        item(environment("foo", false), 1, 0),
        item(environment("bar", false), 1, 0),
        item(What::Log, 1, 0),
        item(What::WheelMetadata(digest("foo wheel")), 1, 0),
        item(What::WheelMetadata(digest("bar wheel")), 1, 0),
    ]);
    let mut wish = Clean {
        packages: vec!["foo".parse().unwrap()],
        kinds: Kinds::default(),
    };
    let gone = |wish: &Clean| -> Vec<_> {
        Plan::clean(&found, wish)
            .removals
            .into_iter()
            .map(|removal| {
                found
                    .items
                    .iter()
                    .position(|item| item.path == removal.path)
            })
            .map(Option::unwrap)
            .collect()
    };
    assert_eq!(gone(&wish), [0, 2, 4, 6, 8, 10, 13]);
    wish.kinds.built = true;
    assert_eq!(gone(&wish), [4]);
    wish.packages.clear();
    assert_eq!(gone(&wish), [4, 5]);
    wish.kinds = Kinds::default();
    assert_eq!(gone(&wish).len(), found.items.len());
}

/// A place that tells no project: what it stands for and which repositories that came from.
fn taken_from(current: &[&str], repositories: &[&str]) -> What {
    let digests = |texts: &[&str]| texts.iter().map(|text| digest(text)).collect();
    What::Pointer(Pointer {
        current: digests(current),
        repositories: digests(repositories),
        label: "a place".to_owned(),
        ..Pointer::default()
    })
}

#[test]
fn cleaning_a_project_takes_its_repositories_and_none_that_serves_others() {
    let found = inventory(vec![
        item(wheel("foo", "commit", "a"), 1, 0),
        item(taken_from(&["commit"], &["own", "submodule"]), 1, 0),
        item(What::Repository(digest("own")), 1, 0),
        item(What::Repository(digest("submodule")), 1, 0),
        item(wheel("bar", "other commit", "b"), 1, 0),
        item(taken_from(&["other commit"], &["other", "submodule"]), 1, 0),
        item(What::Repository(digest("other")), 1, 0),
        item(wheel("foo", "folder", "c"), 1, 0),
        item(taken_from(&["folder"], &["stand-in"]), 1, 0),
        item(taken_from(&[], &["stand-in"]), 1, 0),
        item(What::StandIn(digest("stand-in")), 1, 0),
        item(taken_from(&[], &["of nobody"]), 1, 0),
        item(What::StandIn(digest("of nobody")), 1, 0),
        item(taken_from(&["not built"], &["unknown"]), 1, 0),
        item(What::Repository(digest("unknown")), 1, 0),
        // Two projects in one repository.
        item(wheel("foo", "shared", "d"), 1, 0),
        item(wheel("bar", "shared", "e"), 1, 0),
        item(taken_from(&["shared"], &["both"]), 1, 0),
        item(What::Repository(digest("both")), 1, 0),
    ]);
    let gone = |projects: &[&str]| -> Vec<usize> {
        let wish = Clean {
            packages: projects.iter().map(|name| name.parse().unwrap()).collect(),
            kinds: Kinds::default(),
        };
        let plan = Plan::clean(&found, &wish);
        let at = |path| found.items.iter().position(|item| item.path == path);
        plan.removals
            .into_iter()
            .map(|removal| at(removal.path).unwrap())
            .collect()
    };
    assert_eq!(gone(&["foo"]), [0, 1, 2, 7, 8, 9, 10, 15]);
    assert_eq!(gone(&["bar"]), [4, 5, 6, 16]);
    assert_eq!(
        gone(&["foo", "bar"]),
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 18]
    );
}

#[test]
fn a_commit_is_of_the_past_when_a_reference_led_there_and_none_does_any_more() {
    let commit = |text: &str| {
        What::Pointer(Pointer {
            remembered: BTreeSet::from([digest(text)]),
            repositories: BTreeSet::from([digest("address")]),
            ..Pointer::default()
        })
    };
    let reference = |label: &str, current: &str, former: &[&str]| {
        What::Pointer(Pointer {
            current: BTreeSet::from([digest(current)]),
            former: former.iter().map(|text| digest(text)).collect(),
            repositories: BTreeSet::from([digest("address")]),
            label: label.to_owned(),
            ..Pointer::default()
        })
    };
    let sources = ["new", "left", "pinned", "alone"];
    let mut items = vec![
        item(reference("main", "new", &["left", "pinned"]), 1, 0),
        item(reference("pin", "pinned", &[]), 1, 0),
        item(What::Repository(digest("address")), 1, 900),
    ];
    for source in sources {
        items.push(item(commit(source), 1, 900));
        items.push(item(What::Source(digest(source)), 1, 900));
        items.push(item(wheel("foo", source, source), 1, 900));
    }
    let gone = |items: &[Item]| -> Vec<usize> {
        let plan = Plan::prune(&inventory(items.to_vec()), &Prune::default(), now());
        let at = |path| items.iter().position(|item| item.path == path);
        let gone = plan.removals.into_iter();
        gone.map(|removal| at(removal.path).unwrap()).collect()
    };
    assert_eq!(gone(&items), [6, 7, 8], "all of what was left and no more");
    let mut broken = item(What::Damaged("x".to_owned()), 1, 0);
    broken.bucket = Some(Bucket::Pointers);
    items.push(broken);
    assert_eq!(gone(&items), [0_usize; 0]);
}

#[test]
fn a_stand_in_that_no_folder_is_packed_with_goes_with_what_leads_to_it() {
    let mut items = vec![
        item(taken_from(&["folder"], &["present"]), 1, 0),
        item(taken_from(&[], &["present"]), 1, 0),
        item(taken_from(&[], &["past"]), 1, 0),
        item(What::StandIn(digest("present")), 1, 900),
        item(What::StandIn(digest("past")), 1, 0),
        item(What::Repository(digest("fetched")), 1, 900),
    ];
    let plan = Plan::prune(&inventory(items.clone()), &Prune::default(), now());
    let gone: Vec<_> = plan.removals.iter().map(|removal| &removal.path).collect();
    assert_eq!(gone, [&items[2].path, &items[4].path]);
    let mut broken = item(What::Damaged("x".to_owned()), 1, 0);
    broken.bucket = Some(Bucket::Pointers);
    items.push(broken);
    let plan = Plan::prune(&inventory(items), &Prune::default(), now());
    assert!(plan.is_empty(), "{plan:?}");
}
