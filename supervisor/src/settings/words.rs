//! Small words of the command line: sizes, spans of time, dates, yes and no. Pure.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};
use model::PackageName;

/// Understands the name of a package; the parser behind takes the empty one.
pub(super) fn package(text: &str) -> Option<PackageName> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.parse().ok()).flatten()
}

/// Understands `1`, `true`, `yes`, `on` and their opposites.
pub(super) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!(
            "`{text}` is neither yes nor no (1, 0, true, false)"
        )),
    }
}

/// Understands a number of bytes: `4096`, `64k`, `512M`, `4G`, `1T`; the letters are powers of 1024.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let unfit = || format!("`{text}` is not a size such as 512M or 4G");
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor: u64 = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return Err(unfit()),
    };
    let number: u64 = digits.parse().map_err(|_| unfit())?;
    match number.checked_mul(factor) {
        Some(0) | None => Err(unfit()),
        Some(bytes) => Ok(bytes),
    }
}

/// Understands a whole number above zero.
pub(super) fn count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("`{text}` is not a whole number above zero")),
        Ok(number) => Ok(number),
    }
}

/// Understands a span of time: `90` (seconds), `90s`, `30m`, `1h30m`, `2 days`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let unfit = || format!("`{text}` is not a time such as 90s, 30m or 2h");
    if let Ok(seconds) = text.parse::<u64>() {
        return match seconds {
            0 => Err(unfit()),
            // A century is as good as for ever and leaves room for sums.
            seconds => Ok(Duration::from_secs(seconds.min(100 * 366 * 86_400))),
        };
    }
    let span: Span = text.parse().map_err(|_| unfit())?;
    let span = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| unfit())?;
    match Duration::try_from(span) {
        Ok(span) if !span.is_zero() => Ok(span),
        _ => Err(unfit()),
    }
}

/// Understands `--exclude-newer` as the moment from which files are ignored.
///
/// A date means the end of that day, a span counts back from the start of today, both in UTC: so the
/// same words give the same moment all day long and everywhere, and with it the same cache entries.
pub(super) fn cut_off(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let unfit =
        || format!("`{text}` is not a date (2026-01-31), a moment (RFC 3339) or a span (7 days)");
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let midnight = |date: Date| {
        date.to_zoned(TimeZone::UTC)
            .map(|zoned| zoned.timestamp())
            .map_err(|_| unfit())
    };
    if let Ok(date) = text.parse::<Date>() {
        return midnight(date.checked_add(1.day()).map_err(|_| unfit())?);
    }
    let span: Span = text.parse().map_err(|_| unfit())?;
    if !span.is_positive() {
        return Err(unfit());
    }
    let today = midnight(now.to_zoned(TimeZone::UTC).date())?;
    today
        .to_zoned(TimeZone::UTC)
        .checked_sub(span)
        .map(|zoned| zoned.timestamp())
        .map_err(|_| unfit())
}
