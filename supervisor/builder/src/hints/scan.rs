//! A log, line by line, however long it and its lines are.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use super::Found;
use super::missing::Weight;
use super::said::said;

/// Bytes of a log that are read; no log is longer by default.
const LONGEST_LOG: u64 = 64 << 20;
/// Bytes of a line that are looked at; the rest of a longer one is passed over.
const LONGEST_LINE: usize = 4096;
/// Different things that are kept; of more, the last ones.
const MOST: usize = 50;

/// Finds everything in a log that tells of something missing: the surest first, the last of equally sure ones first,
/// since what a build goes on after was no cause of its end.
pub(super) fn scan(log: &Path) -> std::io::Result<Vec<Found>> {
    let mut reader = BufReader::new(File::open(log)?.take(LONGEST_LOG));
    let mut found: Vec<(Weight, Found)> = Vec::new();
    let mut line = Vec::new();
    let mut number = 0;
    while next(&mut reader, &mut line)? {
        number += 1;
        let text = String::from_utf8_lossy(&line);
        let Some((weight, missing)) = said(&text) else {
            continue;
        };
        let line = text.trim_end().to_owned();
        let known = found.iter().position(|(_, one)| one.missing == missing);
        let weight = match known {
            Some(at) => found.remove(at).0.min(weight),
            None => weight,
        };
        if found.len() == MOST {
            found.remove(0);
        }
        let one = Found {
            missing,
            number,
            line,
        };
        found.push((weight, one));
    }
    found.reverse();
    found.sort_by_key(|(weight, _)| *weight);
    // What a build may look for in vain is no hint beside what ended it.
    let surest = found.first().map(|(weight, _)| *weight);
    let told = found
        .into_iter()
        .filter(|(weight, _)| Some(*weight) == surest);
    Ok(told.map(|(_, one)| one).collect())
}

/// Reads the next line without its end, cut. Returns whether there was one.
fn next(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = LONGEST_LINE.saturating_sub(line.len()).min(part.len());
        line.extend_from_slice(&part[..room]);
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::missing::Missing;
    use super::*;

    fn scanned(text: &str) -> Vec<(Missing, u64)> {
        let place = tempfile::tempdir().expect("a folder");
        let log = place.path().join("log");
        std::fs::write(&log, text).expect("a log");
        let found = scan(&log).expect("a log");
        found
            .into_iter()
            .map(|one| (one.missing, one.number))
            .collect()
    }

    #[test]
    fn the_surest_and_of_those_the_last_comes_first() {
        let log = "-- Could NOT find ZLIB (missing: ZLIB_LIBRARY)\n\
                   a.c:1:10: fatal error: one.h: No such file or directory\n\
                   b.c:1:10: fatal error: two.h: No such file or directory\n\
                   a.c:1:10: fatal error: one.h: No such file or directory\n";
        let header = |name: &str| Missing::Header(name.to_owned());
        assert_eq!(scanned(log), [(header("one.h"), 4), (header("two.h"), 3)]);
        let looked = Missing::CMake("ZLIB".to_owned());
        assert_eq!(scanned(log.lines().next().expect("a line")), [(looked, 1)]);
    }

    #[test]
    fn a_log_full_of_names_is_kept_short() {
        let log: String = (0..10_000)
            .map(|n| format!("fatal error: h{n}.h: No such file or directory\n"))
            .collect();
        let found = scanned(&log);
        assert_eq!(found.len(), MOST);
        assert_eq!(found[0], (Missing::Header("h9999.h".to_owned()), 10_000));
    }

    #[test]
    fn lines_of_any_length_and_bytes_of_any_kind_are_read() {
        let mut log = vec![b'x'; 100_000];
        log.extend(b"fatal error: no.h: No such file or directory\n\xff\xfe\0\n");
        log.extend(b"fatal error: yes.h: No such file or directory");
        let mut reader = std::io::BufReader::with_capacity(7, log.as_slice());
        let mut line = Vec::new();
        let mut lines = 0;
        while next(&mut reader, &mut line).expect("bytes") {
            assert!(line.len() <= LONGEST_LINE);
            lines += 1;
        }
        assert_eq!(lines, 3);
        assert!(line.ends_with(b"fatal error: yes.h: No such file or directory"));
    }
}
