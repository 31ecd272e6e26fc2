//! The encoding of a file of requirements: a byte order mark, a coding line (PEP 263), else UTF-8.

use encoding_rs::Encoding;

/// Turns the bytes into text, or says why it can not, with the line.
///
/// pip falls back to the encoding of the locale; here nothing about a file hangs on who runs it.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, (usize, String)> {
    // The mark of UTF-32 begins like that of UTF-16.
    if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        return Err((1, "it is UTF-32, which is not read".to_owned()));
    }
    let (encoding, rest, line) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, &bytes[length..], 1),
        None => match coding(bytes) {
            Some((line, name)) => (named(&name).map_err(|what| (line, what))?, bytes, line),
            None => (encoding_rs::UTF_8, bytes, 1),
        },
    };
    if encoding == encoding_rs::UTF_8 {
        return match std::str::from_utf8(rest) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => {
                let before = &rest[..error.valid_up_to()];
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                Err((line, "it is not UTF-8".to_owned()))
            }
        };
    }
    encoding
        .decode_without_bom_handling_and_without_replacement(rest)
        .map(|text| text.into_owned())
        .ok_or_else(|| (line, format!("it is not {}, as it says", encoding.name())))
}

/// Returns the name of a coding line among the first two lines, and which of them it is.
fn coding(bytes: &[u8]) -> Option<(usize, String)> {
    bytes
        .split(|byte| *byte == b'\n')
        .take(2)
        .enumerate()
        .find_map(|(at, line)| {
            let line = line.strip_prefix(b"#")?;
            let line = String::from_utf8_lossy(line);
            let (_, after) = line.split_once("coding")?;
            let after = after.strip_prefix([':', '='])?.trim_start();
            let end = after
                .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'))
                .unwrap_or(after.len());
            (end > 0).then(|| (at + 1, after[..end].to_owned()))
        })
}

/// Finds an encoding by the names that Python has for it.
fn named(name: &str) -> Result<&'static Encoding, String> {
    let spelled = name.to_ascii_lowercase().replace('_', "-");
    let label = match spelled.as_str() {
        "latin-1" | "l1" | "cp819" => "latin1",
        "utf-8-sig" | "u8" => "utf-8",
        "ascii" | "646" => "us-ascii",
        other => other.strip_prefix("cp125").map_or(other, |_| &*spelled),
    };
    let of_pages = label.replace("cp125", "windows-125");
    Encoding::for_label(of_pages.as_bytes())
        .filter(|found| *found != encoding_rs::REPLACEMENT)
        .ok_or_else(|| format!("its encoding `{name}` is not read"))
}
