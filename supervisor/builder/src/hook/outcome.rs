//! What a result file says. It was written by a stranger's process: every field may be missing.

use protocol::HookReturn;
use serde::Deserialize;

/// Requirements that a hook may ask for, and the length of one.
const MOST_REQUIREMENTS: usize = 500;
const LONGEST_REQUIREMENT: usize = 1000;

/// How a hook ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HookOutcome {
    /// It returned a list of strings.
    List(Vec<String>),
    /// It returned a string.
    Text(String),
    /// It returned something else; the name of its type.
    Other(String),
    /// The backend has no such hook.
    NoHook,
    /// The backend could not be imported.
    NoBackend {
        /// The message of the import error.
        message: String,
        /// The module that is missing, if it is not the backend itself.
        module: Option<String>,
    },
    /// It raised.
    Raised {
        /// The exception's class.
        kind: String,
        /// Its message.
        message: String,
        /// The module that an `ImportError` missed.
        module: Option<String>,
    },
    /// It called `sys.exit`.
    Exited(String),
    /// Its process ended without a result.
    Died {
        /// How, in words.
        how: String,
        /// The signal that ended it, if one did.
        signal: Option<i32>,
    },
    /// There is no result file, or it is not what the Python side writes.
    Unreadable(&'static str),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Raw {
    outcome: String,
    list: Option<Vec<String>>,
    text: Option<String>,
    other: Option<String>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    module: String,
    signal: Option<i32>,
    status: Option<i32>,
}

/// Reads a result.
pub(crate) fn read(returned: &HookReturn) -> HookOutcome {
    let Some(bytes) = &returned.result else {
        return HookOutcome::Unreadable("the hook left no result file that could be read");
    };
    let Ok(raw) = serde_json::from_slice::<Raw>(bytes) else {
        return HookOutcome::Unreadable("the hook's result file is not what it should be");
    };
    let module = (!raw.module.is_empty()).then(|| safe(&raw.module));
    match raw.outcome.as_str() {
        "returned" => match (raw.list, raw.text, raw.other) {
            (Some(list), _, _) if fits(&list) => HookOutcome::List(list),
            (Some(_), _, _) => {
                HookOutcome::Unreadable("the hook asks for more requirements than are taken")
            }
            (None, Some(text), _) => HookOutcome::Text(text),
            (None, None, other) => HookOutcome::Other(safe(&other.unwrap_or_default())),
        },
        "no-hook" => HookOutcome::NoHook,
        "no-backend" => HookOutcome::NoBackend {
            message: safe(&raw.message),
            module,
        },
        "raised" => HookOutcome::Raised {
            kind: safe(&raw.kind),
            message: safe(&raw.message),
            module,
        },
        "exited" => HookOutcome::Exited(safe(&raw.message)),
        "died" => HookOutcome::Died {
            how: match (raw.signal, raw.status) {
                (Some(signal), _) => format!("signal {signal} ended it"),
                (None, Some(status)) => format!("it exited with status {status}"),
                (None, None) => "it ended".to_owned(),
            },
            signal: raw.signal,
        },
        _ => HookOutcome::Unreadable("the hook's result file is not what it should be"),
    }
}

fn fits(list: &[String]) -> bool {
    list.len() <= MOST_REQUIREMENTS && list.iter().all(|one| one.len() <= LONGEST_REQUIREMENT)
}

fn safe(text: &str) -> String {
    crate::local::neutralised(text.replace('\n', " ").as_bytes())
}
