//! The home of a build is full of decoys: who opens one is seen, and a wheel with one in it is refused.

use model::Code;
use serde_json::json;
use tests::{BuiltWheel, Denial, Outcome, Sdist, Setting, World};

use crate::{site, world};

/// Where the decoys lie, as they are told of.
const DECOYS: [&str; 9] = [
    "~/.aws/credentials",
    "~/.bash_history",
    "~/.config/gcloud/application_default_credentials.json",
    "~/.docker/config.json",
    "~/.git-credentials",
    "~/.kube/config",
    "~/.netrc",
    "~/.pypirc",
    "~/.ssh/id_ed25519",
];

fn thief(deed: &str) -> Sdist {
    Sdist::fixture("steals").targets(&json!({ "deed": deed }))
}

/// Returns what is told of decoys among the denials: what, where, how often.
fn touched(denials: &[Denial]) -> Vec<(&str, &str, u64)> {
    let mut touched: Vec<_> = denials
        .iter()
        .filter(|denial| denial.what.starts_with("decoy-"))
        .map(|denial| (denial.what.as_str(), denial.target.as_str(), denial.count))
        .collect();
    touched.sort_unstable();
    touched
}

/// Builds a thief that leaves an honest wheel.
fn built<'w>(world: &'w World<'static>, deed: &str) -> (BuiltWheel, Outcome<'w, 'static>) {
    let sdist = thief(deed);
    let done = world.build(&sdist).finish();
    (done.built(&sdist.wheel()), done)
}

#[test]
fn every_decoy_that_a_build_reads_is_told_with_its_count() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let (wheel, done) = built(&world, "everything");
        let wanted = DECOYS.map(|decoy| ("decoy-read", decoy, 2));
        assert_eq!(touched(&wheel.denials), wanted, "{done}");
        assert!(done.stderr.contains("its build touched a decoy"), "{done}");
        assert!(done.stderr.contains("decoys touched 18 times"), "{done}");
        assert!(done.stderr.contains("0 refused attempts"), "{done}");
        let isolation = wheel.isolation.expect("a built wheel tells its isolation");
        assert_eq!(isolation.level, setting.level().word());
    }
}

#[test]
fn looking_at_the_home_without_opening_anything_is_not_told() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let (wheel, done) = built(&world, "nothing");
        assert_eq!(touched(&wheel.denials), [], "{done}");
        assert!(!done.stderr.contains("decoy"), "{done}");
    }
}

#[test]
fn a_decoy_is_known_by_any_name_and_to_any_process_of_the_build() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let (wheel, done) = built(&world, "moved");
        assert_eq!(
            touched(&wheel.denials),
            [("decoy-read", "~/.kube/config", 1)],
            "{done}"
        );
    }
}

#[test]
fn what_the_first_hook_read_is_told_also_where_another_worker_goes_on() {
    let world = world();
    world.index.wheel(&tests::Wheel::new("more", "1.0"));
    let reads = "def get_requires_for_build_wheel(config_settings=None):\n    \
        open(os.path.expanduser('~/.netrc')).read()\n    return ['more']";
    let sdist = Sdist::hello("asks", "1.0").hooks(reads);
    let done = world.build(&sdist).finish();
    let wheel = done.built(&sdist.wheel());
    assert_eq!(
        touched(&wheel.denials),
        [("decoy-read", "~/.netrc", 1)],
        "{done}"
    );
}

#[test]
fn a_wheel_that_holds_a_decoy_is_refused_in_whatever_form() {
    let settings = Setting::all(site());
    for (number, deed) in ["whole", "base64", "hex", "metadata", "name"]
        .into_iter()
        .enumerate()
    {
        let world = World::new(site(), settings[number % settings.len()]);
        let done = world.build(&thief(deed)).finish();
        let failure = done.fails_with(Code::Canary);
        assert!(failure.message.contains("decoy"), "{deed}: {done}");
        assert!(
            done.stderr.contains("decoy-read ~/.netrc"),
            "{deed}: {done}"
        );
        let kept = tests::search::files(&world.cache().join("wheels-v1"));
        assert!(kept.is_empty(), "{deed}: the cache keeps {kept:?}{done}");
    }
}

#[test]
fn a_decoy_that_is_printed_is_marked_in_the_log() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let (wheel, done) = built(&world, "printed");
        let wanted = [
            ("decoy-printed", "the output", 1),
            ("decoy-read", "~/.pypirc", 1),
        ];
        assert_eq!(touched(&wheel.denials), wanted, "{done}");
        let logs = tests::search::files(&world.cache().join("logs-v1"));
        let told = logs.iter().any(|log| {
            std::fs::read_to_string(log).is_ok_and(|text| text.contains("password = [decoy]"))
        });
        assert!(told, "{done}");
        let done = world.build(&thief("raised")).out("out-raised").finish();
        done.exits_with(Code::Backend);
        let failure = &done.report().failures[0];
        assert!(failure.message.contains("found: [decoy]"), "{done}");
        assert!(done.stderr.contains("decoy-read ~/.pypirc"), "{done}");
    }
}

#[test]
fn tokens_are_new_for_each_build_and_go_with_its_scratch() {
    let world = world();
    let done = world
        .build(&thief("everything"))
        .args(["--keep-scratch"])
        .finish_anyhow();
    done.succeeds();
    let [scratch] = &world.scratches()[..] else {
        panic!("one scratch is kept: {done}");
    };
    let netrc = std::fs::read_to_string(scratch.join("h/.netrc")).expect("the decoy is kept");
    let token = netrc
        .split_whitespace()
        .last()
        .expect("a password")
        .to_owned();
    assert_eq!(token.len(), 32);
    let other = World::new(site(), Setting::PLAIN);
    let done = other
        .build(&thief("everything"))
        .args(["--keep-scratch"])
        .finish_anyhow();
    let [second] = &other.scratches()[..] else {
        panic!("one scratch is kept: {done}");
    };
    let second = std::fs::read_to_string(second.join("h/.netrc")).expect("the decoy is kept");
    assert!(!second.contains(&token), "two builds share a token");
}

#[test]
fn readers_of_such_files_take_them_for_what_they_seem() {
    let reads = "import netrc, configparser, json, os, sys\n\
        home = os.path.expanduser\n\
        assert netrc.netrc().authenticators('packages.invalid')[0] == 'build'\n\
        assert configparser.ConfigParser().read([home('~/.pypirc'), home('~/.aws/credentials')])\n\
        assert json.load(open(home('~/.docker/config.json')))['auths']\n\
        assert json.load(open(home('~/.config/gcloud/application_default_credentials.json')))";
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::hello("reader", "1.0").prologue(reads);
        world.build(&sdist).finish().built(&sdist.wheel());
    }
}

#[test]
fn where_nothing_can_be_watched_a_build_goes_on_and_reporting_is_partial() {
    let world = world();
    if !world.has_program("strace") {
        return;
    }
    let log = world.folder("trace").join("log");
    let fault = ["inotify_init1:error=EMFILE"];
    let sdist = thief("nothing");
    let done = world.build(&sdist).failing(&log, &fault).finish();
    let wheel = done.built(&sdist.wheel());
    let isolation = wheel.isolation.expect("a built wheel tells its isolation");
    assert_eq!(isolation.guarantees["reporting"], "partial", "{done}");
    let run = world.build(&thief("everything")).failing(&log, &fault);
    let done = run.args(["--require", "reporting"]).out("out-2").finish();
    done.exits_with(Code::Isolation);
    assert!(done.stderr.contains("reporting"), "{done}");
}

#[test]
fn honest_backends_read_no_decoy() {
    let backends = [
        (
            "setuptools",
            "setuptools.build_meta",
            "setup.cfg",
            "[metadata]\nname = honest\nversion = 1.0\n[options]\npy_modules = honest\n",
        ),
        ("flit_core", "flit_core.buildapi", "more", ""),
        ("hatchling", "hatchling.build", "more", ""),
    ];
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        world.index.real(site().inputs());
        for (requirement, backend, file, text) in backends {
            let project = "[project]\nname = \"honest\"\nversion = \"1.0\"\ndescription = \"x\"\n";
            let pyproject = format!(
                "[build-system]\nrequires = [\"{requirement}\"]\nbuild-backend = \"{backend}\"\n{project}"
            );
            let sdist = Sdist::bare("honest", "1.0")
                .file("pyproject.toml", pyproject)
                .file("honest.py", "\"\"\"x\"\"\"\n")
                .file(file, text);
            let archive = world.file(format!("sdists/{requirement}.tar.gz"), sdist.tar_gz());
            let done = world
                .wheel(archive)
                .out(&format!("out-{requirement}"))
                .finish();
            let wheel = done.wheel();
            assert_eq!(touched(&wheel.denials), [], "{requirement}: {done}");
        }
    }
}
