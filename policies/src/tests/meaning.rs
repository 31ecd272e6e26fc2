//! Digests, layers and the text for people.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{minimal, parsed};
use crate::{Policy, PolicyError};

const CACHE: &str = "[[grant]]\npath = \"/opt/cache\"\naccess = [\"read\"]\nwhy = \"data\"\n";
const TOOL: &str =
    "[[grant]]\npath = \"/opt/tool\"\naccess = [\"read\", \"execute\"]\nwhy = \"tool\"\n";

#[test]
fn the_digest_does_not_see_names_reasons_comments_order_and_spelling() {
    let digest = parsed(&minimal(&format!("{CACHE}{TOOL}"))).digest();
    for same in [
        format!("{TOOL}{CACHE}"),
        format!("# a comment\n{CACHE}\n\n{TOOL}"),
        format!("{}{TOOL}", CACHE.replace("\"data\"", "\"another reason\"")),
        format!("{}{TOOL}", CACHE.replace("/opt/cache", "/opt//./cache/")),
        format!("{CACHE}{TOOL}{CACHE}"),
        format!("{CACHE}{TOOL}[limits]\nprocesses = 512\n"),
    ] {
        assert_eq!(parsed(&minimal(&same)).digest(), digest, "{same}");
    }
    let renamed = minimal(&format!("{CACHE}{TOOL}")).replace("\"mine\"", "\"yours\"");
    assert_eq!(parsed(&renamed).digest(), digest);
}

#[test]
fn the_digest_changes_with_every_change_of_meaning() {
    let texts = [
        minimal(""),
        minimal(CACHE),
        minimal(TOOL),
        minimal(&CACHE.replace("[\"read\"]", "[\"read\", \"execute\"]")),
        minimal(&CACHE.replace("why", "optional = true\nwhy")),
        minimal(&CACHE.replace("/opt/cache", "/opt/cache2")),
        minimal("[[grant]]\nplace = \"devices\"\naccess = [\"read\"]\nwhy = \"x\"\n"),
        minimal("[limits]\nprocesses = 513\n"),
        minimal("[limits]\nlog_mib = 65\n"),
        minimal("[environment.set.A]\nvalue = \"b\"\nwhy = \"x\"\n"),
        minimal("[environment.set.A]\nvalue = \"c\"\nwhy = \"x\"\n"),
        minimal("[environment.set.Ab]\nvalue = \"\"\nwhy = \"x\"\n"),
        minimal("[environment.pass.A]\nwhy = \"x\"\n"),
        minimal("[environment.path]\nfolders = [\"environment\"]\nwhy = \"x\"\n"),
        minimal("[environment.path]\nfolders = [\"/usr/bin\"]\nwhy = \"x\"\n"),
    ];
    let mut digests: Vec<_> = texts.iter().map(|text| parsed(text).digest()).collect();
    digests.extend(
        Policy::names()
            .iter()
            .map(|name| Policy::builtin(name).unwrap().digest()),
    );
    let all = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), all);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Two sets of grants have one digest exactly if they are the same set.
    #[test]
    fn digests_are_equal_exactly_if_the_grants_are(
        left in prop::collection::vec((0_u8..4, any::<bool>()), 0..5),
        right in prop::collection::vec((0_u8..4, any::<bool>()), 0..5),
    ) {
        let text = |grants: &[(u8, bool)]| {
            let mut more = String::new();
            for (number, execute) in grants {
                let access = if *execute { "[\"read\", \"execute\"]" } else { "[\"read\"]" };
                write!(more, "[[grant]]\npath = \"/opt/{number}\"\naccess = {access}\nwhy = \"x\"\n")
                    .expect("a String takes all");
            }
            minimal(&more)
        };
        let meaning = |grants: &[(u8, bool)]| {
            let mut held = std::collections::BTreeMap::new();
            for (number, execute) in grants {
                *held.entry(*number).or_insert(false) |= execute;
            }
            held
        };
        let same = parsed(&text(&left)).digest() == parsed(&text(&right)).digest();
        prop_assert_eq!(same, meaning(&left) == meaning(&right));
    }
}

#[test]
fn a_layer_may_only_narrow() {
    let [pure, strict, native] =
        ["pure", "strict", "native"].map(|name| Policy::builtin(name).unwrap());
    pure.narrower(&strict).unwrap();
    pure.narrower(&native).unwrap();
    strict.narrower(&native).unwrap();
    strict.narrower(&strict).unwrap();
    for (wide, narrow) in [(&strict, &pure), (&native, &strict), (&native, &pure)] {
        let error = wide.narrower(narrow).unwrap_err();
        assert!(matches!(error, PolicyError::Wider { .. }), "{error}");
    }
    let long = parsed(
        "name = \"l\"\nextends = \"pure\"\nsummary = \"x\"\n[limits]\nwall_seconds = 3601\n",
    );
    let error = long.narrower(&strict).unwrap_err().to_string();
    assert_eq!(
        error,
        "policy `l` allows more than `strict`: wall_seconds = 3601 s"
    );
    let passes = parsed(
        "name = \"p\"\nextends = \"pure\"\nsummary = \"x\"\n[environment.pass.TOKEN]\nwhy = \"x\"\n",
    );
    assert!(
        passes
            .narrower(&strict)
            .unwrap_err()
            .to_string()
            .ends_with("the caller's variable TOKEN")
    );
    let below = parsed(&minimal(
        "[[grant]]\npath = \"/usr/lib/x\"\naccess = [\"read\"]\nwhy = \"x\"\n",
    ));
    assert!(
        below
            .narrower(&strict)
            .unwrap_err()
            .to_string()
            .ends_with("read `/usr/lib/x`")
    );
}

#[test]
fn whether_an_interpreter_serves_several_builds_is_inherited_narrowed_and_of_no_key() {
    let mine = |line: &str| {
        parsed(&format!(
            "name = \"mine\"\nextends = \"strict\"\nsummary = \"x\"\n{line}\n"
        ))
    };
    let (plain, never) = (mine(""), mine("reuse = \"never\""));
    assert!(plain.reuses() && mine("reuse = \"allowed\"").reuses() && !never.reuses());
    assert_eq!(plain.digest(), never.digest());
    never.narrower(&plain).unwrap();
    let error = plain.narrower(&never).unwrap_err().to_string();
    assert!(error.ends_with("reuse = \"allowed\""), "{error}");
    let text = never.explain();
    assert!(text.contains("an interpreter of its own"), "{text}");
    let error = super::refused(&minimal("").replace("summary", "reuse = \"often\"\nsummary"));
    assert!(error.contains("reuse = \"never\""), "{error}");
}

#[test]
fn the_explanation_shows_grants_with_reasons_limits_and_what_is_not_expressible() {
    let text = Policy::builtin("strict").unwrap().explain();
    for words in [
        "strict: The default: pure, and the system's tool chain",
        "It adds to the policy pure.",
        "\nread and execute\n  interpreter: the interpreter and its standard library   (from pure)\n",
        "  toolchain: compilers, assembler, linker,",
        "      /usr/include                       headers\n",
        "\nread and write\n  null-device: every language opens it for both",
        "  PATH=<environment>/bin:/usr/local/bin:/usr/bin:/bin:",
        "  wall_seconds        3600 s   time by the clock\n",
        "  memory_mib        8192 MiB   memory of all processes together\n",
        "what no policy can express",
        "there is no network, whatever a policy says",
    ] {
        assert!(text.contains(words), "lacks {words:?}:\n{text}");
    }
    assert!(!text.contains("/dev/shm"), "{text}");
    let native = Policy::builtin("native").unwrap().explain();
    assert!(
        native.contains("below level `ns`, /dev/shm is the host's"),
        "{native}"
    );
}
