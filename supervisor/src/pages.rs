//! Tests that the documentation says what the program does. There is nothing else in this file.

use std::ffi::OsString;

use cache::Bucket;
use model::Code;
use policies::Policy;
use protocol::{Guarantee, Level};

use crate::args;

const README: &str = include_str!("../../README.md");
const START: &str = include_str!("../../docs/start.md");
const INSTALL: &str = include_str!("../../docs/install.md");
const FROM_PIP: &str = include_str!("../../docs/from-pip-and-uv.md");
const GLOSSARY: &str = include_str!("../../docs/glossary.md");
const EXIT_CODES: &str = include_str!("../../docs/exit-codes.md");
const CACHE_LAYOUT: &str = include_str!("../../docs/cache-layout.md");
const POLICIES: &str = include_str!("../../docs/policies.md");

/// Returns the command lines of a page that start this program, as argument vectors.
fn commands(page: &str) -> Vec<Vec<OsString>> {
    page.lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .map(|line| line.split(" #").next().unwrap_or(line).trim())
        .filter_map(|line| {
            line.strip_prefix("fumehood ")
                .or_else(|| line.strip_prefix("cargo run --release -- "))
                .or_else(|| line.strip_prefix("target/release/fumehood "))
        })
        .map(|words| {
            let mut argv = vec![OsString::from("fumehood")];
            argv.extend(words.split_whitespace().map(OsString::from));
            argv
        })
        .collect()
}

#[test]
fn every_command_of_the_pages_is_understood() {
    let commands: Vec<_> = [README, START, INSTALL]
        .into_iter()
        .flat_map(commands)
        .collect();
    assert!(commands.len() > 10, "{commands:?}");
    for argv in commands {
        if let Err(error) = args::parse(argv.clone()) {
            panic!("{argv:?}: {error}");
        }
    }
}

#[test]
fn the_first_two_commands_are_those_of_a_fresh_checkout() {
    let mut lines = README.lines().filter_map(|line| line.strip_prefix("$ "));
    assert_eq!(
        lines.next(),
        Some("cargo run --release -- wheel docopt==0.6.2")
    );
    assert_eq!(lines.next(), Some("cargo test --workspace"));
}

#[test]
fn flags_that_the_pages_name_exist() {
    let known = known_flags();
    for (name, page) in [
        ("README", README),
        ("start", START),
        ("from-pip-and-uv", FROM_PIP),
        ("install", INSTALL),
        ("policies", POLICIES),
        ("errors", include_str!("../../docs/errors.md")),
        ("threat-model", include_str!("../../docs/threat-model.md")),
    ] {
        for flag in flags(page) {
            assert!(known.contains(&flag), "{name}.md names `{flag}`");
        }
    }
}

/// Returns every `--word` of a page that is not part of another program's command.
fn flags(page: &str) -> Vec<String> {
    page.lines()
        .filter(|line| !line.contains("cargo ") && !line.contains("python -m"))
        .flat_map(|line| line.match_indices("--").map(move |(at, _)| (line, at)))
        .filter(|(line, at)| !line[..*at].ends_with(['-', '|']))
        .map(|(line, at)| {
            line[at..]
                .chars()
                .take_while(|letter| letter.is_ascii_lowercase() || *letter == '-')
                .collect::<String>()
        })
        .filter(|flag| flag.len() > 3)
        .map(|flag| flag.trim_end_matches('-').to_owned())
        .collect()
}

fn known_flags() -> Vec<String> {
    use clap::CommandFactory as _;
    let mut command = args::Arguments::command();
    command.build();
    // The last is no flag: it stands in files of requirements.
    let mut flags = ["--help", "--allow", "--hash"].map(str::to_owned).to_vec();
    let mut commands = vec![&command];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        for argument in command.get_arguments() {
            let names = argument.get_long_and_visible_aliases().unwrap_or_default();
            let hidden = argument.get_all_aliases().unwrap_or_default();
            flags.extend(
                names
                    .into_iter()
                    .chain(hidden)
                    .map(|name| format!("--{name}")),
            );
        }
    }
    flags
}

#[test]
fn words_of_isolation_are_all_explained() {
    for guarantee in Guarantee::ALL {
        let word = format!("`{}`", guarantee.word());
        assert!(GLOSSARY.contains(&word), "the glossary lacks {word}");
    }
    for level in [
        Level::Ns,
        Level::Confined,
        Level::Reduced,
        Level::NsOnly,
        Level::None,
    ] {
        let row = format!("| `{level}` |");
        assert!(README.contains(&row), "the table of levels lacks {level}");
    }
    assert_eq!(Guarantee::ALL.len(), 14, "the README says fourteen");
}

#[test]
fn every_exit_code_is_in_the_table() {
    for code in Code::ALL {
        let row = format!("| {} |", code.exit() as u8);
        assert!(EXIT_CODES.contains(&row), "{row}");
    }
}

#[test]
fn every_bucket_is_in_the_layout() {
    for bucket in Bucket::ALL {
        let folder = format!("`{}/", bucket.folder());
        assert!(CACHE_LAYOUT.contains(&folder), "{folder}");
    }
}

#[test]
fn every_policy_is_in_the_table() {
    for name in Policy::names() {
        assert!(POLICIES.contains(&format!("| `{name}` |")), "{name}");
    }
}
