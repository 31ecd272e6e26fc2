//! What a policy file may say, and what it is told otherwise.

use proptest::prelude::*;

use super::{minimal, parsed, refused};
use crate::{Policy, PolicyError};

#[test]
fn the_policies_that_are_compiled_in_are_valid_and_called_what_they_are() {
    for &name in Policy::names() {
        let policy = Policy::builtin(name).unwrap();
        assert_eq!(policy.name(), name);
        assert!(policy.source().starts_with(&format!("name = \"{name}\"\n")));
    }
    assert_eq!(Policy::builtin("strict").unwrap().extends(), Some("pure"));
    assert!(Policy::builtin("none").is_none());
    assert!(Policy::builtin("places").is_none());
}

#[test]
fn a_file_may_extend_a_builtin_policy_and_add_to_it() {
    let policy = parsed(
        "name = \"java\"\nextends = \"strict\"\nsummary = \"strict and a JDK\"\n[[grant]]\npath = \"/usr/lib/jvm//\"\naccess = [\"read\", \"execute\"]\nwhy = \"jpype compiles against it\"\noptional = true\n[limits]\nwall_seconds = 60\n",
    );
    assert_eq!(policy.limits().wall_ms, 60_000);
    assert_eq!(policy.limits().processes, 512);
    assert!(
        policy
            .explain()
            .contains("/usr/lib/jvm, if it exists: jpype compiles against it")
    );
    assert!(policy.explain().contains("(from pure)"));
}

/// Each row: what stands behind the minimal policy, and the words that the error must hold.
#[test]
fn every_mistake_names_file_line_table_and_key_and_says_what_to_write() {
    let grant = |what: &str| format!("[[grant]]\n{what}\naccess = [\"read\"]\nwhy = \"x\"\n");
    let rows: Vec<(String, &[&str])> = vec![
        (grant("path = \"/\""), &["mine.toml, line 10, [[grant]] 2, `path`", "write the one folder"]),
        (grant("path = \"/home\""), &["`/home` holds other people's files"]),
        (grant("path = \"/home/ada\""), &["`/home/ada` holds"]),
        (grant("path = \"/root/\""), &["`/root` holds"]),
        (grant("path = \"/run/user/1000\""), &["`/run/user/1000` holds"]),
        (grant("path = \"/proc\""), &["`/proc` shows other processes", "cpu-facts"]),
        (grant("path = \"/proc/self/environ\""), &["shows other processes"]),
        (grant("path = \"/sys\""), &["`/sys` shows the machine"]),
        (grant("path = \"/dev\""), &["no device that a build gets", "place = \"devices\""]),
        (grant("path = \"/dev/sda\""), &["no device that a build gets"]),
        (grant("path = \"/dev/shm/x\""), &["place = \"shared-memory\""]),
        (grant("path = \"/etc/shadow\""), &["where secrets"]),
        (grant("path = \"/etc\""), &["`/etc` holds"]),
        (grant("path = \"/home/ada/.ssh/config\""), &["where secrets"]),
        (grant("path = \"usr/lib\""), &["`usr/lib` is not absolute", "write an absolute path"]),
        (grant("path = \"/usr/../home\""), &["contains `..`"]),
        (grant("path = \"~/lib\""), &["nothing is expanded"]),
        (grant("path = \"/opt/$X\""), &["nothing is expanded"]),
        (grant("path = \"/opt/*\""), &["all below it is granted"]),
        (grant("path = \"/opt/a\\nb\""), &["control characters"]),
        (grant("place = \"tools\""), &["no such place", "write one of interpreter, environment,", "toolchain"]),
        (grant("place = \"toolchain\"\npath = \"/opt/x\""), &["write two grants"]),
        (grant("note = 1"), &["`note`: this key is not known; known here: place, path, access"]),
        (grant(""), &["neither a place nor a path"]),
        (grant("place = \"toolchain\"\noptional = true"), &["only a path can be optional"]),
        (grant("path = 7"), &["`path`: its value does not fit; write a string"]),
        ("[[grant]]\npath = \"/opt/x\"\naccess = [\"read\"]\n".into(), &["`why`: it is missing", "each grant has a reason"]),
        ("[[grant]]\npath = \"/opt/x\"\naccess = [\"read\"]\nwhy = \" \"\n".into(), &["`why`: it is empty"]),
        ("[[grant]]\npath = \"/opt/x\"\nwhy = \"x\"\n".into(), &["`access`: it is missing; write access = [\"read\"]"]),
        ("[[grant]]\npath = \"/opt/x\"\nwhy = \"x\"\naccess = \"read\"\n".into(), &["write a list of strings"]),
        ("[[grant]]\npath = \"/opt/x\"\nwhy = \"x\"\naccess = []\n".into(), &["at least for reading"]),
        ("[[grant]]\npath = \"/opt/x\"\nwhy = \"x\"\naccess = [\"run\"]\n".into(), &["`run` is not an access word"]),
        ("[[grant]]\npath = \"/opt/x\"\nwhy = \"x\"\naccess = [\"read\", \"write\"]\n".into(), &["nothing of the host be written", "--allow-write PATH"]),
        ("[[grant]]\nplace = \"toolchain\"\nwhy = \"x\"\naccess = [\"read\", \"write\"]\n".into(), &["nothing of the host be written"]),
        ("[[grant]]\nplace = \"null-device\"\nwhy = \"x\"\naccess = [\"read\", \"write\", \"execute\"]\n".into(), &["both written and executed"]),
        ("[grant]\npath = \"/opt/x\"\n".into(), &["not TOML"]),
        ("[limits]\nwall = 3\n".into(), &["[limits], `wall`: this key is not known; known here: wall_seconds"]),
        ("[limits]\nwall_seconds = 0\n".into(), &["a whole number of at least 1"]),
        ("[limits]\nwall_seconds = -1\n".into(), &["a whole number of at least 1"]),
        ("[limits]\nwall_seconds = \"1h\"\n".into(), &["a whole number of at least 1"]),
        ("[limits]\nmemory_mib = 9223372036854775807\n".into(), &["more than any build may have; write at most"]),
        ("[environment.set.PATH]\nvalue = \"/x\"\nwhy = \"x\"\n".into(), &["[environment.set], `PATH`", "write [environment.path]"]),
        ("[environment.set.PYTHONPATH]\nvalue = \"/x\"\nwhy = \"x\"\n".into(), &["the builder decides it"]),
        ("[environment.set.LD_PRELOAD]\nvalue = \"/x\"\nwhy = \"x\"\n".into(), &["puts code into every program"]),
        ("[environment.set.CC]\nvalue = \"gcc\"\n".into(), &["[environment.set.CC], `why`: it is missing"]),
        ("[environment.set.CC]\nvalue = \"a\\nb\"\nwhy = \"x\"\n".into(), &["one plain line"]),
        ("[environment.set.\"A-B\"]\nvalue = \"a\"\nwhy = \"x\"\n".into(), &["not the name of a variable"]),
        ("[environment.pass]\nCC = true\n".into(), &["[environment.pass], `CC`", "write a table"]),
        ("[environment.path]\nfolders = [\"bin\"]\nwhy = \"x\"\n".into(), &["is not absolute"]),
        ("[environment.path]\nfolders = [\"/a:/b\"]\nwhy = \"x\"\n".into(), &["holds `:`"]),
        ("[network]\nports = [443]\n".into(), &["top of the file, `network`: this key is not known"]),
    ];
    for (more, words) in rows {
        let error = refused(&minimal(&more));
        assert!(error.starts_with("mine.toml, line "), "{more}\n{error}");
        for word in words {
            assert!(error.contains(word), "{more}\nlacks {word:?}: {error}");
        }
    }
}

#[test]
fn a_top_that_lacks_or_mistakes_something_is_refused() {
    let rows = [
        ("", "`name`: it is missing"),
        (
            "name = \"A b\"\nsummary = \"x\"\n",
            "not a name for a policy",
        ),
        ("name = \"a\"\n", "`summary`: it is missing"),
        ("name = \"a\"\nsummary = \"x\\ny\"\n", "more than one line"),
        (
            "name = \"a\"\nsummary = \"x\"\nextends = \"lax\"\n",
            "write one of pure, strict, native",
        ),
        (
            "name = \"pure\"\nsummary = \"x\"\nextends = \"pure\"\n",
            "can not extend itself",
        ),
        (
            "name = \"a\"\nsummary = \"x\"\n",
            "no grant lets Python start; write `extends = \"pure\"`",
        ),
        ("name = \"a\"\nname = \"b\"\n", "line 2: not TOML"),
    ];
    for (text, words) in rows {
        let error = refused(text);
        assert!(error.contains(words), "{text}\n{error}");
    }
    let large = format!("# {}\n", "x".repeat(300_000));
    let error = Policy::parse(&large, "big.toml").unwrap_err();
    assert!(matches!(error, PolicyError::TooLarge { .. }), "{error}");
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let text = format!("a = {}{}", "[".repeat(50_000), "]".repeat(50_000));
    assert!(refused(&text).contains("not TOML"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}|[\\[\\]\\n =\"'.a-z{}#0-9/]{0,200}") {
        let _ = Policy::parse(&text, "any.toml").map_err(|error| error.to_string());
    }

    #[test]
    fn a_valid_policy_with_one_character_replaced_never_panics(
        at in 0_usize..4000,
        by in prop::sample::select(vec!["", "\"", "]", "[", "\n", "=", "é", "\0", "/", ".."]),
        name in prop::sample::select(Policy::names()),
    ) {
        let source = Policy::builtin(name).expect("a built-in name").source().to_owned();
        let at = at % source.len();
        if source.is_char_boundary(at) && source.is_char_boundary(at + 1) {
            let text = format!("{}{by}{}", &source[..at], &source[at + 1..]);
            if let Ok(policy) = Policy::parse(&text, "any.toml") {
                let _ = (policy.digest(), policy.explain());
            }
        }
    }
}
