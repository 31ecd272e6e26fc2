//! The corridor of the supervisor: arguments, talk, configuration, one command, one exit code.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::error::ErrorKind;
use jiff::Timestamp;
use model::Code;

use crate::args::{self, Arguments};
use crate::command::{self, Surroundings};
use crate::render::{Problem, Talk};
use crate::settings::{Environment, Layers, TalkSettings};
use crate::{compose, data, exit, logging};

/// Runs the supervisor; `system` is the folder of the system's configuration file.
pub(crate) fn run(system: &Path) -> ExitCode {
    if !cfg!(target_os = "linux") {
        let talk = Talk::new(TalkSettings::PLAIN);
        talk.problem(&Problem::new(
            Code::Isolation,
            "fumehood builds behind Landlock, seccomp and namespaces, which only Linux has",
        ));
        return exit::code(Some(Code::Isolation));
    }
    let layers = Layers::from(Environment::of_process());
    match args::parse(std::env::args_os()) {
        Ok(arguments) => with(arguments, layers, system),
        Err(error) => without(&error, &layers),
    }
}

/// Runs the command that was typed.
fn with(arguments: Arguments, layers: Layers, system: &Path) -> ExitCode {
    let talk = match TalkSettings::new(&arguments.talk, &layers) {
        Ok(settings) => Talk::new(settings),
        Err(error) => {
            let talk = Talk::new(TalkSettings::PLAIN);
            talk.problem(&compose::of_settings(&error));
            return exit::code(Some(error.code()));
        }
    };
    logging::start(&layers.environment, arguments.talk.verbose);
    for note in layers.environment.unread() {
        talk.note(&note);
    }
    let talk = Arc::new(talk);
    let ran = configured(&arguments, layers, system).and_then(|layers| {
        for note in &layers.notes {
            talk.note(note);
        }
        let around = Surroundings {
            layers,
            talk: Arc::clone(&talk),
            now: Timestamp::now(),
        };
        command::run(arguments.command, &around)
    });
    let code = ran.unwrap_or_else(|problem| {
        talk.end();
        talk.problem(&problem);
        Some(problem.code)
    });
    exit::code(code)
}

/// Puts the configuration files below the variables, if the command has settings.
fn configured(arguments: &Arguments, layers: Layers, system: &Path) -> Result<Layers, Problem> {
    if arguments.command.has_settings() {
        compose::configuration(&arguments.configuration, layers.environment, system)
    } else {
        Ok(layers)
    }
}

/// Answers words that are no command: help and the version are data, everything else is an error.
fn without(error: &clap::Error, layers: &Layers) -> ExitCode {
    let settings =
        TalkSettings::new(&args::TalkArgs::default(), layers).unwrap_or(TalkSettings::PLAIN);
    let talk = Talk::new(settings);
    let text = error.render().to_string();
    let problem = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match data::put(&text) {
            Ok(()) => return exit::code(None),
            Err(problem) => problem,
        },
        // Without a command clap gives the help as an error: it is what was missing.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            talk.say(text.trim_end());
            return exit::code(Some(Code::BadFlag));
        }
        _ => usage(&text),
    };
    talk.problem(&problem);
    exit::code(Some(problem.code))
}

/// Puts clap's words into the shape of our errors.
fn usage(text: &str) -> Problem {
    // What was typed may hold a URL with a password, and clap repeats it.
    let text = model::lenient::without_credentials(text);
    let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
    // The first paragraph says what is wrong, in several lines at times; the others how it is used.
    let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let message: Vec<_> = message.split_whitespace().collect();
    let problem = Problem::new(Code::BadFlag, message.join(" "));
    match rest.trim() {
        "" => problem,
        rest => problem.fix(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_flag_that_does_not_exist_is_not_repeated() {
        let words = [
            "fumehood",
            "wheel",
            "--idx=https://me:s3cret@example.invalid/",
            "x",
        ];
        let error = args::parse(words.map(Into::into)).expect_err("there is no such flag");
        let problem = usage(&error.render().to_string());
        assert!(!problem.render().contains("s3cret"), "{problem:?}");
    }

    #[test]
    fn a_flag_that_does_not_exist_is_a_problem_with_a_code() {
        let error = args::parse(["fumehood", "wheel", "--no-such-flag", "x"].map(Into::into))
            .expect_err("there is no such flag");
        let problem = usage(&error.render().to_string());
        assert_eq!(problem.code, Code::BadFlag);
        assert!(problem.message.contains("--no-such-flag"), "{problem:?}");
        assert!(problem.hint.is_some_and(|hint| hint.contains("Usage:")));
    }
}
