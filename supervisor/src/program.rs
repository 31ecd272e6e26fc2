//! The corridor of the supervisor: arguments, talk, one command, one exit code.

use std::process::ExitCode;
use std::sync::Arc;

use clap::error::ErrorKind;
use jiff::Timestamp;
use model::Code;

use crate::args::{self, Arguments};
use crate::command::{self, Surroundings};
use crate::render::{Problem, Talk};
use crate::settings::{Environment, TalkSettings};
use crate::{compose, data, exit, logging};

/// Runs the supervisor.
pub(crate) fn run() -> ExitCode {
    if !cfg!(target_os = "linux") {
        let talk = Talk::new(TalkSettings::PLAIN);
        talk.problem(&Problem::new(
            Code::Isolation,
            "fumehood builds behind Landlock, seccomp and namespaces, which only Linux has",
        ));
        return exit::code(Some(Code::Isolation));
    }
    let environment = Environment::of_process();
    match args::parse(std::env::args_os()) {
        Ok(arguments) => with(arguments, environment),
        Err(error) => without(&error, &environment),
    }
}

/// Runs the command that was typed.
fn with(arguments: Arguments, environment: Environment) -> ExitCode {
    let talk = match TalkSettings::new(&arguments.talk, &environment) {
        Ok(settings) => Talk::new(settings),
        Err(error) => {
            let talk = Talk::new(TalkSettings::PLAIN);
            talk.problem(&compose::of_settings(&error));
            return exit::code(Some(error.code()));
        }
    };
    logging::start(&environment, arguments.talk.verbose);
    for note in environment.unread() {
        talk.note(&note);
    }
    let around = Surroundings {
        environment,
        talk: Arc::new(talk),
        now: Timestamp::now(),
    };
    let code = match command::run(arguments.command, &around) {
        Ok(code) => code,
        Err(problem) => {
            around.talk.end();
            around.talk.problem(&problem);
            Some(problem.code)
        }
    };
    exit::code(code)
}

/// Answers words that are no command: help and the version are data, everything else is an error.
fn without(error: &clap::Error, environment: &Environment) -> ExitCode {
    let settings =
        TalkSettings::new(&args::TalkArgs::default(), environment).unwrap_or(TalkSettings::PLAIN);
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
