//! Markers of locks: those of PEP 508, and `'x' in extras`, `'x' in dependency_groups` (PEP 751).
//!
//! The structure is read here; a comparison of the older kind goes through the lenient door by itself.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use model::{MarkerEnvironment, lenient};

/// Parentheses within each other at most.
const DEEPEST: usize = 50;
/// Comparisons at most.
const MOST: usize = 500;

/// What a marker is judged by.
pub(super) struct Here<'a> {
    pub(super) markers: &'a MarkerEnvironment,
    pub(super) extras: &'a BTreeSet<String>,
    pub(super) groups: &'a BTreeSet<String>,
}

/// A marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LockMarker {
    /// `and`
    All(Vec<Self>),
    /// `or`
    Any(Vec<Self>),
    /// A comparison of PEP 508.
    Old(pep508_rs::MarkerTree),
    /// `'NAME' in extras` or `dependency_groups`
    Of {
        name: String,
        groups: bool,
        inside: bool,
    },
}

impl LockMarker {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let words = words(text)?;
        if words.iter().filter(|word| word.is_string()).count() > MOST {
            return Err("it has too many comparisons".to_owned());
        }
        let mut reader = Reader {
            words: &words,
            at: 0,
            depth: 0,
        };
        let marker = reader.any()?;
        match reader.peek() {
            None => Ok(marker),
            Some(word) => Err(format!("`{}` is not expected", word.shown())),
        }
    }

    pub(super) fn holds(&self, here: &Here<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(here)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(here)),
            Self::Old(tree) => tree.evaluate(here.markers, &[]),
            Self::Of {
                name,
                groups,
                inside,
            } => {
                let set = if *groups { here.groups } else { here.extras };
                set.contains(name) == *inside
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Open,
    Close,
    /// A name, an operator, `and`, `or`, `in`, `not`.
    Plain(String),
    /// With the quote that is around it.
    Quoted(char, String),
}

impl Word {
    fn is_string(&self) -> bool {
        matches!(self, Self::Quoted(..))
    }

    fn is(&self, text: &str) -> bool {
        matches!(self, Self::Plain(word) if word == text)
    }

    fn shown(&self) -> String {
        lenient::printable(&self.written())
    }

    fn written(&self) -> String {
        match self {
            Self::Open => "(".to_owned(),
            Self::Close => ")".to_owned(),
            Self::Plain(word) => word.clone(),
            Self::Quoted(quote, text) => format!("{quote}{text}{quote}"),
        }
    }
}

fn words(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, length) = match first {
            '(' => (Word::Open, 1),
            ')' => (Word::Close, 1),
            '"' | '\'' => {
                let inside = rest[1..].split(first).next().unwrap_or_default();
                if inside.len() + 2 > rest.len() {
                    return Err("a quote is not closed".to_owned());
                }
                (Word::Quoted(first, inside.to_owned()), inside.len() + 2)
            }
            _ => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
                let is_sign = |c: char| matches!(c, '<' | '>' | '=' | '!' | '~');
                let kind: &dyn Fn(char) -> bool = if is_name(first) {
                    &is_name
                } else if is_sign(first) {
                    &is_sign
                } else {
                    return Err(format!("`{}` is not expected", first.escape_debug()));
                };
                let end = rest.find(|c| !kind(c)).unwrap_or(rest.len());
                (Word::Plain(rest[..end].to_owned()), end)
            }
        };
        words.push(word);
        rest = rest[length..].trim_start();
    }
    Ok(words)
}

struct Reader<'a> {
    words: &'a [Word],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Word> {
        self.words.get(self.at)
    }

    fn next(&mut self) -> Result<Word, String> {
        let word = self.words.get(self.at).ok_or("it ends too early")?;
        self.at += 1;
        Ok(word.clone())
    }

    fn any(&mut self) -> Result<LockMarker, String> {
        let mut parts = vec![self.all()?];
        while self.peek().is_some_and(|word| word.is("or")) {
            self.at += 1;
            parts.push(self.all()?);
        }
        Ok(one_or(parts, LockMarker::Any))
    }

    fn all(&mut self) -> Result<LockMarker, String> {
        let mut parts = vec![self.one()?];
        while self.peek().is_some_and(|word| word.is("and")) {
            self.at += 1;
            parts.push(self.one()?);
        }
        Ok(one_or(parts, LockMarker::All))
    }

    fn one(&mut self) -> Result<LockMarker, String> {
        if self.peek() == Some(&Word::Open) {
            self.at += 1;
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err("it is nested too deeply".to_owned());
            }
            let marker = self.any()?;
            self.depth -= 1;
            return match self.next()? {
                Word::Close => Ok(marker),
                other => Err(format!("`{}` stands where `)` belongs", other.shown())),
            };
        }
        let left = self.next()?;
        let mut operator = self.next()?.written();
        if operator == "not" {
            if !self.next()?.is("in") {
                return Err("`not` stands before `in`".to_owned());
            }
            operator = "not in".to_owned();
        }
        let right = self.next()?;
        self.comparison(&left, &operator, &right)
    }

    fn comparison(&self, left: &Word, operator: &str, right: &Word) -> Result<LockMarker, String> {
        let groups = right.is("dependency_groups");
        if groups || right.is("extras") {
            let Word::Quoted(_, name) = left else {
                return Err(format!("`{}` is not a string", left.shown()));
            };
            let inside = match operator {
                "in" => true,
                "not in" => false,
                _ => return Err("extras and groups are compared with `in` and `not in`".to_owned()),
            };
            return Ok(LockMarker::Of {
                name: super::normal(name),
                groups,
                inside,
            });
        }
        let text = format!("{} {operator} {}", left.written(), right.written());
        // By way of a requirement: the lenient door guards the parser behind it.
        lenient::requirement(&format!("a ; {text}"))
            .map_err(|error| error.why)
            .and_then(|_| {
                pep508_rs::MarkerTree::from_str(&text).map_err(|error| error.message.to_string())
            })
            .map(LockMarker::Old)
    }
}

fn one_or(mut parts: Vec<LockMarker>, many: fn(Vec<LockMarker>) -> LockMarker) -> LockMarker {
    match parts.len() {
        1 => parts.remove(0),
        _ => many(parts),
    }
}
