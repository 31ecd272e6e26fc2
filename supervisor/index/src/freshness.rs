//! How long a stored answer may be used without asking (RFC 9111). Pure: time is an argument.
//!
//! No heuristics, which RFC 9111 (4.2.2) allows and does not ask for: an answer that does not say how
//! long it lives is asked for again by each run, with its validators. A lifetime of our own would
//! hide a file that was uploaded a moment ago, from whoever waits for it; the usual guess, a tenth of
//! the page's age, hides it the longer the quieter a project was. pip asks for project pages again
//! whatever they say. Who knows better of an index says it with `--index-cache-control`.

use serde::{Deserialize, Serialize};

/// Seconds; whatever an index says, it is asked once in a day.
const LONGEST: u64 = 24 * 60 * 60;

/// The headers of an answer that matter here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Headers {
    pub(crate) cache_control: Option<String>,
    /// Seconds the answer has spent in other caches.
    pub(crate) age: Option<u64>,
    /// When it was made, seconds of Unix time.
    pub(crate) date: Option<i64>,
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

/// What is stored beside a page or file: how long it lives, and how to ask whether it changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// Seconds of Unix time at which the answer came.
    stored: i64,
    /// Its age at that time, in seconds.
    #[serde(default)]
    age: u64,
    /// Seconds from then on for which it may be used.
    lifetime: u64,
    /// It must not be kept.
    #[serde(skip)]
    pub(crate) no_store: bool,
    /// Validators, as they came.
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

impl Freshness {
    /// Judges an answer that came at `now`.
    pub(crate) fn of(headers: Headers, now: i64) -> Self {
        let (lifetime, no_store) = understand(&headers.cache_control.unwrap_or_default());
        // The age is the larger of what caches claim and what the date shows (RFC 9111, 4.2.3).
        let apparent = headers
            .date
            .map_or(0, |date| now.saturating_sub(date).max(0));
        let age = headers.age.unwrap_or(0).max(apparent.unsigned_abs());
        Self {
            stored: now,
            age,
            lifetime: lifetime.saturating_sub(age),
            no_store,
            etag: headers.etag,
            last_modified: headers.last_modified,
        }
    }

    /// Returns whether the answer may be used at `now` without asking.
    pub(crate) fn is_fresh(&self, now: i64) -> bool {
        self.lives(self.lifetime, now)
    }

    /// The same, where the user says `control` in place of what the answer said.
    pub(crate) fn is_fresh_by(&self, control: &str, now: i64) -> bool {
        let (lifetime, _) = understand(control);
        self.lives(lifetime.saturating_sub(self.age), now)
    }

    /// Whether there is something to ask a server with.
    pub(crate) fn can_be_validated(&self) -> bool {
        self.etag.is_some() || self.last_modified.is_some()
    }

    /// Lets the user's `control` say whether it may be kept.
    pub(crate) fn override_storing(&mut self, control: &str) {
        (_, self.no_store) = understand(control);
    }

    fn lives(&self, lifetime: u64, now: i64) -> bool {
        // A clock that went back makes everything stale.
        now.checked_sub(self.stored)
            .and_then(|age| u64::try_from(age).ok())
            .is_some_and(|age| age < lifetime)
    }

    /// Whether it says no more at `now` than `before` did: it has to be asked for again, with the same validators.
    pub(crate) fn adds_nothing(&self, before: &Self, now: i64) -> bool {
        !self.no_store
            && !self.is_fresh(now)
            && (&self.etag, &self.last_modified) == (&before.etag, &before.last_modified)
    }

    /// Takes over what an answer with status 304 said at `now`; validators stay if it names none.
    pub(crate) fn renewed(&self, headers: Headers, now: i64) -> Self {
        let mut renewed = Self::of(headers, now);
        renewed.etag = renewed.etag.or_else(|| self.etag.clone());
        renewed.last_modified = renewed.last_modified.or_else(|| self.last_modified.clone());
        renewed
    }
}

/// Reads `Cache-Control`: seconds of life, and whether it must not be kept.
fn understand(control: &str) -> (u64, bool) {
    let (mut lifetime, mut no_store, mut no_cache) = (0, false, false);
    for directive in control.split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "max-age" => lifetime = value.trim().trim_matches('"').parse().unwrap_or(0),
            "no-store" => no_store = true,
            "no-cache" => no_cache = true,
            _ => {}
        }
    }
    let lifetime = if no_cache { 0 } else { LONGEST.min(lifetime) };
    (lifetime, no_store)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn control(text: &str) -> Headers {
        Headers {
            cache_control: Some(text.to_owned()),
            ..Headers::default()
        }
    }

    #[test]
    fn an_answer_lives_as_long_as_it_says() {
        let page = Freshness::of(control("public, Max-Age=\"600\""), 1000);
        assert!(page.is_fresh(1000));
        assert!(page.is_fresh(1599));
        assert!(!page.is_fresh(1600));
        assert!(!page.is_fresh(999), "the clock went back");
    }

    #[test]
    fn a_page_that_must_be_asked_for_again_the_same_way_is_not_kept_anew() {
        let tagged = |text: &str, etag: &str| Headers {
            etag: Some(etag.to_owned()),
            ..control(text)
        };
        let page = Freshness::of(tagged("max-age=0", "a"), 1000);
        let adds_nothing = |said: Headers| page.renewed(said, 1010).adds_nothing(&page, 1010);
        assert!(adds_nothing(control("max-age=0")));
        assert!(adds_nothing(tagged("no-cache", "a")));
        assert!(!adds_nothing(control("max-age=1")));
        assert!(!adds_nothing(tagged("max-age=0", "b")));
        assert!(!adds_nothing(control("no-store")));
    }

    #[test]
    fn age_date_and_the_longest_life_shorten_it() {
        let aged = Headers {
            age: Some(500),
            ..control("max-age=600")
        };
        assert!(!Freshness::of(aged, 1000).is_fresh(1100));
        let old = Headers {
            date: Some(500),
            ..control("max-age=600")
        };
        assert!(!Freshness::of(old, 1000).is_fresh(1100));
        let forever = Freshness::of(control("max-age=99999999"), 0);
        assert!(!forever.is_fresh(24 * 60 * 60));
    }

    #[test]
    fn what_the_user_says_counts_also_for_what_is_stored() {
        let stale = Freshness::of(control("no-cache"), 1000);
        assert!(!stale.is_fresh(1001) && stale.is_fresh_by("max-age=600", 1599));
        assert!(!stale.is_fresh_by("max-age=600", 1600));
        let long = Freshness::of(control("max-age=600"), 1000);
        assert!(long.is_fresh(1001) && !long.is_fresh_by("no-cache", 1001));
    }

    #[test]
    fn without_a_word_or_with_no_cache_it_is_asked_each_time() {
        assert!(!Freshness::of(Headers::default(), 5).is_fresh(5));
        assert!(!Freshness::of(control("max-age=600, no-cache"), 5).is_fresh(5));
        assert!(!Freshness::of(control("max-age=x"), 5).is_fresh(5));
        assert!(Freshness::of(control("no-store"), 5).no_store);
    }

    #[test]
    fn a_304_renews_and_keeps_the_validators() {
        let first = Freshness::of(
            Headers {
                etag: Some("\"a\"".into()),
                ..control("max-age=1")
            },
            0,
        );
        let renewed = first.renewed(control("max-age=600"), 1000);
        assert!(renewed.is_fresh(1500));
        assert_eq!(renewed.etag.as_deref(), Some("\"a\""));
    }

    proptest! {
        #[test]
        fn nothing_overflows(text in "[a-z0-9=, \"-]{0,40}", age in any::<Option<u64>>(),
                             date in any::<Option<i64>>(), now in any::<i64>(), then in any::<i64>()) {
            let headers = Headers { age, date, ..control(&text) };
            Freshness::of(headers, now).is_fresh(then);
        }
    }
}
