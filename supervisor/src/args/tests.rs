use super::*;

fn parse_words(words: &[&str]) -> Result<Arguments, Box<clap::Error>> {
    parse(words.iter().map(OsString::from))
}

fn help(path: &[&str]) -> String {
    let mut command = Arguments::command().term_width(100);
    command.build();
    let mut at = &mut command;
    for name in path {
        at = at
            .find_subcommand_mut(name)
            .unwrap_or_else(|| panic!("no command {name}"));
    }
    at.render_long_help().to_string()
}

#[test]
fn the_definition_of_the_arguments_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn help_lists_the_commands_that_work() {
    insta::assert_snapshot!(help(&[]));
}

#[test]
fn help_of_wheel_lists_the_flags_that_work() {
    insta::assert_snapshot!(help(&["wheel"]));
}

#[test]
fn help_of_install_lists_the_flags_that_work() {
    insta::assert_snapshot!(help(&["install"]));
}

#[test]
fn help_of_fetch() {
    insta::assert_snapshot!(help(&["fetch"]));
}

#[test]
fn help_of_doctor() {
    insta::assert_snapshot!(help(&["doctor"]));
}

#[test]
fn names_that_people_know_are_accepted() {
    let arguments = parse_words(&[
        "fumehood",
        "wheel",
        "six",
        "-w",
        "out",
        "--index-url",
        "https://example.invalid/simple/",
        "--extra-index-url",
        "https://other.example.invalid/simple/",
    ])
    .unwrap();
    let Command::Wheel(wheel) = arguments.command else {
        panic!("{arguments:?}");
    };
    assert_eq!(wheel.out.out_dir.as_deref(), Some("out"));
    assert_eq!(
        wheel.index.default_index.as_deref(),
        Some("https://example.invalid/simple/")
    );
    assert_eq!(wheel.index.index, ["https://other.example.invalid/simple/"]);
}

#[test]
fn the_order_between_no_binary_and_only_binary_is_kept() {
    let arguments = parse_words(&[
        "fumehood",
        "wheel",
        "six",
        "--no-binary",
        ":all:",
        "--only-binary",
        "numpy",
        "--no-binary=attrs",
    ])
    .unwrap();
    let Command::Wheel(wheel) = arguments.command else {
        panic!("{arguments:?}");
    };
    let formats: Vec<_> = wheel
        .index
        .formats
        .iter()
        .map(|(format, names)| (*format, names.as_str()))
        .collect();
    assert_eq!(
        formats,
        [
            (Format::NoBinary, ":all:"),
            (Format::OnlyBinary, "numpy"),
            (Format::NoBinary, "attrs")
        ]
    );
}

#[test]
fn talk_flags_are_accepted_behind_the_command_too() {
    let arguments = parse_words(&["fumehood", "cache", "dir", "-qq"]).unwrap();
    assert_eq!(arguments.talk.quiet, 2);
}

#[test]
fn being_loud_and_quiet_at_once_is_refused() {
    parse_words(&["fumehood", "-v", "-q", "cache", "dir"]).unwrap_err();
}

#[test]
fn wheel_without_anything_to_make_is_refused() {
    parse_words(&["fumehood", "wheel"]).unwrap_err();
}
