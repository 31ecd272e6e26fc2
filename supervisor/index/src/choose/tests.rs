//! What is chosen, and that the order of the page never matters.

use std::str::FromStr;

use model::{PythonFacts, SdistFilename, WheelFilename, lenient};
use pep508_rs::MarkerEnvironmentBuilder;
use proptest::prelude::*;
use url::Url;

use super::*;
use crate::IndexUrl;

fn tags() -> TagSet {
    let markers = MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: "3.11.7",
        os_name: "posix",
        platform_machine: "x86_64",
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: "Linux",
        platform_version: "",
        python_full_version: "3.11.7",
        python_version: "3.11",
        sys_platform: "linux",
    };
    TagSet::of(&PythonFacts {
        markers: markers.try_into().expect("markers"),
        version: (3, 11, 7),
        implementation: "cpython".into(),
        cache_tag: None,
        soabi: None,
        abiflags: String::new(),
        debug: false,
        free_threaded: false,
        platform: "linux-x86_64".into(),
        machine: "x86_64".into(),
        libc: Some(("glibc".into(), 2, 36)),
        executable: "/python".into(),
        base_prefix: "/".into(),
        base_exec_prefix: "/".into(),
        library_folders: Vec::new(),
        pip_default_index: None,
        pip_default_origin: None,
    })
}

fn file(filename: &str) -> File {
    let name = PackageName::from_str("foo").expect("a name");
    let kind = if filename.ends_with(".whl") {
        FileKind::Wheel(WheelFilename::parse(filename).expect(filename))
    } else {
        FileKind::Sdist(SdistFilename::parse(filename, &name).expect(filename))
    };
    File {
        filename: filename.to_owned(),
        url: Url::parse(&format!("https://files.invalid/{filename}")).expect("a URL"),
        sha256: None,
        other_hashes: BTreeMap::new(),
        size: None,
        requires_python: None,
        yanked: None,
        metadata: None,
        uploaded: None,
        index: IndexUrl::parse("https://example.invalid").expect("an index"),
        kind,
    }
}

fn yanked(filename: &str) -> File {
    File {
        yanked: Some(String::new()),
        ..file(filename)
    }
}

/// Asks, and returns each candidate as its version and the names of its files.
struct Ask {
    specifiers: &'static str,
    formats: FormatControl,
    pre: bool,
    exclude_newer: Option<Timestamp>,
}

impl Ask {
    fn new(specifiers: &'static str) -> Self {
        Self {
            specifiers,
            formats: FormatControl::default(),
            pre: false,
            exclude_newer: None,
        }
    }

    fn with<T>(&self, act: impl FnOnce(&Choice<'_>) -> T) -> T {
        act(&Choice {
            name: &PackageName::from_str("foo").expect("a name"),
            specifiers: &lenient::specifiers(self.specifiers).expect("specifiers"),
            tags: &tags(),
            python: &Version::from_str("3.11.7").expect("a version"),
            formats: &self.formats,
            pre: self.pre,
            exclude_newer: self.exclude_newer,
        })
    }

    fn of(&self, files: &[File]) -> Vec<String> {
        let name =
            |file: &Option<File>| file.as_ref().map_or("-", |file| &file.filename).to_owned();
        self.with(|choice| choose(files, choice))
            .iter()
            .map(|it| format!("{} {} {}", it.version, name(&it.wheel), name(&it.sdist)))
            .collect()
    }

    fn versions(&self, files: &[File]) -> Vec<String> {
        self.with(|choice| choose(files, choice))
            .iter()
            .map(|it| it.version.to_string())
            .collect()
    }
}

#[test]
fn versions_are_sorted_as_versions() {
    let files = ["foo-1.9.zip", "foo-1.10.zip", "foo-1.2.zip"].map(file);
    assert_eq!(Ask::new("").versions(&files), ["1.10", "1.9", "1.2"]);
    assert_eq!(Ask::new("<1.10").versions(&files), ["1.9", "1.2"]);
    assert_eq!(Ask::new(">2").versions(&files), Vec::<String>::new());
}

#[test]
fn the_best_wheel_and_the_usual_sdist_are_taken() {
    let files = [
        "foo-1.0.zip",
        "foo-1.0.tar.gz",
        "foo-1.0-py3-none-any.whl",
        "foo-1.0-1-cp311-cp311-manylinux_2_17_x86_64.whl",
        "foo-1.0-10-cp311-cp311-manylinux_2_17_x86_64.whl",
        "foo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
        "foo-2.0-cp312-cp312-win_amd64.whl",
    ]
    .map(file);
    assert_eq!(
        Ask::new("").of(&files),
        ["1.0 foo-1.0-10-cp311-cp311-manylinux_2_17_x86_64.whl foo-1.0.tar.gz"]
    );
}

#[test]
fn files_of_other_projects_are_not_looked_at() {
    let other = file("foo-1.0.zip");
    let mut wheel = file("foo-9.0-py3-none-any.whl");
    wheel.kind = FileKind::Wheel(WheelFilename::parse("bar-9.0-py3-none-any.whl").expect("ok"));
    assert_eq!(Ask::new("").versions(&[other, wheel]), ["1.0"]);
}

#[test]
fn yanked_files_count_only_when_pinned_and_alone() {
    let files = [
        yanked("foo-2.0.zip"),
        file("foo-1.0.zip"),
        yanked("foo-1.0-py3-none-any.whl"),
    ];
    assert_eq!(Ask::new("").of(&files), ["1.0 - foo-1.0.zip"]);
    assert_eq!(Ask::new("==1.0").of(&files), ["1.0 - foo-1.0.zip"]);
    assert_eq!(Ask::new("==2.0").versions(&files), ["2.0"]);
    assert_eq!(Ask::new("===2.0").versions(&files), ["2.0"]);
    assert_eq!(Ask::new("==2.*").versions(&files), Vec::<String>::new());
    assert_eq!(Ask::new(">=2.0").versions(&files), Vec::<String>::new());
}

#[test]
fn pre_releases_follow_the_usual_rules() {
    let files = ["foo-1.0.zip", "foo-2.0rc1.zip", "foo-3.0.dev1.zip"].map(file);
    assert_eq!(Ask::new("").versions(&files), ["1.0"]);
    assert_eq!(
        Ask::new(">=2.0rc1").versions(&files),
        ["3.0.dev1", "2.0rc1"]
    );
    assert_eq!(Ask::new("==2.0rc1").versions(&files), ["2.0rc1"]);
    assert_eq!(Ask::new("!=2.0rc1").versions(&files), ["1.0"]);
    assert_eq!(
        Ask::new(">1.0").versions(&files),
        ["3.0.dev1", "2.0rc1"],
        "no release fits"
    );
    let all = Ask {
        pre: true,
        ..Ask::new("")
    };
    assert_eq!(all.versions(&files), ["3.0.dev1", "2.0rc1", "1.0"]);
}

#[test]
fn other_pythons_are_left_out() {
    let needs = |filename: &str, text: &str| File {
        requires_python: Some(lenient::specifiers(text).expect(text)),
        ..file(filename)
    };
    let files = [needs("foo-2.zip", ">=3.12"), needs("foo-1.zip", ">=3.8,<4")];
    assert_eq!(Ask::new("").versions(&files), ["1"]);
    let notes = Ask::new("").with(|choice| left_out(&files, choice));
    assert_eq!(
        notes,
        ["1 file left out: they need another Python than 3.11.7"]
    );
}

#[test]
fn the_cut_off_date_excludes_what_is_newer_and_what_has_no_time() {
    let at = |filename: &str, time: &str| File {
        uploaded: Some(Timestamp::from_str(time).expect(time)),
        ..file(filename)
    };
    let files = [
        file("foo-3.zip"),
        at("foo-2.zip", "2024-06-01T00:00:00Z"),
        at("foo-1.zip", "2024-05-31T23:59:59Z"),
    ];
    let limit = Timestamp::from_str("2024-06-01T00:00:00Z").expect("a time");
    let ask = Ask {
        exclude_newer: Some(limit),
        ..Ask::new("")
    };
    assert_eq!(ask.versions(&files), ["1"]);
    let notes = ask.with(|choice| left_out(&files, choice));
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert_eq!(Ask::new("").versions(&files), ["3", "2", "1"]);
}

#[test]
fn formats_are_obeyed() {
    let files = ["foo-2.0-py3-none-any.whl", "foo-1.0.zip"].map(file);
    let mut no_binary = Ask::new("");
    no_binary.formats.no_binary(":all:").expect("ok");
    assert_eq!(no_binary.versions(&files), ["1.0"]);
    let mut only_binary = Ask::new("");
    only_binary.formats.only_binary("foo").expect("ok");
    assert_eq!(only_binary.versions(&files), ["2.0"]);
}

fn any_file() -> impl Strategy<Value = File> {
    let version = prop::sample::select(vec![
        "1",
        "1.0",
        "1.1",
        "2.0rc1",
        "2.0",
        "2.0.0",
        "2.0.post1",
    ]);
    let end = prop::sample::select(vec![
        ".tar.gz",
        ".zip",
        "-py3-none-any.whl",
        "-2-py3-none-any.whl",
        "-cp311-cp311-linux_x86_64.whl",
        "-cp311-abi3-linux_x86_64.whl",
        "-cp312-cp312-linux_x86_64.whl",
    ]);
    (version, end, any::<bool>(), 0..3_u8).prop_map(|(version, end, is_yanked, host)| {
        let mut file = file(&format!("foo-{version}{end}"));
        file.url = Url::parse(&format!("https://{host}.invalid/{}", file.filename)).expect("a URL");
        file.yanked = is_yanked.then(String::new);
        file
    })
}

proptest! {
    #[test]
    fn the_order_of_the_page_never_matters(
        (files, shuffled) in prop::collection::vec(any_file(), 0..12)
            .prop_flat_map(|files| (Just(files.clone()), Just(files).prop_shuffle())),
        specifiers in prop::sample::select(vec!["", ">=1", "==2.0", "==2.0rc1", "<2"]),
    ) {
        let ask = Ask::new(specifiers);
        let first = ask.with(|choice| choose(&files, choice));
        let second = ask.with(|choice| choose(&shuffled, choice));
        prop_assert_eq!(&first, &second);
        let texts = |list: &[Candidate]| -> Vec<String> { list.iter().map(|it| it.version.to_string()).collect() };
        prop_assert_eq!(texts(&first), texts(&second));
        prop_assert!(first.is_sorted_by(|a, b| a.version > b.version));
        let left = ask.with(|choice| (left_out(&files, choice), left_out(&shuffled, choice)));
        prop_assert_eq!(left.0, left.1);
    }
}
