//! RECORD (PEP 376, PEP 427): what a wheel says it holds, and what an installation holds.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Sha256;
use sha2::Digest;

/// A digest that RECORD states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stated {
    Sha256(Vec<u8>),
    Sha384(Vec<u8>),
    Sha512(Vec<u8>),
}

/// One row: a file's digest and size. Neither for RECORD itself and its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) digest: Option<Stated>,
    pub(super) size: Option<u64>,
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
pub(super) struct Hasher {
    sha256: sha2::Sha256,
    sha384: Option<sha2::Sha384>,
    sha512: Option<sha2::Sha512>,
}

impl Hasher {
    pub(super) fn new(stated: Option<&Stated>) -> Self {
        Self {
            sha256: sha2::Sha256::new(),
            sha384: matches!(stated, Some(Stated::Sha384(_))).then(sha2::Sha384::new),
            sha512: matches!(stated, Some(Stated::Sha512(_))).then(sha2::Sha512::new),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(hasher) = &mut self.sha384 {
            hasher.update(bytes);
        }
        if let Some(hasher) = &mut self.sha512 {
            hasher.update(bytes);
        }
    }

    /// Returns the SHA-256, and whether the stated digest holds; with none stated it does not.
    pub(super) fn finish(self, stated: Option<&Stated>) -> (Sha256, bool) {
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
pub(super) fn parse(text: &[u8]) -> Result<BTreeMap<String, Row>, String> {
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

/// One installed file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Installed {
    /// Relative to the environment.
    pub(super) path: String,
    pub(super) sha256: Sha256,
    pub(super) size: u64,
}

/// Writes the RECORD of an installation: paths relative to the folder that holds `.dist-info`.
pub(super) fn write(mut files: Vec<Installed>, site_packages: &str, own: &str) -> Vec<u8> {
    files.sort();
    files.dedup();
    let up = "../".repeat(site_packages.split('/').count());
    let inside = format!("{site_packages}/");
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    for file in &files {
        let path = match file.path.strip_prefix(&inside) {
            Some(path) => path.to_owned(),
            None => format!("{up}{}", file.path),
        };
        let digest = format!("sha256={}", URL_SAFE_NO_PAD.encode(file.sha256.as_bytes()));
        // Writing to memory does not fail.
        let _ = writer.write_record([path.as_str(), &digest, &file.size.to_string()]);
    }
    let _ = writer.write_record([own, "", ""]);
    writer.into_inner().unwrap_or_default()
}
