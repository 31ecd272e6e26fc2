//! How the kernel writes paths into `/proc/PID/mountinfo` and its likes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

/// Undoes the escapes of a mount table (proc_pid_mountinfo(5)): a backslash and three octal digits.
#[must_use]
pub fn unescaped(text: &[u8]) -> PathBuf {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        let escaped = (byte == b'\\').then(|| octal(behind)).flatten();
        plain.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() {
            &behind[3..]
        } else {
            behind
        };
    }
    PathBuf::from(OsString::from_vec(plain))
}

/// The byte that three octal digits stand for.
fn octal(text: &[u8]) -> Option<u8> {
    let digits = text.get(..3)?;
    digits.iter().try_fold(0_u8, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        number.checked_mul(8)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn escapes_are_undone_and_lone_backslashes_stay() {
        assert_eq!(unescaped(b"/a\\134\\011b\\9"), Path::new("/a\\\tb\\9"));
        assert_eq!(unescaped(b"/the\\040end\\"), Path::new("/the end\\"));
        assert_eq!(unescaped(b"/no\\+12\\777"), Path::new("/no\\+12\\777"));
    }
}
