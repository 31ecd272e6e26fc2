//! The published schemas hold for what is written, and say all of it.

use std::collections::BTreeMap;

use builder::Origin;
use builder::record::{BuildRecord, Environment, Isolation, Policy, Reuse, SCHEMA, Usage};
use jiff::Timestamp;
use model::{Code, ConfigSettings, Digest, Sha256, SourceId, SourceKind};
use protocol::{Denial, Enforcement, Guarantee, Level};
use serde_json::Value;

use super::{
    BuildEntry, DescribedEntry, Document, FailureEntry, Kind, LookedAt, RefusalEntry, SdistEntry,
    Verified, WheelEntry, text as text_of,
};
use crate::render::Problem;

fn schema(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Checks the part of JSON Schema that our schemas use, and more strictly than it: every property
/// that is there must be described.
fn check(value: &Value, rule: &Value, root: &Value, at: &str) {
    if let Some(reference) = rule["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap();
        return check(value, target, root, at);
    }
    if let Some(choices) = rule["oneOf"].as_array() {
        let rule = if value.is_null() {
            &choices[0]
        } else {
            &choices[1]
        };
        return check(value, rule, root, at);
    }
    if let Some(constant) = rule.get("const") {
        assert_eq!(value, constant, "{at}");
    }
    if let Some(words) = rule["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value}");
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match &rule["type"] {
        Value::String(wanted) => assert_eq!(kind, wanted, "{at}"),
        Value::Array(wanted) => assert!(wanted.contains(&kind.into()), "{at}: {kind}"),
        _ => assert!(
            rule.get("const").or(rule.get("enum")).is_some(),
            "{at}: no type"
        ),
    }
    for name in rule["required"].as_array().into_iter().flatten() {
        assert!(
            value.get(name.as_str().unwrap()).is_some(),
            "{at} lacks {name}"
        );
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let rule = rule["properties"]
            .get(name)
            .or(rule.get("additionalProperties"));
        let rule = rule.unwrap_or_else(|| panic!("{at}.{name} is not described"));
        check(inner, rule, root, &format!("{at}.{name}"));
    }
    for (place, inner) in value.as_array().into_iter().flatten().enumerate() {
        let rule = rule["prefixItems"].get(place).unwrap_or(&rule["items"]);
        check(inner, rule, root, &format!("{at}[{place}]"));
    }
}

fn isolation() -> Isolation {
    Isolation {
        level: Level::NsOnly,
        landlock_abi: 7,
        guarantees: BTreeMap::from([(Guarantee::FsRead, Enforcement::Partial)]),
        uid: 65_534,
        built_at: None,
    }
}

fn digest() -> Digest {
    Digest {
        sha256: Sha256::of("x"),
        size: 1,
    }
}

#[test]
fn a_report_is_what_its_schema_says() {
    let root = schema(include_str!("../../../docs/schema/report.schema.json"));
    let wheel = builder::Wheel {
        name: "docopt".parse().unwrap(),
        version: "0.6.2".parse().unwrap(),
        filename: "docopt-0.6.2-py2.py3-none-any.whl".to_owned(),
        path: "/cache/x".into(),
        sha256: Sha256::of("x"),
        size: 13_704,
        origin: Origin::Cached,
        source: Some(SourceId {
            kind: SourceKind::Index,
            digest: digest(),
            subdirectory: None,
        }),
        commit: None,
        isolation: Some(Isolation {
            built_at: Some(Timestamp::UNIX_EPOCH),
            ..isolation()
        }),
        denials: vec![Denial {
            what: "connect".to_owned(),
            target: "192.0.2.4:443".to_owned(),
            count: 2,
        }],
        notes: vec!["odd".to_owned()],
        seconds: 0.41,
        record: Some("/cache/record.json".into()),
    };
    let downloaded = builder::Wheel {
        source: None,
        isolation: None,
        record: None,
        origin: Origin::Downloaded,
        ..wheel.clone()
    };
    let path = "dist/x".as_ref();
    let problem = Problem::new(Code::Backend, "it failed")
        .why("it does")
        .fix("do not");
    let mut document = Document::new(
        vec![
            WheelEntry::new(&wheel, path),
            WheelEntry::new(&downloaded, path),
        ],
        vec![
            FailureEntry::new(None, &Problem::new(Code::Bug, "x")),
            FailureEntry::new(Some("y".to_owned()), &problem),
        ],
    );
    let sdist = builder::Sdist {
        name: wheel.name.clone(),
        version: wheel.version.clone(),
        filename: "docopt-0.6.2.tar.gz".to_owned(),
        path: "/cache/y".into(),
        digest: digest(),
        source: SourceId {
            kind: SourceKind::Directory,
            digest: digest(),
            subdirectory: None,
        },
        isolation: isolation(),
        denials: wheel.denials.clone(),
        notes: wheel.notes.clone(),
        seconds: 0.41,
    };
    document.sdists.push(SdistEntry::new(&sdist, path));
    check(&schema(&document.text()), &root, &root, "report");
}

#[test]
fn what_is_said_of_metadata_is_what_its_schema_says() {
    let root = schema(include_str!("../../../docs/schema/metadata.schema.json"));
    let text = "Metadata-Version: 2.2\nName: foo\nVersion: 1.0\nRequires-Python: >=3.8\n\
                Requires-Dist: a @ https://me:s3cret@example.invalid/a.zip\nProvides-Extra: x\n";
    let described = builder::Described {
        metadata: sources::CoreMetadata::parse(text.as_bytes()).unwrap(),
        origin: builder::MetadataOrigin::Hook,
        place: "prepare_metadata_for_build_wheel of \u{1b}[2J".to_owned(),
        source: Some(SourceId {
            kind: SourceKind::Index,
            digest: digest(),
            subdirectory: None,
        }),
        isolation: Some(isolation()),
        denials: vec![Denial {
            what: "connect".to_owned(),
            target: "192.0.2.4:443".to_owned(),
            count: 2,
        }],
    };
    let written = text_of(&DescribedEntry::new(&described));
    assert!(!written.contains("s3cret"), "{written}");
    assert!(!written.contains("\\u001b"), "{written}");
    check(&schema(&written), &root, &root, "metadata");
    let fixed = builder::Described {
        origin: builder::MetadataOrigin::Static,
        source: None,
        isolation: None,
        ..described
    };
    let written = text_of(&DescribedEntry::new(&fixed));
    check(&schema(&written), &root, &root, "metadata");
}

#[test]
fn a_record_is_what_its_schema_says() {
    let root = schema(include_str!("../../../docs/schema/record.schema.json"));
    check(
        &serde_json::to_value(record()).unwrap(),
        &root,
        &root,
        "record",
    );
}

#[test]
fn what_was_looked_at_is_what_its_schema_says_and_acts_on_no_terminal() {
    let root = schema(include_str!("../../../docs/schema/inspect.schema.json"));
    let look = |kind| LookedAt::new("x", kind, digest());
    let value = |looked: &LookedAt| serde_json::to_value(looked).unwrap();
    let mut sdist = look(Kind::Sdist);
    sdist.sdist(&sdist_that_acts());
    sdist.refusals = vec![RefusalEntry::of(&Problem::new(
        Code::BadArchive,
        "a\u{1b}[2J",
    ))];
    let text = value(&sdist).to_string();
    assert!(
        !text.contains("\\u001b") && !text.contains('\u{202e}'),
        "{text}"
    );
    let mut wheel = look(Kind::Wheel);
    let file = tempfile::tempfile().unwrap();
    let filename = model::WheelFilename::parse("x-1-py3-none-any.whl").unwrap();
    wheel.wheel(&builder::examine(&file, filename, false));
    for looked in [look(Kind::Wheel), sdist, wheel] {
        check(&value(&looked), &root, &root, "inspect");
    }
}

/// An sdist whose texts hold what would move a cursor or turn a line.
fn sdist_that_acts() -> builder::InspectedSdist {
    builder::InspectedSdist {
        unpacked: archive::Unpacked {
            members: 1,
            bytes: 2,
            top_folder: Some("x\u{202e}".to_owned()),
            notes: vec!["\u{1b}[2J".to_owned()],
        },
        metadata: None,
        system: Ok(sources::BuildSystem {
            requires: vec!["a\u{1b}".to_owned()],
            backend: Some("b".to_owned()),
            backend_path: vec!["c\u{202e}".to_owned()],
        }),
        has_setup: true,
        has_pyproject: true,
    }
}

#[test]
fn what_was_verified_is_what_its_schema_says() {
    let root = schema(include_str!("../../../docs/schema/verify.schema.json"));
    let entry = BuildEntry::of("/cache/record.json", &record());
    let problem = Problem::new(Code::NoRecord, "none");
    for verified in [
        Verified::new("x", digest(), Some(true), Some(entry), &[]),
        Verified::new("x", digest(), None, None, &[problem]),
    ] {
        let value = serde_json::to_value(verified).unwrap();
        check(&value, &root, &root, "verify");
    }
}

fn record() -> BuildRecord {
    let mut config_settings = ConfigSettings::default();
    config_settings.add("a=b").unwrap();
    BuildRecord {
        schema: SCHEMA.to_owned(),
        build: "7f3a2c00".to_owned(),
        built_at: Timestamp::UNIX_EPOCH,
        name: "x".parse().unwrap(),
        version: "1".parse().unwrap(),
        filename: "x-1-py3-none-any.whl".to_owned(),
        wheel: digest(),
        source: SourceId {
            kind: SourceKind::Directory,
            digest: digest(),
            subdirectory: Some("y".to_owned()),
        },
        source_label: "x".to_owned(),
        key: Sha256::of("key"),
        python: "cpython".to_owned(),
        backend: "setuptools.build_meta".to_owned(),
        requires: vec!["setuptools".to_owned()],
        requires_by_hook: vec!["wheel".to_owned()],
        environment: Environment {
            name: Sha256::of("environment"),
            wheels: [(
                "setuptools-80.9.0-py3-none-any.whl".to_owned(),
                Sha256::of("s"),
            )]
            .into(),
            packages: BTreeMap::from([("setuptools".to_owned(), "80".to_owned())]),
        },
        config_settings,
        policy: Policy {
            name: "strict".to_owned(),
            digest: Sha256::of("policy"),
        },
        isolation: isolation(),
        reuse: Reuse::Own,
        denials: Vec::new(),
        hooks: vec![("build_wheel".to_owned(), 410)],
        usage: Usage::default(),
        notes: vec!["odd".to_owned()],
    }
}
