//! What a failed build says about itself: whether a file that it was refused can be the cause, and which.
//! Pure. A build writes its own words, so nothing is decided by them but what people are told.

use protocol::{AbsPath, Touch};

use crate::hook_failure::HookProblem;

/// Exceptions that tell of the code alone, whatever files there are.
const PLAIN_KINDS: [&str; 8] = [
    "SyntaxError",
    "IndentationError",
    "TabError",
    "NameError",
    "UnboundLocalError",
    "AttributeError",
    "TypeError",
    "ModuleNotFoundError",
];

/// What programs say when they may not, whatever else they say.
const REFUSED: [&str; 6] = [
    "Permission denied",
    "PermissionError",
    "Operation not permitted",
    "Read-only file system",
    "EACCES",
    "EPERM",
];

/// What a compiler or linker says of the code that it was given.
const DIAGNOSTICS: [&str; 4] = [
    ": error: ",
    ": fatal error: ",
    "undefined reference to ",
    ": syntax error",
];

/// What programs say of a file that they do not find; a refused one looks so at level `ns`.
const MISSING: [&str; 4] = [
    "No such file or directory",
    "not found",
    "cannot find ",
    "does not exist",
];

/// Whether a failure is known to be one that no grant of a file would cure. `log` is the end of the build's output.
pub(crate) fn is_plain(problem: &HookProblem, log: &str) -> bool {
    let said = problem.to_string();
    if REFUSED
        .iter()
        .any(|words| said.contains(words) || log.contains(words))
    {
        return false;
    }
    match problem {
        HookProblem::NoHook | HookProblem::Returned(_) | HookProblem::Unreadable(_) => true,
        HookProblem::NoBackend {
            module: Some(_), ..
        } => true,
        HookProblem::Raised {
            module: Some(_), ..
        } => true,
        HookProblem::Raised { kind, message, .. } if PLAIN_KINDS.contains(&kind.as_str()) => {
            // What a function that found nothing returned.
            !message.contains("NoneType")
        }
        HookProblem::Raised { kind, message, .. } if kind == "FileNotFoundError" => {
            // A name without a root is looked for in the source. Python says it in the log as well.
            let others = log.lines().filter(|line| !line.contains(message.as_str()));
            !message.contains("'/") && !others.into_iter().any(misses_a_file)
        }
        HookProblem::NoBackend { .. } | HookProblem::Died { .. } => false,
        HookProblem::Raised { .. } | HookProblem::Exited(_) => {
            is_diagnosed(log) && !log.lines().any(misses_a_file)
        }
    }
}

fn is_diagnosed(log: &str) -> bool {
    log.lines()
        .any(|line| DIAGNOSTICS.iter().any(|words| line.contains(words)))
}

fn misses_a_file(line: &str) -> bool {
    MISSING.iter().any(|words| line.contains(words))
}

/// Whether what was said names a path that was refused: whole, or by its last name beside words of refusal.
pub(crate) fn names(said: &str, path: &AbsPath, touch: Touch) -> bool {
    let whole = path.to_string();
    if has_word(said, &whole) {
        return true;
    }
    let last = path.as_path().file_name().and_then(|name| name.to_str());
    // A short name stands in many sentences.
    let last = last.filter(|name| name.len() >= 4 && touch != Touch::Write);
    last.is_some_and(|name| {
        said.lines().any(|line| {
            let refused = REFUSED.iter().chain(&MISSING);
            has_word(line, name) && refused.into_iter().any(|words| line.contains(words))
        })
    })
}

/// Whether `word` stands in `text` and is not a part of a longer name.
fn has_word(text: &str, word: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '/' | '_' | '-');
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut rest = text[at + word.len()..].chars();
        let after = rest.next();
        let ends = match after {
            // The end of a sentence is no extension.
            Some('.') => !rest.next().is_some_and(char::is_alphanumeric),
            Some(c) => !goes_on(c),
            None => true,
        };
        let starts = word.starts_with('/') || !before.is_some_and(|c| goes_on(c) && c != '/');
        ends && starts && !(word.starts_with('/') && before.is_some_and(|c| goes_on(c) || c == '.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raised(kind: &str, message: &str) -> HookProblem {
        HookProblem::Raised {
            kind: kind.to_owned(),
            message: message.to_owned(),
            module: None,
        }
    }

    #[test]
    fn errors_of_the_code_are_plain() {
        for kind in PLAIN_KINDS {
            assert!(is_plain(&raised(kind, "whatever"), ""), "{kind}");
        }
        let missing = HookProblem::NoBackend {
            message: "No module named 'x'".to_owned(),
            module: Some("x".to_owned()),
        };
        assert!(is_plain(&missing, ""));
        assert!(is_plain(&HookProblem::NoHook, ""));
        assert!(is_plain(&HookProblem::Returned("None".to_owned()), ""));
        let own = raised(
            "FileNotFoundError",
            "[Errno 2] No such file or directory: 'README'",
        );
        let log = "Traceback\nFileNotFoundError: [Errno 2] No such file or directory: 'README'\n";
        assert!(is_plain(&own, "") && is_plain(&own, log));
        assert!(!is_plain(&own, "sh: 1: /opt/kit/bin/gen: not found\n"));
    }

    #[test]
    fn a_compiler_that_complains_about_the_code_is_plain_and_one_that_misses_a_file_is_not() {
        let failed = raised(
            "CompileError",
            "command '/usr/bin/gcc' failed with exit code 1",
        );
        assert!(is_plain(
            &failed,
            "a.c:3:1: error: expected ';' before '}' token\n"
        ));
        assert!(is_plain(
            &HookProblem::Exited("1".to_owned()),
            "a.o: undefined reference to `f'\n"
        ));
        for missing in [
            "a.c:1:10: fatal error: kit.h: No such file or directory\n",
            "/usr/bin/ld: cannot find -lkit: No such file or directory\na.c:1: error: x\n",
            "sh: 1: /opt/kit/bin/gen: not found\n",
        ] {
            assert!(!is_plain(&failed, missing), "{missing}");
        }
    }

    #[test]
    fn words_of_refusal_and_what_nobody_knows_are_not_plain() {
        for problem in [
            raised(
                "PermissionError",
                "[Errno 13] Permission denied: '/opt/kit/data'",
            ),
            raised(
                "FileNotFoundError",
                "[Errno 2] No such file or directory: '/opt/kit/data'",
            ),
            raised("RuntimeError", "no data"),
            raised(
                "AttributeError",
                "'NoneType' object has no attribute 'group'",
            ),
            raised(
                "CalledProcessError",
                "Command '['make']' returned non-zero exit status 2.",
            ),
            HookProblem::Exited("1".to_owned()),
            HookProblem::Died {
                how: "signal 6 ended Python".to_owned(),
                signal: Some(6),
            },
        ] {
            assert!(!is_plain(&problem, ""), "{problem}");
        }
        let plain = raised("TypeError", "whatever");
        assert!(
            !is_plain(&plain, "open: Permission denied\n"),
            "the log tells more"
        );
    }

    #[test]
    fn a_refused_path_is_found_where_it_is_named() {
        let path = AbsPath::new("/opt/kit/data.txt").unwrap();
        let names = |said: &str| names(said, &path, Touch::Read);
        for said in [
            "PermissionError: [Errno 13] Permission denied: '/opt/kit/data.txt'",
            "cannot open /opt/kit/data.txt.",
            "gcc: error: /opt/kit/data.txt: Permission denied",
            "data.txt: No such file or directory",
            "x: /elsewhere/link/data.txt: Permission denied",
        ] {
            assert!(names(said), "{said}");
        }
        for said in [
            "",
            "/opt/kit/data.txt.orig was read",
            "/opt/kit/data.txt/x is a folder",
            "/mnt/opt/kit/data.txt: no",
            "data.txt is nice",
            "olddata.txt: No such file or directory",
        ] {
            assert!(!names(said), "{said}");
        }
    }
}
