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

/// Finds everything in a log, and in what the exception said, that tells of something missing: the surest first, the
/// last of equally sure ones first, since what a build goes on after was no cause of its end.
pub(super) fn scan(log: &Path, problem: &str) -> Vec<Found> {
    let mut finds = Finds::default();
    // What came before a log could not be read any further still counts.
    let read = File::open(log).and_then(|file| finds.read(BufReader::new(file.take(LONGEST_LOG))));
    if let Err(error) = read {
        tracing::debug!(log = %log.display(), %error, "not read to its end");
    }
    for line in problem.lines() {
        finds.hear(None, line);
    }
    finds.told()
}

/// What was found so far, the last at the end.
#[derive(Default)]
struct Finds(Vec<(Weight, Found)>);

impl Finds {
    fn read(&mut self, mut reader: impl BufRead) -> std::io::Result<()> {
        let mut line = Vec::new();
        let mut number = 0;
        while next(&mut reader, &mut line)? {
            number += 1;
            self.hear(Some(number), &String::from_utf8_lossy(&line));
        }
        Ok(())
    }

    fn hear(&mut self, number: Option<u64>, line: &str) {
        let Some((weight, missing)) = said(line) else {
            return;
        };
        let known = self.0.iter().position(|(_, one)| one.missing == missing);
        let known = known.map(|at| self.0.remove(at));
        let (weight, found) = match known {
            // What the exception says again stands in the log already.
            Some((before, found)) if number.is_none() => (before.min(weight), found),
            known => {
                let line = line.trim_end().to_owned();
                let weight = known.map_or(weight, |(before, _)| before.min(weight));
                let found = Found {
                    missing,
                    number,
                    line,
                };
                (weight, found)
            }
        };
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push((weight, found));
    }

    fn told(mut self) -> Vec<Found> {
        self.0.reverse();
        self.0.sort_by_key(|(weight, _)| *weight);
        // What a build may look for in vain is no hint beside what ended it.
        let surest = self.0.first().map(|(weight, _)| *weight);
        let told = self.0.into_iter();
        let told = told.filter(|(weight, _)| Some(*weight) == surest);
        told.map(|(_, one)| one).collect()
    }
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
        let heard = heard(text, "").into_iter();
        heard
            .map(|(missing, number)| (missing, number.expect("a line of the log")))
            .collect()
    }

    fn heard(text: &str, problem: &str) -> Vec<(Missing, Option<u64>)> {
        let place = tempfile::tempdir().expect("a folder");
        let log = place.path().join("log");
        std::fs::write(&log, text).expect("a log");
        let found = scan(&log, problem).into_iter();
        found.map(|one| (one.missing, one.number)).collect()
    }

    #[test]
    fn what_only_the_exception_says_counts_too() {
        let module = Missing::Module("numpy".to_owned());
        let line = "ModuleNotFoundError: No module named 'numpy'";
        assert_eq!(heard("", line), [(module.clone(), None)]);
        assert_eq!(heard(&format!("{line}\n"), line), [(module, Some(1))]);
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
        let mut lines = Vec::new();
        while next(&mut reader, &mut line).expect("bytes") {
            assert!(line.len() <= LONGEST_LINE);
            lines.push(line.clone());
        }
        assert_eq!(lines.len(), 3);
        // The end of the first is beyond what is looked at.
        assert!(lines[0].iter().all(|byte| *byte == b'x'));
        assert!(lines[2].ends_with(b"fatal error: yes.h: No such file or directory"));
    }
}
