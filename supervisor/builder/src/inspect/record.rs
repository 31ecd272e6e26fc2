//! RECORD: every file of the wheel with its digest and size, none missing, none more (PEP 376, 427).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::Digest as _;

use super::contents::Contents;
use super::error::shown;
use super::{BadWheel, notes::Notes};

const RECORD_CAP: u64 = 64 << 20;
/// Signatures of RECORD: made after it, so not in it.
const SIGNATURES: [&str; 2] = ["RECORD.jws", "RECORD.p7s"];

/// What RECORD says of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    hash: Option<Hash>,
    size: Option<u64>,
}

/// A digest by the algorithms that PEP 427 takes: SHA-256 or better.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Hash {
    Sha256(Vec<u8>),
    Sha384(Vec<u8>),
    Sha512(Vec<u8>),
}

/// Checks RECORD against every member, all of which are read.
pub(super) fn check(
    contents: &mut Contents<'_>,
    folder: &str,
    notes: &mut Notes,
) -> Result<(), BadWheel> {
    let own = format!("{folder}/RECORD");
    let bytes = contents
        .read(&own, RECORD_CAP)?
        .ok_or_else(|| BadWheel::Missing {
            member: own.clone(),
        })?;
    let lines = parse(&bytes, notes)?;
    let unhashed: Vec<_> = SIGNATURES
        .iter()
        .map(|name| format!("{folder}/{name}"))
        .chain([own])
        .collect();
    let members = contents.members.clone();
    for (name, line) in &lines {
        if !members.contains_key(name) && !unhashed.contains(name) {
            return Err(bad(name, "lists a file that is not there"));
        }
        if line.hash.is_none() && !unhashed.contains(name) {
            return Err(bad(name, "gives no digest for"));
        }
    }
    let mut without_size = 0_u64;
    for (name, member) in &members {
        let Some(line) = lines.get(name) else {
            if unhashed.contains(name) {
                continue;
            }
            return Err(bad(name, "does not list"));
        };
        match line.size {
            Some(size) if size != member.size => return Err(bad(name, "gives the wrong size for")),
            Some(_) => {}
            None if line.hash.is_none() => {}
            None => without_size += 1,
        }
        let mut hasher = Hasher::of(line.hash.as_ref());
        contents.stream(name, member.index, member.size, &mut |chunk| {
            hasher.update(chunk)
        })?;
        if !hasher.agrees() {
            return Err(bad(name, "gives the wrong digest for"));
        }
    }
    if without_size > 0 {
        notes.note(format!("RECORD gives no size for {without_size} files"));
    }
    Ok(())
}

fn parse(bytes: &[u8], notes: &mut Notes) -> Result<BTreeMap<String, Line>, BadWheel> {
    let mut lines = BTreeMap::new();
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes);
    for (number, record) in reader.into_records().enumerate() {
        let place = || format!("line {}", number + 1);
        let record = record.map_err(|_| bad(&place(), "is not CSV in UTF-8"))?;
        let [path, hash, size] = record.iter().collect::<Vec<_>>()[..] else {
            return Err(bad(&place(), "has a line without three fields"));
        };
        super::member::check_name(path).map_err(|_| bad(path, "lists a path that no wheel has"))?;
        let line = Line {
            hash: hash_of(hash).map_err(|why| bad(path, why))?,
            size: match size {
                "" => None,
                _ => Some(
                    size.parse()
                        .map_err(|_| bad(path, "gives a size that is no number for"))?,
                ),
            },
        };
        match lines.insert(path.to_owned(), line.clone()) {
            Some(other) if other != line => return Err(bad(path, "says two things of")),
            Some(_) => notes.note(format!("RECORD lists `{}` twice", shown(path))),
            None => {}
        }
    }
    Ok(lines)
}

fn hash_of(text: &str) -> Result<Option<Hash>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    let (algorithm, digest) = text
        .split_once('=')
        .ok_or("gives a digest without its algorithm for")?;
    // Some tools pad although the PEP says not to.
    let bytes = URL_SAFE_NO_PAD
        .decode(digest.trim_end_matches('='))
        .map_err(|_| "gives a digest that is not base64 for")?;
    let (hash, wanted) = match algorithm.to_ascii_lowercase().as_str() {
        "sha256" => (Hash::Sha256(bytes.clone()), 32),
        "sha384" => (Hash::Sha384(bytes.clone()), 48),
        "sha512" => (Hash::Sha512(bytes.clone()), 64),
        _ => return Err("gives a digest weaker than SHA-256, or of an unknown kind, for"),
    };
    match bytes.len() == wanted {
        true => Ok(Some(hash)),
        false => Err("gives a digest of the wrong length for"),
    }
}

/// Hashes one member by the algorithm that its line names.
enum Hasher<'l> {
    Unhashed,
    Sha256(sha2::Sha256, &'l [u8]),
    Sha384(sha2::Sha384, &'l [u8]),
    Sha512(sha2::Sha512, &'l [u8]),
}

impl<'l> Hasher<'l> {
    fn of(hash: Option<&'l Hash>) -> Self {
        match hash {
            None => Self::Unhashed,
            Some(Hash::Sha256(wanted)) => Self::Sha256(sha2::Sha256::new(), wanted),
            Some(Hash::Sha384(wanted)) => Self::Sha384(sha2::Sha384::new(), wanted),
            Some(Hash::Sha512(wanted)) => Self::Sha512(sha2::Sha512::new(), wanted),
        }
    }

    fn update(&mut self, chunk: &[u8]) {
        match self {
            Self::Unhashed => {}
            Self::Sha256(hasher, _) => hasher.update(chunk),
            Self::Sha384(hasher, _) => hasher.update(chunk),
            Self::Sha512(hasher, _) => hasher.update(chunk),
        }
    }

    fn agrees(self) -> bool {
        match self {
            Self::Unhashed => true,
            Self::Sha256(hasher, wanted) => hasher.finalize()[..] == *wanted,
            Self::Sha384(hasher, wanted) => hasher.finalize()[..] == *wanted,
            Self::Sha512(hasher, wanted) => hasher.finalize()[..] == *wanted,
        }
    }
}

fn bad(member: &str, why: &'static str) -> BadWheel {
    BadWheel::Record {
        member: shown(member),
        why,
    }
}
