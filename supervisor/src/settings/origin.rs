//! Where a value came from, and what can be wrong with one.

use std::path::PathBuf;

use model::Code;

use super::Environment;

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Typed, under this flag.
    Flag(&'static str),
    /// The variable of this name.
    Variable(&'static str),
    /// Neither.
    Default,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => write!(out, "`{flag}`"),
            Self::Variable(name) => write!(out, "the variable {name}"),
            Self::Default => out.write_str("the default"),
        }
    }
}

/// A value that knows where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value<T> {
    /// The value.
    pub(crate) value: T,
    /// Where it came from.
    pub(crate) origin: Origin,
}

/// Why a setting can not be understood. No variant repeats a value that may hold credentials.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// The value does not fit.
    #[error("{origin}: {what}")]
    Unfit {
        /// Where the value came from.
        origin: Origin,
        /// What is wrong with it.
        what: String,
    },
    /// A variable is not UTF-8.
    #[error("the variable {name} is not UTF-8 text")]
    NotText {
        /// Its name.
        name: &'static str,
    },
    /// There is no place for the cache.
    #[error("there is no place for a cache: neither XDG_CACHE_HOME nor HOME is an absolute path")]
    NoCachePlace,
    /// The working directory is gone.
    #[error("the working directory can not be used")]
    NoDirectory(#[source] std::io::Error),
    /// A file of constraints can not be read.
    #[error("could not read `{}`", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A line of a file of constraints does not fit.
    #[error("{}:{line}: {what}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// `--no-build-isolation`
    #[error("`--no-build-isolation` is refused")]
    NoBuildIsolation,
    /// `--refresh` without a network.
    #[error("`--offline` and `--refresh` or `--refresh-package` contradict each other")]
    OfflineRefresh,
}

impl SettingsError {
    /// Returns the stable code.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::NoCachePlace => Code::CachePlace,
            Self::NoBuildIsolation => Code::FlagRefused,
            _ => Code::BadFlag,
        }
    }

    /// Returns how to fix it, where one sentence can say it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NoCachePlace => Some("name one: --cache-dir DIR".to_owned()),
            Self::NoBuildIsolation => Some(
                "drop the flag, and name what the package forgot to declare: --extra-build-dep PKG:REQ"
                    .to_owned(),
            ),
            Self::OfflineRefresh => Some("drop one of them".to_owned()),
            _ => None,
        }
    }

    /// Returns the reason behind it, where there is more to say than the message.
    pub(crate) fn why(&self) -> Option<&'static str> {
        match self {
            Self::NoBuildIsolation => Some(
                "it would build against whatever is installed here: packages that nobody asked for could change the wheel, and it could be no other build's wheel",
            ),
            _ => None,
        }
    }
}

/// One setting on its way from text to meaning: a flag, its variable, one parser for both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Twin {
    /// The flag, with its dashes.
    pub(crate) flag: &'static str,
    /// Its variable; none for what widens.
    pub(crate) variable: Option<&'static str>,
}

impl Twin {
    /// Names a flag and its variable.
    pub(crate) const fn new(flag: &'static str, variable: &'static str) -> Self {
        Self {
            flag,
            variable: Some(variable),
        }
    }

    /// Names a flag that has no variable, because it widens.
    pub(crate) const fn flag_only(flag: &'static str) -> Self {
        Self {
            flag,
            variable: None,
        }
    }

    /// Returns the value: the flag's, else the variable's, else none.
    ///
    /// # Errors
    /// If the text that wins does not fit; `parse` says why without repeating it.
    pub(crate) fn one<T>(
        self,
        typed: Option<&str>,
        environment: &Environment,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<Value<T>>, SettingsError> {
        let (text, origin) = if let Some(text) = typed {
            (text, Origin::Flag(self.flag))
        } else if let Some(name) = self.variable
            && let Some(text) = environment.text(name)?
        {
            (text, Origin::Variable(name))
        } else {
            return Ok(None);
        };
        match parse(text) {
            Ok(value) => Ok(Some(Value { value, origin })),
            Err(what) => Err(SettingsError::Unfit { origin, what }),
        }
    }

    /// Returns the values of a flag that may be given often; a variable holds them one a word.
    ///
    /// # Errors
    /// If one of them does not fit.
    pub(crate) fn many<T>(
        self,
        typed: &[String],
        environment: &Environment,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, SettingsError> {
        let (texts, origin): (Vec<&str>, _) = if !typed.is_empty() {
            (
                typed.iter().map(String::as_str).collect(),
                Origin::Flag(self.flag),
            )
        } else if let Some(name) = self.variable
            && let Some(text) = environment.text(name)?
        {
            (text.split_whitespace().collect(), Origin::Variable(name))
        } else {
            return Ok(Vec::new());
        };
        texts
            .into_iter()
            .map(|text| parse(text).map_err(|what| SettingsError::Unfit { origin, what }))
            .collect()
    }

    /// Returns whether a switch is on: typed, or its variable says so.
    ///
    /// # Errors
    /// If the variable is neither yes nor no.
    pub(crate) fn switch(
        self,
        typed: bool,
        environment: &Environment,
    ) -> Result<bool, SettingsError> {
        if typed {
            return Ok(true);
        }
        Ok(self
            .one(None, environment, super::words::yes_or_no)?
            .is_some_and(|value| value.value))
    }
}
