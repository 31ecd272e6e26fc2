//! One setting, wherever it is said: how flag, variable and files become one value.

use super::{Layers, Origin, SettingsError, Value};

/// One setting on its way from text to meaning: a flag, its variable and its key, one parser for all.
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

    /// Returns the value: the flag's, else the variable's, else that of the file that wins.
    ///
    /// # Errors
    /// If the text that wins does not fit; `parse` says why without repeating it.
    pub(crate) fn one<T>(
        self,
        typed: Option<&str>,
        layers: &Layers,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<Value<T>>, SettingsError> {
        let text = match (self.told(typed, layers)?, layers.winning(self.flag).pop()) {
            (Some(text), _) | (None, Some(text)) => text,
            (None, None) => return Ok(None),
        };
        text.parsed(parse).map(Some)
    }

    /// Returns the values of all layers, the one that wins last.
    ///
    /// # Errors
    /// If one of them does not fit.
    pub(crate) fn all<T>(
        self,
        typed: Option<&str>,
        layers: &Layers,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<Value<T>>, SettingsError> {
        let variable = self.told(None, layers)?;
        let flag = typed.map(|text| Value {
            value: text,
            origin: Origin::Flag(self.flag),
        });
        let files = layers.of(self.flag).into_iter().flatten();
        files
            .chain(variable)
            .chain(flag)
            .map(|text| text.parsed(&parse))
            .collect()
    }

    /// Returns the value that holds where there are narrower ones and wider ones: who may widen
    /// decides, the others are heard as far as they are narrower. `holds` is what holds without
    /// any; a file that is not heard is noted.
    ///
    /// # Errors
    /// If a variable is wider.
    pub(crate) fn narrowed<T>(
        self,
        asked: Vec<Value<T>>,
        mut holds: impl FnMut(Option<&Value<T>>, &T) -> bool,
        notes: &mut Vec<String>,
    ) -> Result<Option<Value<T>>, SettingsError> {
        // What the narrower ones are held against, and what holds.
        let (mut bound, mut held): (Option<Value<T>>, Option<Value<T>>) = (None, None);
        for value in asked {
            if value.origin.widens() {
                (bound, held) = (Some(value), None);
            } else if holds(bound.as_ref(), &value.value) {
                held = Some(value);
            } else if let Origin::File(place) = &value.origin {
                notes.push(format!(
                    "{place}: `{}` is not heard: it is wider than what holds without it, and {} may only narrow",
                    self.flag.trim_start_matches('-'),
                    place.layer.word()
                ));
            } else {
                let (origin, flag) = (value.origin, self.flag);
                return Err(SettingsError::Widens { origin, flag });
            }
        }
        Ok(held.or(bound))
    }

    /// Returns the values of a flag that may be given often; a variable holds them one a word.
    ///
    /// # Errors
    /// If one of them does not fit.
    pub(crate) fn many<T>(
        self,
        typed: &[String],
        layers: &Layers,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, SettingsError> {
        let texts = match self.told_often(typed, layers)? {
            told if told.is_empty() => layers.winning(self.flag),
            told => told,
        };
        texts
            .into_iter()
            .map(|text| text.parsed(&parse).map(|value| value.value))
            .collect()
    }

    /// Returns the values of such a flag from every file, and what was typed or stands in the variable.
    ///
    /// # Errors
    /// If one of them does not fit.
    pub(crate) fn every<T>(
        self,
        typed: &[String],
        layers: &Layers,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<Value<T>>, SettingsError> {
        let files = layers.of(self.flag).into_iter().flatten();
        files
            .chain(self.told_often(typed, layers)?)
            .map(|text| text.parsed(&parse))
            .collect()
    }

    /// Returns whether a switch is on: typed, else as its variable says, else as the file that wins.
    ///
    /// # Errors
    /// If a value is neither yes nor no.
    pub(crate) fn switch(self, typed: bool, layers: &Layers) -> Result<bool, SettingsError> {
        if typed {
            return Ok(true);
        }
        Ok(self
            .one(None, layers, super::words::yes_or_no)?
            .is_some_and(|value| value.value))
    }

    /// Returns whether a switch that narrows is on: who may not widen can not switch it off.
    ///
    /// # Errors
    /// If a value is neither yes nor no.
    pub(crate) fn demanded(self, typed: bool, layers: &Layers) -> Result<bool, SettingsError> {
        let mut on = false;
        for value in self.all(None, layers, super::words::yes_or_no)? {
            on = value.value || (on && !value.origin.widens());
        }
        Ok(on || typed)
    }

    /// Returns what was typed, or what the variable says.
    fn told<'a>(
        self,
        typed: Option<&'a str>,
        layers: &'a Layers,
    ) -> Result<Option<Value<&'a str>>, SettingsError> {
        if let Some(value) = typed {
            let origin = Origin::Flag(self.flag);
            return Ok(Some(Value { value, origin }));
        }
        let Some(name) = self.variable else {
            return Ok(None);
        };
        Ok(layers.environment.text(name)?.map(|value| Value {
            value,
            origin: Origin::Variable(name),
        }))
    }

    /// Returns what was typed, or the words of the variable.
    fn told_often<'a>(
        self,
        typed: &'a [String],
        layers: &'a Layers,
    ) -> Result<Vec<Value<&'a str>>, SettingsError> {
        if typed.is_empty() {
            let told = self.told(None, layers)?;
            let words = told.iter().flat_map(|told| {
                let origin = told.origin.clone();
                told.value.split_whitespace().map(move |value| Value {
                    value,
                    origin: origin.clone(),
                })
            });
            return Ok(words.collect());
        }
        let flags = typed.iter().map(|value| Value {
            value: value.as_str(),
            origin: Origin::Flag(self.flag),
        });
        Ok(flags.collect())
    }
}

impl Value<&str> {
    /// Understands the text.
    fn parsed<T>(
        self,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Value<T>, SettingsError> {
        let origin = self.origin;
        match parse(self.value) {
            Ok(value) => Ok(Value { value, origin }),
            Err(what) => Err(SettingsError::Unfit { origin, what }),
        }
    }
}
