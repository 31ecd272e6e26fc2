//! Amounts in words.

use std::time::Duration;

/// Returns a number of bytes for people: `13.4 KiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    // Tenths are kept as whole numbers: no rounding of a float can print 1024.0.
    let mut tenths = u128::from(count) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10 * 1024 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// Returns a span of time for people: `0.41 s`, `12.3 s`, `4 min 05 s`.
pub(crate) fn seconds(span: f64) -> String {
    if !span.is_finite() || span < 0.0 {
        return "?".to_owned();
    }
    if span < 9.995 {
        return format!("{span:.2} s");
    }
    if span < 59.95 {
        return format!("{span:.1} s");
    }
    let whole = Duration::from_secs_f64(span.min(1e9).round()).as_secs();
    match whole / 3600 {
        0 => format!("{} min {:02} s", whole / 60, whole % 60),
        hours => format!("{hours} h {:02} min", whole % 3600 / 60),
    }
}
