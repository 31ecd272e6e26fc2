//! Which versions are chosen.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::{Code, PackageName, Version};

use super::table::{Release, Table, candidate, specifiers};
use crate::resolve::all_candidates;

#[tokio::test]
async fn the_newest_versions_that_fit_are_taken_with_all_they_require() {
    let table = Table::default()
        .with("a", "1.0", &[])
        .with("a", "1.10", &["b>=2"])
        .with("a", "1.9", &[])
        .with("b", "1", &[])
        .with("b", "2", &[])
        .with("b", "3", &[]);
    assert_eq!(table.resolve(&["a", "b<3"]).await.unwrap(), "a 1.10, b 2");
}

#[tokio::test]
async fn an_older_version_is_taken_if_the_newest_contradicts_another_requirement() {
    let table = Table::default()
        .with("a", "2", &["c>=2"])
        .with("a", "1", &["c"])
        .with("b", "1", &["c<2"])
        .with("c", "1", &[])
        .with("c", "2", &[]);
    assert_eq!(table.resolve(&["a", "b"]).await.unwrap(), "a 1, b 1, c 1");
}

#[tokio::test]
async fn markers_decide_which_requirements_are_in_force() {
    let table = Table::default()
        .with(
            "a",
            "1",
            &[
                "w; sys_platform == 'win32'",
                "b; python_version >= '3.9'",
                "t; python_version < '3.11'",
            ],
        )
        .with("b", "1", &[]);
    let roots = ["a", "nowhere; os_name == 'nt'"];
    assert_eq!(table.resolve(&roots).await.unwrap(), "a 1, b 1");
}

#[tokio::test]
async fn extras_add_what_they_require_at_the_same_version() {
    let table = Table::default()
        .with(
            "a",
            "2",
            &["b; extra == 'fast'", "a[fast]; extra == 'all'", "c"],
        )
        .with("a", "1", &["b<2; extra == 'fast'", "c"])
        .with("b", "1", &[])
        .with("b", "2", &["a[fast]"])
        .with("c", "1", &[]);
    let table = Arc::new(table);
    assert_eq!(
        Arc::clone(&table).ask(&["a"], &[]).await.unwrap(),
        "a 2, c 1"
    );
    assert_eq!(
        Arc::clone(&table).ask(&["a[fast]"], &[]).await.unwrap(),
        "a 2, b 2, c 1"
    );
    assert_eq!(
        Arc::clone(&table).ask(&["a[all]"], &[]).await.unwrap(),
        "a 2, b 2, c 1"
    );
    assert_eq!(
        Arc::clone(&table)
            .ask(&["a[fast]", "a<2"], &[])
            .await
            .unwrap(),
        "a 1, b 1, c 1"
    );
    assert_eq!(table.ask(&["a[unknown]"], &[]).await.unwrap(), "a 2, c 1");
}

#[tokio::test]
async fn circles_end() {
    let table = Table::default()
        .with("a", "1", &["b", "a>=1"])
        .with("b", "1", &["c"])
        .with("c", "1", &["a[x]>=1"]);
    assert_eq!(table.resolve(&["a"]).await.unwrap(), "a 1, b 1, c 1");
    let table = Table::default()
        .with("a", "2", &["a<2"])
        .with("a", "1", &[]);
    assert_eq!(
        table.resolve(&["a"]).await.unwrap(),
        "a 1",
        "2 can not stand itself"
    );
}

#[tokio::test]
async fn prereleases_are_taken_when_named_or_when_nothing_final_fits() {
    let table = Arc::new(
        Table::default()
            .with("a", "1", &[])
            .with("a", "2rc1", &[])
            .with("a", "2.dev3", &[])
            .with("b", "1a1", &[])
            .with("c", "1", &["a>=2rc1"])
            .with("d", "1", &["a>=1.5"]),
    );
    for (root, expected) in [
        ("a", "a 1"),
        ("a>=2rc1", "a 2rc1"),
        ("a>=2.dev0", "a 2rc1"),
        ("a!=2rc1", "a 1"),
        ("a>1", "a 2rc1"),
        ("b", "b 1a1"),
        ("c", "a 2rc1, c 1"),
        ("d", "a 2rc1, d 1"),
    ] {
        assert_eq!(
            Arc::clone(&table).ask(&[root], &[]).await.unwrap(),
            expected,
            "{root}"
        );
    }
    // Learnt late: `a` was decided before `c` came up.
    assert_eq!(table.ask(&["a", "c"], &[]).await.unwrap(), "a 2rc1, c 1");
}

#[tokio::test]
async fn yanked_versions_are_taken_only_when_pinned() {
    let yanked = Release {
        yanked: true,
        ..Release::default()
    };
    let table = Arc::new(
        Table::default()
            .with("a", "1", &[])
            .release("a", "2", yanked)
            .with("b", "1", &["a==2"]),
    );
    for (root, expected) in [
        ("a", "a 1"),
        ("a==2", "a 2"),
        ("a===2", "a 2"),
        ("b", "a 2, b 1"),
    ] {
        assert_eq!(
            Arc::clone(&table).ask(&[root], &[]).await.unwrap(),
            expected,
            "{root}"
        );
    }
    let error = table.ask(&["a>1"], &[]).await.unwrap_err();
    assert_eq!(error.code(), Code::NoVersion);
    assert!(
        error.to_string().contains("2: it is yanked and not pinned"),
        "{error}"
    );
}

#[tokio::test]
async fn versions_for_other_pythons_are_left_out_with_the_reason() {
    let page = Release {
        requires_python: Some(">=3.12"),
        ..Release::default()
    };
    let metadata = Release {
        requires_python_in_metadata: Some("<3.11"),
        ..Release::default()
    };
    let table = Arc::new(
        Table::default()
            .with("a", "1", &[])
            .release("a", "2", metadata)
            .release("a", "3", page),
    );
    assert_eq!(Arc::clone(&table).ask(&["a"], &[]).await.unwrap(), "a 1");
    let error = table.ask(&["a>1"], &[]).await.unwrap_err().to_string();
    assert!(
        error.contains("not 3: it needs Python >=3.12, this is 3.11.7"),
        "{error}"
    );
    assert!(
        error.contains("a 2: it needs Python <3.11, this is 3.11.7"),
        "{error}"
    );
}

#[tokio::test]
async fn local_versions_satisfy_the_public_one() {
    let table = Table::default()
        .with("a", "1.0+cpu", &[])
        .with("a", "2", &[]);
    assert_eq!(table.resolve(&["a==1.0"]).await.unwrap(), "a 1.0+cpu");
}

#[tokio::test]
async fn constraints_narrow_and_demand_nothing() {
    let table = Arc::new(
        Table::default()
            .with("a", "1", &["b"])
            .with("b", "1", &[])
            .with("b", "2", &[])
            .with("c", "1", &[]),
    );
    let constrained = Arc::clone(&table).ask(&["a"], &["b<2", "c==1"]).await;
    assert_eq!(constrained.unwrap(), "a 1, b 1");
    let error = Arc::clone(&table)
        .ask(&["b>1"], &["b<2"])
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NoVersion);
    assert!(
        error
            .to_string()
            .contains("the constraint `b<2` excludes it"),
        "{error}"
    );
    for wrong in ["b[x]<2", "b @ https://example.invalid/b.whl"] {
        let error = Arc::clone(&table).ask(&["a"], &[wrong]).await.unwrap_err();
        assert_eq!(error.code(), Code::BadFlag, "{wrong}");
    }
}

#[tokio::test]
async fn every_question_is_asked_once() {
    let table = Arc::new(
        Table::default()
            .with("a", "1", &["c", "d", "c[x]"])
            .with("b", "1", &["c", "d"])
            .with("c", "1", &["d; extra == 'x'"])
            .with("d", "1", &[]),
    );
    Arc::clone(&table).ask(&["a", "b"], &[]).await.unwrap();
    assert_eq!(table.questions.load(Ordering::Relaxed), 4);
    let mut asked = table.asked.lock().unwrap().clone();
    asked.sort();
    assert_eq!(asked, ["a 1", "b 1", "c 1", "d 1"]);
}

#[test]
fn the_list_of_candidates_holds_yanked_versions_and_prereleases() {
    let (_, facts) = crate::interpreter::tests::real_python();
    let name = PackageName::from_str("a").unwrap();
    let release = |yanked| Release {
        yanked,
        ..Release::default()
    };
    let files: Vec<_> = [("1", false), ("2", true), ("3rc1", false), ("3rc2", true)]
        .into_iter()
        .filter_map(|(version, yanked)| {
            candidate(
                &name,
                &Version::from_str(version).unwrap(),
                &release(yanked),
            )
            .wheel
        })
        .collect();
    let choice = index::Choice {
        name: &name,
        specifiers: &specifiers("==1"),
        tags: &model::TagSet::of(&facts),
        python: facts.markers.python_full_version(),
        formats: &index::FormatControl::default(),
        pre: false,
        exclude_newer: None,
    };
    let versions: Vec<_> = all_candidates(&files, &choice)
        .iter()
        .map(|one| one.version.to_string())
        .collect();
    assert_eq!(versions, ["3rc2", "3rc1", "2", "1"]);
}
