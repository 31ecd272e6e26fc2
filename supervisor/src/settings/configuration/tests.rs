use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use model::Code;
use protocol::{Access, Guarantee, Level};

use super::key::KEYS;
use super::{Configuration, Layer, Rule, text};
use crate::args::{IndexArgs, MakingArgs, PlaceArgs, SandboxArgs, WorkArgs};
use crate::settings::{
    Environment, IndexSettings, Layers, MakingSettings, PlaceSettings, SandboxSettings,
    SettingsError,
};

/// A value that fits each key.
fn fitting(name: &str) -> &'static str {
    match name {
        "policy" => "'pure'",
        "min-isolation" => "'ns'",
        "timeout" | "idle-timeout" => "'1m'",
        "memory" | "disk" | "log-limit" => "'1M'",
        "processes" | "jobs" => "3",
        "exclude-newer" => "'2026-01-31'",
        "require" => "['metadata']",
        "strict-output"
        | "offline"
        | "no-index"
        | "pre"
        | "prefer-binary"
        | "require-hashes"
        | "require-build-hashes"
        | "keep-scratch"
        | "allow-url-build-requires" => "true",
        "config-settings" => "{ colour = ['red', 'green'] }",
        "config-settings-package" => "{ numpy = 'a=1' }",
        "index-package" => "{ numpy = 'corp' }",
        "explicit-index" => "'corp=https://example.invalid/simple'",
        "extra-build-dependencies" => "{ peewee = 'cython<3' }",
        "lock-timeout" => "'2m'",
        "index-cache-control" => "'corp=max-age=600'",
        "keyring-provider" => "'subprocess'",
        "default-index" | "index" => "'https://example.invalid/simple'",
        _ => "'x'",
    }
}

fn whole() -> String {
    KEYS.iter()
        .map(|key| format!("{} = {}\n", key.name, fitting(key.name)))
        .collect()
}

fn read(text: &str, layer: Layer) -> Configuration {
    text::read(text, Path::new("/project/fumehood.toml"), layer).unwrap()
}

fn layers(files: &[(&str, Layer)], variables: Environment) -> Layers {
    Layers {
        files: files
            .iter()
            .map(|(text, layer)| {
                let file = format!("/{layer:?}/fumehood.toml");
                text::read(text, Path::new(&file), *layer).unwrap()
            })
            .collect(),
        ..Layers::from(variables)
    }
}

fn sandbox(args: &SandboxArgs, layers: &Layers) -> Result<SandboxSettings, SettingsError> {
    SandboxSettings::new(args, layers, Path::new("/"))
}

fn now() -> Timestamp {
    "2026-03-10T15:00:00Z".parse().unwrap()
}

#[test]
fn every_key_is_understood_and_a_key_that_is_not_known_is_an_error_with_its_line() {
    let configuration = read(&whole(), Layer::User);
    for key in KEYS {
        let flag = key.flag;
        let entries = &configuration.entries;
        assert!(entries.iter().any(|entry| entry.flag == flag), "{flag}");
    }
    assert!(configuration.notes.is_empty());
    for (text, line) in [
        ("\njobz = 3\n", "line 2"),
        ("jobs = [3]", "line 1"),
        ("a = ", "line 1"),
    ] {
        let error = text::read(text, Path::new("/x/fumehood.toml"), Layer::Project).unwrap_err();
        assert!(error.to_string().contains(line), "{error}");
        assert_eq!(SettingsError::from(error).code(), Code::Configuration);
    }
}

#[test]
fn a_project_is_heard_about_what_narrows_and_the_rest_is_noted_with_its_line() {
    let text = whole();
    for layer in [Layer::Project, Layer::Elsewhere] {
        let configuration = read(&text, layer);
        for (at, key) in KEYS.iter().enumerate() {
            let heard = configuration
                .entries
                .iter()
                .any(|entry| entry.flag == key.flag);
            let noted = configuration.notes.iter().any(|note| {
                note.starts_with(&format!(
                    "/project/fumehood.toml:{}: `{}`",
                    at + 1,
                    key.name
                ))
            });
            let personal = key.rule == Rule::Personal && layer == Layer::Elsewhere;
            let expected = personal || matches!(key.rule, Rule::Narrows | Rule::Ordered);
            assert_eq!(
                (heard, noted),
                (expected, !expected),
                "{layer:?}: {}",
                key.name
            );
        }
    }
    // Indexes, places, interpreters and declared variables are among what a project is not heard about.
    let notes = read(&text, Layer::Project).notes.join("\n");
    for key in [
        "default-index",
        "find-links",
        "keyring-provider",
        "cache-dir",
        "scratch-dir",
        "python",
        "allow-env",
    ] {
        assert!(notes.contains(&format!("`{key}`")), "{key}: {notes}");
    }
}

#[test]
fn what_a_key_of_a_project_says_is_checked_even_if_it_is_not_heard() {
    let file = Path::new("/project/fumehood.toml");
    text::read("allow-read = 3", file, Layer::Project).unwrap_err();
}

#[test]
fn the_table_of_a_pyproject_is_the_same_and_what_else_is_in_the_file_is_not_looked_at() {
    let file = Path::new("/project/pyproject.toml");
    let text = "[project]\nname = 'x'\n[tool.other]\njobz = 1\n[tool.fumehood]\nmemory = '1G'\n";
    assert!(text::has_table(text, file).unwrap());
    let configuration = text::read(text, file, Layer::Project).unwrap();
    assert_eq!(configuration.entries.len(), 1);
    assert_eq!(configuration.entries[0].place.line, 6);
    assert!(!text::has_table("[project]\nname = 'fumehood'\n", file).unwrap());
    assert!(!text::has_table("no TOML at all", file).unwrap());
    text::has_table("[tool.fumehood\n", file).unwrap_err();
}

#[test]
fn paths_begin_at_the_folder_of_the_file_that_names_them() {
    let text = "policy = 'mine.toml'\nbuild-constraint = ['c.txt']\nfind-links = ['w', 'https://example.invalid/l']\npython = '3.12'\n";
    let configuration = read(text, Layer::User);
    let texts: Vec<_> = configuration
        .entries
        .iter()
        .map(|entry| entry.text.as_str())
        .collect();
    assert_eq!(
        texts,
        [
            "/project/mine.toml",
            "/project/c.txt",
            "/project/w",
            "https://example.invalid/l",
            "3.12"
        ]
    );
}

#[test]
fn the_later_layer_wins_and_the_flag_over_all() {
    let files = [("jobs = 2", Layer::System), ("jobs = 3", Layer::User)];
    let jobs = |typed: Option<&str>, variables: Environment, files: &[_]| {
        let args = MakingArgs {
            jobs: typed.map(str::to_owned),
            ..MakingArgs::default()
        };
        let making = MakingSettings::new(&args, None, &layers(files, variables), Path::new("/"));
        making.unwrap().jobs
    };
    let none = Environment::default;
    let variable = || Environment::from([("FUMEHOOD_JOBS", "4")]);
    assert_eq!(jobs(None, none(), &files[..1]), 2);
    assert_eq!(jobs(None, none(), &files), 3);
    assert_eq!(jobs(None, variable(), &files), 4);
    assert_eq!(jobs(Some("5"), variable(), &files), 5);
}

#[test]
fn a_value_that_does_not_fit_names_its_file_and_line() {
    let layers = layers(
        &[("\nmemory = 'lots'", Layer::User)],
        Environment::default(),
    );
    let error = sandbox(&SandboxArgs::default(), &layers).unwrap_err();
    assert!(
        error.to_string().starts_with("/User/fumehood.toml:2"),
        "{error}"
    );
}

#[test]
fn a_project_raises_the_floor_and_never_lowers_it() {
    let floor = |files: &[_]| {
        let layers = layers(files, Environment::default());
        let settings = sandbox(&SandboxArgs::default(), &layers).unwrap();
        (settings.floor, settings.notes.len())
    };
    let project = |level: &'static str| (level, Layer::Project);
    assert_eq!(floor(&[project("min-isolation = 'ns'")]), (Level::Ns, 0));
    let lower = project("min-isolation = 'reduced'");
    assert_eq!(floor(&[lower]), (Level::Confined, 1));
    let user = ("min-isolation = 'ns-only'", Layer::User);
    assert_eq!(floor(&[user]), (Level::NsOnly, 0));
    assert_eq!(floor(&[user, lower]), (Level::Reduced, 0));
    let elsewhere = ("min-isolation = 'ns-only'", Layer::Elsewhere);
    assert_eq!(floor(&[elsewhere]), (Level::Confined, 1));
}

#[test]
fn no_file_switches_isolation_off() {
    for layer in [Layer::System, Layer::User, Layer::Named, Layer::Project] {
        let layers = layers(&[("min-isolation = 'none'", layer)], Environment::default());
        let error = sandbox(&SandboxArgs::default(), &layers).unwrap_err();
        assert!(error.to_string().contains("typed"), "{error}");
    }
}

#[test]
fn what_is_demanded_adds_up_and_no_variable_takes_it_back() {
    let files = [
        (
            "require = ['metadata']\nstrict-output = true\n",
            Layer::User,
        ),
        (
            "require = ['ip-net']\nstrict-output = false\n",
            Layer::Project,
        ),
    ];
    let variables = [
        ("FUMEHOOD_STRICT_OUTPUT", "0"),
        ("FUMEHOOD_OFFLINE", "0"),
        ("FUMEHOOD_REQUIRE", "fs-read"),
    ];
    let layers = layers(&files, Environment::from(variables));
    let settings = sandbox(&SandboxArgs::default(), &layers).unwrap();
    let all = [Guarantee::Metadata, Guarantee::IpNet, Guarantee::FsRead];
    assert_eq!(settings.require, all);
    assert!(settings.strict_output);
}

#[test]
fn the_cut_off_of_a_project_is_heard_if_it_is_earlier_and_a_variable_does_not_move_it_on() {
    let cut_off = |files: &[_], variables| {
        let layers = layers(files, variables);
        IndexSettings::new(&IndexArgs::default(), &layers, now())
    };
    let user = ("exclude-newer = '2026-01-31'", Layer::User);
    let none = Environment::default;
    let earlier = cut_off(
        &[user, ("exclude-newer = '2026-01-01'", Layer::Project)],
        none(),
    );
    assert_eq!(
        earlier.unwrap().exclude_newer,
        "2026-01-02T00:00:00Z".parse().ok()
    );
    let later = cut_off(
        &[user, ("exclude-newer = '2026-02-20'", Layer::Project)],
        none(),
    )
    .unwrap();
    assert_eq!(later.exclude_newer, "2026-02-01T00:00:00Z".parse().ok());
    assert_eq!(later.notes.len(), 1);
    let variable = Environment::from([("FUMEHOOD_EXCLUDE_NEWER", "2026-02-20")]);
    let error = cut_off(&[user], variable).unwrap_err();
    assert!(
        error.to_string().contains("FUMEHOOD_EXCLUDE_NEWER"),
        "{error}"
    );
}

#[test]
fn settings_for_backends_are_replaced_key_by_key_and_further_requirements_add_up() {
    let user =
        "[config-settings]\na = ['1', '2']\nb = '3'\n[extra-build-dependencies]\nx = 'one'\n";
    let user = format!("{user}[config-settings-package]\nX_y = ['a=1', 'a=2', 'b=3']\n");
    let project = "[config-settings]\na = '4'\n[extra-build-dependencies]\nx = ['two']\n\
                   [config-settings-package]\nx-y = 'a=4'\nz = 'a=5'\n";
    let files = [(user.as_str(), Layer::User), (project, Layer::Project)];
    let args = MakingArgs {
        config_setting: vec!["c=5".to_owned(), "c=6".to_owned()],
        ..MakingArgs::default()
    };
    let layers = layers(&files, Environment::default());
    let making = MakingSettings::new(&args, None, &layers, Path::new("/")).unwrap();
    assert_eq!(
        making.config_settings.to_json(),
        serde_json::json!({"a": "4", "b": "3", "c": ["5", "6"]})
    );
    let packages = making.package_settings.iter();
    let packages: Vec<_> = packages
        .map(|(name, own)| (name.to_string(), own.to_json()))
        .collect();
    let own = |name: &str, settings| (name.to_owned(), settings);
    assert_eq!(
        packages,
        [
            own("x-y", serde_json::json!({"a": "4", "b": "3"})),
            own("z", serde_json::json!({"a": "5"})),
        ]
    );
    let deps = making.extra_build_deps.values().next().unwrap();
    assert_eq!(deps.len(), 2);
}

#[test]
fn a_later_layer_maps_a_project_elsewhere_and_one_layer_maps_it_once() {
    let mapped = |system: &str, user: &str, typed: &[&str]| {
        let table = |text: &str| format!("[index-package]\n{text}\n");
        let (system, user) = (table(system), table(user));
        let files = [
            (system.as_str(), Layer::System),
            (user.as_str(), Layer::User),
        ];
        let args = IndexArgs {
            index_package: typed.iter().map(|&text| text.to_owned()).collect(),
            ..IndexArgs::default()
        };
        let settings = IndexSettings::new(&args, &layers(&files, Environment::default()), now());
        settings.map(|settings| {
            let maps = settings.mapped.into_iter();
            let maps = maps.map(|(name, one)| format!("{name}:{} {}", one.value, one.origin));
            maps.collect::<Vec<_>>()
        })
    };
    let maps = mapped(
        "a = 'one'\nb = 'one'",
        "b = 'two'\nC_d = ['two', 'two']",
        &["e:three"],
    );
    assert_eq!(
        maps.unwrap(),
        [
            "a:one /System/fumehood.toml:2",
            "b:two /User/fumehood.toml:2",
            "c-d:two /User/fumehood.toml:3",
            "e:three `--index-package`",
        ]
    );
    for (user, typed) in [
        ("a = ['one', 'two']", &[][..]),
        ("A-b = 'one'\na_b = 'two'", &[]),
        ("", &["a:one", "a:two"]),
    ] {
        let error = mapped("", user, typed).unwrap_err();
        assert_eq!(error.code(), Code::BadFlag);
        assert!(error.to_string().contains("on one alone"), "{error}");
    }
}

#[test]
fn a_further_requirement_that_matches_the_run_time_has_no_version_of_its_own() {
    let making = |text: &str| {
        let text = format!("[extra-build-dependencies]\nx = [{text}]\n");
        let layers = layers(&[(text.as_str(), Layer::Project)], Environment::default());
        MakingSettings::new(&MakingArgs::default(), None, &layers, Path::new("/"))
    };
    let text = "'one<3', 'two@match-runtime', \"three[a] @ match-runtime ; os_name == 'posix'\"";
    let making_all = making(text).unwrap();
    let texts = |deps: &BTreeMap<_, Vec<model::Requirement>>| -> Vec<String> {
        deps.values().flatten().map(ToString::to_string).collect()
    };
    assert_eq!(texts(&making_all.extra_build_deps), ["one<3"]);
    assert_eq!(
        texts(&making_all.match_runtime),
        ["two", "three[a] ; os_name == 'posix'"]
    );
    let error = making("'two<3@match-runtime'").unwrap_err();
    assert!(error.to_string().contains("two versions"), "{error}");
    let error = making("'two@match-runtimes'").unwrap_err();
    assert!(error.to_string().contains("fumehood.toml:2"), "{error}");
}

#[test]
fn a_project_does_not_say_where_requirements_come_from() {
    let text = "[extra-build-dependencies]\nx = 'y @ https://example.invalid/y.tar.gz'\n";
    let making = |layer| {
        let layers = layers(&[(text, layer)], Environment::default());
        MakingSettings::new(&MakingArgs::default(), None, &layers, Path::new("/"))
    };
    let error = making(Layer::Project).unwrap_err();
    assert!(error.to_string().contains("fumehood.toml:2"), "{error}");
    making(Layer::User).unwrap();
}

#[test]
fn the_worker_is_named_by_no_variable_and_no_project() {
    let worker = |layers: &Layers| {
        let places = PlaceSettings::working_below(
            &PlaceArgs::default(),
            &WorkArgs::default(),
            layers,
            PathBuf::from("/work"),
        );
        places.unwrap().worker
    };
    let variables = || Environment::from([("FUMEHOOD_WORKER", "/evil"), ("HOME", "/home/me")]);
    assert_eq!(worker(&layers(&[], variables())), None);
    assert_eq!(variables().unread().len(), 1);
    let named = |layer| layers(&[("worker = 'w'", layer)], variables());
    assert_eq!(worker(&named(Layer::Project)), None);
    assert_eq!(worker(&named(Layer::Elsewhere)), None);
    assert_eq!(worker(&named(Layer::User)), Some(PathBuf::from("/User/w")));
}

#[test]
fn the_files_in_the_documentation_are_understood_and_heard_in_full() {
    let page = include_str!("../../../../docs/configuration.md");
    let mut blocks = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|block| block.split("```").next());
    let mut next = |layer| {
        let configuration = read(blocks.next().unwrap(), layer);
        assert!(configuration.notes.is_empty(), "{configuration:?}");
        Layers {
            files: vec![configuration],
            ..Layers::default()
        }
    };
    let [user, project, system] = [Layer::User, Layer::Project, Layer::System].map(&mut next);
    assert_eq!(blocks.next(), None);
    for layers in [user, project] {
        IndexSettings::new(&IndexArgs::default(), &layers, now()).unwrap();
    }
    assert!(system.ceiling().unwrap().lines().len() >= 9);
}

mod ceiling {
    use super::*;
    use crate::settings::Value;

    fn with(ceiling: &str, file: &str, layer: Layer) -> Layers {
        let system = format!("[ceiling]\n{ceiling}\n");
        layers(
            &[(&system, Layer::System), (file, layer)],
            Environment::default(),
        )
    }

    #[test]
    fn only_the_system_has_one_and_a_mistake_in_it_is_an_error() {
        let text = "[ceiling]\npolicies = ['pure']\n";
        for layer in [Layer::User, Layer::Named, Layer::Project, Layer::Elsewhere] {
            let error = text::read(text, Path::new("/x/fumehood.toml"), layer).unwrap_err();
            assert!(
                error.to_string().contains("only the system's file"),
                "{error}"
            );
        }
        for wrong in [
            "floor = 'ns'",
            "min-isolation = 'much'",
            "memory = 'x'",
            "allow-read = ['x']",
            "indexes = ['corp']",
            "policies = ['./x.toml']",
        ] {
            let text = format!("[ceiling]\n{wrong}\n");
            text::read(&text, Path::new("/x/fumehood.toml"), Layer::System).unwrap_err();
        }
    }

    #[test]
    fn a_level_below_it_is_refused_with_its_line_and_the_default_is_raised_to_it() {
        let ns = "min-isolation = 'ns'";
        let layers = with(ns, "", Layer::User);
        let floor = |args: &SandboxArgs, layers: &Layers| sandbox(args, layers).map(|it| it.floor);
        assert_eq!(floor(&SandboxArgs::default(), &layers).unwrap(), Level::Ns);
        let typed = SandboxArgs {
            min_isolation: Some("none".to_owned()),
            ..SandboxArgs::default()
        };
        let user = with(ns, "min-isolation = 'confined'", Layer::User);
        for error in [
            floor(&typed, &layers),
            floor(&SandboxArgs::default(), &user),
        ] {
            let error = error.unwrap_err();
            assert_eq!(error.code(), Code::CeilingIsolation);
            assert!(error.why().unwrap().contains("/System/fumehood.toml:2"));
        }
    }

    #[test]
    fn grants_lie_below_it_with_the_access_that_it_names() {
        let ceiling = "allow-read = ['/usr/share']\nallow-exec = ['/usr/lib']";
        let granted = |key: &str, path: &str| {
            let file = format!("{key} = ['{path}']");
            sandbox(&SandboxArgs::default(), &with(ceiling, &file, Layer::User))
        };
        let settings = granted("allow-read", "/usr/share").unwrap();
        assert_eq!(
            settings.extras,
            [(PathBuf::from("/usr/share"), Access::Read)]
        );
        granted("allow-exec", "/usr/lib").unwrap();
        granted("allow-read", "/usr/lib").unwrap();
        for (key, path) in [
            ("allow-read", "/usr"),
            ("allow-read", "/"),
            ("allow-exec", "/usr/share"),
            ("allow-write", "/usr/lib"),
            ("allow-read", "/usr/share/.."),
        ] {
            let error = granted(key, path).unwrap_err();
            assert_eq!(error.code(), Code::Ceiling, "{key} {path}: {error}");
        }
    }

    #[test]
    fn variables_and_foreign_build_requirements_are_bounded_too() {
        let args = SandboxArgs {
            allow_env: vec!["TOKEN".to_owned()],
            ..SandboxArgs::default()
        };
        let mut layers = with("allow-env = ['CFLAGS']", "", Layer::User);
        layers.environment = Environment::from([("TOKEN", "s3cret")]);
        let error = sandbox(&args, &layers).unwrap_err();
        assert_eq!(error.code(), Code::Ceiling);
        assert!(!error.to_string().contains("s3cret"));
        let layers = with(
            "indexes = []",
            "allow-url-build-requires = true",
            Layer::User,
        );
        let making = MakingSettings::new(&MakingArgs::default(), None, &layers, Path::new("/"));
        assert_eq!(making.unwrap_err().code(), Code::Ceiling);
    }

    #[test]
    fn indexes_are_compared_in_the_spelling_of_keys() {
        let text = "indexes = ['https://me:s3cret@Example.invalid:443/simple/', '/srv/wheels/']";
        let layers = with(text, "", Layer::User);
        let bound = layers.ceiling().unwrap().indexes.clone().unwrap();
        let listed: Vec<_> = bound.value.iter().map(String::as_str).collect();
        assert_eq!(
            listed,
            ["file:///srv/wheels", "https://example.invalid/simple"]
        );
    }

    #[test]
    fn it_says_itself_in_lines() {
        let text = "policies = ['strict']\nallow-write = []\nmemory = '1G'";
        let lines = with(text, "", Layer::User).ceiling().unwrap().lines();
        assert_eq!(
            lines,
            [
                "policies within strict",
                "grants for writing below nothing",
                "memory at most 1073741824 bytes"
            ]
        );
    }

    #[test]
    fn a_value_keeps_its_line() {
        let layers = with("memory = '1G'", "\nmemory = '2G'", Layer::User);
        let of = layers.of("--memory");
        let Value { origin, .. } = &of[0][0];
        assert_eq!(origin.to_string(), "/User/fumehood.toml:2");
        let place = &layers.ceiling().unwrap().limit("--memory").unwrap().place;
        assert_eq!(place.file, Arc::from(Path::new("/System/fumehood.toml")));
    }
}
