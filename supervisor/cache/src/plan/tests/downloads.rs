//! Downloaded wheels, and what is kept beside them.

use super::*;

#[test]
fn what_a_downloaded_wheel_says_goes_with_it_and_stays_with_it() {
    let said = |wheel: &str| What::WheelMetadata(digest(wheel));
    let download = |wheel: &str| What::Download(digest(wheel));
    let found = inventory(vec![
        item(download("old"), 100, 40),
        item(said("old"), 10, 1),
        item(download("new"), 100, 2),
        item(said("new"), 10, 90),
        item(said("of one that is not there"), 10, 1),
    ]);
    let gone = |wish: Prune| -> Vec<_> {
        let plan = Plan::prune(&found, &wish, now());
        let gone = plan.removals.into_iter();
        gone.map(|it| (it.what, it.reason.to_string())).collect()
    };
    let lonely = |reason: &str| (said("of one that is not there"), reason.to_owned());
    let missing = "its wheel is not there";
    assert_eq!(gone(Prune::default()), [lonely(missing)]);
    let older_than = Some(DAY * 30);
    let old = Prune {
        older_than,
        ..Prune::default()
    };
    let unused = "not used for 30 days".to_owned();
    assert_eq!(
        gone(old),
        [
            (download("old"), unused.clone()),
            (said("old"), unused),
            lonely(missing)
        ]
    );
    let ci = Prune {
        ci: true,
        ..Prune::default()
    };
    assert_eq!(gone(ci).len(), 5);
    // The wheel and its record are 110 bytes together, so one wheel is enough.
    let small = Prune {
        max_size: Some(111),
        ..Prune::default()
    };
    let least: Vec<_> = gone(small).into_iter().map(|(what, _)| what).collect();
    assert_eq!(
        least,
        [
            said("of one that is not there"),
            download("old"),
            said("old")
        ]
    );
    let all = |kinds: Kinds| {
        let wish = Clean {
            packages: Vec::new(),
            kinds,
        };
        Plan::clean(&found, &wish).removals.len()
    };
    let (mut downloads, mut sources) = (Kinds::default(), Kinds::default());
    (downloads.downloads, sources.sources) = (true, true);
    assert_eq!((all(downloads), all(sources)), (5, 0));
}
