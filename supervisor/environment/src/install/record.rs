//! RECORD (PEP 376, PEP 427): what a wheel says it holds, and what an installation holds.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Sha256;
use sha2::Digest;

/// A digest that RECORD states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stated {
    Sha256(Vec<u8>),
    Sha384(Vec<u8>),
    Sha512(Vec<u8>),
}

/// One row: a file's digest and size. Neither for RECORD itself and its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) digest: Option<Stated>,
    pub(crate) size: Option<u64>,
}

impl Stated {
    /// Parses `sha256=...`, urlsafe base64 without padding. Weaker algorithms are refused, as PEP
    /// 427 wants.
    fn parse(text: &str) -> Result<Self, String> {
        let (algorithm, encoded) = text
            .split_once('=')
            .ok_or("a digest is not written as algorithm=value")?;
        let bytes = URL_SAFE_NO_PAD
            .decode(encoded.trim_end_matches('='))
            .map_err(|_| "a digest is not urlsafe base64")?;
        let (length, make): (usize, fn(Vec<u8>) -> Self) = match algorithm {
            "sha256" => (32, Self::Sha256),
            "sha384" => (48, Self::Sha384),
            "sha512" => (64, Self::Sha512),
            _ => {
                return Err("a digest is of an algorithm other than sha256, sha384, sha512".into());
            }
        };
        if bytes.len() == length {
            Ok(make(bytes))
        } else {
            Err(format!("a digest has not the length of {algorithm}"))
        }
    }
}

/// Hashes a file while it is copied: always SHA-256, and what RECORD states if that is another.
pub(crate) struct Hasher {
    sha256: sha2::Sha256,
    sha384: Option<sha2::Sha384>,
    sha512: Option<sha2::Sha512>,
}

impl Hasher {
    pub(crate) fn new(stated: Option<&Stated>) -> Self {
        Self {
            sha256: sha2::Sha256::new(),
            sha384: matches!(stated, Some(Stated::Sha384(_))).then(sha2::Sha384::new),
            sha512: matches!(stated, Some(Stated::Sha512(_))).then(sha2::Sha512::new),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(hasher) = &mut self.sha384 {
            hasher.update(bytes);
        }
        if let Some(hasher) = &mut self.sha512 {
            hasher.update(bytes);
        }
    }

    /// Returns the SHA-256, and whether the stated digest holds; with none stated it does not.
    pub(crate) fn finish(self, stated: Option<&Stated>) -> (Sha256, bool) {
        let sha256: [u8; 32] = self.sha256.finalize().into();
        let holds = match stated {
            None => false,
            Some(Stated::Sha256(want)) => want.as_slice() == sha256,
            Some(Stated::Sha384(want)) => self
                .sha384
                .is_some_and(|hasher| hasher.finalize().as_slice() == want.as_slice()),
            Some(Stated::Sha512(want)) => self
                .sha512
                .is_some_and(|hasher| hasher.finalize().as_slice() == want.as_slice()),
        };
        (Sha256::from_bytes(sha256), holds)
    }
}

/// Parses RECORD; the error says what is wrong with it.
pub(crate) fn parse(text: &[u8]) -> Result<BTreeMap<String, Row>, String> {
    let mut rows = BTreeMap::new();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text);
    for row in reader.records() {
        let row = row.map_err(|_| "RECORD is not CSV in UTF-8")?;
        let field = |index: usize| row.get(index).map(str::trim).filter(|it| !it.is_empty());
        let Some(path) = field(0) else {
            continue;
        };
        let size = field(2)
            .map(str::parse)
            .transpose()
            .map_err(|_| "RECORD holds a size that is no number")?;
        let digest = field(1).map(Stated::parse).transpose()?;
        let row = Row { digest, size };
        if let Some(known) = rows.insert(path.to_owned(), row.clone())
            && known != row
        {
            return Err(format!(
                "RECORD has two rows for `{}`",
                super::tree::printable(path)
            ));
        }
    }
    Ok(rows)
}

/// Returns the paths that the RECORD of an installed project names, whoever wrote it: nothing else of it
/// is believed.
pub(crate) fn paths(text: &[u8]) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text);
    reader
        .records()
        .flatten()
        .filter_map(|row| row.get(0).map(str::trim).map(str::to_owned))
        .filter(|path| !path.is_empty())
        .collect()
}

/// One installed file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Installed {
    /// Relative to the environment.
    pub(crate) path: String,
    /// Digest and size in bytes; none for bytecode, which nobody compares.
    pub(crate) content: Option<(Sha256, u64)>,
}

/// Writes the RECORD of an installation: paths relative to the folder that holds `.dist-info`
/// (empty for the root itself), sorted as text.
pub(crate) fn write(files: Vec<Installed>, site_packages: &str, own: &str) -> Vec<u8> {
    let depth = site_packages.split('/').filter(|it| !it.is_empty()).count();
    let up = "../".repeat(depth);
    let mut rows: Vec<[String; 3]> = files
        .into_iter()
        .map(|file| {
            let path = match below(&file.path, site_packages) {
                Some(path) => path.to_owned(),
                None => format!("{up}{}", file.path),
            };
            let (digest, size) = file
                .content
                .map_or_else(Default::default, |(digest, size)| {
                    let digest = URL_SAFE_NO_PAD.encode(digest.as_bytes());
                    (format!("sha256={digest}"), size.to_string())
                });
            [path, digest, size]
        })
        .collect();
    rows.push([own.to_owned(), String::new(), String::new()]);
    rows.sort();
    rows.dedup();
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    for row in &rows {
        // Writing to memory does not fail.
        let _ = writer.write_record(row);
    }
    writer.into_inner().unwrap_or_default()
}

/// Returns the rest of a path below a folder; an empty folder is the root.
pub(crate) fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() {
        return Some(path);
    }
    path.strip_prefix(folder)?.strip_prefix('/')
}
