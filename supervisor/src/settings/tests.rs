use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use model::Code;
use protocol::{Access, Guarantee, Level};

use super::words::{count, cut_off, size, span, yes_or_no};
use super::*;
use crate::args::{Format, IndexArgs, MakingArgs, PlaceArgs, SandboxArgs, TalkArgs, WorkArgs};

fn here() -> &'static Path {
    Path::new("/work")
}

fn now() -> Timestamp {
    "2026-03-10T15:00:00Z".parse().unwrap()
}

mod layers {
    use super::*;

    fn jobs(typed: Option<&str>, layers: &Layers) -> Result<usize, SettingsError> {
        let args = MakingArgs {
            jobs: typed.map(str::to_owned),
            ..MakingArgs::default()
        };
        MakingSettings::new(&args, None, layers, here()).map(|making| making.jobs)
    }

    #[test]
    fn a_flag_wins_over_its_variable_and_that_over_the_default() {
        let layers = Layers::from([("FUMEHOOD_JOBS", "3")]);
        assert_eq!(jobs(Some("7"), &layers).unwrap(), 7);
        assert_eq!(jobs(None, &layers).unwrap(), 3);
        assert!(jobs(None, &Layers::default()).unwrap() >= 1);
    }

    #[test]
    fn an_empty_variable_is_no_variable() {
        let layers = Layers::from([("FUMEHOOD_JOBS", "")]);
        assert!(jobs(None, &layers).unwrap() >= 1);
    }

    #[test]
    fn an_error_names_what_the_value_came_from() {
        let layers = Layers::from([("FUMEHOOD_JOBS", "none")]);
        let error = jobs(None, &layers).unwrap_err();
        assert_eq!(error.code(), Code::BadFlag);
        assert!(error.to_string().contains("FUMEHOOD_JOBS"), "{error}");
        let error = jobs(Some("0"), &layers).unwrap_err();
        assert!(error.to_string().contains("--jobs"), "{error}");
    }

    #[test]
    fn what_widens_has_no_variable_and_that_is_said() {
        let layers = Layers::from([
            ("FUMEHOOD_POLICY", "native"),
            ("FUMEHOOD_MIN_ISOLATION", "none"),
            ("FUMEHOOD_ALLOW_ENV", "SECRET"),
            ("FUMEHOOD_REQUIRE", "metadata ip-net"),
            ("SECRET", "s3cret"),
        ]);
        let sandbox = SandboxSettings::new(&SandboxArgs::default(), &layers, here()).unwrap();
        let [policy] = sandbox.policies.as_slice() else {
            panic!("{sandbox:?}");
        };
        assert_eq!(policy.value, "strict");
        assert_eq!(policy.origin, Origin::Default);
        assert_eq!(sandbox.floor, Level::Confined);
        assert!(sandbox.variables.is_empty());
        // What narrows has one.
        assert_eq!(sandbox.require, [Guarantee::Metadata, Guarantee::IpNet]);
        let notes = layers.environment.unread();
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(notes.iter().all(|note| !note.contains("s3cret")));
    }

    #[test]
    fn a_limit_knows_whether_it_was_typed() {
        let layers = Layers::from([("FUMEHOOD_MEMORY", "1G"), ("FUMEHOOD_DISK", "2G")]);
        let args = SandboxArgs {
            memory: Some("4G".to_owned()),
            ..SandboxArgs::default()
        };
        let limits = SandboxSettings::new(&args, &layers, here()).unwrap().limits;
        let origins = |limit: &[Value<u64>]| -> Vec<_> {
            let origins = limit.iter().map(|value| value.origin.clone());
            origins.collect()
        };
        assert_eq!(
            origins(&limits.memory),
            [
                Origin::Variable("FUMEHOOD_MEMORY"),
                Origin::Flag("--memory")
            ]
        );
        assert_eq!(limits.memory[1].value, 4 << 30);
        assert_eq!(origins(&limits.disk), [Origin::Variable("FUMEHOOD_DISK")]);
        assert_eq!(limits.wall, []);
    }
}

mod places {
    use super::*;

    fn cache(args: &[&str], layers: &Layers) -> Result<Value<PathBuf>, SettingsError> {
        let args = PlaceArgs {
            cache_dir: args.first().map(|&dir| dir.to_owned()),
            lock_timeout: None,
        };
        PlaceSettings::below(&args, layers, here().to_owned()).map(|places| places.cache)
    }

    #[test]
    fn the_cache_is_where_the_first_of_flag_variable_xdg_and_home_says() {
        let all = Layers::from([
            ("FUMEHOOD_CACHE_DIR", "/var/fumehood"),
            ("XDG_CACHE_HOME", "/xdg"),
            ("HOME", "/home/me"),
        ]);
        assert_eq!(cache(&["kept"], &all).unwrap().value, here().join("kept"));
        assert_eq!(cache(&[], &all).unwrap().value, Path::new("/var/fumehood"));
        let xdg = Layers::from([("XDG_CACHE_HOME", "/xdg"), ("HOME", "/home/me")]);
        assert_eq!(cache(&[], &xdg).unwrap().value, Path::new("/xdg/fumehood"));
        let home = Layers::from([("XDG_CACHE_HOME", "relative"), ("HOME", "/home/me")]);
        assert_eq!(
            cache(&[], &home).unwrap().value,
            Path::new("/home/me/.cache/fumehood")
        );
    }

    fn working(work: &WorkArgs, layers: &Layers) -> Result<PlaceSettings, SettingsError> {
        PlaceSettings::working_below(&PlaceArgs::default(), work, layers, here().to_owned())
    }

    #[test]
    fn without_a_cache_nothing_need_say_where_it_is() {
        let work = WorkArgs {
            no_cache: true,
            ..WorkArgs::default()
        };
        let nowhere = Layers::from([("TMPDIR", "/scratch")]);
        let places = working(&work, &nowhere).unwrap();
        assert_eq!(places.cache.value, Path::new(""));
        let no_cache = places.work.no_cache.unwrap();
        let temporary: Vec<_> = no_cache.temporary.iter().map(|(path, _)| path).collect();
        assert_eq!(temporary, ["/scratch", "/tmp", "/var/tmp"].map(Path::new));
        assert!(!no_cache.strict);
        assert!(working(&WorkArgs::default(), &nowhere).is_err());
    }

    #[test]
    fn a_relative_directory_for_temporary_files_is_none() {
        let layers = Layers::from([
            ("TMPDIR", "."),
            ("HOME", "/home/me"),
            ("FUMEHOOD_NO_CACHE", "yes"),
        ]);
        let places = working(&WorkArgs::default(), &layers).unwrap();
        let temporary = places.work.no_cache.unwrap().temporary;
        assert_eq!(temporary[0].0, Path::new("/tmp"));
    }

    #[test]
    fn read_only_caches_are_named_by_flags_or_as_in_path() {
        let layers = Layers::from([
            ("HOME", "/home/me"),
            ("FUMEHOOD_CACHE_READONLY", "/a b:c::/d"),
        ]);
        let lower = |typed: &[&str]| {
            let work = WorkArgs {
                cache_readonly: typed.iter().map(|&path| path.to_owned()).collect(),
                ..WorkArgs::default()
            };
            working(&work, &layers).unwrap().work.lower
        };
        assert_eq!(
            lower(&[]),
            [Path::new("/a b"), &here().join("c"), Path::new("/d")]
        );
        assert_eq!(lower(&["x:y"]), [here().join("x:y")]);
        // A run without a cache reads no bucket, whatever the variable says.
        let work = WorkArgs {
            no_cache: true,
            ..WorkArgs::default()
        };
        let lower = working(&work, &layers).unwrap().work.lower;
        assert_eq!(lower, Vec::<PathBuf>::new());
    }

    #[test]
    fn strict_without_no_cache_says_nothing_and_is_an_error() {
        let work = WorkArgs {
            no_cache_strict: true,
            ..WorkArgs::default()
        };
        let home = Layers::from([("HOME", "/home/me")]);
        let error = working(&work, &home).unwrap_err();
        assert!(error.to_string().contains("--no-cache-strict"), "{error}");
    }

    #[test]
    fn without_any_place_the_error_says_how_to_name_one() {
        let error = cache(&[], &Layers::default()).unwrap_err();
        assert_eq!(error.code(), Code::CachePlace);
        assert!(error.hint().unwrap().contains("--cache-dir"));
    }
}

mod sandbox {
    use super::*;

    fn with(args: SandboxArgs, layers: &Layers) -> Result<SandboxSettings, SettingsError> {
        SandboxSettings::new(&args, layers, here())
    }

    #[test]
    fn building_without_isolation_is_refused_with_the_reason() {
        let args = SandboxArgs {
            no_build_isolation: true,
            ..SandboxArgs::default()
        };
        let error = with(args, &Layers::default()).unwrap_err();
        assert_eq!(error.code(), Code::FlagRefused);
        assert!(error.why().is_some());
        assert!(error.hint().unwrap().contains("--extra-build-dep"));
    }

    #[test]
    fn a_declared_variable_takes_its_value_from_the_environment_and_never_from_the_command_line() {
        let layers = Layers::from([("TOKEN", "s3cret")]);
        let declare = |name: &str| {
            let args = SandboxArgs {
                allow_env: vec![name.to_owned()],
                ..SandboxArgs::default()
            };
            with(args, &layers)
        };
        let settings = declare("TOKEN").unwrap();
        assert_eq!(settings.variables["TOKEN"], "s3cret");
        assert!(!format!("{settings:?}").contains("s3cret"));
        let settings = declare("Some_Package:TOKEN").unwrap();
        assert!(settings.variables.is_empty());
        let own: Vec<_> = settings.package_variables.iter().collect();
        assert_eq!(own.len(), 1);
        assert_eq!(own[0].0.as_ref(), "some-package");
        assert_eq!(own[0].1["TOKEN"], "s3cret");
        assert!(!format!("{settings:?}").contains("s3cret"));
        for unfit in [
            "TOKEN=s3cret",
            "MISSING",
            "HOME",
            "",
            "a:HOME",
            "a:MISSING",
            "no package:TOKEN",
            ":TOKEN",
            "a:TOKEN=s3cret",
        ] {
            let error = declare(unfit).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn grants_are_the_real_paths_and_must_exist() {
        let folder = std::env::current_dir().unwrap();
        let args = SandboxArgs {
            allow_read: vec!["src/..".to_owned()],
            ..SandboxArgs::default()
        };
        let settings = SandboxSettings::new(&args, &Layers::default(), &folder).unwrap();
        assert_eq!(
            settings.extras,
            [(folder.canonicalize().unwrap(), Access::Read)]
        );
        let args = SandboxArgs {
            allow_write: vec!["/no/such/place".to_owned()],
            ..SandboxArgs::default()
        };
        let error = SandboxSettings::new(&args, &Layers::default(), &folder).unwrap_err();
        assert!(error.to_string().contains("--allow-write"), "{error}");
    }
}

mod talk {
    use super::*;

    fn settings(variables: &[(&str, &str)], color: Option<&str>, terminal: bool) -> TalkSettings {
        let mut layers = Layers::default();
        for (name, value) in variables {
            layers.environment.set(name, value);
        }
        let args = TalkArgs {
            color: color.map(str::to_owned),
            ..TalkArgs::default()
        };
        TalkSettings::with_terminal(&args, &layers, terminal).unwrap()
    }

    #[test]
    fn colours_follow_the_flag_then_the_variables_then_the_terminal() {
        assert!(settings(&[], None, true).colour);
        assert!(!settings(&[], None, false).colour);
        assert!(!settings(&[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], None, true).colour);
        assert!(settings(&[("FORCE_COLOR", "1")], None, false).colour);
        assert!(settings(&[("NO_COLOR", "1")], Some("always"), false).colour);
        assert!(!settings(&[("FORCE_COLOR", "1")], Some("never"), true).colour);
        assert!(!settings(&[("TERM", "dumb")], None, true).colour);
    }

    #[test]
    fn the_display_moves_only_on_a_terminal_that_nobody_automated() {
        assert!(settings(&[], None, true).moving);
        assert!(!settings(&[], None, false).moving);
        assert!(!settings(&[("CI", "true")], None, true).moving);
        assert!(settings(&[("CI", "false")], None, true).moving);
        assert!(!settings(&[("FUMEHOOD_NO_PROGRESS", "1")], None, true).moving);
    }
}

mod index {
    use super::*;

    #[test]
    fn no_keyring_is_asked_unless_somebody_says_so() {
        let keyring = |typed: Option<&str>, layers: &Layers| {
            let args = IndexArgs {
                keyring_provider: typed.map(str::to_owned),
                ..IndexArgs::default()
            };
            IndexSettings::new(&args, layers, now()).map(|settings| settings.keyring)
        };
        let variable = Layers::from([("FUMEHOOD_KEYRING_PROVIDER", "subprocess")]);
        assert!(!keyring(None, &Layers::default()).unwrap());
        assert!(keyring(Some("subprocess"), &Layers::default()).unwrap());
        assert!(keyring(None, &variable).unwrap());
        assert!(!keyring(Some("disabled"), &variable).unwrap());
        for text in ["import", "auto", "yes"] {
            let error = keyring(Some(text), &variable).unwrap_err();
            assert_eq!(error.code(), Code::BadFlag);
            assert!(error.to_string().contains("`subprocess`"), "{error}");
        }
    }

    #[test]
    fn formats_come_from_the_flags_or_else_from_the_variables() {
        let layers = Layers::from([
            ("FUMEHOOD_NO_BINARY", ":all:"),
            ("FUMEHOOD_ONLY_BINARY", "numpy scipy"),
        ]);
        let formats = |typed: Vec<_>| {
            let args = IndexArgs {
                formats: typed,
                ..IndexArgs::default()
            };
            IndexSettings::new(&args, &layers, now()).unwrap().formats
        };
        assert_eq!(formats(Vec::new()).len(), 3);
        let typed = vec![(Format::OnlyBinary, "six".to_owned())];
        assert_eq!(formats(typed.clone()), typed);
    }
}

mod small_words {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(size("4096"), Ok(4096));
        assert_eq!(size("64k"), Ok(65_536));
        assert_eq!(size("4G"), Ok(4 << 30));
        assert_eq!(size("1TiB"), Ok(1 << 40));
        for unfit in ["", "0", "-1", "G", "1.5G", "4X", "99999999999T"] {
            assert!(size(unfit).is_err(), "{unfit}");
        }
    }

    #[test]
    fn spans_are_seconds_or_carry_their_unit() {
        assert_eq!(span("90"), Ok(Duration::from_secs(90)));
        assert_eq!(span("30m"), Ok(Duration::from_secs(1800)));
        assert_eq!(span("1h30m"), Ok(Duration::from_secs(5400)));
        for unfit in ["", "0", "-5m", "0s", "soon"] {
            assert!(span(unfit).is_err(), "{unfit}");
        }
    }

    #[test]
    fn a_date_means_its_end_and_a_span_counts_back_from_the_start_of_today() {
        let moment = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(
            cut_off("2026-01-31", now()),
            Ok(moment("2026-02-01T00:00:00Z"))
        );
        assert_eq!(cut_off("7 days", now()), Ok(moment("2026-03-03T00:00:00Z")));
        assert_eq!(cut_off("1w", now()), Ok(moment("2026-03-03T00:00:00Z")));
        assert_eq!(
            cut_off("2026-01-31T12:00:00+02:00", now()),
            Ok(moment("2026-01-31T10:00:00Z"))
        );
        for unfit in ["", "yesterday", "-7d", "2026-13-01"] {
            assert!(cut_off(unfit, now()).is_err(), "{unfit}");
        }
    }

    #[test]
    fn yes_no_and_counts() {
        assert_eq!(yes_or_no("True"), Ok(true));
        assert_eq!(yes_or_no("0"), Ok(false));
        assert!(yes_or_no("maybe").is_err());
        assert_eq!(count("12"), Ok(12));
        assert!(count("0").is_err());
    }
}
