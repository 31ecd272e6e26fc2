//! Programs and how they find their Python.
//!
//! In a build environment it is the one beside them, wherever the environment lies: a shebang with a
//! path would break when the environment is seen at another place, when it is moved, and beyond 127
//! characters. So a program is both: shell, which finds the folder it lies in and starts that folder's
//! `python` on the same file; and Python, which sees the shell's part as a string. In an environment of
//! the user's it is a fixed one, as installers have it; the shell is needed only where the kernel would
//! not take the path.

use super::entry_points::Program;

/// How programs find their Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Starter<'a> {
    /// The one that lies beside the program.
    Beside,
    /// The one at this absolute path, see [`may_start`].
    At(&'a str),
}

/// The longest first line that every kernel takes, in bytes with its line break.
const MAX_FIRST_LINE: usize = 127;

/// Whether programs can name this path as their Python, in a shebang or in the shell's quotes.
pub(crate) fn may_start(path: &str) -> bool {
    path.starts_with('/')
        && !path.contains("'''")
        && !path
            .chars()
            .any(|c| c.is_control() || matches!(c, '"' | '$' | '`' | '\\'))
}

/// The longest line that may be a shebang.
const MAX_SHEBANG: usize = 256;

/// Returns the text of a program that calls a function.
pub(crate) fn of_program(program: &Program, starter: Starter<'_>) -> Vec<u8> {
    let Program {
        module, attribute, ..
    } = program;
    let first = attribute.split('.').next().unwrap_or(attribute);
    let body = format!(
        "import sys\n\nfrom {module} import {first}\n\nif __name__ == \"__main__\":\n    sys.exit({attribute}())\n"
    );
    [preamble(starter, "", None), body].concat().into_bytes()
}

/// Returns the text of a script as it is installed: one that begins with `#!python` (or `#!pythonw`)
/// gets our preamble; nothing if it stays as it is.
///
/// The error says what is wrong with its first line.
pub(crate) fn of_script(bytes: &[u8], starter: Starter<'_>) -> Result<Option<Vec<u8>>, String> {
    let Some(rest) = bytes
        .strip_prefix(b"#!pythonw")
        .or_else(|| bytes.strip_prefix(b"#!python"))
    else {
        return Ok(None);
    };
    let end = rest
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(rest.len());
    let (line, body) = rest.split_at(end);
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    let options = std::str::from_utf8(line)
        .ok()
        .filter(|line| line.len() <= MAX_SHEBANG)
        .map(str::trim)
        .filter(|line| {
            line.chars()
                .all(|c| c.is_ascii_alphanumeric() || " =_-".contains(c))
        })
        .ok_or("a script's first line names options that can not be kept")?;
    let cookie = body
        .split(|byte| *byte == b'\n')
        .next()
        .and_then(|line| std::str::from_utf8(line).ok())
        .filter(|line| line.starts_with('#') && line.contains("coding"))
        .map(str::trim_end);
    let mut text = preamble(starter, options, cookie).into_bytes();
    text.extend_from_slice(body);
    Ok(Some(text))
}

/// The shell's part. `cookie` is a comment that states the encoding; Python looks for it in the
/// first two lines only.
fn preamble(starter: Starter<'_>, options: &str, cookie: Option<&str>) -> String {
    match starter {
        Starter::Beside => beside(options, cookie),
        Starter::At(python) => at(python, options, cookie),
    }
}

/// A first line that names the Python, or the shell's quotes around it where the kernel would cut the
/// line or split the path.
fn at(python: &str, options: &str, cookie: Option<&str>) -> String {
    let first = format!("#!{python} {options}").trim_end().to_owned() + "\n";
    let cookie = cookie.map(|line| format!("{line}\n")).unwrap_or_default();
    if first.len() <= MAX_FIRST_LINE && !python.contains(' ') {
        return format!("{first}{cookie}");
    }
    let options = if options.is_empty() {
        String::new()
    } else {
        format!("{options} ")
    };
    format!("#!/bin/sh\n{cookie}''':'\nexec \"{python}\" {options}\"$0\" \"$@\"\n'''\n")
}

fn beside(options: &str, cookie: Option<&str>) -> String {
    let cookie = cookie.map(|line| format!("{line}\n")).unwrap_or_default();
    let options = if options.is_empty() {
        String::new()
    } else {
        format!("{options} ")
    };
    format!(
        r#"#!/bin/sh
{cookie}''':'
self=$0
case $self in
*/*) ;;
*) self=$(command -v "$self" || echo "./$self") ;;
esac
while [ -h "$self" ]; do
    link=$(readlink "$self")
    case $link in
    /*) self=$link ;;
    *) self=${{self%/*}}/$link ;;
    esac
done
exec "${{self%/*}}/python" {options}"$0" "$@"
'''
"#
    )
}
