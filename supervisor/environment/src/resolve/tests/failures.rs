//! What is said when nothing can be chosen.

use std::sync::Arc;

use model::Code;

use super::table::{Release, Table};
use crate::resolve::{MAX_PROJECTS, ResolveError};

#[tokio::test]
async fn a_contradiction_names_each_requirement_and_where_it_is_from() {
    let table = Table::default()
        .with("a", "1", &["c<2"])
        .with("a", "2", &["c<2"])
        .with("b", "1", &["c>=2"])
        .with("c", "1", &[])
        .with("c", "2", &[]);
    let error = table.resolve(&["a", "b"]).await.unwrap_err();
    assert_eq!(error.code(), Code::Unresolvable);
    let text = error.to_string();
    for fact in [
        "`a` is asked for",
        "`b` is asked for",
        "a 2, 1 require `c<2`",
        "b 1 requires `c>=2`",
    ] {
        assert!(text.contains(fact), "{fact} is missing in: {text}");
    }
}

#[tokio::test]
async fn a_project_nobody_knows_is_named_with_who_wants_it() {
    let table = Arc::new(
        Table::default()
            .with("a", "1", &["ghost>=1"])
            .with("b", "2", &["ghost"])
            .with("b", "1", &[]),
    );
    let error = Arc::clone(&table).ask(&["nothing"], &[]).await.unwrap_err();
    assert_eq!(error.code(), Code::UnknownProject);
    assert!(
        error
            .to_string()
            .contains("nothing: the index does not know it"),
        "{error}"
    );
    let error = Arc::clone(&table).ask(&["a"], &[]).await.unwrap_err();
    assert_eq!(error.code(), Code::Unresolvable);
    assert!(
        error.to_string().contains("a 1 requires `ghost>=1`"),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("ghost: the index does not know it"),
        "{error}"
    );
    assert_eq!(
        table.ask(&["b"], &[]).await.unwrap(),
        "b 1",
        "another version does without"
    );
}

#[tokio::test]
async fn no_version_and_impossible_ranges_say_what_there_is() {
    let table = Arc::new(Table::default().with("a", "1", &[]).with("a", "2", &[]));
    let error = Arc::clone(&table).ask(&["a>=3"], &[]).await.unwrap_err();
    assert_eq!(error.code(), Code::NoVersion);
    let text = error.to_string();
    assert!(
        text.contains("`a>=3` is asked for") && text.contains("of a there is 2, 1"),
        "{text}"
    );
    let error = table.ask(&["a<2", "a>=2"], &[]).await.unwrap_err();
    assert_eq!(error.code(), Code::NoVersion);
    let text = error.to_string();
    assert!(
        text.contains("`a<2` is asked for") && text.contains("`a>=2` is asked for"),
        "{text}"
    );
}

#[tokio::test]
async fn a_version_with_broken_metadata_or_without_files_is_passed_over() {
    let broken = Release {
        broken: Some("its metadata is damaged"),
        ..Release::default()
    };
    let bare = Release {
        no_file: true,
        ..Release::default()
    };
    let table = Arc::new(
        Table::default()
            .with("a", "1", &[])
            .release("a", "2", broken)
            .release("a", "3", bare),
    );
    assert_eq!(Arc::clone(&table).ask(&["a"], &[]).await.unwrap(), "a 1");
    let error = table.ask(&["a>1"], &[]).await.unwrap_err().to_string();
    assert!(error.contains("a 2: its metadata is damaged"), "{error}");
    assert!(error.contains("not 3: it has no file"), "{error}");
}

#[tokio::test]
async fn a_failure_ends_the_resolution_and_keeps_its_code_and_cause() {
    let failing = Release {
        fails: true,
        ..Release::default()
    };
    let table = Table::default()
        .with("a", "1", &[])
        .release("a", "2", failing);
    let error = table.resolve(&["a"]).await.unwrap_err();
    assert_eq!(error.code(), Code::HashMismatch);
    assert!(error.to_string().contains("what a 2 requires"), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("not the bytes promised"), "{cause}");
    let unreachable = Table {
        unreachable: true,
        ..Table::default()
    };
    assert_eq!(
        unreachable.resolve(&["a"]).await.unwrap_err().code(),
        Code::Transport
    );
}

#[tokio::test]
async fn urls_are_refused_from_people_and_make_versions_unusable() {
    let table = Arc::new(
        Table::default()
            .with("a", "2", &["b @ https://user:secret@example.invalid/b.whl"])
            .with("a", "1", &[]),
    );
    let error = Arc::clone(&table)
        .ask(&["a @ https://u:secret@example.invalid/a.whl"], &[])
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::BuildRequires);
    assert!(!error.to_string().contains("secret"));
    assert_eq!(Arc::clone(&table).ask(&["a"], &[]).await.unwrap(), "a 1");
    let error = table.ask(&["a==2"], &[]).await.unwrap_err().to_string();
    assert!(
        error.contains("a 2: it requires b from a URL") && !error.contains("secret"),
        "{error}"
    );
}

/// Packages that make the solver work: each version wants another of the next project.
#[tokio::test]
async fn too_much_work_is_given_up() {
    let mut table = Table::default();
    for number in 0..=MAX_PROJECTS {
        let next = format!("p{}", number + 1);
        table = table.with(&format!("p{number}"), "1", &[&next]);
    }
    let error = table.resolve(&["p0"]).await.unwrap_err();
    assert!(matches!(error, ResolveError::TooBig { .. }), "{error}");
    assert_eq!(error.code(), Code::Unresolvable);
}

#[tokio::test]
async fn a_pigeonhole_puzzle_without_solution_ends() {
    // Seven pigeons, each in one of six holes, no two in one: hard for any resolver.
    let mut table = Table::default();
    for pigeon in 0..7 {
        for hole in 0..6 {
            let wants = format!("hole{hole}=={pigeon}");
            table = table.with(&format!("pigeon{pigeon}"), &hole.to_string(), &[&wants]);
            table = table.with(&format!("hole{hole}"), &pigeon.to_string(), &[]);
        }
    }
    let roots: Vec<_> = (0..7).map(|pigeon| format!("pigeon{pigeon}")).collect();
    let roots: Vec<_> = roots.iter().map(String::as_str).collect();
    let error = table.resolve(&roots).await.unwrap_err();
    assert_eq!(error.code(), Code::Unresolvable);
}

#[tokio::test]
async fn numbers_beyond_reason_do_no_harm() {
    let table = Arc::new(
        Table::default()
            .with("a", "2", &["b==18446744073709551614.*"])
            .with("a", "1", &[])
            .with("b", "1", &[]),
    );
    assert_eq!(Arc::clone(&table).ask(&["a"], &[]).await.unwrap(), "a 1");
    let error = table
        .ask(&["b==18446744073709551614.*"], &[])
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::BuildRequires);
}
