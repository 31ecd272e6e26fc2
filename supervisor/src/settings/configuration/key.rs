//! The keys of a configuration file: one row each, with its flag, its form and its rule.

use super::Rule;

/// One key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// As it stands in a file.
    pub(super) name: &'static str,
    /// The flag whose text it holds; a key without a flag stands for itself.
    pub(super) flag: &'static str,
    pub(super) form: Form,
    pub(super) rule: Rule,
    pub(super) names: Names,
}

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A string, or a whole number.
    Word,
    /// A string or a list of strings.
    List,
    /// True or false.
    Switch,
    /// A table of strings or lists of strings; key and value are typed with this sign between them.
    Table(char),
}

/// Whether a text names a path, which hangs on the folder of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// It does not.
    Words,
    /// It does.
    Path,
    /// It does if it holds a `/` or ends in `.toml`, and is no URL.
    WordOrPath,
    /// It does, unless it is a URL.
    PathOrUrl,
}

macro_rules! keys {
    ($($name:literal $flag:literal $form:expr, $rule:ident $names:ident;)*) => {
        /// Every key.
        pub(super) const KEYS: &[Key] = &[$(Key {
            name: $name,
            flag: $flag,
            form: $form,
            rule: Rule::$rule,
            names: Names::$names,
        },)*];
    };
}

keys! {
    "policy" "--policy" Form::Word, Ordered WordOrPath;
    "min-isolation" "--min-isolation" Form::Word, Ordered Words;
    "timeout" "--timeout" Form::Word, Ordered Words;
    "idle-timeout" "--idle-timeout" Form::Word, Ordered Words;
    "memory" "--memory" Form::Word, Ordered Words;
    "disk" "--disk" Form::Word, Ordered Words;
    "processes" "--processes" Form::Word, Ordered Words;
    "log-limit" "--log-limit" Form::Word, Ordered Words;
    "exclude-newer" "--exclude-newer" Form::Word, Ordered Words;
    "require" "--require" Form::List, Narrows Words;
    "strict-output" "--strict-output" Form::Switch, Narrows Words;
    "offline" "--offline" Form::Switch, Narrows Words;
    "config-settings" "--config-setting" Form::Table('='), Narrows Words;
    "config-settings-package" "--config-setting-package" Form::Table(':'), Narrows Words;
    "extra-build-dependencies" "--extra-build-dep" Form::Table(':'), Narrows Words;
    "build-constraint" "--build-constraint" Form::List, Narrows Path;
    "require-build-hashes" "--require-build-hashes" Form::Switch, Narrows Words;
    "constraint" "--constraint" Form::List, Narrows Path;
    "require-hashes" "--require-hashes" Form::Switch, Narrows Words;
    "allow-read" "--allow-read" Form::List, Widens Path;
    "allow-write" "--allow-write" Form::List, Widens Path;
    "allow-exec" "--allow-exec" Form::List, Widens Path;
    "allow-env" "--allow-env" Form::List, Widens Words;
    "allow-url-build-requires" "--allow-url-build-requires" Form::Switch, Widens Words;
    "worker" "worker" Form::Word, Widens Path;
    "default-index" "--default-index" Form::Word, Personal Words;
    "index" "--index" Form::List, Personal Words;
    "explicit-index" "--explicit-index" Form::List, Personal Words;
    "index-package" "--index-package" Form::Table(':'), Personal Words;
    "find-links" "--find-links" Form::List, Personal PathOrUrl;
    "no-index" "--no-index" Form::Switch, Personal Words;
    "index-cache-control" "--index-cache-control" Form::List, Personal Words;
    "keyring-provider" "--keyring-provider" Form::Word, Personal Words;
    "no-binary" "--no-binary" Form::List, Personal Words;
    "only-binary" "--only-binary" Form::List, Personal Words;
    "prefer-binary" "--prefer-binary" Form::Switch, Personal Words;
    "pre" "--pre" Form::Switch, Personal Words;
    "python" "--python" Form::Word, Personal WordOrPath;
    "jobs" "--jobs" Form::Word, Personal Words;
    "cache-dir" "--cache-dir" Form::Word, Personal Path;
    "cache-readonly" "--cache-readonly" Form::List, Personal Path;
    "scratch-dir" "--scratch-dir" Form::Word, Personal Path;
    "lock-timeout" "--lock-timeout" Form::Word, Personal Words;
    "keep-scratch" "--keep-scratch" Form::Switch, Personal Words;
}

impl Key {
    /// Returns the text as it would be typed, a path of it beginning at `folder`.
    pub(super) fn typed(&self, text: &str, folder: &std::path::Path) -> String {
        if self.is_path(text) {
            folder.join(text).display().to_string()
        } else {
            text.to_owned()
        }
    }

    /// Whether the text names a path.
    pub(super) fn is_path(&self, text: &str) -> bool {
        let url = text.contains("://");
        match self.names {
            Names::Words => false,
            Names::Path => !text.is_empty(),
            Names::WordOrPath => !url && (text.contains('/') || text.ends_with(".toml")),
            Names::PathOrUrl => !url && !text.starts_with("file:") && !text.is_empty(),
        }
    }
}
